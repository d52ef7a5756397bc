//! How much memory long lists of credentials take.

use std::fmt::Write as _;

use countersign::authenticate::api_key::list::ApiKeys;
use countersign::authenticate::listed::MAX_ENTRIES;
use countersign::keys::MAX_LIST;
use sha2::{Digest, Sha256};

use crate::allocations::{allocated, reset};

fn key(number: usize) -> [u8; 32] {
    Sha256::digest(number.to_string()).into()
}

/// A list of this many keys. Every tenth has scopes of its own.
fn body(keys: usize) -> Vec<u8> {
    let mut body = "{\"keys\": [".to_owned();
    for number in 0..keys {
        let separator = if number == 0 { "" } else { "," };
        let scope = if number % 10 == 0 {
            number
        } else {
            number % 10
        };
        write!(
            body,
            "{separator}{{\"id\":\"customer-{number}\",\"sha256\":\""
        )
        .unwrap();
        for octet in key(number) {
            write!(body, "{octet:02x}").unwrap();
        }
        write!(body, "\",\"scopes\":[\"orders:read\",\"orders:{scope}\"]}}").unwrap();
    }
    body.push_str("]}");
    body.into_bytes()
}

#[test]
fn a_hundred_thousand_keys_take_little_memory() {
    let body = body(100_000);
    assert!(body.len() > 13_000_000);
    reset();
    let (keys, ignored) = ApiKeys::read(&body).unwrap();
    let used = allocated();
    assert_eq!((keys.len(), ignored.len()), (100_000, 0));
    for number in [0, 1, 50_000, 99_999] {
        let found = keys.find(&key(number)).unwrap();
        assert_eq!(*found.id, *format!("customer-{number}"));
    }
    assert!(keys.find(&key(100_000)).is_none());
    // The entries, and the table of positions. Pointers take twice the memory of those in the module.
    let each = used.bytes / 100_000;
    println!(
        "{} bytes of JSON: {each} bytes for each key, {} at most",
        body.len(),
        used.most_bytes
    );
    assert!(each <= 128, "{each}");
    assert!(used.most_bytes <= used.bytes + 100_000, "{used:?}");
    drop(keys);
    assert!(allocated().bytes < 1_000);
}

#[test]
fn a_list_of_the_greatest_length_takes_bounded_memory() {
    let shapes = [
        format!("{{\"keys\":[{}7]}}", "7,".repeat(MAX_ENTRIES - 1)),
        // One entry that is longer than all others together.
        format!(
            "{{\"keys\":[{{\"id\":\"{}\"}}]}}",
            "\\u0061".repeat(2_000_000)
        ),
        format!(
            "{{\"keys\":[{{\"scopes\":[{}\"a\"]}}]}}",
            "\"a\",".repeat(4_000_000)
        ),
        format!("{{\"keys\":[[{}7]]}}", "[],".repeat(5_500_000)),
        format!("{{\"keys\":[\"{}\"]}}", "x".repeat(MAX_LIST - 100)),
        // Many entries, each as long as may be.
        format!(
            "{{\"keys\":[{}7]}}",
            format!("[{}7],", "[],".repeat(21_000)).repeat(250)
        ),
        format!("{{\"keys\":[{}", "7,".repeat(2_000_000)),
    ];
    for shape in shapes {
        assert!(shape.len() <= MAX_LIST);
        reset();
        let read = ApiKeys::read(shape.as_bytes());
        let most = allocated().most_bytes;
        println!("{}… ({} bytes): {most}", &shape[..20], shape.len());
        assert!(read.is_err() || read.is_ok_and(|(keys, _)| keys.is_empty()));
        assert!(most <= 24_000_000, "{most}");
    }
}
