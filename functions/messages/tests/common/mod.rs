//! Every event, as the machines tell it.

use cutover::plan::Group;
use cutover::told::INCIDENT;
use messages::Told;
use serde_json::{Value, json};

const REPORT: &str = "https://eu-west-1.console.aws.amazon.com/s3/object/reports?region=eu-west-1&prefix=runs/shop-2026-11-26/report.html";
pub const RUN: &str = "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-2026-11-26";

/// The events by name, each with a detail.
pub fn events() -> Vec<(&'static str, &'static str, Value)> {
    let finding = |severity: &str, index: usize| json!({ "severity": severity, "kind": "environment", "path": format!("$.routes[{index}]"), "problem": "the group has one target", "fix": "add one" });
    let steps = json!(
        [10, 50, 100]
            .map(|weight| json!({ "route": 0, "title": "rule of shop", "new_weight": weight, "hold_seconds": 900 }))
    );
    let step = json!({ "title": "rule of shop", "new_weight": 10, "hold_seconds": 900, "live": "old 90, new 10", "is_last": false });
    let last = json!({ "title": "rule of shop", "new_weight": 100, "hold_seconds": 900, "live": "old 0, new 100", "is_last": true });
    let hold = |why: &str| json!({ "title": "rule of shop", "new_weight": 50, "why": why, "within_seconds": 3600 });
    let left = json!([
        { "title": "rule of shop", "restored": false, "error": "Cutover.Drift: somebody changed it" },
        { "title": "name shop.example.com", "restored": true }
    ]);
    let many: Vec<Value> = (0..14).map(|index| finding("warning", index)).collect();
    let trouble = json!({ "why": "Cutover.Unhealthy: 5xx of the new targets is 0.04, above 0.01" });
    let mut events = vec![
        (
            "approval",
            "approval",
            json!({ "findings": [finding("warning", 0)], "steps": steps, "within_seconds": 86400 }),
        ),
        (
            "load_test",
            "load_test",
            json!({ "why": "p95 0.9 s, above 0.8 s", "report": "runs/1/load-test.json", "within_seconds": 86400 }),
        ),
        (
            "rejected",
            "not_started",
            json!({ "ending": "Rejected", "findings": [], "failure": { "state": "AwaitApproval", "error": "Cutover.Rejected", "cause": "Ada: not tonight" } }),
        ),
        ("not_started", "not_started", json!({ "ending": "PrecheckFailed", "findings": [finding("error", 0)] })),
        ("started", "started", json!({ "findings": many, "steps": steps })),
        ("started_holding", "started", json!({ "findings": [], "steps": steps, "holds_on_failure": true })),
        ("step", "step", step),
        ("last_step", "step", last),
        ("holding", "holding", hold("Cutover.Unhealthy: p95 of the new targets is 1.2, above 0.8")),
        ("too_little_data", "holding", hold("Cutover.Inconclusive: 12 requests in 15m")),
        (
            "finished",
            "finished",
            json!({ "cleanup_after_seconds": 86400, "baseline": ["requests: 120 a minute"], "not_done": ["alarm shop-5xx was not set: denied"] }),
        ),
        (
            "rolled_back",
            "rolled_back",
            json!({ "ending": "RolledBack", "why": "Cutover.Unhealthy: p95 of the new targets is 1.2, above 0.8", "routes": [] }),
        ),
        ("taken_back", "rolled_back", json!({ "ending": "RolledBack", "why": null, "routes": [], "report": REPORT })),
        ("stuck", "stuck", json!({ "ending": "Stuck", "why": "Cutover.Unhealthy", "routes": left })),
        ("held", "held", json!({ "ending": "Held", "hold": "the old side is not healthy", "routes": left })),
        (
            "unfinished",
            "unfinished",
            json!({ "ending": "Unfinished", "why": "the table was not reached", "routes": left }),
        ),
        (
            "changed",
            "changed",
            json!({ "routes": [{ "title": "rule of shop", "live": "old 50, new 50", "left": "new 100" }] }),
        ),
        ("trouble", "trouble", trouble),
        (
            "closed",
            "closed",
            json!({ "removals": [{ "removed": ["the old side's records"], "kept": [] }], "not_done": [] }),
        ),
        ("released", "closed", json!({ "released": true, "by": "Ada: it serves well enough", "routes": left })),
        (
            "closed_keeping",
            "closed",
            json!({ "removals": [{ "removed": [], "kept": ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/73e2d6bc24d8a067: the plan does not ask to delete it"],
                "by_hand": "aws elbv2 delete-target-group --target-group-arn arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/73e2d6bc24d8a067 --region eu-west-1" }] }),
        ),
    ];
    events.extend(incidents());
    events.extend(waves());
    events.extend(timelines());
    events
}

/// A wave's messages, of each kind.
fn waves() -> Vec<(&'static str, &'static str, Value)> {
    let one = |name: &str, is: &str| json!({ "name": name, "owner": "Web & <Shop>", "strategy": "rehost", "stage": 1, "is": is });
    let with = |mut one: Value, more: Value| {
        for (field, value) in more.as_object().unwrap() {
            one[field] = value.clone();
        }
        one
    };
    let why = json!({ "why": "Cutover.Unhealthy: p95 of the new targets is 1.2, above 0.8", "recovery_seconds": 212 });
    let waiting: Vec<Value> = (0..14).map(|number| one(&format!("app-{number}"), "waiting")).collect();
    let ended = json!([
        one("ledger", "stuck"),
        with(one("search", "back"), why),
        one("mail", "not_started"),
        with(one("shop", "moved"), json!({ "took_seconds": 1520 }))
    ]);
    let base = json!({
        "severity": "info", "stages": 3, "opens": "2026-11-26T21:00:00Z", "closes": "2026-11-27T05:00:00Z", "count": 40, "applications": waiting,
        "counts": { "new": 0, "done": 0, "before": 0, "not_started": 40, "under_way": 0, "person": 0 },
        "contact": "#moves, or +41 44 555 01 23", "stays": "Addresses, names and passwords stay.", "expected_downtime_seconds": 300,
        "watch": "https://console.aws.amazon.com/s3/object/reports?prefix=waves/spring-2.html", "survey": "https://example.com/survey",
        "machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:wave",
    });
    let run = json!({ "new": 7, "done": 1, "before": 1, "not_started": 30, "under_way": 1, "person": 0 });
    let end = json!({ "counts": { "new": 1, "done": 0, "before": 1, "not_started": 1, "under_way": 0, "person": 1 }, "count": 4,
        "applications": ended, "ending": "stuck", "severity": "critical", "began_at": "2026-11-26T20:15:00Z" });
    let moved = json!({ "counts": { "new": 40, "done": 0, "before": 0, "not_started": 0, "under_way": 0, "person": 0 },
        "ending": "moved", "began_at": "2026-11-26T20:15:00Z",
        "applications": (0..40).map(|number| with(one(&format!("app-{number}"), "moved"), json!({ "took_seconds": 900 }))).collect::<Vec<_>>() });
    let held = json!({ "counts": run, "held": "nothing new starts: 2 of 40 failed, and 1 may", "severity": "warning" });
    let back = json!({ "counts": run, "goes_back": true, "held": "\"Ada\" has everything put back: too many calls", "severity": "warning" });
    vec![
        ("wave_announced", "wave_announced", base.clone()),
        (
            "wave_approval",
            "wave_approval",
            with(base.clone(), json!({ "within_seconds": 86400, "severity": "warning" })),
        ),
        ("wave_begun", "wave_begun", with(base.clone(), json!({ "let_go_by": "Ada" }))),
        ("wave_stage", "wave_stage", with(base.clone(), json!({ "counts": run, "stage": 2 }))),
        ("wave_held", "wave_held", with(base.clone(), held)),
        ("wave_goes_back", "wave_held", with(base.clone(), back)),
        ("wave_resumed", "wave_resumed", with(base.clone(), json!({ "counts": run }))),
        ("wave_ended", "wave_ended", with(base.clone(), end)),
        ("wave_moved", "wave_ended", with(base.clone(), moved)),
        ("wave_not_started", "wave_ended", with(base, json!({ "ending": "no_go", "severity": "warning" }))),
    ]
}

/// What comes before and after a wave.
fn timelines() -> Vec<(&'static str, &'static str, Value)> {
    let one = |number: usize| json!({ "name": format!("app-{number}"), "owner": "Web & <Shop>", "strategy": "rehost", "takes_seconds": 3600 });
    let item = |name: &str, done_by: Value| {
        json!({ "item": name, "what": "the help desk knows the date, and what to answer", "owner": "help desk",
        "due_at": "2026-11-28T21:00:00Z", "done_at": done_by.is_string().then_some("2026-11-20T09:00:00Z"), "done_by": done_by })
    };
    let base = json!({
        "severity": "info", "milestone": "thirty_days", "due_at": "2026-11-26T21:00:00Z", "is_late": false, "passed_over": [],
        "opens": "2026-12-26T21:00:00Z", "closes": "2026-12-27T05:00:00Z", "count": 40, "applications": (0..14).map(one).collect::<Vec<_>>(),
        "contact": "#moves, or +41 44 555 01 23", "stays": "Addresses, names and passwords stay.", "expected_downtime_seconds": 300,
        "watch": "https://console.aws.amazon.com/s3/object/reports?prefix=waves/spring-2.html", "survey": "https://example.com/survey",
        "checklist": [item("help-desk", json!("Ada")), item("training", Value::Null)],
        "red": [], "checked": 0, "unknown": 0, "turned_red": [], "turned_green": [], "has_run": false, "is_over": false,
        "counts": { "new": 7, "done": 1, "before": 1, "not_started": 30, "under_way": 1, "person": 0 },
        "figures": [{ "figure": "Tickets", "value": "17 tickets", "by": "Ada" }],
        "next_at": "2026-12-19T21:00:00Z", "machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:timeline",
    });
    let with = |more: Value| {
        let mut detail = base.clone();
        for (field, value) in more.as_object().unwrap() {
            detail[field] = value.clone();
        }
        detail
    };
    let red =
        json!([{ "name": "app-3", "why": "Cutover.PrecheckFailed: $.routes[0] the group has no healthy target" }]);
    let late = json!({ "milestone": "seven_days", "is_late": true, "passed_over": ["thirty_days"] });
    let run = json!({ "milestone": "day_after", "has_run": true, "is_over": true, "began_at": "2026-12-26T21:05:00Z", "took_seconds": 5400, "next_at": null });
    let digest = json!({
        "period": "weekly", "from": "2026-11-19T07:00:00Z", "to": "2026-11-26T07:00:00Z", "settled": 12, "applications": 40, "waves": 6, "waves_over": 2,
        "ends_at": "2027-02-01T00:00:00Z", "slip_days": 3, "red": 1, "open_items": 2, "next_at": "2026-12-03T07:00:00Z",
        "ended": [{ "application": "shop", "ending": "Succeeded", "at": "2026-11-24T21:00:00Z" }, { "application": "search", "ending": "RolledBack", "at": "2026-11-24T22:00:00Z" }],
        "coming": [{ "wave": "spring-2026-11-28", "opens": "2026-11-28T19:00:00Z", "count": 4 }],
        "figures": [{ "figure": "Savings", "value": "CHF 1200 a month", "by": "Controlling" }],
    });
    vec![
        ("timeline_thirty_days", "timeline_milestone", base.clone()),
        ("timeline_seven_days", "timeline_milestone", with(json!({ "milestone": "seven_days" }))),
        ("timeline_late", "timeline_milestone", with(late)),
        ("timeline_go", "timeline_milestone", with(json!({ "milestone": "day_before", "checked": 40 }))),
        (
            "timeline_no_go",
            "timeline_milestone",
            with(json!({ "milestone": "day_before", "checked": 40, "red": red, "severity": "warning" })),
        ),
        ("timeline_not_begun", "timeline_milestone", with(json!({ "milestone": "start", "severity": "warning" }))),
        ("timeline_day_after", "timeline_milestone", with(run)),
        ("timeline_not_run", "timeline_milestone", with(json!({ "milestone": "day_after", "next_at": null }))),
        (
            "timeline_red",
            "timeline_check",
            with(
                json!({ "checked": 40, "red": red, "turned_red": ["app-3"], "turned_green": ["app-4"], "severity": "warning" }),
            ),
        ),
        ("timeline_green", "timeline_check", with(json!({ "checked": 40, "turned_green": ["app-3"] }))),
        ("timeline_reminder", "timeline_reminder", with(json!({ "severity": "warning" }))),
        ("timeline_during", "timeline_during", base.clone()),
        ("timeline_moved", "timeline_moved", with(json!({ "was": "2026-12-12T21:00:00Z" }))),
        (
            "timeline_put_off",
            "timeline_moved",
            with(
                json!({ "was": "2026-12-12T21:00:00Z", "opens": null, "closes": null, "count": 0, "applications": [], "next_at": null }),
            ),
        ),
        ("digest_weekly", "digest", digest),
    ]
}

/// An incident's messages, of each kind that has words of its own.
fn incidents() -> Vec<(&'static str, &'static str, Value)> {
    let update = |minute: u32, status: &str, by: &str, text: &str| json!({ "at": format!("2026-11-26T21:{minute}:00Z"), "status": status, "by": by, "text": text });
    let detail = |kind: &str, status: &str| {
        json!({
            "kind": kind, "up_to_level": 2, "informs": true, "severity": "critical", "status": status,
            "title": "The cutover of shop goes back", "description": "The new side answered too slowly.",
            "impact": "Some of its traffic may not be where it should be.", "actions_taken": ["the queue was drained"],
            "next_steps": "The operators' message of this run says what is left.", "estimated_resolution": "in half an hour",
            "opened_at": "2026-11-26T21:10:00Z", "acknowledged": null, "earlier_updates": 0,
            "updates": [update(12, "identified", "Cutover", "work is left that only a person can do")],
            "next_for_responders": "2026-11-26T21:42:00Z", "next_for_informed": "2026-11-26T22:10:00Z",
            "machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:incident",
            "of_run": RUN, "left": "stuck", "called_before": 1,
        })
    };
    let with = |mut detail: Value, field: &str, value: Value| {
        detail[field] = value;
        detail
    };
    let looked_after = json!({ "at": "2026-11-26T21:40:00Z", "by": "Ada" });
    let said: Vec<Value> = (13..21).map(|minute| update(minute, "identified", "Ada", "acknowledged")).collect();
    let changed = with(with(detail("change", "identified"), "acknowledged", looked_after), "updates", json!(said));
    let one = |number: usize| {
        let standing = if number == 0 {
            "left"
        } else if number < 14 {
            "goes_back"
        } else {
            "over"
        };
        json!({ "application": format!("app-{number}"), "standing": standing, "why": "Monitor: Cutover.Unhealthy: 5xx is 0.04" })
    };
    let of_wave = with(detail("first", "identified"), "title", json!("Cutovers of wave-2 go back: Cutover.Unhealthy"));
    let wave = json!({ "id": "wave-2", "count": 200, "cutovers": (0..30).map(one).collect::<Vec<_>>() });
    vec![
        ("incident_first", "incident", detail("first", "investigating")),
        (
            "incident_of_a_person",
            "incident",
            with(with(detail("change", "identified"), "of_run", Value::Null), "title", json!("Logins fail")),
        ),
        ("incident_change", "incident", with(changed, "earlier_updates", json!(3))),
        ("incident_escalation", "incident", detail("escalation", "identified")),
        ("incident_not_looked_after", "incident", detail("acknowledgement_over", "identified")),
        ("incident_repeat", "incident", with(detail("repeat", "identified"), "slower_seconds", json!(900))),
        ("incident_still_open", "incident", detail("still_open", "monitoring")),
        ("incident_end", "incident", detail("end", "resolved")),
        ("incident_of_wave", "incident", with(of_wave, "wave", wave)),
    ]
}

pub fn told(event: &str, detail: &Value) -> Told {
    Told {
        run_id: if event == INCIDENT { "i-0123456789ab" } else { RUN }.to_owned(),
        application: "shop".to_owned(),
        event: event.to_owned(),
        at: "2026-11-26T21:40:00Z".parse().unwrap(),
        detail: detail.clone(),
        stakeholders: None,
        ask: None,
    }
}

/// One of each format, each elsewhere in the world.
pub fn groups() -> Vec<Group> {
    let group = |name: &str, zone: &str, language: &str, moments: Value| {
        let channels = json!([{ "type": "mail", "to": ["team@example.com"] }]);
        serde_json::from_value(
            json!({ "name": name, "time_zone": zone, "language": language, "channels": channels, "moments": moments }),
        )
        .unwrap()
    };
    vec![
        group("executives", "America/New_York", "en", Value::Null),
        group("business-users", "Europe/Berlin", "de", Value::Null),
        group("technical-teams", "UTC", "en", Value::Null),
    ]
}
