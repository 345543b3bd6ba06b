use cutover::ask::{Choice, Handed, Kind};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::decide::Form;
use crate::decide::tests::{answer, asked, link};

fn now() -> Timestamp {
    "2026-11-27T02:00:00Z".parse().unwrap()
}

fn html(asked: &Asked) -> String {
    question(asked, &link(asked), None, now()).unwrap().body
}

#[test]
fn an_open_question_shows_what_is_asked_and_until_when() {
    for (kind, title, buttons) in [
        (Kind::Approval, "May the cutover of shop begin?", ["approve", "reject"]),
        (Kind::LoadTest, "in spite of its load test?", ["approve", "reject"]),
        (Kind::Decision, "Does the cutover of shop go on, or back?", ["go_on", "go_back"]),
        (Kind::Wave, "May wave shop begin?", ["approve", "reject"]),
        (Kind::Programme, "May the waves of shop be scheduled?", ["approve", "reject"]),
    ] {
        let page = html(&asked(kind));
        for expected in [title, "2026-11-27 05:00:00 UTC (3h from now)", "method=\"post\"", "the topic cutovers"] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
        for button in buttons {
            assert!(page.contains(&format!("name=\"choice\" value=\"{button}\"")), "{button}\n{page}");
        }
        assert!(!page.contains("TOKEN"), "the token is on the page");
    }
}

#[test]
fn only_whose_message_has_commands_is_told_of_them_and_nobody_is_to_pass_it_on() {
    let open = asked(Kind::Approval);
    let of = |recipient: &str| {
        let link = Link { recipient: recipient.to_owned(), ..link(&open) };
        question(&open, &link, None, now()).unwrap().body
    };
    let (topic, group) = (of("topic.cutovers"), of("group.executives"));
    assert!(
        topic.contains("The commands in the message answer as well") && topic.contains("do not pass it on"),
        "{topic}"
    );
    assert!(!group.contains("commands") && group.contains("do not pass it on"), "{group}");
}

#[test]
fn a_run_that_is_held_for_too_little_data_is_not_said_to_have_failed() {
    let mut open = asked(Kind::Decision);
    open.question.detail = json!({ "why": "Cutover.Inconclusive: 12 requests in 15m" });
    let page = html(&open);
    assert!(page.contains("too little data to go on by") && !page.contains("A check failed"), "{page}");
    open.question.detail = json!({ "why": "Cutover.Unhealthy: 5xx" });
    assert!(html(&open).contains("A check failed"));
}

#[test]
fn whoever_decides_reads_what_a_yes_does_and_how_often_it_is_asked() {
    let mut open = asked(Kind::Decision);
    let mut page = |detail| {
        open.question.detail = detail;
        html(&open)
    };
    let again = page(json!({ "new_weight": 10, "asked": 3, "ends_step": false }));
    assert!(again.contains("To go on begins the hold and its tests again"), "{again}");
    assert!(again.contains("This is question 3 of 5 at the most."), "{again}");
    let ends = page(json!({ "new_weight": 10, "asked": 1, "ends_step": true }));
    assert!(ends.contains("To go on ends the step with what is known of it"), "{ends}");
    assert!(!page(json!({ "new_weight": 10 })).contains("To go on begins"), "a machine from before does not say");
}

#[test]
fn all_that_was_found_the_steps_and_the_plan_are_on_it() {
    let mut open = asked(Kind::Approval);
    open.question.detail = json!({
        "findings": [
            { "severity": "warning", "path": "$.routes[0]", "problem": "sticky", "fix": "wait" },
            { "severity": "error", "path": "$.x", "problem": "wrong" } ],
        "steps": [{ "title": "rule of shop", "new_weight": 10, "hold_seconds": 900 }],
    });
    open.question.plan = json!({ "b": 1, "a": "<b>" });
    let page = html(&open);
    let (error, warning) = (page.find("wrong").unwrap(), page.find("sticky").unwrap());
    assert!(error < warning, "errors come first");
    for expected in [
        "rule of shop",
        "10 %",
        "15m",
        &cutover::ask::digest_of(&open.question.plan),
        "&quot;a&quot;: &quot;&lt;b&gt;&quot;",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn who_goes_and_who_stays_behind_is_on_the_page_of_a_wave() {
    let mut open = asked(Kind::Wave);
    open.question.detail = json!({ "lists": [
        { "title": "It would move, 4 at a time", "items": ["stage 1: <b>billing</b>, about 5m"] },
        { "title": "These would stay behind", "items": [] },
    ] });
    let page = html(&open);
    for expected in
        ["It would move, 4 at a time", "stage 1: &lt;b&gt;billing", "as the wave goes by it", "Wave: arn:aws"]
    {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    assert!(!page.contains("These would stay behind") && !page.contains("What precheck found"), "{page}");
}

#[test]
fn an_answered_question_says_who_and_has_nothing_left_to_answer() {
    for (handed, expected) in [
        (Some(Handed::Taken), "The run goes on by it."),
        (Some(Handed::Late), "It came too late and has changed nothing"),
        (Some(Handed::TakenOrLate), "Nobody waits for an answer any more"),
        (None, "Hand the same answer over again"),
    ] {
        let done = Asked { answer: Some(answer(Choice::Approve)), handed, ..asked(Kind::Approval) };
        let page = html(&done);
        assert!(
            page.contains("Approved by &quot;Ada&quot; (a name that nobody has verified), 2026-11-27 02:00:00 UTC.")
                && page.contains(expected),
            "{page}"
        );
        assert!(!page.contains("value=\"approve\"") && page.contains("value=\"again\"") == handed.is_none(), "{page}");
    }
}

#[test]
fn a_form_that_was_not_complete_is_shown_again_with_what_is_missing() {
    let open = asked(Kind::Approval);
    let form = Form { name: "Ada \"<i>".into(), reason: String::new(), choice: "approve".into(), ..Form::default() };
    let reply = question(&open, &link(&open), Some((&form, "Your reason is empty.")), now()).unwrap();
    assert_eq!(reply.status_code, 422);
    assert!(
        reply.body.contains("Your reason is empty.") && reply.body.contains("value=\"Ada &quot;&lt;i&gt;\""),
        "{}",
        reply.body
    );
}

#[test]
fn a_page_may_load_nothing_but_its_own_style() {
    let open = asked(Kind::Approval);
    let replies = [
        question(&open, &link(&open), None, now()).unwrap(),
        notice(Notice::Wrong).unwrap(),
        notice(Notice::Over).unwrap(),
        notice(Notice::Method).unwrap(),
        notice(Notice::NotNow).unwrap(),
    ];
    for reply in &replies {
        let style = reply.body.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
        let policy = &reply.headers["content-security-policy"];
        assert!(
            policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'")),
            "{policy}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        for never in ["<script", " style=", "href=", "src=", "<img", "http-equiv", "<base"] {
            assert!(!reply.body.contains(never), "{never}");
        }
    }
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status_code).collect();
    assert_eq!(statuses, [200, 403, 410, 405, 503]);
    assert_eq!(replies[3].headers["allow"], "GET, HEAD, POST");
}

#[test]
fn a_plain_page_tells_nothing_of_any_run() {
    for what in [
        Notice::Wrong,
        Notice::Over,
        Notice::ElsewhereSent,
        Notice::NoForm,
        Notice::TooLarge,
        Notice::Method,
        Notice::NotNow,
    ] {
        let reply = notice(what).unwrap();
        assert!(reply.status_code >= 400 && reply.body.contains("command"), "{}", reply.body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_somebody_wrote_is_text(hostile in prop::sample::select(HOSTILE.to_vec()), any in any::<String>(), place in 0..8_usize) {
        let text = format!("{hostile}{any}");
        let at = |index: usize| if index == place { text.clone() } else { "x".to_owned() };
        let mut done = asked(Kind::ALL[place % 3]);
        done.question.application = at(0);
        done.question.run_id = at(1);
        done.question.detail = json!({ "why": at(2), "title": at(2), "findings": [{ "severity": at(3), "path": at(3), "problem": at(3), "fix": at(3) }],
            "steps": [{ "title": at(4), "new_weight": 1, "hold_seconds": 1 }] });
        done.question.plan = json!({ at(5): at(5) });
        let form = Form { name: at(6), reason: at(7), choice: at(6), ..Form::default() };
        let open = question(&done, &link(&done), Some((&form, &at(7))), now()).unwrap().body;
        done.answer = Some(cutover::ask::Answer { by: at(6), why: at(7), recipient: at(0), ..answer(Choice::GoBack) });
        let closed = html(&done);
        for page in [open, closed] {
            for tag in page.split('<').skip(1) {
                prop_assert!(OURS.iter().any(|known| tag.trim_start_matches('/').starts_with(known)), "<{}", tag);
            }
        }
    }
}

const HOSTILE: [&str; 6] =
    ["<evil>", "\"><evil>", "'><evil onload=x>", "</textarea></pre><evil>", "{{ 7 * 7 }}<evil>", "\u{202e}<!--<evil>"];

/// The tags of our templates.
const OURS: [&str; 31] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "div", "strong", "p>", "p ",
    "form", "label", "input", "textarea", "button", "span", "code", "ul", "li", "table", "tr", "td", "th", "details",
    "summary", "pre", "footer",
];

mod of_an_incident {
    use incidents::asked::Open;
    use incidents::incident::{Acknowledged, Incident, Severity, Status, Update};
    use incidents::{by_page, taken};

    use super::*;
    use crate::incident_words::Words;

    const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\u{1b}[2J\" onload='x' {{ 7*7 }}";

    fn incident(text: &str) -> Incident {
        let own = |place: &str| format!("{place} {text}");
        let open = Open {
            severity: Severity::Critical,
            title: own("Logins fail"),
            by: own("Ada"),
            application: Some("shop".to_owned()),
            description: own("one in ten fails"),
            impact: own("users cannot log in"),
            next_steps: own("look at the new side"),
            estimated_resolution: own("in half an hour"),
        };
        let mut incident = taken::opened(open, "i-0123456789ab", "me", cutover::plan::Stakeholders::default(), now())
            .incident
            .unwrap();
        incident.actions_taken.push(own("restarted it"));
        incident
    }

    fn page(incident: &Incident, said: Said) -> Reply {
        let link = Link {
            question: incident.id.clone(),
            choices: by_page::CHOICES.to_vec(),
            ends_at: by_page::ends_at(now(), now()),
            recipient: "group.technical-teams".into(),
        };
        super::super::incident(&Words::of(incident, &link), said, 200).unwrap()
    }

    #[test]
    fn it_shows_who_looks_after_it_and_offers_what_is_not_so_yet() {
        let open = incident("");
        let acknowledged =
            Incident { acknowledged: Some(Acknowledged { at: now(), by: "Bob".into() }), turns: 1, ..open.clone() };
        let mut over = acknowledged.clone();
        over.updates.push(Update { at: now(), status: Status::Resolved, text: "resolved".into(), by: "Eve".into() });
        for (incident, shown, buttons) in [
            (&open, "Nobody looks after it.", &["acknowledge", "resolve"][..]),
            (&acknowledged, "&quot;Bob&quot; looks after it.", &["resolve"]),
            (&over, "Said by &quot;Eve&quot;, 2026-11-27 02:00:00 UTC.", &[]),
        ] {
            let html = page(incident, None).body;
            assert!(html.contains(shown) && html.contains("the group technical-teams"), "{shown}\n{html}");
            for button in ["acknowledge", "resolve"] {
                let is_there = html.contains(&format!("name=\"choice\" value=\"{button}\""));
                assert_eq!(is_there, buttons.contains(&button), "{shown} {button}");
            }
            assert_eq!(html.contains("name=\"turn\" value=\"1\""), buttons.len() == 1);
        }
        assert!(page(&open, None).body.contains("What was done") && page(&open, None).body.contains("restarted it"));
    }

    #[test]
    fn whatever_is_written_is_text() {
        let form = Form { name: HOSTILE.into(), reason: HOSTILE.into(), ..Form::default() };
        let html = page(&incident(HOSTILE), Some((&form, HOSTILE))).body;
        assert_eq!((html.matches("<script").count(), html.matches("49").count()), (0, 0), "{html}");
        assert!(
            !html.contains('\u{1b}') || html.matches('\u{1b}').count() == 2,
            "only in the form that is shown again"
        );
        assert!(html.contains("&lt;script&gt;") && html.matches("onload=&#x27;").count() > 5, "{html}");
    }
}
