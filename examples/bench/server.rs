//! An Envoy under load, and what it spends.

use std::net::SocketAddr;
use std::ops::AddAssign;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::load::{Load, Requests};
use crate::support::envoy::Envoy;

/// The filter publishes its counters each 0.1 s.
const PUBLISHED: Duration = Duration::from_millis(500);

/// Waits until every filter has published its counters.
pub fn published() {
    sleep(PUBLISHED);
}

/// What a number of requests has cost.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    requests: f64,
    /// The CPU time of the process, in microseconds.
    process: f64,
    /// The CPU time of the workers, in microseconds.
    workers: f64,
    seconds: f64,
}

impl Spent {
    /// The CPU time of the process for a request, in microseconds.
    pub fn cost(self) -> f64 {
        self.process / self.requests
    }

    /// The requests for each second of the workers' CPU time.
    pub fn throughput(self) -> f64 {
        self.requests / self.workers * 1e6
    }

    /// The requests for each second of time.
    pub fn rate(self) -> f64 {
        self.requests / self.seconds
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.process += other.process;
        self.workers += other.workers;
        self.seconds += other.seconds;
    }
}

/// An Envoy with its connections.
pub struct Server {
    envoy: Envoy,
    load: Load,
}

impl Server {
    /// Starts an Envoy with so many workers, and connects to its listener `bench`.
    pub fn start(bootstrap: &Value, workers: u32) -> Self {
        Self::start_under(bootstrap, workers, &[])
    }

    /// The same, as the argument of a command.
    pub fn start_under(bootstrap: &Value, workers: u32, command: &[&str]) -> Self {
        let envoy = Envoy::start_under(bootstrap, workers, command);
        let load = Load::new(envoy.listener("bench"));
        Self { envoy, load }
    }

    pub fn address(&self) -> SocketAddr {
        self.envoy.listener("bench")
    }

    /// Sends this number of requests.
    pub fn run(&mut self, requests: &Requests, count: usize) -> Spent {
        let (before, begun) = (self.envoy.cpu(), Instant::now());
        self.load.send(requests, count);
        let (after, seconds) = (self.envoy.cpu(), begun.elapsed().as_secs_f64());
        Spent {
            requests: count as f64,
            process: (after.process - before.process) as f64 / 1e3,
            workers: (after.workers - before.workers) as f64 / 1e3,
            seconds,
        }
    }

    /// Sends this number of requests one after the other, and returns how long each took.
    pub fn times(&mut self, requests: &Requests, count: usize) -> Vec<Duration> {
        self.load.times(requests, count)
    }

    /// The memory of the process, in MiB.
    pub fn memory(&self) -> f64 {
        self.envoy.memory() as f64 / (1024.0 * 1024.0)
    }

    /// The filter's counts of tokens that were in its cache, and of those that were not, as they are [`published`].
    pub fn cached(&self) -> (u64, u64) {
        let counted = |name| self.envoy.counted(&format!("token_cache.{name}"));
        (counted("hit"), counted("miss"))
    }

    /// Checks that the filter has measured what its name says: Envoy has logged no crash, and so many tokens were in the cache,
    /// and so many were not. A token enters the cache at its second use, or its third.
    ///
    /// # Panics
    /// It has not.
    pub fn assert_what_was_cached(&self, name: &str, expected: Option<(usize, usize)>) {
        const FIRST_USES: u64 = 2 * 2 * Load::CONNECTIONS as u64;
        let alarms = self.envoy.alarms();
        assert!(alarms.is_empty(), "{name}: {alarms:?}");
        let Some((hits, misses)) = expected else {
            return;
        };
        let all = (hits + misses) as u64;
        let found = self.cached();
        assert_eq!(found.0 + found.1, all, "{name}: tokens that were looked up");
        assert!(
            found.1.abs_diff(misses as u64) <= FIRST_USES,
            "{name}: expected {misses} that were not in the cache, found {}",
            found.1
        );
    }

    pub fn envoy(&self) -> &Envoy {
        &self.envoy
    }
}
