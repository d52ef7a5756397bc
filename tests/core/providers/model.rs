//! What the documentation says of providers side by side. It is written from the decision table, not from the filter.

use std::collections::BTreeSet;

/// The kinds of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Jwt,
    Introspection { accepts_jwt: bool },
    ApiKey,
    Basic,
}

/// Where credentials may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// `Authorization`, after `Bearer`.
    Bearer,
    /// `Authorization`, after `Token`.
    Token,
    /// `Authorization`, after `Basic`.
    Basic,
    TokenHeader,
    TokenQuery,
    TokenCookie,
    KeyHeader,
    OtherKeyHeader,
    KeyQuery,
    KeyCookie,
}

/// The part of a request that a slot is in. A request has at most one credential in each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Header(&'static str),
    Query(&'static str),
    Cookie(&'static str),
}

impl Slot {
    /// The slots of tokens.
    pub const OF_TOKENS: [Self; 5] = [
        Self::Bearer,
        Self::Token,
        Self::TokenHeader,
        Self::TokenQuery,
        Self::TokenCookie,
    ];

    /// The slots of API keys.
    pub const OF_KEYS: [Self; 4] = [
        Self::KeyHeader,
        Self::OtherKeyHeader,
        Self::KeyQuery,
        Self::KeyCookie,
    ];

    pub fn part(self) -> Part {
        match self {
            Self::Bearer | Self::Token | Self::Basic => Part::Header("authorization"),
            Self::TokenHeader => Part::Header("x-token"),
            Self::TokenQuery => Part::Query("access_token"),
            Self::TokenCookie => Part::Cookie("session"),
            Self::KeyHeader => Part::Header("x-api-key"),
            Self::OtherKeyHeader => Part::Header("x-other-key"),
            Self::KeyQuery => Part::Query("api_key"),
            Self::KeyCookie => Part::Cookie("key"),
        }
    }

    /// The scheme before the credential.
    pub fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Bearer => Some("Bearer"),
            Self::Token => Some("Token"),
            Self::Basic => Some("Basic"),
            _ => None,
        }
    }

    fn is_header(self) -> bool {
        matches!(self.part(), Part::Header(_))
    }

    pub fn is_cookie(self) -> bool {
        matches!(self.part(), Part::Cookie(_))
    }

    /// Whether its credentials are of a scheme without errors: a malformed one is denied as a wrong one is.
    fn is_plain(self) -> bool {
        self == Self::Basic || Self::OF_KEYS.contains(&self)
    }
}

/// A provider.
#[derive(Debug, Clone)]
pub struct Provider {
    pub kind: Kind,
    pub from: Vec<Slot>,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// A credential of the kind of this provider, which is valid or not.
    Of(usize, bool),
    /// A JSON Web Token of an issuer that no provider has.
    Stranger,
    /// Not a credential by any grammar.
    Broken,
}

/// A credential in a request.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub slot: Slot,
    pub text: Text,
    /// Whether it is there twice.
    pub is_doubled: bool,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The accepted providers: in the order of `require_all`, otherwise in the order of the configuration.
    pub accepted: Vec<usize>,
    pub needs_each: bool,
    pub is_optional: bool,
    pub ignores_others: bool,
    /// Whether no request passes (`default: deny`).
    pub is_closed: bool,
}

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The request passes, with this caller. The cookies that are removed, in addition to the tokens of the query.
    Passes(Option<usize>, Vec<Slot>),
    /// An error, and the challenges.
    Denied(u16, &'static str, Vec<String>),
    /// 400. The schemes that may be challenged.
    Malformed(BTreeSet<&'static str>),
}

/// What a 401 can offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offer {
    scheme: &'static str,
    /// The part of an API key.
    part: Option<Part>,
    /// Whether clients cannot use the scheme, because the token is elsewhere.
    is_elsewhere: bool,
}

impl Offer {
    fn challenge(self, has_error: bool) -> String {
        let Self { scheme, part, .. } = self;
        match part {
            Some(part) => {
                let (part, name) = match part {
                    Part::Header(name) => ("header", name),
                    Part::Query(name) => ("query", name),
                    Part::Cookie(name) => ("cookie", name),
                };
                format!(r#"{scheme} realm="api", in="{part}", name="{name}""#)
            }
            None if scheme == "Basic" => format!(r#"{scheme} realm="api", charset="UTF-8""#),
            None if has_error => format!(r#"{scheme} realm="api", error="invalid_token""#),
            None => format!(r#"{scheme} realm="api""#),
        }
    }

    /// Only the schemes of OAuth have errors.
    fn has_errors(self) -> bool {
        self.part.is_none() && self.scheme != "Basic"
    }
}

impl Provider {
    fn offers(&self) -> Vec<Offer> {
        if self.kind == Kind::ApiKey {
            return vec![Offer {
                scheme: "ApiKey",
                part: Some(self.from[0].part()),
                is_elsewhere: false,
            }];
        }
        let schemes = self.from.iter().filter_map(|slot| slot.scheme());
        let offer = |scheme, is_elsewhere| Offer {
            scheme,
            part: None,
            is_elsewhere,
        };
        let own: Vec<Offer> = schemes.map(|scheme| offer(scheme, false)).collect();
        if own.is_empty() {
            return vec![offer("Bearer", true)];
        }
        own
    }

    /// Whether it could verify such a credential, which it would first have to recognize.
    fn recognizes(&self, number: usize, text: Text, providers: &[Self]) -> bool {
        let is_jwt = match text {
            Text::Stranger => true,
            Text::Of(of, _) => providers[of].kind == Kind::Jwt,
            Text::Broken => return false,
        };
        match self.kind {
            Kind::Jwt => matches!(text, Text::Of(of, _) if of == number),
            // A JSON Web Token of a provider is never introspected, wherever it is.
            Kind::Introspection { accepts_jwt } => !is_jwt || accepts_jwt && text == Text::Stranger,
            Kind::ApiKey => true,
            Kind::Basic => matches!(text, Text::Of(of, _) if providers[of].kind == Kind::Basic),
        }
    }
}

/// Requests under a rule.
pub struct Model<'m> {
    pub providers: &'m [Provider],
    pub rule: &'m Rule,
}

impl Model<'_> {
    /// Every answer that is right. Where several credentials are invalid, the answer may be about any of them.
    pub fn answers(&self, shown: &[Shown]) -> Vec<Answer> {
        let read = shown.iter().copied().filter(|one| self.is_read(one.slot));
        let read: Vec<Shown> = read.collect();
        // Two `Authorization` headers are malformed, whatever their scheme.
        let is_repeated = |one: &&Shown| {
            let of_part = [Slot::Bearer, Slot::Token, Slot::Basic];
            one.is_doubled
                && of_part.contains(&one.slot)
                && of_part.iter().any(|slot| self.is_read(*slot))
        };
        if shown.iter().any(|one| is_repeated(&one)) {
            return vec![Answer::Malformed(
                self.schemes_of(shown)
                    .into_iter()
                    .chain(["Bearer", "Token", "Basic"])
                    .collect(),
            )];
        }
        let malformed = |one: &&Shown| {
            one.is_doubled
                || one.text == Text::Broken && !one.slot.is_cookie() && !one.slot.is_plain()
        };
        // A cookie beside a header of the same provider is not looked at, but a repeated one can be noticed before.
        let is_ignored = |one: &Shown| self.loses_to_header(*one, &read);
        let some: Vec<&Shown> = read.iter().filter(malformed).collect();
        if some.iter().any(|one| !is_ignored(one)) {
            return vec![Answer::Malformed(self.schemes_of(&read))];
        }
        let kept: Vec<Shown> = read
            .iter()
            .copied()
            .filter(|one| !is_ignored(one))
            .collect();
        let removed = read.iter().filter(|one| is_ignored(one));
        let removed: Vec<Slot> = removed.map(|one| one.slot).collect();
        if self.has_two_of_one(&kept) {
            return vec![Answer::Malformed(self.schemes_of(&kept))];
        }
        let invalid: Vec<Shown> = kept
            .iter()
            .copied()
            .filter(|one| !self.is_valid(*one))
            .collect();
        if !invalid.is_empty() {
            return invalid
                .iter()
                .map(|one| self.refusal(*one, &kept))
                .collect();
        }
        let callers: Vec<usize> = kept.iter().filter_map(|one| self.selected(*one)).collect();
        vec![self.decide(&callers, removed)]
    }

    fn decide(&self, callers: &[usize], removed: Vec<Slot>) -> Answer {
        let rule = self.rule;
        let unauthorized = |ids: &[usize]| {
            let offers = self.offers(ids).into_iter();
            let challenges = offers.map(|offer| offer.challenge(false));
            Answer::Denied(401, "unauthorized", challenges.collect())
        };
        let lacks = |id: &&usize| !callers.contains(id);
        let missing: Vec<usize> = rule.accepted.iter().filter(lacks).copied().collect();
        if callers.is_empty() && rule.is_optional {
            return Answer::Passes(None, removed);
        } else if callers.is_empty() || rule.needs_each && !missing.is_empty() {
            return unauthorized(&missing);
        }
        let first = rule.accepted.iter().find(|id| callers.contains(id));
        match first {
            Some(first) if !rule.is_closed => Answer::Passes(Some(*first), removed),
            _ => Answer::Denied(403, "forbidden", Vec::new()),
        }
    }

    /// The answer if this credential is invalid.
    fn refusal(&self, one: Shown, kept: &[Shown]) -> Answer {
        let others = kept.iter().filter(|other| other.slot != one.slot);
        let present: Vec<usize> = others.filter_map(|other| self.selected(*other)).collect();
        let needed = self.rule.accepted.iter().copied();
        let mut wanted: Vec<usize> = match self.rule.needs_each {
            true => needed.filter(|id| !present.contains(id)).collect(),
            false => needed.collect(),
        };
        if wanted.is_empty() {
            wanted.clone_from(&self.rule.accepted);
        }
        let offers = self.offers(&wanted);
        if one.slot.is_plain() {
            let challenges = offers.iter().map(|offer| offer.challenge(false));
            return Answer::Denied(401, "invalid_credentials", challenges.collect());
        }
        let used: Vec<&str> = match one.slot.scheme() {
            Some(scheme) => vec![scheme],
            None => {
                let readers = self
                    .providers
                    .iter()
                    .filter(|own| own.from.contains(&one.slot));
                let used: Vec<&str> = readers.map(|own| own.offers()[0].scheme).collect();
                match offers.iter().any(|offer| used.contains(&offer.scheme)) {
                    true => used,
                    false => offers.iter().take(1).map(|offer| offer.scheme).collect(),
                }
            }
        };
        let challenges = offers.iter().map(|offer| {
            let is_used = used.contains(&offer.scheme);
            offer.challenge(is_used && offer.has_errors())
        });
        Answer::Denied(401, "invalid_token", challenges.collect())
    }

    /// What is offered for these providers: each scheme once, in the order of the configuration.
    fn offers(&self, ids: &[usize]) -> Vec<Offer> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let all: Vec<Offer> = ids
            .iter()
            .flat_map(|id| self.providers[*id].offers())
            .collect();
        let has_others = all.iter().any(|offer| !offer.is_elsewhere);
        let mut offers: Vec<Offer> = Vec::new();
        for offer in all
            .iter()
            .filter(|offer| !has_others || !offer.is_elsewhere)
        {
            if !offers.contains(offer) {
                offers.push(*offer);
            }
        }
        offers
    }

    /// Whether the rule looks there.
    fn is_read(&self, slot: Slot) -> bool {
        self.readers(slot).next().is_some()
    }

    /// The providers that look there, under the rule.
    fn readers(&self, slot: Slot) -> impl Iterator<Item = usize> {
        let all = self.providers.iter().enumerate();
        let readers = all.filter(move |(_, own)| own.from.contains(&slot));
        readers.map(|(id, _)| id).filter(|id| {
            let rule = self.rule;
            !rule.ignores_others || rule.accepted.contains(id)
        })
    }

    /// Whether a provider reads a header that has a credential.
    fn has_header(&self, id: usize, shown: &[Shown]) -> bool {
        let mut headers = shown.iter().filter(|one| one.slot.is_header());
        headers.any(|one| self.providers[id].from.contains(&one.slot))
    }

    /// Whether a credential in a header wins over this cookie.
    fn loses_to_header(&self, one: Shown, read: &[Shown]) -> bool {
        let has_header = |id: usize| self.has_header(id, read);
        one.slot.is_cookie()
            && (self.readers(one.slot).all(has_header)
                || !one.is_doubled && self.selected(one).is_some_and(has_header))
    }

    /// Two credentials at the locations of one provider, where a cookie beside a header does not count.
    fn has_two_of_one(&self, kept: &[Shown]) -> bool {
        (0..self.providers.len()).any(|id| {
            let has_header = self.has_header(id, kept);
            let own = kept.iter().filter(|one| {
                self.providers[id].from.contains(&one.slot) && !(has_header && one.slot.is_cookie())
            });
            own.count() > 1
        })
    }

    /// The provider that verifies a credential: accepted ones first; introspection only if no other recognizes it.
    fn selected(&self, one: Shown) -> Option<usize> {
        let recognizes = |id: &usize| {
            let own = &self.providers[*id];
            own.from.contains(&one.slot) && own.recognizes(*id, one.text, self.providers)
        };
        let others = (0..self.providers.len()).filter(|id| !self.rule.accepted.contains(id));
        let all: Vec<usize> = self.rule.accepted.iter().copied().chain(others).collect();
        let asks = |id: &&usize| matches!(self.providers[**id].kind, Kind::Introspection { .. });
        let found = all.iter().filter(|id| !asks(id)).find(|id| recognizes(id));
        found
            .or_else(|| all.iter().find(|id| recognizes(id)))
            .copied()
    }

    fn is_valid(&self, one: Shown) -> bool {
        matches!(one.text, Text::Of(of, true) if self.selected(one) == Some(of))
    }

    /// The schemes of which one is attempted.
    fn schemes_of(&self, shown: &[Shown]) -> BTreeSet<&'static str> {
        let slots = shown.iter().map(|one| one.slot);
        slots
            .flat_map(|slot| match slot.scheme() {
                Some(scheme) => vec![scheme],
                None if slot.is_plain() => vec!["ApiKey"],
                // A scheme of a provider that reads it, or the first challenge.
                None => vec!["Bearer", "Token", "ApiKey", "Basic"],
            })
            .collect()
    }
}
