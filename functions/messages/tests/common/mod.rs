//! Every event, as the machines tell it.

use cutover::plan::Group;
use cutover::told::INCIDENT;
use messages::Told;
use serde_json::{Value, json};

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
        ("not_started", "not_started", json!({ "ending": "PrecheckFailed", "findings": [finding("error", 0)] })),
        ("started", "started", json!({ "findings": many, "steps": steps })),
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
    ];
    events.extend(incidents());
    events
}

/// An incident's messages, of each kind that has words of its own.
fn incidents() -> Vec<(&'static str, &'static str, Value)> {
    let update = |minute: u32, status: &str, by: &str, text: &str| json!({ "at": format!("2026-11-26T21:{minute}:00Z"), "status": status, "by": by, "text": text });
    let detail = |kind: &str, status: &str| {
        json!({
            "kind": kind, "up_to_level": 2, "informs": true, "severity": "critical", "status": status,
            "title": "The cutover of shop goes back", "description": "The new side answered too slowly.",
            "impact": "Some of its traffic may not be where it should be.", "actions_taken": ["the queue was drained"],
            "next_steps": "Do what the page of this run says.", "estimated_resolution": "in half an hour",
            "opened_at": "2026-11-26T21:10:00Z", "acknowledged": null, "earlier_updates": 0,
            "updates": [update(12, "identified", "Cutover", "work is left that only a person can do")],
            "next_for_responders": "2026-11-26T21:42:00Z", "next_for_informed": "2026-11-26T22:10:00Z",
            "machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:incident",
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
