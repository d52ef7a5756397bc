//! The log lines of the filter.
//!
//! Every line passes through this file, where characters that would end it or change how it is shown are escaped: the
//! SDK's logger, which writes what the crate `log` is handed, escapes nothing.
//!
//! The maximum level of the crate `log` is the host's level, so that a line which the host would drop is not made.

use std::cell::RefCell;
use std::time::Duration;

pub use log::Level;
use log::LevelFilter;
use proxy_wasm::types::LogLevel;

use super::ffi;
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

/// Reads the host's level. Envoy's admin interface can change it at any time, so that it is read on each tick.
///
/// Not before the first line is written: see [`set_up`]. If the host does not say its level, every line is made.
pub fn follow_host() {
    log::set_max_level(match ffi::log_level() {
        None => LevelFilter::Info,
        Some(level) if level <= LogLevel::Info as u32 => LevelFilter::Info,
        Some(level) if level == LogLevel::Warn as u32 => LevelFilter::Warn,
        Some(level) if level == LogLevel::Error as u32 => LevelFilter::Error,
        Some(_) => LevelFilter::Off,
    });
}

/// Whether the host writes lines of this level.
pub fn is_written(level: Level) -> bool {
    level <= log::max_level()
}

/// Logs a line in which nothing has to be escaped. Unlike the crate `log`, it copies nothing.
pub fn write(level: Level, line: &str) {
    let level = match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    };
    ffi::log(level as u32, line);
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
