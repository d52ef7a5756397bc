//! Paths: nothing that the filter lets through is read by any server as what another rule is for.

use countersign::identity::Identity;
use countersign::plan::{Access, Https, Match, Mode, Policy, Rule, Rules, Stripped};
use countersign::request::RequestView;
use countersign::request::authority::Host;
use countersign::request::path::{Case, Pattern, Readings};

use super::random::Random;
use super::upstreams::{MODELS, REWRITES, SERVERS};

/// One pattern for each rule, in order.
const RULES: [&str; 9] = [
    "/admin/**",
    "/public/open",
    "/public/**",
    "/users/{id}",
    "/users/{id}/orders",
    "/a/b",
    "/{x}/a",
    "/a/{x}/**",
    "/b",
];

pub const PIECES: [&str; 40] = [
    "/", "/", "/", "/", "/", "a", "a", "b", "b", "admin", "public", "open", "users", "orders", ".",
    "..", "/..", "/../", "/./", "//", "%2e", "%2E%2e", "%2f", "%2F", "\\", "%5c", ";", ";x=1",
    "%3b", "..;", "%25", "%252e", "%252f", "%255c", "%25252f", "%61", "%2561", "%c3%a9", "%3f",
    "%20",
];

/// A path of a few of them.
pub fn random_path(random: &mut Random) -> String {
    let mut path = String::from("/");
    // A plausible beginning makes it likelier that something fits.
    path.push_str(random.pick(&["", "", "admin/", "public/", "users/", "users/a/", "a/"]));
    for _ in 0..random.below(9) {
        path.push_str(random.pick(&PIECES));
    }
    path
}

/// The rules, as the filter holds them.
pub fn policy() -> Policy {
    let mut rules = Rules::new(Case::Sensitive);
    for pattern in RULES {
        rules.push(Rule {
            name: pattern.to_owned(),
            matches: Match {
                paths: vec![Pattern::parse(pattern, Case::Sensitive).unwrap()],
                ..Match::default()
            },
            access: Access::Public,
            hides: false,
            networks: None,
        });
    }
    policy_of(rules)
}

/// A policy of these rules and nothing else.
pub fn policy_of(rules: Rules) -> Policy {
    Policy {
        providers: Vec::new(),
        places: Vec::new(),
        sources: Vec::new(),
        rules,
        default: Access::Public,
        mode: Mode::Enforce,
        https: Https::Optional,
        networks: None,
        throttle: None,
        identity: Identity::default(),
        stripped: Stripped::default(),
    }
}

/// A rule's name, and what it binds.
type Fit = Option<(String, Vec<(String, String)>)>;

/// What became of a path.
#[derive(PartialEq, Eq)]
pub enum Outcome {
    Refused,
    /// It was let through, by several readings or by one.
    Passed {
        is_plain: bool,
    },
}

/// Holds the filter's reading of a path against every server's.
///
/// # Errors
/// A server that reads it as what another rule is for.
pub fn check(policy: &Policy, path: &str) -> Result<Outcome, String> {
    let Ok(readings) = Readings::of_target(Some(path.as_bytes())) else {
        return Ok(Outcome::Refused);
    };
    let request = RequestView::new(Vec::new());
    let host = Host::parse(b"host").unwrap();
    let Ok(fit) = policy.rule_for(b"GET", &request, &readings, &host) else {
        return Ok(Outcome::Refused);
    };
    let own: Fit = fit.map(|fit| {
        let bound = fit.bound.as_slice().iter().copied();
        let bound = bound.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (fit.rule.name.clone(), bound.collect())
    });
    // Most rewrites leave most paths as they are.
    let mut known: Vec<String> = Vec::new();
    for (first_name, first) in REWRITES {
        for (second_name, second) in REWRITES {
            let rewritten = second(&first(path));
            if known.contains(&rewritten) {
                continue;
            }
            for (server_name, server) in SERVERS.iter().chain(MODELS) {
                let Some(segments) = server(&rewritten) else {
                    continue;
                };
                let other = first_fit(&segments);
                if other != own {
                    return Err(format!(
                        "{path}: judged as {own:?}; through {first_name}, {second_name}, {server_name} it is \
                         {segments:?}, which is {other:?}"
                    ));
                }
            }
            known.push(rewritten);
        }
    }
    let is_plain = readings.is_plain();
    Ok(Outcome::Passed { is_plain })
}

fn first_fit(segments: &[String]) -> Fit {
    RULES.iter().find_map(|pattern| {
        let bound = fits(pattern, segments)?;
        Some(((*pattern).to_owned(), bound))
    })
}

fn fits(pattern: &str, segments: &[String]) -> Option<Vec<(String, String)>> {
    let mut bound = Vec::new();
    let mut rest = segments.iter();
    for own in pattern.split('/').skip(1) {
        if own == "**" {
            return Some(bound);
        }
        let segment = rest.next()?;
        match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
            Some(name) => bound.push((name.to_owned(), segment.clone())),
            None if own != segment => return None,
            None => {}
        }
    }
    rest.next().is_none().then_some(bound)
}
