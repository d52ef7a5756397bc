//! Compares how the filter reads a `Basic` credential with a plain reading of RFC 7617 §2 and RFC 4648 §4.

use countersign::credential::Login;

use super::random::Random;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Octets of user names and passwords: colons, control characters, and parts of UTF-8.
const OCTETS: [u8; 16] = [
    b':', b':', b'a', b'b', b' ', b'"', 0, b'\n', 0x1f, 0x7f, 0xc2, 0xa3, 0x80, 0xe2, 0xff, b'~',
];

/// Compares the results for a random credential, which may be damaged.
///
/// # Errors
/// The results differ.
pub fn check(random: &mut Random) -> Result<&'static str, String> {
    let long = [0, 1, 2, 3, 8, 40, 1100][random.below(7)];
    let octets: Vec<u8> = (0..random.below(long + 1))
        .map(|_| random.pick(&OCTETS))
        .collect();
    let mut sent = encode(&octets);
    for _ in 0..[0, 0, 0, 1, 2][random.below(5)] {
        damage(&mut sent, random);
    }
    let read = Login::read(&sent);
    let read = read
        .as_ref()
        .map(|login| (login.user().as_bytes().to_vec(), login.password().to_vec()));
    let expected = plain(&sent);
    match read == expected {
        true if expected.is_some() => Ok("read"),
        true => Ok("not read"),
        false => Err(format!(
            "{:?}: the plain reading finds {expected:?}, the filter {read:?}",
            String::from_utf8_lossy(&sent)
        )),
    }
}

/// A user name and a password; none if the text is not the one encoding of octets that are both.
fn plain(sent: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let octets = decode(sent)?;
    // Only one text encodes these octets.
    if encode(&octets) != sent || octets.len() > 1026 {
        return None;
    }
    let text = std::str::from_utf8(&octets).ok()?;
    if text.chars().any(|c| c.is_ascii_control()) {
        return None;
    }
    let (user, password) = text.split_once(':')?;
    Some((user.as_bytes().to_vec(), password.as_bytes().to_vec()))
}

fn encode(octets: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for group in octets.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let digit = BASE64[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { digit } else { b'=' });
        }
    }
    text
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text
        .iter()
        .filter(|byte| **byte != b'=')
        .map(|byte| Some(BASE64.iter().position(|own| own == byte)? as u32))
        .collect();
    let mut octets = Vec::new();
    for group in digits?.chunks(4) {
        let bits = (0..4).fold(0, |bits, at| {
            bits << 6 | group.get(at).copied().unwrap_or(0)
        });
        let all = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        octets.extend(&all[..group.len().saturating_sub(1)]);
    }
    Some(octets)
}

fn damage(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let byte = random.pick(b"=-_+/ Aw\n");
    match random.below(3) {
        0 => text.insert(at, byte),
        1 if at < text.len() => text[at] = byte,
        _ if at < text.len() => drop(text.remove(at)),
        _ => {}
    }
}
