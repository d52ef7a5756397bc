//! Compares the index of the rules with a search of one rule after the other.

use countersign::authorize::Access;
use countersign::plan::{Match, Policy, Rule, Rules};
use countersign::reject::Reject;
use countersign::request::host::HostPattern;
use countersign::request::path::{Case, Pattern, Reading, Readings};
use countersign::request::{Field, RequestView};
use countersign::url::Host;

use super::paths::policy_of;
use super::random::Random;

const SEGMENTS: [&str; 6] = ["a", "b", "C", "{x}", "{y}", "{z}"];
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
const FIELDS: [(&str, &str); 4] = [("x-a", "1"), ("x-a", "2"), ("x-b", "1"), ("x-b", "2")];
const NAMES: [&str; 3] = ["one", "two", "three"];
const PATHS: [&str; 14] = [
    "/", "/a", "/a/", "/b", "/a/b", "/A/c", "/a/b/C", "/b/b/b/b", "/a//b", "/a/../b", "/a%2fb",
    "/a;b/b", "*", "/C",
];

/// A policy with random rules.
pub fn random_policy(random: &mut Random) -> Policy {
    let case = random.pick(&[Case::Sensitive, Case::Insensitive]);
    let mut rules = Rules::new(case);
    for number in 0..random.below(16) {
        rules.push(Rule {
            name: number.to_string(),
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
        headers: (0..random.below(3))
            .map(|_| random.pick(&FIELDS))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        routes: random_names(random),
        policies: random_names(random),
    }
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
    let request = RequestView::new(fields).on_route(Some(route), policies);
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
    'rules: for rule in rules.iter() {
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
        for (name, value) in &matches.headers {
            match request.field(name.as_bytes()) {
                Field::One(sent) if sent == value.as_bytes() => {}
                Field::None | Field::One(_) => continue 'rules,
                Field::Many => return Err(Reject::RepeatedField),
            }
        }
        let bound = pattern.iter().flat_map(|pattern| pattern.bind(reading));
        return Ok(Some((&rule.name, bound.collect())));
    }
    Ok(None)
}
