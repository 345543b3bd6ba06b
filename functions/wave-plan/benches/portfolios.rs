//! Portfolios of many sizes, made from a seed: for the planner's times.

use serde_json::{Value, json};
use wave_plan::Portfolio;

const STRATEGIES: [&str; 10] =
    ["rehost", "rehost", "rehost", "rehost", "rehost", "replatform", "replatform", "refactor", "retire", "repurchase"];
const CRITICALITIES: [&str; 8] = ["low", "low", "medium", "medium", "medium", "high", "high", "critical"];
const TEAMS: usize = 8;

/// So many applications, and dependencies of which each leads from an application to a later one.
pub fn portfolio(applications: usize, dependencies: usize, seed: u64) -> Portfolio {
    let mut random = seed;
    let mut below = move |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % bound
    };
    let per_team = (applications / 10).clamp(5, 60);
    let application = |place: usize, below: &mut dyn FnMut(usize) -> usize| {
        let strategy = STRATEGIES[below(10)];
        let effort = [(below(TEAMS), 1 + below(4)), (below(TEAMS), 1 + below(2))];
        let mut effort: Vec<Value> =
            effort.iter().map(|(team, days)| json!({ "team": format!("team-{team}"), "days": days })).collect();
        effort.dedup_by(|one, other| one["team"] == other["team"]);
        json!({
            "name": format!("application-{place}"), "strategy": strategy, "owner": "somebody", "criticality": CRITICALITIES[below(8)],
            "effort": effort, "cutover": format!("{}m", 30 + 15 * below(7)), "tasks": [{ "what": "what there is to do" }],
            "preparation_weeks": 1 + below(3), "pilot": place < 2, "business_value": below(101),
        })
    };
    let all: Vec<Value> = (0..applications).map(|place| application(place, &mut below)).collect();
    let mut bound: Vec<Value> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    while bound.len() < dependencies {
        let (one, other) = (below(applications), below(applications));
        let (first, then) = (one.min(other), one.max(other));
        // Most lead to something near, as they do where systems are built of parts.
        if first == then || then < 2 || (then - first > 60 && below(10) > 0) || !seen.insert((first, then)) {
            continue;
        }
        let (kind, days) = match below(20) {
            0 if then - first < 10 => ("within_days", Some(100 + below(100))),
            1 => ("together", None),
            2 | 3 => ("not_before_days", Some(7)),
            _ => ("before", None),
        };
        // Lockstep groups stay small, and without a circle around them.
        let kind = if kind == "together" && then - first > 1 { "before" } else { kind };
        let mut one =
            json!({ "first": format!("application-{first}"), "then": format!("application-{then}"), "kind": kind });
        if let Some(days) = days {
            one["days"] = days.into();
        }
        bound.push(one);
    }
    let teams: Vec<Value> =
        (0..TEAMS).map(|team| json!({ "name": format!("team-{team}"), "days_per_week": per_team })).collect();
    let value = json!({
        "name": "made-up",
        "calendar": {
            "start": "2026-01-05",
            "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "12h" }, { "days": ["wednesday"], "opens": "22:00", "lasts": "6h" }],
            "freezes": [{ "name": "end of the year", "from": "2026-12-15", "to": "2027-01-05" }],
        },
        "teams": teams,
        "limits": { "applications_per_wave": 20, "critical_per_wave": 4, "parallel_cutovers": 8 },
        "applications": all, "dependencies": bound,
    });
    Portfolio::read(&value).unwrap_or_else(|findings| panic!("{findings:#?}"))
}
