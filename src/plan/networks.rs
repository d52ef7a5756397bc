//! The networks from which requests may come.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks from which requests may come. An address must be in `allow`, unless `allow` is empty, and not in
/// `deny`.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    /// Allowed networks. If there are none, all are allowed.
    pub allow: Vec<IpNet>,
    /// Denied networks.
    pub deny: Vec<IpNet>,
}

impl Networks {
    /// Whether a request may come from this address. An unknown address is denied.
    pub fn admit(&self, client: Option<IpAddr>) -> bool {
        let Some(client) = client else {
            return false;
        };
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&client));
        !within(&self.deny) && (self.allow.is_empty() || within(&self.allow))
    }

    /// Whether these admit every address that `other` admits.
    pub(super) fn cover(&self, other: &Self) -> bool {
        let denied = Self {
            allow: self.deny.clone(),
            deny: Vec::new(),
        };
        let not_allowed = Self {
            allow: Vec::new(),
            deny: self.allow.clone(),
        };
        (self.deny.is_empty() || admit_none(&[other, &denied]))
            && (self.allow.is_empty() || admit_none(&[other, &not_allowed]))
    }
}

/// Whether no address is admitted by all of these.
#[inline(never)]
pub fn admit_none(all: &[&Networks]) -> bool {
    let mut admitted = vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
    for networks in all.iter().filter(|networks| !networks.allow.is_empty()) {
        let pairs = admitted
            .iter()
            .flat_map(|one| networks.allow.iter().map(move |other| (*one, *other)));
        admitted = pairs
            .filter_map(|(one, other)| in_both(one, other))
            .collect();
    }
    let denied: Vec<IpNet> = all
        .iter()
        .flat_map(|networks| &networks.deny)
        .copied()
        .collect();
    admitted.iter().all(|network| is_within(*network, &denied))
}

/// Whether every address of a network is in one of these. A half of it is looked at only if one of these is within the
/// half, so there are at most 128 halves for each.
fn is_within(network: IpNet, all: &[IpNet]) -> bool {
    if all.iter().any(|own| own.contains(&network)) {
        return true;
    }
    let may_be_in_parts = all.iter().any(|own| network.contains(own));
    may_be_in_parts
        && halves(network).is_some_and(|halves| halves.iter().all(|half| is_within(*half, all)))
}

/// The lower and the upper half of a network. `None` if it is one address.
fn halves(network: IpNet) -> Option<[IpNet; 2]> {
    let longer = network.prefix_len() + 1;
    let upper = match network.network() {
        IpAddr::V4(first) => {
            let bit = 1_u32.checked_shl(32_u32.checked_sub(longer.into())?)?;
            IpAddr::from((first.to_bits() | bit).to_be_bytes())
        }
        IpAddr::V6(first) => {
            let bit = 1_u128.checked_shl(128_u32.checked_sub(longer.into())?)?;
            IpAddr::from((first.to_bits() | bit).to_be_bytes())
        }
    };
    let half = |first| IpNet::new(first, longer).ok();
    Some([half(network.network())?, half(upper)?])
}

/// The intersection of two networks: either one contains the other, or it is empty.
fn in_both(one: IpNet, other: IpNet) -> Option<IpNet> {
    if one.contains(&other) {
        Some(other)
    } else {
        other.contains(&one).then_some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::{Networks, admit_none};
    use crate::request::RequestView;

    #[test]
    fn deny_beats_allow_and_ipv4_in_ipv6_is_ipv4() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let admits = |allow: &[&str], deny: &[&str], client: &str| {
            let networks = Networks {
                allow: list(allow),
                deny: list(deny),
            };
            let request = RequestView::new(Vec::new()).from_client(client.parse().ok());
            networks.admit(request.client())
        };
        assert!(admits(&["10.0.0.0/8"], &[], "10.1.2.3"));
        assert!(admits(&["10.0.0.0/8"], &[], "::ffff:10.1.2.3"));
        assert!(admits(&["2001:db8::/32"], &[], "2001:db8::1"));
        assert!(admits(&[], &["10.0.0.0/8"], "11.0.0.1"));
        for (allow, deny, client) in [
            (&["10.0.0.0/8"][..], &[][..], "11.0.0.1"),
            (&["10.0.0.0/8"], &["10.9.0.0/16"], "10.9.1.1"),
            (&[], &["10.0.0.0/8"], "::ffff:10.1.2.3"),
            (&["10.0.0.0/8"], &[], "2001:db8::1"),
            (&[], &["10.0.0.0/8"], "unknown"),
        ] {
            assert!(!admits(allow, deny, client), "{client}");
        }
    }

    #[test]
    fn networks_cover_others_if_they_admit_all_their_addresses() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let networks = |(allow, deny): (&[&str], &[&str])| Networks {
            allow: list(allow),
            deny: list(deny),
        };
        let none: &[&str] = &[];
        for (wide, narrow) in [
            ((&["10.0.0.0/8"][..], none), (&["10.0.0.0/8"][..], none)),
            ((&["10.0.0.0/8"], none), (&["10.1.0.0/16"], none)),
            (
                (&["10.0.0.0/9", "10.128.0.0/9"], none),
                (&["10.0.0.0/8"], none),
            ),
            ((none, &["10.0.0.0/8"]), (&["11.0.0.0/8"], none)),
            ((none, &["10.1.0.0/16"]), (none, &["10.0.0.0/8"])),
            (
                (&["10.0.0.0/8"], &["10.1.0.0/16"]),
                (&["10.0.0.0/8"], &["10.0.0.0/9"]),
            ),
            ((&["0.0.0.0/0", "::/0"], none), (none, none)),
        ] {
            assert!(
                networks(wide).cover(&networks(narrow)),
                "{wide:?} {narrow:?}"
            );
        }
        for (wide, narrow) in [
            ((&["10.0.0.0/8"][..], none), (none, none)),
            ((&["10.1.0.0/16"], none), (&["10.0.0.0/8"][..], none)),
            ((&["0.0.0.0/0"], none), (none, none)),
            ((none, &["10.0.0.0/8"]), (none, none)),
            ((none, &["10.0.0.0/8"]), (&["10.0.0.0/8"], none)),
            ((&["10.0.0.0/8"], &["10.1.0.0/16"]), (&["10.0.0.0/8"], none)),
        ] {
            assert!(
                !networks(wide).cover(&networks(narrow)),
                "{wide:?} {narrow:?}"
            );
        }
    }

    #[test]
    fn lists_that_together_admit_no_address() {
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let networks = |allow: &[&str], deny: &[&str]| Networks {
            allow: list(allow),
            deny: list(deny),
        };
        let ten = networks(&["10.0.0.0/8"], &[]);
        for all in [
            vec![&networks(&["10.0.0.0/8"], &["10.0.0.0/8"])],
            vec![&networks(&["10.1.0.0/16"], &["10.0.0.0/8"])],
            vec![&networks(&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/9"])],
            vec![&networks(&[], &["0.0.0.0/0", "::/0"])],
            vec![&ten, &networks(&["192.168.0.0/16", "2001:db8::/32"], &[])],
            vec![&ten, &networks(&[], &["10.0.0.0/8"])],
        ] {
            assert!(admit_none(&all), "{all:?}");
        }
        for all in [
            vec![],
            vec![&ten],
            vec![&networks(&["10.0.0.0/8"], &["10.0.0.0/9"])],
            vec![&networks(&[], &["0.0.0.0/0"])],
            vec![&ten, &networks(&["10.1.2.3/32", "192.168.0.0/16"], &[])],
            vec![&networks(&["10.1.0.0/16"], &[]), &ten],
        ] {
            assert!(!admit_none(&all), "{all:?}");
        }
    }
}
