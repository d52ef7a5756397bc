//! Compares whether a URL names a resource with the parser of browsers.

use countersign::url::names_resource;

use crate::random::Random;

const PIECES: [&str; 36] = [
    "https://",
    "HTTPS://",
    "http://",
    "https:/",
    "https:",
    "//",
    "api.example.com",
    "API.Example.COM",
    "evil.example",
    ":443",
    ":80",
    ":0443",
    ":",
    "@",
    "/",
    "\\",
    "v1",
    "%76",
    "%2F",
    "%2f",
    "%5c",
    "%00",
    "%zz",
    "..",
    ".",
    "%2e",
    "?",
    "#",
    ";a",
    "%",
    "\t",
    " ",
    "é",
    "\u{3002}",
    "[::1]",
    "~x",
];

/// Each URL that names the resource has its origin and its path for a browser too.
///
/// # Errors
/// A browser reads the URL differently.
pub fn check(random: &mut Random) -> Result<&'static str, String> {
    let mut text = random
        .pick(&[
            "",
            "https://api.example.com",
            "https://api.example.com/",
            "https://api.example.com/v1",
        ])
        .to_owned();
    for _ in 0..random.below(7) {
        text.push_str(random.pick(&PIECES));
    }
    let path = random.pick(&[
        "/", "/v1", "/v1/~x", "/v1%2F~x", "/v1/", "//", "/v1/.", "/%zz",
    ]);
    if !names_resource(&text, "https://api.example.com", path.as_bytes()) {
        return Ok("another URL");
    }
    let Ok(browser) = url::Url::parse(&text) else {
        return Err(format!("{text:?} is not a URL"));
    };
    // A browser removes dot segments, and keeps escapes.
    let resolved =
        url::Url::parse(&format!("https://api.example.com{path}")).map(|url| plain(url.path()));
    let is_same = browser.origin().ascii_serialization() == "https://api.example.com"
        && browser.username().is_empty()
        && Ok(plain(browser.path())) == resolved;
    if !is_same {
        return Err(format!(
            "{text:?} is {browser} for a browser, and not {path}"
        ));
    }
    Ok("the URL")
}

/// A path without the escapes of the pieces that are unreserved characters, and with those of others in upper case.
fn plain(path: &str) -> String {
    path.replace("%76", "v")
        .replace("%2e", ".")
        .replace("%2f", "%2F")
        .replace("%5c", "%5C")
}
