//! What the fetcher reports: the end of each fetch.

use std::fmt;
use std::time::Duration;

use super::content::Loaded;
use super::fault::{FetchFault, ShownUrl};
use crate::authenticate::SourceId;
use crate::authenticate::jose::jwk::{LenientJwk, RefusedJwk};
use crate::authenticate::listed::IgnoredEntries;
use crate::time::Timestamp;
use crate::url::Url;

/// The number of keys that a message lists.
const MAX_LISTED: usize = 8;

/// The end of a fetch.
#[derive(Debug)]
pub struct FetchEvent {
    /// The source.
    pub source: SourceId,
    /// When the fetch ended; of new or unchanged content, when it was last confirmed.
    pub at: Timestamp,
    /// The result, for the store.
    pub fetched: Fetched,
    /// Whether a signature had failed under a key of the source before the fetch began. If the fetch returns this key
    /// again, the token was at fault.
    pub after_doubt: bool,
    /// What to log and to count; none if another worker made the fetch.
    pub report: Option<FetchReport>,
}

/// The result of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// New content.
    Ok(Loaded),
    /// The content of the last successful fetch is still current. Only lists are confirmed.
    Unchanged,
    /// The fetch failed. The content of the last successful fetch stays in use.
    Err,
}

/// What this worker logs of a fetch; `Display` is the text.
#[derive(Debug)]
pub struct FetchReport {
    /// The provider's name.
    pub provider: String,
    /// The name of the content: `keys`.
    pub content: &'static str,
    /// Whether the content is a list of credentials.
    pub is_list: bool,
    /// The URL of the last request.
    pub url: Url,
    /// What was fetched, or why the fetch failed.
    pub result: Result<Summary, FetchFault>,
    /// The time until the next fetch.
    pub next: Duration,
}

/// What a response contained.
#[derive(Debug, PartialEq, Eq)]
pub enum Summary {
    /// Content that was read.
    Read {
        /// The number of usable entries.
        usable: usize,
        /// The entries that are not used.
        ignored: Ignored,
        /// What was read leniently. Empty if the last successful fetch brought the same body, so that it is logged once.
        lenient: Listed<LenientJwk>,
    },
    /// What the last successful fetch contained.
    Unchanged {
        /// Whether fetches have failed since.
        after_failure: bool,
    },
}

impl Summary {
    /// The number of usable entries that were read.
    pub fn usable(&self) -> usize {
        match self {
            Self::Read { usable, .. } => *usable,
            Self::Unchanged { .. } => 0,
        }
    }
}

/// The entries of a response that are not used.
#[derive(Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Keys of a JWK Set.
    Keys(Listed<RefusedJwk>),
    /// Entries of a list of credentials.
    Entries(IgnoredEntries),
}

/// Entries of a set. `Display` lists the first eight.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed<T>(pub Vec<T>);

impl FetchReport {
    /// Whether the operator should look at it: the fetch failed, or keys are ignored.
    pub fn is_warning(&self) -> bool {
        match &self.result {
            Ok(Summary::Read {
                ignored, lenient, ..
            }) => ignored.len() > 0 || !lenient.0.is_empty(),
            Ok(Summary::Unchanged { .. }) => false,
            Err(_) => true,
        }
    }

    /// Whether it says nothing new: the content was current before, and still is.
    pub fn is_routine(&self) -> bool {
        let unchanged = Summary::Unchanged {
            after_failure: false,
        };
        self.result.as_ref() == Ok(&unchanged)
    }
}

/// One line without line breaks of the response's: texts of the response are escaped or left out.
impl fmt::Display for FetchReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider,
            content,
            url,
            result,
            next,
            ..
        } = self;
        let url = ShownUrl(url);
        match result {
            Ok(summary) => {
                write!(
                    formatter,
                    "provider `{provider}`: fetched {content} from `{url}`: {summary}"
                )
            }
            Err(fault) => write!(
                formatter,
                "provider `{provider}`: fetching {content} from `{url}` failed: {fault}; next attempt in {}.{} s",
                next.as_secs(),
                next.subsec_millis() / 100
            ),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Read {
            usable,
            ignored,
            lenient,
        } = self
        else {
            return formatter.write_str("unchanged");
        };
        write!(formatter, "{usable} usable")?;
        for (number, what, listed) in [
            (ignored.len(), "ignored", ignored as &dyn fmt::Display),
            (lenient.0.len(), "read leniently", lenient),
        ] {
            if number > 0 {
                write!(formatter, ", {number} {what}: {listed}")?;
            }
        }
        Ok(())
    }
}

impl Ignored {
    fn len(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.0.len(),
            Self::Entries(entries) => entries.len(),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => keys.fmt(formatter),
            Self::Entries(entries) => entries.fmt(formatter),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Listed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.0.iter().map(|entry| entry as &dyn fmt::Display);
        list(formatter, self.0.len(), &mut entries)
    }
}

/// Writes the first entries, and how many more there are.
fn list(
    formatter: &mut fmt::Formatter<'_>,
    number: usize,
    entries: &mut dyn Iterator<Item = &dyn fmt::Display>,
) -> fmt::Result {
    for (index, entry) in entries.take(MAX_LISTED).enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        write!(formatter, "{separator}{entry}")?;
    }
    match number.saturating_sub(MAX_LISTED) {
        0 => Ok(()),
        more => write!(formatter, "; and {more} more"),
    }
}
