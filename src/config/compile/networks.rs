//! Networks from which requests may come.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::Compiler;
use super::rules::CompiledRules;
use crate::config::at::At;
use crate::config::document::networks::Networks as NetworksDocument;
use crate::config::fault::{InvalidNetworks, Warning};
use crate::config::literal::stands_for_every_text;
use crate::config::read::{List, Optional, Typed};
use crate::plan::{Networks, admit_none};

/// The networks of every request, in a message.
const TOP_LEVEL: &str = "the top-level `networks`";

impl Compiler<'_> {
    #[inline(never)]
    pub(super) fn networks(&mut self, at: &At<'_>, document: &NetworksDocument) -> Typed<Networks> {
        if document.allow.is_absent() && document.deny.is_absent() && document.whole.is_ok() {
            return Err(self.report(at, InvalidNetworks::Neither));
        }
        let allow = self.network_list(&at.member("allow"), &document.allow);
        let deny = self.network_list(&at.member("deny"), &document.deny);
        Ok(Networks {
            allow: allow?,
            deny: document.whole.and(deny)?,
        })
    }

    fn network_list(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<List<String>>>,
    ) -> Typed<Vec<IpNet>> {
        let network = |this: &mut Self, at: &At<'_>, text: &String| this.network(at, text);
        self.at_least_one(at, "network", typed, network).whole()
    }

    pub(super) fn network(&mut self, at: &At<'_>, text: &str) -> Typed<IpNet> {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let Ok(network) = network else {
            let is_any = stands_for_every_text(text)
                || ["any", "all"]
                    .iter()
                    .any(|all| text.eq_ignore_ascii_case(all));
            let fault = if is_any {
                InvalidNetworks::Any
            } else {
                InvalidNetworks::Network
            };
            return Err(self.report(at, fault));
        };
        if !text.contains('/') {
            match network.addr() {
                address if address.is_unspecified() => {
                    return Err(self.report(at, InvalidNetworks::Any));
                }
                IpAddr::V4(address) if address.octets().ends_with(&[0]) => {
                    self.warn(at, Warning::OneAddress);
                }
                _ => {}
            }
        }
        if network.addr() != network.network() {
            let fault = match ipv4_by_mistake(network) {
                Some(meant) => InvalidNetworks::MappedPrefix {
                    meant: meant.into(),
                },
                None => InvalidNetworks::BitsAfterPrefix {
                    meant: network.trunc(),
                },
            };
            return Err(self.report(at, fault));
        }
        Ok(unmapped(network))
    }

    /// Rejects networks that deny every address, alone or together with the top-level ones.
    pub(super) fn reject_networks_without_addresses(
        &mut self,
        of_all: Option<&Networks>,
        rules: &CompiledRules,
    ) {
        if of_all.is_some_and(|own| admit_none(&[own])) {
            self.report(&At::Root.member("networks"), InvalidNetworks::AllDenied);
            return;
        }
        for (index, rule) in rules.iter() {
            let at = At::Root.member("rules");
            let at = at.item(index);
            let matched = rule.matches.networks.as_ref();
            if let Some(matched) = matched {
                let others = [(of_all, TOP_LEVEL)];
                self.reject_networks(&at.member("match").member("networks"), matched, &others);
            }
            if let Some(own) = &rule.networks {
                let others = [(of_all, TOP_LEVEL), (matched, "`match.networks`")];
                self.reject_networks(&at.member("networks"), own, &others);
            }
        }
    }

    /// Rejects networks that deny every address, alone or together with one of the `others`.
    #[inline(never)]
    fn reject_networks(
        &mut self,
        at: &At<'_>,
        own: &Networks,
        others: &[(Option<&Networks>, &'static str)],
    ) {
        if admit_none(&[own]) {
            self.report(at, InvalidNetworks::AllDenied);
            return;
        }
        for (other, with) in others {
            if other.is_some_and(|other| !admit_none(&[other]) && admit_none(&[other, own])) {
                self.report(at, InvalidNetworks::AllDeniedTogether { with });
            }
        }
    }
}

/// An IPv4 network that is mapped into IPv6 is the IPv4 network (RFC 4291 §2.5.5.2), as the addresses of requests are.
fn unmapped(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) if network.prefix_len() >= 96 => network.addr().to_ipv4_mapped(),
        IpNet::V4(_) | IpNet::V6(_) => None,
    };
    let length = network.prefix_len().saturating_sub(96);
    mapped
        .and_then(|address| IpNet::new(IpAddr::V4(address), length).ok())
        .unwrap_or(network)
}

/// The IPv4 network that the user meant by a mapped IPv4 address with the prefix length of an IPv4 network.
fn ipv4_by_mistake(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let address = network.addr().to_ipv4_mapped()?;
    let meant = Ipv4Net::new(address, network.prefix_len()).ok()?;
    Some(meant.trunc())
}
