use cutover::error::name::DRIFT;
use cutover::text::is_word;
use proptest::prelude::*;
use serde_json::json;

use super::endings::KEPT;
use super::*;
use crate::screen::{ROWS, rows};

const RUN: &str = "arn:aws:states:eu-west-1:123456789012:execution:cutover:0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d";

fn machines() -> Machines {
    let arn = |name: &str| format!("arn:aws:states:eu-west-1:123456789012:stateMachine:{name}");
    Machines { rollback: arn("rollback"), cleanup: arn("cleanup") }
}

const LINK: &str = "https://eu-west-1.console.aws.amazon.com/s3/object/cutover-reports-123456789012-eu-west-1?region=eu-west-1&prefix=runs/shop-1/report.html";

/// As long as one is with the longest names.
const ANSWER: &str = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.ap-southeast-2.on.aws/0123456789abcdef0123456789abcdef/ar/1795744800/topic.cutovers-of-everybody/0123456789abcdef0123456789abcdef0123456789a";

fn told(event: Event, detail: &Value) -> String {
    let machines = machines();
    message(&Told {
        application: "shop",
        event,
        run_id: RUN,
        detail,
        task_token: None,
        link: None,
        machines: &machines,
    })
}

/// What is seen first: all before the detail and the list of all things.
fn top(message: &str) -> &str {
    let to_delete = format!("\n{}", told::TO_DELETE);
    let headings = ["\nDetail:\n", ALSO, "\nOne by one:\n", BY_COMMANDS, to_delete.as_str()];
    let end = headings.iter().filter_map(|heading| message.find(heading)).min();
    &message[..end.unwrap_or(message.len())]
}

#[test]
fn a_release_says_what_is_left_and_who_left_it() {
    let rule = json!({ "title": "rule arn:r", "restored": false, "error": "drift", "live": "new=50", "change": "aws elbv2 modify-rule" });
    let detail = json!({ "released": true, "by": "Ada: it serves", "routes": [rule] });
    let text = told(Event::Closed, &detail);
    for part in
        ["aws elbv2 modify-rule", "By: \"Ada: it serves\"", "Not put back by the rollback", "rule arn:r", "new=50"]
    {
        assert!(text.contains(part), "no {part}: {text}");
    }
    let closed = told(Event::Closed, &json!({ "removals": [] }));
    assert!(!closed.contains("Not put back"), "{closed}");
}

#[test]
fn the_command_that_deletes_what_was_kept_stands_whole_on_a_line_of_its_own() {
    let group =
        format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{}/73e2d6bc24d8a067", "o".repeat(32));
    let command = format!("aws elbv2 delete-target-group --target-group-arn {group} --region eu-west-1");
    let why = format!("{group}: {}", "CloudWatch has no RequestCount of it ".repeat(9));
    let removal = json!({ "removed": [], "kept": [why], "by_hand": command });
    for count in [1, 20] {
        let text = told(Event::Closed, &json!({ "removals": vec![removal.clone(); count] }));
        let line = format!("\n  {command}\n");
        assert!(text.contains(&format!("{KEPT} ({count}):\n")) && text.contains(&line), "{text}");
        assert_eq!(text.lines().filter(|line| line.trim() == command).count(), count, "{text}");
        assert!(rows(top(&text)) <= ROWS && !top(&text).contains("aws elbv2"), "{text}");
    }
    let without = told(Event::Closed, &json!({ "removals": [{ "removed": [group], "kept": [] }] }));
    assert!(!without.contains("To delete what was kept") && without.contains("Removed (1)"), "{without}");
}

#[test]
fn a_stuck_rollback_is_critical_and_says_what_to_do() {
    let detail = json!({ "why": "Monitor: Cutover.Unhealthy: 5xx", "routes": [
        { "title": "name app.example.com in zone Z1", "error": "denied", "live": "old 0, new 100",
          "change": "aws route53 change-resource-record-sets x\n  (a note)" },
        { "title": "rule r", "restored": false, "error": "Cutover.Drift", "live": { "weights": [1] } },
        { "title": "listener l", "restored": true } ] });
    assert!(subject("shop", Event::Stuck).starts_with("CRITICAL: cutover of shop"));
    let text = told(Event::Stuck, &detail);
    for expected in [
        "could not put back 2 of 3 things",
        "It was rolled back because of: \"Monitor: Cutover.Unhealthy: 5xx\"",
        "\nLeft (2):\n- name app.example.com in zone Z1: \"denied\"\n- rule r: \"Cutover.Drift\"\n",
        &format!("\n  {}\n", machines().roll_back("shop")),
        &format!("\n  {}\n", machines().release("shop")),
        "- name app.example.com in zone Z1: not restored: \"denied\"\n  it is now: \"old 0, new 100\"\n  \
         change to make: aws route53 change-resource-record-sets x\n    (a note)\n",
        "- rule r: not restored: \"Cutover.Drift\"\n  it is now: \"{'weights':[1]}\"\n  change to make: not known",
        "- listener l: restored\n\nDetail:",
        &format!("Run: {RUN}"),
    ] {
        assert!(text.contains(expected), "{expected}\nin\n{text}");
    }
    assert!(told(Event::Stuck, &Value::Null).contains("is not known"));
}

#[test]
fn a_stuck_page_says_first_who_stands_in_the_way() {
    let left = |error: &str| json!({ "title": "listener f2f7 of shop", "arn": "arn:aws:elb:eu-west-1:1:listener/app/shop/50dc/f2f7", "error": error });
    let of = |errors: &[&str]| {
        told(Event::Stuck, &json!({ "routes": errors.iter().map(|error| left(error)).collect::<Vec<_>>() }))
    };
    let (ask, permit) =
        ("First ask who did it, and why. CloudTrail", "First give the function's role its permission back.");
    let drift = of(&["Cutover.Drift: listener f2f7 of shop is at new=37"]);
    assert!(top(&drift).contains(ask) && !drift.contains(permit), "{drift}");
    assert!(top(&drift).find(ask) < top(&drift).find("\nThen put right what is left"), "{drift}");
    assert!(top(&drift).contains("\n  aws cloudtrail lookup-events --region eu-west-1 --lookup-attributes AttributeKey=EventName,AttributeValue=ModifyListener"), "{drift}");
    assert!(
        drift.contains("\n- listener f2f7 of shop: not restored: ")
            && drift.contains("\n  ARN: arn:aws:elb:eu-west-1:1:listener/app/shop/50dc/f2f7\n")
    );
    let denied = of(&["Cutover.NotPermitted: elasticloadbalancing:ModifyListener: no"]);
    assert!(top(&denied).contains(permit) && !denied.contains(ask), "{denied}");
    let both = of(&["Cutover.NotPermitted: x", "Cutover.Drift: y"]);
    assert!(top(&both).contains(ask) && top(&both).contains(permit) && rows(top(&both)) <= ROWS, "{both}");
    assert!(top(&of(&["Cutover.Transient: slow"])).contains("\nFirst put right what is left"));
}

#[test]
fn a_stuck_page_lists_all_that_is_left_and_says_which_account_has_to_let_it_be_put_back() {
    let group = "x".repeat(100);
    let listener = |account: &str, action: &str| {
        let arn = format!(
            "arn:aws:elasticloadbalancing:eu-west-1:{account}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
        );
        let error = format!(
            "Cutover.NotPermitted: {action} {arn}: AccessDenied: User: arn:aws:sts::{account}:assumed-role/portal-access/run is not \
            authorized to perform: {action} on {group} with an explicit deny in a service control policy"
        );
        json!({ "title": format!("listener f2f7dc8efc522ab2 of shop-{account}"), "arn": arn, "restored": false, "error": error, "live": "new 100", "change": "give" })
    };
    let zone = json!({ "title": "name a.example.com in zone Z1", "restored": false, "live": null,
        "error": "Cutover.NotPermitted: sts:AssumeRole arn:aws:iam::333333333333:role/cutover-access: AccessDenied: no" });
    let alarm = json!({ "title": "alarm late", "restored": false, "error": "Cutover.NotPermitted: cloudwatch:PutMetricAlarm: AccessDenied: no" });
    let why = "Monitor: Cutover.Unhealthy: ".to_owned() + &"y".repeat(300);
    for lost in [1, 2] {
        let listeners: Vec<Value> = (0..lost)
            .map(|index| listener(&format!("22222222222{index}"), "elasticloadbalancing:ModifyListener"))
            .collect();
        let text = told(Event::Stuck, &json!({ "why": why, "report": LINK, "routes": listeners }));
        assert!(rows(top(&text)) <= ROWS, "{text}");
        for index in 0..lost {
            assert!(
                top(&text).contains(&format!("\n- listener f2f7dc8efc522ab2 of shop-22222222222{index}")),
                "{text}"
            );
            assert!(text.contains(&format!("\nAWS denied a call in account 22222222222{index}. First, in that account: the role portal-access has to allow \
                elasticloadbalancing:ModifyListener, and no SCP may deny it.\n")), "{text}");
        }
        assert!(!top(&text).contains("more") && !text.contains("function's role"), "{text}");
        for command in [machines().roll_back("shop"), machines().release("shop"), LINK.to_owned()] {
            assert!(text.split("\nOne by one:").next().unwrap().contains(&command), "{command} in\n{text}");
        }
    }
    let of = |routes: Value| told(Event::Stuck, &json!({ "routes": routes }));
    let entered = of(json!([zone]));
    assert!(entered.contains("account 333333333333. First, in that account: the role cutover-access has to be there and let this stack enter by it"), "{entered}");
    assert!(of(json!([alarm])).contains("First give the function's role its permission back."));
    let own = of(json!([listener("123456789012", "elasticloadbalancing:ModifyListener")]));
    assert!(own.contains("First give the function's role its permission back."), "{own}");
    let noted = json!([{ "title": "name b.example.com in zone Z2", "error": "Cutover.NotPermitted: route53:ChangeResourceRecordSets b: AccessDenied: no",
        "change": "aws route53 x --profile 444444444444\n  (in the account 444444444444: the profile is one of yours)" }]);
    assert!(of(noted).contains("in account 444444444444. First, in that account: the role cutover-access has to allow route53:ChangeResourceRecordSets"));
}

#[test]
fn what_a_plan_would_change_has_a_line_each_where_there_is_little_room() {
    let group =
        |name: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/73e2d6bc24d8a067");
    let lines: Vec<String> = (0..4)
        .map(|index| {
            format!("listener f2f{index} of shop: users go to {}, and no longer to {}", group("new"), group("old"))
        })
        .collect();
    let detail = json!({ "within_seconds": 3600, "changes": lines });
    let (token, machines) = ("A".repeat(600), machines());
    let text = message(&Told {
        application: "shop",
        event: Event::Approval,
        run_id: RUN,
        detail: &detail,
        task_token: Some(&token),
        link: None,
        machines: &machines,
    });
    for index in 0..4 {
        assert!(top(&text).contains(&format!("\n- \"listener f2f{index} of shop: users go to ")), "{text}");
    }
    assert!(rows(top(&text)) <= ROWS, "{text}");
}

#[test]
fn what_ends_a_conflict_can_be_pasted() {
    let fix = r#"start `cleanup` with {"application": "shop", "now": true}"#;
    let detail = json!({ "ending": "Conflict", "findings": [{ "kind": "conflict", "severity": "error", "path": "$", "problem": "is held", "fix": fix }] });
    let text = told(Event::NotStarted, &detail);
    assert!(top(&text).contains(fix), "{text}");
}

#[test]
fn a_held_rollback_says_why_and_how_to_decide() {
    let detail = json!({ "hold": "the old side is unhealthy", "routes": [
        { "title": "listener l", "restored": false, "live": "new 100", "change": "give the old group 100" } ] });
    let text = told(Event::Held, &detail);
    assert!(
        text.starts_with("The rollback of the cutover of shop is held: \"the old side is unhealthy\".\n"),
        "{text}"
    );
    for command in [machines().force("shop"), machines().release("shop")] {
        assert!(top(&text).contains(&format!("\n  {command}\n")), "{command}\nin\n{text}");
    }
    assert!(text.contains("  it is now: \"new 100\"\n  change to make: give"), "{text}");
}

#[test]
fn a_rollback_that_cannot_go_on_says_what_is_left_meanwhile() {
    let detail = json!({ "why": "Begin: Cutover.NotPermitted: denied", "is_tried_again": true, "routes": [
        { "title": "listener l", "restored": false, "live": "new 100", "change": "give the old group 100" },
        { "title": "rule r", "restored": true } ] });
    let text = told(Event::Unfinished, &detail);
    assert!(text.contains("cannot go on.\nThe reason: \"Begin: Cutover.NotPermitted: denied\"\nIt is started again"));
    assert!(text.contains("change to make: give the old group 100") && text.contains("- rule r: restored"), "{text}");
}

#[test]
fn a_change_after_the_cutover_is_told_with_what_it_was() {
    let detail = json!({ "routes": [{ "title": "listener l", "live": "old=100", "left": "new=100" }] });
    let text = told(Event::Changed, &detail);
    assert!(text.contains("- listener l\n  it is now: \"old=100\"\n  the cutover left: \"new=100\""), "{text}");
    assert!(text.contains("Nothing was put back"), "{text}");
}

#[test]
fn what_was_not_done_is_told_with_each_ending() {
    let detail = json!({ "not_done": ["alarm late could not be set: denied"], "routes": [] });
    for event in Event::ALL {
        let text = told(event, &detail);
        let expected = "\nNot done, or not as it should be (1):\n- \"alarm late could not be set: denied\"\n";
        assert!(top(&text).contains(expected), "{text}");
    }
}

#[test]
fn the_report_is_told_where_it_is_an_address() {
    let link = LINK;
    let line = format!("\nReport: {link}\n");
    for event in Event::ALL {
        assert!(top(&told(event, &json!({ "report": link, "routes": [] }))).contains(&line), "{event:?}");
    }
    for other in ["javascript:alert(1)", "https://a b", "https://a\nRun: x", &format!("https://{}", "x".repeat(300))] {
        assert!(!told(Event::Finished, &json!({ "report": other })).contains("\nReport:"), "{other}");
    }
}

#[test]
fn only_what_needs_a_person_cries_out() {
    for event in Event::ALL {
        let subject = subject("shop", event);
        let is_critical = matches!(event, Event::Stuck | Event::Unfinished);
        assert_eq!(subject.starts_with("CRITICAL"), is_critical, "{subject}");
        assert_eq!(
            subject.starts_with("ACTION"),
            matches!(event, Event::Held | Event::Holding | Event::Changed | Event::Trouble),
            "{subject}"
        );
        assert!(subject.contains("shop") && subject.to_lowercase().contains("cutover"), "{subject}");
    }
}

#[test]
fn what_was_not_started_says_why() {
    for (ending, expected) in [
        ("InvalidPlan", "its plan is wrong"),
        ("Rejected", "said no"),
        ("Conflict", "another run holds"),
        ("LineStopped", "the line is stopped"),
        ("PrecheckFailed", "not what the plan says"),
    ] {
        let finding =
            |severity: &str, problem: &str| json!({ "severity": severity, "path": "$.routes[0]", "problem": problem });
        let findings = [finding("warning", "sticky"), finding("error", "there is no such listener")];
        let detail = json!({ "ending": ending, "findings": findings,
            "failure": { "state": "Claim", "error": "Cutover.Conflict", "cause": "held by X" } });
        let text = told(Event::NotStarted, &detail);
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("\nWhat failed: \"Claim: Cutover.Conflict: held by X\"\n"), "{text}");
        assert!(text.contains("\n- error \"$.routes[0]\": \"there is no such listener\"\n- warning "), "{text}");
    }
}

#[test]
fn who_approves_has_the_commands_and_what_precheck_found_on_one_screen() {
    let detail =
        json!({ "within_seconds": 86400, "findings": [{ "severity": "warning", "path": "$", "problem": "sticky" }] });
    let token = "A".repeat(1_000);
    let machines = machines();
    let approval = Told {
        application: "shop",
        event: Event::Approval,
        run_id: RUN,
        detail: &detail,
        task_token: Some(&token),
        link: None,
        machines: &machines,
    };
    let text = message(&approval);
    assert!(text.starts_with("The cutover of shop waits for a yes or a no."), "{text}");
    assert!(text.contains("Silence for 1d is a no.") && text.contains(&format!("  TOKEN='{token}'\n")), "{text}");
    assert!(rows(top(&text)) <= ROWS, "{} rows:\n{text}", rows(top(&text)));
}

#[test]
fn with_a_page_that_answers_the_commands_stand_below_the_screen() {
    let (token, machines) = ("A".repeat(1_000), machines());
    for event in [Event::Approval, Event::LoadTest, Event::Holding] {
        let detail = json!({ "within_seconds": 3600, "why": "x".repeat(1_000) });
        let asked = Told {
            application: "shop",
            event,
            run_id: RUN,
            detail: &detail,
            task_token: Some(&token),
            link: Some(ANSWER),
            machines: &machines,
        };
        let text = message(&asked);
        assert!(top(&text).contains(&format!("\n  {ANSWER}\n")) && !top(&text).contains("TOKEN="), "{text}");
        assert!(text.contains("\nOr by commands. First this,") && text.contains("send-task-failure"), "{text}");
        assert!(rows(top(&text)) <= ROWS);
    }
}

#[test]
fn whoever_decides_reads_what_a_yes_does_and_how_often_it_is_asked() {
    let of = |asked: u64, ends_step: bool| {
        let detail =
            json!({ "why": "x".repeat(1_000), "within_seconds": 3600, "asked": asked, "ends_step": ends_step });
        told(Event::Holding, &detail)
    };
    let (again, ends, last) = (of(3, false), of(1, true), of(5, false));
    assert!(
        again.contains("\nTo go on begins the hold and its tests again; if a check then fails, you are asked again.\nThis is question 3 of 5 at the most.\n"),
        "{again}"
    );
    assert!(ends.contains("\nTo go on ends this step with what is known of it, and takes the next.\n"), "{ends}");
    assert!(
        last.contains("question 5 of 5 at the most. It is the last: what fails after it rolls back unasked."),
        "{last}"
    );
    assert!([again, ends, last].iter().all(|text| rows(top(text)) <= ROWS));
    let before = told(Event::Holding, &json!({ "within_seconds": 3600 }));
    assert!(!before.contains("To go on begins") && !before.contains("question"), "{before}");
}

#[test]
fn who_decides_after_a_load_test_reads_what_it_saw() {
    let detail = json!({ "why": "max_p95_ms is 50, measured 80", "within_seconds": 3600 });
    let machines = machines();
    let asked = Told {
        application: "shop",
        event: Event::LoadTest,
        run_id: RUN,
        detail: &detail,
        task_token: Some("T"),
        link: None,
        machines: &machines,
    };
    let text = message(&asked);
    assert!(
        text.contains("\nIt saw: \"max_p95_ms is 50, measured 80\"\nA no, or silence for 1h, rolls it back.\n"),
        "{text}"
    );
    assert!(text.contains("send-task-success") && rows(top(&text)) <= ROWS, "{text}");
}

#[test]
fn a_run_that_is_held_for_too_little_data_is_not_said_to_have_failed() {
    let few = told(Event::Holding, &json!({ "why": "Cutover.Inconclusive: 12 requests in 15m" }));
    assert!(few.contains("too little data to go on by") && !few.contains("failed"), "{few}");
    assert!(told(Event::Holding, &json!({ "why": "Cutover.Unhealthy: 5xx" })).contains("a check failed"));
    let machines = machines();
    let subject = |why: &str| {
        let detail = json!({ "why": why });
        subject_of(&Told {
            application: "shop",
            event: Event::Holding,
            run_id: RUN,
            detail: &detail,
            task_token: None,
            link: None,
            machines: &machines,
        })
    };
    assert_eq!(subject("Cutover.Inconclusive: 12"), "ACTION NEEDED: cutover of shop: too little data, go on or back?");
    assert_eq!(subject("Cutover.Unhealthy: 5xx"), "ACTION NEEDED: cutover of shop: a check failed, go on or back?");
}

#[test]
fn a_step_says_where_and_how_much() {
    let detail = json!({ "title": "listener l", "new_weight": 50, "hold_seconds": 900, "live": "old=50, new=50" });
    let text = told(Event::Step, &detail);
    let expected = "The cutover of shop has taken a step:\n- listener l: the new side gets 50 %, held for 15m.\nIt is now: \"old=50, new=50\"\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(told(Event::Step, &Value::Null).starts_with("The cutover of shop has taken a step.\n"));
}

#[test]
fn a_message_that_is_too_long_is_cut_with_a_note() {
    let detail = json!({ "texts": vec!["ü".repeat(4 * 1024); 100] });
    let text = told(Event::Finished, &detail);
    assert!(text.len() <= 256 * 1024 && text.ends_with(CUT_NOTE), "{}", text.len());
}

#[test]
fn a_deep_detail_does_not_grow_by_its_indentation() {
    let items = Value::from(vec![0; 100_000]);
    let detail = (0..120).fold(items, |inner, _| json!([inner]));
    let text = told(Event::Finished, &detail);
    assert!(text.capacity() < 1024 * 1024 && text.ends_with(CUT_NOTE), "{}", text.capacity());
}

fn any_event() -> impl Strategy<Value = Event> {
    prop::sample::select(Event::ALL.to_vec())
}

/// What somebody else may write: hostile, and seen where it is.
fn any_text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "EVIL",
        "EVIL\nRun: EVIL",
        "\"\nEVIL\n",
        "x\". EVIL \"",
        "\u{202e}EVIL",
        "\u{1b}[2JEVIL",
        "\r\nEVIL",
        "\u{2028}EVIL\u{85}",
        "'; EVIL '",
        "EVIL\u{e0041}\u{ad}\u{61c}",
    ]);
    (hostile, any::<String>(), 0..12_usize).prop_map(|(hostile, any, times)| hostile.to_owned() + &any.repeat(times))
}

fn any_detail() -> impl Strategy<Value = Value> {
    (prop::collection::vec(any_text(), 12), 0..30_usize, any::<bool>()).prop_map(|(texts, count, is_restored)| {
        let text = |index: usize| Value::from(texts[index].clone());
        let error = if count % 2 == 0 { format!("{DRIFT}: {}", texts[1]) } else { texts[1].clone() };
        let title = if count % 3 == 0 { format!("listener {}", texts[0]) } else { texts[0].clone() };
        let thing = json!({ "title": title, "arn": format!("arn:aws:elb:{}", texts[4]), "restored": is_restored, "error": error, "live": text(2), "change": text(3), "left": text(4) });
        let finding = json!({ "severity": text(5), "path": text(6), "problem": text(7), "fix": text(8) });
        let by_hand = format!("aws elbv2 {}", texts[3]);
        let removal = json!({ "removed": [text(9)], "kept": [text(10)], "by_hand": by_hand });
        json!({
            "report": if is_restored { Value::from(LINK) } else { text(7) },
            "title": text(0), "new_weight": count, "hold_seconds": count, "live": text(2), "why": text(1), "hold": text(11),
            "problem": text(9), "by": text(4), "released": is_restored, "ending": text(5), "is_tried_again": is_restored,
            "routes": vec![thing; count], "findings": vec![finding; count], "removals": vec![removal; count],
            "not_done": vec![text(10); count], "failure": { "state": text(6), "error": text(7), "cause": text(8) },
            "steps": vec![1; count], "cleanup_after_seconds": count, "within_seconds": count,
            texts[3].clone(): { texts[2].clone(): text(1) },
        })
    })
}

/// Whether a line shows what somebody else wrote as theirs: in quotes, or behind our mark for a thing of a list.
fn is_shown_as_theirs(line: &str) -> bool {
    let Some(place) = line.find("EVIL") else { return true };
    let before = &line[..place];
    before.contains(['"', '\''])
        || before.starts_with("- ")
        || before.starts_with("  change to make: ")
        // One plain word: nothing else gets into a command of ours.
        || before.starts_with("  aws ")
        || before.starts_with("  ARN: ")
        || before.starts_with("    ")
        || before.starts_with("  TOKEN=")
        || before.starts_with("Run: ")
}

proptest! {
    #[test]
    fn every_subject_is_one_that_sns_takes(application in any_text(), event in any_event()) {
        let subject = subject(&application, event);
        prop_assert!((1..100).contains(&subject.len()));
        prop_assert!(subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
        prop_assert!(subject.starts_with(|c: char| c.is_ascii_alphanumeric()));
        prop_assert!(is_shown_as_theirs(&subject) || is_word(&application), "{}", subject);
    }

}

proptest! {
    // Each case is a whole message.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_somebody_else_wrote_is_seen_to_be_theirs_and_fits_on_the_screen(
        event in any_event(), application in any_text(), run_id in any_text(), detail in any_detail(), token in any_text(), has_link in any::<bool>(),
    ) {
        let machines = machines();
        // AWS's tokens have up to 1,024 characters.
        let token: String = token.chars().filter(char::is_ascii_graphic).take(1_024).collect();
        let said = Told { application: &application, event, run_id: &run_id, detail: &detail, task_token: Some(&token), link: has_link.then_some(ANSWER), machines: &machines };
        let text = message(&said);
        prop_assert!(!text.is_empty() && text.len() <= 256 * 1024);
        let seen: String = text.split('\n').collect();
        prop_assert_eq!(&shown(&seen, usize::MAX), &seen, "something cannot be seen");
        prop_assert!(rows(top(&text)) <= ROWS, "{} rows:\n{}", rows(top(&text)), top(&text));
        for line in text.lines() {
            prop_assert!(is_shown_as_theirs(line) || is_word(&application), "{}", line);
        }
    }
}
