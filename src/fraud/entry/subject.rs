//! What an entry is about: the key that the guard looks it up by, and how people see it. A number and an address stand in
//! the key as MACs; what people see of them leaves a part out.

use std::net::IpAddr;

use crate::{
    context::Context,
    limit::lockout::network_of,
    phone::{PhoneNumber, is_prefix},
};

/// Stands for what is hidden.
const HIDDEN: &str = "\u{2022}\u{2022}\u{2022}\u{2022}";

/// What an entry is about.
pub struct Subject {
    pub(super) key: String,
    pub(super) shown: String,
}

impl Subject {
    /// The numbers that begin so. `None`: it is none, or would name a number.
    pub fn prefix(text: &str) -> Option<Self> {
        is_prefix(text).then(|| Self { key: format!("prefix:{text}"), shown: text.to_owned() })
    }

    /// One number.
    pub fn number(context: &Context, number: &PhoneNumber) -> Self {
        let mac = context.pepper().destination_mac(number.e164());
        Self { key: format!("number:{mac}"), shown: number.masked() }
    }

    /// Everybody in a network operator's network.
    pub fn asn(asn: i64) -> Self {
        let asn = asn.to_string();
        Self { key: format!("asn:{asn}"), shown: asn }
    }

    /// Everybody at an address, or in its IPv6 network of 64 bits.
    pub fn network(context: &Context, ip: IpAddr) -> Self {
        let mac = context.pepper().destination_mac(&network_of(&ip.to_string()));
        Self { key: format!("network:{mac}"), shown: masked(ip) }
    }
}

/// An address without the part that one customer has.
fn masked(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.{HIDDEN}")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{HIDDEN}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_the_customers_part_is_hidden() {
        for (ip, shown) in [
            ("203.0.113.77", "203.0.113.••••"),
            ("::ffff:203.0.113.77", "203.0.113.••••"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:••••::/64"),
            ("2001:db8::1", "2001:db8:0:••••::/64"),
        ] {
            assert_eq!(masked(ip.parse().expect(ip)), shown);
        }
    }
}
