//! The rehearsal of a wave: an environment for each of its applications, the machine that moves them, and what becomes of each.
//!
//! Contract: as of one cutover ([`crate::run`]): it sequences nothing. It starts the execution, lets sides behave and people speak as the world file says, and
//! looks. At the end it compares what the wave says of each application with where its users are.

mod run;
mod world;

pub use self::run::{Happening, MemberEnd, Outcome, rehearse};
pub use self::world::WaveWorld;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use cutover::read::nearest_name;
use serde_json::{Value, json};

use crate::control::Client;
use crate::emulator::Ready;
use crate::own::OwnNames;
use crate::programme::is_portfolio;
use crate::stage::Stage;
use crate::traffic::Pace;
use crate::world::World;

/// What tells a wave from a plan, also where a field of it is misspelt, left out, or of the wrong type: a plan has one application, and routes; a
/// portfolio has limits, teams or a calendar, and no wave.
pub fn is_wave(input: &Value) -> bool {
    let Some(fields) = input.as_object() else { return false };
    let has = |name: &str| fields.contains_key(name);
    if has("application") || has("routes") || is_portfolio(input) {
        return false;
    }
    let is_nearly = |name: &String| nearest_name(name, ["applications"].into_iter()).is_some();
    has("wave") || has("applications") || fields.keys().any(is_nearly)
}

/// The environments of all applications of a wave.
#[derive(Debug)]
pub struct WaveStage {
    /// The wave, with the ARNs of the environments.
    pub wave: Value,
    /// What it does not say.
    pub world: WaveWorld,
    /// The environment of each application that moves.
    pub stages: BTreeMap<String, Stage>,
    pub(crate) client: Client,
    pub(crate) machine: String,
    pub(crate) journal_table: String,
    pub(crate) speed: f64,
}

impl WaveStage {
    /// Creates what the plans of the wave name, and lets the users in: as many as one machine bears for so many applications.
    pub async fn set(client: &Client, ready: &Ready, wave: &Value, world: WaveWorld, speed: f64) -> Result<Self> {
        let mut wave = wave.clone();
        let mut stages = BTreeMap::new();
        for application in wave["applications"].as_array_mut().into_iter().flatten() {
            let name = application["name"].as_str().unwrap_or_default().to_owned();
            if !application["cutover"].is_object() {
                continue;
            }
            let of_one = world.applications.get(&name).cloned().unwrap_or_else(|| json!({}));
            let of_one = World::from_json(of_one).with_context(|| format!("the world of {name}"))?;
            let stage = Stage::with_users(client, ready, &application["cutover"], of_one, Pace::few(speed)).await;
            let stage = stage.with_context(|| format!("the environment of {name}"))?;
            application["cutover"] = stage.plan.clone();
            stages.insert(name, stage);
        }
        let machine = ready.state_machines.get("wave").context("no state machine wave: it has no definition")?.clone();
        let (client, journal_table) = (client.clone(), ready.journal_table.clone());
        Ok(Self { wave, world, stages, client, machine, journal_table, speed })
    }

    /// The user's own names of everything.
    pub fn own_names(&self) -> OwnNames {
        let all = self.stages.values().flat_map(|stage| stage.mapping.clone());
        OwnNames::new(&all.collect())
    }

    /// The wave's name.
    pub fn name(&self) -> &str {
        self.wave["wave"].as_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_known_also_where_it_is_misspelt() {
        for wave in [
            json!({ "wave": "w", "applications": [] }),
            json!({ "wave": "w", "aplications": [{ "name": "a" }] }),
            json!({ "wave": "w", "applications": { "name": "a" } }),
            json!({ "wvae": "w", "applications": [{ "name": "a" }] }),
            json!({ "wave": "w" }),
            json!({ "wave": 7, "application_s": [] }),
        ] {
            assert!(is_wave(&wave), "{wave}");
        }
        for other in [
            json!({ "application": "shop", "routes": [], "wave": "spring" }),
            json!({ "aplication": "shop", "routes": [] }),
            json!({ "application": "shop" }),
            json!({ "programme": "p", "applications": [], "calendar": {}, "teams": [] }),
            json!([]),
            json!("wave"),
            Value::Null,
        ] {
            assert!(!is_wave(&other), "{other}");
        }
    }
}
