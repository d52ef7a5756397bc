//! Authentication schemes (RFC 9110 §11.1).

/// A scheme of credentials, by its position among the schemes of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scheme(u8);

impl Scheme {
    /// RFC 6750. It is the first scheme of every configuration.
    pub const BEARER: Self = Self(0);

    /// The most schemes that a configuration can have.
    pub const MOST: usize = 31;

    /// The scheme at a position; none from [`Self::MOST`] on.
    pub fn at(position: usize) -> Option<Self> {
        let position = u8::try_from(position).ok()?;
        (usize::from(position) < Self::MOST).then_some(Self(position))
    }
}

/// A set of schemes: those whose challenges carry the error of a credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchemeSet(u32);

impl SchemeSet {
    /// The bit of [`Self::or_first`]. No scheme has it.
    const OR_FIRST: u32 = 1 << Scheme::MOST;

    /// The set with `scheme` added.
    #[must_use]
    pub const fn with(self, scheme: Scheme) -> Self {
        Self(self.0 | 1 << scheme.0)
    }

    /// The set of a credential that is not in `Authorization`, to which no challenge refers: if none of its schemes is
    /// offered, the first challenge carries its error.
    #[must_use]
    pub const fn or_first(self) -> Self {
        Self(self.0 | Self::OR_FIRST)
    }

    /// Whether `scheme` is in the set.
    pub const fn contains(self, scheme: Scheme) -> bool {
        self.0 & (1 << scheme.0) != 0
    }

    /// Whether there are no schemes.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The schemes of this set that are `offered`, in the order of the challenges.
    #[must_use]
    pub fn among(self, mut offered: impl Iterator<Item = Scheme> + Clone) -> Self {
        let own = offered.clone().filter(|scheme| self.contains(*scheme));
        let own = own.fold(Self::default(), Self::with);
        match offered.next() {
            Some(first) if own.is_empty() && self.0 & Self::OR_FIRST != 0 => own.with(first),
            _ => own,
        }
    }
}

impl FromIterator<Self> for SchemeSet {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        Self(sets.into_iter().fold(0, |all, set| all | set.0))
    }
}
