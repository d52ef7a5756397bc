//! Compares how the filter and the servers of `upstreams` read a path: no server may read a forwarded path as one that
//! another rule matches.

use countersign::authorize::Requirements;
use countersign::authorize::{Access, Everywhere, Gate, Needs};
use countersign::identity::Identity;
use countersign::plan::{Match, Mode, Policy, Rule, Rules, Stripped};
use countersign::request::path::{Case, EncodedSlash, Pattern, Readings};
use countersign::request::{HttpsBy, RequestView};
use countersign::url::Host;

use super::random::Random;
use super::upstreams::{REWRITES, Reading, SERVERS, decoded_parameter, models};

/// The patterns of the rules, in order. Each rule has one.
const RULES: [&str; 11] = [
    "/admin/**",
    "/public/open",
    "/public/**",
    "/users/{id}:drop",
    "/users:drop",
    "/users/{id}",
    "/users/{id}/orders",
    "/a/b",
    "/{x}/a",
    "/a/{x}/**",
    "/b",
];

pub const PIECES: [&str; 48] = [
    "/", "/", "/", "/", "/", "a", "a", "b", "b", "admin", "public", "open", "users", "orders", ".",
    "..", "/..", "/../", "/./", "//", "%2e", "%2E%2e", "%2f", "%2F", "\\", "%5c", ";", ";x=1",
    "%3b", "..;", "%25", "%252e", "%252f", "%255c", "%25252f", "%61", "%2561", "%c3%a9", "%3f",
    "%20", "u@h", ":80", "B", "Admin", ":drop", ":drop", "%3adrop", ":d%72op",
];

/// A random path.
pub fn random_path(random: &mut Random) -> String {
    let mut path = String::from("/");
    // With a beginning of a rule, it is more likely that a rule matches.
    let beginnings = [
        "",
        "",
        "admin/",
        "public/",
        "users/",
        "users/a/",
        "users/a%2Fb",
        "a/",
        "/u@h",
    ];
    path.push_str(random.pick(&beginnings));
    for _ in 0..random.below(9) {
        path.push_str(random.pick(&PIECES));
    }
    path
}

/// The policies of the filter for upstreams that distinguish case, and for upstreams that ignore it.
pub struct Policies {
    sensitive: Policy,
    insensitive: Policy,
    /// The same as `sensitive`, for upstreams to which an encoded slash in a parameter is no separator.
    segment: Policy,
}

impl Policies {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            sensitive: policy(Case::Sensitive),
            insensitive: policy(Case::Insensitive),
            segment: Policy {
                encoded_slash: EncodedSlash::Segment,
                ..policy(Case::Sensitive)
            },
        }
    }
}

fn policy(case: Case) -> Policy {
    let mut rules = Rules::new(case);
    for (position, pattern) in RULES.into_iter().enumerate() {
        rules.push(Rule {
            position,
            name: pattern.to_owned(),
            matches: Match {
                paths: vec![Pattern::parse(pattern, case).unwrap()],
                ..Match::default()
            },
            access: Access::Public,
            hides: false,
            networks: None,
        });
    }
    policy_of(rules)
}

/// A policy with only these rules.
pub fn policy_of(rules: Rules) -> Policy {
    Policy {
        accepts_certificates: false,
        asks_for_proofs: false,
        providers: Vec::new(),
        locations: Vec::new(),
        replies: Vec::new(),
        sources: Vec::new(),
        servers: Vec::new(),
        rules,
        encoded_slash: EncodedSlash::Separator,
        default: Access::Public,
        require: Everywhere::default(),
        strangers: Gate {
            providers: Vec::new(),
            needs: Needs::One,
            choice: 0,
            number: 0,
            ignores_others: false,
            offers: Vec::new(),
            requirements: Requirements::default(),
        },
        mode: Mode::Enforce,
        requires_https: false,
        https_by: HttpsBy::Connection,
        networks: None,
        throttle: None,
        identity: Identity::default(),
        stripped: Stripped::default(),
    }
}

/// A rule's name, and the parameters that it binds. `None` if no rule matches.
type Found = Option<(String, Vec<(String, String)>)>;

/// What the filter does with a path.
#[derive(PartialEq, Eq)]
pub enum Outcome {
    /// It denies the path.
    Denied,
    /// It forwards the path. `is_plain` says whether the path has only one reading.
    Forwarded { is_plain: bool },
}

/// Compares the rule that the filter evaluates for a path with the rule that each server's reading matches.
///
/// # Errors
/// A server's reading matches another rule.
pub fn check(policies: &Policies, path: &str) -> Result<Outcome, String> {
    let Ok(readings) = Readings::of_target(Some(path.as_bytes())) else {
        return Ok(Outcome::Denied);
    };
    let insensitive = matched(&policies.insensitive, &readings);
    let sensitive = matched(&policies.sensitive, &readings);
    for (name, model) in models() {
        differs(&sensitive, &insensitive, model, path)
            .map_err(|read| format!("{path}: {name} {read}"))?;
    }
    if sensitive.is_none() {
        return Ok(Outcome::Denied);
    }
    // Most rewrites do not change most paths.
    let mut known: Vec<String> = Vec::new();
    for (first_name, first) in REWRITES {
        for (second_name, second) in REWRITES {
            let rewritten = second(&first(path));
            if known.contains(&rewritten) {
                continue;
            }
            for (server_name, server) in SERVERS {
                differs(&sensitive, &insensitive, *server, &rewritten).map_err(|read| {
                    format!("{path}: after {first_name} and {second_name}, {server_name} {read}")
                })?;
            }
            known.push(rewritten);
        }
    }
    let is_plain = readings.is_plain();
    Ok(Outcome::Forwarded { is_plain })
}

/// A character that no server treats in a special way, in place of an encoded slash that is no separator.
const KEPT_SLASH: char = '!';

/// Compares the rule that the filter evaluates, if an encoded slash in a parameter is no separator, with the rule that each
/// server's reading matches. Such a server reads the path as all others do, except for these slashes.
///
/// # Errors
/// A server's reading matches another rule.
pub fn check_segments(policies: &Policies, path: &str) -> Result<Outcome, String> {
    let Ok(readings) = Readings::of_target(Some(path.as_bytes())) else {
        return Ok(Outcome::Denied);
    };
    let own = matched(&policies.segment, &readings);
    let kept = with_kept_slashes(path);
    if kept == path {
        let expected = matched(&policies.sensitive, &readings);
        return match own == expected || own.is_none() {
            true => Ok(Outcome::Denied),
            false => Err(format!("{path}: {own:?} and not {expected:?}")),
        };
    }
    if own.is_none() {
        return Ok(Outcome::Denied);
    }
    for (first_name, first) in REWRITES {
        for (second_name, second) in REWRITES {
            let rewritten = second(&first(&kept));
            for (name, server) in SERVERS {
                let server = |path: &str| server(path).map(with_slashes);
                differs(&own, &None, server, &rewritten).map_err(|read| {
                    format!("{path}: after {first_name} and {second_name}, {name} {read}")
                })?;
            }
        }
    }
    Ok(Outcome::Forwarded { is_plain: false })
}

/// The path with [`KEPT_SLASH`] in place of the encoded slashes that a parameter binds.
fn with_kept_slashes(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let first = SERVERS.first().and_then(|(_, server)| server(path));
    let pattern = first.and_then(|first| first_match(&first));
    let pattern = pattern.map_or(String::new(), |(pattern, _)| pattern);
    let mut patterns = pattern.split('/');
    let segments = path.split('/').map(|segment| match patterns.next() {
        Some(own) if own.starts_with('{') => {
            let kept = segment.replace("%2f", &KEPT_SLASH.to_string());
            kept.replace("%2F", &KEPT_SLASH.to_string())
        }
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/") + query
}

fn with_slashes(mut reading: Reading) -> Reading {
    for segment in &mut reading.segments {
        segment.literal = segment.literal.replace(KEPT_SLASH, "/");
        let bound = segment.bound.take();
        segment.bound = bound.map(|bound| bound.replace(KEPT_SLASH, "/"));
    }
    reading
}

/// The rule that the filter evaluates. `None` if it denies the path.
fn matched(policy: &Policy, readings: &Readings<'_>) -> Option<Found> {
    let request = RequestView::new(Vec::new());
    let host = Host::parse(b"host").unwrap();
    let matched = policy.rule_for(b"GET", &request, readings, &host).ok()?;
    Some(matched.map(|matched| {
        let bound = matched.bound.as_slice().iter().copied();
        let bound = bound.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (matched.rule.name.clone(), bound.collect())
    }))
}

/// Compares the rule that the filter evaluates with the rule that a server's reading matches.
///
/// A reading that the filter leaves to the operator is not compared.
///
/// # Errors
/// The server's reading matches another rule.
fn differs(
    sensitive: &Option<Found>,
    insensitive: &Option<Found>,
    server: impl Fn(&str) -> Option<Reading>,
    path: &str,
) -> Result<(), String> {
    let Some(reading) = server(path).filter(|reading| !reading.is_left_to_operator) else {
        return Ok(());
    };
    let own = match reading.ignores_case {
        true => insensitive,
        false => sensitive,
    };
    let other = first_match(&reading);
    // A router that compares literals as sent does not match an escaped literal, and serves nothing.
    if other.is_none() && reading.is_as_sent() {
        return Ok(());
    }
    match own {
        Some(own) if !is_same(own, &other) => Err(format!(
            "reads {reading:?}, which matches {other:?}: the filter evaluates {own:?}"
        )),
        _ => Ok(()),
    }
}

/// Whether two readings match the same rule, and bind the same values. One of them can read a text as ISO 8859-1.
fn is_same(own: &Found, other: &Found) -> bool {
    let in_latin_1 = |text: &str| text.bytes().map(char::from).collect::<String>();
    match (own, other) {
        (Some((own_rule, own)), Some((rule, other))) => {
            let mut pairs = own.iter().zip(other);
            own_rule == rule
                && own.len() == other.len()
                && pairs.all(|((_, own), (_, other))| own == other || in_latin_1(own) == *other)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn first_match(reading: &Reading) -> Found {
    RULES.iter().find_map(|pattern| {
        let bound = bind(pattern, reading)?;
        Some(((*pattern).to_owned(), bound))
    })
}

/// The parameters that a pattern binds in a reading. `None` if it does not match.
fn bind(pattern: &str, reading: &Reading) -> Option<Vec<(String, String)>> {
    let mut bound = Vec::new();
    // A rule ignores one slash at the end.
    let mut rest = reading.without_last_slash().iter();
    for own in pattern.split('/').skip(1) {
        if own == "**" {
            return Some(bound);
        }
        let segment = rest.next()?;
        let parameter = own.strip_prefix('{').and_then(|own| own.split_once('}'));
        match parameter {
            Some((name, verb)) => {
                let value = segment.bound.as_ref()?;
                // A router compares the verb as it compares literals.
                let value = match verb.len() {
                    0 => value,
                    length => {
                        let begin = segment.literal.len().checked_sub(length)?;
                        let end = segment.literal.get(begin..)?;
                        let is_verb =
                            end == verb || reading.ignores_case && end.to_lowercase() == verb;
                        let is_match = is_verb && begin > 0;
                        is_match.then(|| value.get(..value.len() - length))??
                    }
                };
                let value = match reading.is_encoded {
                    true => decoded_parameter(value),
                    false => value.to_owned(),
                };
                bound.push((name.to_owned(), value));
            }
            None if !segment.is(own, reading.ignores_case) => return None,
            None => {}
        }
    }
    rest.next().is_none().then_some(bound)
}
