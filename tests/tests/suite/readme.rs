//! Every plan that the README shows succeeds as it stands, in the world that the README shows after it.

use std::fs;
use std::process::Command;

use crate::harness::Test;
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::Checkout;
use serde_json::Value;

/// A plan of the README, and the world file after it.
struct Example {
    plan: Value,
    world: Value,
}

fn examples(readme: &str) -> Result<Vec<Example>> {
    let blocks = readme.split("```json\n").skip(1).map(|after| after.split("```").next().unwrap_or_default());
    let mut examples: Vec<Example> = Vec::new();
    for block in blocks {
        let value: Value = serde_json::from_str(block).with_context(|| format!("the README shows no JSON: {block}"))?;
        match examples.last_mut() {
            Some(last) if value.get("routes").is_none() => last.world = value,
            _ => examples.push(Example { plan: value, world: Value::Object(serde_json::Map::default()) }),
        }
    }
    Ok(examples)
}

fn succeeds(index: usize, example: &Example) -> Result<()> {
    let folder = Checkout::of_this_build().root.join(format!("target/readme/{index}"));
    fs::create_dir_all(&folder)?;
    let plan = folder.join("plan.json");
    fs::write(&plan, example.plan.to_string())?;
    fs::write(folder.join("plan.world.json"), example.world.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    let output =
        command.arg(&plan).args(["--speed", "600", "--json", "--report"]).arg(folder.join("report.html")).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(0), "exit code {:?}:\n{told}", output.status.code());
    Ok(())
}

/// One test for each plan.
pub fn tests() -> Result<Vec<Test>> {
    let readme = fs::read_to_string(Checkout::of_this_build().root.join("README.md"))?;
    let examples = examples(&readme)?;
    ensure!(examples.len() > 4, "the README shows {} plans", examples.len());
    let test = |(index, example): (usize, Example)| {
        let kind = example.plan["routes"][0]["type"].as_str().unwrap_or_default();
        let name = format!(
            "every_plan_succeeds::{}_{kind}_of_{}",
            index + 1,
            example.plan["application"].as_str().unwrap_or_default()
        );
        Test::new(module_path!(), &name, move || succeeds(index, &example))
    };
    Ok(examples.into_iter().enumerate().map(test).collect())
}
