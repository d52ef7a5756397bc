//! A user name and a password, as `Basic` sends them (RFC 7617 §2).

use std::fmt;

use base64ct::{Base64, Encoding};

/// The longest user name with a password that is read, in bytes. It bounds what is hashed.
const MOST: usize = 1024;

/// A user name and a password. They are not verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `user-id ":" password`.
    text: String,
    /// The position of the first colon: a user name contains none.
    colon: usize,
}

impl Login {
    /// Reads the `token68` of a `Basic` credential: base64 with padding (RFC 4648 §4) of `user-id ":" password` in UTF-8,
    /// without control characters.
    ///
    /// `None` if it is anything else.
    pub fn read(token68: &[u8]) -> Option<Self> {
        if token68.len() > MOST.div_ceil(3) * 4 {
            return None;
        }
        let decoded = Base64::decode_vec(std::str::from_utf8(token68).ok()?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let colon = text.find(':')?;
        Some(Self { text, colon })
    }

    /// The user name. It is not verified.
    pub fn user(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The password.
    pub fn password(&self) -> &[u8] {
        let password = self.text.as_bytes().get(self.colon + 1..);
        password.unwrap_or_default()
    }

    /// The octets by which a cache recognizes it.
    pub fn octets(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Prints nothing of the user name and the password.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token68: &str) -> Option<(String, Vec<u8>)> {
        let login = Login::read(token68.as_bytes())?;
        Some((login.user().to_owned(), login.password().to_vec()))
    }

    fn login(user: &str, password: &str) -> Option<(String, Vec<u8>)> {
        Some((user.to_owned(), password.as_bytes().to_vec()))
    }

    #[test]
    fn ba_04_the_first_colon_ends_the_user_name() {
        assert_eq!(
            read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            login("Aladdin", "open sesame")
        );
        assert_eq!(read("YTpiOmM="), login("a", "b:c"));
        assert_eq!(read("Og=="), login("", ""));
        assert_eq!(read("dGVzdDoxMjPCow=="), login("test", "123£"));
    }

    #[test]
    fn ba_08_what_is_not_base64_of_a_login_is_not_read() {
        for token68 in [
            "",
            "dXNlcg==",
            "!!!!",
            "QWxh=ZGRp",
            "QUJDR",
            "dXNlcjp-fn4=",
            "dXNlcjpwdw",
            "dXNlcjpwdx==",
            "dXMKZXI6cHc=",
            "dXMAZXI6cHc=",
            "dGVzdDoxMjOj",
        ] {
            assert_eq!(read(token68), None, "{token68}");
        }
        let long = Base64::encode_string(format!("a:{}", "b".repeat(2 * MOST)).as_bytes());
        assert_eq!(read(&long), None);
    }

    #[test]
    fn debug_prints_nothing_of_it() {
        let login = Login::read(b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{login:?}"), "Some(Login)");
    }
}
