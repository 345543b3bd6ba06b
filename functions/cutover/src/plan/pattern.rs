//! Forms of texts, for the schema: an editor marks what `check` would refuse. They say the same as its rules, which say
//! better what would be right. Spaces around are passed over: the schema's patterns get them in `read::schema`.

/// A region, and an account, as [`Place::misspelt`](crate::arn::Place::misspelt) has them.
macro_rules! place {
    () => {
        "[a-z]+(-[a-z]+)*-(central|(north|south)?(east|west)|north|south)-[0-9]{1,2}:[0-9]{12}"
    };
}

/// An ARN of a service, with a pattern for its resource; 2,048 characters at the most.
macro_rules! arn {
    ($service:literal, $resource:literal) => {
        concat!("^(?=[!-~]{1,2048}[ \\t\\r\\n]*$)arn:[!-9;-~]+:", $service, ":", place!(), ":", $resource, "$")
    };
}

pub(crate) const LISTENER_ARN: &str = arn!("elasticloadbalancing", "listener/[!-~]+");
pub(crate) const RULE_ARN: &str = arn!("elasticloadbalancing", "listener-rule/[!-~]+");
pub(crate) const GROUP_ARN: &str = arn!("elasticloadbalancing", "targetgroup/[!-~]+");
/// A replication task or a serverless replication.
pub(crate) const REPLICATION_ARN: &str = arn!("dms", "(task|replication-config):[!-~]+");
pub(crate) const FUNCTION_ARN: &str = arn!("lambda", "function:[!-~]+");
/// Neither a FIFO topic nor a subscription.
pub(crate) const TOPIC_ARN: &str = arn!("sns", "(?![!-~]*\\.fifo[ \\t\\r\\n]*$)[!-9;-~]+");
/// A name of an alarm has spaces, and letters of all languages.
pub(crate) const ALARM_ARN: &str = concat!("^arn:[!-9;-~]+:cloudwatch:", place!(), ":alarm:.{1,255}$");
pub(crate) const SECRET_ARN: &str = arn!("secretsmanager", "secret:[!-~]+");
/// An address alone, of plain characters.
pub(crate) const MAIL_ADDRESS: &str = "^(?=[!-~]{1,254}[ \\t\\r\\n]*$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})+$";
/// A host or an IPv6 address in brackets, a port of 1 to 65535, and whatever follows.
pub(crate) const URL: &str = "^(?=[!-~]{1,2048}[ \\t\\r\\n]*$)[Hh][Tt][Tt][Pp][Ss]?://([!\"$-.0-9;->A-Z\\\\^-~]+|\\[[0-9A-Fa-f:.]+\\])\
    (:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#][!-~]*)?$";
/// A host without a port.
pub(crate) const HOST_NAME: &str =
    "^(?=[!-~]{1,253}\\.?[ \\t\\r\\n]*$)[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*\\.?$";
/// A zone's ID, also as AWS's SDKs give it, or its ARN.
pub(crate) const ZONE_ID: &str = "^(/?hostedzone/|arn:[!-9;-~]+:route53:::hostedzone/)?Z[A-Z0-9]{1,31}$";
pub(crate) const ACCOUNT: &str = "^[0-9]{12}$";
pub(crate) const DNS_NAME: &str =
    "^(?![!-~]*://)(?=[!-~]{1,255}[ \\t\\r\\n]*$)[!-\\-/-~]{1,63}(\\.[!-\\-/-~]{1,63})*\\.?$";
/// A name that leads somewhere, of an alias or a CNAME: no URL, no port.
pub(crate) const LEADING_NAME: &str =
    "^(?=[!-~]{1,255}[ \\t\\r\\n]*$)[!-\\-0-9;-~]{1,63}(\\.[!-\\-0-9;-~]{1,63})*\\.?$";
/// An address, or a name: the type of a record says which.
pub(crate) const RECORD_VALUE: &str = "^[!-~]{1,255}$";
/// Of Route 53; the ID, or its ARN.
pub(crate) const HEALTH_CHECK_ID: &str = "^(/?healthcheck/|arn:[!-9;-~]+:route53:::healthcheck/)?[!-.0-9;-~]{1,64}$";
pub(crate) const URL_PATH: &str = "^/[!-~]{0,254}$";
pub(crate) const STATISTIC: &str = "^(Sum|Average|Minimum|Maximum|SampleCount|p(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?))$";
/// A statistic of CloudWatch's beside the five plain ones.
macro_rules! extended {
    () => {
        "IQM|(p|tm|tc|ts|wm)(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)|(PR|TC|TM|TS|WM)\\([0-9.%]*:[0-9.%]*\\)"
    };
}

pub(crate) const EXTENDED_STATISTIC: &str = concat!("^(", extended!(), ")$");
/// A statistic of a metric that an alarm computes with.
pub(crate) const ANY_STATISTIC: &str = concat!("^(Sum|Average|Minimum|Maximum|SampleCount|", extended!(), ")$");
/// What expressions call a metric.
pub(crate) const METRIC_ID: &str = "^[a-z][A-Za-z0-9_]{0,254}$";
pub(crate) const APPLICATION: &str = "^[A-Za-z0-9_-]{1,64}$";
/// As long as the name of an execution.
pub(crate) const WAVE: &str = "^[A-Za-z0-9_-]{1,80}$";
pub(crate) const STATUS: &str = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$";

/// One to four hexadecimal digits of an IPv6 address.
macro_rules! group {
    () => {
        "[0-9A-Fa-f]{1,4}"
    };
}

macro_rules! ipv4 {
    () => {
        "((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    };
}

/// Groups before `::`, and groups after it, each with its colon: so many at the most.
macro_rules! ipv6_around {
    ($before:literal, $after:literal) => {
        concat!("(", group!(), ":){1,", $before, "}(:", group!(), "){1,", $after, "}")
    };
}

/// As Rust reads it: eight groups, or fewer around `::`; the last two may be an IPv4 address.
macro_rules! ipv6 {
    () => {
        concat!(
            "(",
            group!(),
            ":){7}",
            group!(),
            "|(",
            group!(),
            ":){1,7}:|:((:",
            group!(),
            "){1,7}|:)|",
            ipv6_around!(6, 1),
            "|",
            ipv6_around!(5, 2),
            "|",
            ipv6_around!(4, 3),
            "|",
            ipv6_around!(3, 4),
            "|",
            ipv6_around!(2, 5),
            "|",
            ipv6_around!(1, 6),
            "|(",
            group!(),
            ":){6}",
            ipv4!(),
            "|::(",
            group!(),
            ":){0,5}",
            ipv4!(),
            "|(",
            group!(),
            ":){1,5}:",
            ipv4!(),
            "|(",
            ipv6_around!(4, 1),
            "|",
            ipv6_around!(3, 2),
            "|",
            ipv6_around!(2, 3),
            "|",
            ipv6_around!(1, 4),
            "):",
            ipv4!()
        )
    };
}

pub(crate) const IPV4: &str = concat!("^", ipv4!(), "$");
pub(crate) const IPV6: &str = concat!("^(", ipv6!(), ")$");
pub(crate) const ADDRESS: &str = concat!("^(", ipv4!(), "|", ipv6!(), ")$");

/// What texts of these forms look like: the schema's examples.
pub(crate) const EXAMPLES: [(&str, &str); 26] = [
    (
        LISTENER_ARN,
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2",
    ),
    (
        RULE_ARN,
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
    ),
    (GROUP_ARN, "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-new/6d0ecf831eec9f09"),
    (REPLICATION_ARN, "arn:aws:dms:eu-west-1:123456789012:task:SHOPREPLICATION"),
    (FUNCTION_ARN, "arn:aws:lambda:eu-west-1:123456789012:function:shop-smoke-test"),
    (TOPIC_ARN, "arn:aws:sns:eu-west-1:123456789012:shop-cutover"),
    (ALARM_ARN, "arn:aws:cloudwatch:eu-central-1:222222222222:alarm:shop-5xx"),
    (URL, "https://new.shop.example.com/health"),
    (HOST_NAME, "shop.example.com"),
    (ACCOUNT, "222222222222"),
    (ZONE_ID, "Z0123456789ABCDEFGHIJ"),
    (DNS_NAME, "shop.example.com"),
    (LEADING_NAME, "shop-new-1234567890.eu-west-1.elb.amazonaws.com"),
    (RECORD_VALUE, "203.0.113.7"),
    (HEALTH_CHECK_ID, "12345678-90ab-cdef-1234-567890abcdef"),
    (URL_PATH, "/health"),
    (STATISTIC, "p99"),
    (EXTENDED_STATISTIC, "p99"),
    (ANY_STATISTIC, "Sum"),
    (METRIC_ID, "errors"),
    (APPLICATION, "shop"),
    (WAVE, "wave-2"),
    (STATUS, "200-299"),
    (ADDRESS, "203.0.113.7"),
    (SECRET_ARN, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-chat-AbCdEf"),
    (MAIL_ADDRESS, "team@example.com"),
];
