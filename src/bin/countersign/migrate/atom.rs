//! What a condition on a request can ask for.

use ipnet::IpNet;

/// One question about a request, as the old filters ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    /// About the path without its query.
    Path(PathTest),
    /// Whether the path has only characters that path templates match.
    OrdinaryPath,
    /// Whether the method is this one.
    Method(String),
    /// About the authority.
    Host(Text),
    /// Whether the request has this header.
    HeaderPresent(String),
    /// About the value of a header. False without the header. The values of a repeated header are joined by commas.
    Header(String, Text),
    /// Whether the client's address, which forwarded addresses can determine, is in a network.
    Network(IpNet),
    /// Whether a token of this provider was verified.
    Verified(String),
    /// About the name of the caller that a provider has verified. False without such a caller.
    Subject(String, Text),
    /// Whether there is no token where these providers look for one.
    NoToken(Vec<String>),
    /// About a claim of the verified token of a provider. False without such a token.
    Claim {
        /// The provider.
        provider: String,
        /// The names of the claim and of members in it.
        path: Vec<String>,
        /// What is asked about it.
        test: ClaimTest,
    },
    /// Unknown, beside what is known: a disjunction with it can be required, and not negated. The text names it.
    OnlyRequired(String),
    /// What cannot be carried over: the construct and where it is.
    Unknown(String),
}

/// A question about a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathTest {
    /// Whether the path is this text.
    Exact(PathText),
    /// Whether the path begins with this text.
    Prefix(PathText),
    /// Whether the path is this text or continues it after a slash.
    Segments(String),
    /// Whether the path has these segments; none stands for any text without a slash.
    Template(Vec<Option<String>>),
}

/// A text that is compared with or without its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathText {
    /// The text.
    pub text: String,
    /// Whether upper and lower case are the same.
    pub ignores_case: bool,
}

/// A question about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// How the text is compared.
    pub how: How,
    /// The text that is compared.
    pub text: String,
    /// Whether upper and lower case are the same.
    pub ignores_case: bool,
}

/// How a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is this text.
    Exact,
    /// It begins with this text.
    Prefix,
    /// It ends with this text.
    Suffix,
    /// It has this text in it.
    Contains,
    /// It is not empty. The text is empty.
    NotEmpty,
}

/// A question about a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimTest {
    /// Whether the token has the claim.
    Present,
    /// Whether it is a string, and this one.
    Text(Text),
    /// Whether it is a list with such a string.
    Item(Text),
    /// Whether it is such a string, or a list with one.
    TextOrItem(Text),
    /// As [`TextOrItem`](Self::TextOrItem), and a string is a list of words that spaces separate.
    Word(Text),
    /// Whether it is this boolean.
    Bool(bool),
    /// Whether it is this number, as JSON writes it.
    Number(String),
}

impl Text {
    /// Whether `other` is such a text.
    pub fn matches(&self, other: &str) -> bool {
        let fold = |text: &str| match self.ignores_case {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let (own, other) = (fold(&self.text), fold(other));
        match self.how {
            How::Exact => own == other,
            How::Prefix => other.starts_with(&own),
            How::Suffix => other.ends_with(&own),
            How::Contains => other.contains(&own),
            How::NotEmpty => !other.is_empty(),
        }
    }
}

impl Atom {
    /// Why rules cannot ask this about every request: the construct, and what cannot be asked.
    pub fn limit(&self, has_providers: bool) -> Option<(&'static str, String)> {
        match self {
            Self::Header(name, text) if text.ignores_case => Some((
                "header",
                format!("the value of `{name}` cannot be compared without its case"),
            )),
            Self::Header(name, text) if text.how != How::Exact => Some((
                "header",
                match has_providers {
                    true => format!(
                        "a part of the value of `{name}` can only be compared for requests with a credential"
                    ),
                    false => format!("a part of the value of `{name}` cannot be compared"),
                },
            )),
            Self::Host(text)
                if text.how == How::Contains
                    || text.how == How::Prefix && !text.text.ends_with(':') =>
            {
                Some((
                    "host",
                    format!("a host that begins with or contains `{}`", text.text),
                ))
            }
            Self::Path(PathTest::Exact(text) | PathTest::Prefix(text)) if text.ignores_case => {
                Some((
                    "path",
                    format!("`{}` cannot be compared without its case", text.text),
                ))
            }
            _ => None,
        }
    }

    /// Whether the answer depends on the credentials of the request.
    pub fn is_of_credential(&self) -> bool {
        matches!(
            self,
            Self::Verified(_) | Self::Subject(..) | Self::NoToken(_) | Self::Claim { .. }
        )
    }
}
