//! The built module: what it asks of its host, and how big it is.

use crate::support;
use std::fs;

use wasmparser::{Parser, Payload};

/// In bytes. Every worker of every Envoy compiles and holds the module. It has 1.95 MB, of which CEL takes 470 kB,
/// everything that words and formats responses about 80 kB, and password hashes 40 kB.
const MAX_SIZE: usize = 2_120_000;

/// What Envoy offers of WASI and Rust's standard library asks for.
const WASI: [&str; 8] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

#[test]
fn the_module_imports_only_what_envoy_offers() {
    let module = fs::read(support::envoy::module_path()).unwrap();
    let mut imports = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ImportSection(section) = payload.expect("a valid module") {
            for import in section.into_imports() {
                let import = import.unwrap();
                imports.push((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    assert!(
        imports
            .iter()
            .any(|(module, name)| module == "env" && name.starts_with("proxy_")),
        "the module calls no host: {imports:?}"
    );
    let foreign: Vec<_> = imports
        .iter()
        .filter(|(module, name)| match module.as_str() {
            "env" => !name.starts_with("proxy_"),
            "wasi_snapshot_preview1" => !WASI.contains(&name.as_str()),
            _ => true,
        })
        .collect();
    assert!(foreign.is_empty(), "Envoy does not offer {foreign:?}");
}

/// Envoy enters the module for each `proxy_on_` that it exports, at a cost to every request. So there are none for content,
/// responses and logs, although the SDK exports them. Hardly a request has trailers.
#[test]
fn the_module_exports_what_the_filter_implements() {
    assert_eq!(
        support::module::module_exports(),
        [
            "_initialize",
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_http_call_response",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
            "proxy_on_tick",
        ]
    );
}

#[test]
fn the_module_is_small() {
    let size = fs::read(support::envoy::module_path()).unwrap().len();
    assert!(
        size <= MAX_SIZE,
        "the module has {size} bytes, more than {MAX_SIZE}"
    );
}

#[test]
fn the_checksum_is_the_modules() {
    let path = support::envoy::module_path();
    let module = fs::read(&path).unwrap();
    let written = fs::read_to_string(path.with_extension("wasm.sha256")).unwrap();
    let digest: String = <sha2::Sha256 as sha2::Digest>::digest(&module)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(written, format!("{digest}  countersign.wasm\n"));
}
