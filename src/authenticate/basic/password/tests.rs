use argon2::PasswordHasher;
use base64ct::{Base64, Encoding};
use proptest::prelude::*;

use super::PasswordHashFault::{Argon2Memory, Argon2Work, BcryptCost, Malformed, Unsupported};
use super::*;

fn verifies(hash: &str, password: impl AsRef<[u8]>) -> bool {
    PasswordHash::parse(hash)
        .expect(hash)
        .verify(password.as_ref())
}

fn fault(hash: &str) -> PasswordHashFault {
    PasswordHash::parse(hash).expect_err(hash)
}

/// Made by `htpasswd` 2.4.71, by `openssl dgst -sha256`, by libargon2 (`argon2-cffi` 25.1) and by Python's `bcrypt` 5.0.
const HASHES: &[(&str, &str)] = &[
    (
        "secret",
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW",
    ),
    (
        "pässwörd",
        "$2y$04$Sd/YTm4xzKESjDpv7tgc.ew1t0F/qkJCBRiAvMibpX1RsTr4N0gRO",
    ),
    (
        "",
        "$2y$04$AjTQDa5IE3dFSxbolxLMHubR54rbaz0HCJQEmBVbOTaaqI2DG8Zlm",
    ),
    (
        "a:b",
        "$2y$04$hssi4lsSjQwX5ZCaGQ3XXuoXqqPOFeRIiHhk8VMGQMvJH1yKEqy.O",
    ),
    (
        "secret",
        "$2b$04$SZlwVCz.FTk9KK7b4RT.h.ROWr0IFZyTloSU7ZaVGcotr2Zo3E3kq",
    ),
    (
        "secret",
        "$2a$04$KUgZ5rNaOHfc7Dq24QfNmOobydhMfPeM3kEAkAO3rpmIxBc577ip6",
    ),
    ("secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="),
    ("pässwörd", "{SHA}9Rfd8dMqES/xrVXGbRsSyzjn6Pc="),
    ("", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ("a:b", "{SHA}3OptnM09ILoVSfbZtd3mB0IViII="),
    (
        "secret",
        "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
    ),
    (
        "secret",
        "$argon2id$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ZlTk5NT+AhPrf5/INjp7z7SKhHWBzBUtQBzHpErnabM",
    ),
    (
        "pässwörd",
        "$argon2id$v=19$m=512,t=1,p=4$MDEyMzQ1Njc4OWFiY2RlZg$NA0h8xYZFq63UaPoxaLXyIDOUAOlptAVJpZuW1fw3Zs",
    ),
    // The shortest salt and digest, the least memory, and memory that is not a multiple of four times the lanes.
    (
        "",
        "$argon2id$v=19$m=8,t=3,p=1$c2FsdHNhbHQ$JXOR5RaAf5hSiPKDDXldKA",
    ),
    (
        "secret",
        "$argon2id$v=19$m=1021,t=2,p=3$MDEyMzQ1Njc4OWFiY2RlZg$bMk+ggCs0d3YF5ObWHg/9oSi3W4Yim06",
    ),
    // The longest salt and digest.
    (
        "secret",
        "$argon2id$v=19$m=64,t=1,p=2$c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzcw$\
         Aky+6fkSNkYMkzrCrtutvX8L7v9uM8jwN82NIW/OxErU7iJLdMAwIysOwd69MZuVC/hNZDfPbg6f9WQH7e1wBg",
    ),
];

#[test]
fn hashes_of_other_programs_verify() {
    for (password, hash) in HASHES {
        assert!(verifies(hash, password), "{hash}");
        for wrong in ["Secret", "secret ", "secre", "\u{e4}", "x"] {
            assert!(!verifies(hash, wrong), "{hash} {wrong}");
        }
    }
}

/// The vectors of crypt_blowfish (Openwall, `wrapper.c`) that its `$2a$`, `$2b$` and `$2y$` share.
#[test]
fn the_vectors_of_crypt_blowfish_verify() {
    let long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
    for (password, hash) in [
        (
            &b"U*U"[..],
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
        (
            b"U*U*",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
        ),
        (
            b"U*U*U",
            "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
        ),
        (
            long.as_bytes(),
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
        ),
        (
            b"",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
        ),
        (
            b"\xa3",
            "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
        (
            b"\xa3",
            "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
        ),
    ] {
        for version in ["$2a$", "$2b$", "$2y$"] {
            let hash = version.to_owned() + hash.split_at(4).1;
            assert!(verifies(&hash, password), "{hash}");
            assert!(!verifies(&hash, b"U*"), "{hash}");
        }
    }
}

/// `htpasswd` hashes the first 72 bytes of a password without a warning. A user who types the same password must be accepted.
#[test]
fn bcrypt_compares_the_first_72_bytes_as_htpasswd_hashes_them() {
    let eighty = "0123456789".repeat(8);
    let hash = "$2y$04$oB.gyrRYVY.VxNZO71zorOf2ym2WtbMWGdH66XZZNxHI1y8116fSq";
    assert!(verifies(hash, &eighty));
    assert!(verifies(hash, &eighty.as_bytes()[..72]));
    assert!(verifies(hash, eighty.repeat(1000)));
    assert!(!verifies(hash, &eighty.as_bytes()[..71]));
    // Of exactly 72 bytes.
    let hash = "$2y$04$vVLXJU4E0Lp1let4SoqI5.rPaX3TuK0JOLf2leobZ.VGGz68mJPY2";
    assert!(verifies(hash, &eighty.as_bytes()[..72]));
    assert!(!verifies(hash, &eighty.as_bytes()[..71]));
}

#[test]
fn only_bcrypt_ignores_the_rest_of_a_long_password() {
    let long = "0123456789".repeat(8);
    for hash in [sha256(long.as_bytes()), argon2id(long.as_bytes(), 8, 1, 1)] {
        assert!(verifies(&hash, &long));
        assert!(!verifies(&hash, &long.as_bytes()[..79]));
        assert!(!verifies(&hash, &long.as_bytes()[..72]));
    }
}

/// bcrypt repeats the password and a NUL, so that `a`, NUL, `a` has the hash of `a`.
#[test]
fn a_password_with_a_nul_is_never_right() {
    let salt = [7; 16];
    let bcrypt = |password: &[u8]| {
        ::bcrypt::hash_with_salt(password, 4, salt)
            .unwrap()
            .to_string()
    };
    assert_eq!(bcrypt(b"a"), bcrypt(b"a\0a"));
    for password in [&b"a\0a"[..], b"a\0", b"\0", b"\0a"] {
        for hash in [
            bcrypt(b"a"),
            bcrypt(b""),
            bcrypt(password),
            sha256(password),
            argon2id(password, 8, 1, 1),
        ] {
            assert!(!verifies(&hash, password), "{hash} {password:?}");
        }
    }
}

#[test]
fn what_would_take_more_than_a_second_is_refused() {
    let bcrypt =
        |cost: u32| format!("$2y${cost:02}$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW");
    for cost in [0, 3, 15, 31, 32, 99] {
        assert_eq!(fault(&bcrypt(cost)), BcryptCost(cost));
    }
    for (cost, costly) in [(4, false), (10, false), (11, true), (14, true)] {
        let hash = PasswordHash::parse(&bcrypt(cost)).unwrap();
        assert_eq!((hash.is_slow(), hash.is_costly()), (true, costly), "{cost}");
    }
    let argon2id = |parameters: &str| {
        format!("$argon2id$v=19${parameters}$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg")
    };
    for (parameters, expected) in [
        ("m=65537,t=1,p=1", Argon2Memory(65537)),
        ("m=4294967295,t=1,p=1", Argon2Memory(u32::MAX)),
        ("m=65536,t=17,p=1", Argon2Work(17 * 65536)),
        ("m=8,t=4294967295,p=1", Argon2Work(8 * 4_294_967_295)),
    ] {
        assert_eq!(fault(&argon2id(parameters)), expected);
    }
    for (parameters, costly) in [
        ("m=19456,t=2,p=1", false),
        ("m=65536,t=2,p=1", false),
        ("m=65536,t=3,p=4", true),
        ("m=65536,t=16,p=8192", true),
    ] {
        let hash = PasswordHash::parse(&argon2id(parameters)).unwrap();
        assert_eq!(
            (hash.is_slow(), hash.is_costly()),
            (true, costly),
            "{parameters}"
        );
    }
    for hash in [sha256(b"a"), "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned()] {
        let hash = PasswordHash::parse(&hash).unwrap();
        assert_eq!((hash.is_slow(), hash.is_costly()), (false, false));
    }
}

#[test]
fn a_scheme_that_is_not_supported_is_refused_with_what_to_do() {
    for (hash, found) in [
        ("$apr1$lnNtFsDL$3Ccf.nSo6cLFcLwyWsa2u/", "MD5"),
        ("$1$lnNtFsDL$3Ccf.nSo6cLFcLwyWsa2u/", "MD5"),
        (
            "$5$oo/NaQ5BccIRwNVD$8J3VMweGSiQcnbEbLdkRXOKu5zCWWxVGcj7xLHXVWi9",
            "SHA-crypt",
        ),
        (
            "$6$czV2WeCQ/QB1FGDr$0tGrzwBwY4pR6XE62lDJXV9Ic/dW795Hb5xpsHOraaGcseHhAgnbPZ..xpcjeFgf6CNXuBq3Pt2MnI3gwEc9b0",
            "SHA-crypt",
        ),
        ("ZbxwkRkkZWvbQ", "DES"),
        ("open sesame", "plain text"),
        ("", "plain text"),
        ("{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr", "another scheme"),
        ("{sha}5en6G6MezRroT3XKqkdPOmY/BfQ=", "another scheme"),
        (
            "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
            "`$2x$`",
        ),
        (
            "$argon2i$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$80H1QdAd9k5if5ZWgp9MwoejohSTspwH/QsQTezfYXY",
            "argon2i",
        ),
        (
            "$argon2d$v=19$m=1024,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AlT2AO0LCRUxCyNpWLdTPE3Qh8jvnP7gHCA7mvkjJKw",
            "argon2d",
        ),
        (
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317",
            "unknown",
        ),
        (
            "$2$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "unknown",
        ),
        ("$secret", "plain text"),
    ] {
        let fault = fault(hash);
        assert!(matches!(fault, Unsupported(_)), "{hash} {fault}");
        let message = fault.to_string();
        assert!(message.contains(found), "{hash} {message}");
        assert!(message.contains("`htpasswd -B`"), "{message}");
        assert!(message.contains("`countersign hash password`"), "{message}");
    }
}

#[test]
fn a_malformed_hash_is_refused() {
    let (salt, digest) = ("MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZg");
    let with = |parameters: &str| format!("$argon2id${parameters}${salt}${digest}");
    let mut malformed: Vec<String> = [
        // Without a version, which the reference implementation takes for 16 and others for 19.
        "m=1024,t=2,p=1",
        "v=16$m=1024,t=2,p=1",
        "v=20$m=1024,t=2,p=1",
        "v=019$m=1024,t=2,p=1",
        // A secret, or data, that the hash depends on.
        "v=19$m=1024,t=2,p=1,keyid=Hj5+dsK0",
        "v=19$m=1024,t=2,p=1,data=sRlHhRmKUGzdOmXn01XmXygd5Kc",
        "v=19$m=1024,t=2,p=1,x=1",
        "v=19$m=1024,t=2,p=1,",
        "v=19$t=2,m=1024,p=1",
        "v=19$m=1024,t=2",
        "v=19$m=1024,t=2,p=1,p=1",
        "v=19$m=1024,t=2,p=0",
        "v=19$m=1024,t=0,p=1",
        "v=19$m=7,t=1,p=1",
        "v=19$m=15,t=1,p=2",
        "v=19$m=1024,t=2,p=129",
        "v=19$m=1024,t=2,p=536870912",
        "v=19$m=1024,t=2,p=536870913",
        "v=19$m=+1024,t=2,p=1",
        "v=19$m=01024,t=2,p=1",
        "v=19$m=4294967296,t=2,p=1",
        "v=19$m=,t=2,p=1",
        "v=19$m=-1,t=2,p=1",
    ]
    .map(with)
    .into();
    for (salt, digest) in [
        // Seven bytes, padding, trailing bits, another alphabet, too long.
        ("c2FsdHNhbA", digest),
        ("MDEyMzQ1Njc4OWFiY2RlZg==", digest),
        ("MDEyMzQ1Njc4OWFiY2RlZh", digest),
        ("MDEyMzQ1Njc4OWFiY2R_-g", digest),
        (&"c2FsdA".repeat(20), digest),
        ("", digest),
        (salt, "EnzfS4HqDlUXn42e"),
        (salt, "MDEyMzQ1Njc4OWFiY2RlZg=="),
        (salt, "MDEyMzQ1Njc4OWFiY2RlZh"),
        (salt, &"c2Fs".repeat(22)),
        (salt, ""),
    ] {
        malformed.push(format!("$argon2id$v=19$m=1024,t=2,p=1${salt}${digest}"));
    }
    let good = with("v=19$m=1024,t=2,p=1");
    assert!(PasswordHash::parse(&good).is_ok());
    malformed.extend([format!("{good}$"), format!("{good}\n"), format!("{good} ")]);
    let bcrypt = "Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW";
    malformed.extend([
        format!("$2y$4${bcrypt}"),
        format!("$2y$004${bcrypt}"),
        format!("$2y$+4${bcrypt}"),
        format!("$2y$4 ${bcrypt}"),
        format!("$2y${bcrypt}"),
        format!("$2y$04${bcrypt}="),
        format!("$2y$04${bcrypt}\n"),
        "$2y$04$$".to_owned(),
        "$2y$04".to_owned() + "$",
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5Ob".to_owned(),
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSum".to_owned(),
        // Bits after the end of the salt, and of the digest.
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5PbeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW".to_owned(),
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumX".to_owned(),
        // A character of two bytes across the border of salt and digest.
        "$2y$04$Dxzt0F36BFNeDC.mV2Ol5äbeBg7i8Ibq8oN8yDHyQgcQnuDcmSum".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfR=".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY_BfQ=".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n".to_owned(),
        "{SHA} 5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/".to_owned(),
        "{SHA}".to_owned(),
        "{SHA}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=".to_owned(),
        "{SHA256}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned(),
        "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols".to_owned(),
        "{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b".to_owned(),
        "{SHA256}".to_owned(),
    ]);
    for hash in malformed {
        assert!(matches!(fault(&hash), Malformed(_)), "{hash}");
    }
}

#[test]
fn nothing_prints_a_hash() {
    for (_, hash) in HASHES {
        let parsed = PasswordHash::parse(hash).unwrap();
        assert_eq!(format!("{parsed:?}"), "PasswordHash");
        assert_eq!(parsed.clone(), parsed);
        // A fault shows nothing of the salt and the digest.
        let fault = fault(
            &hash
                .replace("$2", "$3")
                .replace("v=19", "v=18")
                .replace('=', "!"),
        );
        let message = format!("{fault} {fault:?}");
        let tail = hash.get(hash.len() - 12..hash.len() - 2).unwrap();
        assert!(!message.contains(tail), "{message}");
    }
}

fn sha256(password: &[u8]) -> String {
    "{SHA256}".to_owned() + &Base64::encode_string(&Sha256::digest(password))
}

fn sha1(password: &[u8]) -> String {
    "{SHA}".to_owned() + &Base64::encode_string(&Sha1::digest(password))
}

fn argon2id(password: &[u8], memory: u32, passes: u32, lanes: u32) -> String {
    let parameters = argon2::Params::new(memory, passes, lanes, None).unwrap();
    argon2::Argon2::from(parameters)
        .hash_password(password)
        .unwrap()
        .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_hash_of_a_password_verifies_it_and_no_other(
        password in "[^\0]{0,30}",
        other in "[^\0]{0,30}",
        (passes, lanes) in (1..4_u32, 1..4_u32),
        memory in 24..100_u32,
    ) {
        let bytes = password.as_bytes();
        for hash in [
            ::bcrypt::hash(bytes, 4).unwrap(),
            argon2id(bytes, memory, passes, lanes),
            sha256(bytes),
            sha1(bytes),
        ] {
            prop_assert!(verifies(&hash, bytes));
            let same = other.as_bytes() == bytes || hash.starts_with("$2") && bytes.get(..72).is_some_and(|start| other.as_bytes().starts_with(start));
            prop_assert_eq!(verifies(&hash, &other), same);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,80}", at in 0..100_usize, hash in 0..HASHES.len()) {
        let _ = PasswordHash::parse(&text);
        let _ = PasswordHash::parse(&("$2y$04$".to_owned() + &text));
        let _ = PasswordHash::parse(&("$argon2id$v=19$".to_owned() + &text));
        let hash = HASHES[hash].1;
        if let (Some(start), Some(end)) = (hash.get(..at), hash.get(at..)) {
            let _ = PasswordHash::parse(&(start.to_owned() + &text + end));
        }
    }
}
