//! Runs in every state, as the journal and Step Functions would tell of them.

use cutover::Plan;
use cutover::contract::Caller;
use cutover::line::{Line, Past, Stop};
use history::{Ended, Event, Story, What};
use jiff::Timestamp;
use journal::{Ending, Phase, Run};
use serde_json::{Value, json};
use status_report::known::Known;
use status_report::status::Settings;

/// What somebody hostile, or careless, writes.
pub const HOSTILE: &str = "</title><script>alert(1)</script>\nRun: forged\" onload='x' {{ 7*7 }} <img src=http://127.0.0.1:9/x>\u{202e}\u{1b}[2J";
const RUN: &str = "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1";

/// Minutes after the run's beginning.
pub fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_730_400 + 60 * minute).unwrap()
}

/// The stack's.
pub fn settings() -> Settings {
    Settings { interval_seconds: 1800, recovery_objective_seconds: Some(600), time_zone: "Europe/Berlin".to_owned() }
}

fn plan(text: &str) -> Plan {
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let dimensions =
        json!({ "LoadBalancer": "app/shop/50dc6c495c0c9188", "TargetGroup": "targetgroup/new/6d0ecf831eec9f09" });
    let route = json!({ "type": "listener", "listener_arn": format!("{arn}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
        "old_target_group_arn": format!("{arn}:targetgroup/old/73e2d6bc24d8a067"),
        "new_target_group_arn": format!("{arn}:targetgroup/new/6d0ecf831eec9f09"),
        "steps": [{ "new_weight": 10, "hold": "30m" }, { "new_weight": 100, "hold": "1h" }] });
    let metric = |name: String, metric_name: &str, more: Value| {
        let mut metric = json!({ "name": name, "namespace": "AWS/ApplicationELB", "metric_name": metric_name, "dimensions": dimensions,
            "statistic": "Sum", "comparison": "greater_than", "threshold": 0.01 });
        metric.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        metric
    };
    let metrics = [
        metric(
            format!("5xx of the new targets{text}"),
            "HTTPCode_Target_5XX_Count",
            json!({ "divide_by": { "metric_name": "RequestCount" }, "missing": "zero_if_divisor" }),
        ),
        metric(format!("p95, seconds{text}"), "TargetResponseTime", json!({ "statistic": "p95", "threshold": 0.8 })),
    ];
    let plan = json!({ "application": "shop", "wave": "wave-2", "routes": [route], "health_check": { "url": "http://10.0.0.1/" },
        "monitoring": { "metrics": metrics, "on_failure": "hold" }, "cleanup": { "after": "24h" },
        "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:cutovers" } });
    Plan::read(&plan).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// A history that is written call by call.
struct Script {
    story: Story,
    minute: i64,
}

impl Script {
    fn new() -> Self {
        Self { story: Story { began_at: Some(at(-5)), ..Story::default() }, minute: -5 }
    }

    fn event(mut self, what: What) -> Self {
        self.story.events.push(Event { at: at(self.minute), what });
        self
    }

    fn after(mut self, minutes: i64) -> Self {
        self.minute += minutes;
        self
    }

    fn enters(self, state: &str) -> Self {
        self.event(What::Entered(state.to_owned()))
    }

    fn asks(self, state: &str, more: Value) -> Self {
        let mut payload = json!({ "state": state, "route": 0 });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.enters(state).event(What::Scheduled(json!({ "Payload": payload }).to_string()))
    }

    fn calls(self, state: &str, asked: Value, reply: Value) -> Self {
        self.asks(state, asked).event(What::Succeeded(json!({ "Payload": reply }).to_string()))
    }

    fn fails(self, state: &str, asked: Value, error: &str, cause: &str) -> Self {
        let cause = json!({ "errorMessage": cause }).to_string();
        self.asks(state, asked).event(What::Failed(error.to_owned(), cause))
    }

    fn ends(mut self, status: &'static str, error: Option<&str>) -> Story {
        self.story.ended = Some(Ended { at: at(self.minute), status, error: error.map(str::to_owned) });
        self.story
    }
}

fn prechecked(plan: &Plan, text: &str) -> Script {
    let findings = json!([{ "severity": "warning", "path": "$", "problem": format!("the balancer's stack owns the listener{text}") }]);
    let reply = json!({ "settled": true, "ending": null, "plan": plan, "findings": findings });
    Script::new().calls("Precheck", json!({ "plan": { "application": "shop" } }), reply)
}

fn checks(text: &str, verdict: &str) -> Value {
    json!([
        { "name": "listener shop", "verdict": "healthy", "seen": "2 of 2 targets are healthy" },
        { "name": format!("5xx of the new targets{text}"), "verdict": verdict, "value": 0.004,
          "seen": format!("22 of 5,300 requests failed, limit 1 %{text}"),
          "test": { "bad": 22, "all": 5300, "limit": 0.01, "p_value": 1.0 } },
        { "name": format!("p95, seconds{text}"), "verdict": "healthy", "value": 0.21, "seen": "0.21, trouble when greater than 0.8" },
    ])
}

/// Claimed, prepared, at the first step since minute 10, looked at for 30 minutes.
fn held(plan: &Plan, text: &str) -> Script {
    let look = |verdict: &str| {
        json!({ "done": false, "verdict": verdict, "checks": checks(text, verdict), "share_seen_percent": 9.6,
        "tally": { "no_data_in_row": 0 } })
    };
    prechecked(plan, text)
        .after(5)
        .calls("Claim", json!({}), json!({}))
        .calls(
            "TakeBaseline",
            json!({}),
            json!({ "lines": [format!("listener shop: 32 requests/s, 0.1 % errors, p95 210 ms{text}")] }),
        )
        .after(2)
        .calls("PrepareListener", json!({}), json!({ "changed": true, "settled": true }))
        .after(8)
        .calls("SwapListener", json!({ "new_weight": 10 }), json!({ "changed": true, "settled": true }))
        .after(30)
        .calls("Monitor", json!({ "elapsed_seconds": 1200, "step": 0 }), look("healthy"))
        .enters("HoldWait")
}

fn finished(plan: &Plan) -> Script {
    let done =
        json!({ "done": true, "verdict": "healthy", "checks": checks("", "healthy"), "share_seen_percent": 9.9 });
    let all =
        json!({ "done": true, "verdict": "healthy", "checks": checks("", "healthy"), "share_seen_percent": 100.0 });
    held(plan, "")
        .calls("Monitor", json!({ "elapsed_seconds": 1800 }), done)
        .calls("SwapListener", json!({ "new_weight": 100 }), json!({ "changed": true, "settled": true }))
        .after(2)
        .calls("Monitor", json!({ "elapsed_seconds": 3600 }), all)
        .calls("Finish", json!({}), json!({}))
        .enters("Succeeded")
}

fn run(plan: &Plan, phase: Phase, ending: Option<Value>) -> Run {
    let caller = Caller { run_id: RUN.to_owned(), execution_arn: RUN.to_owned(), state: String::new() };
    let ending = ending.map(|report| Ending { at: at(43).to_string(), report });
    Run { phase, ending, ..Run::claimed(&caller, plan.clone(), vec![], at(0)) }
}

fn known(story: Story, run: Option<Run>) -> Known {
    Known { run_id: RUN.to_owned(), cutover: story, run, ..Known::default() }
}

fn back() -> Script {
    let mut script = Script::new();
    script.story.began_at = Some(at(41));
    script.minute = 41;
    script.calls("TakeOverRun", json!({}), json!({})).after(1)
}

fn went_back(plan: &Plan, text: &str) -> Story {
    let why = format!(
        "step 1 of 2 (10 %) of {}: trouble for certain: 5xx of the new targets{text}: 260 of 5,300 requests failed, limit 1 %",
        plan.routes[0].title()
    );
    held(plan, text)
        .fails("Monitor", json!({}), "Cutover.Unhealthy", &why)
        .enters("StartRollback")
        .ends("FAILED", Some("Cutover.RolledBack"))
}

fn keeping() -> Value {
    let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/73e2d6bc24d8a067";
    json!({ "removed": [], "kept": [format!("{group}: the plan does not ask to delete it")],
        "by_hand": format!("aws elbv2 delete-target-group --target-group-arn {group} --region eu-west-1") })
}

/// Held by the line since minute 30, which stood for ten minutes before.
fn line_stopped(plan: &Plan) -> Known {
    let why = "the line is stopped by \"Ada\" since 2026-11-26 20:30:00 UTC: \"packets are lost\"";
    let looked = json!({ "done": false, "verdict": "healthy", "checks": checks("", "healthy"), "held": why });
    let story = held(plan, "").calls("Monitor", json!({ "elapsed_seconds": 1800 }), looked).enters("HoldWait").story;
    let stopped = Some(Stop { by: "Ada".to_owned(), why: "packets are lost".to_owned(), at: at(30) });
    let line = Line { stopped, past: vec![Past { from: at(5), to: at(15) }], ..Line::default() };
    Known { line: Some(line), ..known(story, Some(run(plan, Phase::Forward, None))) }
}

/// Precheck is asked, and has not answered for minutes: the new side is tried again.
fn checking() -> Known {
    let written = json!({ "application": "shop", "routes": [{ "type": "listener",
        "listener_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2",
        "old_target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/73e2d6bc24d8a067",
        "new_target_group_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/new/6d0ecf831eec9f09",
        "steps": [{ "new_weight": 100, "hold": "30m" }] }] });
    known(Script::new().asks("Precheck", json!({ "plan": written })).story, None)
}

/// The approve command, sent as it stood.
fn unsigned(plan: &Plan) -> Story {
    prechecked(plan, "")
        .asks("AwaitApproval", json!({ "detail": { "within_seconds": 86400 } }))
        .event(What::Succeeded(json!({ "by": "YOUR NAME", "why": "YOUR REASON" }).to_string()))
        .enters("IsAnswerSigned")
        .enters("AnnounceNothingTouched")
        .ends("FAILED", Some("Cutover.Rejected"))
}

/// A run in each state, by name.
pub fn states() -> Vec<(&'static str, Known)> {
    let plan = &plan("");
    let forward = |script: Script| known(script.story, Some(run(plan, Phase::Forward, None)));
    let approval = prechecked(plan, "").asks("AwaitApproval", json!({ "detail": { "within_seconds": 86400 } }));
    let question = json!({ "detail": { "why": "Cutover.Unhealthy: 5xx of the new targets: 260 of 5,300 requests failed", "within_seconds": 3600 } });
    let wrong = "trouble for certain: 5xx of the new targets: 260 of 5,300 requests failed, limit 1 %";
    let decision =
        held(plan, "").fails("Monitor", json!({}), "Cutover.Unhealthy", wrong).asks("AwaitDecision", question);
    let mut paused = forward(held(plan, ""));
    paused.run.as_mut().unwrap().paused = true;
    let why = || Some("Monitor: Cutover.Unhealthy: 5xx of the new targets: 260 of 5,300 requests failed".to_owned());
    let rolled = |phase, report: Option<Value>, back: Story| {
        let mut known = known(went_back(plan, ""), Some(Run { why: why(), rollbacks: 1, ..run(plan, phase, report) }));
        known.rollback = Some(back);
        known
    };
    let restored = || back().calls("RestoreListener", json!({}), json!({ "changed": true }));
    let left = json!({ "ending": "Stuck", "at": at(43).to_string(), "routes": [{ "route": 0, "title": "listener shop", "restored": false,
        "error": "Cutover.Drift: listener shop is at a-third=1", "live": "a-third=1" }] });
    let by = "Ada: agreed with Bob";
    let mut released =
        rolled(Phase::Closed, Some(json!({ "ending": "Released", "by": by, "was": left })), back().story);
    released.rollback = None;
    released.run.as_mut().unwrap().forced = Some("Ada: the health check itself is broken".to_owned());
    let hold = json!({ "ending": "Held", "hold": "the old side does not answer: status 503", "routes": [] });
    let refused = prechecked(plan, "").enters("AnnounceNothingTouched").ends("FAILED", Some("Cutover.Rejected"));
    let watched = || known(finished(plan).ends("SUCCEEDED", None), Some(run(plan, Phase::Finished, None)));
    let mut looked_after = watched();
    let since = json!({ "verdict": "healthy", "checks": checks("", "healthy"), "tally": {} });
    looked_after.cleanup = Some(Script::new().calls("Monitor", json!({}), since).story);
    let closed = known(
        finished(plan).ends("SUCCEEDED", None),
        Some(run(plan, Phase::Closed, Some(json!({ "ending": "Closed", "removals": [keeping()] })))),
    );
    vec![
        ("approval", known(approval.story, None)),
        ("begun", known(prechecked(plan, "").after(5).enters("Claim").story, Some(run(plan, Phase::Claimed, None)))),
        ("hold", forward(held(plan, ""))),
        ("decision", forward(decision)),
        ("paused", paused),
        ("line_stopped", line_stopped(plan)),
        ("checking", checking()),
        ("rolling_back", rolled(Phase::RollingBack, None, restored().story)),
        (
            "rolled_back",
            rolled(
                Phase::RolledBack,
                Some(json!({ "ending": "RolledBack", "routes": [] })),
                restored().ends("SUCCEEDED", None),
            ),
        ),
        ("stuck", rolled(Phase::Stuck, Some(left), back().ends("FAILED", Some("Cutover.Stuck")))),
        ("held", rolled(Phase::Stuck, Some(hold), back().ends("FAILED", Some("Cutover.Held")))),
        ("not_started", known(refused, None)),
        ("unsigned", known(unsigned(plan), None)),
        ("released", released),
        ("watched_unseen", watched()),
        ("watched", looked_after),
        ("closed", closed),
    ]
}

/// A run whose every text somebody hostile chose.
pub fn hostile() -> Known {
    let plan = &plan(HOSTILE);
    let look = json!({ "done": false, "verdict": HOSTILE, "checks": [{ "name": HOSTILE, "verdict": HOSTILE, "seen": HOSTILE }], "tally": {} });
    let said = json!({ "by": HOSTILE, "why": HOSTILE });
    let script = held(plan, HOSTILE)
        .calls("CheckReplication", json!({}), json!({ "seen": HOSTILE, "passed": true }))
        .calls("NextLoadTurn", json!({}), json!({ "over": true, "seen": HOSTILE }))
        .fails("ShowRun", json!({}), HOSTILE, HOSTILE)
        .asks("AwaitDecision", json!({}))
        .event(What::Succeeded(said.to_string()))
        .calls("Monitor", json!({}), look)
        .asks("AwaitDecision", json!({ "detail": { "why": HOSTILE, "within_seconds": 60 } }));
    let forced = Some(HOSTILE.to_owned());
    let mut known = known(script.story, Some(Run { forced, ..run(plan, Phase::Forward, None) }));
    known.not_read.push(HOSTILE.to_owned());
    known
}

/// A run that ended with nothing touched, since its plan was no plan: its name too is somebody's text.
pub fn hostile_and_refused() -> Known {
    let findings = json!([{ "severity": "error", "path": HOSTILE, "problem": HOSTILE }]);
    let asked = json!({ "plan": { "application": HOSTILE } });
    let script = Script::new().calls("Precheck", asked, json!({ "plan": null, "findings": findings }));
    known(script.enters("AnnounceNothingTouched").ends("FAILED", Some(HOSTILE)), None)
}
