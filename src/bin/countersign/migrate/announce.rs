//! The report about a translated gate.

use std::fmt;

use super::access::Access;
use super::atom::Atom;
use super::divide::Rule;
use super::formula::Formula;
use super::gate::{Gate, Location, Provider};
use super::report::{Difference, GateReport, Note, Statuses};

const JWT_MISSING: &str = "Jwt is missing";
const RBAC_DENIED: &str = "RBAC: access denied";

/// The report about a gate and its rules.
pub fn report(gate: Gate, rules: &[Rule]) -> GateReport {
    let mut differences = Differences {
        list: gate.notes.differences.clone(),
    };
    differences.of_requests(&gate);
    differences.of_credentials(&gate);
    differences.of_rules(&gate, rules);
    let mut statuses: Vec<Statuses> = Vec::new();
    for difference in &differences.list {
        let pair = Statuses {
            old: difference.old.status,
            new: difference.new.status,
        };
        if pair.old != pair.new && !statuses.contains(&pair) {
            statuses.push(pair);
        }
    }
    statuses.sort_unstable();
    GateReport {
        name: gate.name,
        sources: gate.sources,
        equal: gate.notes.equal,
        differences: differences.list,
        lost: gate.notes.lost,
        statuses,
    }
}

struct Differences {
    list: Vec<Difference>,
}

impl Differences {
    fn add(&mut self, construct: &str, old: (u16, &str), new: (u16, &str), when: &str) {
        self.list
            .push(Difference::new(construct, "", old, new, when));
    }

    /// What Countersign does with every request.
    fn of_requests(&mut self, gate: &Gate) {
        let mut olds = vec![(200, "")];
        if gate.authentication != Formula::True {
            olds.push((401, missing(gate)));
        }
        // `jwt_authn` responds with 403 too, if a token is for another audience.
        if gate.access != Formula::True {
            olds.push((403, RBAC_DENIED));
        }
        for old in olds {
            self.add(
                "path",
                old,
                (400, "ambiguous_path"),
                "upstreams could read the path in several ways, and rules differ between them: `//`, `..`, `%2F`, `;`",
            );
            self.add(
                "request",
                old,
                (400, "invalid_request"),
                "the method is not in upper case, the host is invalid or sent twice, or a header that a rule matches is \
                 repeated",
            );
            self.add(
                "method",
                old,
                (405, "method_not_allowed"),
                "the method is TRACE",
            );
        }
    }

    fn of_credentials(&mut self, gate: &Gate) {
        let kinds = gate.providers.iter().map(|own| own.settings.0);
        // A certificate is not a credential that a challenge asks for.
        let kinds = kinds.filter(|kind| *kind != "mtls");
        let kinds: Vec<&str> = kinds.collect();
        let Some(construct) = kinds.first() else {
            return;
        };
        let missing = missing(gate);
        self.add(
            construct,
            (401, missing),
            (401, "unauthorized"),
            "there is no credential; no challenge has an `error`",
        );
        let olds = [(200, ""), (401, missing), (403, RBAC_DENIED)];
        for old in olds {
            self.add(
                construct,
                old,
                (400, "invalid_request"),
                "a credential is malformed, or the request has two credentials of one provider",
            );
        }
        if gate.providers.iter().any(fetches_keys) {
            for old in olds {
                self.add(
                    construct,
                    old,
                    (503, "temporarily_unavailable"),
                    "the keys of an issuer were never fetched",
                );
            }
        }
        let error = match *construct {
            "jwt" => "invalid_token",
            _ => "invalid_credentials",
        };
        for old in [(200, ""), (403, RBAC_DENIED)] {
            self.add(
                construct,
                old,
                (401, error),
                "the request has an invalid credential that the old filters did not verify, or that they ignored",
            );
        }
        self.add(
            construct,
            (401, missing),
            (403, "forbidden"),
            "a valid credential is of a provider that is not accepted on this path",
        );
        if kinds.contains(&"jwt") {
            self.of_tokens(gate);
        }
    }

    fn of_tokens(&mut self, gate: &Gate) {
        self.add(
            "jwt_authn",
            (401, "Jwt verification fails"),
            (401, "invalid_token"),
            "a token is invalid or expired; the body says why",
        );
        if gate.providers.iter().any(checks_audience) {
            self.add(
                "jwt_authn",
                (403, "Audiences in Jwt are not allowed"),
                (401, "invalid_token"),
                "a token is for another audience",
            );
        }
        let spelling =
            "a valid token follows its scheme in another case, such as `bearer` (RFC 9110 §11.1)";
        self.permits("jwt_authn", (401, JWT_MISSING), spelling);
        self.permits("jwt_authn", (403, RBAC_DENIED), spelling);
        self.add("jwt_authn", (200, ""), (403, "forbidden"), spelling);
        if gate.providers.iter().any(reads_whole_header) {
            self.permits(
                "from_headers",
                (401, "Jwt header is an invalid JSON"),
                "a valid token is in `authorization` after `Bearer`, where the old filter read the whole value",
            );
        }
        let reads_both = gate.providers.iter().any(|provider| {
            let has = |wanted: fn(&Location) -> bool| provider.locations.iter().any(wanted);
            has(|own| matches!(own, Location::Header(_)))
                && has(|own| matches!(own, Location::Cookie(_)))
        });
        if reads_both {
            self.permits(
                "from_cookies",
                (401, "Jwt verification fails"),
                "a valid token is in a header, and an invalid one in a cookie of the same provider: the cookie is not \
                 read, and the upstream does not receive it",
            );
        }
    }

    /// Adds requests that are permitted although they were denied.
    fn permits(&mut self, construct: &str, old: (u16, &str), when: &str) {
        self.add(construct, old, (200, ""), when);
        if let Some(last) = self.list.last_mut() {
            last.permits = true;
        }
    }

    fn of_rules(&mut self, gate: &Gate, rules: &[Rule]) {
        if gate.access != gate.authentication {
            self.add(
                "rbac",
                (403, RBAC_DENIED),
                (403, "forbidden"),
                "the caller is known, and is not permitted",
            );
        }
        let asks_for_credential =
            |rule: &Rule| matches!(rule.access, Access::Denied | Access::Required { .. });
        if gate.access != gate.authentication && rules.iter().any(asks_for_credential) {
            self.add(
                "rbac",
                (403, RBAC_DENIED),
                (401, "unauthorized"),
                "the request has no credential, and the rule requires one",
            );
        }
        let forbids = rules.is_empty() || rules.iter().any(|rule| rule.access == Access::Forbidden);
        if forbids && gate.authentication != Formula::True {
            self.add(
                "rbac",
                (401, missing(gate)),
                (403, "forbidden"),
                "the rule denies every request, also without a credential",
            );
        }
        let atoms = gate.access.atoms();
        if atoms.iter().any(|atom| matches!(atom, Atom::Network(_))) {
            let when = "the address of the client is an IPv4 address within IPv6 (`::ffff:10.1.2.3`), which is that IPv4 \
                        address now";
            self.permits("remote_ip", (403, RBAC_DENIED), when);
            self.add("remote_ip", (200, ""), (403, "forbidden"), when);
        }
        let looks_at_spelling = atoms
            .iter()
            .any(|atom| matches!(atom, Atom::Path(_) | Atom::Host(_)));
        let loses = !gate.notes.lost.is_empty();
        if looks_at_spelling || loses || atoms.iter().any(|atom| is_inexact(atom)) {
            let when = "the rule cannot tell the request from one that was denied: `/path/` from `/path`, `/apix` from \
                        `/api`, another case or port of a host, or what this report lists as not carried over";
            self.add("spelling", (200, ""), (401, "unauthorized"), when);
            self.add("spelling", (200, ""), (403, "forbidden"), when);
            if !gate.providers.is_empty() {
                self.add("spelling", (401, missing(gate)), (403, "forbidden"), when);
            }
        }
    }
}

/// The body of the response to a request without a credential.
fn missing(gate: &Gate) -> &'static str {
    match gate.providers.first().map(|own| own.settings.0) {
        Some("api_key") => "Client authentication failed.",
        Some("basic") => "User authentication failed.",
        _ => JWT_MISSING,
    }
}

/// Whether a provider reads a token in `authorization` without its scheme.
fn reads_whole_header(provider: &Provider) -> bool {
    let from = provider.settings.1.get("from");
    let mut entries = from
        .and_then(|from| from.as_sequence())
        .into_iter()
        .flatten();
    entries.any(|entry| {
        entry.get("header").and_then(|name| name.as_str()) == Some("authorization")
            && entry.get("scheme").is_none()
    })
}

fn checks_audience(provider: &Provider) -> bool {
    let audiences = provider.settings.1.get("audiences");
    audiences.is_some_and(serde_yaml_ng::Value::is_sequence)
}

fn fetches_keys(provider: &Provider) -> bool {
    let keys = provider.settings.1.get("jwks");
    keys.is_some_and(|keys| keys.get("remote").is_some())
}

/// Whether Countersign asks a narrower question than the atom.
fn is_inexact(atom: &Atom) -> bool {
    matches!(
        atom,
        Atom::Unknown(_) | Atom::Header(..) | Atom::HeaderPresent(_)
    )
}

/// For the comments above a configuration.
impl fmt::Display for GateReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "gate: {}", self.name)?;
        writeln!(formatter, "Translated from:")?;
        for source in &self.sources {
            writeln!(formatter, "  - {source}")?;
        }
        notes(formatter, "As before:", &self.equal)?;
        notes(
            formatter,
            "Not carried over. What it permitted is denied:",
            &self.lost,
        )?;
        if !self.differences.is_empty() {
            writeln!(formatter, "\nAnswers that differ:")?;
        }
        let mut rest: Vec<&Difference> = self.differences.iter().collect();
        while let Some(first) = rest.first().copied() {
            let is_like = |other: &&Difference| other.new == first.new && other.when == first.when;
            let olds = rest
                .iter()
                .copied()
                .filter(is_like)
                .map(|own| match own.old.status {
                    200 => "permitted".to_owned(),
                    status => format!("{status} {}", own.old.body),
                });
            let olds = olds.collect::<Vec<_>>().join(", ");
            let new = match first.new.status {
                200 => "permitted".to_owned(),
                status => format!("{status} {}", first.new.error),
            };
            writeln!(formatter, "  - {olds} → {new}: {}", first.when)?;
            rest.retain(|own| !is_like(own));
        }
        Ok(())
    }
}

/// A place without the keys above the filters of Envoy.
fn abbreviated(place: &str) -> String {
    let filters = place.find("http_filters[");
    let filters = filters.and_then(|index| place.get(index..));
    match (place.split_once(": "), filters) {
        (Some((file, _)), Some(filters)) => {
            format!("{file}: {}", filters.replacen(".typed_config", "", 1))
        }
        _ => place.to_owned(),
    }
}

fn notes(formatter: &mut fmt::Formatter<'_>, title: &str, notes: &[Note]) -> fmt::Result {
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(formatter, "\n{title}")?;
    for note in notes {
        match note.r#where.is_empty() {
            true => writeln!(formatter, "  - {}: {}", note.construct, note.text)?,
            false => writeln!(
                formatter,
                "  - {} ({}): {}",
                note.construct,
                abbreviated(&note.r#where),
                note.text
            )?,
        }
    }
    Ok(())
}
