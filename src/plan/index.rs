//! An index that finds the rules that could match a request by its host and its path.
//!
//! There is one trie for each host in a rule, one for each domain of a wildcard, and one for the rules without hosts. A
//! node of a trie represents a sequence of segments and lists the patterns that end there. A lookup visits the few
//! nodes that the request's segments lead to, and merges their lists in the order of the rules. It decides host and
//! path only: methods, headers and routes are compared afterwards.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use super::Match;
use crate::request::host::{HostPattern, Hosts};
use crate::request::path::{Case, Pattern, PatternSegment, Reading, without_verb};
use crate::url::Host;

/// The root for the rules without hosts.
const ANY_HOST: usize = 0;

/// The maximum product of a rule's hosts and paths. A rule with more is in the trie for any host, and its hosts are
/// compared afterwards.
const MAX_ENTRIES: usize = 256;

/// The number of nodes that most requests visit at the same depth. So many nodes, and twice as many lists, need no
/// allocation.
const USUAL_NODES: usize = 4;

/// An index that finds the rules that could match a request.
#[derive(Debug)]
pub(super) struct Index {
    roots: Vec<Root>,
    nodes: Vec<Node>,
    /// The roots for single hosts.
    hosts: Map,
    /// The roots for all hosts below a domain, by `.domain`.
    below: Map,
    /// The lengths of these `.domain`s.
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
    /// The nodes after a parameter with a verb, each with the verb. There are few.
    verbs: Vec<(Box<str>, usize)>,
    /// The patterns that end here.
    ends: Vec<Entry>,
    /// The patterns that match any rest from here on.
    rests: Vec<Entry>,
}

/// A rule, and the one of its patterns that matches. A rule without patterns has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub rule: usize,
    pub pattern: Option<usize>,
}

/// The nodes that a request has reached at one depth.
type Nodes<'i> = SmallVec<[&'i Node; USUAL_NODES]>;

type Map = HashMap<Box<str>, usize, BuildHasherDefault<Fnv>>;

/// FNV-1a, which is fast for short texts. Requests only look up, so that a client cannot fill a bucket.
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
    /// A segment with this text.
    Text(Cow<'s, str>),
    /// A segment with any text.
    AnyText,
    /// A segment with any text before this verb.
    Verb(&'s str),
}

impl Step<'_> {
    /// The verb of every text that the step stands for.
    fn verb(&self) -> Option<&str> {
        match self {
            Self::Text(text) => without_verb(text).map(|(_, verb)| verb),
            Self::AnyText => None,
            Self::Verb(verb) => Some(verb),
        }
    }
}

impl Index {
    /// An index without rules. The patterns of the rules must have this case.
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

    /// Adds a rule. Its number must be greater than those of earlier rules.
    pub(super) fn insert(&mut self, rule: usize, matches: &Match) {
        let entries = matches.hosts.len().saturating_mul(matches.paths.len());
        let roots: Vec<usize> = if matches.hosts.is_empty() || entries > MAX_ENTRIES {
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
                add_once(&mut root.without_path, Entry { rule, pattern });
            }
            let top = root.node;
            for (number, pattern) in matches.paths.iter().enumerate() {
                let place = self.node_of(top, pattern);
                let Some(node) = self.nodes.get_mut(place) else {
                    continue;
                };
                let list = if pattern.matches_any_rest() {
                    &mut node.rests
                } else {
                    &mut node.ends
                };
                let pattern = Some(number);
                add_once(list, Entry { rule, pattern });
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
                PatternSegment::Verb { verb, .. } => after_verb(node, verb).unwrap_or_else(|| {
                    node.verbs.push((verb.clone(), new));
                    new
                }),
            };
            if place == new {
                self.nodes.push(Node::default());
            }
        }
        place
    }

    /// The entries that match a host and a reading, in order.
    pub(super) fn matching(&self, host: &Host<'_>, reading: Reading<'_>) -> Merged<'_> {
        let mut merged = Merged::default();
        self.add_of_root(ANY_HOST, reading, &mut merged);
        if self.roots.len() > 1 {
            self.add_of_host(host.as_str(), reading, &mut merged);
        }
        merged
    }

    #[inline(never)]
    fn add_of_host<'i>(&'i self, host: &str, reading: Reading<'_>, merged: &mut Merged<'i>) {
        let exact = self.hosts.get(host).copied();
        // A domain is shorter than its `.domain`, so that it is not below itself.
        let roots = exact.into_iter().chain(self.below(host));
        roots.for_each(|root| self.add_of_root(root, reading, merged));
    }

    #[inline(never)]
    fn add_of_root<'i>(&'i self, root: usize, reading: Reading<'_>, merged: &mut Merged<'i>) {
        let Some(root) = self.roots.get(root) else {
            return;
        };
        merged.add(&root.without_path);
        if reading.is_path() {
            let segments = reading.segments();
            let steps = segments.map(|segment| Step::Text(self.case.fold(segment)));
            self.walk(root.node, steps, true, merged);
        }
    }

    /// The entries of the rules that could match everything that a narrower match does, in order.
    ///
    /// Such a rule matches the first host and the first path of the narrower match, or has no hosts or no paths.
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
                    PatternSegment::Verb { verb, .. } => Step::Verb(verb),
                });
                self.walk(root.node, steps, !pattern.matches_any_rest(), &mut merged);
            }
        }
        merged
    }

    /// The roots for the `.domain`s that a text ends with.
    fn below(&self, text: &str) -> impl Iterator<Item = usize> {
        self.lengths.iter().filter_map(move |length| {
            let suffix = text.get(text.len().checked_sub(*length)?..)?;
            self.below.get(suffix).copied()
        })
    }

    /// Adds the lists of the nodes that the steps lead to. The patterns that end at the last node are added only if
    /// `ends`.
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
                    Step::AnyText | Step::Verb(_) => None,
                };
                self.reach(literal, &mut next, merged);
                self.reach(node.parameter, &mut next, merged);
                if !node.verbs.is_empty() {
                    let verb = step.verb();
                    let place = verb.and_then(|verb| after_verb(node, verb));
                    self.reach(place, &mut next, merged);
                }
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

    /// Adds a node to those that were reached, and the patterns that match any rest from there on.
    #[inline(never)]
    fn reach<'i>(&'i self, place: Option<usize>, nodes: &mut Nodes<'i>, merged: &mut Merged<'i>) {
        if let Some(node) = place.and_then(|place| self.nodes.get(place)) {
            merged.add(&node.rests);
            nodes.push(node);
        }
    }
}

/// The node after a parameter with this verb.
fn after_verb(node: &Node, verb: &str) -> Option<usize> {
    let mut verbs = node.verbs.iter();
    let found = verbs.find(|(own, _)| **own == *verb);
    found.map(|(_, place)| *place)
}

/// Adds an entry, unless it is the last one. A rule may list the same host twice.
fn add_once(list: &mut Vec<Entry>, entry: Entry) {
    if list.last() != Some(&entry) {
        list.push(entry);
    }
}

/// Merges sorted lists of entries.
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
