//! The texts of a proof: JSON with escapes and white space, damage, and the second signature.

use countersign::authenticate::jose::base64url;
use serde_json::Value;

use super::Members;
use crate::random::Random;

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// An object of these members, as JSON with random white space and escapes. Rarely it is not exactly one JSON text.
pub fn json_text(members: &Members, random: &mut Random, is_right: &mut bool) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        space(&mut text, random);
        string(&mut text, name, random);
        space(&mut text, random);
        text.push(':');
        space(&mut text, random);
        match value {
            Value::String(value) => string(&mut text, value, random),
            other => text.push_str(&other.to_string()),
        }
        space(&mut text, random);
    }
    text.push('}');
    if random.below(80) == 0 {
        *is_right = false;
        match random.below(4) {
            0 => text.push_str("{}"),
            1 => text.insert(0, '\u{feff}'),
            2 => text.insert(text.len() - 1, ','),
            _ => text = format!("[{text}]"),
        }
    }
    text
}

fn space(text: &mut String, random: &mut Random) {
    if random.below(12) == 0 {
        text.push(random.pick(&[' ', '\t', '\n', '\r']));
    }
}

fn string(text: &mut String, value: &str, random: &mut Random) {
    let escapes = random.below(6) == 0;
    text.push('"');
    for character in value.chars() {
        let must = character < ' ' || matches!(character, '"' | '\\');
        if must || escapes && random.below(4) == 0 {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text.push('"');
}

/// The proof with the other valid signature of its input: `n - s` in place of `s`.
pub fn twin(proof: &str) -> String {
    let (input, signature) = proof.rsplit_once('.').unwrap_or_default();
    let mut octets = base64url::decode(signature.as_bytes()).unwrap_or_default();
    let mut borrow = 0;
    for (octet, order) in octets[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*octet) - borrow;
        borrow = i16::from(difference < 0);
        *octet = difference.rem_euclid(256) as u8;
    }
    format!("{input}.{}", base64url::encode(&octets))
}

/// Changes the text of a proof somewhere.
pub fn damage(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let byte = random.pick(b"=-_+/.Aw, \n\0\xff");
    match random.below(6) {
        0 => text.insert(at, byte),
        1 if at < text.len() => text[at] = byte,
        2 if at < text.len() => text[at] ^= 1 << random.below(8),
        3 if at < text.len() => drop(text.remove(at)),
        4 => text.truncate(at),
        _ => {
            // Exchanges or repeats segments.
            let segments: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
            let picked: Vec<&[u8]> = (0..2 + random.below(3))
                .map(|_| segments[random.below(segments.len())])
                .collect();
            *text = picked.join(&b'.');
        }
    }
}
