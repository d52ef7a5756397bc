//! Writes DER (X.690 §10): elements shorter than 65,536 octets.

const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const SEQUENCE: u8 = 0x30;

/// An element: its tag, the length of its content in the shortest form, and its content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = Vec::with_capacity(content.len() + 4);
    push(&mut der, tag, content.len());
    der.extend_from_slice(content);
    der
}

/// Appends an INTEGER with the value of an unsigned big-endian number.
pub(super) fn push_integer(der: &mut Vec<u8>, number: &[u8]) {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let minimal = number.get(zeros..).unwrap_or_default();
    // The first bit of an INTEGER is its sign, and an INTEGER has at least one octet.
    let pad = minimal.first().is_none_or(|octet| octet & 0x80 != 0);
    push(der, INTEGER, minimal.len() + usize::from(pad));
    if pad {
        der.push(0);
    }
    der.extend_from_slice(minimal);
}

fn push(der: &mut Vec<u8>, tag: u8, length: usize) {
    der.push(tag);
    let [.., high, low] = length.to_be_bytes();
    match (high, low) {
        (0, 0..0x80) => der.push(low),
        (0, _) => der.extend([0x81, low]),
        _ => der.extend([0x82, high, low]),
    }
}
