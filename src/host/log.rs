//! The log lines of the filter.
//!
//! Every line passes through this file, where characters that would end it or change how it is shown are escaped. The
//! SDK's logger escapes nothing, so the filter does not depend on the crate `log`: a line cannot bypass this file.

use proxy_wasm::hostcalls;
use proxy_wasm::types::LogLevel;

use crate::grammar::unprintable::escaped;

/// Has the SDK write panics to the host's log.
pub fn set_up() {
    proxy_wasm::set_log_level(LogLevel::Info);
}

/// Logs what an operator may want to know.
pub fn info(line: &str) {
    write(LogLevel::Info, line);
}

/// Logs what an operator should look at.
pub fn warn(line: &str) {
    write(LogLevel::Warn, line);
}

/// Logs a fault: the filter or the host does not work as it should.
pub fn error(line: &str) {
    write(LogLevel::Error, line);
}

fn write(level: LogLevel, line: &str) {
    // The SDK panics unless the host answers `Ok`. Envoy answers so, unless `capability_restriction_config` denies
    // `proxy_log`: then the first line, which says whether the configuration is accepted, ends the module, and Envoy
    // rejects the configuration.
    let _ = hostcalls::log(level, &escaped(line));
}
