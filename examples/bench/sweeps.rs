//! The sweeps: how the cost of a request, and the memory, change with rules, keys, cached tokens, headers and workers.
//!
//! They have fewer rounds than the main measurement. Each round starts a new Envoy for each point and chain.

mod points;

use serde_json::Value;

use crate::chains::{Chain, bootstrap};
use crate::load::{Load, Requests};
use crate::server::{Server, Spent, published};
use crate::statistics::median;

pub use points::all;

/// The requests of one turn, and the turns of each arm in a round.
const REQUESTS: usize = 16 * Load::CONNECTIONS;
const TURNS: usize = 2;
/// The requests before the measurement.
const FIRST: usize = REQUESTS;
/// All requests that are measured or before that.
pub const REQUESTS_OF_ALL_TURNS: usize = FIRST + TURNS * REQUESTS;

/// A series of points that differ in one number.
pub struct Sweep {
    pub name: &'static str,
    /// What the number counts.
    pub unit: &'static str,
    pub points: Vec<Point>,
}

pub struct Point {
    pub number: usize,
    pub workers: u32,
    /// The chains with their filters. The first has no filter.
    pub arms: Vec<(Chain, Vec<Value>)>,
    /// What each Envoy receives first, and how often.
    pub first: (Vec<Vec<u8>>, usize),
    pub octets: Vec<Vec<u8>>,
    pub measured: Vec<Measured>,
}

/// The measurements of an arm, one of each round.
#[derive(Default, Clone)]
pub struct Measured {
    pub spent: Vec<Spent>,
    /// The memory of the process, in MiB.
    pub memory: Vec<f64>,
    /// How many of 100 tokens were in the filter's cache.
    pub cached: Vec<f64>,
}

impl Sweep {
    /// Adds a round to every point.
    pub fn add_round(&mut self, number: usize) {
        for point in &mut self.points {
            point.add_round(number);
        }
    }
}

impl Point {
    fn add_round(&mut self, number: usize) {
        let mut running: Vec<(Server, Requests)> = self
            .arms
            .iter()
            .map(|(_, filters)| {
                let server = Server::start(&bootstrap(filters), self.workers);
                (server, Requests::new(self.octets.clone(), 200))
            })
            .collect();
        let (octets, times) = &self.first;
        for (server, requests) in &mut running {
            let all = Requests::new(octets.clone(), 200);
            server.run(&all, octets.len() * times);
            server.run(requests, FIRST);
        }
        published();
        let before: Vec<_> = running.iter().map(|(server, _)| server.cached()).collect();
        let mut spent = vec![Spent::default(); running.len()];
        let length = running.len();
        for turn in 0..TURNS {
            for arm in 0..length {
                // Each arm is the first in some rounds.
                let arm = (arm + number + turn) % length;
                let (server, requests) = &mut running[arm];
                spent[arm] += server.run(requests, REQUESTS);
            }
        }
        published();
        self.measured.resize_with(length, Measured::default);
        for (arm, (server, _)) in running.iter().enumerate() {
            let measured = &mut self.measured[arm];
            measured.spent.push(spent[arm]);
            measured.memory.push(server.memory());
            let (hits, misses) = server.cached();
            let (hits, misses) = (hits - before[arm].0, misses - before[arm].1);
            if hits + misses > 0 {
                measured
                    .cached
                    .push(100.0 * hits as f64 / (hits + misses) as f64);
            }
        }
    }

    /// The median of the CPU time of a request, more than without a filter, in microseconds.
    pub fn added(&self, arm: usize) -> f64 {
        let pairs = self.measured[arm].spent.iter().zip(&self.measured[0].spent);
        median(pairs.map(|(with, without)| with.cost() - without.cost()))
    }

    /// The median of the memory of the process, more than without a filter, in MiB.
    pub fn added_memory(&self, arm: usize) -> f64 {
        let pairs = self.measured[arm]
            .memory
            .iter()
            .zip(&self.measured[0].memory);
        median(pairs.map(|(with, without)| with - without))
    }
}
