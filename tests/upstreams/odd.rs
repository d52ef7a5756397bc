//! A fleet of real servers behind the filter in a real Envoy: what a server says that it read of a request must be
//! allowed by the rule under which the filter let the request pass.
//!
//! `make test-upstreams` installs the servers and runs this. The lists `tests/upstreams/servers.json` and
//! `tests/upstreams/debian/servers.json` say how each server is started and what it reports; `tests/upstreams/README.md`
//! says what each server serves. The driver starts all servers and one Envoy, which has a listener and a cluster for
//! each, and sends every input without a credential and with a good token of bob's; one that the core refuses for
//! every caller is sent with the token alone. An input is
//!
//! - a line of `tests/upstreams/corpus/*.txt`: a known trick (`driver/corpus.rs` explains the notation);
//! - a path of `tests/upstreams/finds.txt`, which a fuzzer has found;
//! - a combination of pieces of these, from a seed (`driver/generate.rs`).
//!
//! `driver/gate.rs` has the policy, `driver/judge.rs` what counts as a violation. At the first violation the driver makes
//! the input as small as it gets, prints it and fails.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `UPSTREAMS` | texts, separated by `\|`: only servers whose name holds one of them | all |
//! | `UPSTREAM_REQUESTS` | requests for each server | 3000 |
//! | `UPSTREAM_SEED` | the seed of the combinations | 1 |
//! | `UPSTREAM_KEEP_GOING` | `1`: the smallest violation of each kind is listed for each server | stop at the first |
//! | `UPSTREAM_TABLE` | a page whose table is replaced by the one of the run: `docs/upstreams.md` | none |
//! | `UPSTREAM_PYTHON` | the Python that `scripts/setup-upstreams` prints | `.venv/upstreams/bin/python` |
//! | `UPSTREAM_FOLDER` | another folder with lists and servers | `tests/upstreams` |
//!
//! A second test compares the models of `fuzz/src/upstreams` with the servers that they are of.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::driver::compare::{Comparison, compare};
use crate::driver::corpus::Corpus;
use crate::driver::fleet::{Fleet, Running};
use crate::driver::gate::{Gate, Policy};
use crate::driver::generate::{Base, Generator};
use crate::driver::{models, number, table};
use crate::support::say;

/// How many servers are asked at a time: most of a request's time is spent in one of them.
const AT_A_TIME: usize = 4;
/// How many lines of one kind are printed for a server, and how much of each.
const MOST_LINES: usize = 5;
const MOST_CHARACTERS: usize = 400;

#[test]
fn no_server_reads_what_its_rule_forbids() {
    let corpus = Corpus::read();
    let fleet = Fleet::shared();
    let gate = Gate::start(&fleet);
    let requests =
        usize::try_from(number("UPSTREAM_REQUESTS", 3000)).expect("a number of requests");
    let seed = number("UPSTREAM_SEED", 1);
    let keep_going = number("UPSTREAM_KEEP_GOING", 0) != 0;
    let base = |policy| Base::new(&corpus, &gate.tokens, policy);
    let (closed, open) = (base(Policy::Closed), base(Policy::Open));
    say(&format!("the corpus: {closed}; with an open policy {open}"));
    let stop = AtomicBool::new(false);
    let compared = for_each(&fleet, |place, running| {
        let own_seed = seed.wrapping_mul(1_000).wrapping_add(place as u64);
        let mut comparison = Comparison::default();
        let policies = running.server.policies();
        for policy in policies {
            let base = match policy {
                Policy::Closed => &closed,
                Policy::Open => &open,
            };
            let mut generator = Generator::new(&corpus, &gate.tokens, *policy, own_seed);
            let requests = generator.requests(base, requests / policies.len());
            let of_policy = compare(&gate, running, *policy, &requests, keep_going, &stop);
            comparison.extend(of_policy);
        }
        say(&format!(
            "  {}: {} requests, {} violations",
            running.server.name, comparison.requests, comparison.violating
        ));
        comparison
    });

    say(&format!(
        "seed {seed}, {} lines of the corpus",
        corpus.inputs.len()
    ));
    table::show(&compared);
    let mut failures = Vec::new();
    for (running, comparison) in &compared {
        note_unanswered(running, comparison);
        failures.extend(comparison.findings.iter().map(ToString::to_string));
        if let Some(status) = running.process.ended() {
            let log = running.process.log();
            failures.push(format!("{} ended ({status}):\n{log}", running.server.name));
        }
    }
    failures.extend(gate.envoy.alarms());
    let listed = failures.join("\n  ");
    assert!(
        failures.is_empty(),
        "{} violations:\n  {listed}",
        failures.len()
    );
    let (passed, all) = compared.iter().fold((0, 0), |(passed, all), (_, one)| {
        (passed + one.passed, all + one.requests)
    });
    assert!(
        passed * 2 >= all,
        "only {passed} of {all} requests passed the filter"
    );
}

#[test]
fn every_model_predicts_what_its_server_serves() {
    let corpus = Corpus::read();
    let fleet = Fleet::shared();
    let agreements = for_each(&fleet, |_, running| {
        let model = models::of(&running.server.name);
        model.map(|model| models::agreement(running, model, &corpus))
    });
    let mut failures = Vec::new();
    for (running, agreement) in agreements {
        let name = &running.server.name;
        let Some(agreement) = agreement else {
            failures.push(format!(
                "{name} has no model in `MODELS` of fuzz/src/upstreams"
            ));
            continue;
        };
        say(&format!(
            "the model of {name}: {} paths, {} differences; {} predictions of what the server does not serve",
            agreement.compared,
            agreement.differences.len(),
            agreement.stricter.len()
        ));
        for line in agreement.stricter.iter().take(MOST_LINES) {
            say(&format!("    {line}"));
        }
        let differences = agreement.differences.iter();
        failures.extend(differences.map(|difference| format!("{name}: {difference}")));
    }
    let listed = failures.join("\n  ");
    assert!(
        failures.is_empty(),
        "{} failures:\n  {listed}",
        failures.len()
    );
}

/// Does the same for every server, several at a time; what came of it, in the order of the lists.
fn for_each<'f, T: Send>(
    fleet: &'f Fleet,
    one: impl Fn(usize, &'f Running) -> T + Sync,
) -> Vec<(&'f Running, T)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(running) = fleet.servers.get(place) else {
                        return;
                    };
                    let result = one(place, running);
                    done.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter()
        .map(|(place, result)| (&fleet.servers[place], result))
        .collect()
}

/// A server that gives no answer violates nothing; what it gave none to is printed.
fn note_unanswered(running: &Running, comparison: &Comparison) {
    let unanswered = &comparison.unanswered;
    if unanswered.is_empty() {
        return;
    }
    say(&format!(
        "{} gave no answer {} times, first:",
        running.server.name,
        unanswered.len()
    ));
    for line in unanswered.iter().take(MOST_LINES) {
        let line: String = line.chars().take(MOST_CHARACTERS).collect();
        say(&format!("    {line}"));
    }
}
