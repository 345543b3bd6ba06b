//! What precheck says of a draft's routes: the product's own code, asked beforehand.

use anyhow::{Result, bail};
use cutover::plan::LeftBehind;
use cutover::{Finding, Plan, Severity, gates};
use routes::any::{self, Clients};
use routes::behind::Behind;
use routes::in_dns;

use super::document::Draft;

/// What a draft says of what it cannot decide.
const WHY: &str = "DRAFT: say why this may stay on the old side, or move it by a route";

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Who would stay on the old side.
    pub behind: Vec<Behind>,
}

/// Prechecks the routes of a draft.
///
/// # Errors
/// A draft that the product does not take at all; AWS errors that may pass.
pub async fn look(clients: &Clients, draft: &Draft) -> Result<Seen> {
    let plan = match Plan::read(&serde_json::to_value(draft)?) {
        Ok(plan) => plan,
        Err(findings) => {
            let told: Vec<String> = findings.iter().map(line).collect();
            bail!("no plan can be made of this:\n  {}", told.join("\n  "));
        }
    };
    let (mut before, mut seen) = (Vec::new(), Seen::default());
    for index in 0..plan.routes.len() {
        before.extend(any::precheck(clients, &plan, index, &mut seen.findings, &mut seen.behind).await?);
    }
    if before.len() == plan.routes.len() {
        in_dns::precheck_together(clients, &plan, &before, &mut seen.findings).await?;
    }
    seen.findings.extend(gates::findings(&plan));
    Ok(seen)
}

/// What stays behind, each once, as the plan names it: a `*` as people write it.
pub fn left_behind(behind: &[Behind]) -> Vec<LeftBehind> {
    let mut left: Vec<LeftBehind> = Vec::new();
    for one in behind {
        let what = one.what.replace("\\052", "*");
        if !left.iter().any(|known| known.what == what) {
            left.push(LeftBehind { what, why: WHY.to_owned() });
        }
    }
    left
}

/// A finding in one line.
pub fn line(finding: &Finding) -> String {
    let kind = if finding.severity == Severity::Error { "error" } else { "warning" };
    format!("{kind} {} {}. Fix: {}", finding.path, finding.problem, finding.fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_behind_is_named_once_and_as_people_write_it() {
        let behind = |what: &str| Behind {
            path: "$.routes[0]".to_owned(),
            what: what.to_owned(),
            problem: String::new(),
            fix: String::new(),
        };
        let left = left_behind(&[behind("A \\052.example.com"), behind("A \\052.example.com"), behind("AAAA b")]);
        let whats: Vec<&str> = left.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(whats, ["A *.example.com", "AAAA b"]);
        assert!(left[0].why.starts_with("DRAFT"));
    }
}
