//! What groups of stakeholders received: said at the end, and left as files to open.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use cutover_tests::control::Client;
use cutover_tests::own::OwnNames;
use serde_json::{Value, json};

/// They are told some time after the run has gone on.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// What every message of an incident says.
const LOOKED_AFTER: &str = "Looked after by: ";
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);

/// The three groups that every migration has, by mail; engineers may answer what a run asks.
pub fn groups() -> Value {
    let group = |(name, may_answer): (&str, bool)| {
        let channels = json!([{ "type": "mail", "to": [format!("{name}@example.com")] }]);
        json!({ "name": name, "channels": channels, "may_answer": may_answer })
    };
    json!([("executives", false), ("business-users", false), ("technical-teams", true)].map(group))
}

/// Says who received what, and writes each mail into a folder of its own.
pub async fn tell(client: &Client, own: &OwnNames, folder: &Path) -> Result<()> {
    let mails = all(client).await?;
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    eprintln!("\nMails to groups of stakeholders, left in {}:", folder.display());
    for (index, mail) in mails.iter().enumerate() {
        let to = mail["to"][0].as_str().unwrap_or_default();
        let name = to.split('@').next().unwrap_or_default();
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let file = format!("{:02}-{}.html", index + 1, if is_plain { name } else { "mail" });
        let html = own.in_text(mail["html"].as_str().unwrap_or_default());
        fs::write(folder.join(&file), html).with_context(|| format!("cannot write {file}"))?;
        eprintln!("  {file}: {}", own.in_text(mail["subject"].as_str().unwrap_or_default()));
        let mut lines = mail["text"].as_str().unwrap_or_default().lines();
        if let Some(line) = lines.find(|line| line.starts_with(LOOKED_AFTER) && !line.ends_with("nobody")) {
            eprintln!("      {line}");
        }
    }
    if mails.is_empty() {
        eprintln!("  none");
    }
    Ok(())
}

/// Once no more of them come.
async fn all(client: &Client) -> Result<Vec<Value>> {
    let looks = LONGEST_WAIT.as_millis() / BETWEEN_LOOKS.as_millis();
    let mut mails = client.mails().await?;
    for _ in 0..looks {
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let now = client.mails().await?;
        if now.len() == mails.len() && !now.is_empty() {
            return Ok(now);
        }
        mails = now;
    }
    Ok(mails)
}
