//! What can be said of a plan without an AWS, for people.
//!
//! Contract: pure.

use std::fmt::Write as _;

use super::put;
use super::words::{BAD, BOLD, DIM, GOOD, NOTE, duration};
use crate::checked::{Checked, Takes};

/// What can be said of a plan without an AWS.
pub fn checked(checked: &Checked) -> String {
    let mut text = String::new();
    for finding in &checked.findings {
        let cutover::Finding { severity, path, problem, fix, .. } = finding;
        let (style, word) = if *severity == cutover::Severity::Error { (BAD, "error") } else { (NOTE, "warning") };
        put!(text, "{style}{word}{style:#}  {BOLD}{path}{BOLD:#}  {problem}: {fix}");
    }
    match &checked.takes {
        Some(takes) if !checked.is_refused() => {
            taken(&mut text, takes);
            let style = if checked.findings.is_empty() { GOOD } else { NOTE };
            put!(text, "\nForm and sense are right: {style}{}{style:#}", counted(checked));
        }
        _ => {
            put!(text, "\n{BAD}InvalidPlan{BAD:#}: {}", counted(checked));
        }
    }
    text
}

/// `2 errors to correct, 1 warning`
fn counted(checked: &Checked) -> String {
    let count = |severity| checked.findings.iter().filter(|finding| finding.severity == severity).count();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (errors, warnings) = (count(cutover::Severity::Error), count(cutover::Severity::Warning));
    match (errors, warnings) {
        (0, 0) => "no warning".to_owned(),
        (0, _) => format!("{warnings} warning{}", plural(warnings)),
        (_, 0) => format!("{errors} error{} to correct", plural(errors)),
        _ => format!("{errors} error{} to correct, {warnings} warning{}", plural(errors), plural(warnings)),
    }
}

fn taken(text: &mut String, takes: &Takes) {
    put!(text, "{GOOD}form and sense are right{GOOD:#}");
    super::heading(text, "Steps");
    for step in &takes.steps {
        put!(text, "  {:>3} %  held {:<8} {}", step.new_weight, duration(step.hold_seconds), step.title);
    }
    super::heading(text, "Takes");
    let (least, timeout) = (duration(takes.least_seconds), duration(takes.timeout_seconds));
    put!(text, "  time     {least} of load test, holds and TTLs at the least; the plan's timeout is {timeout}");
    put!(text, "  history  {} events of the {} that a run may have", takes.history_events, takes.most_history_events);
    put!(text, "  cost     ${:.2} at the most, at list prices of us-east-1", takes.dollars);
    super::heading(text, "Cleanup");
    for line in &takes.cleanup {
        put!(text, "  {line}");
    }
    put!(text, "\n{DIM}Nothing was looked at: what the environment says of it, \"mode\": \"precheck\" tells.{DIM:#}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn last_line(plan: &serde_json::Value) -> String {
        let text = anstream::adapter::strip_str(&checked(&Checked::of(plan))).to_string();
        text.lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_last_line_counts_errors_and_warnings() {
        let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
        let listener = json!({ "type": "listener", "listener_arn": format!("{elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
            "old_target_group_arn": format!("{elb}:targetgroup/shop-old/73e2d6bc24d8a067"),
            "new_target_group_arn": format!("{elb}:targetgroup/shop-new/6d0ecf831eec9f09"), "steps": [{ "new_weight": 100 }] });
        let notify = json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:cutovers" });
        let right = json!({ "application": "shop", "routes": [listener], "notify": notify });
        assert_eq!(last_line(&right), "Form and sense are right: no warning");
        let name = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
            "records": [{ "type": "A", "new": { "values": ["192.0.2.1"] } }] });
        let mut unwatched = json!({ "application": "shop", "routes": [name], "notify": notify });
        assert_eq!(last_line(&unwatched), "Form and sense are right: 1 warning", "nothing is watched");
        unwatched["timeout"] = json!(5);
        unwatched["mode"] = json!("dry");
        assert_eq!(last_line(&unwatched), "InvalidPlan: 2 errors to correct, 1 warning");
    }
}
