//! Addresses from which requests may come.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::Compiler;
use crate::config::document::Networks as NetworksDocument;
use crate::plan::{Networks, Rules, admit_none};

impl Compiler<'_> {
    pub(super) fn networks(&mut self, path: &str, document: &NetworksDocument) -> Networks {
        let lists = [("allow", &document.allow), ("deny", &document.deny)];
        if lists.iter().all(|(_, list)| list.is_none()) && !self.faults.any_within(path) {
            self.invalid(path, "`allow`, `deny`, or both");
        }
        let [allow, deny] = lists.map(|(key, list)| {
            let path = format!("{path}.{key}");
            if list.as_ref().is_some_and(Vec::is_empty) {
                self.invalid(path.clone(), "there is at least one network");
            }
            let typed = list.iter().flatten().enumerate();
            typed
                .filter_map(|(place, text)| self.network(format!("{path}[{place}]"), text))
                .collect()
        });
        Networks { allow, deny }
    }

    /// A rule that every address is kept from is no rule.
    pub(super) fn refuse_networks_that_admit_nobody(
        &mut self,
        of_all: Option<&Networks>,
        rules: &Rules,
    ) {
        if of_all.is_some_and(|own| admit_none(&[own])) {
            self.invalid(
                "networks",
                "no address is let in: all that are allowed are denied",
            );
            return;
        }
        for (place, rule) in rules.iter().enumerate() {
            let Some(own) = &rule.networks else {
                continue;
            };
            let path = format!("rules[{place}].networks");
            if admit_none(&[own]) {
                self.invalid(
                    path,
                    "no address is let in: all that are allowed are denied",
                );
            } else if of_all.is_some_and(|of_all| admit_none(&[of_all, own])) {
                let what = "no address is let in by both these and the document's `networks`";
                self.invalid(path, what);
            }
        }
    }

    pub(super) fn network(&mut self, path: String, text: &str) -> Option<IpNet> {
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let Ok(network) = network else {
            self.invalid(
                path,
                "a network is an address and a length, as `10.0.0.0/8` or `2001:db8::/32`",
            );
            return None;
        };
        if network.addr() != network.network() {
            let what = match ipv4_by_mistake(network) {
                Some(meant) => format!(
                    "a length within IPv6 counts from the address's first bit; did you mean `{meant}`?"
                ),
                None => format!(
                    "bits are set behind the network's length; did you mean `{}`?",
                    network.trunc()
                ),
            };
            self.invalid(path, what);
        }
        Some(unmapped(network))
    }
}

/// An IPv4 network that is mapped into IPv6 is the IPv4 network (RFC 4291 §2.5.5.2): requests' addresses are.
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

/// The IPv4 network that is meant by an IPv4 address within IPv6 and a length of IPv4's.
fn ipv4_by_mistake(network: IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else {
        return None;
    };
    let address = network.addr().to_ipv4_mapped()?;
    let meant = Ipv4Net::new(address, network.prefix_len()).ok()?;
    Some(meant.trunc())
}
