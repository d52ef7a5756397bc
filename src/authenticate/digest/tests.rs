use std::rc::Rc;

use super::DigestAlgorithm::{Md5, Sha256};
use super::*;
use crate::authenticate::listed::Grants;

const USER: &str = "Mufasa";
const REALM: &str = "http-auth@example.org";
const PASSWORD: &[u8] = b"Circle of Life";

/// `H(A1)` of RFC 7616 §3.9.1, computed with `printf 'Mufasa:http-auth@example.org:Circle of Life' | sha256sum`, and
/// `md5sum`.
const SHA256_HA1: &str = "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
const MD5_HA1: &str = "3d78807defe7de2157e2b0b6573a855f";

/// The responses of RFC 7616 §3.9.1.
const SHA256_RESPONSE: &str = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
const MD5_RESPONSE: &str = "8ca523f5e9506fed4657c9700eebdbec";

/// The credential of RFC 7616 §3.9.1.
fn example(algorithm: &str, response: &str) -> String {
    format!(
        "username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
         cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

fn mufasa(ha1s: &[(DigestAlgorithm, &str)]) -> DigestUser {
    let ha1s = ha1s
        .iter()
        .map(|(own, text)| Ha1::parse(*own, text).unwrap());
    DigestUser {
        name: USER.into(),
        ha1s: ha1s.collect(),
        grants: Rc::new(Grants::default()),
    }
}

fn is_right_for(text: &str, method: &[u8], user: Option<&DigestUser>) -> bool {
    let credential = DigestCredential::read(text.as_bytes()).unwrap();
    let algorithm = DigestAlgorithm::of(&credential).unwrap();
    is_right(&credential, algorithm, method, user)
}

#[test]
fn dg_06_the_responses_of_rfc_7616_are_right() {
    let user = mufasa(&[(Sha256, SHA256_HA1), (Md5, MD5_HA1)]);
    for text in [
        example("SHA-256", SHA256_RESPONSE),
        example("\"sha-256\"", SHA256_RESPONSE),
        example("MD5", MD5_RESPONSE),
        example("MD5", MD5_RESPONSE).replace(" algorithm=MD5,", ""),
    ] {
        assert!(is_right_for(&text, b"GET", Some(&user)), "{text}");
        assert!(!is_right_for(&text, b"GET", None), "{text}");
        // A method is compared with its case (RFC 9110 §9.1).
        for method in [&b"POST"[..], b"get", b""] {
            assert!(!is_right_for(&text, method, Some(&user)), "{text}");
        }
        for (old, new) in [
            ("index.html", "index.htm"),
            ("/dir/index", "/dir/%69ndex"),
            ("nc=00000001", "nc=00000002"),
            ("nonce=\"7ypf", "nonce=\"7ypg"),
            ("cnonce=\"f2", "cnonce=\"f3"),
        ] {
            let text = text.replacen(old, new, 1);
            assert!(!is_right_for(&text, b"GET", Some(&user)), "{text}");
        }
    }
}

#[test]
fn dg_21_only_the_digits_of_the_response_are_right() {
    let user = mufasa(&[(Sha256, SHA256_HA1), (Md5, MD5_HA1)]);
    let upper = SHA256_RESPONSE.to_uppercase();
    let shorter = SHA256_RESPONSE.strip_suffix('1').unwrap();
    for response in [
        "",
        "7",
        shorter,
        &format!("{SHA256_RESPONSE}0"),
        &format!(" {SHA256_RESPONSE}"),
        &upper,
        MD5_RESPONSE,
        SHA256_HA1,
    ] {
        let text = example("SHA-256", response);
        assert!(!is_right_for(&text, b"GET", Some(&user)), "{response}");
    }
    let text = example("MD5", SHA256_RESPONSE);
    assert!(!is_right_for(&text, b"GET", Some(&user)));
}

#[test]
fn a_user_without_a_hash_for_the_algorithm_is_unknown() {
    let user = mufasa(&[(Sha256, SHA256_HA1)]);
    let text = example("MD5", MD5_RESPONSE);
    assert!(!is_right_for(&text, b"GET", Some(&user)));
}

/// Otherwise anyone could sign in as every unknown user.
#[test]
fn no_response_is_right_for_an_unknown_user() {
    for algorithm in DigestAlgorithm::ALL {
        let zeros = "0".repeat(algorithm.digits());
        let text = example(algorithm.name(), "");
        let credential = DigestCredential::read(text.as_bytes()).unwrap();
        let ha2 = algorithm.hash(&[b"GET", credential.uri()]);
        let response = algorithm.hash(&[
            zeros.as_bytes(),
            credential.nonce(),
            credential.nc(),
            credential.cnonce(),
            b"auth",
            ha2.as_bytes(),
        ]);
        let response = std::str::from_utf8(response.as_bytes()).unwrap();
        let text = example(algorithm.name(), response);
        let zeros = mufasa(&[(algorithm, &zeros)]);
        assert!(is_right_for(&text, b"GET", Some(&zeros)));
        assert!(!is_right_for(&text, b"GET", None));
        assert!(!is_right_for(&text, b"GET", Some(&mufasa(&[]))));
    }
}

#[test]
fn dg_07_dg_08_other_algorithms_are_not_supported() {
    for name in [
        "SHA-256-sess",
        "MD5-sess",
        "SHA-512-256",
        "SHA-512-256-sess",
        "SHA256",
        "SHA-1",
        "SHA-2567",
        "MD",
        "\"\"",
    ] {
        let text = example(
            name,
            "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
        );
        let credential = DigestCredential::read(text.as_bytes()).unwrap();
        assert_eq!(DigestAlgorithm::of(&credential), None, "{name}");
    }
}

#[test]
fn the_stronger_algorithm_is_first() {
    let mut algorithms = [Md5, Sha256];
    algorithms.sort_unstable();
    assert_eq!(algorithms, DigestAlgorithm::ALL);
    for algorithm in algorithms {
        let name = algorithm.name().to_lowercase();
        assert_eq!(DigestAlgorithm::from_name(name.as_bytes()), Some(algorithm));
    }
}

#[test]
fn a_hash_of_a_password_is_computed_and_read() {
    for (algorithm, digits) in [(Sha256, SHA256_HA1), (Md5, MD5_HA1)] {
        let computed = Ha1::new(algorithm, USER, REALM, PASSWORD);
        assert_eq!(computed.digits(), digits.as_bytes());
        assert_eq!(computed.algorithm(), algorithm);
        for text in [digits.to_owned(), digits.to_uppercase()] {
            let read = Ha1::parse(algorithm, &text).unwrap();
            assert_eq!(read.digits(), digits.as_bytes());
        }
        let shorter = digits.get(1..).unwrap();
        let other = if algorithm == Md5 {
            SHA256_HA1
        } else {
            MD5_HA1
        };
        for text in [
            "",
            "Circle of Life",
            other,
            shorter,
            &format!("{digits}0"),
            &format!("{digits}00"),
            &format!("g{shorter}"),
            &format!(" {shorter}"),
            &digits.repeat(4),
        ] {
            assert!(Ha1::parse(algorithm, text).is_none(), "{text}");
        }
    }
}

fn user(name: &str) -> DigestUser {
    DigestUser {
        name: name.into(),
        ..mufasa(&[(Md5, MD5_HA1)])
    }
}

#[test]
fn a_user_is_found_by_the_exact_name() {
    let names = ["lab", "Jäsøn Doe", "a\"b\\c"];
    let users = DigestUsers::new(names.map(user).into(), |_, _| ()).unwrap();
    assert_eq!((users.len(), users.is_empty()), (3, false));
    for name in names {
        assert_eq!(&*users.find(name).unwrap().name, name);
    }
    for name in ["", "Lab", "lab ", "la", "Ja\u{308}søn Doe"] {
        assert!(users.find(name).is_none(), "{name}");
    }
    let none = DigestUsers::new(Vec::new(), |_, _| ()).unwrap();
    assert!(none.is_empty() && none.find("lab").is_none());
}

#[test]
fn two_users_of_one_name_are_refused() {
    let mut repeated = Vec::new();
    let users = ["a", "b", "a", "c", "b", "a"].map(user).into();
    let refused = DigestUsers::new(users, |later, first| repeated.push((later, first)));
    assert!(refused.is_err());
    assert_eq!(repeated, [(2, 0), (4, 1), (5, 0)]);
}

#[test]
fn debug_prints_nothing_of_users_and_hashes() {
    let user = user("lab");
    let users = DigestUsers::new(vec![mufasa(&[(Md5, MD5_HA1)])], |_, _| ()).unwrap();
    assert_eq!(
        format!("{users:?} {user:?} {:?}", user.ha1s),
        "DigestUsers(1) DigestUser [Ha1(Md5)]"
    );
}
