//! The page where people sign in.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// The placeholder for the URL that the browser asked for.
const PLACEHOLDER: &str = "{url}";

/// The URL of the page where people sign in, with at most one `{url}` in its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    before: String,
    return_to: Option<ReturnTo>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ReturnTo {
    /// The configured origin. It never comes from the request, so that a request cannot lead the browser to another site.
    origin: String,
    after: String,
}

impl Login {
    /// Parses `uri`. Its placeholder `{url}` becomes the URL that the browser asked for, at `origin`.
    ///
    /// None if `{url}` occurs twice, if it is before the query, where it could name a host, if it is in the fragment,
    /// or if there is no `origin`.
    pub fn parse(uri: &str, origin: Option<&str>) -> Option<Self> {
        let Some((before, after)) = uri.split_once(PLACEHOLDER) else {
            return Some(Self {
                before: uri.to_owned(),
                return_to: None,
            });
        };
        if !before.contains('?') || before.contains('#') || after.contains(PLACEHOLDER) {
            return None;
        }
        Some(Self {
            before: before.to_owned(),
            return_to: Some(ReturnTo {
                origin: origin?.to_owned(),
                after: after.to_owned(),
            }),
        })
    }

    /// The URL for a browser that asked for `target`. Each octet of it that is no letter and no digit is
    /// percent-encoded.
    pub fn location(&self, target: &[u8]) -> String {
        let mut location = self.before.clone();
        if let Some(ReturnTo { origin, after }) = &self.return_to {
            location.extend(percent_encode(origin.as_bytes(), NON_ALPHANUMERIC));
            location.extend(percent_encode(target, NON_ALPHANUMERIC));
            location.push_str(after);
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_path_is_one_query_parameter() {
        let login = Login::parse(
            "https://id.example/?to={url}&x=1",
            Some("https://api.example"),
        );
        let location = login
            .unwrap()
            .location(b"/a?b=c&to=//evil.example#\r\n\xff");
        assert_eq!(
            location,
            "https://id.example/?to=https%3A%2F%2Fapi%2Eexample%2Fa%3Fb%3Dc%26to%3D%2F%2Fevil%2Eexample%23%0D%0A%FF&x=1"
        );
    }

    #[test]
    fn a_placeholder_elsewhere_than_in_one_query_parameter_is_rejected() {
        let origin = Some("https://api.example");
        for uri in [
            "{url}",
            "https://{url}/?a",
            "https://id.example/{url}",
            "https://id.example/#?a={url}",
            "https://id.example/?a={url}&b={url}",
        ] {
            assert_eq!(Login::parse(uri, origin), None, "{uri}");
        }
        assert_eq!(Login::parse("https://id.example/?a={url}", None), None);
        let plain = Login::parse("https://id.example/", None).unwrap();
        assert_eq!(plain.location(b"/x"), "https://id.example/");
    }
}
