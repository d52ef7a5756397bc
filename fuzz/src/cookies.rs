//! Random cookies, as upstreams read them after the filter: compared with the cookie that the filter verified.

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::credential::without_cookies_that;
use countersign::evaluate::{Circumstances, Decision, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::request::RequestView;
use countersign::request::parameter::is_cookie;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use super::random::Random;

const SECRET: &str = include_str!("../../tests/keys/hs256.json");
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const COOKIE: &str = "session";
/// The cookie of a provider at which a rule does not look.
const UNREAD: &str = "corp";

const NAMES: [&str; 21] = [
    UNREAD,
    "session",
    "session",
    "session",
    " session ",
    "SESSION",
    "session[]",
    "session[a]",
    "[session",
    "ses%73ion",
    "session%00x",
    "__Host-session",
    "__secure-session",
    "\u{a0}session",
    "\tsession",
    "$session",
    "a",
    "my_session",
    "sessions",
    "",
    "a session",
];
const VALUES: [&str; 17] = [
    "ESCAPED",
    "GOOD",
    "GOOD",
    "GOOD",
    "\"GOOD\"",
    "Bearer GOOD",
    "\"bearer GOOD\"",
    "Bearer%20GOOD",
    "%22GOOD%22",
    "FORGED",
    "Bearer FORGED",
    "s%3Aforged.x%2By",
    "",
    "\"\"",
    "\"",
    "x session=forged",
    "x,session=forged",
];
const EQUALS: [&str; 5] = ["=", "=", "=", " = ", ""];
const SEPARATORS: [&str; 7] = ["; ", "; ", ";", ",", " ", ";\t", "; ;"];

/// How a server reads cookies: what separates them, and what it makes of a name.
struct Model {
    what: &'static str,
    separators: &'static [u8],
    name: fn(&[u8]) -> Vec<u8>,
}

const MODELS: [Model; 7] = [
    Model {
        what: "Go, Node.js",
        separators: b";",
        name: |name| name.trim_ascii().to_vec(),
    },
    Model {
        what: "ASP.NET",
        separators: b";",
        name: |name| name.trim_ascii().to_ascii_lowercase(),
    },
    Model {
        what: "RFC 2109",
        separators: b";,",
        name: |name| name.trim_ascii().to_vec(),
    },
    Model {
        what: "Python, http.cookies",
        separators: b";, \t",
        name: |name| name.to_vec(),
    },
    Model {
        what: "PHP",
        separators: b";",
        name: php,
    },
    Model {
        what: "Rack",
        separators: b";,",
        name: |name| decoded(name.trim_ascii()),
    },
    Model {
        what: "Sanic",
        separators: b";",
        name: sanic,
    },
];

/// Leading spaces are dropped, escapes are decoded, a NUL ends the name, and `[` begins a key within the cookie.
fn php(name: &[u8]) -> Vec<u8> {
    let name = before(&decoded(name), 0);
    let name = before(name.trim_ascii_start(), b'[');
    let folded = name.iter().map(|byte| match byte {
        b'.' | b' ' => b'_',
        other => *other,
    });
    folded.collect()
}

fn sanic(name: &[u8]) -> Vec<u8> {
    let name = name.trim_ascii().to_ascii_lowercase();
    let mut prefixes = ["__host-", "__secure-"].into_iter();
    let rest = prefixes.find_map(|prefix| name.strip_prefix(prefix.as_bytes()));
    rest.unwrap_or(&name).to_vec()
}

fn before(text: &[u8], end: u8) -> Vec<u8> {
    text.split(|byte| *byte == end)
        .next()
        .unwrap_or(&[])
        .to_vec()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, escaped) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = &after[2..];
            }
            _ => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    octets
}

impl Model {
    /// Every value that this server finds for the cookie: it uses the first, the last or all of them.
    fn values(&self, cookies: &[u8]) -> Vec<Vec<u8>> {
        let parts = cookies.split(|byte| self.separators.contains(byte));
        let pairs = parts.filter_map(|part| {
            let equals = part.iter().position(|byte| *byte == b'=')?;
            Some((&part[..equals], &part[equals + 1..]))
        });
        let own = pairs.filter(|(name, _)| (self.name)(name) == COOKIE.as_bytes());
        own.map(|(_, value)| bare(value)).collect()
    }
}

/// A value as lenient servers use it: decoded, without quotes, without a scheme.
fn bare(value: &[u8]) -> Vec<u8> {
    let is_around = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'"';
    let value = decoded(value);
    let begin = value.iter().position(|byte| !is_around(byte));
    let end = value.iter().rposition(|byte| !is_around(byte));
    let value = begin
        .zip(end)
        .map_or(&[][..], |(begin, end)| &value[begin..=end]);
    match value.get(..6) {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"bearer") => value[6..].trim_ascii().to_vec(),
        _ => value.to_vec(),
    }
}

/// The configuration and the tokens of a run.
pub struct Setup {
    plan: Plan,
    good: String,
    forged: String,
}

impl Setup {
    /// # Panics
    /// The configuration or the key is not valid.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let secret: Value = serde_json::from_str(SECRET).expect("a key is JSON");
        let key = SigningKey::from_jwk(&secret).expect("a key");
        let algorithm = key.algorithm().expect("a key names its algorithm");
        let header = json!({"alg": algorithm.name(), "kid": key.kid()});
        let claims = json!({"iss": "https://login.example.com", "aud": "api", "sub": "amy", "exp": NOW.millis() / 1000 + 900});
        let good = key.sign(algorithm, &header, claims.to_string().as_bytes());
        let good = good.expect("a signature");
        let forged = format!("{}.forged", good.rsplit_once('.').expect("segments").0);
        let document = json!({
            "providers": [{"name": "as", "jwt": {
                "issuer": "https://login.example.com", "audiences": ["api"], "algorithms": ["HS256"],
                "jwks": {"inline": {"keys": [secret]}},
                "from": [{"cookie": COOKIE}, {"header": "authorization", "scheme": "Bearer"}],
            }}, {"name": "corp", "jwt": {
                "issuer": "https://corp.example.com", "audiences": ["api"], "algorithms": ["HS256"],
                "jwks": {"inline": {"keys": [secret]}},
                "from": [{"cookie": UNREAD}],
            }}],
            "rules": [
                {"name": "maybe", "match": {"paths": ["/maybe"]}, "allow": "optional"},
                {"name": "unread", "match": {"paths": ["/unread"]}, "allow": "optional",
                    "providers": ["as"], "other_credentials": "ignore"},
                {"name": "rest"},
            ],
        });
        let plan = config::load_value(&document)
            .expect("a valid configuration")
            .plan;
        Self { plan, good, forged }
    }

    /// One `cookie` header.
    fn cookies(&self, random: &mut Random) -> Vec<u8> {
        let mut text = String::new();
        for number in 0..random.below(5) {
            if number > 0 {
                text.push_str(random.pick(&SEPARATORS));
            }
            text.push_str(random.pick(&NAMES));
            text.push_str(random.pick(&EQUALS));
            text.push_str(random.pick(&VALUES));
        }
        let text = text
            .replace("GOOD", &self.good)
            .replace("FORGED", &self.forged)
            .replace("ESCAPED", &self.good.replace('.', "%2E"));
        let mut cookies = text.into_bytes();
        if random.below(6) == 0 && !cookies.is_empty() {
            let place = random.below(cookies.len());
            cookies[place] = random.pick(b"\0\t ,;=\"%\x7f\xff\\:.[+");
        }
        cookies
    }
}

/// Evaluates a request with random cookies, and reads what is forwarded as upstreams do.
///
/// # Errors
/// An upstream finds another credential than the one that was verified, or a cookie is lost.
pub fn check(setup: &Setup, random: &mut Random) -> Result<&'static str, String> {
    let cookies: Vec<_> = (0..1 + random.below(2))
        .map(|_| setup.cookies(random))
        .collect();
    let authorization = format!("Bearer {}", setup.good);
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", random.pick(&[&b"/x"[..], b"/maybe", b"/unread"])),
        (b":authority", b"api"),
    ];
    let has_header = random.below(2) == 0;
    if has_header {
        fields.push((b"authorization", authorization.as_bytes()));
    }
    fields.extend(
        cookies
            .iter()
            .map(|cookies| (&b"cookie"[..], cookies.as_slice())),
    );
    let request = RequestView::new(fields);
    check_removal(&request, random)?;

    let store = setup.plan.empty_store();
    let circumstances = Circumstances::new(&Pure, NOW);
    let Outcome::Decided(decision, _) =
        evaluate(&setup.plan, &request, &store, circumstances, &mut ())
    else {
        return Err("the keys are in the configuration".to_owned());
    };
    if decision.passage().is_none() {
        return Ok("denied");
    }
    let forwarded = forwarded(&decision, &request);
    let fault = |what: &str| {
        Err(format!(
            "{what}: {:?} of {:?}",
            texts(&forwarded),
            texts(&cookies)
        ))
    };
    let is_by_cookie = !has_header && decision.principal().is_some();
    for model in &MODELS {
        for value in forwarded.iter().flat_map(|cookies| model.values(cookies)) {
            let is_verified = is_by_cookie && value == setup.good.as_bytes();
            if !value.is_empty() && !is_verified {
                return fault(model.what);
            }
        }
    }
    let is_as_sent = |cookies: &Vec<u8>| {
        let mut parts = cookies.windows(setup.good.len());
        parts.any(|part| part == setup.good.as_bytes())
    };
    if is_by_cookie && !forwarded.iter().any(is_as_sent) {
        return fault("a server that decodes nothing");
    }
    let is_other = |pair: &&[u8]| {
        let is_read = [COOKIE, UNREAD].iter().any(|own| is_cookie(pair, own));
        std::str::from_utf8(pair).is_ok() && !is_read
    };
    let (sent, left) = (pairs(&cookies), pairs(&forwarded));
    if !sent
        .iter()
        .filter(|pair| is_other(pair))
        .eq(left.iter().filter(|pair| is_other(pair)))
    {
        return fault("another cookie is changed");
    }
    Ok(match (decision.principal(), has_header) {
        (Some(_), true) => "passes by a header",
        (Some(_), false) => "passes by a cookie",
        (None, _) => "passes without a credential",
    })
}

/// Compares the removal of random cookies with a plain search.
fn check_removal(request: &RequestView<'_>, random: &mut Random) -> Result<(), String> {
    let length = random.below(12);
    let is_removed = |pair: &[u8]| pair.len() % 12 == length;
    let headers: Vec<_> = request.values(b"cookie").map(<[u8]>::to_vec).collect();
    let sent: Vec<_> = headers
        .iter()
        .flat_map(|header| header.split(|byte| *byte == b';'))
        .collect();
    let expected = match headers.len() < 2 && !sent.iter().any(|pair| is_removed(pair)) {
        true => None,
        false => {
            let kept = sent.iter().filter(|pair| !is_removed(pair));
            let kept = kept.filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok());
            Some(kept.collect::<Vec<_>>().join("; "))
        }
    };
    let found = without_cookies_that(request, is_removed);
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} in place of {expected:?}")),
    }
}

/// The `cookie` headers that the upstream receives.
fn forwarded(decision: &Decision<'_>, request: &RequestView<'_>) -> Vec<Vec<u8>> {
    let forward = &decision.forward;
    let mut cookies: Vec<_> = request.values(b"cookie").map(<[u8]>::to_vec).collect();
    if forward.remove.iter().any(|name| name == "cookie") {
        cookies.clear();
    }
    for (_, value) in forward.set.iter().filter(|(name, _)| *name == "cookie") {
        cookies = vec![value.clone().into_bytes()];
    }
    cookies
}

fn pairs(headers: &[Vec<u8>]) -> Vec<&[u8]> {
    let pairs = headers
        .iter()
        .flat_map(|header| header.split(|byte| *byte == b';'));
    pairs
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
        .collect()
}

fn texts(headers: &[Vec<u8>]) -> Vec<String> {
    headers
        .iter()
        .map(|header| header.escape_ascii().to_string())
        .collect()
}
