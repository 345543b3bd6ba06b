//! What the end-to-end tests share: an emulated AWS with the product on it, runs under names of our own, and comparisons
//! of the whole account.

pub mod template;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cutover_tests::approver::task_token;
use cutover_tests::compare::differences;
use cutover_tests::control::Client;
use cutover_tests::emulator::Options;
use cutover_tests::follow;
use cutover_tests::setup::{self, Checkout};
use cutover_tests::stage::Stage;
use cutover_tests::traffic::Pace;
use cutover_tests::world::World;
use serde_json::{Value, json};

use crate::accounts::{self, Account};

/// An emulated AWS with the functions and state machines of this checkout.
pub struct Ground {
    pub emulator: Account,
    pub client: Client,
    pub speed: f64,
}

impl Ground {
    pub async fn new(speed: f64) -> Result<Self> {
        Ok(Self::on(accounts::take(speed).await?, speed))
    }

    /// The same, deployed from a synthesized CDK app, with permissions enforced.
    pub async fn from(speed: f64, template: PathBuf) -> Result<Self> {
        let options = Options { speed, template: Some(template), ..accounts::options()? };
        Ok(Self::on(accounts::start(&options).await?, speed))
    }

    /// The same on which these groups of the stack, and those of plans, hear of every run.
    pub async fn telling(speed: f64, stakeholders: Value) -> Result<Self> {
        let options = Options { speed, stakeholders: Some(stakeholders), ..accounts::options()? };
        Ok(Self::on(accounts::start(&options).await?, speed))
    }

    /// The same with pages that answer.
    pub async fn answering(speed: f64, stakeholders: Value) -> Result<Self> {
        let options = Options { speed, stakeholders: Some(stakeholders), answers: true, ..accounts::options()? };
        Ok(Self::on(accounts::start(&options).await?, speed))
    }

    fn on(emulator: Account, speed: f64) -> Self {
        Self { client: emulator.client().clone(), emulator, speed }
    }

    /// The environment that a plan names, with users in it.
    pub async fn stage(&self, plan: &Value, world: Value) -> Result<Stage> {
        Stage::set(&self.client, self.emulator.ready(), plan, World::from_json(world)?, self.speed).await
    }

    /// The same with few users, for what does not depend on them.
    pub async fn quiet_stage(&self, plan: &Value, world: Value) -> Result<Stage> {
        let world = World::from_json(world)?;
        Stage::with_users(&self.client, self.emulator.ready(), plan, world, Pace::few(self.speed)).await
    }

    pub fn machine(&self, name: &str) -> &str {
        self.emulator.ready().state_machines.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The ARN that an execution of this name has.
    pub fn execution(&self, machine: &str, name: &str) -> String {
        format!("{}:{name}", self.machine(machine).replace(":stateMachine:", ":execution:"))
    }

    pub async fn start(&self, machine: &str, name: &str, input: &Value) -> Result<String> {
        follow::start(&self.client, self.machine(machine), name, input).await
    }

    pub async fn describe(&self, execution: &str) -> Result<Value> {
        self.client.call("stepfunctions", "describe_execution", json!({ "executionArn": execution })).await
    }

    /// Waits for an execution's end, and answers its description.
    pub async fn end_of(&self, execution: &str, limit: Duration) -> Result<Value> {
        self.wait(&format!("the end of {execution}"), limit, json!({ "execution": execution, "ended": true })).await?;
        self.describe(execution).await
    }

    /// Every execution of a machine, as AWS lists them.
    pub async fn executions(&self, machine: &str) -> Result<Vec<Value>> {
        let parameters = json!({ "stateMachineArn": self.machine(machine) });
        let mut listed = self.client.call("stepfunctions", "list_executions", parameters).await?;
        serde_json::from_value(listed["executions"].take()).context("no executions")
    }

    /// That so many rollbacks were started, once whatever could still start one has: events, functions, the cutover itself.
    pub async fn ensure_rollbacks(&self, wanted: usize, limit: Duration) -> Result<()> {
        wait_for("quiet", limit, async || Ok((!self.client.runs().await?.busy).then_some(()))).await?;
        let names: Vec<Value> = self.executions("rollback").await?.iter().map(|one| one["name"].clone()).collect();
        ensure!(names.len() == wanted, "{wanted} rollbacks should have been started, not {names:?}");
        Ok(())
    }

    /// The run's item in the journal.
    pub async fn run(&self, run_id: &str) -> Result<Option<Value>> {
        let key = json!({ "pk": { "S": format!("run#{run_id}") } });
        let get = json!({ "TableName": self.emulator.ready().journal_table, "Key": key, "ConsistentRead": true });
        let mut answer = self.client.call("dynamodb", "get_item", get).await?;
        Ok(answer.get_mut("Item").map(Value::take))
    }

    pub async fn phase(&self, run_id: &str) -> Result<String> {
        let run = self.run(run_id).await?;
        Ok(run.map_or("none".to_owned(), |run| run["phase"]["S"].as_str().unwrap_or_default().to_owned()))
    }

    pub async fn wait_for_phase(&self, run_id: &str, phase: &str, limit: Duration) -> Result<()> {
        self.wait(&format!("phase {phase} of {run_id}"), limit, json!({ "run": run_id, "phase": phase })).await
    }

    /// Waits until a state of an execution is entered.
    pub async fn wait_for_state(&self, execution: &str, state: &str, limit: Duration) -> Result<()> {
        self.wait_for_entries(execution, state, 1, limit).await
    }

    /// Waits until it is entered for the so many-th time.
    pub async fn wait_for_entries(&self, execution: &str, state: &str, times: usize, limit: Duration) -> Result<()> {
        let awaited = json!({ "execution": execution, "entered": state, "times": times });
        self.wait(&format!("{state} of {execution}"), limit, awaited).await
    }

    async fn wait(&self, what: &str, limit: Duration, awaited: Value) -> Result<()> {
        let is_met = self.client.wait(awaited, limit).await.with_context(|| format!("waiting for {what}"))?;
        ensure!(is_met, "{what} did not come within {limit:?}");
        Ok(())
    }

    /// The states that an execution has entered so far.
    pub async fn states(&self, execution: &str) -> Result<Vec<String>> {
        let mut page = json!({ "executionArn": execution, "maxResults": 1000 });
        let mut states = Vec::new();
        loop {
            let mut history = self.client.call("stepfunctions", "get_execution_history", page.clone()).await?;
            let events = history["events"].as_array().into_iter().flatten();
            let name = |event: &Value| event["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
            states.extend(events.filter_map(name));
            let next = history["nextToken"].take();
            if !next.is_string() {
                return Ok(states);
            }
            page["nextToken"] = next;
        }
    }

    /// The account without the journal: what a run must leave as it was.
    pub async fn account(&self) -> Result<Value> {
        let mut dump = self.client.dump().await?;
        let dump_of = dump.as_object_mut().context("the dump is no object")?;
        dump_of.remove("journal");
        Ok(dump)
    }

    /// Waits for a page, which comes right after the journal has the ending, and answers its text.
    pub async fn page(&self, subject: &str, limit: Duration) -> Result<String> {
        wait_for(&format!("a message `{subject}...`"), limit, async || {
            let messages = self.client.messages().await?;
            let page = messages.into_iter().find(|m| m.subject.as_deref().is_some_and(|s| s.starts_with(subject)));
            Ok(page.map(|page| format!("{}\n{}", page.subject.unwrap_or_default(), page.message)))
        })
        .await
    }

    /// The token in the commands of the message that asks for approval.
    pub async fn approval_token(&self, limit: Duration) -> Result<String> {
        wait_for("a request for approval", limit, async || {
            Ok(self.client.messages().await?.iter().find_map(task_token).map(str::to_owned))
        })
        .await
    }

    /// No lock of this run is left.
    pub async fn ensure_no_locks(&self, run_id: &str) -> Result<()> {
        let dump = self.client.dump().await?;
        let items = dump["journal"].as_array().into_iter().flatten();
        let locks: Vec<&Value> = items
            .filter(|item| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("lock#")))
            .filter(|item| item["run_id"]["S"] == run_id)
            .map(|item| &item["pk"]["S"])
            .collect();
        ensure!(locks.is_empty(), "locks of {run_id} are left: {locks:?}");
        Ok(())
    }
}

/// Polls until there is an answer.
pub async fn wait_for<T>(what: &str, limit: Duration, look: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if started.elapsed() > limit {
            bail!("{what} did not come within {limit:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Fails with the paths at which two values differ.
pub fn ensure_same(before: &Value, after: &Value) -> Result<()> {
    let differences = differences(before, after);
    ensure!(differences.is_empty(), "the account is not as it was before:\n{}", differences.join("\n"));
    Ok(())
}

/// A plan of `events/`.
pub fn plan(name: &str) -> Result<Value> {
    let path = Checkout::of_this_build().root.join(format!("events/{name}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// A definition of `statemachine/`, as it is deployed.
pub fn definition(name: &str) -> Result<Value> {
    serde_json::from_str(&definition_text(name)?).with_context(|| format!("the definition of {name} is no JSON"))
}

/// Its bytes.
pub fn definition_text(name: &str) -> Result<String> {
    let path = setup::definitions(&Checkout::of_this_build())?.join(format!("{name}.asl.json"));
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Every Task state of a definition, those inside of Maps too, with the top-level state that holds it.
pub fn task_states(definition: &Value) -> Vec<(String, String)> {
    let states = definition["States"].as_object().into_iter().flatten();
    states
        .flat_map(|(name, state)| match state["Type"].as_str() {
            Some("Task") => vec![(name.clone(), name.clone())],
            Some("Map") => {
                task_states(&state["ItemProcessor"]).into_iter().map(|(task, _)| (task, name.clone())).collect()
            }
            _ => vec![],
        })
        .collect()
}

/// A short listener plan: no replication, no DNS, one step.
pub fn listener_plan(application: &str, steps: Value) -> Value {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    json!({
        "application": application,
        "routes": [{
            "type": "listener",
            "listener_arn": format!("{elb}:listener/app/{application}/50dc6c495c0c9188/f2f7dc8efc522ab2"),
            "old_target_group_arn": format!("{elb}:targetgroup/{application}-old/73e2d6bc24d8a067"),
            "new_target_group_arn": format!("{elb}:targetgroup/{application}-new/6d0ecf831eec9f09"),
            "steps": steps,
        }],
        "notify": { "topic_arn": format!("arn:aws:sns:eu-west-1:123456789012:{application}-cutover") },
    })
}

/// A short DNS plan: one A record.
pub fn dns_plan(application: &str, steps: Value) -> Value {
    json!({
        "application": application,
        "routes": [{
            "type": "dns",
            "hosted_zone_id": "Z0123456789TEST00",
            "record_name": format!("{application}.example.com"),
            "records": [{ "type": "A", "new": { "values": ["198.51.100.77"] } }],
            "steps": steps,
        }],
        "notify": { "topic_arn": format!("arn:aws:sns:eu-west-1:123456789012:{application}-cutover") },
    })
}
