//! The world file of a wave: how each application's sides behave, and what people say of the wave meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use waves::state::Is;

use crate::approver::Answer;
use crate::json;
use crate::world::{World, check, told};

/// How a wave may end.
const ENDINGS: [&str; 9] = [
    "Succeeded",
    "Incomplete",
    "RolledBack",
    "Stuck",
    "PrecheckFailed",
    "Rejected",
    "InvalidPlan",
    "Conflict",
    "LineStopped",
];

/// A world file of a wave.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WaveWorld {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// What this scenario shows.
    pub description: Option<String>,
    /// The ending that it should have: `Succeeded`, or an error's name without its prefix.
    pub expect: Option<String>,
    /// By application: the world file that its plan would have.
    pub applications: BTreeMap<String, Value>,
    /// What a person says whom the wave asks for approval.
    pub approval: Answer,
    /// What people say meanwhile.
    pub during: Vec<Saying>,
}

/// Something that a person says of the wave, once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saying {
    /// When.
    pub when: When,
    /// The input of the execution, without the wave's name.
    pub say: Map<String, Value>,
}

/// When an application is somewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Which.
    pub application: String,
    /// Where.
    pub is: Is,
}

impl WaveWorld {
    /// The world file beside a wave; without one, a calm world.
    pub fn beside(wave: &Path) -> Result<Self> {
        let path = World::path(wave);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let raw = json::read(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        let world = told::read(&raw).map_err(anyhow::Error::msg);
        world.with_context(|| format!("{} is no world file of a wave", path.display()))
    }

    /// Whether it can be the world of this wave.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key.
    pub fn check(&self, wave: &Value) -> Result<()> {
        let members = || wave["applications"].as_array().into_iter().flatten();
        let names = || members().filter_map(|member| member["name"].as_str());
        let mut problems: Vec<String> =
            self.expect.iter().filter_map(|ending| check::no_ending(ending, &ENDINGS)).collect();
        for (name, world) in &self.applications {
            let Some(member) = members().find(|member| member["name"] == **name) else {
                problems.push(format!("applications: of those of the wave, {}", check::unknown(name, names())));
                continue;
            };
            let of_plan = World::from_json(world.clone()).and_then(|world| world.check(&member["cutover"]));
            problems.extend(of_plan.err().map(|error| format!("applications.{name}.{error:#}")));
        }
        for (index, saying) in self.during.iter().enumerate() {
            let name = &saying.when.application;
            if !names().any(|known| known == name) {
                let unknown = check::unknown(name, names());
                problems.push(format!("during[{index}].when.application: of those of the wave, {unknown}"));
            }
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n  "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_world_that_is_not_the_waves_is_told_before_anything_is_started() {
        let wave = json!({ "wave": "spring", "applications": [{ "name": "web", "tasks": [{ "what": "call" }] }] });
        let told = |world: Value| -> String {
            let checked =
                told::read::<WaveWorld, _>(&world).map_err(anyhow::Error::msg).and_then(|world| world.check(&wave));
            checked.err().map(|error| format!("{error:#}")).unwrap_or_default()
        };
        assert_eq!(
            told(json!({ "expect": "Incomplete", "applications": { "web": { "new": { "error_rate": 0.5 } } } })),
            ""
        );
        for (world, words) in [
            (json!({ "expect": "incomplete" }), "expect: `incomplete` is none: write `Incomplete`"),
            (json!({ "applications": { "wbe": {} } }), "`wbe` is none: write `web`"),
            (
                json!({ "applications": { "web": { "new": { "error_rate": 50 } } } }),
                "applications.web.new.error_rate: is 50",
            ),
            (json!({ "applications": { "web": { "neww": {} } } }), "applications.web.neww is not known here"),
            (
                json!({ "during": [{ "when": { "application": "x", "is": "running" }, "say": {} }] }),
                "during[0].when.application",
            ),
        ] {
            let told = told(world.clone());
            assert!(told.contains(words), "{world}: {told}");
        }
    }
}
