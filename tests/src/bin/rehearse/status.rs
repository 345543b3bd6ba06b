//! The status pages that a rehearsal leaves: asked for as a person does, once all is over, and written into a folder to open.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cutover_tests::control::Client;
use cutover_tests::left;
use cutover_tests::outcome::Outcome;
use cutover_tests::own::OwnNames;
use serde_json::{Value, json};

const INDEX: &str = "status/index.html";

/// Has the pages written, says in short how the run is, and leaves the pages with the folders that they are in, so that they lead to each other.
pub async fn leave(client: &Client, outcome: &Outcome, own: &OwnNames, folder: &Path) -> Result<()> {
    let run_id = &outcome.preceding.as_deref().unwrap_or(outcome).execution.arn;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let answer = ask(client, json!({ "run_id": run_id })).await?;
    // A dry run has none, and is told of nowhere.
    let Some(key) = answer["key"].as_str() else { return Ok(()) };
    for key in [key, INDEX] {
        let Some(page) = left::object(client, key).await? else { continue };
        let path = folder.join(key.strip_prefix("status/").unwrap_or(key));
        let parent = path.parent().context("a page without a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        fs::write(&path, own.in_text(&page)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let summary = own.in_text(answer["summary"].as_str().unwrap_or_default());
    eprintln!("\nThe status page: {}\n{}", folder.join("index.html").display(), indented(&summary));
    Ok(())
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

async fn ask(client: &Client, request: Value) -> Result<Value> {
    let parameters = json!({ "FunctionName": "cutover-status-report", "Payload": request.to_string() });
    let answer = client.call("lambda", "invoke", parameters).await?;
    serde_json::from_str(answer["Payload"].as_str().unwrap_or_default()).context("status-report answered no JSON")
}
