//! The world file: what a plan does not say about the environment that it will meet.
//!
//! Contract: `<plan>.world.json` beside the plan, all of it optional, unknown keys refused. What shapes the environment
//! at its creation (listeners, records, alarms, hooks, deny) is passed on to the emulated AWS as it is. What happens
//! over time is decided here, by pure functions of virtual time and live weights: behaviour of both sides,
//! replication's lag, and what is done to the run.

pub(crate) mod check;
pub(crate) mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::approver::{Answer, Decision};
use crate::json;
use crate::responder::Response;

/// A world file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// For editors: it says nothing about the world.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// What this scenario shows.
    pub description: Option<String>,
    /// The ending that it should have.
    pub expect: Option<String>,
    /// For the emulated AWS.
    pub listeners: Value,
    /// For the emulated AWS.
    pub records: Value,
    /// The replications: their state is for the emulated AWS, their metrics are published by us.
    pub replication: Replication,
    /// The old side.
    pub old: Behaviour,
    /// The new side.
    pub new: Behaviour,
    /// For the emulated AWS.
    pub alarms: Value,
    /// By the names of the plan's metrics: values of those that nobody publishes here.
    pub metrics: BTreeMap<String, f64>,
    /// For the emulated AWS.
    pub hooks: Value,
    /// For the emulated AWS.
    pub deny: Value,
    /// For the emulated AWS: states of the cutover whose functions begin late.
    pub late: Value,
    /// How long the run is watched after its end, in its own time: until then it may still be taken back by itself.
    #[serde(deserialize_with = "duration")]
    pub watch_after_end: Duration,
    /// For the emulated AWS: target types, stickiness, tags of groups.
    pub groups: Value,
    /// For the emulated AWS: groups that another listener forwards to as well.
    pub also_forwarding: Value,
    /// For the emulated AWS: what the checkers of Route 53 see.
    pub health_checks: Value,
    /// For the emulated AWS: records that no route names.
    pub more_records: Value,
    /// For the emulated AWS: the accounts of the plan that are not the stack's own.
    pub accounts: Value,
    /// For the emulated AWS: other zones of the account.
    pub zones: Value,
    /// What is done to the run while it goes on.
    pub during: Vec<During>,
    /// What a person says whom the plan asks for approval.
    pub approval: Answer,
    /// What a person says where a check failed and the plan holds the step.
    pub decision: Decision,
    /// What somebody says who is called for an incident.
    pub incident: Response,
    /// The file as it is, for the emulated AWS.
    #[serde(skip)]
    pub raw: Value,
}

impl World {
    /// The world file beside a plan; without one, a calm world.
    pub fn beside(plan: &Path) -> Result<Self> {
        let path = Self::path(plan);
        if !path.exists() {
            return Self::from_json(Value::Object(Default::default()));
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let raw = json::read(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        Self::from_json(raw).with_context(|| format!("{} is no world file", path.display()))
    }

    /// A world from a value.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(raw: Value) -> Result<Self> {
        let world: Self = told::read(&raw).map_err(anyhow::Error::msg)?;
        Ok(Self { raw, ..world })
    }

    /// `events/cutover.json` -> `events/cutover.world.json`.
    pub fn path(plan: &Path) -> PathBuf {
        plan.with_extension("world.json")
    }
}

/// How a side behaves, until a change says otherwise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    latency_ms: u64,
    slow_rate: f64,
    slow_ms: u64,
    error_rate: f64,
    error_status: u16,
    unanswered_rate: f64,
    healthy_percent: f64,
    health_body: String,
    health_status: u16,
    changes: Vec<Change>,
    /// Whether its load balancers have reported its users of before the run.
    pub reported: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency_ms: 20,
            slow_rate: 0.0,
            slow_ms: 1_000,
            error_rate: 0.0,
            error_status: 500,
            unanswered_rate: 0.0,
            healthy_percent: 100.0,
            health_body: "ok".to_string(),
            health_status: 200,
            changes: Vec::new(),
            reported: true,
        }
    }
}

/// One change of a behaviour: when a route's new side has got this weight (at once, if none is given), and the run has succeeded where that is
/// asked for; and then after a while.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    when_new_weight: Option<f64>,
    route: usize,
    when_succeeded: bool,
    #[serde(deserialize_with = "duration")]
    after: Duration,
    latency_ms: Option<u64>,
    slow_rate: Option<f64>,
    slow_ms: Option<u64>,
    error_rate: Option<f64>,
    error_status: Option<u16>,
    unanswered_rate: Option<f64>,
    healthy_percent: Option<f64>,
    health_body: Option<String>,
    health_status: Option<u16>,
}

/// What a side does at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conduct {
    /// How long an answer takes.
    pub latency_ms: u64,
    /// Which part of users' requests takes longer; 0 to 1.
    pub slow_rate: f64,
    /// How long these take.
    pub slow_ms: u64,
    /// Which part of users' requests is answered with an error; 0 to 1.
    pub error_rate: f64,
    /// With which: an HTTP status.
    pub error_status: u16,
    /// Which part of users' requests is not answered at all: the connection breaks off; 0 to 1.
    pub unanswered_rate: f64,
    /// Which part of its targets is healthy; 0 to 100.
    pub healthy_percent: f64,
    /// What its health endpoint answers.
    pub health_body: String,
    /// And with which status.
    pub health_status: u16,
}

impl Default for Conduct {
    fn default() -> Self {
        Script::new(&Behaviour::default()).conduct
    }
}

/// A behaviour as time goes on. A change that has come stays, even if the weights go back: a sick side does not heal by
/// being left.
#[derive(Clone, Debug)]
pub struct Script {
    conduct: Conduct,
    waiting: Vec<(Change, Option<Duration>)>,
}

impl Script {
    /// At the beginning.
    pub fn new(behaviour: &Behaviour) -> Self {
        let conduct = Conduct {
            latency_ms: behaviour.latency_ms,
            slow_rate: behaviour.slow_rate,
            slow_ms: behaviour.slow_ms,
            error_rate: behaviour.error_rate,
            error_status: behaviour.error_status,
            unanswered_rate: behaviour.unanswered_rate,
            healthy_percent: behaviour.healthy_percent,
            health_body: behaviour.health_body.clone(),
            health_status: behaviour.health_status,
        };
        Self { conduct, waiting: behaviour.changes.iter().map(|change| (change.clone(), None)).collect() }
    }

    /// What the side does now, with each route's new side at these percentages, and the run at its good end or not.
    pub fn conduct(&mut self, now: Duration, new_percent: &[f64], has_succeeded: bool) -> Conduct {
        for (change, since) in &mut self.waiting {
            let is_time = has_succeeded || !change.when_succeeded;
            if since.is_none() && is_time && reached(change.when_new_weight, change.route, new_percent) {
                *since = Some(now);
            }
        }
        let is_due = |change: &Change, since: &Option<Duration>| since.is_some_and(|since| now >= since + change.after);
        for (change, _) in self.waiting.extract_if(.., |(change, since)| is_due(change, since)) {
            change.apply(&mut self.conduct);
        }
        self.conduct.clone()
    }
}

impl Change {
    fn apply(self, conduct: &mut Conduct) {
        conduct.latency_ms = self.latency_ms.unwrap_or(conduct.latency_ms);
        conduct.slow_rate = self.slow_rate.unwrap_or(conduct.slow_rate);
        conduct.slow_ms = self.slow_ms.unwrap_or(conduct.slow_ms);
        conduct.error_rate = self.error_rate.unwrap_or(conduct.error_rate);
        conduct.error_status = self.error_status.unwrap_or(conduct.error_status);
        conduct.unanswered_rate = self.unanswered_rate.unwrap_or(conduct.unanswered_rate);
        conduct.healthy_percent = self.healthy_percent.unwrap_or(conduct.healthy_percent);
        conduct.health_status = self.health_status.unwrap_or(conduct.health_status);
        if let Some(body) = self.health_body {
            conduct.health_body = body;
        }
    }
}

/// Weights are whole numbers, so a share may miss its percentage by a little.
fn reached(when_new_weight: Option<f64>, route: usize, new_percent: &[f64]) -> bool {
    when_new_weight.is_none_or(|weight| new_percent.get(route).is_some_and(|percent| percent + 0.25 >= weight))
}

/// The replications' metrics over time; the rest of it shapes the environment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replication {
    /// For the emulated AWS.
    pub status: Option<String>,
    /// For the emulated AWS.
    pub tables: Option<Value>,
    /// For the emulated AWS.
    pub migration_type: Option<String>,
    /// Seconds behind, from these moments on.
    pub lag_seconds: Vec<Moment>,
    /// Changes not yet applied, from these moments on.
    pub backlog: Vec<Moment>,
    /// Rows that are written to the old side's database, whatever the hooks do, from these moments on.
    pub changes_per_second: Vec<Moment>,
    /// Where the one from new to old is different.
    pub reverse: Reverse,
}

/// The replication from new to old, where it is different from the other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reverse {
    /// For the emulated AWS.
    pub status: Option<String>,
    /// For the emulated AWS.
    pub migration_type: Option<String>,
    /// Seconds behind, from these moments on; without any, as the other.
    pub lag_seconds: Vec<Moment>,
}

/// What replications report at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Seconds behind.
    pub lag_seconds: f64,
    /// Changes not yet applied.
    pub backlog: f64,
    /// Rows that come in each second.
    pub changes_per_second: f64,
}

impl Replication {
    /// What one reports at a time. Nobody but users writes to the new side's database: nothing is told of them.
    pub fn load(&self, is_reverse: bool, now: Duration) -> Load {
        let lag = if is_reverse && !self.reverse.lag_seconds.is_empty() {
            &self.reverse.lag_seconds
        } else {
            &self.lag_seconds
        };
        let changes_per_second = value_at(&self.changes_per_second, now, 0.0);
        Load {
            lag_seconds: value_at(lag, now, 0.0),
            backlog: value_at(&self.backlog, now, 0.0),
            changes_per_second: if is_reverse { 0.0 } else { changes_per_second },
        }
    }
}

/// `["10m", 5]`: from this virtual time on, this value. A number is a time in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Moment(#[serde(deserialize_with = "duration")] Duration, f64);

/// The value at a time: that of the last moment before it; `otherwise` before the first.
pub fn value_at(moments: &[Moment], now: Duration, otherwise: f64) -> f64 {
    moments.iter().rfind(|moment| moment.0 <= now).map_or(otherwise, |moment| moment.1)
}

/// Something that is done to the run, once, when a route's new side has got this weight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct During {
    when_new_weight: Option<f64>,
    #[serde(default)]
    route: usize,
    /// What to do.
    #[serde(rename = "do")]
    pub act: Act,
}

impl During {
    /// Whether its moment has come.
    pub fn is_due(&self, new_percent: &[f64]) -> bool {
        reached(self.when_new_weight, self.route, new_percent)
    }
}

/// What can be done to a run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// As a person in the console would.
    StopExecution,
    /// The same plan again, under another name.
    StartSecond,
}

/// A number of seconds, or a text such as "15m".
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Seconds(f64),
        Text(String),
    }
    match Given::deserialize(deserializer)? {
        Given::Seconds(seconds) => Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom),
        Given::Text(text) => humantime::parse_duration(&text).map_err(|_| {
            let text = cutover::text::shown(&text, 60);
            serde::de::Error::custom(format!(
                "`{text}` is no duration: write one such as \"15m\", or a number of seconds"
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn a_change_waits_for_its_weight_and_then_for_its_time_and_stays() -> Result<()> {
        let world = World::from_json(json!({"new": {"error_rate": 0.01, "changes": [
            {"when_new_weight": 50, "route": 1, "after": "2m", "error_rate": 0.5},
            {"after": "10m", "latency_ms": 900},
            {"when_succeeded": true, "after": "1m", "healthy_percent": 0}]}}))?;
        let mut script = Script::new(&world.new);
        assert_eq!(script.conduct(minutes(0), &[100.0, 10.0], false).error_rate, 0.01);
        assert_eq!(script.conduct(minutes(1), &[100.0, 49.8], false).error_rate, 0.01);
        assert_eq!(script.conduct(minutes(3), &[0.0, 0.0], false).error_rate, 0.5);
        let last = script.conduct(minutes(12), &[], true);
        assert_eq!((last.latency_ms, last.error_rate, last.healthy_percent), (900, 0.5, 100.0));
        assert_eq!(script.conduct(minutes(13), &[], true).healthy_percent, 0.0);
        Ok(())
    }

    #[test]
    fn a_series_holds_its_last_value() -> Result<()> {
        let world = World::from_json(json!({"replication": {"lag_seconds": [[0, 240], ["10m", 5]]}}))?;
        let lag = &world.replication.lag_seconds;
        assert_eq!(
            [minutes(0), minutes(9), minutes(10), minutes(99)].map(|at| value_at(lag, at, 1.0)),
            [240.0, 240.0, 5.0, 5.0]
        );
        assert_eq!(value_at(&[], minutes(1), 1.0), 1.0);
        Ok(())
    }

    #[test]
    fn the_way_back_lags_as_the_way_there_unless_told_otherwise() -> Result<()> {
        let of = |replication: Value| -> Result<[Load; 2]> {
            let world = World::from_json(json!({ "replication": replication }))?;
            Ok([false, true].map(|is_reverse| world.replication.load(is_reverse, minutes(5))))
        };
        let [there, back] =
            of(json!({ "lag_seconds": [[0, 3]], "backlog": [[0, 7]], "changes_per_second": [[0, 9]] }))?;
        assert_eq!(there, Load { lag_seconds: 3.0, backlog: 7.0, changes_per_second: 9.0 });
        assert_eq!(back, Load { changes_per_second: 0.0, ..there });
        let [_, back] = of(json!({ "lag_seconds": [[0, 3]], "reverse": { "lag_seconds": [[0, 1], ["4m", 900]] } }))?;
        assert_eq!(back.lag_seconds, 900.0);
        Ok(())
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for wrong in [json!({"neww": {}}), json!({"new": {"latency": 3}}), json!({"during": [{"do": "dance"}]})] {
            assert!(World::from_json(wrong.clone()).is_err(), "{wrong}");
        }
        let error = World::from_json(json!({"old": {"changes": [{"whenn": 1}]}})).expect_err("an unknown key");
        assert!(format!("{error:#}").contains("changes[0].whenn is not known here"), "{error:#}");
    }

    #[test]
    fn the_world_file_lies_beside_the_plan() {
        assert_eq!(World::path(Path::new("events/cutover.json")), Path::new("events/cutover.world.json"));
    }
}
