//! Counters, defined once and then known by number.

use std::cell::RefCell;
use std::collections::HashMap;

use super::abi;
use crate::response::Reply;
use crate::telemetry;

/// The counters of a worker. Their names are made of statuses and errors of ours, so there are few.
pub struct Metrics {
    allowed: Option<u32>,
    denied: RefCell<HashMap<(u16, &'static str), u32>>,
}

impl Metrics {
    /// Defines the counter that most requests need.
    pub fn new() -> Self {
        Self {
            allowed: abi::counter(&telemetry::counter(None)),
            denied: RefCell::default(),
        }
    }

    /// Counts a decision.
    pub fn count(&self, reply: Option<&Reply>) {
        let id = match reply {
            None => self.allowed,
            Some(reply) => self.denied(reply),
        };
        if let Some(id) = id {
            abi::increment(id);
        }
    }

    fn denied(&self, reply: &Reply) -> Option<u32> {
        let key = (reply.status, reply.error);
        let mut denied = self.denied.borrow_mut();
        if let Some(id) = denied.get(&key) {
            return Some(*id);
        }
        let id = abi::counter(&telemetry::counter(Some(reply)))?;
        denied.insert(key, id);
        Some(id)
    }
}
