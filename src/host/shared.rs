//! The host's shared data.

use std::cell::Cell;

use super::ffi;
use super::log;
use crate::ports::{Shared, SharedData};

/// The shared data of Envoy, which never deletes a key.
#[derive(Default)]
pub struct HostShared {
    has_warned: Cell<bool>,
}

impl SharedData for HostShared {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        ffi::shared(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        let shared = ffi::share(key, value, version);
        if shared == Shared::Refused && !self.has_warned.replace(true) {
            log::warn(
                "countersign: Envoy refuses shared data: each worker fetches keys and lists and counts failures separately",
            );
        }
        shared
    }
}
