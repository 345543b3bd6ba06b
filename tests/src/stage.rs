//! The environment that a plan names, with both sides and their users: ready for a run.
//!
//! Contract: [`Stage::set`] creates it; dropping the stage ends servers and users. Several stages can stand in one
//! emulated AWS, at the price that messages and changes are those of all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::checkers;
use crate::control::{Client, LiveRouting, Replicating, Routing};
use crate::emulator::Ready;
use crate::follow;
use crate::meters::Meters;
use crate::metrics::{self, publish_replication};
use crate::outcome::Move;
use crate::routes::{self, Route, Side, Sides};
use crate::sides::Servers;
use crate::traffic::{Ledger, Pace, Users};
use crate::world::{Conduct, Script, World};
use crate::{Clock, locked};

/// An environment with sides and users.
#[derive(Debug)]
pub struct Stage {
    /// The plan, with the ARNs of the environment.
    pub plan: Value,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Which destination is whose.
    pub sides: Sides,
    /// What users see.
    pub ledger: Ledger,
    /// The live routing.
    pub routing: LiveRouting,
    /// What the plan does not say.
    pub world: World,
    /// What each name of the plan became.
    pub mapping: BTreeMap<String, String>,
    pub(crate) client: Client,
    machines: BTreeMap<String, String>,
    replication: Vec<Replicating>,
    servers: Arc<Servers>,
    conducts: Arc<Mutex<[Conduct; 2]>>,
    speed: f64,
    _users: Users,
}

impl Stage {
    /// Creates what the plan names, and lets the users in.
    pub async fn set(client: &Client, ready: &Ready, plan: &Value, world: World, speed: f64) -> Result<Self> {
        Self::with_users(client, ready, plan, world, Pace::usual(speed)).await
    }

    /// The same with another number of users.
    pub async fn with_users(client: &Client, ready: &Ready, plan: &Value, world: World, pace: Pace) -> Result<Self> {
        let servers = Arc::new(Servers::start().await?);
        let environment =
            client.world(plan, &world.raw, servers.ports()).await.context("creating what the plan names")?;
        let routes = routes::routes(&environment.plan);
        let sides = Sides::new(&environment.sides);
        let routing = client.watch_routing(pace.speed).await?;
        let (users, ledger) = Users::start(&routes, &sides, &servers, &routing, pace)?;
        let stage = Self {
            plan: environment.plan,
            routes,
            sides,
            ledger,
            routing,
            world,
            client: client.clone(),
            machines: ready.state_machines.clone(),
            mapping: environment.resources.mapping,
            replication: environment.resources.replication,
            servers,
            conducts: Arc::default(),
            speed: pace.speed,
            _users: users,
        };
        client.keep_steady(&metrics::given(&stage.plan, &stage.world.metrics)).await?;
        if stage.world.old.reported {
            let (datapoints, steady) = metrics::before_run(&stage.routes, &stage.sides);
            client.put_metrics(&datapoints).await?;
            client.keep_steady(&steady).await?;
        }
        for (side, behaviour) in [(Side::Old, &stage.world.old), (Side::New, &stage.world.new)] {
            stage
                .behave(side, &Script::new(behaviour).conduct(Duration::ZERO, &[], false), &Conduct::default())
                .await?;
        }
        Ok(stage)
    }

    /// The clock of a run that starts now.
    pub fn clock(&self) -> Clock {
        Clock::start(self.speed)
    }

    /// The replications of the plan.
    pub fn replication(&self) -> &[Replicating] {
        &self.replication
    }

    /// The ARN of a machine of the stack.
    pub fn machine(&self, name: &str) -> Option<&str> {
        self.machines.get(name).map(String::as_str)
    }

    /// Starts an execution of a machine.
    pub async fn start_execution(&self, machine: &str, input: &Value) -> Result<String> {
        let arn = self.machine(machine).with_context(|| format!("no state machine {machine}: it has no definition"))?;
        follow::start(&self.client, arn, &format!("rehearsal-{:08x}", rand::random::<u32>()), input).await
    }

    /// Publishes what load balancers and replication would, until the answer is dropped.
    pub fn publish_metrics(&self, clock: Clock) -> JoinSet<()> {
        let mut publishers = JoinSet::new();
        let meters = Meters::new(&self.plan, &self.routes, &self.sides);
        let (client, ledger, conducts) = (self.client.clone(), self.ledger.clone(), self.conducts.clone());
        publishers.spawn(metrics::publish(meters, client, ledger, conducts, clock));
        if !self.replication.is_empty() {
            let behaviour = self.world.replication.clone();
            publishers.spawn(publish_replication(self.client.clone(), self.replication.clone(), behaviour, clock));
        }
        publishers
    }

    /// Whether the load balancers here ever publish a metric of the plan, if only what it counts happens.
    pub fn publishes(&self, metric: &Value) -> bool {
        let text = |field: &str| metric[field].as_str().unwrap_or_default();
        Meters::new(&self.plan, &self.routes, &self.sides).has(
            text("namespace"),
            text("metric_name"),
            &metric["dimensions"],
        )
    }

    /// Where every route leads in a state of the routing.
    pub fn moves(&self, routing: &Routing, at: Duration) -> Vec<Move> {
        let state = |route: &Route| Move {
            at_seconds: at.as_secs_f64(),
            route: route.label.clone(),
            destinations: route.destinations(routing, &self.sides),
        };
        self.routes.iter().map(state).collect()
    }

    /// The new side's percentage on every route, now.
    pub fn new_percents(&self) -> Vec<f64> {
        let routing = self.routing.latest();
        self.routes.iter().map(|route| route.new_percent(&routing, &self.sides)).collect()
    }

    /// Lets the checkers of the plan's health checks see what a side's health endpoint answers.
    async fn tell_checkers(&self, side: Side, conduct: &Conduct, before: &Conduct) -> Result<()> {
        let told = |conduct: &Conduct| (conduct.health_status, conduct.health_body.clone());
        let conducts = {
            let mut conducts = locked(&self.conducts);
            conducts[usize::from(side == Side::New)] = conduct.clone();
            conducts.clone()
        };
        if told(conduct) == told(before) {
            return Ok(());
        }
        let mut rules = self.world.health_checks.as_array().cloned().unwrap_or_default();
        rules.extend(checkers::rules(&self.plan, &conducts));
        self.client.set_health_checks(&rules).await.map(drop)
    }

    /// Makes a side behave, its targets' health and what Route 53's checkers see included.
    pub async fn behave(&self, side: Side, conduct: &Conduct, before: &Conduct) -> Result<()> {
        self.servers.set(side, conduct.clone());
        self.tell_checkers(side, conduct, before).await?;
        if conduct.healthy_percent == before.healthy_percent {
            return Ok(());
        }
        for group in self.routes.iter().flat_map(|route| &route.groups).filter(|arn| self.sides.of(arn) == side) {
            let answer = self.client.call("elbv2", "describe_target_health", json!({"TargetGroupArn": group})).await?;
            let described = answer["TargetHealthDescriptions"].as_array().into_iter().flatten();
            let targets: Vec<&str> = described.filter_map(|target| target["Target"]["Id"].as_str()).collect();
            self.client.set_target_health(group, health(&targets, conduct.healthy_percent)).await?;
        }
        Ok(())
    }
}

/// The first targets are the sick ones.
fn health(targets: &[&str], healthy_percent: f64) -> Value {
    let healthy = (targets.len() as f64 * healthy_percent / 100.0).round() as usize;
    let mut health = json!({"*": if healthy == 0 { "unhealthy" } else { "healthy" }});
    for target in &targets[..targets.len().saturating_sub(healthy)] {
        health[*target] = json!("unhealthy");
    }
    health
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_rounded_to_whole_targets() {
        let targets = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        assert_eq!(health(&targets, 100.0), json!({"*": "healthy"}));
        assert_eq!(health(&targets, 66.0), json!({"*": "healthy", "10.0.0.1": "unhealthy"}));
        assert_eq!(health(&targets, 0.0)["*"], "unhealthy");
    }
}
