//! Values that all workers share, in the host's shared data.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::ffi::{self, Shared};
use super::log;
use crate::store::{Cells, Limits, Put};

/// The values of one filter, each under a key of its own; the host forgets none.
pub struct SharedCells {
    prefix: String,
}

impl SharedCells {
    /// The values of this filter, as the host names it, as long as the limits are these. Others never find them.
    pub fn of_failures(limits: Limits) -> Self {
        let mut hash = Sha256::new();
        for property in ["plugin_name", "plugin_root_id", "plugin_vm_id"] {
            let name = ffi::property(property).unwrap_or_default();
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
        }
        hash.update(format!("{limits:?}"));
        let mut prefix = "countersign.failures.".to_owned();
        for byte in hash.finalize() {
            // Writing to a string does not fail.
            let _ = write!(prefix, "{byte:02x}");
        }
        Self { prefix }
    }

    fn key(&self, number: u16) -> String {
        format!("{}.{number}", self.prefix)
    }
}

impl Cells for SharedCells {
    fn get(&self, number: u16) -> (Option<Vec<u8>>, u32) {
        ffi::shared(&self.key(number))
    }

    fn put(&self, number: u16, value: &[u8], version: u32) -> Put {
        match ffi::share(&self.key(number), value, version) {
            Shared::Yes => Put::Done,
            Shared::TooLate => Put::TooLate,
            Shared::No => {
                log::warn(
                    "countersign: the host shares nothing: each worker counts failures by itself",
                );
                Put::Refused
            }
        }
    }
}
