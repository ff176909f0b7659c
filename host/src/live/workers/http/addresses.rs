//! Where in the network an address is, and that a redirect leads no further in.
//!
//! A server out there can answer with a redirect to an address that only this
//! machine can reach: to a service on it, or to the metadata of its cloud.
//! So every address of a request is held against those of the requests before
//! it. It is the resolved address that is judged, the very one that is
//! connected to: a name may lead anywhere, and elsewhere the next time. A
//! connection that is used again is judged by the address at its other end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far in an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Zone {
    /// Anyone can reach it.
    Public,
    /// Who is in the same private network can.
    Private,
    /// Only this machine can, or what is on the same wire.
    Local,
}

/// A redirect leads to an address that is further in than where it came from.
#[derive(Debug, thiserror::Error)]
#[error(
    "it leads from a public address to one of a private network or of this machine, which is never followed"
)]
pub(super) struct LeadsInward;

/// Where the requests of one exchange have been so far: each may go as far in as
/// the one before it, and no further. The first may go anywhere: the node's author
/// has written it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NeverInward {
    outermost: Option<Zone>,
}

impl NeverInward {
    /// Whether a request may go there.
    pub(super) fn allows(self, zone: Zone) -> bool {
        self.outermost.is_none_or(|outermost| zone <= outermost)
    }

    /// A request goes there.
    ///
    /// # Errors
    /// [`LeadsInward`], and it must not.
    pub(super) fn enter(&mut self, zone: Zone) -> Result<(), LeadsInward> {
        if !self.allows(zone) {
            return Err(LeadsInward);
        }
        self.outermost = Some(zone);
        Ok(())
    }
}

impl Zone {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// The zone of a host that is written as an address, or known by its name.
    pub(super) fn as_written(host: &str) -> Option<Self> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            return Some(Self::of(address));
        }
        let name = bare.trim_end_matches('.').to_ascii_lowercase();
        (name == "localhost" || name.ends_with(".localhost")).then_some(Self::Local)
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [first, second, third, _] = address.octets();
        match (first, second, third) {
            _ if address.is_loopback() || address.is_link_local() => Self::Local,
            // "This host on this network."
            (0, ..) => Self::Local,
            _ if address.is_private() || address.is_multicast() => Self::Private,
            // Carriers' networks, protocol assignments, benchmarks, reserved.
            (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) | (240.., ..) => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let [a, b, c, d, e, f, g, h] = address.segments();
        let embedded = |high: u16, low: u16| {
            Self::of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        };
        match (a, b, c, d, e, f) {
            _ if address.is_loopback() || address.is_unspecified() => Self::Local,
            _ if address.is_unicast_link_local() => Self::Local,
            _ if address.is_unique_local() || address.is_multicast() => Self::Private,
            // Site-local, which is no longer assigned.
            (0xfec0..=0xfeff, ..) => Self::Private,
            // Gateways take these for the IPv4 address that they hold.
            (0, 0, 0, 0, 0, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(g, h),
            (0x64, 0xff9b, 1, ..) => Self::Private,
            (0x2002, ..) => embedded(b, c),
            _ => Self::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (zone, addresses) in [
            (
                Zone::Public,
                &[
                    "93.184.216.34",
                    "100.63.255.255",
                    "172.32.0.1",
                    "2606:4700::1",
                    "::ffff:8.8.8.8",
                    "64:ff9b::808:808",
                    "2002:808:808::1",
                ][..],
            ),
            (
                Zone::Private,
                &[
                    "10.1.2.3",
                    "172.16.0.1",
                    "192.168.0.1",
                    "100.64.0.1",
                    "192.0.0.192",
                    "255.255.255.255",
                    "224.0.0.1",
                    "fd00:ec2::254",
                    "fec0::1",
                    "ff02::1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::a00:1",
                    "64:ff9b:1::1",
                    "2002:c0a8:1::1",
                ],
            ),
            (
                Zone::Local,
                &[
                    "127.0.0.1",
                    "127.9.9.9",
                    "0.0.0.0",
                    "0.1.2.3",
                    "169.254.169.254",
                    "::",
                    "::1",
                    "fe80::1",
                    "::ffff:127.0.0.1",
                    "::127.0.0.1",
                    "64:ff9b::7f00:1",
                ],
            ),
        ] {
            for address in addresses {
                let parsed = address.parse().expect("an address");
                assert_eq!(Zone::of(parsed), zone, "{address}");
            }
        }
        assert_eq!(Zone::as_written("[::1]"), Some(Zone::Local));
        assert_eq!(Zone::as_written("LocalHost."), Some(Zone::Local));
        assert_eq!(Zone::as_written("10.0.0.1"), Some(Zone::Private));
        assert_eq!(Zone::as_written("example.org"), None);
    }

    #[test]
    fn a_redirect_leads_outward_or_along_and_never_inward() {
        for (way, followed) in [
            (&["10.0.0.1", "8.8.8.8"][..], true),
            (&["127.0.0.1", "127.0.0.2"], true),
            (&["8.8.8.8", "8.8.4.4"], true),
            (&["8.8.8.8", "10.0.0.1"], false),
            (&["8.8.8.8", "169.254.169.254"], false),
            (&["8.8.8.8", "::ffff:127.0.0.1"], false),
            (&["10.0.0.1", "127.0.0.1"], false),
            (&["127.0.0.1", "8.8.8.8", "127.0.0.1"], false),
        ] {
            let mut guard = NeverInward::default();
            let mut zones = way
                .iter()
                .map(|it| Zone::of(it.parse().expect("an address")));
            assert_eq!(
                zones.all(|zone| guard.enter(zone).is_ok()),
                followed,
                "{way:?}"
            );
        }
    }
}
