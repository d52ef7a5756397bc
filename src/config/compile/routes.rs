//! Rules that match the host's route, and what they cannot be combined with.

use super::Compiler;
use super::rules::CompiledRules;
use crate::config::at::At;
use crate::config::document::Document;
use crate::config::fault::{InvalidRule, Warning};
use crate::config::read::{Items, Optional};
use crate::identity::Identity;
use crate::presentation::Protects;

impl Compiler<'_> {
    /// If a header or a query parameter is removed from a request, the host selects the route again and does not say which.
    /// So a request that needs such a removal is denied. Where that is every request with a credential, the configuration
    /// is rejected.
    pub(super) fn reject_what_changes_the_route(
        &mut self,
        document: &Document,
        rules: &CompiledRules,
        identity: &Identity,
    ) {
        let rules = &rules.rules;
        if !rules.look_at_route_names() && !rules.look_at_route_policies() {
            return;
        }
        if identity.strip_credential {
            let at = At::Root.member("identity");
            self.report(&at.member("strip_credential"), InvalidRule::ChangesRoute);
        }
        if self.protects == Protects::Proxy {
            self.report(&At::Root.member("protect_as"), InvalidRule::ChangesRoute);
        }
        for (number, provider) in document.providers.items() {
            let from = provider.jwt.given().map(|jwt| jwt.from.items());
            let locations = from.into_iter().flatten();
            for (index, _) in locations.filter(|(_, from)| !from.query.is_absent()) {
                let at = At::Root.member("providers");
                let at = at.item(number);
                let at = at.member("jwt");
                let at = at.member("from");
                self.warn(&at.item(index).member("query"), Warning::QueryToken);
            }
        }
        self.warn_of_removed_credentials(identity);
    }

    /// Warns of headers that are removed although a provider reads credentials from them.
    fn warn_of_removed_credentials(&mut self, identity: &Identity) {
        let mut headers: Vec<String> = Vec::new();
        for location in &self.locations {
            if let Some(header) = location.carrier.own_field()
                && identity.remove.have(header.as_bytes())
                && !headers.iter().any(|known| known == header)
            {
                headers.push(header.to_owned());
            }
        }
        let at = At::Root.member("identity");
        for header in headers {
            self.warn(&at.member("remove"), Warning::RemovedCredential { header });
        }
    }
}
