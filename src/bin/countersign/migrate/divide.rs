//! A formula → a list of rules, of which the first that matches decides.
//!
//! The paths are divided first, by the patterns that the formula asks about. Then each part is divided by networks, hosts,
//! methods and, where requests without a credential can pass, headers. In each part, what cannot be told apart counts as
//! [`Known::Mixed`], which never permits more.

use super::access::{Access, access};
use super::assume::Assumed;
use super::atom::{Atom, How, Text};
use super::formula::{Formula, Known};
use super::gate::Gate;
use super::pattern::Pattern;

/// The most rules into which the requests for one pattern are divided.
const PARTS_MAX: usize = 48;

/// A rule of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The paths.
    pub paths: Vec<Pattern>,
    /// What else it matches.
    pub matches: Matches,
    /// What it requires.
    pub access: Access,
}

/// What a rule matches besides its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// Methods.
    pub methods: Vec<String>,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Headers; none is an absent one.
    pub headers: Vec<(String, Option<String>)>,
    /// A network.
    pub network: Option<String>,
}

/// The condition of a part: when a request passes the authentication, and when it is permitted.
#[derive(Clone, PartialEq, Eq)]
struct Part {
    authentication: Formula,
    access: Formula,
}

impl Part {
    fn given(&self, known: &dyn Fn(&Atom) -> Option<Known>) -> Self {
        Self {
            authentication: self.authentication.given(known),
            access: self.access.given(known),
        }
    }
}

/// The rules of each pattern of a gate, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Groups(Vec<(Pattern, Vec<Rule>)>);

impl Groups {
    /// The rules of a gate.
    pub fn of(gate: &Gate, assumed: Assumed) -> Self {
        Self(groups(gate, assumed))
    }

    /// The patterns at which other rules of the same gate differ, in order.
    pub fn differing<'g>(&'g self, other: &'g Self) -> impl Iterator<Item = &'g Pattern> {
        let pairs = self.0.iter().zip(&other.0);
        let differing = pairs.filter(|(own, other)| own != other);
        differing.map(|((pattern, _), _)| pattern)
    }

    /// The rules, without superfluous ones.
    pub fn into_rules(self, gate: &Gate) -> Vec<Rule> {
        let Self(mut groups) = self;
        without_repetitions(&mut groups);
        let patterns: Vec<Pattern> = groups.iter().map(|(pattern, _)| pattern.clone()).collect();
        let mut rules: Vec<Rule> = groups.into_iter().flat_map(|(_, rules)| rules).collect();
        if !gate.is_normalized {
            for rule in &mut rules {
                let paths = rule.paths.iter();
                rule.paths = paths.flat_map(|own| own.with_shadows(&patterns)).collect();
            }
        }
        join_neighbours(rules)
    }
}

/// The rules for each pattern, in order.
fn groups(gate: &Gate, assumed: Assumed) -> Vec<(Pattern, Vec<Rule>)> {
    let mut patterns = patterns(&gate.access);
    patterns.push(Pattern::EVERY);
    let whole = Part {
        authentication: gate.authentication.clone(),
        access: gate.access.clone(),
    };
    let of_pattern = |(number, pattern): (usize, &Pattern)| {
        let earlier = patterns.get(..number).unwrap_or_default();
        let part = whole.given(&|atom| match atom {
            Atom::Path(test) => match pattern.answers(test, earlier, assumed) {
                Known::Mixed => None,
                known => Some(known),
            },
            Atom::OrdinaryPath => assumed.segments.then_some(Known::True),
            _ => None,
        });
        let part = Part {
            authentication: part.authentication.without_choices(),
            access: part.access.without_choices(),
        };
        let mut parts = Vec::new();
        Divider { gate, assumed }.divide(&part, Matches::default(), &mut parts);
        if parts.len() > PARTS_MAX {
            parts = vec![(
                Matches::default(),
                Access::denied(gate, &part.authentication),
            )];
        }
        let rules = parts.into_iter().map(|(matches, access)| Rule {
            paths: vec![pattern.clone()],
            matches,
            access,
        });
        (pattern.clone(), rules.collect())
    };
    patterns.iter().enumerate().map(of_pattern).collect()
}

/// The patterns that divide the paths, each before those that cover it.
fn patterns(formula: &Formula) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for atom in formula.atoms() {
        if let Atom::Path(test) = atom {
            for pattern in Pattern::that_divide(test) {
                if !patterns.contains(&pattern) && pattern != Pattern::EVERY {
                    patterns.push(pattern);
                }
            }
        }
    }
    patterns.sort_by_key(Pattern::rank);
    patterns
}

/// Removes the rules of a pattern if the next pattern that overlaps it covers it, and has the same rules.
fn without_repetitions(groups: &mut Vec<(Pattern, Vec<Rule>)>) {
    let same = |one: &[Rule], two: &[Rule]| {
        one.len() == two.len()
            && one
                .iter()
                .zip(two)
                .all(|(one, two)| one.matches == two.matches && one.access == two.access)
    };
    let mut number = groups.len();
    while number > 0 {
        number -= 1;
        let (before, after) = groups.split_at(number + 1);
        let Some((own, rules)) = before.last() else {
            continue;
        };
        let next = after.iter().find(|(other, _)| own.overlaps(other));
        if next.is_some_and(|(other, others)| other.covers(own) && same(rules, others)) {
            groups.remove(number);
        }
    }
}

/// Joins neighbours that differ only in their paths.
fn join_neighbours(rules: Vec<Rule>) -> Vec<Rule> {
    let mut joined: Vec<Rule> = Vec::new();
    for rule in rules {
        match joined.last_mut() {
            Some(last) if last.matches == rule.matches && last.access == rule.access => {
                last.paths.extend(rule.paths);
            }
            _ => joined.push(rule),
        }
    }
    joined
}

#[derive(Clone, Copy)]
struct Divider<'g> {
    gate: &'g Gate,
    assumed: Assumed,
}

impl Divider<'_> {
    fn divide(self, part: &Part, matches: Matches, parts: &mut Vec<(Matches, Access)>) {
        if parts.len() > PARTS_MAX {
            return;
        }
        let first = parts.len();
        let divided = self.by_network(part, &matches, parts)
            || self.by_host(part, &matches, parts)
            || self.by_method(part, &matches, parts)
            || self.by_header(part, &matches, parts);
        if !divided {
            let access = access(self.gate, self.assumed, &part.authentication, &part.access);
            parts.push((matches, access));
            return;
        }
        // The last rule matches all requests of this part. Rules before it that require the same are superfluous.
        let Some((_, last)) = parts.last().filter(|(own, _)| *own == matches).cloned() else {
            return;
        };
        while let Some(before) = parts.len().checked_sub(2).filter(|before| *before >= first) {
            match parts.get(before) {
                Some((_, access)) if *access == last => drop(parts.remove(before)),
                _ => break,
            }
        }
    }

    fn by_network(
        self,
        part: &Part,
        matches: &Matches,
        parts: &mut Vec<(Matches, Access)>,
    ) -> bool {
        let atoms = part.access.atoms();
        let networks = atoms.iter().filter_map(|atom| match atom {
            Atom::Network(network) => Some(*network),
            _ => None,
        });
        // Two networks are disjoint, or one contains the other.
        let Some(narrowest) = networks.max_by_key(ipnet::IpNet::prefix_len) else {
            return false;
        };
        let within = part.given(&|atom| match atom {
            Atom::Network(other) => Some(other.contains(&narrowest).into()),
            _ => None,
        });
        let narrowed = Matches {
            network: Some(narrowest.to_string()),
            ..matches.clone()
        };
        self.divide(&within, narrowed, parts);
        let outside = part.given(&|atom| match atom {
            Atom::Network(other) if *other == narrowest => Some(Known::False),
            _ => None,
        });
        self.divide(&outside, matches.clone(), parts);
        true
    }

    fn by_host(self, part: &Part, matches: &Matches, parts: &mut Vec<(Matches, Access)>) -> bool {
        let atoms = part.access.atoms();
        let hosts = atoms.iter().filter_map(|atom| match atom {
            Atom::Host(text) => Some((text, host_pattern(text)?)),
            _ => None,
        });
        // An exact host is before the domains above it, and a longer domain before a shorter one.
        let first = hosts.max_by_key(|(_, pattern)| (!pattern.starts_with("*."), pattern.len()));
        let Some((_, pattern)) = first else {
            return false;
        };
        let yes = match self.assumed.hosts {
            true => Known::True,
            false => Known::Mixed,
        };
        let within = part.given(&|atom| match atom {
            Atom::Host(other) => {
                let other = host_pattern(other)?;
                let domain = other.strip_prefix('*');
                let is_within = other == pattern
                    || domain
                        .is_some_and(|domain| pattern.trim_start_matches('*').ends_with(domain));
                Some(if is_within { yes } else { Known::False })
            }
            _ => None,
        });
        let narrowed = Matches {
            hosts: vec![pattern.clone()],
            ..matches.clone()
        };
        self.divide(&within, narrowed, parts);
        let outside = part.given(&|atom| match atom {
            Atom::Host(other) => (host_pattern(other)? == pattern).then_some(Known::False),
            _ => None,
        });
        self.divide(&outside, matches.clone(), parts);
        true
    }

    fn by_method(self, part: &Part, matches: &Matches, parts: &mut Vec<(Matches, Access)>) -> bool {
        let atoms = part.access.atoms();
        let mut methods: Vec<&str> = Vec::new();
        for atom in &atoms {
            if let Atom::Method(name) = atom
                && is_method(name)
            {
                methods.push(name);
            }
        }
        let asks = atoms.iter().any(|atom| matches!(atom, Atom::Method(_)));
        if !asks {
            return false;
        }
        methods.sort_unstable();
        // In a rule, GET matches HEAD too. So HEAD comes first.
        if methods.contains(&"GET") || methods.contains(&"HEAD") {
            methods.retain(|name| *name != "HEAD");
            methods.insert(0, "HEAD");
        }
        let of = |method: Option<&str>| {
            part.given(&|atom| match atom {
                Atom::Method(name) => Some((Some(name.as_str()) == method).into()),
                _ => None,
            })
        };
        let mut groups: Vec<(Vec<String>, Part)> = Vec::new();
        for method in methods {
            let own = of(Some(method));
            match groups.iter_mut().find(|(_, other)| *other == own) {
                Some((names, _)) => names.push(method.to_owned()),
                None => groups.push((vec![method.to_owned()], own)),
            }
        }
        for (mut names, own) in groups {
            if names.iter().any(|name| name == "GET") {
                names.retain(|name| name != "HEAD");
            }
            let narrowed = Matches {
                methods: names,
                ..matches.clone()
            };
            self.divide(&own, narrowed, parts);
        }
        self.divide(&of(None), matches.clone(), parts);
        true
    }

    /// Divides by a header if requests without a credential can pass.
    fn by_header(self, part: &Part, matches: &Matches, parts: &mut Vec<(Matches, Access)>) -> bool {
        let anonymous = part.access.given(&|atom| match atom {
            Atom::Verified(_) | Atom::Subject(..) | Atom::Claim { .. } => Some(Known::False),
            Atom::NoToken(_) => Some(Known::True),
            _ => None,
        });
        let atoms = anonymous.atoms();
        let value = atoms.iter().find_map(|atom| match atom {
            Atom::Header(name, text) if can_match(name, Some(text)) => Some((name, &text.text)),
            _ => None,
        });
        if let Some((name, value)) = value {
            let within = part.given(&|atom| match atom {
                Atom::HeaderPresent(other) if other == name => Some(Known::True),
                Atom::Header(other, text) if other == name => Some(text.matches(value).into()),
                _ => None,
            });
            let mut narrowed = matches.clone();
            narrowed.headers.push((name.clone(), Some(value.clone())));
            self.divide(&within, narrowed, parts);
            let outside = part.given(&|atom| match atom {
                Atom::Header(other, text)
                    if other == name
                        && text.how == How::Exact
                        && !text.ignores_case
                        && text.text == *value =>
                {
                    Some(Known::False)
                }
                _ => None,
            });
            self.divide(&outside, matches.clone(), parts);
            return true;
        }
        let present = atoms.iter().find_map(|atom| match atom {
            Atom::HeaderPresent(name) if can_match(name, None) => Some(name),
            _ => None,
        });
        let Some(name) = present else {
            return false;
        };
        let without = part.given(&|atom| match atom {
            Atom::HeaderPresent(other) | Atom::Header(other, _) if other == name => {
                Some(Known::False)
            }
            _ => None,
        });
        let mut narrowed = matches.clone();
        narrowed.headers.push((name.clone(), None));
        self.divide(&without, narrowed, parts);
        let with = part.given(&|atom| match atom {
            Atom::HeaderPresent(other) if other == name => Some(Known::True),
            _ => None,
        });
        self.divide(&with, matches.clone(), parts);
        true
    }
}

/// The pattern of Countersign for a test of the authority, which has no port.
fn host_pattern(text: &Text) -> Option<String> {
    let host = text.text.to_lowercase();
    let pattern = match text.how {
        How::Exact => match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
            _ => host,
        },
        // Any port.
        How::Prefix => host.strip_suffix(':')?.to_owned(),
        How::Suffix if host.starts_with('.') => format!("*{host}"),
        How::Suffix | How::Contains | How::NotEmpty => return None,
    };
    let name = pattern.strip_prefix("*.").unwrap_or(&pattern);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_host = !name.is_empty()
        && name.bytes().all(is_name)
        && name.split('.').all(|label| !label.is_empty());
    is_host.then_some(pattern)
}

/// Whether a rule can match a method. The filter denies TRACE, and methods that are not in upper case.
fn is_method(name: &str) -> bool {
    !name.is_empty()
        && name != "TRACE"
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

/// Whether a rule can match this header, or its absence.
fn can_match(name: &str, value: Option<&Text>) -> bool {
    let is_value = value.is_none_or(|text| {
        let is_ordinary = |byte: u8| byte.is_ascii_graphic() && !b"*,".contains(&byte);
        text.how == How::Exact
            && !text.ignores_case
            && !text.text.is_empty()
            && text.text.bytes().all(is_ordinary)
    });
    is_value && name != "host" && !name.starts_with(':')
}
