//! The metrics of load balancers that there are. AWS adds some now and then: an unknown one is a warning, never an error.

/// A namespace of load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `AWS/ApplicationELB`.
    Application,
    /// `AWS/NetworkELB`.
    Network,
}

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Events: their Sum says something, and AWS leaves most of them out while there are none.
    Count,
    /// A number of hosts or flows at a time: Minimum, Maximum and Average say something.
    Level,
    /// Seconds.
    Seconds,
    /// Anything else: bytes, capacity units, states.
    Other,
}

/// What load balancers count themselves, without target groups: a prefix.
pub const OWN: &str = "HTTPCode_ELB_";

const APPLICATION: &[&str] = &[
    "ActiveConnectionCount",
    "AnomalousHostCount",
    "BYoIPUtilPercentage",
    "ClientTLSNegotiationErrorCount",
    "ConsumedLCUs",
    "DesyncMitigationMode_NonCompliant_Request_Count",
    "DroppedInvalidHeaderRequestCount",
    "ELBAuthError",
    "ELBAuthFailure",
    "ELBAuthLatency",
    "ELBAuthRefreshTokenSuccess",
    "ELBAuthSuccess",
    "ELBAuthUserClaimsSizeExceeded",
    "ForwardedInvalidHeaderRequestCount",
    "GrpcRequestCount",
    "HTTPCode_ELB_3XX_Count",
    "HTTPCode_ELB_4XX_Count",
    "HTTPCode_ELB_500_Count",
    "HTTPCode_ELB_502_Count",
    "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count",
    "HTTPCode_ELB_5XX_Count",
    "HTTPCode_Target_2XX_Count",
    "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
    "HTTP_Fixed_Response_Count",
    "HTTP_Redirect_Count",
    "HTTP_Redirect_Url_Limit_Exceeded_Count",
    "HealthyHostCount",
    "HealthyStateDNS",
    "HealthyStateRouting",
    "IPv6ProcessedBytes",
    "IPv6RequestCount",
    "LambdaInternalError",
    "LambdaTargetProcessedBytes",
    "LambdaUserError",
    "LowReputationPacketsDropped",
    "LowReputationRequestsDenied",
    "MitigatedHostCount",
    "NewConnectionCount",
    "NonStickyRequestCount",
    "PeakLCUs",
    "ProcessedBytes",
    "RejectedConnectionCount",
    "RequestCount",
    "RequestCountPerTarget",
    "ReservedLCUs",
    "RuleEvaluations",
    "StandardProcessedBytes",
    "TargetConnectionErrorCount",
    "TargetResponseTime",
    "TargetTLSNegotiationErrorCount",
    "UnHealthyHostCount",
    "UnhealthyRoutingRequestCount",
    "UnhealthyStateDNS",
    "UnhealthyStateRouting",
    "ZonalShiftedHostCount",
];

const NETWORK: &[&str] = &[
    "ActiveFlowCount",
    "ActiveFlowCount_TCP",
    "ActiveFlowCount_TLS",
    "ActiveFlowCount_UDP",
    "ActiveZonalShiftHostCount",
    "ClientTLSNegotiationErrorCount",
    "ConsumedLCUs",
    "ConsumedLCUs_TCP",
    "ConsumedLCUs_TLS",
    "ConsumedLCUs_UDP",
    "HealthyHostCount",
    "NewFlowCount",
    "NewFlowCount_TCP",
    "NewFlowCount_TLS",
    "NewFlowCount_UDP",
    "PeakBytesPerSecond",
    "PeakPacketsPerSecond",
    "PortAllocationErrorCount",
    "ProcessedBytes",
    "ProcessedBytes_TCP",
    "ProcessedBytes_TLS",
    "ProcessedBytes_UDP",
    "ProcessedPackets",
    "RejectedFlowCount",
    "RejectedFlowCount_TCP",
    "ReservedLCUs",
    "SecurityGroupBlockedFlowCount_Inbound_ICMP",
    "SecurityGroupBlockedFlowCount_Inbound_TCP",
    "SecurityGroupBlockedFlowCount_Inbound_UDP",
    "SecurityGroupBlockedFlowCount_Outbound_ICMP",
    "SecurityGroupBlockedFlowCount_Outbound_TCP",
    "SecurityGroupBlockedFlowCount_Outbound_UDP",
    "TCP_Client_Reset_Count",
    "TCP_ELB_Reset_Count",
    "TCP_Target_Reset_Count",
    "TargetTLSNegotiationErrorCount",
    "UnHealthyHostCount",
    "UnhealthyRoutingFlowCount",
    "ZonalHealthStatus",
];

/// What a load balancer counts of itself, not of its target groups: the page's metrics without the dimension TargetGroup.
const BALANCERS_OWN: &[&str] = &[
    "ActiveConnectionCount",
    "BYoIPUtilPercentage",
    "ClientTLSNegotiationErrorCount",
    "ConsumedLCUs",
    "DesyncMitigationMode_NonCompliant_Request_Count",
    "DroppedInvalidHeaderRequestCount",
    "ForwardedInvalidHeaderRequestCount",
    "HTTP_Fixed_Response_Count",
    "HTTP_Redirect_Count",
    "HTTP_Redirect_Url_Limit_Exceeded_Count",
    "IPv6ProcessedBytes",
    "IPv6RequestCount",
    "LambdaTargetProcessedBytes",
    "NewConnectionCount",
    "PeakLCUs",
    "ProcessedBytes",
    "RejectedConnectionCount",
    "ReservedLCUs",
    "RuleEvaluations",
    "StandardProcessedBytes",
];

/// What there is of target groups only: the page's metrics that have the dimension TargetGroup in each of their sets.
const OF_GROUPS_ONLY: &[&str] = &[
    "AnomalousHostCount",
    "HealthyHostCount",
    "HealthyStateDNS",
    "HealthyStateRouting",
    "MitigatedHostCount",
    "RequestCountPerTarget",
    "UnHealthyHostCount",
    "UnhealthyStateDNS",
    "UnhealthyStateRouting",
];

impl Namespace {
    /// The namespace of load balancers that is meant by a name that is none: written otherwise, or by another of its names.
    pub fn nearly(name: &str) -> Option<Self> {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_lowercase().trim_start_matches("aws") {
            "applicationelb" | "alb" | "elbv2" | "applicationloadbalancer" => Some(Self::Application),
            "networkelb" | "nlb" | "networkloadbalancer" => Some(Self::Network),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "AWS/ApplicationELB",
            Self::Network => "AWS/NetworkELB",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Application => Self::Network,
            Self::Network => Self::Application,
        }
    }

    /// The metric that is meant by a name that differs from it in capitals only.
    pub fn in_other_capitals(self, metric_name: &str) -> Option<&'static str> {
        let mut names = self.names().iter().copied();
        names.find(|name| *name != metric_name && name.eq_ignore_ascii_case(metric_name))
    }

    /// Whether the metric is never of a target group.
    pub fn is_balancers_own(self, metric_name: &str) -> bool {
        metric_name.starts_with(OWN)
            || BALANCERS_OWN.contains(&metric_name)
            || match self {
                Self::Application => false,
                // A Network Load Balancer counts flows, bytes and resets itself.
                Self::Network => ["ActiveFlowCount", "NewFlowCount", "ProcessedBytes", "ConsumedLCUs", "TCP_"]
                    .iter()
                    .any(|start| metric_name.starts_with(start)),
            }
    }

    /// Whether the metric is of target groups only.
    pub fn is_of_groups_only(metric_name: &str) -> bool {
        OF_GROUPS_ONLY.contains(&metric_name)
    }

    /// The namespace of this name, if it is one of load balancers.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "AWS/ApplicationELB" => Some(Self::Application),
            "AWS/NetworkELB" => Some(Self::Network),
            _ => None,
        }
    }

    /// What the dimension LoadBalancer begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Application => "app/",
            Self::Network => "net/",
        }
    }

    /// Whether it has a metric of this name, as far as is known here.
    pub fn has(self, metric_name: &str) -> bool {
        self.names().contains(&metric_name)
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Application => APPLICATION,
            Self::Network => NETWORK,
        }
    }
}

impl Kind {
    /// Of a metric of load balancers.
    pub fn of(metric_name: &str) -> Self {
        match metric_name {
            "TargetResponseTime" => Self::Seconds,
            "RequestCountPerTarget" | "RuleEvaluations" => Self::Other,
            "GrpcRequestCount" | "IPv6RequestCount" | "RequestCount" | "NewConnectionCount" => Self::Count,
            _ if metric_name.ends_with("HostCount") || metric_name.starts_with("ActiveFlowCount") => Self::Level,
            "ActiveConnectionCount" => Self::Other,
            _ if metric_name.ends_with("Count") => Self::Count,
            "LambdaUserError" | "LambdaInternalError" | "ELBAuthError" | "ELBAuthFailure" => Self::Count,
            _ => Self::Other,
        }
    }
}
