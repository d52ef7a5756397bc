//! The heads of denials, made when a worker adopts a configuration: for each rule and each reason to deny that can follow from it.
//!
//! 1. Rules share a head if they offer and require the same. What no rule changes is there once.
//! 2. A head is prepared for a credential of one scheme. A request with credentials of several is rare, and its head is made
//!    when it comes.
//! 3. The heads take at most [`MOST_BYTES`]. If there are too many rules that differ, those that are needed most come first:
//!    of all rules the one for a request without a credential.

use std::collections::HashMap;
use std::rc::Rc;

use super::body::Contents;
use super::challenges::Terms;
use super::explain::explanation;
use super::head::{Head, Kind, Sharing};
use crate::authenticate::Offer;
use crate::authorize::Required;
use crate::evaluate::Nonces;
use crate::plan::{Plan, Policy};
use crate::presentation::Presentation;
use crate::reject::{Code, Invalid, Reason, Reject};
use crate::scheme::SchemeSet;

/// The most memory that the heads take, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// The heads of denials that are made when a worker adopts a configuration. The default has none: each is then made for its
/// request, with the same content.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Those that are the same under every rule.
    general: Heads,
    /// For each gate, by [`Gate::number`](crate::authorize::Gate::number), the place of its heads in `of_gates`.
    numbers: Vec<usize>,
    /// Those of each set of equal gates.
    of_gates: Vec<Heads>,
}

/// Heads by the reason to deny, in its order.
#[derive(Debug, Default)]
struct Heads(Vec<(Reason, Kind, Head)>);

/// What the heads of a gate depend on.
#[derive(PartialEq, Eq, Hash)]
struct Differences<'p> {
    offers: &'p [Offer],
    scopes: Vec<&'p str>,
    classes: Vec<&'p str>,
    max_age: Option<std::time::Duration>,
}

impl Prepared {
    /// Makes the heads of a plan.
    pub fn new(plan: &Plan) -> Self {
        let presentation = &plan.presentation;
        let mut maker = Maker {
            presentation,
            contents: Vec::new(),
            bytes: 0,
        };
        let nothing = Terms {
            offers: &[],
            requirements: None,
        };
        let mut general = Heads::default();
        for reject in Reject::all().filter(|reject| Sharing::of(*reject) == Sharing::All) {
            maker.add(reject, SchemeSet::default(), &nothing, &mut general);
        }
        let mut prepared = Self {
            general,
            ..Self::default()
        };
        if let Some(policy) = &plan.policy {
            prepared.add_gates(policy, &mut maker);
        }
        prepared.general.sort();
        prepared.of_gates.iter_mut().for_each(Heads::sort);
        prepared
    }

    fn add_gates(&mut self, policy: &Policy, maker: &mut Maker<'_>) {
        let mut known = HashMap::new();
        let mut different = Vec::new();
        for gate in policy.gates() {
            let required = Required::new(&policy.require, gate);
            let number = different.len();
            let differences = Differences::of(required, maker.presentation);
            let number = *known.entry(differences).or_insert(number);
            if number == different.len() {
                different.push(required);
            }
            self.numbers.push(number);
        }
        self.of_gates.resize_with(different.len(), Heads::default);
        for reject in Reject::all().filter(|reject| Sharing::of(*reject) != Sharing::All) {
            for (required, heads) in different.iter().zip(&mut self.of_gates) {
                let offers = &required.gate().offers;
                if can_follow(reject, offers) {
                    let terms = Terms {
                        offers,
                        requirements: Some(*required),
                    };
                    maker.add_for_each_scheme(reject, &terms, heads);
                }
            }
        }
    }

    /// The head of a denial. None if it was not prepared.
    pub(super) fn find(&self, kind: Kind, terms: &Terms<'_>, nonces: &Nonces) -> Option<&Head> {
        let reason = kind.reject.reason();
        if Sharing::of(kind.reject) == Sharing::All {
            return self.general.find(reason, kind);
        }
        // A caller that lacks one of several credentials is offered less than the gate offers.
        let gate = terms.requirements?.gate();
        if !std::ptr::eq(terms.offers, gate.offers.as_slice()) {
            return None;
        }
        let number = self.numbers.get(gate.number)?;
        let head = self.of_gates.get(*number)?.find(reason, kind)?;
        head.can_have(nonces).then_some(head)
    }
}

impl<'p> Differences<'p> {
    fn of(required: Required<'p>, presentation: &Presentation) -> Self {
        let names_scopes = presentation.challenge_scope || presentation.forbidden_challenge;
        Self {
            offers: &required.gate().offers,
            scopes: match names_scopes {
                true => required.scopes_to_ask_for(),
                false => Vec::new(),
            },
            classes: required.classes().collect(),
            max_age: required.max_age(),
        }
    }
}

impl Heads {
    fn sort(&mut self) {
        self.0.sort_by_key(|(reason, ..)| *reason);
        self.0.shrink_to_fit();
    }

    fn find(&self, reason: Reason, kind: Kind) -> Option<&Head> {
        let Self(heads) = self;
        let first = heads.partition_point(|(own, ..)| *own < reason);
        let alike = heads.iter().skip(first);
        let mut alike = alike.take_while(|(own, ..)| *own == reason);
        alike.find_map(|(_, own, head)| (*own == kind).then_some(head))
    }
}

/// Makes heads as long as there is room for them.
struct Maker<'p> {
    presentation: &'p Presentation,
    /// Each content once.
    contents: Vec<((Code, &'static str), Rc<Contents>)>,
    bytes: usize,
}

impl Maker<'_> {
    /// Makes a head without a scheme, and one for each scheme whose challenge can have the error.
    fn add_for_each_scheme(&mut self, reject: Reject, terms: &Terms<'_>, heads: &mut Heads) {
        let mut made: Vec<SchemeSet> = Vec::new();
        let schemes = terms.offers.iter().map(Offer::scheme);
        let each = schemes.map(|scheme| SchemeSet::default().with(scheme));
        for schemes in std::iter::once(SchemeSet::default()).chain(each) {
            let reject = match reject {
                Reject::Malformed(fault) => Reject::Malformed(fault.with_schemes(schemes)),
                other => other,
            };
            let used = Kind::of(reject, schemes, terms.offers).used;
            if !made.contains(&used) {
                made.push(used);
                self.add(reject, schemes, terms, heads);
            }
        }
    }

    fn add(&mut self, reject: Reject, schemes: SchemeSet, terms: &Terms<'_>, heads: &mut Heads) {
        // Whether the challenge names a scope depends on the caller.
        let depends_on_caller =
            matches!(reject, Reject::Authentication(_)) && !self.presentation.challenge_scope;
        if self.bytes > MOST_BYTES || depends_on_caller {
            return;
        }
        let kind = Kind::of(reject, schemes, terms.offers);
        let Some(mut head) = Head::with_room_for_nonces(kind, terms, self.presentation) else {
            return;
        };
        head.contents = Some(self.contents(&head));
        self.bytes += size_of::<(Reason, Kind)>() + head.bytes();
        heads.0.push((reject.reason(), kind, head));
    }

    fn contents(&mut self, head: &Head) -> Rc<Contents> {
        let key = (head.code, head.message);
        let mut known = self.contents.iter();
        if let Some((_, contents)) = known.find(|(own, _)| *own == key) {
            return Rc::clone(contents);
        }
        let contents = Rc::new(Contents::new(&explanation(head, self.presentation)));
        self.contents.push((key, Rc::clone(&contents)));
        contents
    }
}

/// Whether a rule with these offers can deny a request for this reason.
fn can_follow(reject: Reject, offers: &[Offer]) -> bool {
    let mut offers = offers.iter();
    match reject {
        Reject::Proof(_) => offers.any(|offer| matches!(offer, Offer::Dpop { .. })),
        Reject::Invalid(Invalid::Key(_)) => {
            offers.any(|offer| matches!(offer, Offer::ApiKey { .. }))
        }
        Reject::Invalid(Invalid::Login(_)) => {
            offers.any(|offer| matches!(offer, Offer::Basic { .. } | Offer::Digest { .. }))
        }
        _ => true,
    }
}
