//! The log lines of the filter.
//!
//! Every line passes through this file, where characters that would end it or change how it is shown are escaped: the
//! SDK's logger, which writes what the crate `log` is handed, escapes nothing.

use std::cell::RefCell;
use std::time::Duration;

use proxy_wasm::types::LogLevel;

use crate::grammar::unprintable::escaped;
use crate::time::Timestamp;

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

/// Log lines for what can happen with every request: a line per request would fill the log. One per configuration in
/// each worker.
#[derive(Default)]
pub struct Limited(RefCell<Vec<(String, Timestamp)>>);

impl Limited {
    /// The most different lines. A configuration can have more routes.
    const MOST: usize = 64;

    /// Logs a fault, unless this line was logged before.
    pub fn error(&self, line: &str) {
        let forever = Timestamp::from_millis(i64::MAX);
        // The time does not matter, because no line comes back.
        if let Some(line) = self.admit(line, forever, Timestamp::from_millis(0)) {
            error(line);
        }
    }

    /// Logs what an operator should look at, unless this line was logged within the last `pause`.
    pub fn warn(&self, line: &str, pause: Duration, now: Timestamp) {
        if let Some(line) = self.admit(line, now.plus(pause), now) {
            warn(line);
        }
    }

    /// The line to log; none if this line is not to be logged again before a time.
    fn admit<'l>(&self, line: &'l str, until: Timestamp, now: Timestamp) -> Option<&'l str> {
        let mut logged = self.0.borrow_mut();
        logged.retain(|(_, until)| now < *until);
        if logged.len() > Self::MOST || logged.iter().any(|(known, _)| known == line) {
            return None;
        }
        let is_last = logged.len() == Self::MOST;
        logged.push((line.to_owned(), until));
        Some(match is_last {
            true => "countersign: too many different lines: further ones are not logged",
            false => line,
        })
    }
}
