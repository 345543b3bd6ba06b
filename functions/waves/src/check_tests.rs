use serde_json::json;

use super::*;

fn plan(application: &str) -> Value {
    json!({ "application": application, "routes": [{
        "type": "listener",
        "listener_arn": format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/{application}/50dc6c495c0c9188/f2f7dc8efc522ab2"),
        "old_target_group_arn": format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{application}-old/73e2d6bc24d8a067"),
        "new_target_group_arn": format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{application}-new/6d0ecf831eec9f09"),
        "steps": [{ "new_weight": 100, "hold": "5m" }] }] })
}

fn wave(applications: Value, more: Value) -> Value {
    let mut wave = json!({ "wave": "first", "applications": applications });
    wave.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wave
}

fn app(name: &str, more: Value) -> Value {
    let mut app = json!({ "name": name, "cutover": plan(name) });
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

fn problems(wave: &Value) -> Vec<String> {
    let findings = WavePlan::read(wave).err().unwrap_or_default();
    findings.iter().map(|finding| format!("{} {}", finding.path, finding.problem)).collect()
}

#[test]
fn a_wave_is_read_with_its_defaults() {
    let wave = wave(json!([app("web", json!({ "needs": ["db"] })), app("db", json!({ "takes": "20m" }))]), json!({}));
    let read = WavePlan::read(&wave).unwrap();
    assert_eq!((read.parallel_cutovers, read.timeout, read.tolerated_failures), (4, Seconds::hours(24), 0));
    assert_eq!(read.applications[1].takes, Some(Seconds::minutes(20)));
}

#[test]
fn every_error_comes_at_once_with_its_place() {
    let applications = json!([
        app("web", json!({ "needs": ["bd"], "takes": "50h" })),
        app("db", json!({})),
        app("db", json!({ "together_with": ["web", "nobody"] })),
        { "name": "empty" },
        { "name": "both", "cutover": plan("both"), "cutover_from": "plans/both.json" },
        { "name": "mail", "cutover": plan("post") },
    ]);
    let more = json!({
        "window": { "opens": "2026-03-07T22:00:00Z", "closes": "2026-03-07T20:00:00Z" },
        "freezes": [{ "name": "sale", "from": "2026-03-07T20:00:00Z", "to": "2026-03-08T20:00:00Z", "applications": ["sop"] }],
        "timeout": "31d",
    });
    let found = problems(&wave(applications, more));
    let expected = [
        "$.applications[0].needs[0] bd is no application of this wave",
        "$.applications[0].takes is 2d 2h",
        "$.applications[2].name db is also $.applications[1].name",
        "$.applications[2].together_with[1] nobody is no application of this wave",
        "$.applications[3] has neither a cutover plan nor tasks",
        "$.applications[4].cutover_from stands beside `cutover`",
        "$.applications[5].cutover.application is post, and not mail",
        "$.freezes[0].applications[0] sop is no application of this wave",
        "$.timeout is 31d",
        "$.window.closes is not after its beginning",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_error_in_a_cutover_plan_stands_at_its_place_in_the_wave() {
    let mut bad = plan("web");
    bad["routes"][0]["steps"][0]["new_wieght"] = json!(3);
    let found = problems(&wave(json!([{ "name": "web", "cutover": bad }]), json!({})));
    assert!(found[0].starts_with("$.applications[0].cutover.routes[0].steps[0]"), "{found:?}");
}

#[test]
fn circles_are_named_also_through_lockstep_groups() {
    let circle = json!([
        app("a", json!({ "needs": ["b"] })),
        app("b", json!({ "needs": ["c"] })),
        app("c", json!({ "together_with": ["d"] })),
        app("d", json!({ "needs": ["a"] })),
    ]);
    assert_eq!(
        problems(&wave(circle, json!({}))),
        ["$.applications need each other in a circle: a, which needs b, which needs c, which needs a"]
    );
    let itself = json!([app("a", json!({ "needs": ["b"], "together_with": ["b"] })), app("b", json!({}))]);
    assert_eq!(
        problems(&wave(itself, json!({}))),
        ["$.applications[0].needs[0] b moves in lockstep with it, or is itself"]
    );
}

#[test]
fn a_lockstep_group_has_to_have_room() {
    let three = json!([app("a", json!({ "together_with": ["b", "c"] })), app("b", json!({})), app("c", json!({}))]);
    let found = problems(&wave(three, json!({ "parallel_cutovers": 2 })));
    assert_eq!(found, ["$.parallel_cutovers is 2, and 3 applications move in lockstep with a"]);
}

#[test]
fn what_is_no_time_is_said() {
    let more = json!({ "window": { "closes": "2026-02-30T20:00:00Z" } });
    assert_eq!(
        problems(&wave(json!([app("a", json!({}))]), more)),
        ["$.window.closes 2026-02-30T20:00:00Z is no point in time"]
    );
}

#[test]
fn what_two_applications_move_is_told_with_both_names() {
    let mut other = plan("api");
    other["routes"][0]["listener_arn"] = plan("web")["routes"][0]["listener_arn"].clone();
    let both = json!([app("web", json!({})), { "name": "api", "cutover": other, "needs": ["web"] }]);
    let found = problems(&wave(both, json!({})));
    assert_eq!(
        found,
        [
            "$.applications[1].cutover.routes[0] moves `listener f2f7dc8efc522ab2 of web` a second time: web moves it already, at \
          $.applications[0].cutover.routes[0], and api cannot as well"
        ]
    );
    let name = |record_name: &str, record_type: &str| {
        json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": record_name,
                "records": [{ "type": record_type, "new": { "values": ["192.0.2.7"] } }], "steps": [{ "new_weight": 100 }] })
    };
    let with =
        |name: &str, route: Value| json!({ "name": name, "cutover": { "application": name, "routes": [route] } });
    let spelt = json!([with("a", name("www.example.com", "A")), with("b", name("WWW.example.com.", "A"))]);
    let found = problems(&wave(spelt, json!({})));
    assert!(found[0].starts_with("$.applications[1].cutover.routes[0] moves ") && found.len() == 1, "{found:?}");
    let apart = json!([with("a", name("www.example.com", "A")), with("b", name("api.example.com", "A"))]);
    assert_eq!(problems(&wave(apart, json!({}))), [""; 0]);
}

#[test]
fn the_smallest_wave_of_the_documentation_is_a_whole_one() {
    let text = include_str!("../../../docs/waves.md");
    let block = text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(problems(&serde_json::from_str(block).unwrap()), [""; 0]);
}

#[test]
fn what_cannot_be_read_hides_no_other_error_and_makes_none_up() {
    let applications = json!([
        app("web", json!({ "needs": ["nobody"] })),
        app("web", json!({})),
        { "name": "empty" },
        { "name": "elsewhere", "cutover_from": 7 },
    ]);
    let found = problems(&wave(applications.clone(), json!({ "tolerated_failures": 5000, "timeout": "31d" })));
    let of = |path: &str| found.iter().filter(|line| line.split(' ').next() == Some(path)).count();
    for path in [
        "$.tolerated_failures",
        "$.timeout",
        "$.applications[0].needs[0]",
        "$.applications[1].name",
        "$.applications[2]",
        "$.applications[3].cutover_from",
    ] {
        assert_eq!(of(path), 1, "{path}: {found:#?}");
    }
    assert_eq!(found.len(), 6, "{found:#?}");
    // Whoever needs an application whose name is wrong may mean just that one.
    let applications = json!([app("web", json!({ "needs": ["d b"] })), { "name": "d b", "tasks": [{ "what": "x" }] }]);
    let found = problems(&wave(applications, json!({})));
    assert!(found.iter().any(|line| line.starts_with("$.applications[1].name")), "{found:#?}");
}
