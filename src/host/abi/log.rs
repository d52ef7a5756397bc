//! The host's log.
#![allow(unsafe_code)]

use crate::grammar::unprintable::escaped;

/// A level above those of `log`.
pub const CRITICAL: u32 = 5;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, text_size: usize) -> u32;
}

/// Writes what is logged to the host's log, from `info` on.
pub fn log_to_host() {
    // It fails where a logger is set already, and this one is the first.
    let _ = ::log::set_logger(&HostLog);
    ::log::set_max_level(::log::LevelFilter::Info);
}

struct HostLog;

impl ::log::Log for HostLog {
    fn enabled(&self, metadata: &::log::Metadata<'_>) -> bool {
        metadata.level() <= ::log::max_level()
    }

    fn log(&self, record: &::log::Record<'_>) {
        let level = match record.level() {
            ::log::Level::Trace => 0,
            ::log::Level::Debug => 1,
            ::log::Level::Info => 2,
            ::log::Level::Warn => 3,
            ::log::Level::Error => 4,
        };
        // No text that is logged can end the line, or change how it is shown.
        log_line(level, &escaped(&record.args().to_string()));
    }

    fn flush(&self) {}
}

pub fn log_line(level: u32, text: &str) {
    // SAFETY: the text is valid for its length during the call.
    unsafe { proxy_log(level, text.as_ptr(), text.len()) };
}
