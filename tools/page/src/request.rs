//! The request of the form, checked so that it is one request and nothing else.

use countersign::grammar::is_token;
use serde::Deserialize;

/// Headers that frame a message or concern the connection. A client that sets them can send more than one request.
const OF_THE_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// The host, unless the form has another.
const HOST: &str = "orders.example.com";

/// What the form contains.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The name of a listener.
    pub target: String,
    method: String,
    path: String,
    /// The value of `Authorization`, or a token alone; empty if there is none.
    #[serde(default)]
    authorization: String,
    /// Names and values of other headers.
    #[serde(default)]
    headers: Vec<(String, String)>,
}

/// A request that can be sent.
pub struct Checked {
    pub method: String,
    pub path: String,
    /// Names and values; `host` is the first.
    pub headers: Vec<(String, String)>,
}

impl Form {
    /// Checks the request.
    ///
    /// # Errors
    /// What is wrong. The text contains no header value.
    pub fn check(self) -> Result<Checked, String> {
        let method = self.method;
        if !is_token(&method) {
            return Err("the method: expected letters such as `GET`".to_owned());
        }
        if method == "CONNECT" {
            return Err("the method `CONNECT` opens a tunnel: expected another method".to_owned());
        }
        check_path(&self.path)?;
        let mut headers = Vec::new();
        for (name, value) in self.headers {
            let name = name.trim().to_ascii_lowercase();
            if !is_token(&name) {
                return Err("a header name: expected letters, digits and `-`".to_owned());
            }
            if OF_THE_CONNECTION.contains(&&*name) {
                return Err(format!(
                    "the header `{name}` concerns the connection: remove it"
                ));
            }
            let value = checked_value(&name, &value)?;
            headers.push((name, value));
        }
        let authorization = self.authorization.trim();
        if !authorization.is_empty() {
            let value = match authorization.contains(' ') {
                true => authorization.to_owned(),
                false => format!("Bearer {authorization}"),
            };
            let name = "authorization".to_owned();
            let value = checked_value(&name, &value)?;
            headers.push((name, value));
        }
        let hosts = headers.iter().filter(|(name, _)| name == "host").count();
        match hosts {
            0 => headers.insert(0, ("host".to_owned(), HOST.to_owned())),
            1 => headers.sort_by_key(|(name, _)| name != "host"),
            _ => return Err("the header `host`: expected one, found several".to_owned()),
        }
        Ok(Checked {
            method,
            path: self.path,
            headers,
        })
    }
}

impl Checked {
    /// The request as HTTP/1.1 writes it, with these headers besides.
    pub fn to_bytes(&self, others: &[(&str, &str)]) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let own = self.headers.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(others.iter().copied()) {
            text += &format!("{name}: {value}\r\n");
        }
        (text + "\r\n").into_bytes()
    }
}

fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err("the path: expected a text that begins with `/`".to_owned());
    }
    match path.chars().find(|c| !c.is_ascii_graphic()) {
        None => Ok(()),
        Some(' ') => Err("the path contains a space: write it as `%20`".to_owned()),
        Some(c) if c.is_ascii() => {
            Err("the path contains a control character: remove it".to_owned())
        }
        Some(_) => {
            Err("the path contains a character that is not ASCII: percent-encode it".to_owned())
        }
    }
}

fn checked_value(name: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(format!(
            "the header `{name}` contains a line break or a control character: remove it"
        ));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(method: &str, path: &str, authorization: &str, headers: &[(&str, &str)]) -> Form {
        let headers = headers.iter();
        Form {
            target: "public".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            authorization: authorization.to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_token_alone_is_sent_after_bearer() {
        let sent = form("GET", "/orders/17?a=b", " a.b.c\n", &[("X-A", "b")]);
        let sent = sent.check().unwrap().to_bytes(&[("connection", "close")]);
        assert_eq!(
            String::from_utf8(sent).unwrap(),
            "GET /orders/17?a=b HTTP/1.1\r\nhost: orders.example.com\r\nx-a: b\r\nauthorization: Bearer a.b.c\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_value_with_a_scheme_and_a_host_are_sent_as_they_are() {
        let sent = form(
            "PUT",
            "/",
            "Basic YTpi",
            &[("x-a", "b"), ("Host", "a.example")],
        );
        let sent = sent.check().unwrap().headers;
        let expected = [
            ("host", "a.example"),
            ("x-a", "b"),
            ("authorization", "Basic YTpi"),
        ];
        assert_eq!(
            sent,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_request_that_could_be_two_is_refused() {
        let refused = [
            form("GET /x", "/", "", &[]),
            form("", "/", "", &[]),
            form("CONNECT", "/", "", &[]),
            form("GET", "", "", &[]),
            form("GET", "http://other.example/", "", &[]),
            form("GET", "/a b", "", &[]),
            form("GET", "/\r\nx: y", "", &[]),
            form("GET", "/ü", "", &[]),
            form("GET", "/", "a\r\nx: y", &[]),
            form("GET", "/", "", &[("x", "a\nb")]),
            form("GET", "/", "", &[("x:y", "a")]),
            form("GET", "/", "", &[("x\r\ny", "a")]),
            form("GET", "/", "", &[(":path", "/")]),
            form("GET", "/", "", &[("Content-Length", "5")]),
            form("GET", "/", "", &[("transfer-encoding", "chunked")]),
            form("GET", "/", "", &[("host", "a"), ("host", "b")]),
        ];
        for (index, form) in refused.into_iter().enumerate() {
            let fault = form.check().err();
            assert!(fault.is_some_and(|text| !text.contains("x: y")), "{index}");
        }
    }
}
