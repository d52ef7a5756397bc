//! What the user vouches for, so that more can be carried over.

/// A property of the upstream that the input does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Assumption {
    /// The upstream serves nothing else under `/path/` than under `/path`
    TrailingSlash,
    /// The prefix `/api` means `/api` and what is below it, not `/apix`, and the templates `{*}` and `{**}` mean any text
    Segments,
    /// Case, port and a dot at the end of a host make no difference
    Hosts,
}

/// The assumptions of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Assumed {
    /// [`Assumption::TrailingSlash`].
    pub trailing_slash: bool,
    /// [`Assumption::Segments`].
    pub segments: bool,
    /// [`Assumption::Hosts`].
    pub hosts: bool,
}

impl From<&[Assumption]> for Assumed {
    fn from(list: &[Assumption]) -> Self {
        Self {
            trailing_slash: list.contains(&Assumption::TrailingSlash),
            segments: list.contains(&Assumption::Segments),
            hosts: list.contains(&Assumption::Hosts),
        }
    }
}

impl Assumed {
    /// The assumptions that are not made: the name of each, what cannot be told without it, and all of them with it.
    pub fn others(self) -> Vec<(&'static str, &'static str, Self)> {
        let all = [
            (
                self.trailing_slash,
                "trailing-slash",
                "no rule tells `/path/` from `/path`",
                Self {
                    trailing_slash: true,
                    ..self
                },
            ),
            (
                self.segments,
                "segments",
                "no rule matches a text within a segment, such as `/apix` for the prefix `/api`, or only some characters",
                Self {
                    segments: true,
                    ..self
                },
            ),
            (
                self.hosts,
                "hosts",
                "no rule tells `example.com` from `EXAMPLE.com` and `example.com:80`",
                Self {
                    hosts: true,
                    ..self
                },
            ),
        ];
        let others = all.into_iter().filter(|(is_made, ..)| !is_made);
        others
            .map(|(_, name, what, more)| (name, what, more))
            .collect()
    }
}
