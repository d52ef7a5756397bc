//! The host's shared data.

use std::cell::Cell;

use log::warn;

use super::abi;
use crate::ports::{Shared, SharedData};

/// The shared data of Envoy, which never deletes a key.
#[derive(Default)]
pub struct HostShared {
    has_warned: Cell<bool>,
}

impl SharedData for HostShared {
    fn get(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        abi::shared(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> Shared {
        let shared = abi::share(key, value, version);
        if shared == Shared::Refused && !self.has_warned.replace(true) {
            warn!(
                "countersign: Envoy refuses shared data: each worker fetches keys and counts failures separately"
            );
        }
        shared
    }
}
