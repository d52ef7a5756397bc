//! Compares the index of the rules with a search of one rule after the other.

use countersign::authorize::Access;
use countersign::plan::{HeaderMatch, Match, Networks, Policy, Rule, Rules};
use countersign::reject::Reject;
use countersign::request::host::HostPattern;
use countersign::request::path::{Case, Pattern, Reading, Readings};
use countersign::request::{Field, RequestView};
use countersign::url::Host;

use super::paths::policy_of;
use super::random::Random;

const SEGMENTS: [&str; 9] = ["a", "b", "C", "{x}", "{y}", "{z}", "a:v", "{w}:v", "{w}:V"];
const HOSTS: [&str; 6] = [
    "a.example",
    "b.example",
    "x.a.example",
    "*.example",
    "*.a.example",
    "*.b.example",
];
const AUTHORITIES: [&str; 7] = [
    "a.example",
    "B.example:80",
    "x.a.example",
    "y.x.a.example",
    "example",
    ".example",
    "other",
];
const METHODS: [&str; 3] = ["GET", "HEAD", "PUT"];
const FIELDS: [(&str, &str); 6] = [
    ("x-a", "1"),
    ("x-a", "2"),
    ("x-a", "1, 2"),
    ("x-b", "1"),
    ("x-b", "2"),
    ("x-b", "2, 3"),
];
const NETWORKS: [&str; 4] = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "0.0.0.0/0"];
const CLIENTS: [&str; 5] = [
    "10.0.0.1",
    "10.1.0.1",
    "192.0.2.1",
    "2001:db8::1",
    "unknown",
];
const NAMES: [&str; 3] = ["one", "two", "three"];
const PATHS: [&str; 20] = [
    "/", "/a", "/a/", "/b", "/a/b", "/A/c", "/a/b/C", "/b/b/b/b", "/a//b", "/a/../b", "/a%2fb",
    "/a;b/b", "*", "/C", "/a:v", "/b/c:V/", "/:v", "/a/:v:v", "/a:v/b", "/a;b:v",
];

/// A policy with random rules.
pub fn random_policy(random: &mut Random) -> Policy {
    let case = random.pick(&[Case::Sensitive, Case::Insensitive]);
    let mut rules = Rules::new(case);
    for position in 0..random.below(16) {
        rules.push(Rule {
            position,
            name: position.to_string(),
            matches: random_match(random, case),
            access: Access::Public,
            hides: false,
            networks: None,
        });
    }
    policy_of(rules)
}

fn random_names(random: &mut Random) -> Vec<String> {
    let many = [0, 0, 0, 1, 2][random.below(5)];
    (0..many).map(|_| random.pick(&NAMES).to_owned()).collect()
}

fn random_match(random: &mut Random, case: Case) -> Match {
    let some = |random: &mut Random| [0, 0, 1, 1, 2, 3][random.below(6)];
    Match {
        paths: (0..some(random))
            .filter_map(|_| Pattern::parse(&random_pattern(random), case).ok())
            .collect(),
        methods: (0..random.below(2))
            .map(|_| random.pick(&METHODS).to_owned())
            .collect(),
        hosts: (0..some(random))
            .filter_map(|_| HostPattern::parse(random.pick(&HOSTS)))
            .collect(),
        headers: random_headers(random),
        routes: random_names(random),
        policies: random_names(random),
        networks: (random.below(4) == 0).then(|| random_networks(random)),
    }
}

/// Requirements of headers. As in a configuration, each name is there once.
fn random_headers(random: &mut Random) -> Vec<(String, HeaderMatch)> {
    let mut headers: Vec<(String, HeaderMatch)> = Vec::new();
    for _ in 0..random.below(3) {
        let (name, value) = random.pick(&FIELDS);
        let (_, other) = random.pick(&FIELDS);
        let own = match random.below(3) {
            0 => HeaderMatch::Absent,
            1 => HeaderMatch::OneOf(vec![value.to_owned()]),
            _ => HeaderMatch::OneOf(vec![value.to_owned(), other.to_owned()]),
        };
        if !headers.iter().any(|(known, _)| known == name) {
            headers.push((name.to_owned(), own));
        }
    }
    headers
}

fn random_networks(random: &mut Random) -> Networks {
    let mut networks = Networks::default();
    for list in [&mut networks.allow, &mut networks.deny] {
        for _ in 0..random.below(3) {
            list.push(random.pick(&NETWORKS).parse().unwrap());
        }
    }
    networks
}

fn random_pattern(random: &mut Random) -> String {
    let mut pattern = String::new();
    for _ in 0..random.below(4) {
        pattern.push('/');
        pattern.push_str(random.pick(&SEGMENTS));
    }
    if pattern.is_empty() || random.below(3) == 0 {
        pattern.push_str(random.pick(&["/", "/**"]));
    }
    pattern
}

/// Compares the index with the plain search for a random request. Returns whether a rule matches.
///
/// # Errors
/// The results differ.
pub fn check(policy: &Policy, random: &mut Random) -> Result<bool, String> {
    let path = random.pick(&PATHS);
    let authority = random.pick(&AUTHORITIES);
    let method = random.pick(&METHODS).as_bytes();
    let fields: Vec<_> = (0..random.below(4))
        .map(|_| random.pick(&FIELDS))
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect();
    let route = random.pick(&NAMES).as_bytes();
    let policies = (0..random.below(3))
        .map(|_| random.pick(&NAMES).as_bytes())
        .collect();
    let client = random.pick(&CLIENTS).parse().ok();
    let request = RequestView::new(fields)
        .on_route(Some(route), policies)
        .from_client(client);
    let Some(host) = Host::parse(authority.as_bytes()) else {
        return Ok(false);
    };
    let readings = Readings::of_target(Some(path.as_bytes())).unwrap();

    let plain =
        readings.agree(|reading| first_match(&policy.rules, method, &request, reading, &host));
    let found = policy.rule_for(method, &request, &readings, &host);
    let found = found
        .map(|matched| matched.map(|it| (it.rule.name.as_str(), it.bound.as_slice().to_vec())));
    if plain == found {
        Ok(found.is_ok_and(|found| found.is_some()))
    } else {
        Err(format!(
            "{method:?} {authority} {path}: the plain search finds {plain:?}, the index {found:?}: {:#?}",
            policy.rules
        ))
    }
}

/// Compares the rules that cover a random rule, as the index finds them, with the plain search.
///
/// # Errors
/// The results differ.
pub fn check_covering(policy: &Policy, random: &mut Random) -> Result<(), String> {
    let case = random.pick(&[Case::Sensitive, Case::Insensitive]);
    let narrow = random_match(random, case);
    let plain: Vec<usize> = policy
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.matches.covers(&narrow))
        .map(|(number, _)| number)
        .collect();
    let found: Vec<usize> = policy
        .rules
        .covering(&narrow)
        .map(|(number, _)| number)
        .collect();
    if plain == found {
        Ok(())
    } else {
        Err(format!(
            "{narrow:?}: the plain search finds {plain:?}, the index {found:?}"
        ))
    }
}

/// A rule's name, and the parameters that it binds.
type Found<'r> = Option<(&'r str, Vec<(&'r str, &'r str)>)>;

fn first_match<'r>(
    rules: &'r Rules,
    method: &[u8],
    request: &RequestView<'_>,
    reading: Reading<'r>,
    host: &Host<'_>,
) -> Result<Found<'r>, Reject> {
    // The header that an earlier rule could match.
    let mut in_doubt: Option<&str> = None;
    for rule in rules.iter() {
        let matches = &rule.matches;
        let has_method =
            |own: &String| own.as_bytes() == method || own == "GET" && method == b"HEAD";
        let pattern = matches
            .paths
            .iter()
            .find(|pattern| pattern.matches(reading));
        let is_match = (matches.methods.is_empty() || matches.methods.iter().any(has_method))
            && (matches.paths.is_empty() || pattern.is_some())
            && (matches.hosts.is_empty() || matches.hosts.iter().any(|own| own.matches(host)))
            && (matches.routes.is_empty()
                || matches
                    .routes
                    .iter()
                    .any(|own| Some(own.as_bytes()) == request.route()))
            && (matches.policies.is_empty()
                || request
                    .policies()
                    .iter()
                    .any(|policy| matches.policies.iter().any(|own| own.as_bytes() == *policy)));
        if !is_match {
            continue;
        }
        // A rule for networks matches an unknown address, so that no later rule decides.
        if let (Some(own), Some(client)) = (&matches.networks, request.client())
            && !own.admit(Some(client))
        {
            continue;
        }
        let of_header =
            |(name, own): &'r (String, HeaderMatch)| match (request.field(name.as_bytes()), own) {
                (Field::Many, _) => Err(name.as_str()),
                (Field::None, own) => Ok(*own == HeaderMatch::Absent),
                (Field::One(_), HeaderMatch::Absent) => Ok(false),
                (Field::One(sent), HeaderMatch::OneOf(values)) => {
                    let sent = std::str::from_utf8(sent).unwrap();
                    let has = |text: &str| values.iter().any(|value| value == text);
                    match has(sent) || !sent.split(", ").any(has) {
                        true => Ok(has(sent)),
                        false => Err(name.as_str()),
                    }
                }
            };
        let of_headers: Vec<_> = matches.headers.iter().map(of_header).collect();
        if of_headers.contains(&Ok(false)) {
            continue;
        }
        let doubts = of_headers
            .iter()
            .rev()
            .find_map(|of_header| of_header.err());
        match (doubts, in_doubt) {
            (Some(name), None) => {
                in_doubt = Some(name);
                continue;
            }
            (Some(name), Some(known)) if name == known => continue,
            (Some(_), Some(_)) => return Err(Reject::RepeatedField),
            (None, Some(known)) if !matches.headers.iter().any(|(name, _)| name == known) => {
                return Err(Reject::RepeatedField);
            }
            (None, _) => {}
        }
        let bound = pattern.iter().flat_map(|pattern| pattern.bind(reading));
        return Ok(Some((&rule.name, bound.collect())));
    }
    match in_doubt {
        Some(_) => Err(Reject::RepeatedField),
        None => Ok(None),
    }
}
