//! Patterns of texts, for the schema: an editor marks what `check` would refuse. They say the same as its rules, which say
//! better what would be right.

pub(super) const ELB_ARN: &str = "^arn:[!-9;-~]+:elasticloadbalancing:[!-9;-~]*:[!-9;-~]*:[!-~]+$";
/// A replication task or a serverless replication.
pub(super) const DMS_ARN: &str = "^arn:[!-9;-~]+:dms:[!-9;-~]*:[!-9;-~]*:(task|replication-config):[!-~]*$";
pub(super) const LAMBDA_ARN: &str = "^arn:[!-9;-~]+:lambda:[!-9;-~]*:[!-9;-~]*:[!-~]+$";
/// Not a FIFO topic.
pub(super) const SNS_ARN: &str = "^arn:[!-9;-~]+:sns:[!-9;-~]*:[!-9;-~]*:(?!.*\\.fifo$)[!-~]+$";
pub(super) const URL: &str = "^https?://[!\"$-.0->A-~]+([/?#][!-~]*)?$";
/// A zone's ID, also as AWS's SDKs give it.
pub(super) const ZONE_ID: &str = "^(/hostedzone/)?[A-Za-z0-9]{1,32}$";
pub(super) const DNS_NAME: &str = "^[!-\\-/-~]{1,63}(\\.[!-\\-/-~]{1,63})*\\.?$";
pub(super) const HOST: &str = "^[!-~]{1,255}$";
/// Of Route 53.
pub(super) const HEALTH_CHECK_ID: &str = "^[!-~]{1,64}$";
pub(super) const URL_PATH: &str = "^/[!-~]{0,254}$";
pub(super) const STATISTIC: &str = "^(Sum|Average|Minimum|Maximum|SampleCount|p(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?))$";
