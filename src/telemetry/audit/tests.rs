use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;

use super::*;
use crate::authenticate::jose::signature::Pure;
use crate::evaluate::{Circumstances, Outcome, evaluate};
use crate::grammar::unprintable::escaped;
use crate::plan::Plan;

/// [`Members`] as `serde_json` writes them.
#[derive(Serialize)]
struct Expected<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    method: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    time: &'a str,
}

/// The line, written in three passes.
fn expected(members: &Members<'_>) -> String {
    let shortened = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes.get(..MAX_LOGGED).unwrap_or(bytes)).into_owned()
    };
    let line = Expected {
        event: members.event,
        status: members.status,
        error: members.error,
        reason: members.reason,
        rule: members.rule,
        provider: members.provider,
        subject: members.subject,
        client: members.client,
        method: shortened(members.method),
        path: shortened(without_parameters(members.path)),
        request_id: members.request_id,
        time: members.time,
    };
    escaped(&serde_json::to_string(&line).unwrap()).into_owned()
}

/// Characters of every kind that a line escapes, some that it does not, and what begins an escape in a path.
const CHARACTERS: [&str; 32] = [
    "a",
    "/",
    "\"",
    "\\",
    "\u{0}",
    "\u{8}",
    "\t",
    "\n",
    "\u{c}",
    "\r",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\u{9f}",
    "\u{a0}",
    "\u{ad}",
    "é",
    "\u{61c}",
    "\u{200b}",
    "\u{2028}",
    "\u{202e}",
    "\u{2069}",
    "\u{feff}",
    "\u{fffd}",
    "😀",
    "\u{e0041}",
    "\u{10ffff}",
    "\\u202e",
    "%2",
    "%25",
    "%3f",
    ";",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        vec(select(&CHARACTERS[..]), 0..20).prop_map(|parts| parts.concat()),
        vec(any::<char>(), 0..20).prop_map(String::from_iter),
    ]
}

/// Text, text with bytes that are not UTF-8, and text that is cut within a character.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = select(vec![
        &b"\xff"[..],
        b"\xc3",
        b"\xf0\x9f\x98",
        b"\xed\xa0\x80",
        b"",
    ]);
    let long = (0..4_usize, select(&CHARACTERS[..])).prop_map(|(less, character)| {
        let mut long = vec![b'a'; MAX_LOGGED - less];
        long.extend(character.as_bytes());
        long
    });
    prop_oneof![
        text().prop_map(String::into_bytes),
        (text(), odd, text()).prop_map(|(before, odd, after)| [
            before.as_bytes(),
            odd,
            after.as_bytes()
        ]
        .concat()),
        vec(any::<u8>(), 0..40),
        long,
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Ipv4Addr::from(octets).into()),
        any::<[u8; 16]>().prop_map(|octets| Ipv6Addr::from(octets).into()),
        (0..8_u32, any::<u16>())
            .prop_map(|(place, group)| Ipv6Addr::from(u128::from(group) << (place * 16)).into()),
    ]
}

proptest! {
    #[test]
    fn a_line_has_the_bytes_that_serde_json_and_the_escapes_give(
        (event, error, reason) in (
            select(vec!["allowed", "answered", "denied", "shadow_denied"]),
            of(select(vec!["invalid_token", "respond"])),
            of(select(vec!["token_expired", "no_credential"])),
        ),
        status in of(any::<u16>()),
        (rule, provider, subject) in (of(text()), of(text()), of(text())),
        client in of(address()),
        (method, path) in (bytes(), bytes()),
        request_id in of("[A-Za-z0-9._-]{1,128}"),
        seconds in 0_i64..253_402_300_800,
    ) {
        let time = Timestamp::from_seconds(seconds).to_string();
        let members = Members {
            event,
            status,
            error,
            reason,
            rule: rule.as_deref(),
            provider: provider.as_deref(),
            subject: subject.as_deref(),
            client,
            method: &method,
            path: &path,
            request_id: request_id.as_deref(),
            time: &time,
        };
        let mut line = String::new();
        members.write(&mut line);
        prop_assert_eq!(line, expected(&members));
    }
}

#[test]
fn every_character_is_written_as_serde_json_and_the_escapes_give_it() {
    let text = String::from_iter('\0'..=char::MAX);
    let mut line = String::new();
    push_text(&mut line, "\"", Some(&text));
    let expected = serde_json::to_string(&text).unwrap();
    assert!(line == escaped(&expected));
}

fn line_for(fields: &[(&str, &[u8])]) -> serde_json::Value {
    serde_json::from_str(&text_for(fields)).unwrap()
}

fn text_for(fields: &[(&str, &[u8])]) -> String {
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), *value));
    let request = RequestView::new(fields.collect());
    let (plan, now) = (Plan::refuse_all(), Timestamp::from_millis(0));
    let store = plan.empty_store();
    let circumstances = Circumstances::new(&Pure, now);
    match evaluate(&plan, &request, &store, circumstances, &mut ()) {
        Outcome::Decided(decision, _) => {
            let mut lines = AuditLines::default();
            lines.write(&decision, None, &request, None, now).to_owned()
        }
        Outcome::Needs(..) => panic!("there is no document"),
    }
}

#[test]
fn a_line_has_only_a_request_id_that_a_response_would_repeat() {
    let line = line_for(&[("x-request-id", b"4bf92f35-77b3.A_1")]);
    assert_eq!(line["request_id"], "4bf92f35-77b3.A_1");
    for ids in [
        &["\u{9b}2J".as_bytes()][..],
        &["\u{202e}".as_bytes()],
        &[b"a b"],
        &[b"\x7f"],
        &[&[b'a'; 129]],
        &[b"a", b"b"],
    ] {
        let fields: Vec<_> = ids.iter().map(|id| ("x-request-id", *id)).collect();
        assert!(line_for(&fields).get("request_id").is_none(), "{ids:?}");
    }
}

#[test]
fn characters_that_change_how_a_line_is_shown_are_escaped() {
    let sent = "/\u{0}\u{1f}\u{7f}\u{9b}2J\u{2028}\u{202e}\u{2069}\u{200b}\u{e0041}é";
    let shown = r"/\u0000\u001f\u007f\u009b2J\u2028\u202e\u2069\u200b\udb40\udc41é";
    for name in [":path", ":method"] {
        let line = text_for(&[(name, sent.as_bytes())]);
        assert!(line.contains(&format!("\"{shown}\"")), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        let member = name.trim_start_matches(':');
        assert_eq!(read[member], sent, "it is the same once it is read");
    }
}

#[test]
fn a_line_does_not_show_what_a_server_could_read_as_a_query_or_as_parameters() {
    for rest in [
        "?",
        "%3F",
        "%3f",
        "%253F",
        "%25252525253f",
        ";",
        "%3B",
        "%253b",
        "#",
        "%23",
        "%252523",
    ] {
        let line = line_for(&[(":path", format!("/a%20b%2525/c{rest}key=secret").as_bytes())]);
        assert_eq!(line["path"], "/a%20b%2525/c", "{rest}");
    }
    for path in ["/a%", "/a%2", "/a%3", "/a%253", "/%25%253Ax"] {
        assert_eq!(line_for(&[(":path", path.as_bytes())])["path"], path);
    }
}

#[test]
fn a_line_does_not_grow_with_the_request() {
    let long = [b'a'; 60_000];
    let line = line_for(&[
        (":path", &long),
        (":method", &long),
        ("x-request-id", &long),
    ]);
    assert!(line.to_string().len() < 3 * MAX_LOGGED);
}
