use proptest::prelude::*;

use super::*;
use crate::ports::tests::{NoCells, SharedCells};

const LIFETIME: Duration = Duration::from_secs(300);

const DIGEST: Purpose<'static> = Purpose {
    use_: Use::Digest,
    realm: "api",
    provider: "lab",
    lifetime: LIFETIME,
};

/// The time that is this many milliseconds after a fixed time.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

fn key() -> NonceKey {
    NonceKey::of_secret(b"a secret of several Envoys")
}

fn check(nonce: impl AsRef<[u8]>, now: Timestamp) -> Result<Timestamp, NonceFault> {
    key().check(&DIGEST, nonce.as_ref(), now)
}

#[test]
fn a_nonce_is_valid_for_its_lifetime() {
    let nonce = key().issue(&DIGEST, at(7));
    for (now, valid) in [
        (7, Ok(at(300_007))),
        (300_006, Ok(at(300_007))),
        (300_007, Err(NonceFault::Expired)),
        (i64::MAX / 2, Err(NonceFault::Expired)),
    ] {
        assert_eq!(check(&nonce, at(now)), valid, "{now}");
    }
}

#[test]
fn a_nonce_from_before_the_clock_was_set_back_is_foreign() {
    let nonce = key().issue(&DIGEST, at(0));
    for (now, valid) in [
        (-1, Ok(at(300_000))),
        (-60_000, Ok(at(300_000))),
        (-60_001, Err(NonceFault::Foreign)),
        (-1_800_000_000_000, Err(NonceFault::Foreign)),
        (i64::MIN / 2, Err(NonceFault::Foreign)),
    ] {
        assert_eq!(check(&nonce, at(now)), valid, "{now}");
    }
}

#[test]
fn no_time_makes_a_nonce_that_is_valid_for_longer() {
    for millis in [i64::MIN, -1, 0, (1 << 48) - 1, 1 << 48, i64::MAX] {
        let now = Timestamp::from_millis(millis);
        let nonce = key().issue(&DIGEST, now);
        let until = check(&nonce, now).ok();
        if (0..1 << 48).contains(&millis) {
            assert_eq!(until, Some(now.plus(LIFETIME)), "{millis}");
        }
        let latest = now.plus(SKEW).plus(LIFETIME);
        assert!(until.is_none_or(|until| until <= latest), "{millis}");
    }
}

#[test]
fn two_nonces_of_one_millisecond_differ() {
    let nonces: std::collections::BTreeSet<_> =
        (0..1_000).map(|_| key().issue(&DIGEST, at(0))).collect();
    assert_eq!(nonces.len(), 1_000);
}

/// RFC 9449 §8.1, and no character that a quoted string escapes.
#[test]
fn a_nonce_is_40_characters_of_base64url() {
    let nonce = key().issue(&DIGEST, at(0));
    assert_eq!(nonce.len(), 40);
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(nonce.chars().all(is_base64url), "{nonce}");
}

#[test]
fn a_nonce_for_one_purpose_is_foreign_for_another() {
    let purpose = |use_, realm, provider| Purpose {
        use_,
        realm,
        provider,
        lifetime: LIFETIME,
    };
    let purposes = [
        DIGEST,
        purpose(Use::Dpop, "api", "lab"),
        purpose(Use::Digest, "apil", "ab"),
        purpose(Use::Digest, "", "apilab"),
        purpose(Use::Digest, "apilab", ""),
        purpose(Use::Digest, "lab", "api"),
        purpose(Use::Digest, "api", "lab "),
        purpose(Use::Digest, "api", "Lab"),
        purpose(Use::Digest, "", ""),
        // The octets of a length and of a name.
        purpose(Use::Digest, "api\0\0\0\0\0\0\0\u{3}lab", ""),
    ];
    for issued in &purposes {
        let nonce = key().issue(issued, at(0));
        for checked in &purposes {
            let valid = key().check(checked, nonce.as_bytes(), at(0));
            let expected = if issued == checked {
                Ok(at(300_000))
            } else {
                Err(NonceFault::Foreign)
            };
            assert_eq!(valid, expected, "{issued:?}, {checked:?}");
        }
    }
}

/// Otherwise a nonce could be valid again after its uses were forgotten.
#[test]
fn a_nonce_with_another_lifetime_is_foreign() {
    let nonce = key().issue(&DIGEST, at(0));
    for lifetime in [1, 299_999, 300_001, 3_600_000] {
        let lifetime = Duration::from_millis(lifetime);
        let purpose = Purpose { lifetime, ..DIGEST };
        let valid = key().check(&purpose, nonce.as_bytes(), at(0));
        assert_eq!(valid, Err(NonceFault::Foreign), "{lifetime:?}");
    }
}

#[test]
fn a_nonce_of_another_key_is_foreign() {
    let own = key().issue(&DIGEST, at(0));
    assert!(check(&own, at(0)).is_ok());
    for other in [
        NonceKey::random().unwrap(),
        NonceKey::of_secret(b""),
        NonceKey::of_secret(b"a secret of several Envoys "),
    ] {
        let nonce = other.issue(&DIGEST, at(0));
        assert_eq!(check(&nonce, at(0)), Err(NonceFault::Foreign));
    }
}

#[test]
fn what_is_not_a_nonce_is_foreign() {
    let nonce = key().issue(&DIGEST, at(0));
    let octets = Base64UrlUnpadded::decode_vec(&nonce).unwrap();
    let long = "A".repeat(10_000);
    let twice = nonce.repeat(2);
    let (begin, _) = nonce.split_at(39);
    let (_, end) = nonce.split_at(1);
    let (whole_group, _) = nonce.split_at(36);
    let standard = base64ct::Base64Unpadded::encode_string(&[0xff; 30]);
    for text in [
        "",
        "A",
        &long,
        &twice,
        &standard,
        end,
        begin,
        whole_group,
        &format!("{nonce}="),
        &format!("{nonce}A"),
        &format!("{begin}="),
        &format!(" {begin}"),
        &nonce.to_ascii_uppercase(),
        &Base64UrlUnpadded::encode_string(&[0; 30]),
    ] {
        assert_eq!(check(text, at(0)), Err(NonceFault::Foreign), "{text}");
    }
    assert_eq!(check([0xff; 40], at(0)), Err(NonceFault::Foreign));
    for bit in 0..octets.len() * 8 {
        let mut changed = octets.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let text = Base64UrlUnpadded::encode_string(&changed);
        assert_eq!(check(&text, at(0)), Err(NonceFault::Foreign), "{bit}");
    }
}

/// So that what is recorded as used is not used again under another spelling.
#[test]
fn a_nonce_has_one_spelling() {
    let nonce = key().issue(&DIGEST, at(0));
    for place in 0..nonce.len() {
        for other in 0..=u8::MAX {
            let mut changed = nonce.clone().into_bytes();
            let is_same = std::mem::replace(&mut changed[place], other) == other;
            assert_eq!(check(&changed, at(0)).is_ok(), is_same);
        }
    }
}

#[test]
fn workers_share_a_key() {
    let cells = SharedCells::default();
    let shared = |names: &[&[u8]]| NonceKey::shared(&cells, names).unwrap();
    let nonce = shared(&[b"one"]).issue(&DIGEST, at(0));
    let valid = |names: &[&[u8]]| {
        shared(names)
            .check(&DIGEST, nonce.as_bytes(), at(0))
            .is_ok()
    };
    assert!(valid(&[b"one"]));
    assert!(!valid(&[b"two"]));
    assert!(!valid(&[b"one", b""]));
    assert!(NonceKey::shared(&NoCells, &[b"one"]).is_none());
}

/// Envoys of two versions can have the same secret. This nonce was computed with Python's `hmac`.
#[test]
fn the_format_does_not_change() {
    let nonce = "AaMYXFAAAQIDBAUGBwjVixq70eOj2h8Tbdo5uNRL";
    assert_eq!(check(nonce, at(0)), Ok(at(300_000)));
}

proptest! {
    #[test]
    fn no_text_is_a_nonce(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(check(&text, at(0)), Err(NonceFault::Foreign));
    }

    #[test]
    fn no_base64url_is_a_nonce(text in "[A-Za-z0-9_-]{40}") {
        prop_assert_eq!(check(&text, at(0)), Err(NonceFault::Foreign));
    }
}
