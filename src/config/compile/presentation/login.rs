//! Where browsers are redirected to sign in.

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::document::responses::Login as LoginDocument;
use crate::config::fault::InvalidResponse;
use crate::config::read::Typed;
use crate::presentation::login::Login;
use crate::url::is_web_page;

impl Compiler<'_> {
    pub(super) fn login(
        &mut self,
        at: &At<'_>,
        document: &LoginDocument,
        origin: &Typed<Option<String>>,
    ) -> Typed<Login> {
        let uri = document.uri.as_ref().map_err(|reported| *reported)?;
        let at = at.member("uri");
        let origin = match origin {
            Ok(None) if uri.contains("{url}") => {
                return Err(self.report(&at, InvalidResponse::LoginWithoutOrigin));
            }
            Ok(origin) => origin.as_deref(),
            // The origin is at fault. What it would be does not matter to the rest of the URL.
            Err(_) => Some(""),
        };
        // Without the braces, it must be a URL like any other.
        Login::parse(uri, origin)
            .filter(|_| is_web_page(&uri.replace("{url}", "")))
            .ok_or_else(|| self.url_fault(&at, uri, InvalidResponse::Login))
    }
}
