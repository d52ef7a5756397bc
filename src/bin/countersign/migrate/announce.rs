//! The report about a translated gate.

use std::fmt;

use super::access::Access;
use super::assume::Assumed;
use super::atom::Atom;
use super::divide::Rule;
use super::formula::Formula;
use super::gate::Gate;
use super::report::{Difference, GateReport, NewAnswer, Note, OldAnswer, Statuses};

const JWT_MISSING: &str = "Jwt is missing";
const RBAC_DENIED: &str = "RBAC: access denied";

/// The report about a gate and its rules.
pub fn report(gate: Gate, rules: &[Rule], assumed: Assumed) -> GateReport {
    let mut differences = Differences {
        list: gate.notes.differences.clone(),
    };
    differences.of_requests(&gate);
    differences.of_credentials(&gate);
    differences.of_rules(&gate, rules, assumed);
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
        self.list.push(Difference {
            construct: construct.to_owned(),
            r#where: String::new(),
            old: OldAnswer {
                status: old.0,
                body: old.1.to_owned(),
            },
            new: NewAnswer {
                status: new.0,
                error: new.1.to_owned(),
            },
            when: when.to_owned(),
            permits: false,
        });
    }

    /// What Countersign does with every request.
    fn of_requests(&mut self, gate: &Gate) {
        let mut olds = vec![(200, "")];
        if gate.authentication != Formula::True {
            olds.push((401, JWT_MISSING));
        }
        if gate.access != gate.authentication {
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
        if gate.providers.is_empty() {
            return;
        }
        self.add(
            "jwt_authn",
            (401, JWT_MISSING),
            (401, "unauthorized"),
            "there is no credential; the challenge has no `error`",
        );
        self.add(
            "jwt_authn",
            (401, "Jwt verification fails"),
            (401, "invalid_token"),
            "a token is invalid or expired; the body says why",
        );
        self.add(
            "jwt_authn",
            (403, "Audiences in Jwt are not allowed"),
            (401, "invalid_token"),
            "a token is for another audience",
        );
        for old in [(200, ""), (401, JWT_MISSING), (403, RBAC_DENIED)] {
            self.add(
                "jwt_authn",
                old,
                (400, "invalid_request"),
                "a credential is malformed, or the request has two credentials of one provider",
            );
            self.add(
                "jwt_authn",
                old,
                (503, "temporarily_unavailable"),
                "the keys of an issuer were never fetched",
            );
        }
        self.add(
            "jwt_authn",
            (200, ""),
            (401, "invalid_token"),
            "the request has an invalid token that the old filters did not verify on this path, or that they ignored",
        );
        self.add(
            "jwt_authn",
            (403, RBAC_DENIED),
            (401, "invalid_token"),
            "the request has an invalid token that the old filters did not verify on this path, or that they ignored",
        );
        self.add(
            "jwt_authn",
            (401, JWT_MISSING),
            (403, "forbidden"),
            "a valid credential is of a provider that is not accepted on this path",
        );
        self.list.push(Difference {
            construct: "jwt_authn".to_owned(),
            r#where: String::new(),
            old: OldAnswer {
                status: 401,
                body: JWT_MISSING.to_owned(),
            },
            new: NewAnswer {
                status: 200,
                error: String::new(),
            },
            when: "a valid token follows its scheme in another case, such as `bearer` (RFC 9110 §11.1)".to_owned(),
            permits: true,
        });
    }

    fn of_rules(&mut self, gate: &Gate, rules: &[Rule], assumed: Assumed) {
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
                (401, JWT_MISSING),
                (403, "forbidden"),
                "the rule denies every request, also without a credential",
            );
        }
        let atoms = gate.access.atoms();
        let looks_at_spelling = atoms.iter().any(|atom| {
            matches!(atom, Atom::Path(_)) && !(assumed.trailing_slash && assumed.segments)
                || matches!(atom, Atom::Host(_)) && !assumed.hosts
        });
        let loses = !gate.notes.lost.is_empty();
        if looks_at_spelling || loses || atoms.iter().any(|atom| is_inexact(atom)) {
            let when = "the rule cannot tell the request from one that was denied: `/path/` from `/path`, `/apix` from \
                        `/api`, another case or port of a host, or what this report lists as not carried over";
            self.add("spelling", (200, ""), (401, "unauthorized"), when);
            self.add("spelling", (200, ""), (403, "forbidden"), when);
            if !gate.providers.is_empty() {
                self.add("spelling", (401, JWT_MISSING), (403, "forbidden"), when);
            }
        }
    }
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
                note.construct, note.r#where, note.text
            )?,
        }
    }
    Ok(())
}
