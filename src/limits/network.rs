//! What of an address counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::platform::settings::Limits;

/// What counts as one address: an IPv6 customer has a /64, of which counting single addresses would count nothing.
pub(super) fn of_one(address: Option<IpAddr>) -> String {
    address.map_or_else(none, |address| prefix(address, 32, 64))
}

/// The network around an address, as the settings cut it.
pub fn surroundings(address: Option<IpAddr>, limits: &Limits) -> String {
    address.map_or_else(none, |address| prefix(address, limits.network_ipv4, limits.network_ipv6))
}

fn none() -> String {
    "none".to_owned()
}

fn prefix(address: IpAddr, ipv4: u8, ipv6: u8) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(ipv4.min(32))).unwrap_or(0);
            format!("{}/{ipv4}", Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(ipv6.min(128))).unwrap_or(0);
            format!("{}/{ipv6}", Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let of = |text: &str| of_one(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn a_network_is_cut_where_the_settings_say() {
        let of = |text: &str, bits| prefix(text.parse().unwrap(), bits, bits);
        assert_eq!(of("192.0.2.77", 24), "192.0.2.0/24");
        assert_eq!(of("192.0.2.77", 32), "192.0.2.77/32");
        assert_eq!(of("192.0.2.77", 8), "192.0.0.0/8");
        assert_eq!(of("2001:db8:1:2:3::1", 48), "2001:db8:1::/48");
        assert_eq!(of("::ffff:192.0.2.77", 24), "192.0.2.0/24");
    }
}
