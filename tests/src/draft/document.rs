//! The plan as a draft writes it: only what was found or asked for, in the order in which a person reads it.
//!
//! Contract: what it prints is read by `Plan::read`. Defaults are left out, so that the plan stays short.

use std::collections::BTreeMap;

use cutover::alarm::Alarm;
use cutover::plan::{LeftBehind, Notify, RecordChange};
use serde::Serialize;

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Draft {
    /// The application.
    pub application: String,
    /// The replication that has to have caught up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// What is moved, in its order.
    pub routes: Vec<Route>,
    /// What goes on to lead users to the old side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaves_behind: Vec<LeftBehind>,
    /// What is watched.
    pub monitoring: Monitoring,
    /// Alarms of the old side, repeated for the new one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// Who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// The deadline, where the default is too short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// A replication.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Database {
    /// From the old side to the new one.
    pub replication_task_arn: String,
    /// Back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverse_replication_task_arn: Option<String>,
    /// Whether both sides write to one database.
    pub shared: bool,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Route {
    /// A listener or rule.
    Listener(Forwarding),
    /// A name.
    Dns(Name),
}

/// A listener or rule that forwards to the old group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forwarding {
    /// The listener; or the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_arn: Option<String>,
    /// The rule; or the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_arn: Option<String>,
    /// The group that serves now.
    pub old_target_group_arn: String,
    /// The group that shall serve.
    pub new_target_group_arn: String,
    /// The weights.
    pub steps: Vec<Step>,
}

/// A name in its zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Name {
    /// The zone.
    pub hosted_zone_id: String,
    /// The name.
    pub record_name: String,
    /// What it shall answer.
    pub records: Vec<RecordChange>,
    /// The weights.
    pub steps: Vec<Step>,
}

/// A weight, and how long it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The new side's share, in percent.
    pub new_weight: u8,
    /// Such as `15m`.
    pub hold: &'static str,
}

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Monitoring {
    /// So many looks in a row without data roll the run back.
    pub no_data_limit: u32,
    /// Metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Gate>,
    /// Alarms of the new side that there are already.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
}

/// A metric and the value that means trouble.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// For people.
    pub name: String,
    /// `AWS/ApplicationELB`.
    pub namespace: &'static str,
    /// Such as `HTTPCode_Target_5XX_Count`.
    pub metric_name: &'static str,
    /// All that the metric has.
    pub dimensions: BTreeMap<&'static str, String>,
    /// `Sum`, or a percentile.
    pub statistic: &'static str,
    /// What divides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divide_by: Option<Divisor>,
    /// The old side, where it is known by these dimensions: trouble is to be worse than it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_to: Option<Side>,
    /// Always `greater_than`.
    pub comparison: &'static str,
    /// The value compared with.
    pub threshold: f64,
    /// What no datapoint means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<&'static str>,
}

/// A side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// In the place of the metric's own.
    pub dimensions: BTreeMap<&'static str, String>,
}

/// What a count is divided by: of the same dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divisor {
    /// `RequestCount`.
    pub metric_name: &'static str,
}

impl Route {
    /// Its steps.
    pub fn steps_mut(&mut self) -> &mut Vec<Step> {
        match self {
            Self::Listener(route) => &mut route.steps,
            Self::Dns(route) => &mut route.steps,
        }
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Listener(route) => &route.steps,
            Self::Dns(route) => &route.steps,
        }
    }
}

impl Forwarding {
    /// A route of a listener or rule.
    pub fn of(arn: &str, old: &str, new: &str) -> Self {
        let is_rule = arn.contains(":listener-rule/");
        let named = |is_it: bool| is_it.then(|| arn.to_owned());
        Self {
            listener_arn: named(!is_rule),
            rule_arn: named(is_rule),
            old_target_group_arn: old.to_owned(),
            new_target_group_arn: new.to_owned(),
            steps: Vec::new(),
        }
    }

    /// The ARN of the listener or rule.
    pub fn arn(&self) -> &str {
        self.rule_arn.as_deref().or(self.listener_arn.as_deref()).unwrap_or_default()
    }
}
