//! The plan: the JSON input of one cutover.
//!
//! [`Plan::read`] takes a JSON value and returns either a plan with every default filled in, or every error at once,
//! each with its JSON path, what is wrong and what would be right. Pure: nothing is observed here.

mod check;
mod hooks;
mod monitoring;
mod read;
mod routes;

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::hooks::{Hook, Hooks};
pub use self::monitoring::{Comparison, GroupHealth, Metric, Missing, Monitoring, Series};
pub use self::routes::{
    Alias, DnsRoute, HealthCheck, HealthChecks, ListenerRoute, RecordChange, RecordData, RecordType, Route, Step,
};
use crate::alarm::Alarm;
use crate::{Finding, Seconds, finding};

/// What one cutover moves, how, what has to hold meanwhile, and who is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The application's name: 1 to 64 of `A-Z a-z 0-9 - _`. One cutover of an application runs at a time.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub application: String,
    /// `execute`, or `precheck`: observe and report, touch nothing.
    #[deserr(default)]
    #[serde(default)]
    pub mode: Mode,
    /// How the new side is probed directly, before and after the shift.
    #[deserr(default)]
    #[serde(default)]
    pub health_check: Option<Probe>,
    /// The replication that must have caught up before traffic moves.
    #[deserr(default)]
    #[serde(default)]
    pub database: Option<Database>,
    /// What directs traffic, in the order in which it is moved; it is put back in reverse.
    pub routes: Vec<Route>,
    /// What is watched while a step is held.
    #[deserr(default)]
    #[serde(default)]
    pub monitoring: Monitoring,
    /// Functions of the application that the run invokes.
    #[deserr(default)]
    #[serde(default)]
    pub hooks: Hooks,
    /// Alarms to set once all traffic is on the new side: inputs of CloudWatch's PutMetricAlarm.
    #[deserr(default)]
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// Who is told.
    #[deserr(default)]
    #[serde(default)]
    pub notify: Option<Notify>,
    /// Who has to agree before anything is touched.
    #[deserr(default)]
    #[serde(default)]
    pub approval: Option<Approval>,
    /// What is removed afterwards, and when.
    #[deserr(default)]
    #[serde(default)]
    pub cleanup: Cleanup,
    /// The deadline of the whole run, from its claim on. A run that passes it is rolled back.
    #[deserr(default = Seconds::hours(12))]
    #[serde(default = "default_timeout")]
    pub timeout: Seconds,
}

fn default_timeout() -> Seconds {
    Seconds::hours(12)
}

impl Plan {
    /// Reads a plan as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, up to [`finding::MOST_FINDINGS`]: of form (types, unknown and missing fields) or, where the
    /// form is right, of sense.
    pub fn read(value: &serde_json::Value) -> Result<Self, Vec<Finding>> {
        let plan = read::plan(value)?;
        let findings = check::plan(&plan);
        if findings.is_empty() { Ok(plan) } else { Err(finding::first(findings)) }
    }

    /// Whether the replication has to show that the hooks have stopped the old side's writers. A shared database cannot:
    /// whoever else uses it may go on to write.
    pub fn verifies_quiesce(&self) -> bool {
        !self.hooks.quiesce.is_empty() && self.database.as_ref().is_some_and(|database| !database.shared)
    }

    /// Whether the replication is looked at between the hooks that stop the writers and the first traffic.
    pub fn looks_before_traffic(&self) -> bool {
        self.database.as_ref().is_some_and(|database| database.drain) || self.verifies_quiesce()
    }
}

/// Whether a run may touch anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(rename_all = lowercase)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Move the traffic.
    #[default]
    Execute,
    /// Observe and report; safe at any time.
    Precheck,
}

/// An HTTP probe of the new side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// A URL that reaches the new side directly, whatever the routes say.
    pub url: String,
    /// How often it is tried at the most.
    #[deserr(default = 10)]
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The time between two attempts.
    #[deserr(default = Seconds(30))]
    #[serde(default = "thirty_seconds")]
    pub interval: Seconds,
    /// How long one attempt may take; 20 s at the most.
    #[deserr(default = Seconds(10))]
    #[serde(default = "ten_seconds")]
    pub timeout: Seconds,
    /// How many attempts in a row must pass.
    #[deserr(default = 2)]
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 100))]
    pub successes: u32,
    /// The HTTP status that passes: `200`, or a range `200-299`. Redirects are not followed.
    #[deserr(default = "200-299".to_owned())]
    #[serde(default = "success_range")]
    #[schemars(regex(pattern = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"))]
    pub expect_status: String,
    /// A text that the body must contain.
    #[deserr(default)]
    #[serde(default)]
    pub expect_body: Option<String>,
}

fn ten() -> u32 {
    10
}

fn two() -> u32 {
    2
}

fn ten_seconds() -> Seconds {
    Seconds(10)
}

fn thirty_seconds() -> Seconds {
    Seconds(30)
}

fn success_range() -> String {
    "200-299".to_owned()
}

/// The replication (AWS DMS) from the old side's database to the new side's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The DMS replication task (`task:`), or the serverless replication (`replication-config:`).
    pub replication_task_arn: String,
    /// The lag that passes: the larger of source and target latency. DMS counts the source's within the target's.
    #[deserr(default = Seconds(60))]
    #[serde(default = "sixty_seconds")]
    pub max_lag: Seconds,
    /// How many fresh samples in a row must pass.
    #[deserr(default = 3)]
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    pub samples: u32,
    /// The time between two samples.
    #[deserr(default = Seconds(30))]
    #[serde(default = "thirty_seconds")]
    pub interval: Seconds,
    /// How long to wait for the lag to fall.
    #[deserr(default = Seconds::minutes(30))]
    #[serde(default = "thirty_minutes")]
    pub give_up_after: Seconds,
    /// Whether every table must be validated (or have no primary key, which DMS cannot validate).
    #[deserr(default = true)]
    #[serde(default = "yes")]
    pub require_validated_tables: bool,
    /// Whether the replication must have run dry right before the first traffic moves: no change waits, and the lag is
    /// at most `drain_latency`.
    #[deserr(default = true)]
    #[serde(default = "yes")]
    pub drain: bool,
    /// The lag of a replication at rest: DMS reports 1 to 3 s though nothing waits.
    #[deserr(default = Seconds(5))]
    #[serde(default = "five_seconds")]
    pub drain_latency: Seconds,
    /// Whether both sides write to one database, so that traffic may be split between them.
    #[deserr(default = false)]
    #[serde(default)]
    pub shared: bool,
    /// A replication task, or serverless replication, from new to old. Without one that works, and without a shared
    /// database, there is no automatic way back once the new side takes writes.
    #[deserr(default)]
    #[serde(default)]
    pub reverse_replication_task_arn: Option<String>,
}

fn three() -> u32 {
    3
}

fn five_seconds() -> Seconds {
    Seconds(5)
}

fn sixty_seconds() -> Seconds {
    Seconds(60)
}

fn thirty_minutes() -> Seconds {
    Seconds::minutes(30)
}

fn yes() -> bool {
    true
}

impl Database {
    /// The replication on which the way back hangs, once the new side has written to a database of its own.
    pub fn way_back(&self) -> Option<&str> {
        self.reverse_replication_task_arn.as_deref().filter(|_| !self.shared)
    }
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// An SNS topic.
    pub topic_arn: String,
}

/// Somebody has to agree, with precheck's findings before them, before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// How long to wait; silence is a no.
    #[deserr(default = Seconds::hours(24))]
    #[serde(default = "one_day")]
    pub within: Seconds,
    /// The SNS topic of those who may agree.
    pub topic_arn: String,
}

/// What is removed after a cutover, and when. Until then a person can still roll back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Cleanup {
    /// How long after the cutover.
    #[deserr(default = Seconds::hours(24))]
    #[serde(default = "one_day")]
    pub after: Seconds,
    /// Whether the old target groups are deleted, once nothing references them and they serve no traffic.
    #[deserr(default = false)]
    #[serde(default)]
    pub delete_old_target_group: bool,
}

fn one_day() -> Seconds {
    Seconds::hours(24)
}

impl Default for Cleanup {
    fn default() -> Self {
        Self { after: one_day(), delete_old_target_group: false }
    }
}
