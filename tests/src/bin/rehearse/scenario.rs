//! What is rehearsed: a plan, its world, and the input of the machine, from the files that were named.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cutover::text::shown;
use cutover_tests::json;
use cutover_tests::setup::Checkout;
use cutover_tests::world::World;
use serde_json::Value;

use crate::arguments::Arguments;

const DEFAULT_PLAN: &str = "events/cutover.json";
/// More of them help nobody who has mistyped one.
const MOST_FILES: usize = 20;

/// A plan, the world it meets, and what the machine was given.
pub struct Scenario {
    /// The plan.
    pub plan: Value,
    /// What it does not say.
    pub world: World,
    /// The input of the machine.
    pub given: Option<Value>,
}

impl Scenario {
    /// What is given may be the plan, or have it within, or be the input of a machine that is about a run of another plan.
    ///
    /// # Errors
    /// [`PlanAtFault`] where a file is none, or no JSON; a world file that is not the plan's.
    pub fn read(arguments: &Arguments) -> Result<Self> {
        let (scenario, path) = Self::found(arguments)?;
        let world = scenario.world.check(&scenario.plan);
        world.with_context(|| format!("{} is not the plan's", World::path(&path).display()))?;
        Ok(scenario)
    }

    /// The scenario, and the file that its plan was found in.
    fn found(arguments: &Arguments) -> Result<(Self, PathBuf)> {
        let default = || Checkout::of_this_build().root.join(DEFAULT_PLAN);
        let path = arguments.plan.clone().unwrap_or_else(default);
        let given = json_at(&path)?;
        no_plan(&given, &path)?;
        if let Some(plan) = arguments.machine.plan_in(&given) {
            ensure!(
                arguments.of.is_none(),
                "{} has a plan of its own: --of is for an input without one",
                path.display()
            );
            let scenario = Self { plan: plan.clone(), world: World::beside(&path)?, given: Some(given) };
            return Ok((scenario, path));
        }
        if !arguments.machine.is_about_a_run {
            // A plan without routes: that is for the product to say.
            let scenario = Self { plan: given.clone(), world: World::beside(&path)?, given: Some(given) };
            return Ok((scenario, path));
        }
        let path = arguments.of.clone().unwrap_or_else(default);
        let scenario = Self { plan: json_at(&path)?, world: World::beside(&path)?, given: Some(given) };
        Ok((scenario, path))
    }
}

/// What was given in the place of a plan, where it is something else: said at once, since what a plan's reader would say of it misleads.
///
/// # Errors
/// [`PlanAtFault`], with what it is and what to do.
fn no_plan(given: &Value, path: &Path) -> Result<()> {
    let fault = || PlanAtFault(path.to_owned());
    let Some(fields) = given.as_object() else { return Ok(()) };
    if path.to_string_lossy().ends_with(".world.json") {
        let plan = path.to_string_lossy().replace(".world.json", ".json");
        return Err(anyhow::anyhow!("it is the world file of a plan: give the plan, {plan}; this is read beside it"))
            .with_context(fault);
    }
    if !fields.contains_key("routes") && World::from_json(given.clone()).is_ok() && !fields.is_empty() {
        let problem = "it is a world file: give the plan, and name this as the plan's file, with .world.json for .json";
        return Err(anyhow::anyhow!(problem)).with_context(fault);
    }
    Ok(())
}

/// The JSON of a file that a person wrote.
///
/// # Errors
/// [`PlanAtFault`] where it is none.
pub fn json_at(path: &Path) -> Result<Value> {
    let fault = || PlanAtFault(path.to_owned());
    let text =
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!(not_there(path, &error))).with_context(fault)?;
    json::read(&text).with_context(fault)
}

/// Why a file cannot be read; of one that is not there, where it was looked for, and what is there.
fn not_there(path: &Path, error: &std::io::Error) -> String {
    if error.kind() != std::io::ErrorKind::NotFound {
        return error.to_string();
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("/"));
    let Ok(files) = std::fs::read_dir(folder) else { return format!("there is no folder {}", folder.display()) };
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut plans: Vec<String> = names
        .filter(|name| {
            name.ends_with(".json") && ![".world.json", ".schema.json"].iter().any(|end| name.ends_with(end))
        })
        .collect();
    plans.sort();
    let there = match &plans[..] {
        [] => "there are no JSON files".to_owned(),
        [first @ .., last] if first.len() < MOST_FILES => {
            let first: String = first.iter().map(|name| format!("{name}, ")).collect();
            format!("there are {first}{last}")
        }
        _ => format!("there are {} JSON files", plans.len()),
    };
    let others = "scenarios to start from lie in the checkout's events/";
    format!("there is no such file; {others}, and in {} {}", folder.display(), shown(&there, 1_000))
}

/// The plan cannot even be read: the product never sees it, but the exit code is the same.
#[derive(Debug)]
pub struct PlanAtFault(PathBuf);

impl std::fmt::Display for PlanAtFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} cannot be read as a plan", self.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_file_in_the_place_of_a_plan_is_told_to_be_one() {
        let told = |text: &str, path: &str| -> String {
            let given = json::read(text).expect("JSON");
            no_plan(&given, Path::new(path)).err().map(|error| format!("{error:#}")).unwrap_or_default()
        };
        assert!(told(r#"{"anything": 1}"#, "shop.world.json").contains("give the plan, shop.json"));
        assert!(told(r#"{"replication": {}, "expect": "Succeeded"}"#, "held.json").contains("it is a world file"));
        for plan in [r#"{"application": "shop"}"#, "{}", "[]", "null", r#"{"routes": []}"#] {
            assert_eq!(told(plan, "shop.json"), "", "{plan}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_with_those_that_are() {
        let folder = std::env::temp_dir().join(format!("cutover-scenario-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["shop.json", "shop.world.json"] {
            std::fs::write(folder.join(name), "{}").expect("written");
        }
        let error = format!("{:#}", json_at(&folder.join("shpo.json")).expect_err("no file"));
        assert!(error.contains("shpo.json cannot be read as a plan"), "{error}");
        assert!(error.ends_with(&format!("and in {} there are shop.json", folder.display())), "{error}");
        let nowhere = format!("{:#}", json_at(&folder.join("a/shop.json")).expect_err("no folder"));
        assert!(nowhere.ends_with(&format!("there is no folder {}", folder.join("a").display())), "{nowhere}");
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
