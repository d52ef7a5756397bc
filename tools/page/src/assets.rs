//! The files of the page, which are part of the program.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// A file.
pub struct Asset {
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// Every file.
pub const ASSETS: [Asset; 9] = [
    asset(
        "/",
        "text/html; charset=utf-8",
        include_str!("../web/index.html"),
    ),
    asset(
        "/icon.svg",
        "image/svg+xml",
        include_str!("../web/icon.svg"),
    ),
    asset("/style.css", CSS, include_str!("../web/style.css")),
    asset("/theme.js", SCRIPT, include_str!("../web/theme.js")),
    asset("/page.js", SCRIPT, include_str!("../web/page.js")),
    asset("/elements.js", SCRIPT, include_str!("../web/elements.js")),
    asset(
        "/situations.js",
        SCRIPT,
        include_str!("../web/situations.js"),
    ),
    asset("/form.js", SCRIPT, include_str!("../web/form.js")),
    asset("/counters.js", SCRIPT, include_str!("../web/counters.js")),
];

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const fn asset(path: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { path, kind, text }
}

impl Asset {
    /// The response with the file.
    pub fn response(&'static self) -> impl IntoResponse {
        ([(CONTENT_TYPE, self.kind)], self.text)
    }
}
