//! Patterns of texts, for the schema: an editor marks what `check` would refuse. They say the same as its rules, which say
//! better what would be right.

pub(super) const ELB_ARN: &str = "^arn:[!-9;-~]+:elasticloadbalancing:[!-9;-~]*:[!-9;-~]*:[!-~]+$";
/// A replication task or a serverless replication.
pub(super) const DMS_ARN: &str = "^arn:[!-9;-~]+:dms:[!-9;-~]*:[!-9;-~]*:(task|replication-config):[!-~]*$";
pub(super) const LAMBDA_ARN: &str = "^arn:[!-9;-~]+:lambda:[!-9;-~]*:[!-9;-~]*:[!-~]+$";
/// Not a FIFO topic.
pub(super) const SNS_ARN: &str = "^arn:[!-9;-~]+:sns:[!-9;-~]*:[!-9;-~]*:(?!.*\\.fifo$)[!-~]+$";
/// A host or an IPv6 address in brackets, a port of 1 to 65535, and whatever follows.
pub(super) const URL: &str = "^https?://([!\"$-.0-9;->A-Z\\\\^-~]+|\\[[0-9A-Fa-f:.]+\\])\
    (:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?([/?#][!-~]*)?$";
/// A host without a port.
pub(super) const HOST_NAME: &str = "^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*$";
/// A zone's ID, also as AWS's SDKs give it.
pub(super) const ZONE_ID: &str = "^(/?hostedzone/)?Z[A-Z0-9]{1,31}$";
pub(super) const DNS_NAME: &str = "^[!-\\-/-~]{1,63}(\\.[!-\\-/-~]{1,63})*\\.?$";
pub(super) const HOST: &str = "^[!-~]{1,255}$";
/// Of Route 53.
pub(super) const HEALTH_CHECK_ID: &str = "^[!-~]{1,64}$";
pub(super) const URL_PATH: &str = "^/[!-~]{0,254}$";
pub(super) const STATISTIC: &str = "^(Sum|Average|Minimum|Maximum|SampleCount|p(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?))$";
