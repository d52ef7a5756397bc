//! The host calls that the SDK cannot make safely, declared by hand (proxy-wasm ABI 0.2.1).
//!
//! A panic ends the module for every request of its worker. `proxy-wasm` 0.2.5 panics in `src/hostcalls.rs` on every
//! status that it does not list, and a status outside its `enum Status` is undefined behaviour. A host answers with such
//! a status where an operator denies a call (Envoy's `capability_restriction_config`: `InternalFailure`), and where
//! there is nothing to change (`BadArgument`). Here a status is a number, and a call that fails returns that it failed.
//! The caller decides what this means for the request.
//!
//! | call | why not the SDK's |
//! |---|---|
//! | `proxy_get_header_map_pairs` | `get_map_bytes` panics on a name that is not UTF-8; it allocates twice per header: 8 µs per request, here 2 |
//! | `proxy_replace_header_map_value`, `proxy_remove_header_map_value` | panic on every status but `Ok` |
//! | `proxy_get_property` | allocates for the path, and panics on a status that it does not list |
//! | `proxy_set_property` | panics on every status but `Ok`: Envoy refuses to replace read-only filter state |
//! | `proxy_send_local_response` | `send_http_response` sends no response-code details; panics on every status but `Ok` |
//! | `proxy_call_foreign_function` | panics on a status that it does not list |
//! | `proxy_get_shared_data`, `proxy_set_shared_data` | panic on a status that they do not list |
//! | `proxy_define_metric`, `proxy_record_metric`, `proxy_increment_metric` | panic on a status that they do not list |
//! | `proxy_get_current_time_nanoseconds`, `proxy_continue_stream` | panic on every status but `Ok` |
//! | `proxy_log` | panics on every status but `Ok`; the SDK's logger copies each line to format it |
//! | `proxy_get_log_level` | panics on every status but `Ok`; Envoy's level `off` is outside of the SDK's `enum LogLevel` |
//! | `proxy_set_effective_context` | panics on every status but `Ok` and `BadArgument` |
//!
//! The log, ticks, buffers and HTTP calls are the SDK's. The filter uses the first three while it is configured, so that
//! Envoy rejects a configuration that denies them. The SDK lists every status with which an HTTP call fails.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use crate::header_map;
use crate::ports::Shared;
use crate::response::Reply;
use crate::time::Timestamp;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;
const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const CALL_RESPONSE_HEADERS: u32 = 6;
const REQUEST_STREAM: u32 = 0;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const NO_GRPC_STATUS: i32 = -1;
/// No value has this version: the host counts versions up from 1.
const NO_VERSION: u32 = u32::MAX;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        results: *mut *mut u8,
        results_size: *mut usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_log(level: u32, line: *const u8, line_size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
}

// Of the SDK, which exports it to the host.
unsafe extern "C" {
    fn proxy_on_queue_ready(context: u32, queue: u32);
}

/// The header map of the request, for [`header_map::parse`].
pub fn request_headers() -> Option<Vec<u8>> {
    header_map_of(REQUEST_HEADERS)
}

/// The header map of the request's trailers, for [`header_map::parse`].
pub fn request_trailers() -> Option<Vec<u8>> {
    header_map_of(REQUEST_TRAILERS)
}

/// The header map of the response to an HTTP call of the filter, for [`header_map::parse`].
pub fn call_response_headers() -> Option<Vec<u8>> {
    header_map_of(CALL_RESPONSE_HEADERS)
}

fn header_map_of(map: u32) -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })
}

/// Sets a request header in place of every one with that name. Returns whether the host did so.
pub fn set_header(name: &str, value: &[u8]) -> bool {
    // SAFETY: both are valid for their lengths during the call.
    let status = unsafe {
        proxy_replace_header_map_value(
            REQUEST_HEADERS,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    status == OK
}

/// Removes every request header with that name. Returns whether the host did so.
pub fn remove_header(name: &str) -> bool {
    remove(REQUEST_HEADERS, name)
}

/// Removes every request trailer with that name. Returns whether the host did so.
pub fn remove_trailer(name: &str) -> bool {
    remove(REQUEST_TRAILERS, name)
}

fn remove(map: u32, name: &str) -> bool {
    // SAFETY: the name is valid for its length during the call.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) == OK }
}

/// A property of the request or the connection (Envoy's attributes), or `None` if there is none or it cannot be read.
/// The names in the path are separated by NUL.
pub fn property(path: &str) -> Option<Vec<u8>> {
    readable_property(path).unwrap_or_default()
}

/// A property, or `None` if there is none. The names in the path are separated by NUL.
///
/// # Errors
/// [`Unreadable`].
pub fn readable_property(path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut status = OK;
    let value = returned(|data, size| {
        // SAFETY: the path is valid for its length during the call; the host writes a pointer and a size, or fails.
        status = unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) };
        status
    });
    match status {
        OK | NOT_FOUND => Ok(value),
        _ => Err(Unreadable),
    }
}

/// The host has a property and cannot return it. Envoy cannot return a list that contains `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// Sets filter state, which access logs show as `%FILTER_STATE(wasm.<name>:PLAIN)%`.
///
/// If the host refuses, the access log lacks the value. Nothing else depends on it.
pub fn set_filter_state(name: &str, value: &str) {
    // SAFETY: both texts are valid for their lengths during the call.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

/// Sends a response to the client instead of the upstream's. Returns whether the host takes it. `map` is memory for its
/// headers.
pub fn send(reply: &Reply, map: &mut Vec<u8>) -> bool {
    reply.headers.write_to(map);
    // SAFETY: every buffer is valid for its length during the call.
    let status = unsafe {
        proxy_send_local_response(
            u32::from(reply.status),
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            map.as_ptr(),
            map.len(),
            NO_GRPC_STATUS,
        )
    };
    status == OK
}

/// Calls a function that the host knows by name. `None` if the host has no such function, denies it, or fails.
pub fn foreign_function(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: name and arguments are valid for their lengths during the call; the host writes a pointer and a size, or
    // fails.
    returned(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

/// A value that all workers share, and its version for [`share`]. The version is 0 if there is no value yet.
pub fn shared(key: &str) -> (Option<Vec<u8>>, u32) {
    let mut version = 0;
    // SAFETY: the key is valid for its length during the call; the host writes a pointer, a size and a number, or
    // fails.
    let value = returned(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
    });
    (value, version)
}

/// Shares a value with all workers if it still has that version. Version 0 means that there is no value yet.
pub fn share(key: &str, value: &[u8], version: u32) -> Shared {
    if version != 0 {
        return set_shared(key, value, version);
    }
    // To the host, version 0 means "any version", so that two workers which find no value would both succeed. The host
    // rejects a version that no value has if there is a value. If it rejects that version although there is none, only
    // 0 is left.
    match set_shared(key, value, NO_VERSION) {
        Shared::TooLate if shared(key).1 == 0 => set_shared(key, value, 0),
        done => done,
    }
}

fn set_shared(key: &str, value: &[u8], version: u32) -> Shared {
    // SAFETY: both are valid for their lengths during the call.
    let status = unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    match status {
        OK => Shared::Done,
        CAS_MISMATCH => Shared::TooLate,
        _ => Shared::Refused,
    }
}

/// Defines a counter, or finds the one with that name. Returns its identifier.
pub fn counter(name: &str) -> Option<u32> {
    define_metric(COUNTER, name)
}

/// Defines a gauge, or finds the one with that name. Returns its identifier.
pub fn gauge(name: &str) -> Option<u32> {
    define_metric(GAUGE, name)
}

fn define_metric(kind: u32, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the name is valid for its length during the call; the host writes one number, or fails.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Sets a gauge.
pub fn record(id: u32, value: u64) {
    // SAFETY: numbers only; the host rejects an unknown identifier.
    unsafe { proxy_record_metric(id, value) };
}

/// Adds to a counter.
pub fn increment(id: u32, by: u32) {
    // SAFETY: numbers only; the host rejects an unknown identifier.
    unsafe { proxy_increment_metric(id, by.into()) };
}

/// The time by the host's clock.
pub fn now() -> Option<Timestamp> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one number, or fails.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    let millis = i64::try_from(nanoseconds / 1_000_000).ok()?;
    (status == OK).then_some(Timestamp::from_millis(millis))
}

/// Writes a line to the host's log, at one of the levels that [`log_level`] can return.
///
/// If the host refuses, the log lacks the line. Nothing else depends on it.
pub fn log(level: u32, line: &str) {
    // SAFETY: the line is valid for its length during the call.
    unsafe { proxy_log(level, line.as_ptr(), line.len()) };
}

/// The lowest level of a line that the host writes to its log. `None` if the host does not say.
pub fn log_level() -> Option<u32> {
    let mut level = 0;
    // SAFETY: the host writes one number, or fails.
    let status = unsafe { proxy_get_log_level(&raw mut level) };
    (status == OK).then_some(level)
}

/// Makes the calls that follow act on another context. Returns whether the host has a context with that number.
pub fn act_on(context: u32) -> bool {
    // SAFETY: a number only; the host rejects an unknown context.
    unsafe { proxy_set_effective_context(context) == OK }
}

/// Runs `on_queue_ready` of a root context while a callback of a request runs, and then acts on the request again. Returns
/// whether it ran.
///
/// The SDK delivers the response to an HTTP call to the context whose callback runs when the call is sent
/// (`src/dispatcher.rs`, `register_callout`). If that is a request which has ended, it drops the response. So a call must be
/// sent by a callback of the root context, and no later call of the host is one at the right time. The module has no queue,
/// and does not export this function, so that the host never calls it.
///
/// The root context must exist, and none of its callbacks may run: the SDK panics otherwise.
pub fn run_in_root(root: u32, request: u32) -> bool {
    if !act_on(root) {
        return false;
    }
    // SAFETY: a function of this module, with numbers only. The host is not involved.
    unsafe { proxy_on_queue_ready(root, 0) };
    act_on(request)
}

/// Continues a request that was paused. Returns whether the host did so.
pub fn continue_request() -> bool {
    // SAFETY: a number only.
    unsafe { proxy_continue_stream(REQUEST_STREAM) == OK }
}

/// The bytes that a call returns, in memory that the host had the module allocate. `None` if the call fails.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data: *mut u8 = null_mut();
    let mut size = 0;
    if call(&raw mut data, &raw mut size) != OK || data.is_null() {
        return None;
    }
    // SAFETY: the host filled a buffer that the SDK's `proxy_on_memory_allocate` made for it, a boxed slice of this
    // size, and keeps no pointer to it.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}
