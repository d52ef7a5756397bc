//! What the filter writes as filter state.

use super::Compiler;
use crate::config::at::At;
use crate::config::document::Document;
use crate::config::fault::Fault;
use crate::config::read::{Items, Optional};
use crate::plan::StateName;

impl Compiler<'_> {
    /// The names that are listed, in the order of [`StateName::ALL`]; all if there is no list.
    pub(super) fn filter_state(&mut self, document: &Document) -> Vec<StateName> {
        let typed = &document.filter_state;
        if typed.given().is_none() {
            return StateName::ALL.to_vec();
        }
        let at = At::Root.member("filter_state");
        let mut listed = Vec::new();
        for (index, name) in typed.items() {
            if listed.contains(name) {
                self.report(&at.item(index), Fault::DuplicateEntry);
            }
            listed.push(*name);
        }
        let mut names = StateName::ALL.to_vec();
        names.retain(|name| listed.contains(name));
        names
    }
}
