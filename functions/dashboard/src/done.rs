//! What was done when: the vertical lines of a dashboard. Pure.

use cutover::Plan;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Step;

/// So many lines are kept: 20 routes with ten steps each.
const MOST_LINES: usize = 200;

/// What was done, in order: each with when, RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    at: String,
    label: String,
}

impl Done {
    /// What the dashboard as it is tells, and the step that was just taken: one that it tells already is not told twice, unless something else
    /// was done since.
    pub fn after(earlier: Option<&str>, plan: &Plan, step: Step, now: Timestamp) -> Self {
        let mut lines = earlier.map(read).unwrap_or_default();
        let label = label(plan, step);
        if lines.last().is_none_or(|last| last.label != label) && lines.len() < MOST_LINES {
            let at = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
            lines.push(Line { at, label });
        }
        Self(lines)
    }

    /// As CloudWatch has it in `annotations.vertical`.
    pub fn vertical(&self) -> Value {
        self.0.iter().map(|line| json!({ "label": line.label, "value": line.at })).collect()
    }
}

fn label(plan: &Plan, step: Step) -> String {
    let route = step.route.and_then(|route| plan.routes.get(route));
    match (route, step.new_weight) {
        (Some(route), Some(new_weight)) => format!("{new_weight} % of {}", route.title()),
        _ => "claimed".to_owned(),
    }
}

/// The lines of the first widget that has any; a body that somebody else wrote has none.
fn read(body: &str) -> Vec<Line> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let mut widgets = body["widgets"].as_array().into_iter().flatten();
    let lines = widgets.find_map(|widget| widget["properties"]["annotations"]["vertical"].as_array());
    let line =
        |line: &Value| Some(Line { at: line["value"].as_str()?.to_owned(), label: line["label"].as_str()?.to_owned() });
    lines.into_iter().flatten().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body;

    fn plan() -> Plan {
        let name = json!({ "type": "dns", "hosted_zone_id": "Z", "record_name": "shop.example.com", "records": [], "steps": [] });
        serde_json::from_value(json!({ "application": "shop", "routes": [name] })).unwrap()
    }

    #[test]
    fn a_step_that_is_told_twice_has_one_line_and_one_that_comes_again_two() {
        let plan = plan();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let step = |new_weight| Step { route: Some(0), new_weight: Some(new_weight) };
        let mut shown: Option<String> = None;
        for (second, taken) in [(0, Step::default()), (60, step(10)), (61, step(10)), (120, step(50)), (180, step(10))]
        {
            let done = Done::after(shown.as_deref(), &plan, taken, at(second));
            shown = Some(body::of(&plan, "eu-west-1", &done).to_string());
        }
        let labels: Vec<String> = read(&shown.unwrap()).into_iter().map(|line| line.label).collect();
        let title = "name shop.example.com in zone Z";
        let told = [10, 50, 10].map(|weight| format!("{weight} % of {title}"));
        assert_eq!(labels, [&["claimed".to_owned()], &told[..]].concat());
    }

    #[test]
    fn a_body_of_somebody_else_tells_nothing() {
        for body in ["", "{}", "[]", r#"{"widgets":[{"properties":{"annotations":{"vertical":[{"value":5}]}}}]}"#] {
            assert_eq!(read(body), [], "{body}");
        }
    }
}
