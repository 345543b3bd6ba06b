//! The plan: the JSON input of one cutover, as types.
//!
//! A field's type, its bounds, its default and its words stand here, once. `events/cutover.schema.json` is made from
//! them, and `Plan::read` (see [`crate::read`]) judges what a person wrote by that very schema.
//!
//! What the functions pass to each other and the journal keeps is the plan after that: every default filled in,
//! durations in seconds. It is read by serde alone, and read by every version of Cutover: a field that its writer did
//! not know yet gets the default, one that its reader does not know is passed over. So a field that is added later needs a
//! default, and one that means what runs did before.

mod baseline;
mod checks;
mod default;
mod hooks;
mod judging;
mod load_test;
mod monitoring;
pub(crate) mod pattern;
mod routes;
pub(crate) mod rule;
mod stakeholders;
mod validation;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::baseline::{Baseline, BaselineMetric, Figures};
pub use self::checks::{CHECK_LOOK_INTERVAL, CheckProtocol, HealthCheck, HealthChecks};
pub use self::hooks::{Hook, Hooks};
pub use self::judging::{ComparedTo, Countable, Counted, TestKind, TooLittleData};
pub use self::load_test::{
    HttpVersion, LOAD_LEAD, LoadRequest, LoadTarget, LoadTargets, LoadTest, Method, OnViolation, Sla,
};
pub use self::monitoring::{
    AfterFailure, AlarmMissing, Comparison, GroupHealth, Metric, Missing, Monitoring, OnFailure, Series, UntilCleanup,
};
pub use self::routes::{Alias, DnsRoute, ListenerRoute, RecordChange, RecordData, RecordType, Route, Step};
pub use self::stakeholders::{
    Channel, Format, Group, Language, MailChannel, Moment, Stakeholders, TopicChannel, WebhookChannel, WebhookForm,
};
pub use self::validation::{OnLimit, ResourceLimit, Validation};
use crate::Seconds;
use crate::alarm::Alarm;

/// What one cutover moves, how, what has to hold meanwhile, and who is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Plan {
    /// The application's name: 1 to 64 of `A-Z a-z 0-9 - _`. One cutover of an application runs at a time.
    #[schemars(regex(pattern = pattern::APPLICATION))]
    pub application: String,
    /// The id of the wave that this cutover is a part of: 1 to 80 of `A-Z a-z 0-9 - _`. The wave's machine sets it. Those who follow a wave see its runs
    /// together, and what goes wrong in several of them of one cause is told once.
    #[schemars(regex(pattern = pattern::WAVE))]
    pub wave: Option<String>,
    /// `execute`, or `precheck`: observe and report, touch nothing.
    #[serde(default)]
    pub mode: Mode,
    /// How the new side is probed directly, before and after the shift.
    pub health_check: Option<Probe>,
    /// The replication that must have caught up before traffic moves.
    pub database: Option<Database>,
    /// What directs traffic, in the order in which it is moved; it is put back in reverse.
    #[schemars(length(min = 1, max = 20))]
    pub routes: Vec<Route>,
    /// What may go on to lead users to the old side, though precheck finds it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub leaves_behind: Vec<LeftBehind>,
    /// A load test of the new side, and of the old one for comparison, before any traffic moves.
    pub load_test: Option<LoadTest>,
    /// What is watched while a step is held.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// What is written down of the old side before the first step.
    #[serde(default)]
    pub baseline: Baseline,
    /// What has to hold once all traffic is on the new side, beside its health check.
    #[serde(default)]
    pub validation: Validation,
    /// Functions of the application that the run invokes.
    #[serde(default)]
    pub hooks: Hooks,
    /// Alarms to set once all traffic is on the new side: inputs of CloudWatch's PutMetricAlarm.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub alarms: Vec<Alarm>,
    /// Who is told.
    pub notify: Option<Notify>,
    /// Which groups of people hear of the run, each in its own words.
    #[serde(default)]
    pub stakeholders: Stakeholders,
    /// Who has to agree before anything is touched.
    pub approval: Option<Approval>,
    /// What is removed afterwards, and when.
    #[serde(default)]
    pub cleanup: Cleanup,
    /// The deadline of the whole run, 1 s to 7 days, from its claim on. A run that passes it is rolled back.
    #[serde(default = "default::hours::<12>")]
    pub timeout: Seconds,
}

impl Plan {
    /// How many of its routes are DNS names.
    pub fn names(&self) -> usize {
        self.routes.iter().filter(|route| matches!(route, Route::Dns(_))).count()
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Move the traffic.
    #[default]
    Execute,
    /// Observe and report; safe at any time.
    Precheck,
}

/// An HTTP probe of the new side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Probe {
    /// A URL that reaches the new side directly, whatever the routes say: by an address, or a name of its own.
    #[schemars(regex(pattern = pattern::URL))]
    pub url: String,
    /// The host that is asked for there, where it is not the URL's: the name that users ask for, such as `shop.example.com`.
    /// It is the Host header and the TLS server name, and what the certificate must be for.
    #[serde(default, deserialize_with = "without_last_dot", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::HOST_NAME))]
    pub host: Option<String>,
    /// What the certificate of an https URL must be.
    #[serde(default)]
    pub certificate: Certificate,
    /// How often it is tried at the most, before the run and after it.
    #[serde(default = "default::u32::<10>")]
    #[schemars(range(min = 1, max = 100))]
    pub attempts: u32,
    /// The time between two attempts, 1 s to 1 h.
    #[serde(default = "default::seconds::<30>")]
    pub interval: Seconds,
    /// How long one attempt may take, 1 s to 20 s.
    #[serde(default = "default::seconds::<10>")]
    pub timeout: Seconds,
    /// How many attempts in a row must pass; no more than `attempts`.
    #[serde(default = "default::u32::<2>")]
    #[schemars(range(min = 1, max = 100))]
    pub successes: u32,
    /// The HTTP status that passes: `200`, or a range `200-299`. Redirects are not followed.
    #[serde(default = "default::success")]
    #[schemars(regex(pattern = pattern::STATUS))]
    pub expect_status: String,
    /// A text that the body must contain. Left out, any body passes.
    pub expect_body: Option<String>,
}

/// A name as servers and certificates have it: DNS's last dot is no part of it.
fn without_last_dot<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let host = Option::<String>::deserialize(deserializer)?;
    Ok(host.map(|host| host.strip_suffix('.').map(str::to_owned).unwrap_or(host)))
}

impl Probe {
    /// What is probed, for messages: without the URL's query.
    pub fn title(&self) -> String {
        match &self.host {
            Some(host) => format!("{} (asked for as {host})", crate::probe::shown(&self.url)),
            None => crate::probe::shown(&self.url),
        }
    }
}

/// What the new side's certificate must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Valid for the host, in date, and of an issuer that the functions' machines trust: what a browser asks for.
    #[default]
    Trusted,
    /// Valid for the host and in date; anybody may have issued it: self-signed, or of a private authority.
    AnyIssuer,
}

/// The replication (AWS DMS) from the old side's database to the new side's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Database {
    /// The DMS replication task (`task:`), or the serverless replication (`replication-config:`).
    #[schemars(regex(pattern = pattern::REPLICATION_ARN))]
    pub replication_task_arn: String,
    /// The lag that passes: the larger of source and target latency. DMS counts the source's within the target's.
    #[serde(default = "default::seconds::<60>")]
    pub max_lag: Seconds,
    /// How many fresh samples in a row must pass.
    #[serde(default = "default::u32::<3>")]
    #[schemars(range(min = 1, max = 100))]
    pub samples: u32,
    /// The time between two samples, 1 s to 1 h.
    #[serde(default = "default::seconds::<30>")]
    pub interval: Seconds,
    /// How long to wait for the lag to fall, 1 s to 7 days.
    #[serde(default = "default::minutes::<30>")]
    pub give_up_after: Seconds,
    /// Whether every table must be validated (or have no primary key, which DMS cannot validate).
    #[serde(default = "default::yes")]
    pub require_validated_tables: bool,
    /// Whether the replication must have run dry right before the first traffic moves: no change waits, and the lag is
    /// at most `drain_latency`.
    #[serde(default = "default::yes")]
    pub drain: bool,
    /// The lag of a replication at rest, 1 h at the most: DMS reports 1 to 3 s though nothing waits.
    #[serde(default = "default::seconds::<5>")]
    pub drain_latency: Seconds,
    /// Whether both sides write to one database, so that traffic may be split between them.
    #[serde(default)]
    pub shared: bool,
    /// A replication task, or serverless replication, from new to old. Without one that works, and without a shared
    /// database, there is no automatic way back once the new side takes writes.
    #[schemars(regex(pattern = pattern::REPLICATION_ARN))]
    pub reverse_replication_task_arn: Option<String>,
}

impl Database {
    /// The replication on which the way back hangs, once the new side has written to a database of its own.
    pub fn way_back(&self) -> Option<&str> {
        self.reverse_replication_task_arn.as_deref().filter(|_| !self.shared)
    }
}

/// Something that goes on to lead users to the old side, and why that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LeftBehind {
    /// What it is, as precheck's finding names it: the ARN of a rule or listener, or a record's type and name, such as
    /// `AAAA app.example.com`.
    #[schemars(length(min = 1, max = 512))]
    pub what: String,
    /// Why it is left, for those who read the report.
    #[schemars(length(min = 1, max = 500))]
    pub why: String,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Notify {
    /// A standard SNS topic.
    #[schemars(regex(pattern = pattern::TOPIC_ARN))]
    pub topic_arn: String,
}

/// Somebody has to agree, with precheck's findings before them, before anything is touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Approval {
    /// How long to wait, 1 s to 7 days; silence is a no.
    #[serde(default = "default::hours::<24>")]
    pub within: Seconds,
    /// The SNS topic of those who may agree.
    #[schemars(regex(pattern = pattern::TOPIC_ARN))]
    pub topic_arn: String,
}

/// What is removed after a cutover, and when. Until then a person can still roll back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Cleanup {
    /// How long after the cutover, 300 days at the most.
    pub after: Seconds,
    /// Whether the old target groups are deleted, once nothing references them and they serve no traffic.
    pub delete_old_target_group: bool,
}

impl Default for Cleanup {
    fn default() -> Self {
        Self { after: Seconds::hours(24), delete_old_target_group: false }
    }
}
