//! Which addresses a probe or a load test may connect to: pure, but for the look-up itself.
//!
//! A plan's URL is its author's, and so is the name server that answers for its host. So it is the addresses that were resolved that are judged, however
//! the URL has spelt them (`http://2852039166/` is 169.254.169.254), and only to those that passed is a connection opened: the name is not looked up a
//! second time in between. An IPv4 address within an IPv6 one counts as itself.
//!
//! Never: this machine, where the function's own runtime listens, what is link-local, and with it every service of metadata and credentials, multicast, and
//! what is reserved. Private addresses: those of the stack's `probeNetworks` only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::lookup_host;

use super::{Remedy, Target};
use crate::bootstrap::Environment;

/// The networks that a stack allows beside the public ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(Vec<Network>);

/// An address and the length of its prefix.
type Network = (IpAddr, u32);

impl Reach {
    /// From `PROBE_NETWORKS`, a JSON list such as `["10.0.0.0/8"]`.
    ///
    /// # Errors
    /// It is not set, or is no such list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Self::read(&environment.variable("PROBE_NETWORKS")?).map_err(Into::into)
    }

    /// From such a list.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let list: Vec<String> =
            serde_json::from_str(text).map_err(|error| format!("PROBE_NETWORKS is no list of texts: {error}"))?;
        let network = |text: &String| network(text).ok_or_else(|| format!("PROBE_NETWORKS: `{text}` is no network"));
        list.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address may be connected to.
    ///
    /// # Errors
    /// What it is, as a predicate.
    pub fn judge(&self, address: IpAddr) -> Result<(), &'static str> {
        let address = embedded(address)?;
        let is = match address {
            IpAddr::V4(address) => kind_v4(address),
            IpAddr::V6(address) => kind_v6(address),
        };
        match is {
            Kind::Public => Ok(()),
            Kind::Listed(_) if self.0.iter().any(|network| is_in(*network, address)) => Ok(()),
            Kind::Listed(is) | Kind::Never(is) => Err(is),
        }
    }

    /// The addresses of a target that may be connected to, IPv4 first: what has both answers there as well, and not every function can reach IPv6.
    ///
    /// # Errors
    /// As [`Unreached`].
    pub async fn addresses(&self, target: &Target, resolver: &impl Resolve) -> Result<Vec<SocketAddr>, Unreached> {
        let found = resolver.resolve(&target.host, target.port).await.map_err(Unreached::NotFound)?;
        let mut denied = None;
        let mut addresses = Vec::new();
        for address in found {
            match self.judge(address.ip()) {
                Ok(()) => addresses.push(address),
                Err(is) => denied = denied.or(Some(Unreached::NotAllowed(address.ip(), is))),
            }
        }
        addresses.sort_by_key(SocketAddr::is_ipv6);
        if addresses.is_empty() { Err(denied.unwrap_or(Unreached::NoAddress)) } else { Ok(addresses) }
    }
}

/// Why a target has no address that may be connected to.
#[derive(Debug)]
pub enum Unreached {
    /// Its name could not be looked up.
    NotFound(io::Error),
    /// Its name has none.
    NoAddress,
    /// None of its addresses is allowed: one of them, and what it is.
    NotAllowed(IpAddr, &'static str),
}

impl Unreached {
    /// What is wrong with this host, for a person.
    pub fn words(&self, host: &str) -> String {
        match self {
            Self::NotFound(error) => look_up_words(host, error),
            Self::NoAddress => format!("the name {host} has no address"),
            Self::NotAllowed(address, is) if address.to_string() == host => {
                format!("{address} {is}: nothing connects there")
            }
            Self::NotAllowed(address, is) => format!("{host} leads to {address}, which {is}: nothing connects there"),
        }
    }
}

impl Unreached {
    /// What would mend it.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::NotFound(_) | Self::NoAddress => Remedy::Name,
            Self::NotAllowed(_, is) if *is == NOT_LISTED => Remedy::Network,
            Self::NotAllowed(..) => Remedy::Url,
        }
    }
}

/// The resolver's errors have no kinds; their texts are the C library's.
fn look_up_words(host: &str, error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("Temporary failure") || text.contains("again") {
        return format!("the name {host} could not be looked up: no name server answers");
    }
    let inside = "a private name is found only by functions in its VPC";
    format!("the name {host} is not found in DNS: it does not exist, or has no address ({inside})")
}

/// Who looks names up.
pub trait Resolve {
    /// The addresses of a host, which may be one itself in any spelling that the C library knows.
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Resolve for System {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, port)).await?.collect())
    }
}

/// The address that packets to this one reach in the end: of an IPv6 address that stands for an IPv4 one (RFC 4291, 6052, 2765, 3056), that.
fn embedded(address: IpAddr) -> Result<IpAddr, &'static str> {
    let IpAddr::V6(v6) = address else { return Ok(address) };
    let parts = v6.segments();
    let last = || Ok(IpAddr::V4(Ipv4Addr::from((u32::from(parts[6]) << 16) | u32::from(parts[7]))));
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Ok(address),
        // Mapped, compatible, translated, and NAT64's well-known prefix.
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => last(),
        [0x2002, high, low, ..] => Ok(IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))),
        [0x64, 0xff9b, 1, ..] => Err("is of a local translation to IPv4"),
        [0x2001, 0, ..] => Err("is of a tunnel to IPv4 (Teredo)"),
        _ => Ok(address),
    }
}

const NOT_LISTED: &str = "is private, and in none of the stack's probeNetworks";
const OWN: &str = "is the function's own machine";
const METADATA: &str = "is link-local, where metadata and credentials are";

/// What an address is of.
enum Kind {
    /// Anybody's.
    Public,
    /// Of a network that has to be listed. This machine is such a one: a stack cannot list it, and the emulated AWS is nowhere else.
    Listed(&'static str),
    /// Never to be connected to.
    Never(&'static str),
}

/// By the registry of special-purpose addresses (IANA, RFC 6890).
fn kind_v4(address: Ipv4Addr) -> Kind {
    let [first, second, third, _] = address.octets();
    match (first, second, third) {
        (0, ..) => Kind::Never("is no address of a host"),
        (127, ..) => Kind::Listed(OWN),
        (169, 254, _) => Kind::Never(METADATA),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18 | 19, _) => {
            Kind::Listed(NOT_LISTED)
        }
        (192, 0, 0) | (240..=255, ..) => Kind::Never("is reserved"),
        (224..=239, ..) => Kind::Never("is of many hosts (multicast)"),
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Kind::Never("is no address of a host"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Listed(OWN),
        // AWS's services on an instance: metadata, DNS, time (EC2 user guide, instance metadata by IPv6).
        [0xfd00, 0xec2, ..] => Kind::Never("is one of AWS's own, where metadata and credentials are"),
        [0xfe80..=0xfebf, ..] => Kind::Never(METADATA),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Kind::Listed(NOT_LISTED),
        [0xff00..=0xffff, ..] => Kind::Never("is of many hosts (multicast)"),
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Never("is reserved"),
    }
}

/// The first address and the length of the prefix of `10.0.0.0/8`.
pub(crate) fn network(text: &str) -> Option<Network> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse().ok()?);
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

/// Whether an address is in a network.
pub(crate) fn is_in((first, length): Network, address: IpAddr) -> bool {
    match (first, address) {
        (IpAddr::V4(first), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            u32::from(first) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(first), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            u128::from(first) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as it is told, whatever is asked.
    struct Told(&'static [&'static str]);

    impl Resolve for Told {
        async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.iter().map(|address| SocketAddr::new(address.parse().unwrap(), port)).collect())
        }
    }

    fn judged(networks: &str, address: &str) -> Result<(), &'static str> {
        Reach::read(networks).unwrap().judge(address.parse().unwrap())
    }

    const NEVER: [&str; 36] = [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254", // metadata of EC2
        "169.254.170.2",   // credentials of ECS
        "169.254.100.1",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254", // metadata of EC2 by IPv6
        "fd00:ec2::23",  // credentials of EKS by IPv6
        "ff02::1",
        "::ffff:127.0.0.1",       // mapped
        "::ffff:169.254.169.254", // mapped
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",        // compatible
        "::ffff:0:169.254.169.254", // translated
        "64:ff9b::169.254.169.254", // NAT64
        "64:ff9b::7f00:1",
        "64:ff9b:1::169.254.169.254", // NAT64, of a network's own
        "2002:a9fe:a9fe::1",          // 6to4
        "2002:7f00:1::",
        "2001:0:a9fe:a9fe::1", // Teredo
        "::ffff:0.0.0.0",
        "64:ff9b::0.0.0.0",
        "100::1",
        "4000::1",
        "240.0.0.1",
        "239.255.255.250",
        "0:0:0:0:0:ffff:7f00:0001",
        "0000:0000:0000:0000:0000:0000:0000:0001",
    ];
    const PRIVATE: [&str; 12] = [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.254",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "fc00::1",
        "fd12:3456::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:0a00:0001::",
        "fec0::1",
    ];
    const INSIDE: &str = r#"["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "fec0::/10"]"#;

    #[test]
    fn this_machine_link_local_and_metadata_addresses_are_never_connected_to_in_any_spelling() {
        for address in NEVER {
            assert!(judged("[]", address).is_err(), "{address}");
            assert!(judged(INSIDE, address).is_err(), "{address}, with private networks");
        }
        for public in ["203.0.113.9", "172.32.0.1", "100.128.0.1", "2600:1f18::1", "64:ff9b::203.0.113.9"] {
            assert_eq!(judged("[]", public), Ok(()), "{public}");
        }
    }

    #[test]
    fn private_addresses_are_connected_to_only_where_the_stack_lists_them() {
        for address in PRIVATE {
            assert_eq!(judged("[]", address), Err(NOT_LISTED), "{address}");
            assert_eq!(judged(INSIDE, address), Ok(()), "{address}");
        }
        assert_eq!(judged(r#"["10.1.0.0/16"]"#, "10.2.0.1"), Err(NOT_LISTED));
        assert_eq!(judged(r#"["127.0.0.0/8"]"#, "::ffff:127.0.0.1"), Ok(()), "as the emulated AWS has it");
        for wrong in ["10.0.0.0/8", r#"["10.0.0.0"]"#, r#"["10.0.0.0/33"]"#, r#"["x/8"]"#] {
            assert!(Reach::read(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn of_a_name_only_the_addresses_that_were_checked_are_connected_to() {
        let target = Target::parse("http://evil.example.net:8080/").unwrap();
        let reach = Reach::default();
        let both = Told(&["169.254.169.254", "2600:1f18::1", "203.0.113.9", "::1"]);
        let found = reach.addresses(&target, &both).await.unwrap();
        assert_eq!(found, ["203.0.113.9:8080".parse().unwrap(), "[2600:1f18::1]:8080".parse().unwrap()]);
        let denied = reach.addresses(&target, &Told(&["::ffff:169.254.169.254"])).await.unwrap_err();
        let Unreached::NotAllowed(address, is) = denied else { panic!("{denied:?}") };
        assert!(address.to_string() == "::ffff:169.254.169.254" && is.contains("metadata"), "{address} {is}");
        assert!(matches!(reach.addresses(&target, &Told(&[])).await, Err(Unreached::NoAddress)));
    }

    #[tokio::test]
    async fn what_would_mend_it_is_told_by_why_nothing_connects_there() {
        let target = Target::parse("http://new.example.net:8080/").unwrap();
        let remedy = async |addresses: &'static [&'static str]| {
            Reach::default().addresses(&target, &Told(addresses)).await.unwrap_err().remedy()
        };
        assert_eq!(remedy(&["10.0.12.34"]).await, Remedy::Network);
        assert_eq!(remedy(&["169.254.169.254"]).await, Remedy::Url);
        assert_eq!(remedy(&[]).await, Remedy::Name);
        assert_eq!(Unreached::NotFound(io::Error::other("Name or service not known")).remedy(), Remedy::Name);
    }

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_resolver_that_does_not_answer() {
        let words = |text: &str| look_up_words("new.example.com", &io::Error::other(text.to_owned()));
        let missing = words("failed to lookup address information: Name or service not known");
        assert!(missing.starts_with("the name new.example.com is not found in DNS"), "{missing}");
        let silent = words("failed to lookup address information: Temporary failure in name resolution");
        assert_eq!(silent, "the name new.example.com could not be looked up: no name server answers");
    }

    /// By the system's resolver, which asks no name server for an address.
    #[tokio::test]
    async fn addresses_in_decimal_hexadecimal_and_octal_are_what_they_stand_for() {
        for url in [
            "http://2852039166/latest/meta-data/",
            "http://0xa9fea9fe/",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::1]/",
        ] {
            let target = Target::parse(url).unwrap();
            let found = Reach::default().addresses(&target, &System).await;
            assert!(matches!(found, Err(Unreached::NotAllowed(..))), "{url}: {found:?}");
        }
    }
}
