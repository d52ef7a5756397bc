//! What nobody may tell the upstream.

use super::Compiler;
use crate::authorize::condition::Condition;
use crate::config::document::Overrides;
use crate::identity::Identity;
use crate::plan::{Rule, Rules, TakenOut};
use crate::request::FieldNames;
use crate::request::overrides::{METHOD_FIELDS, PATH_FIELDS};

impl Compiler<'_> {
    /// What is taken out of every request; a rule by such a field is a fault.
    pub(super) fn taken_out(
        &mut self,
        overrides: Option<Overrides>,
        rules: &Rules,
        identity: &Identity,
    ) -> TakenOut {
        let of_identity = identity.protected();
        self.refuse_rules_by(
            rules,
            |name| of_identity.have(name),
            "this field is taken out of every request, since it tells who the caller is: from a client it means \
             nothing, and it never chooses a rule",
        );
        let mut taken_out = TakenOut {
            fields: of_identity,
            misspelt: self.fields_with_other_spellings(),
            method_parameter: false,
        };
        if overrides == Some(Overrides::Forward) {
            return taken_out;
        }
        let mut fields = FieldNames::default();
        // What no rule looks at cannot be got around.
        let looks_at_method = |rule: &Rule| {
            !rule.matches.methods.is_empty() || rule.has_condition(Condition::looks_at_method)
        };
        let looks_at_path = |rule: &Rule| {
            !rule.matches.paths.is_empty() || rule.has_condition(Condition::looks_at_path)
        };
        if rules.iter().any(looks_at_method) {
            METHOD_FIELDS.iter().for_each(|name| fields.insert(name));
            taken_out.method_parameter = true;
        }
        if rules.iter().any(looks_at_path) {
            PATH_FIELDS.iter().for_each(|name| fields.insert(name));
        }
        self.refuse_rules_by(
            rules,
            |name| fields.have(name),
            "this field names another method or path, and is taken out of every request: it never chooses a rule, but \
             with `overrides: forward`",
        );
        taken_out.fields.extend(&fields);
        taken_out
    }

    /// The fields in which providers look; a name of letters and digits has no spelling but one.
    fn fields_with_other_spellings(&self) -> FieldNames {
        let mut names = FieldNames::default();
        for served in &self.places {
            if let Some(field) = served.place.own_field()
                && !field.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                names.insert(field);
            }
        }
        names
    }

    fn refuse_rules_by(&mut self, rules: &Rules, is_meant: impl Fn(&[u8]) -> bool, why: &str) {
        for (place, rule) in rules.iter().enumerate() {
            let names = rule.matches.headers.iter().map(|(name, _)| name);
            for name in names.filter(|name| is_meant(name.as_bytes())) {
                self.invalid(format!("rules[{place}].match.headers.{name}"), why);
            }
            let names_one = |condition: &Condition| {
                let mut fields = condition.fields();
                fields.any(|name| is_meant(name.as_bytes()))
            };
            if rule.has_condition(names_one) {
                self.invalid(
                    format!("rules[{place}].require"),
                    format!("in `cel`: {why}"),
                );
            }
        }
    }
}
