//! Which rules could fit a request, by its host and its path, without a look at the others.
//!
//! Hosts lead to tries, one for each host that rules name, one for each domain that they name hosts below, and one for
//! the rules that name none. In a trie each node is a row of segments; it knows the patterns that end there. A request
//! visits the few nodes that its segments lead to, and what they know is merged in the order of the rules. What is
//! found fits by host and path; methods, header fields and
//! routes are left to be looked at.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use super::Match;
use crate::request::host::{HostPattern, Hosts};
use crate::request::path::{Case, Pattern, PatternSegment, Reading};
use crate::url::Host;

/// The root for the rules that name no host.
const ANY_HOST: usize = 0;

/// A rule that names more hosts and paths, multiplied, stands in the trie for any host, and is asked for its own.
const MOST_PLACES: usize = 256;

/// As many nodes as most requests visit at once, and twice as many lists, so that they take no memory of their own.
const USUAL_NODES: usize = 4;

/// Which rules could fit a request.
#[derive(Debug)]
pub(super) struct Index {
    roots: Vec<Root>,
    nodes: Vec<Node>,
    /// The roots for single hosts.
    hosts: Map,
    /// The roots for all hosts below a domain, by `.domain`.
    below: Map,
    /// How long these `.domain`s are.
    lengths: Vec<usize>,
    case: Case,
}

#[derive(Debug)]
struct Root {
    node: usize,
    /// The rules without patterns.
    without_path: Vec<Entry>,
}

#[derive(Debug, Default)]
struct Node {
    literals: Map,
    parameter: Option<usize>,
    /// The patterns that end here.
    ends: Vec<Entry>,
    /// The patterns that fit any rest from here on.
    rests: Vec<Entry>,
}

/// A rule, and the pattern by which its path fits; none for a rule without patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub rule: usize,
    pub pattern: Option<usize>,
}

/// Nodes that a request has reached at once.
type Nodes<'i> = SmallVec<[&'i Node; USUAL_NODES]>;

type Map = HashMap<Box<str>, usize, BuildHasherDefault<Fnv>>;

/// FNV-1a: short texts fast. A request only looks up, so that no client can fill a bucket.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// One step down a trie.
enum Step<'s> {
    /// Along this text.
    Text(Cow<'s, str>),
    /// Along whatever text there may be.
    AnyText,
}

impl Index {
    /// An index without rules, whose patterns will be of this case.
    pub(super) fn new(case: Case) -> Self {
        let mut index = Self {
            roots: Vec::new(),
            nodes: Vec::new(),
            hosts: Map::default(),
            below: Map::default(),
            lengths: Vec::new(),
            case,
        };
        index.add_root();
        index
    }

    /// Adds a rule; its number is greater than any before.
    pub(super) fn insert(&mut self, rule: usize, matches: &Match) {
        let places = matches.hosts.len().saturating_mul(matches.paths.len());
        let roots: Vec<usize> = if matches.hosts.is_empty() || places > MOST_PLACES {
            vec![ANY_HOST]
        } else {
            matches
                .hosts
                .iter()
                .map(|host| self.root_of(host))
                .collect()
        };
        for number in roots {
            let Some(root) = self.roots.get_mut(number) else {
                continue;
            };
            if matches.paths.is_empty() {
                let pattern = None;
                note(&mut root.without_path, Entry { rule, pattern });
            }
            let top = root.node;
            for (number, pattern) in matches.paths.iter().enumerate() {
                let place = self.node_of(top, pattern);
                let Some(node) = self.nodes.get_mut(place) else {
                    continue;
                };
                let list = if pattern.fits_any_rest() {
                    &mut node.rests
                } else {
                    &mut node.ends
                };
                let pattern = Some(number);
                note(list, Entry { rule, pattern });
            }
        }
    }

    fn add_root(&mut self) -> usize {
        let new = self.roots.len();
        self.roots.push(Root {
            node: self.nodes.len(),
            without_path: Vec::new(),
        });
        self.nodes.push(Node::default());
        new
    }

    fn root_of(&mut self, host: &HostPattern) -> usize {
        let (map, text) = match host.hosts() {
            Hosts::One(host) => (&mut self.hosts, host),
            Hosts::Below(suffix) => {
                if !self.lengths.contains(&suffix.len()) {
                    self.lengths.push(suffix.len());
                }
                (&mut self.below, suffix)
            }
        };
        if let Some(known) = map.get(text) {
            return *known;
        }
        map.insert(text.into(), self.roots.len());
        self.add_root()
    }

    fn node_of(&mut self, top: usize, pattern: &Pattern) -> usize {
        let mut place = top;
        for segment in pattern.segments() {
            let new = self.nodes.len();
            let Some(node) = self.nodes.get_mut(place) else {
                break;
            };
            place = match segment {
                PatternSegment::Parameter(_) => *node.parameter.get_or_insert(new),
                PatternSegment::Literal(text) => match node.literals.get(text) {
                    Some(known) => *known,
                    None => {
                        node.literals.insert(text.clone(), new);
                        new
                    }
                },
            };
            if place == new {
                self.nodes.push(Node::default());
            }
        }
        place
    }

    /// The entries that fit a host and a reading, in order.
    pub(super) fn fitting(&self, host: &Host<'_>, reading: Reading<'_>) -> Merged<'_> {
        let host = host.as_str();
        let exact = self.hosts.get(host).copied();
        // A domain is not below itself; its `.domain` is longer than it is.
        let roots = [ANY_HOST].into_iter().chain(exact).chain(self.below(host));
        let mut merged = Merged::default();
        for root in roots.filter_map(|root| self.roots.get(root)) {
            merged.add(&root.without_path);
            if reading.is_path() {
                let segments = reading.segments();
                let steps = segments.map(|segment| Step::Text(self.case.fold(segment)));
                self.walk(root.node, steps, true, &mut merged);
            }
        }
        merged
    }

    /// The entries of rules that could fit all that a narrower match fits, in order.
    ///
    /// Such a rule fits the first host and the first path of the narrower, or names none.
    pub(super) fn could_cover(&self, narrow: &Match) -> Merged<'_> {
        let host = narrow.hosts.first().map(HostPattern::hosts);
        let exact = match host {
            Some(Hosts::One(host)) => self.hosts.get(host).copied(),
            Some(Hosts::Below(_)) | None => None,
        };
        let text = match host {
            Some(Hosts::One(text) | Hosts::Below(text)) => text,
            None => "",
        };
        let roots = [ANY_HOST].into_iter().chain(exact).chain(self.below(text));
        let mut merged = Merged::default();
        for root in roots.filter_map(|root| self.roots.get(root)) {
            merged.add(&root.without_path);
            if let Some(pattern) = narrow.paths.first() {
                let steps = pattern.segments().iter().map(|segment| match segment {
                    PatternSegment::Literal(text) => Step::Text(Cow::Borrowed(&**text)),
                    PatternSegment::Parameter(_) => Step::AnyText,
                });
                self.walk(root.node, steps, !pattern.fits_any_rest(), &mut merged);
            }
        }
        merged
    }

    /// The roots for the `.domain`s that a text ends in.
    fn below(&self, text: &str) -> impl Iterator<Item = usize> {
        self.lengths.iter().filter_map(move |length| {
            let suffix = text.get(text.len().checked_sub(*length)?..)?;
            self.below.get(suffix).copied()
        })
    }

    /// Collects what the nodes on the way know; those at its end only if it `ends` there.
    fn walk<'i, 's>(
        &'i self,
        top: usize,
        steps: impl Iterator<Item = Step<'s>>,
        ends: bool,
        merged: &mut Merged<'i>,
    ) {
        let mut nodes = Nodes::new();
        self.reach(Some(top), &mut nodes, merged);
        for step in steps {
            let mut next = Nodes::new();
            for node in &nodes {
                let literal = match &step {
                    Step::Text(text) => node.literals.get(&**text).copied(),
                    Step::AnyText => None,
                };
                self.reach(literal, &mut next, merged);
                self.reach(node.parameter, &mut next, merged);
            }
            if next.is_empty() {
                return;
            }
            nodes = next;
        }
        if ends {
            for node in &nodes {
                merged.add(&node.ends);
            }
        }
    }

    /// Adds a node to those that are reached, and what fits any rest from there on to what is found.
    #[inline(never)]
    fn reach<'i>(&'i self, place: Option<usize>, nodes: &mut Nodes<'i>, merged: &mut Merged<'i>) {
        if let Some(node) = place.and_then(|place| self.nodes.get(place)) {
            merged.add(&node.rests);
            nodes.push(node);
        }
    }
}

/// Notes an entry, once: a rule may name a host twice.
fn note(list: &mut Vec<Entry>, entry: Entry) {
    if list.last() != Some(&entry) {
        list.push(entry);
    }
}

/// The entries of several lists, each in order, in order.
#[derive(Debug, Default)]
pub(super) struct Merged<'i> {
    lists: SmallVec<[&'i [Entry]; 2 * USUAL_NODES]>,
}

impl<'i> Merged<'i> {
    fn add(&mut self, list: &'i [Entry]) {
        if !list.is_empty() {
            self.lists.push(list);
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let list = self
            .lists
            .iter_mut()
            .filter(|list| !list.is_empty())
            .min_by_key(|list| list.first().copied())?;
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(*first)
    }
}
