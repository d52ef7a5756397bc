//! The users that a provider accepts by Digest, with `H(A1)` in place of a password (RFC 7616 §3.4.2).

use std::fmt;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::DigestAlgorithm;
use super::algorithm::Hashed;
use crate::authenticate::listed::{Grants, Index};

/// Users by their names.
pub struct DigestUsers {
    users: Vec<Rc<DigestUser>>,
    index: Index,
}

/// A user, and what a right response proves.
pub struct DigestUser {
    /// The user name.
    pub name: Box<str>,
    /// The hashes of the password: at most one for each algorithm.
    pub ha1s: Vec<Ha1>,
    /// The scopes and roles of the user.
    pub grants: Rc<Grants>,
}

/// `H(A1)`: the hash of a user name, a realm and a password (RFC 7616 §3.4.2).
///
/// Who has it can compute every response of the user in this realm. Its memory is overwritten when it is dropped, and its
/// `Debug` shows no part of it:
///
/// ```
/// use countersign::authenticate::digest::{DigestAlgorithm, Ha1};
///
/// let ha1 = Ha1::new(DigestAlgorithm::Md5, "Mufasa", "http-auth@example.org", b"Circle of Life");
/// assert_eq!(ha1.digits(), b"3d78807defe7de2157e2b0b6573a855f");
/// assert_eq!(format!("{ha1:?}"), "Ha1(Md5)");
/// ```
#[derive(Clone)]
pub struct Ha1 {
    algorithm: DigestAlgorithm,
    hashed: Hashed,
}

impl DigestUsers {
    /// The users of a configuration. `report` is called with the index of each user whose name an earlier user has, and
    /// with the index of that one.
    ///
    /// # Errors
    /// The last error that `report` returned.
    pub fn new<E>(
        users: Vec<DigestUser>,
        mut report: impl FnMut(usize, usize) -> E,
    ) -> Result<Self, E> {
        let users: Vec<_> = users.into_iter().map(Rc::new).collect();
        let name = |position: usize| {
            let user = users.get(position);
            user.map_or(&[][..], |user| user.name.as_bytes())
        };
        let (index, repeated) = Index::new(users.len(), &name);
        let mut error = None;
        for own in repeated {
            error = Some(report(own.later, own.first));
        }
        error.map_or(Ok(Self { users, index }), Err)
    }

    /// The user with this name.
    pub fn find(&self, name: &str) -> Option<&Rc<DigestUser>> {
        let is_same = |position: usize| {
            let known = self.users.get(position);
            known.is_some_and(|known| *known.name == *name)
        };
        let position = self.index.find(name.as_bytes(), &is_same)?;
        self.users.get(position)
    }

    /// The number of users.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are no users.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl DigestUser {
    /// The hash of the password for this algorithm.
    pub fn ha1(&self, algorithm: DigestAlgorithm) -> Option<&Ha1> {
        self.ha1s.iter().find(|own| own.algorithm == algorithm)
    }
}

impl Ha1 {
    /// The hash of a password.
    pub fn new(algorithm: DigestAlgorithm, user: &str, realm: &str, password: &[u8]) -> Self {
        let hashed = algorithm.hash(&[user.as_bytes(), realm.as_bytes(), password]);
        Self { algorithm, hashed }
    }

    /// Reads the hash from its hexadecimal digits, as `htdigest` and `countersign hash digest` print it. `None` if the text
    /// is not as long as a hash of this algorithm, or has other characters.
    pub fn parse(algorithm: DigestAlgorithm, text: &str) -> Option<Self> {
        let mut octets = Zeroizing::new([0; 32]);
        let octets = base16ct::mixed::decode(text, octets.as_mut_slice()).ok()?;
        let hashed = Hashed::of(octets);
        (text.len() == algorithm.digits()).then_some(Self { algorithm, hashed })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The hexadecimal digits, in lower case. They must not reach a log line, a metric or a response.
    pub fn digits(&self) -> &[u8] {
        self.hashed.as_bytes()
    }
}

/// Prints no user, because the names are private.
impl fmt::Debug for DigestUsers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DigestUsers({})", self.users.len())
    }
}

/// Prints nothing of the user.
impl fmt::Debug for DigestUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestUser")
    }
}

/// Prints only the algorithm.
impl fmt::Debug for Ha1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ha1({:?})", self.algorithm)
    }
}
