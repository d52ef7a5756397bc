//! The compiled document: what the machine runs. Nothing in a plan can be invalid.

use crate::authenticate::Provider;
use crate::authenticate::signature::AlgorithmSet;
use crate::authorize::Requirements;
use crate::reject::Reject;
use crate::request::authority::{Host, HostPattern};
use crate::request::path::{Pattern, Reading};
use crate::request::{Field, RequestView};
use crate::scheme::{Scheme, SchemeSet};

/// A document, compiled, or the state of having none.
#[derive(Debug)]
pub struct Plan {
    /// What answers look like.
    pub presentation: Presentation,
    /// Which decisions are logged.
    pub audit: Audit,
    /// Where signatures are verified.
    pub crypto: Crypto,
    /// By what to judge; none refuses every request.
    pub policy: Option<Policy>,
}

/// Who may do what.
#[derive(Debug)]
pub struct Policy {
    /// Who may vouch for a caller, in the order of the document.
    pub providers: Vec<Provider>,
    /// The rules, in order; the first that fits decides.
    pub rules: Vec<Rule>,
    /// What is asked where no rule fits.
    pub default: Access,
}

/// What answers look like.
#[derive(Debug, Clone)]
pub struct Presentation {
    /// The realm of every challenge: `%x20-7E`.
    pub realm: String,
    /// Whether challenges carry `error_description`.
    pub error_description: bool,
}

/// Which decisions are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Every refusal.
    Denied,
    /// Every decision.
    All,
    /// None.
    None,
}

/// Where signatures are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Crypto {
    /// By the host, where it does that right.
    #[default]
    Auto,
    /// By the host, whatever it could verify.
    Host,
    /// In the filter.
    Wasm,
}

impl Crypto {
    /// The algorithms that the host verifies from now on, of those that it is `able` to.
    ///
    /// # Errors
    /// The algorithms that it was to verify and cannot.
    pub fn choose(self, able: impl FnOnce() -> AlgorithmSet) -> Result<AlgorithmSet, AlgorithmSet> {
        match self {
            Self::Wasm => Ok(AlgorithmSet::EMPTY),
            Self::Auto => Ok(able()),
            Self::Host => {
                let able = able();
                let missing = AlgorithmSet::TESTED.without(able);
                if missing.is_empty() {
                    Ok(able)
                } else {
                    Err(missing)
                }
            }
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in the document.
    pub name: String,
    /// Which requests it is for.
    pub matches: Match,
    /// What it asks of them.
    pub access: Access,
}

/// What is asked of a request.
#[derive(Debug)]
pub enum Access {
    /// Nothing, of nobody.
    Public,
    /// Nothing, but who shows a credential must show a good one.
    Optional(Gate),
    /// A credential.
    Required(Gate),
    /// Nobody passes; who shows no good credential is asked for one all the same, so that what exists is not told.
    Closed(Gate),
}

/// Which credentials are accepted, and what their holders must have.
#[derive(Debug)]
pub struct Gate {
    /// The places of the accepted providers in the document's list.
    pub providers: Vec<usize>,
    /// The schemes in play, in the order of the providers: each has its challenge.
    pub schemes: Vec<Scheme>,
    /// What the caller must have.
    pub requirements: Requirements,
}

/// Which requests a rule is for: the keys are ANDed, the entries of one ORed, an empty key fits all.
#[derive(Debug, Default)]
pub struct Match {
    /// Path patterns.
    pub paths: Vec<Pattern>,
    /// Methods, GET covering HEAD.
    pub methods: Vec<String>,
    /// Hosts.
    pub hosts: Vec<HostPattern>,
    /// Header fields, names in lower case: each must be there once, with this value.
    pub headers: Vec<(String, String)>,
}

impl Plan {
    /// The plan of a filter that has no valid document: every request is refused.
    pub fn refuse_all() -> Self {
        Self {
            presentation: Presentation::default(),
            audit: Audit::Denied,
            crypto: Crypto::default(),
            policy: None,
        }
    }
}

impl Default for Presentation {
    fn default() -> Self {
        Self {
            realm: "api".to_owned(),
            error_description: true,
        }
    }
}

impl Policy {
    /// The first rule that fits, if one does.
    ///
    /// # Errors
    /// [`Reject::RepeatedField`] where a rule looks at a header field that the request repeats.
    pub fn rule_for(
        &self,
        request: &RequestView<'_>,
        reading: &Reading<'_>,
        host: &Host<'_>,
    ) -> Result<Option<&Rule>, Reject> {
        for rule in &self.rules {
            if rule.matches.fits(request, reading, host)? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// Every scheme that a provider of the document serves.
    pub fn schemes_served(&self) -> SchemeSet {
        self.providers.iter().map(Provider::scheme).collect()
    }
}

impl Match {
    fn fits(
        &self,
        request: &RequestView<'_>,
        reading: &Reading<'_>,
        host: &Host<'_>,
    ) -> Result<bool, Reject> {
        let fits = (self.methods.is_empty() || self.has_method(request.method()))
            && (self.paths.is_empty() || self.paths.iter().any(|path| path.fits(reading)))
            && (self.hosts.is_empty() || self.hosts.iter().any(|own| own.fits(host)));
        if !fits {
            return Ok(false);
        }
        for (name, value) in &self.headers {
            match request.field(name.as_bytes()) {
                Field::One(sent) if sent == value.as_bytes() => {}
                Field::None | Field::One(_) => return Ok(false),
                Field::Many => return Err(Reject::RepeatedField),
            }
        }
        Ok(true)
    }

    fn has_method(&self, method: &[u8]) -> bool {
        self.methods
            .iter()
            .any(|own| own.as_bytes() == method || own == "GET" && method == b"HEAD")
    }

    /// Whether every request that `other` fits is fitted by this.
    pub fn covers(&self, other: &Self) -> bool {
        every_has_one(&other.paths, &self.paths, |own, path| own.covers(path))
            && every_has_one(&other.hosts, &self.hosts, |own, host| own.covers(host))
            && (self.methods.is_empty()
                || !other.methods.is_empty()
                    && other
                        .methods
                        .iter()
                        .all(|method| self.has_method(method.as_bytes())))
            && self
                .headers
                .iter()
                .all(|header| other.headers.contains(header))
    }
}

/// Whether each of the `narrow` entries lies within one of the `wide`; no entry at all stands for everything.
fn every_has_one<T>(narrow: &[T], wide: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty()
        || !narrow.is_empty()
            && narrow
                .iter()
                .all(|entry| wide.iter().any(|own| covers(own, entry)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::signature::Algorithm;

    #[test]
    fn the_host_is_asked_for_what_it_can_and_not_at_all_for_wasm() {
        let all = AlgorithmSet::TESTED;
        let rsa = AlgorithmSet::from_iter([Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512]);
        let none = AlgorithmSet::EMPTY;
        for able in [all, rsa, none] {
            assert_eq!(Crypto::Auto.choose(|| able), Ok(able));
        }
        assert_eq!(Crypto::Host.choose(|| all), Ok(all));
        assert_eq!(Crypto::Host.choose(|| rsa), Err(all.without(rsa)));
        assert_eq!(Crypto::Host.choose(|| none), Err(all));
        let never = || panic!("the host was asked");
        assert_eq!(Crypto::Wasm.choose(never), Ok(none));
    }
}
