//! Whether clients can tell that a rule exists although it hides.

use super::CompiledRules;
use crate::authorize::{Access, Needs};
use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::fault::{Difference, Elsewhere, NotHidden, Warning};
use crate::presentation::fixed::FixedReply;

impl Compiler<'_> {
    /// Warns of rules that clients can tell from no rule, because of what decides where they do not match: the first
    /// visible rule that matches the same requests, or the default.
    pub(in crate::config::compile) fn warn_of_rules_that_cannot_hide(
        &mut self,
        rules: &CompiledRules,
        default: &Access,
        providers: usize,
        not_found: &FixedReply,
    ) {
        let at = At::Root.member("rules");
        for (index, rule) in rules.iter().filter(|(_, rule)| rule.hides) {
            let mut covering = rules.rules.covering(&rule.matches);
            let visible = covering.find(|(_, other)| !other.hides);
            let visible = visible.map(|(_, other)| other);
            let access = visible.map_or(default, |visible| &visible.access);
            let difference = match access {
                Access::Public => Difference::Public,
                Access::Optional(_) => Difference::Optional,
                Access::Respond(id) if self.replies.get(id.0) != Some(not_found) => {
                    Difference::Response
                }
                Access::Required(gate) if gate.needs == Needs::Each => Difference::Several,
                Access::Required(gate) if gate.providers.len() < providers => Difference::Providers,
                Access::Required(_) | Access::Respond(_) | Access::Closed(_) => continue,
            };
            let elsewhere = match (visible, access) {
                (Some(visible), _) => Elsewhere::Rule(visible.name.clone()),
                (None, Access::Optional(_)) => Elsewhere::Default("optional"),
                (None, _) => Elsewhere::Default("public"),
            };
            let warning = Warning::NotHidden(NotHidden {
                elsewhere,
                difference,
            });
            self.warn(&at.item(index).member("on_forbidden"), warning);
        }
    }
}
