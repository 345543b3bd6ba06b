use wave_plan::{Progress, Request, plan};

use super::*;

fn four() -> Value {
    let application = |name: &str| json!({ "name": name, "strategy": "rehost", "owner": "Web", "cutover": "1h", "cutover_plan": format!("plans/{name}.json") });
    json!({
        "name": "four",
        "calendar": { "time_zone": "Europe/Zurich", "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "limits": { "parallel_cutovers": 3 },
        "applications": (["a", "b", "c", "d"].map(application)),
    })
}

fn made(value: &Value, settled: &[(&str, &str)], rules: Value) -> Result<Vec<Planned>, Vec<Finding>> {
    let portfolio = Portfolio::read(value).unwrap();
    let settled = settled.iter().map(|(name, date)| ((*name).to_owned(), date.parse().unwrap())).collect();
    let request = Request { progress: Progress { today: None, settled }, ..Request::default() };
    let programme = plan(&portfolio, &request, &mut || false).unwrap();
    planned(&portfolio, &programme, rules.as_object().unwrap())
}

fn member<'a>(wave: &'a Planned, name: &str) -> &'a Value {
    wave.input["applications"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn a_wave_has_what_its_machine_is_started_with() {
    let mut value = four();
    value["dependencies"] = json!([
        { "first": "a", "then": "b", "kind": "before" },
        { "first": "c", "then": "d", "kind": "together" },
        { "first": "b", "then": "c", "kind": "before", "strength": "soft" },
    ]);
    value["applications"][0]["tasks"] =
        json!([{ "what": "tell users", "owner": "Ada" }, { "what": "archive", "when": "after" }]);
    let all = made(&value, &[], json!({ "on_failures": "continue" })).unwrap();
    assert_eq!((all.len(), all[0].date.as_str()), (1, "2026-03-07"));
    let input = &all[0].input;
    assert_eq!(input["wave"], "four-2026-03-07");
    assert_eq!(input["window"], json!({ "opens": "2026-03-07T20:00:00+01:00", "closes": "2026-03-08T06:00:00+01:00" }));
    assert_eq!((&input["parallel_cutovers"], &input["on_failures"]), (&json!(3), &json!("continue")));
    assert_eq!(
        member(&all[0], "a"),
        &json!({ "name": "a", "cutover_from": "plans/a.json", "takes": "60m", "owner": "Web", "strategy": "rehost",
            "tasks": [{ "what": "tell users", "owner": "Ada" }, { "what": "archive", "when": "after" }] })
    );
    assert_eq!(member(&all[0], "b")["needs"], json!(["a"]));
    assert_eq!(member(&all[0], "c")["together_with"], json!(["d"]));
    assert_eq!(member(&all[0], "c")["needs"], json!(["b"]), "a wish that is kept binds that night too");
    assert_eq!(member(&all[0], "d")["needs"], Value::Null);
}

#[test]
fn what_has_moved_is_in_no_wave() {
    let mut value = four();
    value["dependencies"] =
        json!([{ "first": "a", "then": "b", "kind": "before" }, { "first": "a", "then": "c", "kind": "together" }]);
    let all = made(&value, &[("a", "2026-03-03")], json!({})).unwrap();
    let names: Vec<&str> = all
        .iter()
        .flat_map(|wave| wave.input["applications"].as_array().unwrap())
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["b", "c", "d"]);
    assert_eq!((&member(&all[0], "b")["needs"], &member(&all[0], "c")["together_with"]), (&Value::Null, &Value::Null));
    let settled = ["a", "b", "c", "d"].map(|name| (name, "2026-03-03"));
    assert_eq!(made(&value, &settled, json!({})).unwrap(), []);
}

#[test]
fn what_people_have_to_have_done_is_a_task_of_who_waits_for_it() {
    let mut value = four();
    value["applications"][0] =
        json!({ "name": "crm", "strategy": "repurchase", "owner": "Sales", "tasks": [{ "what": "sign" }] });
    value["dependencies"] = json!([{ "first": "crm", "then": "b", "kind": "before" }]);
    let all = made(&value, &[], json!({})).unwrap();
    let task = &member(&all[0], "b")["tasks"][0];
    assert!(task["what"].as_str().unwrap().starts_with("see that crm is done: repurchase, due on 2026-03-0"), "{task}");
    assert_eq!(task["owner"], "Sales");
    let all = made(&value, &[("crm", "2026-03-04")], json!({})).unwrap();
    assert_eq!(member(&all[0], "b")["tasks"], Value::Null);
}

#[test]
fn a_freeze_that_touches_the_window_comes_along() {
    let mut value = four();
    value["calendar"]["freezes"] = json!([
        { "name": "after midnight", "from": "2026-03-08", "to": "2026-03-09", "applications": ["b", "elsewhere"] },
        { "name": "next week", "from": "2026-03-09", "to": "2026-03-10" },
    ]);
    value["applications"].as_array_mut().unwrap().push(
        json!({ "name": "elsewhere", "strategy": "retire", "owner": "Web", "tasks": [{ "what": "switch it off" }] }),
    );
    let all = made(&value, &[], json!({})).unwrap();
    let expected = json!([{ "name": "after midnight", "from": "2026-03-08T00:00:00+01:00", "to": "2026-03-10T00:00:00+01:00", "applications": ["b"] }]);
    assert_eq!(all[0].input["freezes"], expected);
}

#[test]
fn a_time_in_which_an_application_must_not_move_holds_its_wave_too() {
    let mut value = four();
    for (index, why) in [(0, json!("the inventory")), (1, Value::Null)] {
        value["applications"][index]["forbidden"] = json!([{ "from": "2026-03-08", "to": "2026-03-08", "why": why }, { "from": "2026-04-01", "to": "2026-04-02" }]);
    }
    let all = made(&value, &[], json!({})).unwrap();
    let of = |name: &str| {
        let freezes = all.iter().flat_map(|wave| wave.input["freezes"].as_array().into_iter().flatten());
        freezes.filter(|one| one["applications"] == json!([name])).cloned().collect::<Vec<_>>()
    };
    let names = ["a", "b"].map(|name| of(name).into_iter().map(|one| one["name"].clone()).collect::<Vec<_>>());
    assert_eq!(names, [vec![json!("the inventory")], vec![json!("a time in which it must not move")]]);
    assert_eq!(
        (&of("a")[0]["from"], &of("a")[0]["to"]),
        (&json!("2026-03-08T00:00:00+01:00"), &json!("2026-03-09T00:00:00+01:00"))
    );
}

#[test]
fn a_cutover_plan_that_no_wave_finds_is_an_error_with_its_place() {
    let mut value = four();
    value["applications"][2]["cutover_plan"] = "c.json".into();
    value["applications"][3]["cutover_plan"] = "plans/c d.json".into();
    let findings = made(&value, &[], json!({})).unwrap_err();
    let paths: Vec<&str> = findings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["$.applications[2].cutover_plan", "$.applications[3].cutover_plan"]);
}

#[test]
fn a_wave_that_is_too_large_for_its_schedule_is_an_error() {
    let mut value = four();
    let long = "x".repeat(200);
    let tasks: Vec<Value> = (0..100).map(|_| json!({ "what": long })).collect();
    let many: Vec<Value> = (0..10).map(|number| json!({ "name": format!("n{number}"), "strategy": "rehost", "owner": "Web", "cutover": "15m", "tasks": tasks })).collect();
    value["applications"] = many.into();
    let findings = made(&value, &[], json!({})).unwrap_err();
    assert_eq!(findings[0].path, "$.limits.applications_per_wave");
}

#[test]
fn what_the_wave_would_not_take_is_told_with_its_date() {
    let findings = made(&four(), &[], json!({ "on_failure": "halt" })).unwrap_err();
    assert_eq!(findings[0].path, "wave of 2026-03-07: $.on_failure");
    let mut value = four();
    value["limits"]["parallel_cutovers"] = 1.into();
    value["dependencies"] = json!([{ "first": "a", "then": "b", "kind": "together" }]);
    // What the portfolio itself says of it is told as that is read.
    let findings = Portfolio::read(&value).unwrap_err();
    assert_eq!(findings[0].path, "$.limits.parallel_cutovers");
}

#[test]
fn what_an_earlier_wave_has_to_have_moved_is_looked_at_by_the_later_one() {
    let mut value = four();
    value["dependencies"] = json!([
        { "first": "a", "then": "b", "kind": "not_before_days", "days": 3 },
        { "first": "b", "then": "c", "kind": "before", "strength": "soft" },
    ]);
    let all = made(&value, &[], json!({})).unwrap();
    let of_b = all.iter().find(|wave| wave.date == "2026-03-14").unwrap();
    let expected = json!([{ "application": "a", "wave": "four-2026-03-07" }]);
    assert_eq!((&member(of_b, "b")["needs_moved"], &member(of_b, "b")["needs"]), (&expected, &Value::Null));
    let moved = made(&value, &[("a", "2026-03-07")], json!({})).unwrap();
    let of_b = moved.iter().find(|wave| wave.input.to_string().contains("\"b\"")).unwrap();
    assert_eq!(member(of_b, "b")["needs_moved"], Value::Null);
}
