//! Header maps and property values in the form in which a proxy-wasm host and a module exchange them.
//!
//! A header map is (proxy-wasm ABI 0.2.1):
//!
//! ```text
//! count | (name size, value size) × count | (name, NUL, value, NUL) × count
//! ```
//!
//! Numbers are unsigned, have 32 bits and are little-endian. The host forwards what a client sent, so names and values are
//! bytes. Every size is checked before it is used.

use std::net::{IpAddr, SocketAddr};

/// The name and the value of each header, in the order of the map. `None` if the map is shorter than its sizes say.
///
/// Bytes after the last header are ignored.
///
/// ```
/// use countersign::header_map::{parse, serialize};
///
/// let map = serialize(&[("accept", "*/*")]);
/// assert_eq!(parse(&map), Some(vec![(&b"accept"[..], &b"*/*"[..])]));
/// assert_eq!(parse(&map[..10]), None);
/// ```
pub fn parse(map: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (count, rest) = split_number(map)?;
    // `count` cannot ask for more memory than the map has: each header needs 8 bytes of it.
    let (mut sizes, mut bytes) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        headers.push(next_header(&mut sizes, &mut bytes)?);
    }
    Some(headers)
}

/// The texts of a property that is one text or a list of texts. `None` if a list is shorter than its sizes say.
///
/// Envoy passes a list as a header map. The entries are the names of its headers.
pub fn texts(property: &[u8]) -> Option<Vec<&[u8]>> {
    // A size in a map ends in a zero byte: no entry of a list has 2^24 bytes.
    if !property.contains(&0) {
        return Some(vec![property]);
    }
    let entries = parse(property)?;
    Some(entries.into_iter().map(|(name, _)| name).collect())
}

/// The address in a property that is an address with a port: `10.0.0.1:80`. `None` if it is something else.
///
/// An IPv4 address that is mapped into IPv6 is an IPv4 address (RFC 4291 §2.5.5.2).
pub fn address(property: &[u8]) -> Option<IpAddr> {
    let address: SocketAddr = std::str::from_utf8(property).ok()?.parse().ok()?;
    Some(address.ip().to_canonical())
}

/// The header map that [`parse`] reads.
pub fn serialize(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut map = HeaderMap::default();
    headers
        .iter()
        .for_each(|(name, value)| map.put(name, value));
    let mut bytes = Vec::new();
    map.write_to(&mut bytes);
    bytes
}

/// Headers in the two parts of which a header map consists, so that maps are joined by copying bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    sizes: Vec<u8>,
    texts: Vec<u8>,
}

impl HeaderMap {
    /// No headers yet, and room for a response's.
    pub fn with_room() -> Self {
        Self {
            sizes: Vec::with_capacity(8 * 10),
            texts: Vec::with_capacity(512),
        }
    }

    /// Appends a header. `name` is in lower case.
    pub fn put(&mut self, name: &str, value: &str) {
        self.put_parts(name, &[value]);
    }

    /// Appends a header whose value has these parts. `name` is in lower case.
    pub fn put_parts(&mut self, name: &str, value: &[&str]) {
        let length = value.iter().map(|part| part.len()).sum();
        for size in [name.len(), length] {
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            self.sizes.extend_from_slice(&size.to_le_bytes());
        }
        self.texts.extend_from_slice(name.as_bytes());
        self.texts.push(0);
        for part in value {
            self.texts.extend_from_slice(part.as_bytes());
        }
        self.texts.push(0);
    }

    /// Appends the headers of another map. Returns where their texts begin.
    pub(crate) fn append(&mut self, other: &Self) -> usize {
        let start = self.texts.len();
        self.sizes.extend_from_slice(&other.sizes);
        self.texts.extend_from_slice(&other.texts);
        start
    }

    /// Removes all headers, and keeps the memory.
    pub fn clear(&mut self) {
        self.sizes.clear();
        self.texts.clear();
    }

    /// The names and the values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let (mut sizes, mut texts) = (self.sizes.as_slice(), self.texts.as_slice());
        std::iter::from_fn(move || {
            let (name, value) = next_header(&mut sizes, &mut texts)?;
            Some((
                std::str::from_utf8(name).ok()?,
                std::str::from_utf8(value).ok()?,
            ))
        })
    }

    /// Replaces as many bytes of the texts, from `place` on, as `bytes` has, or none if there are fewer.
    pub(crate) fn overwrite(&mut self, place: usize, bytes: &[u8]) {
        let end = place.saturating_add(bytes.len());
        if let Some(own) = self.texts.get_mut(place..end) {
            own.copy_from_slice(bytes);
        }
    }

    /// Where the texts contain `bytes`.
    pub(crate) fn places_of(&self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        let windows = self.texts.windows(bytes.len().max(1)).enumerate();
        windows.filter_map(move |(place, window)| (window == bytes).then_some(place))
    }

    /// Gives back the memory that the headers do not use.
    pub(crate) fn shrink(&mut self) {
        self.sizes.shrink_to_fit();
        self.texts.shrink_to_fit();
    }

    /// How many bytes the map has.
    pub(crate) fn len(&self) -> usize {
        4 + self.sizes.len() + self.texts.len()
    }

    /// Replaces the content of `bytes` by the map that [`parse`] reads.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        let count = u32::try_from(self.sizes.len() / 8).unwrap_or(u32::MAX);
        bytes.clear();
        bytes.reserve(self.len());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&self.sizes);
        bytes.extend_from_slice(&self.texts);
    }
}

/// Takes the next header from the sizes and the texts of a map. `None` if one of them is too short.
fn next_header<'m>(sizes: &mut &'m [u8], texts: &mut &'m [u8]) -> Option<(&'m [u8], &'m [u8])> {
    let (name_size, rest) = split_number(sizes)?;
    let (value_size, rest) = split_number(rest)?;
    *sizes = rest;
    let (name, rest) = texts.split_at_checked(name_size)?;
    let (value, rest) = rest.get(1..)?.split_at_checked(value_size)?;
    *texts = rest.get(1..)?;
    Some((name, value))
}

fn split_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAP: &[u8] = b"\x02\0\0\0\
        \x07\0\0\0\x03\0\0\0\x01\0\0\0\x00\0\0\0\
        :method\0GET\0x\0\0";

    #[test]
    fn a_map_has_the_sizes_first_and_then_the_bytes() {
        let headers = [(":method", "GET"), ("x", "")];
        assert_eq!(serialize(&headers), MAP);
        let parsed = parse(MAP).unwrap();
        assert_eq!(parsed, headers.map(|(n, v)| (n.as_bytes(), v.as_bytes())));
        assert_eq!(serialize(&[]), [0; 4]);
        assert_eq!(parse(&[0; 4]), Some(Vec::new()));
    }

    #[test]
    fn a_truncated_map_is_rejected() {
        for end in 0..MAP.len() {
            assert_eq!(parse(&MAP[..end]), None, "{end}");
        }
    }

    #[test]
    fn sizes_beyond_the_map_are_rejected() {
        let huge = [0xff; 4];
        for map in [
            &huge[..],
            &[huge, huge].concat(),
            // 2^29 headers: on a 32-bit machine, 8 times as many bytes are 0.
            &[0, 0, 0, 0x20, 0, 0, 0, 0],
            &[[1, 0, 0, 0], huge, [0; 4], [0; 4]].concat(),
            &[[1, 0, 0, 0], [0; 4], huge, [0; 4]].concat(),
        ] {
            assert_eq!(parse(map), None, "{map:?}");
        }
    }

    #[test]
    fn names_and_values_can_be_any_bytes() {
        let map = b"\x01\0\0\0\x02\0\0\0\x03\0\0\0\xff\xfe\0\0\x80\0\0";
        assert_eq!(parse(map), Some(vec![(&b"\xff\xfe"[..], &b"\0\x80\0"[..])]));
    }

    #[test]
    fn a_property_is_one_text_or_a_list() {
        assert_eq!(texts(b"orders"), Some(vec![&b"orders"[..]]));
        assert_eq!(texts(b""), Some(vec![&b""[..]]));
        assert_eq!(texts(b"\xff"), Some(vec![&b"\xff"[..]]));
        let list = serialize(&[("orders", ""), ("admin", "")]);
        assert_eq!(texts(&list), Some(vec![&b"orders"[..], b"admin"]));
        assert_eq!(texts(&[0; 4]), Some(Vec::new()));
    }

    /// A list that cannot be read could name a policy that denies the request, so it must not count as an empty list.
    #[test]
    fn a_truncated_list_is_rejected() {
        let list = serialize(&[("orders", "")]);
        assert_eq!(texts(&list[..list.len() - 1]), None);
        assert_eq!(texts(b"or\0ders"), None);
    }

    #[test]
    fn an_address_has_a_port() {
        let v4 = Some(IpAddr::from([10, 0, 0, 1]));
        assert_eq!(address(b"10.0.0.1:80"), v4);
        assert_eq!(address(b"[::ffff:10.0.0.1]:80"), v4);
        assert_eq!(
            address(b"[::1]:80"),
            Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]))
        );
        for text in [
            &b"10.0.0.1"[..],
            b"",
            b"10.0.0.1:80 ",
            b"/run/envoy.sock",
            b"\xff",
        ] {
            assert_eq!(address(text), None);
        }
    }

    proptest! {
        #[test]
        fn a_serialized_map_can_be_parsed(headers in prop::collection::vec(("\\PC{0,9}", any::<String>()), 0..9)) {
            let texts: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let map = serialize(&texts);
            let bytes: Vec<_> = texts.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            prop_assert_eq!(parse(&map), Some(bytes));
            for end in 0..map.len() {
                prop_assert_eq!(parse(&map[..end]), None);
            }
        }

        #[test]
        fn parsing_any_bytes_does_not_panic(bytes in prop::collection::vec(prop_oneof![0..4u8, any::<u8>()], 0..99)) {
            if let Some(headers) = parse(&bytes) {
                let sizes: usize = headers.iter().map(|(name, value)| 10 + name.len() + value.len()).sum();
                prop_assert!(4 + sizes <= bytes.len());
            }
            let _ = (texts(&bytes), address(&bytes));
        }
    }
}
