//! What people get wrong in a portfolio, and what they read.

use serde_json::{Value, json};
use wave_plan::Portfolio;

use crate::{depends, event, four, read_event};

/// Run with UPDATE=1 to write the schema anew.
#[test]
fn the_schema_is_up_to_date() {
    let wanted = serde_json::to_string_pretty(&Portfolio::schema()).unwrap() + "\n";
    let path = event("portfolio.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert!(found == wanted, "events/portfolio.schema.json is stale: run `UPDATE=1 cargo test -p wave-plan`");
}

#[test]
fn every_whole_number_of_the_schema_has_both_bounds() {
    let schema = Portfolio::schema().to_value();
    let (mut open, mut numbers) = (vec![&schema], 0);
    while let Some(value) = open.pop() {
        let types = &value["type"];
        if types == "integer" || types.as_array().is_some_and(|types| types.contains(&json!("integer"))) {
            numbers += 1;
            assert!(value["minimum"].is_i64() && value["maximum"].is_i64(), "{value} has no bounds");
        }
        open.extend(value.as_object().into_iter().flat_map(|fields| fields.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
    assert!(numbers >= 8, "only {numbers} whole numbers: this test does not see them");
}

#[test]
fn the_exercise_is_read() {
    assert_eq!(Portfolio::read(&read_event("portfolio.json")).map(|portfolio| portfolio.applications.len()), Ok(25));
}

fn paths(value: &Value) -> Vec<String> {
    Portfolio::read(value).unwrap_err().into_iter().map(|finding| finding.path).collect()
}

#[test]
fn each_mistake_is_found_at_its_place() {
    for (pointer, wrong, path) in [
        ("/name", json!("two words"), "$.name"),
        ("/surprise", json!(1), "$.surprise"),
        ("/calendar/time_zone", json!("Mars/Olympus"), "$.calendar.time_zone"),
        ("/calendar/start", json!("2026-02-30"), "$.calendar.start"),
        ("/calendar/start", json!("20260302"), "$.calendar.start"),
        ("/calendar/start", json!("2026-03-02T10:00"), "$.calendar.start"),
        ("/calendar/windows/0/opens", json!("7:00"), "$.calendar.windows[0].opens"),
        ("/calendar/end", json!("2026-01-01"), "$.calendar.end"),
        ("/calendar/windows", json!([]), "$.calendar.windows"),
        ("/calendar/windows/0/opens", json!("25:00"), "$.calendar.windows[0].opens"),
        ("/calendar/windows/0/lasts", json!("5m"), "$.calendar.windows[0].lasts"),
        ("/calendar/windows/0/lasts", json!(8), "$.calendar.windows[0].lasts"),
        ("/calendar/windows/0/days", json!(["saturday", "saturday"]), "$.calendar.windows[0].days"),
        (
            "/calendar/freezes",
            json!([{ "name": "f", "from": "2026-03-02", "to": "2026-03-01" }]),
            "$.calendar.freezes[0].to",
        ),
        (
            "/calendar/freezes",
            json!([{ "name": "f", "from": "2026-03-02", "to": "2026-03-03", "applications": ["x"] }]),
            "$.calendar.freezes[0].applications[0]",
        ),
        ("/contingency_percent", json!(91), "$.contingency_percent"),
        ("/limits/parallel_cutovers", json!(0), "$.limits.parallel_cutovers"),
        ("/teams/0/days_per_week", json!(-1), "$.teams[0].days_per_week"),
        ("/applications", json!([]), "$.applications"),
        ("/applications/1/name", json!("a"), "$.applications[1].name"),
        ("/applications/0/strategy", json!("rehosting"), "$.applications[0].strategy"),
        ("/applications/0/strategy", json!("retire"), "$.applications[0].cutover_plan"),
        ("/applications/0/cutover_plan", Value::Null, "$.applications[0].cutover_plan"),
        ("/applications/0/cutover", json!("3d"), "$.applications[0].cutover"),
        ("/applications/0/effort", json!([{ "team": "platfrom", "days": 1 }]), "$.applications[0].effort[0].team"),
        (
            "/applications/0/effort",
            json!([{ "team": "platform", "days": 1 }, { "team": "platform", "days": 1 }]),
            "$.applications[0].effort[1].team",
        ),
        (
            "/applications/0/forbidden",
            json!([{ "from": "2026-03-02", "to": "soon" }]),
            "$.applications[0].forbidden[0].to",
        ),
        ("/dependencies", json!([{ "first": "a", "then": "x", "kind": "before" }]), "$.dependencies[0].then"),
        ("/dependencies", json!([{ "first": "a", "then": "a", "kind": "before" }]), "$.dependencies[0].then"),
        ("/dependencies", json!([{ "first": "a", "then": "b", "kind": "within_days" }]), "$.dependencies[0].days"),
        (
            "/dependencies",
            json!([{ "first": "a", "then": "b", "kind": "before", "days": 1 }]),
            "$.dependencies[0].days",
        ),
        (
            "/dependencies",
            json!([{ "first": "a", "then": "b", "kind": "before" }, { "first": "a", "then": "b", "kind": "before" }]),
            "$.dependencies[1]",
        ),
    ] {
        let mut value = four();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        if parent == "/limits" {
            value["limits"] = json!({});
        }
        match value.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = wrong,
            fields => fields[name] = wrong,
        }
        assert!(paths(&value).contains(&path.to_owned()), "{pointer}: {:?}", paths(&value));
    }
}

#[test]
fn all_mistakes_come_at_once_with_what_was_meant() {
    let mut value = four();
    value["calender"] = value["calendar"].take();
    value.as_object_mut().unwrap().remove("calendar");
    value["applications"][0]["strategy"] = "re-host".into();
    value["applications"][1]["critical"] = true.into();
    value["applications"][2]["effort"] = json!([{ "team": "platfrom", "days": 1 }]);
    depends(&mut value, json!({ "first": "a", "then": "bb", "kind": "before" }));
    let findings = Portfolio::read(&value).unwrap_err();
    let told: Vec<String> = findings.iter().map(|one| format!("{} {}: {}", one.path, one.problem, one.fix)).collect();
    for part in [
        "$.calender is not a field here: rename it to `calendar`",
        "$.applications[0].strategy is the text \"re-host\": write `rehost`",
        "$.applications[1].critical is not a field here: rename it to `criticality`",
        "$.applications[2].effort[0].team platfrom is no team of the portfolio: write platform",
        "$.dependencies[0].then bb is no application of the portfolio",
    ] {
        assert!(told.iter().any(|line| line.starts_with(part)), "{part}\nis not in\n{}", told.join("\n"));
    }
}

fn findings(value: &Value) -> Vec<String> {
    let findings = Portfolio::read(value).err().unwrap_or_default();
    findings.into_iter().map(|one| format!("{} {}: {}", one.path, one.problem, one.fix)).collect()
}

#[test]
fn windows_that_are_open_at_the_same_time_are_refused() {
    let told = |windows: &[(&[&str], &str, &str)]| {
        let mut value = four();
        let window =
            |(days, opens, lasts): &(&[&str], &str, &str)| json!({ "days": days, "opens": opens, "lasts": lasts });
        value["calendar"]["windows"] = windows.iter().map(window).collect();
        findings(&value)
    };
    assert_eq!(
        told(&[(&["saturday"], "20:00", "30h"), (&["sunday"], "01:00", "4h")]),
        [
            "$.calendar.windows[0].lasts is 1d 6h: opened on saturday, it is still open as $.calendar.windows[1] opens on sunday, at 01:00: \
          let it last 5h at the most, or leave one of the two out"
        ]
    );
    // Over the week's end, of one window with itself, and over a day that has none.
    assert_eq!(told(&[(&["monday"], "01:00", "4h"), (&["sunday"], "20:00", "6h")]).len(), 1);
    assert_eq!(told(&[(&["friday", "saturday", "sunday"], "20:00", "25h")]).len(), 1);
    assert_eq!(
        told(&[(&["thursday"], "20:00", "1h"), (&["friday"], "20:00", "40h"), (&["sunday"], "08:00", "2h")]).len(),
        1
    );
    // One that begins as another ends.
    assert_eq!(told(&[(&["saturday"], "20:00", "5h"), (&["sunday"], "01:00", "4h")]), Vec::<String>::new());
    assert_eq!(told(&[(&["monday"], "00:00", "48h"), (&["sunday"], "00:00", "24h")]), Vec::<String>::new());
}

#[test]
fn an_order_within_a_lockstep_group_is_refused() {
    let fix = "what is needed first cannot move at the same time: remove one of the two";
    for (kind, days) in [("before", None), ("within_days", Some(3)), ("not_before_days", Some(0))] {
        let mut value = four();
        for (first, then) in [("a", "b"), ("c", "b")] {
            depends(&mut value, json!({ "first": first, "then": then, "kind": "together" }));
        }
        let mut order = json!({ "first": "a", "then": "c", "kind": kind });
        if let Some(days) = days {
            order["days"] = days.into();
        }
        depends(&mut value, order);
        assert_eq!(findings(&value), [format!("$.dependencies[2].first a moves in lockstep with c: {fix}")]);
        // A wish is none that has to be kept.
        value["dependencies"][2]["strength"] = "soft".into();
        assert_eq!(findings(&value), Vec::<String>::new());
        assert_eq!(crate::planned(&value).unwrap().unmet.len(), 1, "{kind}");
    }
}

#[test]
fn a_lockstep_group_that_is_wider_than_what_runs_at_a_time_is_refused() {
    let mut value = four();
    value["limits"] = json!({ "parallel_cutovers": 2 });
    for (first, then) in [("b", "c"), ("c", "d")] {
        depends(&mut value, json!({ "first": first, "then": then, "kind": "together" }));
    }
    let told = "$.limits.parallel_cutovers is 2, and 3 applications move in lockstep with b: write 3 at the least";
    assert_eq!(findings(&value), [told]);
    // A lockstep that is only a wish is left out instead.
    value["dependencies"][1]["strength"] = "soft".into();
    let programme = crate::planned(&value).unwrap();
    assert_eq!(programme.unmet, ["c and d move together"]);
    // What people move takes no place of a cutover.
    value["dependencies"][1]["strength"] = "hard".into();
    value["applications"][3] =
        json!({ "name": "d", "strategy": "rehost", "owner": "o", "tasks": [{ "what": "move it" }] });
    assert_eq!(findings(&value), Vec::<String>::new());
}

#[test]
fn a_date_that_is_further_ahead_than_the_planner_looks_is_told_so() {
    let mut value = four();
    value["applications"][0]["not_before"] = "2099-01-01".into();
    let told = findings(&value);
    assert_eq!(
        told,
        [
            "$.applications[0].not_before is 2099-01-01, and the planner looks ahead to 2046-03-16, twenty years from the start: \
          bring it forward, or leave what comes so late to a later programme"
        ]
    );
    value["applications"][0]["not_before"] = "2046-03-10".into();
    assert_eq!(findings(&value), Vec::<String>::new());
}
