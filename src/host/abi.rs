//! Calls to the host, safe against what it hands over.
//!
//! The usual SDK panics on bytes that are no UTF-8 and on statuses that it does not expect, and a panic stops every
//! request of the worker; it sends no response-code details; and it has the host call it for every part of a response
//! too. So the calls are declared here, in both directions: one that fails returns nothing, and whoever asked decides
//! what that means.
#![allow(unsafe_code)]

#[cfg(feature = "filter")]
mod entry;
#[cfg(feature = "filter")]
mod log;

use std::ptr::null_mut;
use std::time::Duration;

use crate::ports::{NotSent, Shared};
use crate::response::Reply;
use crate::time::Timestamp;

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;
const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const CALL_RESPONSE_HEADERS: u32 = 6;
const CALL_RESPONSE_BODY: u32 = 4;
const PLUGIN_CONFIGURATION: u32 = 7;
const REQUEST_STREAM: u32 = 0;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const NO_GRPC_STATUS: i32 = -1;
/// Versions are counted up from 1.
const NO_VERSION: u32 = u32::MAX;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        call: *mut u32,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
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
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        most: usize,
        data: *mut *mut u8,
        size: *mut usize,
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
}

/// The filter's document, as the host was given it.
pub fn configuration() -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size)
    })
}

/// Has the host call back again and again.
pub fn tick_every(period: Duration) {
    // SAFETY: a number only.
    unsafe { proxy_set_tick_period_milliseconds(millis(period)) };
}

/// Sends a request to a cluster of the host. The host delivers the response under the returned number.
///
/// # Errors
/// [`NotSent`].
pub fn call(
    cluster: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    timeout: Duration,
) -> Result<u32, NotSent> {
    let headers = serialised(headers);
    let trailers = serialised(&[]);
    let mut call = 0;
    // SAFETY: every buffer is valid for its length during the call; the host writes one number, or fails.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            trailers.as_ptr(),
            trailers.len(),
            millis(timeout),
            &raw mut call,
        )
    };
    match status {
        OK => Ok(call),
        BAD_ARGUMENT => Err(NotSent::NoCluster),
        _ => Err(NotSent::Refused),
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// The request's header map, one call for all of it: `count`, then the sizes of each name and value, then the bytes
/// of each, a NUL after every one.
pub fn request_headers() -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, size) })
}

/// The fields that follow the request's content, as a header map.
pub fn request_trailers() -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_TRAILERS, data, size) })
}

/// The header map of the response to a call of the filter's own.
pub fn call_response_headers() -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(CALL_RESPONSE_HEADERS, data, size) })
}

/// The content of the response to a call of the filter's own, up to so many bytes.
pub fn call_response_body(most: usize) -> Option<Vec<u8>> {
    // SAFETY: the host writes a pointer and a size, or fails.
    returned(|data, size| unsafe {
        proxy_get_buffer_bytes(CALL_RESPONSE_BODY, 0, most, data, size)
    })
}

/// Gives the request another target.
pub fn set_target(target: &[u8]) -> bool {
    set_field(":path", target)
}

/// Sets a field of the request, in place of every one of that name.
pub fn set_field(name: &str, value: &[u8]) -> bool {
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

/// Takes a field out of the request, every one of that name.
pub fn remove_field(name: &str) -> bool {
    remove(REQUEST_HEADERS, name)
}

/// Takes a field out of those that follow the request's content, every one of that name.
pub fn remove_trailer(name: &str) -> bool {
    remove(REQUEST_TRAILERS, name)
}

fn remove(map: u32, name: &str) -> bool {
    // SAFETY: the name is valid for its length during the call.
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) == OK }
}

/// Makes the calls that follow speak for another context; whether there is one of that number.
pub fn speak_for(context: u32) -> bool {
    // SAFETY: a number only; an unknown context is refused by the host.
    unsafe { proxy_set_effective_context(context) == OK }
}

/// Lets a request go on that was held.
pub fn continue_request() -> bool {
    // SAFETY: a number only.
    unsafe { proxy_continue_stream(REQUEST_STREAM) == OK }
}

/// A value that all workers share, and its version for [`share`]; version 0 where there is none yet.
pub fn shared(key: &str) -> (Option<Vec<u8>>, u32) {
    let mut version = 0;
    // SAFETY: the key is valid for its length during the call; the host writes a pointer, a size and a number, or
    // fails.
    let value = returned(|data, size| unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version)
    });
    (value, version)
}

/// Shares a value with all workers, if the version is still that one; 0 says that there is none yet.
pub fn share(key: &str, value: &[u8], version: u32) -> Shared {
    if version != 0 {
        return set_shared(key, value, version);
    }
    // To the host, 0 means "whatever is there", and two workers that find nothing would both be right. A version that
    // no value ever has is refused where there is a value; where a host refuses it without one, 0 is all there is.
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

/// The pairs of a serialised header map; none where it is cut short.
pub fn pairs(map: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (count, rest) = split_u32(map)?;
    let (mut sizes, mut bytes) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_size, rest) = split_u32(sizes)?;
        let (value_size, rest) = split_u32(rest)?;
        sizes = rest;
        let (name, rest) = bytes.split_at_checked(name_size)?;
        let (value, rest) = rest.get(1..)?.split_at_checked(value_size)?;
        bytes = rest.get(1..)?;
        pairs.push((name, value));
    }
    Some(pairs)
}

fn split_u32(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

/// A property of the request or the connection (Envoy's attributes), its path of names separated by NUL; none where it
/// cannot be read either.
pub fn property(path: &str) -> Option<Vec<u8>> {
    readable_property(path).unwrap_or_default()
}

/// A property, where it is there.
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

/// The host has a property, and cannot hand it over: Envoy none of a list with `null` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// The texts of a property that is a text or a list of texts: Envoy hands a list over like a header map, whose names are
/// the entries.
pub fn texts(property: &[u8]) -> Vec<&[u8]> {
    if !property.contains(&0) {
        return vec![property];
    }
    let pairs = pairs(property).unwrap_or_default();
    pairs.into_iter().map(|(name, _)| name).collect()
}

/// Sets filter state; access logs show it as `%FILTER_STATE(wasm.<name>:PLAIN)%`.
///
/// Where the host refuses, the access log lacks it, and nothing else depends on it.
pub fn set_filter_state(name: &str, value: &str) {
    // SAFETY: both texts are valid for their lengths during the call.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

/// Calls a function that the host knows by name; nothing where it does not, does not allow it, or fails.
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

/// Answers the request; whether the host took the answer.
pub fn send(reply: &Reply) -> bool {
    let headers: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    let headers = serialised(&headers);
    // SAFETY: every buffer is valid for its length during the call.
    let status = unsafe {
        proxy_send_local_response(
            u32::from(reply.status),
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    };
    status == OK
}

/// A header map as [`pairs`] reads it.
fn serialised(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut map = Vec::with_capacity(512);
    let mut push_size = |size: usize| {
        map.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
    };
    push_size(headers.len());
    for (name, value) in headers {
        push_size(name.len());
        push_size(value.len());
    }
    for (name, value) in headers {
        for bytes in [name.as_bytes(), value.as_bytes()] {
            map.extend_from_slice(bytes);
            map.push(0);
        }
    }
    map
}

/// The host's clock.
pub fn now() -> Option<Timestamp> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes one number, or fails.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    let millis = i64::try_from(nanoseconds / 1_000_000).ok()?;
    (status == OK).then_some(Timestamp::from_millis(millis))
}

/// Defines a counter, or finds the one of that name.
pub fn counter(name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the name is valid for its length during the call; the host writes one number, or fails.
    let status = unsafe { proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Defines a gauge, or finds the one of that name.
pub fn gauge(name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the name is valid for its length during the call; the host writes one number, or fails.
    let status = unsafe { proxy_define_metric(GAUGE, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Sets a gauge.
pub fn record(id: u32, value: u64) {
    // SAFETY: numbers only; an unknown identifier is refused by the host.
    unsafe { proxy_record_metric(id, value) };
}

/// Adds to a counter.
pub fn increment(id: u32, by: u32) {
    // SAFETY: numbers only; an unknown identifier is refused by the host.
    unsafe { proxy_increment_metric(id, by.into()) };
}

/// Bytes that the host returns, in memory that it had the module allocate.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data: *mut u8 = null_mut();
    let mut size = 0;
    if call(&raw mut data, &raw mut size) != OK || data.is_null() {
        return None;
    }
    // SAFETY: the host filled a buffer that `proxy_on_memory_allocate` made for it, with this size as its capacity,
    // and keeps no pointer to it.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}
