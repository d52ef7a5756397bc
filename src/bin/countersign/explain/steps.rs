//! Collects the steps of an evaluation: their words, and what was found.

use countersign::authorize::condition::OPERATIONS;
use countersign::authorize::lack::Lack;
use countersign::authorize::{Access, Needs};
use countersign::evaluate::{Step, Throttling, Trace};
use countersign::grammar::unprintable::escaped;
use countersign::plan::Policy;
use countersign::reject::{Invalid, LoginFault, ProofFault, Reject};
use countersign::request::RequestView;
use countersign::request::path::{Reading, Readings};
use countersign::time::Timestamp;

use super::finding::Finding;
use super::{credential, lack, reason, rules, token};

/// The most rules that do not match by their path, of which each has a line.
const RULES_SHOWN: usize = 20;

/// The steps of one evaluation.
pub struct Steps<'e> {
    policy: Option<&'e Policy>,
    request: &'e RequestView<'e>,
    now: Timestamp,
    /// The steps, in words.
    pub lines: Vec<String>,
    /// The earlier rules that do not match, each with the reason.
    pub rules: Vec<(String, Finding)>,
    /// Why the request is denied.
    pub findings: Vec<Finding>,
}

impl<'e> Steps<'e> {
    /// No steps yet. `lines` come before them.
    pub fn new(
        policy: Option<&'e Policy>,
        request: &'e RequestView<'e>,
        now: Timestamp,
        lines: Vec<String>,
    ) -> Self {
        Self {
            policy,
            request,
            now,
            lines,
            rules: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Adds the findings of one step before those of earlier steps: if a rule hides, the request is looked at twice, and the
    /// second time decides.
    fn find(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let new: Vec<Finding> = findings.into_iter().collect();
        let lines = new.iter().filter(|own| !self.findings.contains(own));
        self.lines.extend(lines.flat_map(Finding::lines));
        self.findings.retain(|known| !new.contains(known));
        self.findings.splice(..0, new);
    }

    /// Adds the finding of a denial that no step explains.
    pub fn explain(&mut self, reject: Reject, rule: Option<&str>, provider: Option<&str>) {
        // Only when the effects are committed, another request has used the same, or the failures are too many.
        let is_of_effects = matches!(
            reject,
            Reject::TooManyFailures { .. }
                | Reject::Proof(ProofFault::Replayed)
                | Reject::Invalid(Invalid::Login(LoginFault::Stale))
        );
        let is_unexplained = self.findings.is_empty() || is_of_effects;
        let Some(policy) = self.policy.filter(|_| is_unexplained) else {
            return;
        };
        let finding = reason::finding(reject, policy, rule, provider, self.request);
        self.find(finding);
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn add_rule(&mut self, name: &str, finding: Finding) {
        self.rules.push((name.to_owned(), finding));
    }

    /// A line for each rule that does not match. Of many rules that do not match the path, only their number.
    fn say_rules(&mut self) {
        let rules = std::mem::take(&mut self.rules);
        let is_by_path = |finding: &Finding| finding.kind == "path";
        let by_path = rules.iter().filter(|(_, own)| is_by_path(own)).count();
        let is_grouped = by_path > RULES_SHOWN;
        if is_grouped {
            self.say(format!("{by_path} rules do not match the path"));
        }
        for (name, finding) in &rules {
            if !(is_grouped && is_by_path(finding)) {
                self.say(format!("rule `{name}` does not match: {}", finding.message));
            }
        }
        self.rules = rules;
    }
}

impl Trace for Steps<'_> {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Read(readings) => self.say(read(readings)),
            Step::Route(request) => self.say(route(request)),
            Step::Rule {
                name,
                rules: all,
                sought,
            } => {
                let policy = self.policy;
                let is_secret = |name: &str| has_credentials(name, policy);
                for rule in all.iter().take_while(|rule| Some(rule.name.as_str()) != name) {
                    let own = &rule.matches;
                    let mismatch =
                        own.mismatch(sought.method, sought.request, sought.readings, sought.host);
                    if let Some(mismatch) = mismatch {
                        self.add_rule(&rule.name, rules::finding(own, &mismatch, &sought, &is_secret));
                    }
                }
                self.say_rules();
                match name {
                    Some(name) => self.say(format!("rule `{name}` matches")),
                    None => self.say("no rule matches: the default applies"),
                }
            }
            Step::KeepsSlashes => self.say(
                "`%2F` in a path parameter is a part of its value, because `encoded_slash` is `segment`",
            ),
            Step::Withheld(reject) => self.say(format!(
                "a rule with `on_forbidden: not_found` could match: the reason `{}` is not disclosed",
                reject.reason()
            )),
            Step::Requires(access) => self.say(format!("access: {}", access_in_words(access))),
            Step::Throttle(throttling) => self.say(throttle(throttling)),
            Step::Presents(Some(carrier)) => self.say(format!("the request has {carrier}")),
            Step::Presents(None) => self.say("the request has no credential"),
            Step::Ignored(cookie) => self.say(format!(
                "the cookie `{cookie}` is ignored and removed, because a header has a credential"
            )),
            Step::Verified {
                provider,
                principal,
            } => {
                let mut line = match principal.subject() {
                    Some(subject) => {
                        format!("provider `{provider}` verified subject `{}`", escaped(subject))
                    }
                    None => format!("provider `{provider}` verified a credential without a subject"),
                };
                for (kind, names) in [
                    ("scopes", principal.scopes()),
                    ("roles", principal.roles()),
                    ("groups", principal.groups()),
                ] {
                    let names: Vec<String> =
                        names.iter().map(|name| format!(" `{}`", escaped(name))).collect();
                    if !names.is_empty() {
                        line += &format!(", {kind}{}", names.concat());
                    }
                }
                self.say(line);
            }
            Step::Proven(by) => self.say(format!("the client has proved possession: {by}")),
            Step::Missing(provider) => self.find([Finding::new(
                "provider",
                provider,
                serde_json::Value::Null,
                format!("a credential of provider `{provider}` is missing"),
            )]),
            Step::Invalid(invalid) => {
                let finding = credential::finding(&invalid, self.request, self.now);
                self.find(finding);
            }
            Step::Unmet {
                everywhere,
                authentication_last,
                requirements,
                input,
            } => {
                if everywhere {
                    self.say("the caller does not meet the top-level `require`");
                }
                let mut lacks = requirements.lacks(input);
                if authentication_last {
                    lacks.sort_by_key(Lack::is_of_authentication);
                }
                if lacks.is_empty() {
                    // Each condition holds for itself.
                    let message = format!(
                        "the conditions of the request need more than {OPERATIONS} operations together"
                    );
                    self.find([token::fact("condition", message)]);
                }
                let findings = lack::findings(&lacks, input.principal, self.policy, self.now);
                self.find(findings);
            }
            Step::Condition { holds, spent } => {
                let result = match holds {
                    Some(true) => "is true",
                    Some(false) => "is false",
                    None => "failed: a value is missing, has another type or is too large",
                };
                self.say(format!(
                    "CEL condition {result} (operations: {spent} of {OPERATIONS})"
                ));
            }
        }
    }
}

/// Whether a header contains credentials, so that its value is not printed.
pub fn has_credentials(name: &str, policy: Option<&Policy>) -> bool {
    ["authorization", "proxy-authorization", "cookie", "dpop"].contains(&name)
        || policy.is_some_and(|policy| policy.stripped.credentials.have(name.as_bytes()))
}

fn read(readings: &Readings<'_>) -> String {
    let mut line = String::new();
    for (index, reading) in readings.iter().enumerate() {
        match index {
            0 if !reading.is_path() => line += "the request has no path",
            0 => line += &format!("the path is read as {}", shown(reading)),
            _ => line += &format!(", or as {}", shown(reading)),
        }
    }
    line
}

/// A reading as a path; a `/` inside a segment is printed as `%2F`.
fn shown(reading: Reading<'_>) -> String {
    let segments = reading
        .segments()
        .map(|segment| segment.replace('/', "%2F"));
    format!("`/{}`", segments.collect::<Vec<_>>().join("/"))
}

fn route(request: &RequestView<'_>) -> String {
    let mut line = match request.route().map(String::from_utf8_lossy) {
        Some(name) => format!("the route is `{name}`"),
        None => "the route has no name".to_owned(),
    };
    for (index, policy) in request.policies().iter().enumerate() {
        let before = if index == 0 { ", with policy" } else { " and" };
        line += &format!("{before} `{}`", String::from_utf8_lossy(policy));
    }
    line
}

fn throttle(throttling: Throttling) -> String {
    match throttling {
        Throttling::Exempt => "throttle: the client address is exempt".to_owned(),
        Throttling::NotBlocked { callers: 0 } => {
            "throttle: not blocked, because the request has no address or user to count failures for".to_owned()
        }
        Throttling::NotBlocked { .. } => "throttle: not blocked".to_owned(),
        Throttling::Blocked(seconds) => {
            format!("throttle: blocked for {seconds} s after too many failures")
        }
    }
}

fn access_in_words(access: &Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Respond(_) => "fixed response",
        Access::Optional(_) => "a credential is optional, but an invalid one is denied",
        Access::Required(gate) => match gate.needs {
            Needs::One => "a credential is required",
            Needs::Each => "a credential of each provider of `require_all` is required",
        },
        Access::Closed(_) => "denied for every caller",
    }
}
