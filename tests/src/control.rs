//! A client of the emulated AWS's control API (`/_local/`), and what it answers.
//!
//! Contract: every error tells the request; a refusal keeps AWS's error code, as a [`Refusal`] in the error's chain.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::locked;

/// How often the routing is looked at: in virtual time, but not more and not less often than this in real time.
const ROUTING_INTERVAL: Duration = Duration::from_secs(12);
const ROUTING_BOUNDS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long one request waits; the emulated AWS would wait for 30 s at most.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// An answer of the emulated AWS that says no.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    /// AWS's error code, or the kind of the emulator's own error.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

/// What answers POST /_local/world.
#[derive(Clone, Debug, Deserialize)]
pub struct Environment {
    /// The plan, with the ARNs of what was created.
    pub plan: Value,
    /// Target groups, record values and alias names of each side.
    pub sides: Value,
    /// What the plan's names became.
    pub resources: Resources,
}

/// What was created besides routes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Resources {
    /// The replications of the plan.
    pub replication: Vec<Replicating>,
    /// What each name of the plan became.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
}

/// A replication task or serverless replication, as its metrics name it.
#[derive(Clone, Debug, Deserialize)]
pub struct Replicating {
    /// The plan's field that names it.
    pub key: String,
    /// Its ARN.
    pub arn: String,
    /// The dimensions of its metrics.
    pub dimensions: Value,
}

impl Replicating {
    /// Whether it goes from the new side to the old one.
    pub fn is_reverse(&self) -> bool {
        self.key.starts_with("reverse")
    }
}

/// The live state of everything that directs traffic.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Routing {
    /// The forward action of each listener and rule, by ARN.
    pub listeners: BTreeMap<String, ForwardState>,
    /// The record set of each `<zone>/<name>/<type>`.
    pub records: BTreeMap<String, RecordState>,
}

/// Which executions run, and how far the runs of the journal are.
#[derive(Clone, Debug, Deserialize)]
pub struct Runs {
    /// ARNs of executions under way.
    pub running: Vec<String>,
    /// By run id.
    pub runs: BTreeMap<String, RunState>,
    /// Whether a function is at work: it may outlive the execution that invoked it.
    pub busy: bool,
}

/// How far a run is.
#[derive(Clone, Debug, Deserialize)]
pub struct RunState {
    /// Its phase.
    pub phase: String,
    /// The execution that is responsible for it.
    pub owner: String,
}

/// The live routing, and every state that it had since it is watched.
#[derive(Clone, Debug)]
pub struct LiveRouting(Arc<Mutex<Vec<SeenRouting>>>);

/// A state, and when it was seen first.
pub type SeenRouting = (Instant, Arc<Routing>);

impl LiveRouting {
    /// As it is now.
    pub fn latest(&self) -> Arc<Routing> {
        locked(&self.0).last().map(|(_, routing)| routing.clone()).unwrap_or_default()
    }

    /// The states after the first `count`.
    pub fn since(&self, count: usize) -> Vec<SeenRouting> {
        locked(&self.0).get(count..).map(<[_]>::to_vec).unwrap_or_default()
    }
}

/// A forward action.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct ForwardState {
    /// Its groups and their weights.
    pub target_groups: Vec<GroupWeight>,
    /// How long a client stays on its group; none without group stickiness.
    pub sticky_seconds: Option<u64>,
}

/// A target group of a forward action.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct GroupWeight {
    /// The target group's ARN.
    pub arn: String,
    /// 0 to 999.
    pub weight: u64,
}

/// All records of one name and type.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct RecordState {
    /// None for alias records.
    pub ttl: Option<u64>,
    /// One for a simple record, several for weighted ones.
    pub members: Vec<RecordMember>,
}

/// One record set.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct RecordMember {
    /// None for a simple record.
    pub set_identifier: Option<String>,
    /// None for a simple record.
    pub weight: Option<u64>,
    /// What it answers, unless it is an alias.
    pub values: Option<Vec<String>>,
    /// The name it is an alias of.
    pub alias: Option<String>,
    /// The hosted zone of that name.
    #[serde(default)]
    pub alias_zone: Option<String>,
    /// Whether it is healthy, by its check and by what it leads to; none where nothing tells.
    #[serde(default)]
    pub healthy: Option<bool>,
}

/// One request that reached the emulated AWS.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Counts from 1.
    pub seq: u64,
    /// Seconds since 1970.
    pub at: f64,
    /// A function's name, `states` for the state machines, `local` for the set-up.
    pub caller: String,
    /// As the SDKs name it: elbv2, route53, ...
    pub service: String,
    /// As the API names it: ModifyListener, ...
    pub operation: String,
    /// The state that made it, or for which the function that made it was invoked.
    pub state: Option<String>,
    /// The execution that made it, or for which the function that made it was invoked.
    pub execution: Option<String>,
    /// The function that is invoked, if it is an invocation.
    pub function: Option<String>,
    /// The role in which it was made; none without enforced permissions, and for a service's own calls.
    pub role: Option<String>,
    /// Whose things it is about: of a role that is assumed, that role's account.
    #[serde(default)]
    pub account: String,
    /// The permissions that it needs: `dynamodb:GetItem`, ...
    pub actions: Vec<String>,
    /// HTTP status; none while it is being answered.
    pub status: Option<u16>,
    /// A fault that hit it.
    pub fault: Option<String>,
}

impl Request {
    /// The name of the state machine for which it was made.
    pub fn machine(&self) -> Option<&str> {
        self.execution.as_deref()?.split(':').nth(6)
    }
}

/// A message that was published.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    /// Where to.
    pub topic_arn: Option<String>,
    /// Its subject line.
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
}

/// A call of a function.
#[derive(Clone, Debug, Deserialize)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The state for which it was called.
    pub state: Option<String>,
    /// Whether it is a plan's hook.
    pub hook: bool,
    /// What it answered, if that was an error.
    pub error: Option<Value>,
}

/// A client of the control API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    endpoint_url: String,
}

impl Client {
    /// A client of the emulated AWS at this address.
    pub fn new(endpoint_url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build();
        Ok(Self { http: http.context("cannot make an HTTP client")?, endpoint_url: endpoint_url.to_string() })
    }

    /// Creates the environment that a plan names.
    pub async fn world(&self, plan: &Value, world: &Value, ports: Value) -> Result<Environment> {
        self.post("world", &json!({"plan": plan, "world": world, "ports": ports})).await
    }

    /// The live state of everything that directs traffic.
    pub async fn routing(&self) -> Result<Routing> {
        self.get("routing").await
    }

    /// The routing after each change of it that a function made.
    pub async fn routings(&self) -> Result<Vec<Routing>> {
        self.get("routings").await
    }

    /// Every call of a function that is over.
    pub async fn invocations(&self) -> Result<Vec<Invocation>> {
        self.get("invocations").await
    }

    /// From now on what functions ask and are answered is kept, word for word.
    pub async fn keep_exchanges(&self) -> Result<Value> {
        self.post("exchanges", &json!({})).await
    }

    /// What was kept since [`Self::keep_exchanges`], in order.
    pub async fn exchanges<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.get("exchanges").await
    }

    /// Which executions run, and how far the runs of the journal are.
    pub async fn runs(&self) -> Result<Runs> {
        self.get("runs").await
    }

    /// The complete state of the account, in a canonical order.
    pub async fn dump(&self) -> Result<Value> {
        self.get("dump").await
    }

    /// Calls an AWS API as the set-up does; `operation` in snake case. A refusal of AWS is a [`Refusal`] in the error.
    pub async fn call(&self, service: &str, operation: &str, parameters: Value) -> Result<Value> {
        self.call_at((None, None), service, operation, parameters).await
    }

    /// The same in an account and a region; none: the stack's own.
    pub async fn call_at(
        &self,
        (account, region): (Option<&str>, Option<&str>),
        service: &str,
        operation: &str,
        parameters: Value,
    ) -> Result<Value> {
        let called =
            json!({"service": service, "operation": operation, "parameters": parameters, "at": [account, region]});
        self.post("call", &called).await.with_context(|| format!("{service} {operation}"))
    }

    /// Sets what DescribeTargetHealth answers: state by target id, `*` for all others.
    pub async fn set_target_health(&self, target_group_arn: &str, health: Value) -> Result<Value> {
        self.post("target-health", &json!({"target_group_arn": target_group_arn, "health": health})).await
    }

    /// Sets what the checkers of Route 53 see, of any check: rules, the first that matches counts.
    pub async fn set_health_checks(&self, rules: &[Value]) -> Result<Value> {
        self.post("health-checks", &rules).await
    }

    /// Sets a replication's status and tables, and counts more changes.
    pub async fn set_replication(&self, change: Value) -> Result<Value> {
        self.post("replication", &change).await
    }

    /// Publishes datapoints.
    pub async fn put_metrics(&self, datapoints: &[Value]) -> Result<Value> {
        self.post("metrics", &datapoints).await
    }

    /// Publishes datapoints, and says up to when, in seconds since 1970, all of these namespaces were published: until then
    /// whoever asks for them is kept waiting.
    pub async fn publish_metrics(&self, datapoints: &[Value], namespaces: &[&str], until: f64) -> Result<Value> {
        let published = json!({ "entries": datapoints, "namespaces": namespaces, "until": until });
        self.post("published-metrics", &published).await
    }

    /// Keeps metrics at a value, without a gap: `[{"namespace", "metric_name", "dimensions", "value"}]`.
    pub async fn keep_steady(&self, metrics: &[Value]) -> Result<Value> {
        self.post("steady-metrics", &metrics).await
    }

    /// How long a target group stays in use, in virtual seconds, after the last listener or rule has let it go.
    pub async fn set_release_seconds(&self, seconds: u64) -> Result<Value> {
        self.post("rules", &json!({ "release_seconds": seconds })).await
    }

    /// Empties the account but for what is deployed.
    pub async fn clear(&self) -> Result<Value> {
        self.post("clear", &json!({})).await
    }

    /// Switches status events and the sweep: `{"status_events": bool, "sweep": bool}`.
    pub async fn set_events(&self, events: Value) -> Result<Value> {
        self.post("events", &events).await
    }

    /// Waits and retry delays that begin from now on are divided by it.
    pub async fn set_speed(&self, speed: f64) -> Result<Value> {
        self.post("speed", &json!({ "speed": speed })).await
    }

    /// Waits for what `tests/local_aws/control/waits.py` can wait for; answers whether it came to pass within `limit`.
    pub async fn wait(&self, mut awaited: Value, limit: Duration) -> Result<bool> {
        #[derive(Deserialize)]
        struct Answer {
            met: bool,
        }
        let started = Instant::now();
        loop {
            let left = limit.saturating_sub(started.elapsed());
            awaited["seconds"] = json!(left.min(LONGEST_WAIT).as_secs_f64());
            let Answer { met } = self.post("wait", &awaited).await?;
            if met || left.is_zero() {
                return Ok(met);
            }
        }
    }

    /// Replaces all faults.
    pub async fn set_faults(&self, rules: Value) -> Result<Value> {
        self.post("faults", &rules).await
    }

    /// The faults with their hit counts.
    pub async fn faults(&self) -> Result<Vec<Value>> {
        self.get("faults").await
    }

    /// Requests after the one with this number.
    pub async fn requests(&self, since: u64) -> Result<Vec<Request>> {
        self.get(&format!("requests?since={since}")).await
    }

    /// Creates or updates the stack of a synthesized CDK app.
    pub async fn deploy_template(&self, assembly: &Path, stack: &str) -> Result<Value> {
        self.post("deploy-template", &json!({"assembly": assembly, "stack": stack})).await
    }

    /// Removes a stack; answers what is retained.
    pub async fn delete_template(&self, stack: &str) -> Result<Value> {
        self.post("delete-template", &json!({"stack": stack})).await
    }

    /// Delivers a schedule now, as often as it is called; answers what became of it.
    pub async fn fire_schedule(&self, name: &str) -> Result<Value> {
        self.post("fire-schedule", &json!({"name": name})).await
    }

    /// Every message that was published.
    pub async fn messages(&self) -> Result<Vec<Message>> {
        self.get("messages").await
    }

    /// Every mail that was accepted, as `ses` tells it.
    pub async fn mails(&self) -> Result<Vec<Value>> {
        self.get("mail").await
    }

    /// Sets what a test wants of the account's mail.
    pub async fn set_mail(&self, wanted: &Value) -> Result<Value> {
        self.post("mail", wanted).await
    }

    /// What each function's package holds: the path that it points to, or the beginning of its bootstrap.
    pub async fn code(&self) -> Result<BTreeMap<String, String>> {
        self.get("code").await
    }

    /// Watches the live routing, as long as somebody looks at it.
    pub async fn watch_routing(&self, speed: f64) -> Result<LiveRouting> {
        let [shortest, longest] = ROUTING_BOUNDS;
        let interval = ROUTING_INTERVAL.div_f64(speed).clamp(shortest, longest);
        let states = Arc::new(Mutex::new(vec![(Instant::now(), Arc::new(self.routing().await?))]));
        let (client, watched) = (self.clone(), Arc::downgrade(&states));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                // A busy emulator may miss a beat; one that has gone is noticed by whoever runs it.
                let answer = client.routing().await;
                let Some(states) = watched.upgrade() else { break };
                let mut states = locked(&states);
                match answer {
                    Ok(routing) if states.last().is_none_or(|(_, last)| **last != routing) => {
                        states.push((Instant::now(), Arc::new(routing)));
                    }
                    _ => {}
                }
            }
        });
        Ok(LiveRouting(states))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.answer(self.http.get(self.url(path)), path).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Result<T> {
        self.answer(self.http.post(self.url(path)).json(body), path).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_local/{path}", self.endpoint_url)
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder, path: &str) -> Result<T> {
        let response =
            request.send().await.with_context(|| format!("the emulated AWS does not answer /_local/{path}"))?;
        let status = response.status();
        let text = response.text().await.with_context(|| format!("the answer of /_local/{path} breaks off"))?;
        if status.is_success() {
            return serde_json::from_str(&text)
                .with_context(|| format!("the answer of /_local/{path} is not what was agreed: {text:.300}"));
        }
        match serde_json::from_str::<BTreeMap<String, Refusal>>(&text).map(|mut answer| answer.remove("error")) {
            Ok(Some(refusal)) => Err(refusal.into()),
            _ => bail!("/_local/{path} answered {status}: {text:.500}"),
        }
    }
}
