//! The log lines of the filter.
//!
//! Every line passes through this file, where characters that would end it or change how it is shown are escaped: the
//! SDK's logger, which writes what the crate `log` is handed, escapes nothing.

use std::cell::RefCell;

use proxy_wasm::types::LogLevel;

use crate::grammar::unprintable::escaped;

/// Has the SDK write log lines, and panics, to the host's log.
///
/// Its logger panics unless the host answers `Ok`. Envoy answers so, unless `capability_restriction_config` denies
/// `proxy_log`: then the first line, which says whether the configuration is accepted, ends the module, and Envoy rejects
/// the configuration.
pub fn set_up() {
    proxy_wasm::set_log_level(LogLevel::Info);
}

/// Logs what an operator may want to know.
pub fn info(line: &str) {
    log::info!("{}", escaped(line));
}

/// Logs what an operator should look at.
pub fn warn(line: &str) {
    log::warn!("{}", escaped(line));
}

/// Logs a fault: the filter or the host does not work as it should.
pub fn error(line: &str) {
    log::error!("{}", escaped(line));
}

/// The faults that a worker meets on requests under one configuration. Each is logged once: a line per request would
/// fill the log.
#[derive(Default)]
pub struct Faults(RefCell<Vec<String>>);

impl Faults {
    /// The most faults that are logged. A configuration can have more routes.
    const MOST: usize = 64;

    /// Logs a fault, unless this line was logged before.
    pub fn error(&self, line: &str) {
        let mut logged = self.0.borrow_mut();
        if logged.len() > Self::MOST || logged.iter().any(|known| known == line) {
            return;
        }
        error(match logged.len() {
            Self::MOST => "countersign: too many faults: further ones are not logged",
            _ => line,
        });
        logged.push(line.to_owned());
    }
}
