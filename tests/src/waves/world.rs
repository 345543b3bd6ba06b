//! The world file of a wave: how each application's sides behave, and what people say of the wave meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use waves::state::Is;

use crate::approver::Answer;
use crate::world::World;

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
        let mut reader = serde_json::Deserializer::from_str(&text);
        serde_path_to_error::deserialize(&mut reader)
            .with_context(|| format!("{} is no world file of a wave", path.display()))
    }
}
