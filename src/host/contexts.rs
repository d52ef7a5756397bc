//! The contexts of a worker, by the numbers that the host gives them: one for each configured filter, one for each
//! request.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::filter::{Fate, Filter};
use super::root::Root;

/// No borrow lasts while a root or a filter works: the host may call again from within its own calls.
struct Contexts {
    /// Few, and looked for in order.
    roots: Vec<(u32, Rc<RefCell<Root>>)>,
    /// Each request keeps the filter that it began with, whatever is configured meanwhile.
    streams: BTreeMap<u32, Rc<Filter>>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = const {
        RefCell::new(Contexts { roots: Vec::new(), streams: BTreeMap::new() })
    };
}

impl Contexts {
    fn root(&self, number: u32) -> Option<Rc<RefCell<Root>>> {
        let found = self.roots.iter().find(|(own, _)| *own == number);
        found.map(|(_, root)| Rc::clone(root))
    }

    fn remove_root(&mut self, number: u32) -> Option<Rc<RefCell<Root>>> {
        let place = self.roots.iter().position(|(own, _)| *own == number)?;
        Some(self.roots.swap_remove(place).1)
    }
}

fn with<T>(work: impl FnOnce(&mut Contexts) -> T) -> T {
    CONTEXTS.with_borrow_mut(work)
}

fn root(number: u32) -> Option<Rc<RefCell<Root>>> {
    with(|contexts| contexts.root(number))
}

/// A filter, not yet configured.
pub fn create_root(number: u32) {
    let root = Rc::new(RefCell::new(Root::new()));
    with(|contexts| contexts.roots.push((number, root)));
}

/// A request, to be judged by the filter of a root.
pub fn create_stream(number: u32, root: u32) {
    with(|contexts| {
        if let Some(root) = contexts.root(root) {
            let filter = Rc::clone(root.borrow().filter());
            contexts.streams.insert(number, filter);
        }
    });
}

/// A request has ended, also when its client went away; or a filter is no longer configured.
pub fn delete(number: u32) {
    if let Some(filter) = with(|contexts| contexts.streams.remove(&number)) {
        filter.forget(number);
    } else if let Some(root) = with(|contexts| contexts.remove_root(number)) {
        root.borrow().end();
    }
}

/// Takes a filter's document; whether it is accepted.
pub fn configure(number: u32) -> bool {
    root(number).is_some_and(|root| root.borrow_mut().configure())
}

/// Looks after what goes on between requests.
pub fn tick(number: u32) {
    if let Some(root) = root(number) {
        let filter = root.borrow_mut().tick();
        filter.poll();
    }
}

/// Takes the response to a call of the filter's own.
pub fn respond(number: u32, call: u32) {
    if let Some(root) = root(number) {
        let filter = Rc::clone(root.borrow().filter());
        filter.respond(call);
    }
}

/// Judges a request, whose head is all of it or `goes_on`; one that nobody knows stays held.
pub fn request_may_pass(number: u32, goes_on: bool) -> bool {
    let filter = with(|contexts| contexts.streams.get(&number).cloned());
    filter.is_some_and(|filter| filter.judge(number, goes_on) == Fate::Passes)
}

/// Takes out of the fields after a request's content what the upstream must not get; the end of a request that nobody
/// knows stays held.
pub fn trailers_may_pass(number: u32) -> bool {
    let filter = with(|contexts| contexts.streams.get(&number).cloned());
    filter.is_some_and(|filter| filter.clear_trailers() == Fate::Passes)
}
