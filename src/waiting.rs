//! The requests of one worker that wait for a fetch: how many may wait, with how many bytes, and until when.
//!
//! A request waits without its content. Envoy keeps the content and stops reading it.

use crate::evaluate::Fetch;
use crate::time::Timestamp;

/// How many requests may wait in one worker. A request beyond that is decided without the fetch.
pub const MAX_REQUESTS: usize = 1_000;

/// How many bytes the header maps of the waiting requests may have together.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The header map as the host wrote it: see [`header_map`](crate::header_map).
    pub map: Vec<u8>,
    /// Whether content or trailers follow the head.
    pub goes_on: bool,
}

/// A request that waits until a fetch has ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The request's head.
    pub head: Head,
    /// The fetches that the request has waited for already.
    pub settled: Vec<Fetch>,
    /// The fetch that the request waits for.
    pub fetch: Fetch,
    /// How many fetches of that source had ended when the request began to wait.
    pub fetches_ended: u64,
    /// The time until which the request waits at most.
    pub deadline: Timestamp,
}

/// The requests that wait, in the order in which they came. Each has the number of its context at the host.
#[derive(Debug, Default)]
pub struct Waiting {
    requests: Vec<(u32, Held)>,
    bytes: usize,
}

impl Waiting {
    /// Whether one more request with a header map of so many bytes may wait.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.requests.len() < MAX_REQUESTS && self.bytes.saturating_add(bytes) <= MAX_BYTES
    }

    /// Adds a request. The caller has asked [`has_room_for`](Self::has_room_for) before.
    pub fn hold(&mut self, context: u32, request: Held) {
        self.bytes = self.bytes.saturating_add(request.head.map.len());
        self.requests.push((context, request));
    }

    /// Removes the request of a context, if it waits.
    pub fn forget(&mut self, context: u32) {
        // Most of the time, no request waits.
        if !self.requests.is_empty() {
            self.take(|(waiting, _)| *waiting == context);
        }
    }

    /// Removes and returns the requests that need not wait any longer: a fetch of their source has ended since they
    /// began to wait, or their deadline has passed.
    ///
    /// `fetches_ended` says how many fetches of a source have ended by now. `None` means that nothing is fetched from it.
    pub fn take_due(
        &mut self,
        now: Timestamp,
        fetches_ended: impl Fn(&Fetch) -> Option<u64>,
    ) -> Vec<(u32, Held)> {
        self.take(|(_, held)| {
            fetches_ended(&held.fetch) != Some(held.fetches_ended) || now >= held.deadline
        })
    }

    /// Removes and returns the requests that wait for such a fetch.
    pub fn take_for(&mut self, is_meant: impl Fn(&Fetch) -> bool) -> Vec<(u32, Held)> {
        self.take(|(_, held)| is_meant(&held.fetch))
    }

    /// Removes and returns all requests.
    pub fn take_all(&mut self) -> Vec<(u32, Held)> {
        self.take(|_| true)
    }

    fn take(&mut self, is_taken: impl Fn(&(u32, Held)) -> bool) -> Vec<(u32, Held)> {
        let taken: Vec<_> = self
            .requests
            .extract_if(.., |request| is_taken(request))
            .collect();
        let bytes: usize = taken.iter().map(|(_, held)| held.head.map.len()).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::SourceId;

    const FETCH: Fetch = Fetch::Keys(SourceId(0));

    fn held(bytes: usize, deadline: i64) -> Held {
        Held {
            head: Head {
                map: vec![0; bytes],
                goes_on: false,
            },
            settled: Vec::new(),
            fetch: FETCH,
            fetches_ended: 3,
            deadline: Timestamp::from_millis(deadline),
        }
    }

    fn contexts(requests: Vec<(u32, Held)>) -> Vec<u32> {
        requests.into_iter().map(|(context, _)| context).collect()
    }

    #[test]
    fn a_request_waits_until_a_fetch_of_its_source_ends() {
        let mut waiting = Waiting::default();
        waiting.hold(1, held(10, 100));
        let of_another = Held {
            fetch: Fetch::Keys(SourceId(1)),
            ..held(10, 100)
        };
        waiting.hold(2, of_another);
        let now = Timestamp::from_millis(99);
        assert!(waiting.take_due(now, |_| Some(3)).is_empty());
        let due = waiting.take_due(now, |fetch| Some(if *fetch == FETCH { 4 } else { 3 }));
        assert_eq!(due, [(1, held(10, 100))]);
        assert!(waiting.take_due(now, |_| Some(3)).is_empty());
        assert_eq!(contexts(waiting.take_due(now, |_| None)), [2]);
    }

    #[test]
    fn requests_are_released_by_what_they_wait_for() {
        let mut waiting = Waiting::default();
        waiting.hold(1, held(10, 100));
        let of_another = Held {
            fetch: Fetch::Keys(SourceId(1)),
            ..held(10, 100)
        };
        waiting.hold(2, of_another);
        assert_eq!(contexts(waiting.take_for(|fetch| *fetch != FETCH)), [2]);
        assert_eq!(contexts(waiting.take_for(|fetch| *fetch == FETCH)), [1]);
    }

    #[test]
    fn a_request_waits_at_most_until_its_deadline() {
        let mut waiting = Waiting::default();
        waiting.hold(1, held(10, 100));
        waiting.hold(2, held(10, 101));
        let due = waiting.take_due(Timestamp::from_millis(100), |_| Some(3));
        assert_eq!(contexts(due), [1]);
    }

    #[test]
    fn the_number_of_requests_is_bounded() {
        let mut waiting = Waiting::default();
        for context in 0..MAX_REQUESTS as u32 {
            assert!(waiting.has_room_for(1));
            waiting.hold(context, held(1, 100));
        }
        assert!(!waiting.has_room_for(0));
        waiting.forget(7);
        assert!(waiting.has_room_for(1));
    }

    #[test]
    fn the_bytes_of_the_requests_are_bounded() {
        let mut waiting = Waiting::default();
        assert!(!waiting.has_room_for(MAX_BYTES + 1));
        assert!(!waiting.has_room_for(usize::MAX));
        waiting.hold(1, held(MAX_BYTES - 10, 100));
        assert!(waiting.has_room_for(10));
        assert!(!waiting.has_room_for(11));
        assert_eq!(
            contexts(waiting.take_due(Timestamp::from_millis(100), |_| Some(3))),
            [1]
        );
        assert!(waiting.has_room_for(MAX_BYTES), "the bytes are given back");
    }

    #[test]
    fn a_request_that_has_ended_does_not_wait() {
        let mut waiting = Waiting::default();
        waiting.hold(1, held(10, 100));
        waiting.hold(2, held(10, 100));
        waiting.forget(1);
        waiting.forget(9);
        assert_eq!(contexts(waiting.take_all()), [2]);
        assert!(waiting.take_all().is_empty());
        assert!(waiting.has_room_for(MAX_BYTES));
    }
}
