//! One server against what the filter lets pass to it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::answer::{Answer, Read};
use super::fleet::Running;
use super::gate::{Gate, Policy};
use super::input::{Caller, Input};
use super::judge::{Violation, judge};
use super::shrink::shrink;
use crate::support::client::Connection;

/// How many violations of one server are shrunk.
const MOST_SHRUNK: usize = 60;

/// What one server did.
#[derive(Default)]
pub struct Comparison {
    pub requests: usize,
    pub passed: usize,
    pub served: usize,
    /// How many requests showed a violation.
    pub violating: usize,
    /// The smallest for each kind of violation and each part of a request that brings it about.
    pub findings: Vec<Finding>,
    /// Requests to which the server gave no answer, or none that HTTP has.
    pub unanswered: Vec<String>,
}

/// A violation, and the smallest input that shows it.
pub struct Finding {
    pub violation: Violation,
    input: Input,
    caller: Caller,
    rule: String,
    read: Read,
    server: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.server, self.violation)?;
        writeln!(f, "      {}", self.input.of(self.caller))?;
        writeln!(f, "    passed under the rule `{}`", self.rule)?;
        write!(f, "    and was read as {}", self.read)
    }
}

/// Sends the requests to one server; ends at the first violation, unless it is to go on, and where another has ended.
pub fn compare(
    gate: &Gate,
    running: &Running,
    policy: Policy,
    requests: &[(Input, Caller)],
    keep_going: bool,
    stop: &AtomicBool,
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut observer = Observer {
        gate,
        running,
        connection: gate.connection(&running.server, policy),
    };
    for (input, caller) in requests {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = match observer.ask(input, *caller) {
            Ok(answer) => answer,
            Err(error) => {
                comparison.not_answered(&error.to_string(), input, *caller);
                continue;
            }
        };
        comparison.requests += 1;
        comparison.passed += usize::from(answer.passed());
        comparison.served += usize::from(answer.read.is_some());
        if answer.is_cut_off() {
            comparison.not_answered(answer.details(), input, *caller);
        }
        if let Some(status) = running.process.ended() {
            comparison.not_answered(&format!("the server ended ({status})"), input, *caller);
            break;
        }
        let Some(violation) = observer.judge(&answer, *caller) else {
            continue;
        };
        comparison.violating += 1;
        let is_known = comparison
            .findings
            .iter()
            .any(|finding| observer.explains(finding, violation, input, *caller));
        if !is_known && comparison.findings.len() < MOST_SHRUNK {
            let finding = observer.finding(violation, input, *caller);
            comparison.add(finding);
        }
        if !keep_going {
            stop.store(true, Ordering::Relaxed);
            break;
        }
    }
    comparison
}

impl Comparison {
    /// Adds what the same server did under another policy.
    pub fn extend(&mut self, other: Self) {
        self.requests += other.requests;
        self.passed += other.passed;
        self.served += other.served;
        self.violating += other.violating;
        self.findings.extend(other.findings);
        self.unanswered.extend(other.unanswered);
    }

    fn not_answered(&mut self, why: &str, input: &Input, caller: Caller) {
        self.unanswered
            .push(format!("{why}\n      {}", input.of(caller)));
    }

    fn add(&mut self, finding: Finding) {
        let same = self.findings.iter_mut().find(|known| {
            known.violation == finding.violation && known.input.cause() == finding.input.cause()
        });
        match same {
            None => self.findings.push(finding),
            Some(known) if finding.input.length() < known.input.length() => *known = finding,
            Some(_) => {}
        }
    }
}

struct Observer<'a> {
    gate: &'a Gate,
    running: &'a Running,
    connection: Connection,
}

impl Observer<'_> {
    fn ask(&mut self, input: &Input, caller: Caller) -> std::io::Result<Answer> {
        self.gate.ask(&mut self.connection, input, caller)
    }

    fn judge(&self, answer: &Answer, caller: Caller) -> Option<Violation> {
        judge(
            answer,
            caller,
            &self.gate.tokens,
            &self.running.server.reads,
        )
    }

    fn shows(&mut self, violation: Violation, input: &Input, caller: Caller) -> bool {
        let answer = self.ask(input, caller);
        answer.is_ok_and(|answer| self.judge(&answer, caller) == Some(violation))
    }

    /// Whether a violation is gone without the fields of a known one.
    fn explains(
        &mut self,
        known: &Finding,
        violation: Violation,
        input: &Input,
        caller: Caller,
    ) -> bool {
        let mut without = input.clone();
        without.fields.retain(|(name, _)| {
            let mut known = known.input.fields.iter();
            !known.any(|(own, _)| own.eq_ignore_ascii_case(name))
        });
        known.violation == violation
            && without.fields.len() < input.fields.len()
            && !self.shows(violation, &without, caller)
    }

    fn finding(&mut self, violation: Violation, input: &Input, caller: Caller) -> Finding {
        let smallest = shrink(input.clone(), |input| self.shows(violation, input, caller));
        let answer = self.ask(&smallest, caller);
        let answer = answer.expect("the server answers what it has answered");
        Finding {
            violation,
            rule: answer.rule.unwrap_or_default(),
            read: answer
                .read
                .unwrap_or_default()
                .with_names_of(&self.gate.tokens),
            input: smallest,
            caller,
            server: format!("{} {}", self.running.server.name, self.running.version),
        }
    }
}
