//! Reads the metadata of issuers: the URL that is fetched is the one in the metadata, and the metadata is the issuer's.

use countersign::authenticate::jose::claims::ClaimPath;
use countersign::authenticate::jwt::Issuer;
use countersign::keys::jwks_uri;
use serde_json::{Map, Value, json};

use super::random::Random;

const ISSUERS: [&str; 7] = [
    "https://a.example",
    "https://a.example/",
    "http://a.example/adfs/services/trust",
    "https://a.example/{tenantid}/v2.0",
    "https://a.example/1/v2.0",
    "https://a.example//v2.0",
    "",
];
const URLS: [&str; 10] = [
    "https://a.example/jwks",
    "http://A.example:80/jwks?a=b",
    "https://keys.example",
    "https://amy:secret@a.example/jwks",
    "/jwks",
    "ftp://a.example/jwks",
    "https://a.example/jwks#x",
    "https://a.example/\\jwks",
    "https:///jwks",
    "https://[::1]:8443/jwks",
];
const NAMES: [&str; 4] = ["issuer", "access_token_issuer", "jwks_uri", "keys"];

/// Reads one metadata document. Returns the kind of the result.
///
/// # Errors
/// The document is read wrongly.
pub fn check(random: &mut Random) -> Result<&'static str, String> {
    let mut members = Map::new();
    for name in NAMES {
        if random.below(8) > 0 && name != "keys" {
            members.insert(name.to_owned(), value(name, random));
        }
    }
    let mut body = Value::Object(members).to_string().into_bytes();
    if random.below(4) == 0 {
        body.splice(..0, *b"\xef\xbb\xbf");
    }
    for _ in 0..random.below(8).saturating_sub(5) {
        let place = random.below(body.len());
        match random.below(3) {
            0 => body[place] = random.below(256) as u8,
            1 => drop(body.remove(place)),
            _ => body.insert(place, random.pick(b"\"{}[],:\\/@? ")),
        }
    }
    let issuer = match random.below(3) {
        0 => Issuer::PerClaim {
            before: "https://a.example/".to_owned(),
            claim: ClaimPath::known("tid"),
            after: "/v2.0".to_owned(),
        },
        _ => Issuer::Exact(random.pick(&ISSUERS).to_owned()),
    };
    let read = jwks_uri(&body, &issuer);
    if read != jwks_uri(&body, &issuer) {
        return Err("the second reading differs".to_owned());
    }
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
    let parsed = serde_json::from_slice::<Map<String, Value>>(text).unwrap_or_default();
    let member = |name: &str| parsed.get(name).and_then(Value::as_str);
    let names = [member("issuer"), member("access_token_issuer")];
    let is_own = names
        .into_iter()
        .flatten()
        .any(|named| is_of(&issuer, named));
    match read {
        Ok(url) if !is_own => Err(format!("{parsed:?} of another issuer names {url}")),
        Ok(url) => {
            // The case of the scheme and the host may differ, and an empty path is `/`.
            let own = member("jwks_uri").unwrap_or_default();
            let text = url.to_string();
            let is_same = [
                own.to_owned(),
                format!("{own}/"),
                own.replacen('?', "/?", 1),
            ]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&text));
            let is_safe = !url.authority.contains('@') && !text.contains(['#', '\\', ' ']);
            match is_same && is_safe {
                true => Ok("a URL"),
                false => Err(format!("{own:?} became {url}")),
            }
        }
        Err(fault) => {
            let message = fault.to_string();
            match message.chars().all(|character| !character.is_control()) && message.len() < 4_096
            {
                true => Ok(if is_own { "no URL" } else { "another issuer" }),
                false => Err(format!("a damaged message: {message:?}")),
            }
        }
    }
}

fn value(name: &str, random: &mut Random) -> Value {
    match (random.below(10), name) {
        (0, _) => json!(null),
        (1, _) => json!([]),
        (2, _) => json!({"a": random.pick(&ISSUERS)}),
        (3, _) => json!([random.pick(&ISSUERS)]),
        (4, _) => json!(random.below(9)),
        (_, "jwks_uri") => json!(random.pick(&URLS)),
        _ => json!(random.pick(&ISSUERS)),
    }
}

/// A second, simpler comparison.
fn is_of(issuer: &Issuer, named: &str) -> bool {
    match issuer {
        Issuer::Exact(own) => own == named,
        Issuer::PerClaim { .. } => {
            let parts: Vec<&str> = named.split('/').collect();
            matches!(parts.as_slice(), ["https:", "", "a.example", tenant, "v2.0"] if !tenant.is_empty())
        }
    }
}
