//! The main measurement: every situation with each of its filter chains, in rounds.
//!
//! 1. A round starts a new Envoy for each chain, because the memory layout of a process changes its cost by about ten percent.
//! 2. Within a round, the chains of a situation take short turns one after the other, so that other work on the machine affects
//!    all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::chains::{Chain, bootstrap};
use crate::credentials::Credentials;
use crate::load::{Load, Requests};
use crate::server::{Server, Spent, published};
use crate::situations::Situation;

/// The requests of one turn; each connection sends the same number.
const REQUESTS: usize = 16 * Load::CONNECTIONS;
/// The turns of each chain in a situation.
const TURNS: usize = 3;
/// The requests before the measurement. After them, Envoy has its connections, and its caches are full.
const FIRST: usize = REQUESTS;
/// The requests that are sent one after the other over one connection, to measure how long a client waits.
const ALONE: usize = 128;
/// All requests of a chain in a situation. Each Envoy receives a token that was never seen at most once.
pub const REQUESTS_OF_ALL_TURNS: usize = FIRST + TURNS * REQUESTS + ALONE;

/// A situation with a chain.
pub type Cell = (Situation, Chain);

/// The measurements of each cell: one of each round, and every response time.
#[derive(Default)]
pub struct Measured {
    pub spent: Vec<Spent>,
    pub times: Vec<Duration>,
}

/// The measurements of all rounds.
pub type Results = BTreeMap<Cell, Measured>;

/// Adds a round.
///
/// # Panics
/// A response has another status than expected, or a chain has not measured what its name says.
pub fn add_round(number: usize, credentials: &Credentials, results: &mut Results) {
    let mut servers: BTreeMap<Chain, Server> = Chain::ALL
        .into_iter()
        .map(|chain| {
            (
                chain,
                Server::start(&bootstrap(&chain.filters(credentials)), 1),
            )
        })
        .collect();
    let mut expected: BTreeMap<Chain, (usize, usize)> = BTreeMap::new();
    for situation in Situation::ALL {
        // Digest needs a nonce of the server: that of the last chain, which is the filter's.
        let chains = situation.chains();
        let server = servers[&chains[chains.len() - 1]].address();
        let octets: Arc<[Vec<u8>]> = situation
            .octets(credentials, REQUESTS_OF_ALL_TURNS, server)
            .into();
        let mut arms: Vec<(Chain, Requests)> = chains
            .iter()
            .map(|chain| {
                (
                    *chain,
                    Requests::new(Arc::clone(&octets), situation.status(*chain)),
                )
            })
            .collect();
        // Each chain is the first in some rounds.
        let length = arms.len();
        arms.rotate_left(number % length);
        for (chain, requests) in &arms {
            server_of(&mut servers, *chain).run(requests, FIRST);
        }
        let mut spent = vec![Spent::default(); arms.len()];
        for _ in 0..TURNS {
            for ((chain, requests), spent) in arms.iter().zip(&mut spent) {
                *spent += server_of(&mut servers, *chain).run(requests, REQUESTS);
            }
        }
        for ((chain, requests), spent) in arms.iter().zip(spent) {
            let measured = results.entry((situation, *chain)).or_default();
            measured.spent.push(spent);
            measured
                .times
                .extend(server_of(&mut servers, *chain).times(requests, ALONE));
            if let Some((hits, misses)) = situation.cached(REQUESTS_OF_ALL_TURNS) {
                let expected = expected.entry(*chain).or_default();
                expected.0 += hits;
                expected.1 += misses;
            }
        }
    }
    published();
    for (chain, server) in &servers {
        let expected = expected.get(chain).filter(|_| chain.is_ours());
        server.assert_what_was_cached(chain.name(), expected.copied());
    }
}

fn server_of(servers: &mut BTreeMap<Chain, Server>, chain: Chain) -> &mut Server {
    servers.get_mut(&chain).expect("an Envoy for each chain")
}
