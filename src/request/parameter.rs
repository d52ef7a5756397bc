//! Names of query parameters and cookies, in every spelling that an upstream could read as one of them.
//!
//! PHP drops leading spaces, ends a name at a NUL, and replaces spaces, dots and an unclosed `[` by `_`. For PHP, text
//! after a `[` is a key within the parameter. Rack and Node's `qs` drop leading brackets. ASP.NET ignores case. Some
//! servers also separate parameters at `;`, and HAProxy at a second `?`.

use std::iter::Peekable;

use crate::grammar::octet_of_digits;

/// Whether some server reads a query parameter, given as sent, as the one called `own`.
pub fn is_parameter(parameter: &[u8], own: &str) -> bool {
    parameter
        .split(|byte| matches!(byte, b';' | b'?'))
        .any(|part| is_name(name_of(part), own))
}

/// Whether some server reads a cookie, given as sent between two `;`, as the one called `own`, or finds that one in it.
///
/// Python's `http.cookies` also separates cookies at spaces, and RFC 2109 at commas.
pub fn is_cookie(cookie: &[u8], own: &str) -> bool {
    let is_own = |name: &[u8]| {
        is_name(name, own) || without_prefix(name).is_some_and(|name| is_name(name, own))
    };
    is_own(name_of(cookie)) || inner_names(cookie).any(is_own)
}

/// The name of a cookie without the prefix that binds it to its host (draft-ietf-httpbis-rfc6265bis §4.1.3), which
/// Sanic drops.
fn without_prefix(name: &[u8]) -> Option<&[u8]> {
    ["__host-", "__secure-"].into_iter().find_map(|prefix| {
        let name = name.trim_ascii_start();
        let (begin, rest) = name.split_at_checked(prefix.len())?;
        begin
            .eq_ignore_ascii_case(prefix.as_bytes())
            .then_some(rest)
    })
}

/// The name before each `=` of a cookie that follows a space or a comma.
fn inner_names(cookie: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = cookie.iter().rposition(|byte| *byte == b'=');
    let parts = end.and_then(|end| cookie.get(..end)).unwrap_or_default();
    parts.split(|byte| *byte == b'=').filter_map(|part| {
        let part = part.trim_ascii_end();
        let separator = part
            .iter()
            .rposition(|byte| *byte == b',' || byte.is_ascii_whitespace());
        separator.and_then(|separator| part.get(separator + 1..))
    })
}

fn name_of(part: &[u8]) -> &[u8] {
    part.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// Whether some server reads the name `name`, given as sent, as `own`.
fn is_name(name: &[u8], own: &str) -> bool {
    let sent = Decoded(name.iter()).take_while(|byte| *byte != 0);
    let mut sent = sent.peekable();
    while sent.next_if(is_dropped).is_some() {}
    own.bytes().all(|own| next_is(&mut sent, own)) && is_no_more(sent)
}

fn next_is(sent: &mut Peekable<impl Iterator<Item = u8>>, own: u8) -> bool {
    sent.next().is_some_and(|byte| {
        byte.eq_ignore_ascii_case(&own)
            || !byte.is_ascii_alphanumeric() && !own.is_ascii_alphanumeric()
    })
}

/// Whether a server drops this byte at the start of a name. Python's `str.strip` and JavaScript's `trim` drop control
/// characters and spaces outside ASCII.
fn is_dropped(byte: &u8) -> bool {
    !byte.is_ascii_graphic() || matches!(byte, b'[' | b']' | b'?')
}

/// Whether a name ends here: at a key in brackets, or where only punctuation follows.
fn is_no_more(mut rest: Peekable<impl Iterator<Item = u8>>) -> bool {
    matches!(rest.peek(), Some(b'[' | b']')) || !rest.any(|byte| byte.is_ascii_alphanumeric())
}

/// The bytes of a name, percent-decoded, also in the form of ASP.NET (`%u005f`). A broken escape is not decoded.
struct Decoded<'a>(std::slice::Iter<'a, u8>);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = *self.0.next()?;
        if byte == b'+' {
            return Some(b' ');
        }
        let rest = self.0.as_slice();
        let escaped = match rest {
            [b'u' | b'U', b'0', b'0', high, low, after @ ..] if byte == b'%' => {
                octet_of_digits(*high, *low).map(|byte| (byte, after))
            }
            [high, low, after @ ..] if byte == b'%' => {
                octet_of_digits(*high, *low).map(|byte| (byte, after))
            }
            _ => None,
        };
        let Some((decoded, after)) = escaped else {
            return Some(byte);
        };
        self.0 = after.iter();
        Some(decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_cookie, is_parameter};

    #[test]
    fn every_spelling_that_a_server_reads_as_the_parameter() {
        for parameter in [
            "_method=DELETE",
            "_method",
            "_METHOD=x",
            "%5fmethod=x",
            "_%6Dethod=x",
            ".method=x",
            "+_method=x",
            "%20_method=x",
            "[_method]=x",
            "_method[]=x",
            "_method[x]=x",
            "_method%00x=x",
            "%u005fmethod=x",
            "a=1;_method=x",
            "a=1?_method=x",
            "?_method=x",
        ] {
            assert!(is_parameter(parameter.as_bytes(), "_method"), "{parameter}");
        }
        for parameter in [
            "method=DELETE",
            "%6Dethod=x",
            "_methods=x",
            "_method2=x",
            "payment_method=x",
            "_a_method=x",
            "a=_method",
            "_metho",
            "_%00method=x",
            "_%u00method=x",
            "_",
            "%",
            "",
            "=x",
        ] {
            assert!(
                !is_parameter(parameter.as_bytes(), "_method"),
                "{parameter}"
            );
        }
    }

    #[test]
    fn every_spelling_of_a_token_in_the_query() {
        for parameter in [
            "access_token=x",
            "access.token=x",
            "access+token=x",
            "access%20token=x",
            "access[token=x",
            "access%5Btoken=x",
            "access_token[]=x",
            "access_token%5B0%5D=x",
            "[access_token]=x",
            "++access_token=x",
            "%20access.token=x",
            "ACCESS_TOKEN=x",
            "access_token%00=x",
            "access_token%00y=x",
            "b;access_token=x",
        ] {
            assert!(
                is_parameter(parameter.as_bytes(), "access_token"),
                "{parameter}"
            );
        }
        for parameter in [
            "accesstoken=x",
            "access_tokens=x",
            "my_access_token=x",
            "_access_token=x",
            "access=token",
            "a[access_token]=x",
        ] {
            assert!(
                !is_parameter(parameter.as_bytes(), "access_token"),
                "{parameter}"
            );
        }
        assert!(is_parameter(b"t=x", "t") && !is_parameter(b"tt=x", "t"));
    }

    #[test]
    fn every_spelling_of_a_cookie() {
        for cookie in [
            "my_id=x",
            "my.id=x",
            "my%5Fid=x",
            "my id=x",
            "my[id=x",
            "my_id[]=x",
            " My_Id = x",
            "a=b my_id=x",
            "a=b,my.id=x",
            "a=b=c my_id =x",
            "a=\"b\tmy_id=x\"",
            "\u{a0}my_id\u{a0}=x",
            "__Host-my_id=x",
            " __secure-my.id=x",
            "my_id",
        ] {
            assert!(is_cookie(cookie.as_bytes(), "my_id"), "{cookie}");
        }
        for cookie in [
            "my_ids=x",
            "a=my_id=x",
            "a=b my_id",
            "not_my_id=x",
            "__Host_my_id=x",
            "",
            "=x",
            "my=id",
        ] {
            assert!(!is_cookie(cookie.as_bytes(), "my_id"), "{cookie}");
        }
    }
}
