//! Just enough of HTTP/2 to send one request as it should be (RFC 9113), and to find the content of its answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::leaks;

/// Kinds of frames.
pub const DATA: u8 = 0x0;
pub const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;

/// Flags of frames.
pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;

/// How a connection begins: the preface, and no settings.
pub fn begin() -> Vec<u8> {
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, b""));
    sent
}

/// What comes back until `is_enough`, or until nothing more does.
pub fn exchange(server: SocketAddr, sent: &[u8], is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).expect("Envoy listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket has a timeout");
    stream.write_all(sent).expect("Envoy reads");
    let mut answer = Vec::new();
    let mut block = [0; 4096];
    while !is_enough(&answer) {
        match stream.read(&mut block) {
            Ok(length) if length > 0 => answer.extend_from_slice(&block[..length]),
            _ => break,
        }
    }
    answer
}

/// A frame of the stream 1, or of the connection (RFC 9113 §4.1).
pub fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags, 0, 0, 0, stream]);
    frame.extend_from_slice(payload);
    frame
}

/// Header fields, literal and not indexed (RFC 7541 §6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let bytes = fields
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let target = fields.iter().find(|(name, _)| *name == ":path");
    leaks::of_request(target.map_or(&b""[..], |(_, path)| path.as_bytes()), bytes);
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A length, in a prefix of seven bits and as many bytes as it needs (RFC 7541 §5.1).
fn push_length(block: &mut Vec<u8>, length: usize) {
    let byte = |value: usize| u8::try_from(value).expect("a byte");
    let Some(mut rest) = length.checked_sub(127) else {
        block.push(byte(length));
        return;
    };
    block.push(127);
    while rest >= 128 {
        block.push(byte(rest % 128 + 128));
        rest /= 128;
    }
    block.push(byte(rest));
}

/// The content of the stream 1, once it has ended.
pub fn ends_the_stream(mut answer: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let (head, rest) = answer.split_first_chunk::<9>()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        answer = rest;
        if head[8] == 1 {
            if head[3] == DATA {
                content.extend_from_slice(payload);
            }
            if head[3] <= HEADERS && head[4] & END_STREAM != 0 {
                return Some(content);
            }
        }
    }
}
