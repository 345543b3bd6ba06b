use std::time::Duration;

use jiff::Timestamp;
use load_results::compare::Comparison;
use load_results::report::{OfSide, Report, Verdict};
use load_results::results::{Failure, Outcome, Results};
use load_results::sla::{Figures, lines, score};
use serde_json::{Value, json};

use super::*;
use crate::facts::{Entry, Gate, Kind, Period, Point, RouteFacts, Series, Sides, Weight};
use crate::load::Load;
use crate::resources::Direction::Lower;
use crate::resources::{Compared, ResourceChange};

const HOSTILE: &str =
    "</script><script>alert(1)</script>\" onload='x' {{ 7*7 }} <img src=http://evil.example/x>\n| # `x` \u{202e}";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A test of both sides whose new one is faster, or slower.
fn load(new_us: u64, sla: Value) -> Load {
    let side = |turn: i64, us: u64| {
        let mut results = Results { seconds: 60.0, offered: 6000, connections: 4, ..Results::new(1) };
        for number in 0..6000_u64 {
            let service = Duration::from_micros(us + number * 7_919 % us);
            let failure = (number % 500 == 0).then_some(Failure::Status);
            let (lag, due) = (Duration::from_micros(40), Duration::from_millis(number * 10));
            let outcome =
                Outcome { kind: 0, is_measured: true, due, lag, service, status: Some(200), failure, bytes: 2 };
            results.count(&outcome, 1_000_000 + turn * 65);
        }
        OfSide { figures: Figures::from(&results), results }
    };
    let (old, new) = (side(0, 40_000), side(1, new_us));
    let sla = lines(&serde_json::from_value(sla).unwrap(), &new.figures);
    let verdict = if sla.iter().all(|line| line.holds) { Verdict::Passed } else { Verdict::Violated };
    let comparison = Comparison::of(&old.results, &new.results, true);
    let (problems, notes, is_stopped) = (Vec::new(), Vec::new(), false);
    let score = score(&sla);
    Load::of(&Report {
        verdict,
        problems,
        notes,
        sla,
        score,
        is_stopped,
        stopped_by: None,
        new,
        old: Some(old),
        comparison,
    })
}

fn route(title: &str, periods: i64) -> RouteFacts {
    let side = |share: &dyn Fn(i64) -> f64, p95_ms: f64| -> Vec<Period> {
        let period = |minute: i64| {
            let requests = (1200.0 * share(minute)).round();
            let p95_ms = (requests > 0.0).then_some(p95_ms + (minute * 37 % 11) as f64);
            let errors = (minute % 9 == 4 && requests > 0.0).then_some(2.0);
            Period { at: at(minute * 60), requests: Some(requests), errors, p50_ms: Some(20.0), p95_ms }
        };
        (0..periods).map(period).collect()
    };
    let new = |minute: i64| {
        if minute < 15 {
            0.0
        } else if minute < 30 {
            0.1
        } else if minute < 45 {
            0.52
        } else {
            1.0
        }
    };
    let weights = [(5, 0), (15, 10), (30, 50), (45, 100)];
    RouteFacts {
        title: title.to_owned(),
        weights: weights.map(|(minute, percent)| Weight { at: at(minute * 60), route: 0, percent }).into(),
        sides: Some(Sides {
            period_seconds: 60,
            old: side(&|minute| 1.0 - new(minute), 180.0),
            new: side(&new, 120.0),
        }),
    }
}

pub(crate) fn facts(text: &str) -> Facts {
    let gate = Gate {
        name: format!("5xx of the new targets{text}"),
        ..Gate {
            looks: 60,
            healthy: 58,
            unhealthy: 1,
            not_known: 1,
            is_of_service: true,
            last_seen: format!("0.001, limit 0.01{text}"),
            limit: Some(0.01),
            ..Gate::default()
        }
    };
    let points = |scale: f64| {
        (0..60).map(|minute| Point { at: at(minute * 60), value: scale * (1.0 + (minute % 7) as f64) }).collect()
    };
    Facts {
        application: format!("shop{text}"),
        run_id: "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1".to_owned(),
        ending: "Succeeded".to_owned(),
        began_at: at(0),
        until: at(3600),
        why: None,
        recovery_seconds: None,
        routes: vec![
            route(&format!("listener f2f7 of shop{text}"), 60),
            RouteFacts {
                title: "name shop.example.com in zone Z1".to_owned(),
                weights: vec![Weight { at: at(2000), route: 1, percent: 100 }],
                sides: None,
            },
        ],
        gates: vec![Gate { points: points(0.001), ..gate }],
        resources: vec![Series {
            name: format!("CPU of the old side{text}"),
            metric_name: "CPUUtilization".to_owned(),
            points: points(12.0),
        }],
        resources_of_new: vec![],
        limits: vec![],
        resource_changes: vec![ResourceChange {
            before_name: format!("CPU of the old side{text}"),
            after_name: format!("CPU of the new side{text}"),
            compared: Compared::OldWithNew,
            before: 50.0,
            after: 34.5,
            before_periods: Some(60),
            after_periods: 15,
            percent: Some(-31.0),
            direction: Lower,
        }],
        load: Some(load(20_000, json!({ "max_p95_ms": 50.0, "max_p99_ms": 30.0, "min_success_percent": 99.5 }))),
        baseline: vec![format!("shop-old, before the cutover: 72000 requests, 0.1 % errors, p95 185 ms{text}")],
        timeline: vec![
            Entry {
                at: at(60),
                kind: Kind::Moved,
                text: format!("listener f2f7 of shop: the new side's weight is 10 %{text}"),
            },
            Entry { at: at(600), kind: Kind::Trouble, text: format!("Monitor failed: Cutover.Transient: slow{text}") },
        ],
        not_done: vec![format!("alarm late was not set{text}")],
        not_measured: vec![format!("users' real shares of name shop.example.com: DNS counts no requests{text}")],
        cleanup_after_seconds: 86_400,
    }
}

/// What a browser would take for markup or for a request: tags and attributes that the template does not have.
fn markup(html: &str) -> Vec<String> {
    let known = [
        "!doctype",
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "h3",
        "div",
        "strong",
        "p",
        "dl",
        "dt",
        "dd",
        "ul",
        "li",
        "table",
        "tr",
        "th",
        "td",
        "span",
        "figure",
        "figcaption",
        "svg",
        "path",
        "text",
        "footer",
    ];
    let tags = html.split('<').skip(1).map(|rest| {
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '!' && c != '/').next().unwrap_or_default()
    });
    let strange = tags.filter(|tag| !known.contains(&tag.trim_start_matches('/'))).map(str::to_owned);
    // Within a tag, what stands in quotes is a value.
    let outside_quotes = |tag: &str| tag.split('"').step_by(2).collect::<String>();
    let tags = || html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    let requests =
        ["src=", "href=", "onload="].into_iter().filter(|text| tags().any(|tag| outside_quotes(tag).contains(text)));
    let requests = requests.chain(["url(", "@import"].into_iter().filter(|text| html.contains(text)));
    strange.chain(requests.map(str::to_owned)).collect()
}

#[test]
fn hostile_texts_make_no_markup_anywhere() {
    let Documents { html, markdown, json } = documents(&facts(HOSTILE)).unwrap();
    assert_eq!(markup(&html), Vec::<String>::new());
    assert!(html.contains("{{ 7*7 }}") && !html.contains('\u{202e}'));
    assert!(html.contains("&lt;script&gt;"), "it is there, as text");
    for line in markdown.lines() {
        assert!(!line.contains("<script") && !line.contains("<img") && !line.contains('\u{202e}'), "{line}");
    }
    let rows = markdown.lines().filter(|line| line.starts_with("| 5xx of the new"));
    assert_eq!(
        rows.map(|row| row.replace("\\|", "").matches('|').count()).collect::<Vec<_>>(),
        [4],
        "a cell does not end"
    );
    assert!(serde_json::from_str::<Value>(&json).is_ok());
}

#[test]
fn the_page_says_what_was_found() {
    let html = documents(&facts("")).unwrap().html;
    for expected in [
        "though its load test violated the SLA",
        "In 1h the cutover of shop moved all of its traffic to the new side.",
        "latency at p95 of the new side is 50",
        "% faster (with 95 % confidence ",
        "max_p99_ms",
        "new side: 6000 requests, 100 a second offered and 100 sent, the longest 40 ms, failures: status 12",
        "New side: weight and real share, %",
        "Load test: latency by share of requests, ms",
        "DNS counts no requests",
        "cannot be told", // the mean
    ] {
        assert!(html.contains(&expected.replace('\'', "&#x27;")) || html.contains(expected), "{expected}");
    }
}

#[test]
fn a_page_is_never_longer_than_it_may_be() {
    let mut long = facts("");
    long.routes = (0..20).map(|place| route(&format!("rule {place} {}", "long ".repeat(200)), 120)).collect();
    let gate = long.gates[0].clone();
    long.gates =
        (0..100).map(|place| Gate { name: format!("gate {place} {}", "long ".repeat(200)), ..gate.clone() }).collect();
    let entry = Entry { at: at(1), kind: Kind::Trouble, text: "x".repeat(10_000) };
    long.timeline = vec![entry; 5000];
    long.not_done = vec!["<".repeat(500); 31];
    let html = documents(&long).unwrap().html;
    assert!(html.len() <= MOST_PAGE_BYTES, "{}", html.len());
    assert!(html.contains("lines in the middle are left out") && html.contains("rule 19"));
}

#[test]
fn what_was_not_measured_is_absent_and_never_zero() {
    let bare = Facts {
        load: None,
        gates: vec![],
        resources: vec![],
        resource_changes: vec![],
        baseline: vec![],
        timeline: vec![],
        not_done: vec![],
        routes: vec![RouteFacts { title: "l".to_owned(), weights: vec![], sides: None }],
        ..facts("")
    };
    let Documents { html, markdown, json } = documents(&bare).unwrap();
    assert!(html.contains("nothing was measured that could say how it does"), "{markdown}");
    for heading in ["SLA", "Load test: new", "Resources", "Baseline", "<figure>"] {
        assert!(!html.contains(heading), "{heading}");
    }
    assert!(json.contains("\"load\": null"));
}

#[test]
fn an_ending_that_is_no_success_says_who_has_to_act() {
    for (ending, expected) in
        [("RolledBack", "Turned back"), ("Stuck", "A person has to act"), ("forward", "A person has to act")]
    {
        let facts =
            Facts { ending: ending.to_owned(), why: Some("Monitor: Cutover.Unhealthy: 5xx".to_owned()), ..facts("") };
        let html = documents(&facts).unwrap().html;
        assert!(html.contains(expected) && html.contains("Cutover.Unhealthy"), "{ending}");
    }
}

/// For whoever wants to look: `LOOK_AT_REPORT=/tmp/page.html cargo test -p report the_page_is_left`.
#[test]
fn the_page_is_left_where_somebody_wants_to_look() {
    if let Some(path) = std::env::var_os("LOOK_AT_REPORT") {
        std::fs::write(path, documents(&facts("")).unwrap().html).unwrap();
    }
}

#[test]
fn the_same_facts_are_the_same_documents() {
    let (one, other) = (documents(&facts("")).unwrap(), documents(&facts("")).unwrap());
    assert_eq!((one.html, one.markdown, one.json), (other.html, other.markdown, other.json));
}

#[test]
fn a_violation_says_what_follows_and_a_quiet_old_side_nothing() {
    let found = recommendations(&facts(""));
    let findings: Vec<&str> = found.iter().map(|one| one.finding.as_str()).collect();
    assert!(findings.iter().any(|finding| finding.starts_with("max_p99_ms is 30, and")), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.contains("found something wrong at 1 of 60 looks")), "{findings:?}");
    assert!(!findings.iter().any(|finding| finding.contains("CPU of the old side")), "{findings:?}");
    assert!(!findings.iter().any(|finding| finding.contains("after all weight")), "{findings:?}");
    let mut left = facts("");
    left.routes[0].sides.as_mut().unwrap().old.last_mut().unwrap().requests = Some(7.0);
    let found = recommendations(&left);
    assert!(found.iter().any(|one| one.finding.contains("the old side had 7 requests after all weight")), "{found:?}");
}
