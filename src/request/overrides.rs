//! By what some upstreams take a request for one of another method or path than its head says.
//!
//! Frameworks read them for browsers, whose forms know two methods, and for proxies that rewrite paths. Forms have one
//! more, in their content, which a filter does not see.

use percent_encoding::percent_decode;

/// Fields that name another method.
pub const METHOD_FIELDS: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Fields that name another path, or a part of one.
pub const PATH_FIELDS: [&str; 6] = [
    "x-original-url",
    "x-rewrite-url",
    "x-original-uri",
    "x-envoy-original-path",
    "x-forwarded-uri",
    "x-forwarded-prefix",
];

/// Whether a parameter of a query, as it was sent, is `_method` to some server, by itself or after a `;` within it.
///
/// PHP makes `_method` of `.method` and cuts a name at a NUL; Node's `qs` makes it of `[_method]`.
pub fn is_method_parameter(parameter: &[u8]) -> bool {
    parameter.split(|byte| *byte == b';').any(|part| {
        let name = part.split(|byte| *byte == b'=').next();
        name.is_some_and(is_method)
    })
}

/// `method`, after anything that is no letter or digit and before whatever else is none.
fn is_method(name: &[u8]) -> bool {
    if name.first().is_none_or(u8::is_ascii_alphanumeric) {
        return false;
    }
    let bytes = percent_decode(name).take_while(|byte| *byte != 0);
    let mut bytes = bytes.peekable();
    if bytes.peek().is_none_or(u8::is_ascii_alphanumeric) {
        return false;
    }
    let mut rest = bytes.skip_while(|byte| !byte.is_ascii_alphanumeric());
    let mut own = b"method".iter();
    own.all(|own| {
        rest.next()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(own))
    }) && !rest.any(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::is_method_parameter;

    #[test]
    fn every_spelling_that_a_server_makes_the_parameter_of() {
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
            "_method%00x=x",
            "a=1;_method=x",
        ] {
            assert!(is_method_parameter(parameter.as_bytes()), "{parameter}");
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
            "_",
            "",
            "=x",
        ] {
            assert!(!is_method_parameter(parameter.as_bytes()), "{parameter}");
        }
    }
}
