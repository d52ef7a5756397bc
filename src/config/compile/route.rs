//! Rules that look at the host's route, and what must not be done to a request beside them.

use super::Compiler;
use crate::config::document::Document;
use crate::identity::Identity;
use crate::plan::Rules;
use crate::presentation::Protects;

impl Compiler<'_> {
    pub(super) fn names_on_routes(
        &mut self,
        path: &str,
        names: Option<&Vec<String>>,
    ) -> Vec<String> {
        let names = names.map(Vec::as_slice).unwrap_or_default();
        for (place, name) in names.iter().enumerate() {
            if name.is_empty() || name.contains(char::is_control) {
                let what = "no route is known by this: it is empty, or has a control character";
                self.invalid(format!("{path}[{place}]"), what);
            }
        }
        names.to_vec()
    }

    /// Once something is taken out of a request the host chooses its route again, and does not say which. So a request from
    /// which something would have to be taken out is refused: where that is every one with a credential, it is a fault.
    pub(super) fn refuse_what_changes_the_route(
        &mut self,
        document: &Document,
        rules: &Rules,
        identity: &Identity,
    ) {
        if !rules.look_at_route_names() && !rules.look_at_route_policies() {
            return;
        }
        if identity.strip_credential {
            self.change_of_route("identity.strip_credential".to_owned());
        }
        if self.protects == Protects::Proxy {
            self.change_of_route("protect_as".to_owned());
        }
        for (number, provider) in document.providers.iter().flatten().enumerate() {
            let from = provider.jwt.iter().flat_map(|jwt| &jwt.from).flatten();
            for (place, _) in from.enumerate().filter(|(_, from)| from.query.is_some()) {
                self.warn(
                    format!("providers[{number}].jwt.from[{place}].query"),
                    "a token in the query is refused with 400, since it would have to be taken out, and rules look at \
                     routes",
                );
            }
        }
        self.warn_of_credentials_taken_out(identity);
    }

    /// Warns of fields that are taken out although a provider looks there.
    fn warn_of_credentials_taken_out(&mut self, identity: &Identity) {
        let mut fields: Vec<String> = Vec::new();
        for served in &self.locations {
            if let Some(field) = served.carrier.own_field()
                && identity.remove.have(field.as_bytes())
                && !fields.iter().any(|known| known == field)
            {
                fields.push(field.to_owned());
            }
        }
        for field in fields {
            let what = format!(
                "a credential in `{field}` is refused with 400, since it would have to be taken out, and rules look at \
                 routes"
            );
            self.warn("identity.remove", &what);
        }
    }

    fn change_of_route(&mut self, path: String) {
        self.invalid(
            path,
            "this takes credentials out of requests, and Envoy then chooses the route again: not together with \
             `match.route` or `match.policy`",
        );
    }
}
