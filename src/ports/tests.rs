use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard};

use super::*;

/// Data that the workers of a host share.
#[derive(Clone, Default)]
pub(crate) struct SharedCells(Arc<Mutex<Held>>);

/// The values and their versions.
pub(crate) type Held = BTreeMap<String, (Vec<u8>, u32)>;

impl SharedCells {
    /// All values.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap()
    }
}

impl SharedData for SharedCells {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        let found = self.0.lock().unwrap().get(key).cloned();
        // Other workers continue in between.
        std::thread::yield_now();
        found.map_or((None, 0), |(value, version)| (Some(value), version))
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        let mut cells = self.0.lock().unwrap();
        let (held, current) = cells.entry(key.to_owned()).or_default();
        if *current != version {
            return Shared::TooLate;
        }
        (*held, *current) = (value.to_vec(), version + 1);
        Shared::Done
    }
}

/// Data in which another worker is faster: this many times, it changes a key before it is written.
pub(crate) struct Overtaken {
    pub(crate) cells: SharedCells,
    pub(crate) times: Cell<u32>,
    pub(crate) other: Box<dyn Fn(&str)>,
}

impl SharedData for Overtaken {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        self.cells.get(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        if let Some(times) = self.times.get().checked_sub(1) {
            self.times.set(times);
            (self.other)(key);
        }
        self.cells.set(key, value, version)
    }
}

/// Data that refuses every write.
pub(crate) struct NoCells;

impl SharedData for NoCells {
    fn get(&self, _: &str) -> (Option<Vec<u8>>, u32) {
        (None, 0)
    }

    fn set(&self, _: &str, _: &[u8], _: u32) -> Shared {
        Shared::Refused
    }
}

#[test]
fn local_data_has_versions() {
    let data = LocalData::default();
    assert_eq!(data.get("a"), (None, 0));
    assert_eq!(data.set("a", b"1", 1), Shared::TooLate);
    assert_eq!(data.get("a"), (None, 0));
    assert_eq!(data.set("a", b"1", 0), Shared::Done);
    let (value, version) = data.get("a");
    assert_eq!(value.as_deref(), Some(&b"1"[..]));
    assert_ne!(version, 0);
    assert_eq!(data.set("a", b"2", 0), Shared::TooLate);
    assert_eq!(data.set("a", b"2", version), Shared::Done);
    assert_eq!(data.get("b"), (None, 0));
}

#[test]
fn a_shared_key_shows_its_name_and_differs_between_users() {
    let key = |user: &[&str]| shared_key("a", &user);
    assert_eq!(key(&["b"]).len(), "countersign.a.".len() + 64);
    assert!(key(&["b"]).starts_with("countersign.a."));
    assert_eq!(key(&["b", "c"]), key(&["b", "c"]));
    assert_ne!(key(&["b", "c"]), key(&["bc"]));
    assert_ne!(key(&["b", "c"]), key(&["b", "c", ""]));
}

#[test]
fn a_call_has_pseudo_headers_first() {
    let url = Url::parse("https://Login.example.com:8443/introspect?a=b").unwrap();
    let call = Call {
        cluster: "login",
        method: Method::Post,
        url: &url,
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: b"token=abc",
        timeout: Duration::from_secs(2),
    };
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "login.example.com:8443"),
        (":path", "/introspect?a=b"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    assert_eq!(call.fields(), fields);
}

#[test]
fn a_response_has_a_status() {
    let response = |status: &'static [u8]| {
        let headers = vec![(&b":status"[..], status), (b"a", b"1"), (b"a", b"2")];
        Response::from_host(headers, b"body".to_vec())
    };
    let good = response(b"200").unwrap();
    assert_eq!(good.status, 200);
    assert!(good.values(b"a").eq([b"1", b"2"]));
    for status in [&b""[..], b"x", b"70000", b"\xff"] {
        assert!(response(status).is_none(), "{status:?}");
    }
    assert!(Response::from_host(Vec::new(), Vec::new()).is_none());
}
