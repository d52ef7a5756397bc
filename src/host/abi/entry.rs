//! What the host calls: proxy-wasm's ABI 0.2.1.
//!
//! A callback that a module does not export costs nothing: the host goes on by itself. So there is none here for
//! responses, bodies and logs, and the one for trailers is entered by requests that have some.

use std::panic;

use super::log::{CRITICAL, log_line, log_to_host};
use crate::host::contexts;

unsafe extern "C" {
    /// Made by the linker; it must be called once, since nothing else does in a module without `main`.
    safe fn __wasm_call_ctors();
}

/// Let the request go on, or hold it.
const CONTINUE: u32 = 0;
const PAUSE: u32 = 1;

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    __wasm_call_ctors();
    log_to_host();
    panic::set_hook(Box::new(|info| log_line(CRITICAL, &info.to_string())));
}

/// Memory for the host to write into; `super::returned` takes it over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    if root == 0 {
        contexts::create_root(context);
    } else {
        contexts::create_stream(context, root);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    contexts::delete(context);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, _size: usize) -> u32 {
    contexts::configure(root).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    contexts::tick(root);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    call: u32,
    _headers: usize,
    _body: usize,
    _trailers: usize,
) {
    contexts::respond(root, call);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _headers: usize, is_all: u32) -> u32 {
    if contexts::request_may_pass(context, is_all == 0) {
        CONTINUE
    } else {
        PAUSE
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _trailers: usize) -> u32 {
    if contexts::trailers_may_pass(context) {
        CONTINUE
    } else {
        PAUSE
    }
}
