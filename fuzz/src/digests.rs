//! Compares how the filter reads a `Digest` credential with a plain reading of RFC 7616 §3.4 and RFC 9110 §11.2.

use std::collections::BTreeMap;

use countersign::credential::{Carrier, DigestCredential, Grammar, Location, Shown, present};
use countersign::reject::{CredentialFault, Reject};
use countersign::request::RequestView;
use countersign::scheme::SchemeSet;

use super::random::Random;

/// The parameters of RFC 7616 §3.4 that a credential must have, and others.
const REQUIRED: [&str; 8] = [
    "username", "realm", "nonce", "uri", "cnonce", "nc", "response", "qop",
];
const OTHERS: [&str; 6] = [
    "username*",
    "algorithm",
    "opaque",
    "userhash",
    "x",
    "Bearer",
];

/// Pieces of values: what ends a value, what is escaped, parts of UTF-8, control characters, other credentials.
const PIECES: [&[u8]; 24] = [
    b"a",
    b"0",
    b"/",
    b"%41",
    b"%2f",
    b"%7E",
    b"%",
    b"\"",
    b"\\",
    b",",
    b" ",
    b"\t",
    b"=",
    b"'",
    b"\xc3\xa4",
    b"\xc2\x85",
    b"\xff",
    b"\x7f",
    b"\0",
    b"\n",
    b", Bearer b",
    b"Digest a",
    b"*",
    b"?a=b&c",
];

/// What damages a text.
const DAMAGE: &[u8] = b"\",=\\ \t*'%a\n\x7f\xe4;";

/// What one credential says.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    user: String,
    /// The octets of realm, nonce, uri, cnonce, nc and response.
    octets: [Vec<u8>; 6],
    count: u32,
    algorithm: Option<Vec<u8>>,
    opaque: Option<Vec<u8>>,
}

/// Compares the results for a random credential, which may be damaged.
///
/// # Errors
/// The results differ.
pub fn check(random: &mut Random) -> Result<&'static str, String> {
    let sent = random_credential(random);
    let sent = sent.trim_ascii();
    let fails = |what: String| Err(format!("{:?}: {what}", String::from_utf8_lossy(sent)));
    let read = DigestCredential::read(sent).map(|own| read_of(&own));
    let expected = plain(sent);
    if read != expected {
        return fails(format!("expected {expected:?}, found {read:?}"));
    }
    if let Ok(read) = &read {
        let again = canonical(read);
        let again = DigestCredential::read(&again).map(|own| read_of(&own));
        if again.as_ref() != Ok(read) {
            return fails(format!("{read:?} is written, and {again:?} is read again"));
        }
    }
    let target = target_like(read.as_ref().map_or(b"/", |read| &read.octets[2]), random);
    let found = found(sent, &target);
    let is_right = match (&read, found) {
        (Ok(read), Err(CredentialFault::Target)) => !is_for(&read.octets[2], &target),
        (Ok(read), Ok(())) => is_for(&read.octets[2], &target),
        // A second credential is searched for first. Without one, the fault is the one of the parameters.
        (Err(_), Err(CredentialFault::Several)) => sent.contains(&b','),
        (Err(_), Err(CredentialFault::Empty)) => sent.is_empty(),
        (Err(fault), Err(found)) => *fault == found,
        (Ok(_), Err(_)) | (Err(_), Ok(())) => false,
    };
    if !is_right {
        let target = String::from_utf8_lossy(&target);
        return fails(format!("{found:?} in a request for {target:?}"));
    }
    Ok(match found {
        Ok(()) => "read",
        Err(CredentialFault::Several) => "two credentials",
        Err(CredentialFault::Empty) => "empty",
        Err(CredentialFault::Syntax) => "malformed",
        Err(CredentialFault::Unsupported) => "not supported",
        Err(CredentialFault::Target) => "for another target",
    })
}

fn read_of(own: &DigestCredential<'_>) -> Read {
    Read {
        user: own.user().to_owned(),
        octets: [
            own.realm(),
            own.nonce(),
            own.uri(),
            own.cnonce(),
            own.nc(),
            own.response(),
        ]
        .map(<[u8]>::to_vec),
        count: own.count(),
        algorithm: own.algorithm().map(<[u8]>::to_vec),
        opaque: own.opaque().map(<[u8]>::to_vec),
    }
}

/// What is found in a request with this credential in `Authorization`.
fn found(sent: &[u8], target: &[u8]) -> Result<(), CredentialFault> {
    let location = Location {
        carrier: Carrier::Scheme {
            field: "authorization".into(),
            scheme: "Digest".into(),
        },
        grammar: Grammar::Digest(countersign::kinds::Digest::BUILT.unwrap()),
        schemes: SchemeSet::default(),
    };
    let value = [b"Digest ", sent].concat();
    let request = RequestView::new(vec![
        (b":authority", b"api.example"),
        (b":path", target),
        (b"authorization", &value),
    ]);
    match present(&request, &[location], |_, _| true) {
        Ok(presented) => {
            let mut shown = presented.iter().map(|one| &one.shown);
            assert!(matches!(shown.next(), Some(Shown::Digest(_))));
            Ok(())
        }
        Err(Reject::Malformed(malformed)) => Err(malformed.fault),
        Err(other) => panic!("{other:?}"),
    }
}

/// A lexeme of a list of parameters.
#[derive(Debug, PartialEq, Eq)]
enum Lexeme {
    Comma,
    Equals,
    Spaces,
    Token(Vec<u8>),
    Quoted(Vec<u8>),
}

fn plain(sent: &[u8]) -> Result<Read, CredentialFault> {
    use CredentialFault::{Syntax, Unsupported};
    let mut named = parameters(sent).ok_or(Syntax)?;
    let mut take = |name: &str| named.remove(name.as_bytes());
    match take("userhash").map(|own| own.to_ascii_lowercase()) {
        Some(own) if own == b"true" => return Err(Unsupported),
        Some(own) if own != b"false" => return Err(Syntax),
        _ => {}
    }
    if take("qop").ok_or(Syntax)? != b"auth" {
        return Err(Unsupported);
    }
    let user = match (take("username"), take("username*")) {
        (Some(octets), None) => String::from_utf8(octets).ok(),
        (None, Some(octets)) => extended(&octets),
        _ => None,
    };
    let is_control = |c: char| c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c);
    let user = user
        .filter(|user| !user.contains(is_control))
        .ok_or(Syntax)?;
    let nc = take("nc").ok_or(Syntax)?;
    let digits = String::from_utf8(nc.clone()).map_err(|_| Syntax)?;
    let number = u32::from_str_radix(&digits, 16).map_err(|_| Syntax)?;
    if format!("{number:08x}") != digits {
        return Err(Syntax);
    }
    let mut required = |name| take(name).ok_or(Syntax);
    Ok(Read {
        user,
        octets: [
            required("realm")?,
            required("nonce")?,
            required("uri")?,
            required("cnonce")?,
            nc,
            required("response")?,
        ],
        count: number,
        algorithm: take("algorithm"),
        opaque: take("opaque"),
    })
}

/// The parameters by their names in lower case; none if the text is not a list of them.
fn parameters(sent: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let lexemes = lexemes(sent)?;
    let mut named = BTreeMap::new();
    let elements: Vec<_> = lexemes.split(|own| *own == Lexeme::Comma).collect();
    if sent.len() > 8192 || elements.len() > 32 {
        return None;
    }
    for element in elements {
        let parts: Vec<_> = element
            .iter()
            .filter(|own| **own != Lexeme::Spaces)
            .collect();
        match parts[..] {
            [] => {}
            [
                Lexeme::Token(name),
                Lexeme::Equals,
                Lexeme::Token(value) | Lexeme::Quoted(value),
            ] => {
                let name = name.to_ascii_lowercase();
                if named.insert(name, value.clone()).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(named)
}

fn lexemes(sent: &[u8]) -> Option<Vec<Lexeme>> {
    let mut lexemes = Vec::new();
    let mut rest = sent.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        lexemes.push(match byte {
            b',' => Lexeme::Comma,
            b'=' => Lexeme::Equals,
            b' ' | b'\t' => Lexeme::Spaces,
            b'"' => {
                let mut text = Vec::new();
                loop {
                    let byte = match rest.next()? {
                        b'"' => break,
                        b'\\' => rest.next()?,
                        byte => byte,
                    };
                    if byte == 0x7f || byte < b' ' && byte != b'\t' {
                        return None;
                    }
                    text.push(byte);
                }
                Lexeme::Quoted(text)
            }
            byte => {
                let mut text = vec![byte];
                while let Some(byte) = rest.next_if(|byte| !b",= \t\"".contains(byte)) {
                    text.push(byte);
                }
                if !text.iter().all(|byte| is_token_character(*byte)) {
                    return None;
                }
                Lexeme::Token(text)
            }
        });
    }
    Some(lexemes)
}

fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte)
}

/// The user name of `charset'language'text` (RFC 8187 §3.2.1).
fn extended(value: &[u8]) -> Option<String> {
    let value = std::str::from_utf8(value).ok()?;
    let (charset, rest) = value.split_once('\'')?;
    let (language, text) = rest.split_once('\'')?;
    if language.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        return None;
    }
    let (first, escaped) = text
        .split_once('%')
        .map_or((text, None), |(first, rest)| (first, Some(rest)));
    let mut octets = first.as_bytes().to_vec();
    for part in escaped.into_iter().flat_map(|rest| rest.split('%')) {
        let (digits, literal) = part.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        octets.extend_from_slice(literal.as_bytes());
    }
    let literals = text.bytes().filter(|byte| *byte != b'%');
    let is_literal = |byte: u8| is_token_character(byte) && byte != b'*' && byte != b'\'';
    if !literals.into_iter().all(is_literal) {
        return None;
    }
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(octets).ok(),
        "iso-8859-1" => Some(octets.into_iter().map(char::from).collect()),
        _ => None,
    }
}

/// A credential in the spelling of RFC 7616 §3.4, with every character escaped.
fn canonical(read: &Read) -> Vec<u8> {
    let names = ["realm", "nonce", "uri", "cnonce", "nc", "response"];
    let mut named: Vec<(&str, &[u8])> = vec![("username", read.user.as_bytes())];
    named.extend(names.into_iter().zip(read.octets.iter().map(Vec::as_slice)));
    named.extend(
        read.algorithm
            .iter()
            .map(|own| ("algorithm", own.as_slice())),
    );
    named.extend(read.opaque.iter().map(|own| ("opaque", own.as_slice())));
    let mut text = b"qop=auth".to_vec();
    for (name, value) in named {
        text.extend(format!(", {name}=\"").bytes());
        text.extend(value.iter().flat_map(|byte| [b'\\', *byte]));
        text.push(b'"');
    }
    text
}

/// Whether `uri` is the target of a request to `api.example`.
fn is_for(uri: &[u8], target: &[u8]) -> bool {
    let is_target = |uri: &[u8]| uri == target || normal(uri) == normal(target);
    let lower = uri.to_ascii_lowercase();
    let is_absolute = ["http://api.example/", "https://api.example/"]
        .into_iter()
        .any(|begin| lower.starts_with(begin.as_bytes()) && is_target(&uri[begin.len() - 1..]));
    is_target(uri) || is_absolute
}

/// Every octet, and whether it is escaped; unreserved characters are never escaped (RFC 3986 §6.2.2). A text with a broken
/// escape stays as it is.
fn normal(text: &[u8]) -> Vec<(u8, bool)> {
    let digits = |at: usize| -> Option<u8> {
        let digits = text.get(at + 1..at + 3)?;
        let is_valid = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_valid)?;
        u8::from_str_radix(digits, 16).ok()
    };
    let mut octets = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'%' {
            octets.push((text[at], false));
            at += 1;
            continue;
        }
        let Some(octet) = digits(at) else {
            return text.iter().map(|byte| (*byte, false)).collect();
        };
        let is_unreserved = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
        octets.push((octet, !is_unreserved));
        at += 3;
    }
    octets
}

fn random_credential(random: &mut Random) -> Vec<u8> {
    let mut names: Vec<&str> = REQUIRED.to_vec();
    let others = [0, 0, 1, 2, 4, 30][random.below(6)];
    for _ in 0..random.below(others + 1) {
        names.push(if others == 30 {
            "x"
        } else {
            random.pick(&OTHERS)
        });
    }
    if random.below(4) == 0 {
        names[0] = "username*";
    }
    if random.below(12) == 0 {
        names.swap_remove(random.below(names.len()));
    }
    let mut sent = Vec::new();
    for _ in 0..names.len() {
        let name = names.swap_remove(random.below(names.len()));
        // Most unknown names are unique.
        let number = if name == "x" {
            random.below(1000).to_string()
        } else {
            String::new()
        };
        let name = format!("{name}{number}").into_bytes();
        let is_upper = random.below(8) == 0;
        let value = random_value(std::str::from_utf8(&name).unwrap_or_default(), random);
        sent.extend(if is_upper {
            name.to_ascii_uppercase()
        } else {
            name
        });
        sent.extend(random_spaces(random));
        sent.push(b'=');
        sent.extend(random_spaces(random));
        sent.extend(spelled(&value, random));
        sent.extend(random_spaces(random));
        sent.push(b',');
        sent.extend(random_spaces(random));
        for _ in 0..[0, 0, 0, 0, 0, 0, 1, 3][random.below(8)] {
            sent.extend(b" ,");
        }
    }
    if random.below(2) == 0 {
        while sent.last().is_some_and(|byte| b", \t".contains(byte)) {
            sent.pop();
        }
    }
    if random.below(200) == 0 {
        sent.extend(b",x=\"");
        sent.resize(8189 + random.below(5), b'y');
        sent.push(b'"');
    }
    for _ in 0..[0, 0, 0, 0, 1, 2][random.below(6)] {
        damage(&mut sent, random);
    }
    sent
}

fn random_spaces(random: &mut Random) -> &'static [u8] {
    random.pick(&[&b""[..], b"", b"", b"", b" ", b" \t "])
}

/// A value that is valid for most parameters.
fn random_value(name: &str, random: &mut Random) -> Vec<u8> {
    let is_odd = random.below(24) == 0;
    let fixed: &[&[u8]] = match name {
        _ if is_odd => &[],
        "qop" => &[b"auth"],
        "nc" => &[b"00000001", b"0000000a", b"ffffffff", b"00000000"],
        "userhash" => &[b"false", b"FALSE"],
        "algorithm" => &[b"MD5", b"SHA-256", b"sha-256-sess"],
        "username*" => &[
            b"UTF-8''lab",
            b"utf-8'de-DE'J%C3%A4s%c3%b8n%20Doe",
            b"ISO-8859-1''J%E4s%F8n",
            b"UTF-8''%E4",
            b"UTF-8''%4",
            b"UTF-8''%00",
            b"UTF-16''a",
        ],
        _ => &[],
    };
    if !fixed.is_empty() {
        return random.pick(fixed).to_vec();
    }
    let strange: &[&[u8]] = &[
        b"auth-int",
        b"true",
        b"0000000A",
        b"1",
        b"UTF-8''%C3\"",
        b"",
    ];
    if is_odd && random.below(2) == 0 {
        return random.pick(strange).to_vec();
    }
    // Control characters and broken UTF-8 make most credentials malformed.
    let pieces = if random.below(10) == 0 {
        PIECES.len()
    } else {
        14
    };
    let begin: &[u8] = match name {
        "uri" => random.pick(&[
            &b"/"[..],
            b"/a?",
            b"http://api.example/",
            b"HTTPS://API.example/a",
            b"",
        ]),
        _ => b"",
    };
    let mut value = begin.to_vec();
    for _ in 0..random.below(6) {
        value.extend(PIECES[random.below(pieces)]);
    }
    value
}

/// A value as a token, if it can be one, or as a quoted-string.
fn spelled(value: &[u8], random: &mut Random) -> Vec<u8> {
    let is_token = !value.is_empty() && value.iter().all(|byte| is_token_character(*byte));
    if is_token && random.below(3) != 0 {
        return value.to_vec();
    }
    let mut text = vec![b'"'];
    for byte in value {
        if b"\"\\".contains(byte) || random.below(16) == 0 {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    text
}

/// A target that is often the one of `uri`, spelled in another way.
fn target_like(uri: &[u8], random: &mut Random) -> Vec<u8> {
    let path = uri
        .windows(2)
        .position(|two| two[0] != b'/' && two[0] != b':' && two[1] == b'/');
    let is_absolute = uri.to_ascii_lowercase().starts_with(b"http");
    let mut target = match path {
        Some(at) if is_absolute => uri[at + 1..].to_vec(),
        _ => uri.to_vec(),
    };
    for _ in 0..[0, 0, 1, 2][random.below(4)] {
        let at = random.below(target.len() + 1);
        let is_letter = target.get(at).is_some_and(u8::is_ascii_alphanumeric);
        match random.below(4) {
            // Two digits of an escape can be escaped too, which makes it another one.
            0 | 1 if is_letter => {
                let escape = format!("%{:02x}", target[at]);
                target.splice(at..=at, escape.bytes());
            }
            2 if is_letter => target[at] = target[at].to_ascii_uppercase(),
            _ => damage(&mut target, random),
        }
    }
    target
}

fn damage(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let byte = random.pick(DAMAGE);
    match random.below(3) {
        0 => text.insert(at, byte),
        1 if at < text.len() => text[at] = byte,
        _ if at < text.len() => drop(text.remove(at)),
        _ => {}
    }
}
