use cutover::gestures::Machines;
use cutover::{Plan, text};
use serde_json::{Value, json};
use wave_plan::portfolio::Application;
use wave_plan::{Portfolio, Request, plan};

use super::*;
use crate::{Of, Stack, runbook};

const HOSTILE: &str =
    "</style><script>alert(1)</script>\" onload='x' {{ 7*7 }} | # `x` <img src=http://evil.example/x>";

fn stack() -> Stack {
    let arn = |name: &str| format!("arn:aws:states:eu-west-1:123456789012:stateMachine:{name}");
    let machines = Machines { rollback: arn("rollback"), cleanup: arn("cleanup") };
    Stack { cutover: arn("cutover"), machines, wave: arn("wave"), bucket: "cutover-reports".to_owned() }
}

fn portfolio(owner: &str) -> Value {
    let task =
        |what: &str| json!([{ "what": what, "owner": "Storage" }, { "what": "tell everybody", "when": "after" }]);
    json!({
        "name": "spring",
        "calendar": { "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "teams": [{ "name": "platform", "days_per_week": 5 }],
        "applications": [
            { "name": "web", "strategy": "replatform", "owner": owner, "cutover_plan": "plans/web.json", "criticality": "high", "data_gib": 40,
              "effort": [{ "team": "platform", "days": 2 }], "tasks": task("copy the files from NFS to EFS") },
            { "name": "crm", "strategy": "repurchase", "owner": "Sales", "tasks": task("sign") },
            { "name": "fax", "strategy": "retire", "owner": "Office", "tasks": task("switch it off") },
            { "name": "host", "strategy": "retain", "owner": "Office", "tasks": task("write down why") },
            { "name": "old", "strategy": "rehost", "owner": "Office", "tasks": task("move it by hand") },
        ],
        "dependencies": [
            { "first": "crm", "then": "web", "kind": "before", "why": "it reads customers" },
            { "first": "web", "then": "fax", "kind": "before" },
        ],
    })
}

/// The example's plan: it has all that a plan can have.
fn whole() -> Plan {
    let text = include_str!("../../../events/cutover.json");
    Plan::read(&serde_json::from_str(text).unwrap()).unwrap()
}

fn shown_of(owner: &str, name: &str, with: Option<&Plan>) -> (String, String) {
    let portfolio = Portfolio::read(&portfolio(owner)).unwrap();
    let programme = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let application: &Application = portfolio.applications.iter().find(|one| one.name == name).unwrap();
    let (stack, plan) = (stack(), with);
    let wave_name = "spring-2026-03-14";
    let of = Of { portfolio: &portfolio, programme: &programme, application, plan, wave_name, stack: &stack };
    let book = runbook(&of);
    (markdown(&book).unwrap(), page(&book).unwrap())
}

#[test]
fn what_moves_has_its_order_its_gates_and_the_way_back() {
    let (text, page) = shown_of("Web", "web", Some(&whole()));
    let order = [
        "## Before its day",
        "Task 1: see that crm is done: repurchase, due on 2026-03-",
        "{\"done\":{\"application\":\"web\",\"by\":\"YOUR NAME\",\"task\":1},\"of\":\"spring-2026-03-14\"}",
        "Task 2: copy the files from NFS to EFS **Storage**, until 2026-03-14",
        "\"task\":2}",
        "Precheck: everything that its plan names",
        "aws s3 cp s3://cutover-reports/plans/web.json - | jq -c '.mode = \"precheck\"' > input.json",
        "## Go or no-go",
        "crm is done: it reads customers **Sales**",
        "between 2026-03-14T20:00:00+00:00 and 2026-03-15T06:00:00+00:00",
        "## The cutover",
        "The replication has caught up.",
        "is attached at weight 0",
        "stops the old side's writers",
        "first of users' traffic",
        "the new side gets 100 %",
        "## It has succeeded when",
        "## The way back",
        "stateMachine:rollback",
        "Its NAME is the one that the first command lists.",
        "starts_with(name, 'web-')",
        "aws stepfunctions stop-execution",
        "a share that was made read-only",
        "## Afterwards",
        "Task 3: tell everybody",
        "\"task\":3}",
        "stateMachine:cleanup",
    ];
    let mut at = 0;
    for words in order {
        let found = text[at..].find(words);
        at += found.unwrap_or_else(|| panic!("no `{words}` after {at} in\n{text}"));
    }
    assert!(page.contains("<ol>") && page.contains("copy the files from NFS to EFS"));
}

#[test]
fn without_a_plan_that_can_be_read_it_says_so_and_without_any_people_move_it() {
    let (text, _) = shown_of("Web", "web", None);
    assert!(text.contains("Its plan cannot be read") && !text.contains("## The way back"), "{text}");
    let (text, _) = shown_of("Web", "old", None);
    assert!(
        text.contains("people move it, by these tasks")
            && text.matches("Task 1: move it by hand **Storage").count() == 1,
        "{text}"
    );
}

#[test]
fn what_people_do_alone_has_their_list_what_is_forgotten_and_who_waits() {
    for (name, words) in
        [("crm", "Train whoever works with it"), ("fax", "Keep a last backup"), ("host", "Write down why it stays")]
    {
        let (text, _) = shown_of("Web", name, None);
        assert!(text.contains("## To do") && text.contains(words), "{name}: {text}");
        assert!(text.contains(&format!("\"{name}\": \"2026-")), "{name}: {text}");
        assert!(!text.contains("aws stepfunctions"), "{name}: {text}");
    }
    let (text, _) = shown_of("Web", "crm", None);
    assert!(text.contains("web, on 2026-03-14 **Web**"), "{text}");
}

#[test]
fn what_others_wrote_is_no_markup() {
    let owner = text::shown(HOSTILE, 100);
    for name in ["web", "crm"] {
        let (text, page) = shown_of(&owner, name, Some(&whole()));
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("</style><"), "{page}");
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
    }
}

#[test]
fn what_moves_in_lockstep_says_what_becomes_of_the_others_and_that_nobody_waits() {
    let mut value = portfolio("Web");
    value["dependencies"] = json!([{ "first": "web", "then": "old", "kind": "together" }]);
    let portfolio = Portfolio::read(&value).unwrap();
    let programme = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let (stack, whole) = (stack(), whole());
    let text = |name: &str, plan: Option<&Plan>| {
        let application = portfolio.applications.iter().find(|one| one.name == name).unwrap();
        let wave_name = "spring-2026-03-14";
        let of = Of { portfolio: &portfolio, programme: &programme, application, plan, wave_name, stack: &stack };
        markdown(&runbook(&of)).unwrap()
    };
    let web = text("web", Some(&whole));
    assert!(
        web.contains("answers for old, which moves in lockstep with it") && !web.contains("which waits for it"),
        "{web}"
    );
    assert!(
        web.contains("It moves in lockstep with old: while their wave runs")
            && web.contains("{\"application\":\"old\"}"),
        "{web}"
    );
    assert!(text("old", None).contains("answers for web, which moves in lockstep with it"));
}
