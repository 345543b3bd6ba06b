//! Route 53 health checks that a run makes for a name's weighted pair.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default, pattern, rule};
use crate::Seconds;

/// The time between two looks at a check while it gets healthy.
pub const CHECK_LOOK_INTERVAL: Seconds = Seconds(15);
/// A check that was just made has no status before its checkers have asked, which takes a minute or so; then an endpoint
/// that comes up late may need so long.
const GRACE: Seconds = Seconds::minutes(5);

/// Health checks of the weighted pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HealthChecks {
    /// The health check of the old side's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<HealthCheck>,
    /// The health check of the new side's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<HealthCheck>,
}

/// A Route 53 health check, attached once its checkers say healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::health_check()))]
pub struct HealthCheck {
    /// How the checkers ask: `http`, `https` or `tcp`. Left out, port 80 is asked by HTTP and port 443 by HTTPS; any other
    /// port needs it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<CheckProtocol>,
    /// The host name that Route 53's checkers ask, at its IPv4 addresses. Beside `ip_address` it is only said to the server:
    /// as the Host header, and in TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::HOST_NAME))]
    pub fqdn: Option<String>,
    /// The public IPv4 or IPv6 address that is asked, where no name leads to this side alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::ADDRESS))]
    pub ip_address: Option<String>,
    /// The path that is asked for, of HTTP and HTTPS.
    #[serde(default = "default::root")]
    #[schemars(regex(pattern = pattern::URL_PATH))]
    pub path: String,
    /// A text that the first 5,120 bytes of the answer must have in them, of HTTP and HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub search_string: Option<String>,
    /// The port. Left out, 443, and 80 where the protocol is `http`; `tcp` needs it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// The time between two requests: 10 s or 30 s, nothing else.
    #[serde(default = "default::seconds::<30>")]
    pub interval: Seconds,
    /// So many failures in a row make it unhealthy.
    #[serde(default = "default::u8::<3>")]
    #[schemars(range(min = 1, max = 10))]
    pub failure_threshold: u8,
}

/// How Route 53's checkers ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckProtocol {
    /// A request; an answer below 400 is healthy.
    Http,
    /// The same within TLS; the certificate is not looked at.
    Https,
    /// A connection.
    Tcp,
}

impl CheckProtocol {
    /// As the plan writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
        }
    }
}

impl HealthChecks {
    /// The checks that are wanted, by side.
    pub fn of_sides(&self) -> impl Iterator<Item = (&'static str, &HealthCheck)> {
        let sides = [("old", self.old.as_ref()), ("new", self.new.as_ref())];
        sides.into_iter().filter_map(|(side, check)| Some((side, check?)))
    }
}

/// How many looks health checks have until they must be healthy, those of a run and those that are there already: a grace,
/// and the time in which a check that is made can tell.
pub(super) fn most_looks(made: Option<&HealthChecks>) -> u32 {
    let own = |check: &HealthCheck| check.interval.0 * u64::from(check.failure_threshold);
    let longest = made.into_iter().flat_map(HealthChecks::of_sides).map(|(_, check)| own(check)).max();
    let looks = (GRACE.0 + longest.unwrap_or(0)).div_ceil(CHECK_LOOK_INTERVAL.0);
    u32::try_from(looks).unwrap_or(u32::MAX)
}

impl HealthCheck {
    /// The port that is asked.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.protocol == Some(CheckProtocol::Http) { 80 } else { 443 })
    }

    /// How it is asked. Plans of before 0.2 could not say it, and meant this.
    pub fn protocol(&self) -> CheckProtocol {
        self.protocol.unwrap_or(if self.port() == 80 { CheckProtocol::Http } else { CheckProtocol::Https })
    }

    /// Whether the plan says by which protocol its port is asked, or the port does.
    pub fn says_protocol(&self) -> bool {
        self.protocol.is_some() || [80, 443].contains(&self.port())
    }

    /// What it asks, for a person: `https://new.example.com:8443/health`.
    pub fn describe(&self) -> String {
        let address = self.ip_address.as_deref().or(self.fqdn.as_deref()).unwrap_or_default();
        let path = if self.protocol() == CheckProtocol::Tcp { "" } else { &self.path };
        format!("{}://{address}:{}{path}", self.protocol().as_str(), self.port())
    }
}
