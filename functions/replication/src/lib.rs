//! The library of replications: what AWS DMS and CloudWatch say of one ([`observe`]), and what is wrong with it
//! ([`judge`], pure).
//!
//! | | replication task | serverless replication |
//! |---|---|---|
//! | its ARN | `task:` | `replication-config:` |
//! | described by | DescribeReplicationTasks | DescribeReplications |
//! | its tables by | DescribeTableStatistics | DescribeReplicationTableStatistics |
//! | dimensions of its metrics | `ReplicationInstanceIdentifier`, `ReplicationTaskIdentifier` | `ReplicationConfigId` |
//! | their values | the instance's identifier, the last element of the task's ARN | account, `:`, the last element of the ARN |
//! | what waits | `CDCIncomingChanges`, `CDCChangesMemoryTarget`, `CDCChangesDiskTarget` | `CDCIncomingChanges` |
//!
//! Sources: API reference; DMS user guide, "Monitoring AWS DMS tasks" and "AWS DMS Serverless replication metrics". The user
//! guide names no dimension of serverless replications: `ReplicationConfigId` is what people found in their accounts.
//!
//! **Lag** is the larger of `CDCLatencySource` and `CDCLatencyTarget`: the target's is the age of the oldest change that is not
//! yet on the target, so the source's is part of it (user guide, "Troubleshooting latency issues").
//!
//! **Apply errors** are seen where DMS shows them: `TablesErrored`, a table's `TableState`, its `ValidationState`, the status.
//! With the default policies (`LOG_ERROR`) a change that cannot be applied is only noted in the table
//! `awsdms_apply_exceptions` of the target, which no API reads: there, validation is what finds it.

pub mod judge;
pub mod observe;

use access::Access;
use aws_types::SdkConfig;
use cutover::StepResult;
use cutover::arn::Place;

pub use crate::judge::{BACKLOG, Metrics, Replication, Series, Stats, Table};

/// What replications are looked at by: those of one account and region.
#[derive(Clone, Debug)]
pub struct Services {
    /// Database Migration Service.
    pub dms: aws_sdk_databasemigration::Client,
    /// CloudWatch, for lag and backlog: a replication reports where it is.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
}

impl Services {
    /// Those of an account and region.
    pub fn new(aws: &SdkConfig) -> Self {
        let cloudwatch = aws_sdk_cloudwatch::Client::new(aws);
        Self { dms: aws_sdk_databasemigration::Client::new(aws), cloudwatch }
    }

    /// Those of the account and region where a replication is, by its ARN.
    ///
    /// # Errors
    /// Those of [`Access::at`].
    pub async fn of(&self, access: &Access, arn: &str) -> StepResult<Self> {
        access.client(self, Place::of(arn), Self::new).await
    }
}

/// DMS reports its metrics once a minute (DMS user guide, "Monitoring replication tasks").
pub const PERIOD_SECONDS: i64 = 60;

/// Whether an ARN names a serverless replication; otherwise it is a task's.
pub fn is_serverless(arn: &str) -> bool {
    resource(arn).starts_with("replication-config:")
}

/// What a person calls it.
pub fn kind(arn: &str) -> &'static str {
    if is_serverless(arn) { "serverless replication" } else { "replication task" }
}

/// The last element of the ARN.
fn last_element(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

fn resource(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_a_task_from_a_serverless_replication() {
        assert!(!is_serverless("arn:aws:dms:eu-west-1:123456789012:task:replication-config:T"));
        assert!(is_serverless("arn:aws-cn:dms:cn-north-1:123456789012:replication-config:K7QWZ3MXR2NPLVBD5TYAH8FJCS"));
        assert_eq!(kind("arn:aws:dms:eu-west-1:123456789012:task:T"), "replication task");
        assert!(!is_serverless("nonsense"));
    }
}
