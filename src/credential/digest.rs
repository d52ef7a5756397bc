//! The parameters of a `Digest` credential (RFC 7616 §3.4).
//!
//! 1. Each parameter is a token or a quoted-string, whichever of them RFC 7616 wants for it (RFC 9110 §11.2).
//! 2. No name occurs twice, in any case (RFC 9110 §11.2). Unknown parameters are ignored.
//! 3. A quoted-string is compared and hashed without its quotes and its escapes (`unq`, RFC 7616 §3.4).

mod parameters;
mod user;

use std::borrow::Cow;
use std::fmt;

use self::parameters::Parameters;
use crate::reject::CredentialFault;
use crate::request::RequestView;
use crate::url::normalized;

/// The parameters of a `Digest` credential. They are not verified.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestCredential<'a> {
    user: Cow<'a, str>,
    realm: Cow<'a, [u8]>,
    nonce: Cow<'a, [u8]>,
    uri: Cow<'a, [u8]>,
    cnonce: Cow<'a, [u8]>,
    nc: [u8; 8],
    response: Cow<'a, [u8]>,
    algorithm: Option<Cow<'a, [u8]>>,
    opaque: Option<Cow<'a, [u8]>>,
}

impl<'a> DigestCredential<'a> {
    /// Reads the parameters after the scheme.
    ///
    /// # Errors
    /// [`CredentialFault::Syntax`] if a parameter is missing, repeated or malformed. [`CredentialFault::Unsupported`] if
    /// `qop` is not `auth`, or the user name is hashed.
    pub fn read(text: &'a [u8]) -> Result<Self, CredentialFault> {
        use CredentialFault::{Syntax, Unsupported};
        let mut sent = Parameters::read(text).ok_or(Syntax)?;
        let user_hash = sent.take("userhash");
        let is = |value: &str| {
            let sent = user_hash.as_deref();
            sent.is_some_and(|sent| sent.eq_ignore_ascii_case(value.as_bytes()))
        };
        if is("true") {
            return Err(Unsupported);
        }
        if user_hash.is_some() && !is("false") {
            return Err(Syntax);
        }
        if *sent.take("qop").ok_or(Syntax)? != *b"auth" {
            return Err(Unsupported);
        }
        Self::from_parameters(sent).ok_or(Syntax)
    }

    fn from_parameters(mut sent: Parameters<'a>) -> Option<Self> {
        let user = match (sent.take("username"), sent.take("username*")) {
            (Some(octets), None) => user::quoted(octets),
            (None, Some(octets)) => user::extended(&octets),
            (None, None) | (Some(_), Some(_)) => None,
        };
        let nc: [u8; 8] = (*sent.take("nc")?).try_into().ok()?;
        Some(Self {
            user: user?,
            realm: sent.take("realm")?,
            nonce: sent.take("nonce")?,
            uri: sent.take("uri")?,
            cnonce: sent.take("cnonce")?,
            nc: number(&nc).map(|_| nc)?,
            response: sent.take("response")?,
            algorithm: sent.take("algorithm"),
            opaque: sent.take("opaque"),
        })
    }

    /// The user name. It is not verified.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm, which is to be the one of the challenge.
    pub fn realm(&self) -> &[u8] {
        &self.realm
    }

    /// The server's nonce, which is to be the one of a challenge.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// The request target, as the client sent it here.
    pub fn uri(&self) -> &[u8] {
        &self.uri
    }

    /// The client's nonce.
    pub fn cnonce(&self) -> &[u8] {
        &self.cnonce
    }

    /// How many requests the client has sent with this nonce: eight hexadecimal digits in lower case (`8LHEX`).
    pub fn nc(&self) -> &[u8; 8] {
        &self.nc
    }

    /// The number that [`Self::nc`] is.
    pub fn count(&self) -> u32 {
        number(&self.nc).unwrap_or_default()
    }

    /// The proof that the client knows the password.
    pub fn response(&self) -> &[u8] {
        &self.response
    }

    /// The name of the algorithm. Without one, it is MD5 (RFC 7616 §3.4).
    pub fn algorithm(&self) -> Option<&[u8]> {
        self.algorithm.as_deref()
    }

    /// The text that the client repeats from the challenge.
    pub fn opaque(&self) -> Option<&[u8]> {
        self.opaque.as_deref()
    }

    /// Whether `uri` is the target of a request, with its query (RFC 7616 §3.4.6). The target of CONNECT is its authority (RFC
    /// 9112 §3.2.3).
    ///
    /// A proxy may have changed the escapes of the target, and a client of a proxy sends an absolute URL. Nothing else may
    /// differ: two targets that differ in dot segments or slashes can name two resources.
    pub fn is_for(&self, request: &RequestView<'_>) -> bool {
        let Some(target) = request.target() else {
            return request.method() == b"CONNECT" && *self.uri == *request.authority();
        };
        let is_target = |uri: &[u8]| uri == target || normalized(uri) == normalized(target);
        is_target(&self.uri)
            || after_authority(&self.uri, request.authority()).is_some_and(is_target)
    }
}

/// What follows the authority of an absolute URL, if it is `http` or `https` and has this authority (RFC 9112 §3.2.2).
fn after_authority<'u>(uri: &'u [u8], authority: &[u8]) -> Option<&'u [u8]> {
    let schemes = [&b"http://"[..], b"https://"];
    let rest = schemes
        .into_iter()
        .find_map(|scheme| without_prefix(uri, scheme))?;
    without_prefix(rest, authority).filter(|path| path.starts_with(b"/"))
}

/// A text without a prefix whose case does not matter.
fn without_prefix<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    let (begin, rest) = text.split_at_checked(prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The number that hexadecimal digits in lower case are.
fn number(digits: &[u8; 8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let is_lower = !digit.is_ascii_uppercase();
        let digit = char::from(*digit).to_digit(16).filter(|_| is_lower)?;
        Some(number << 4 | digit)
    })
}

/// Prints nothing of it: it names the user, and the response can be used to guess the password.
impl fmt::Debug for DigestCredential<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestCredential")
    }
}

#[cfg(test)]
mod tests;
