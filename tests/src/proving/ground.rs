//! The two stacks: the proving ground, and Cutover itself, as their outputs tell.
//!
//! Contract: [`Ground::find`] reads two stacks, and says which of them is not there and how to deploy it. [`Ground::plan`] is a plan of the
//! ground's own listener and name; [`Ground::names`] is all that must not leave the account in a report.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::aws::{Aws, refused};
use super::names::Names;
use crate::routes::Sides;

/// The name that the runs of the proving ground go by.
pub const APPLICATION: &str = "proving-ground";
/// Of TEST-NET-2: nobody is there.
pub const NEW_ADDRESS: &str = "198.51.100.10";
/// In seconds, as the stack makes the record.
pub const TTL: u64 = 30;

/// What the outputs of both stacks say.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The listener between both sides.
    pub listener: String,
    /// The target group of the old side.
    pub old_group: String,
    /// That of the new side.
    pub new_group: String,
    /// The function behind it, by its name.
    pub new_function: String,
    /// The private zone.
    pub zone: String,
    /// A name in it.
    pub name: String,
    /// What it answers before any run.
    pub old_address: String,
    /// Where messages go.
    pub topic: String,
    /// The queue that hears it.
    pub queue: String,
    /// The one alarm.
    pub alarm: String,
    /// The machine `cutover`.
    pub cutover: String,
    /// The machine `rollback`.
    pub rollback: String,
    /// The journal's table.
    pub journal: String,
    /// The role of the function that moves listeners, by its name.
    pub swap_role: String,
    prefix: String,
}

impl Ground {
    /// Of the stacks `<prefix>cutover` and `<prefix>cutover-proving-ground`.
    ///
    /// # Errors
    /// One of them is not there, or is of another version; AWS errors.
    pub async fn find(aws: &Aws, prefix: &str) -> Result<Self> {
        let stack = format!("{prefix}cutover");
        let central = outputs(aws, &stack, "npx cdk deploy").await?;
        let deploy = r#"npx cdk --app "npx tsx bin/proving-ground.ts" deploy"#;
        let ground = outputs(aws, &format!("{prefix}cutover-proving-ground"), deploy).await?;
        let swap = json!({ "FunctionName": format!("{stack}-listener-swap") });
        let swap = aws.call("lambda", "get_function_configuration", swap).await?;
        let role = swap["Role"].as_str().and_then(|role| role.rsplit('/').next()).context("a function has no role")?;
        Ok(Self {
            listener: ground.get("ListenerArn")?,
            old_group: ground.get("OldTargetGroupArn")?,
            new_group: ground.get("NewTargetGroupArn")?,
            new_function: ground.get("NewSideFunction")?,
            zone: ground.get("HostedZoneId")?,
            name: ground.get("RecordName")?,
            old_address: ground.get("OldAddress")?,
            topic: ground.get("TopicArn")?,
            queue: ground.get("QueueUrl")?,
            alarm: ground.get("AlarmName")?,
            cutover: central.get("CutoverArn")?,
            rollback: central.get("RollbackArn")?,
            journal: central.get("JournalName")?,
            swap_role: role.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// A plan that moves the listener by a quarter, then wholly, and the name after it. Its cleanup comes after `cleanup`.
    pub fn plan(&self, cleanup: &str) -> Value {
        json!({
            "application": APPLICATION,
            "routes": [
                {
                    "type": "listener",
                    "listener_arn": self.listener,
                    "old_target_group_arn": self.old_group,
                    "new_target_group_arn": self.new_group,
                    "min_healthy_percent": 100,
                    "steps": [{ "new_weight": 25, "hold": "4m" }, { "new_weight": 100, "hold": "1m" }],
                },
                {
                    "type": "dns",
                    "hosted_zone_id": self.zone,
                    "record_name": self.name,
                    "records": [{ "type": "A", "new": { "values": [NEW_ADDRESS] } }],
                    "steps": [{ "new_weight": 100, "hold": "1m" }],
                },
            ],
            "monitoring": {
                "interval": "20s",
                "failure_limit": 1,
                "target_groups": [{ "target_group_arn": self.new_group, "min_healthy_percent": 100 }],
                "alarms": [self.alarm],
                "alarms_missing": { &self.alarm: "healthy" },
            },
            "notify": { "topic_arn": self.topic },
            "cleanup": { "after": cleanup },
            "timeout": "1h",
        })
    }

    /// Whose destination is whose.
    pub fn sides(&self) -> Sides {
        Sides::new(&json!({ "old": [self.old_group, self.old_address], "new": [self.new_group, NEW_ADDRESS] }))
    }

    /// The load balancer's ARN.
    pub fn balancer(&self) -> String {
        let parts: Vec<&str> = self.listener.split('/').collect();
        let place = parts.get(..4).unwrap_or(&parts).join("/");
        place.replace(":listener/", ":loadbalancer/")
    }

    /// Everything here that has a name.
    pub fn names(&self) -> Names {
        let prefix = self.prefix.trim_end_matches('-');
        let known = [
            (&self.listener, "listener"),
            (&self.old_group, "old target group"),
            (&self.new_group, "new target group"),
            (&self.new_function, "new function"),
            (&self.zone, "zone"),
            (&self.name, "name"),
            (&self.topic, "topic"),
            (&self.queue, "queue"),
            (&self.alarm, "alarm"),
            (&self.cutover, "machine cutover"),
            (&self.rollback, "machine rollback"),
            (&self.journal, "journal"),
            (&self.swap_role, "role of listener-swap"),
            (&prefix.to_owned(), "prefix"),
        ];
        Names::new(known.map(|(name, of)| (name.clone(), of.to_owned())))
    }
}

/// The outputs of a stack.
struct Outputs {
    stack: String,
    values: Vec<Value>,
}

impl Outputs {
    fn get(&self, key: &str) -> Result<String> {
        let output = self.values.iter().find(|output| output["OutputKey"] == key);
        let value = output.and_then(|output| output["OutputValue"].as_str());
        let stack = &self.stack;
        Ok(value
            .with_context(|| format!("the stack {stack} has no output {key}: deploy it anew, of this version"))?
            .to_owned())
    }
}

async fn outputs(aws: &Aws, stack: &str, deploy: &str) -> Result<Outputs> {
    let described = aws.call("cloudformation", "describe_stacks", json!({ "StackName": stack })).await;
    let mut described = match described {
        Err(error) if refused(&error) == Some("ValidationError") => bail!(
            "there is no stack {stack} in this account and region: deploy it (in infra/: {deploy}), or see --profile, --region and --prefix"
        ),
        described => described?,
    };
    let one = described["Stacks"][0].take();
    let status = one["StackStatus"].as_str().unwrap_or_default();
    if !["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"].contains(&status) {
        bail!("the stack {stack} is {status}: wait until it is deployed, or deploy it anew (in infra/: {deploy})");
    }
    let values = one["Outputs"].as_array().cloned().unwrap_or_default();
    Ok(Outputs { stack: stack.to_owned(), values })
}
