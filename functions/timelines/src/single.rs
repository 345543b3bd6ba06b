//! The timeline of a single cutover, of which no programme knows: a person gives its date, moves it, or takes it away. Pure.
//!
//! It is told like a wave of one application, and by the same rules; what differs is where the date is from, and where it is seen how far the cutover is.

use cutover::finding::Finding;
use cutover::gestures;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use waves::WavePlan;

use crate::asked::Cutover;
use crate::decide::Run;
use crate::said::Taken;
use crate::state::State;

/// A run that began so long before the date was another one.
pub const ANOTHER_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// What a person has said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Single {
    /// It, as a wave of one.
    pub plan: WavePlan,
    /// When it begins; none where it has no date any more.
    pub opens: Option<Timestamp>,
}

/// A run of the application, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was claimed.
    pub began: Timestamp,
    /// When it ended; none where it has not.
    pub ended: Option<Timestamp>,
    /// Where it is: one of the counts that messages have, `new`, `before`, `under_way`, `person`.
    pub is: &'static str,
}

/// What a person's word makes of a timeline: a new date, or none, or another plan. `left`: the execution that has ended, of those that may have followed it.
///
/// # Errors
/// What cannot be done as it stands, in a person's words. Nothing was changed then.
pub fn scheduled(
    state: Option<State>,
    (name, said): (&str, &Cutover),
    me: &str,
    left: Option<&str>,
    at: Timestamp,
) -> Result<Taken, String> {
    gestures::said("by", &said.by).map_err(|error| error.message)?;
    let opens = said.opens.as_deref().map(|text| read_time(text, at)).transpose()?;
    let before = match &state {
        Some(State { single: None, .. }) => {
            return Err(format!(
                "{name} is a wave of a programme, and nothing was done: plan the programme anew to move it"
            ));
        }
        Some(State { single: Some(single), .. }) => Some(single.plan.clone()),
        None => None,
    };
    let plan = match (&said.plan, before) {
        (Some(plan), before) => of_one(name, plan, said, before.as_ref())?,
        (None, Some(before)) => before,
        (None, None) => {
            return Err(format!("there is no timeline of {name} yet, and nothing was done: give the `plan` too"));
        }
    };
    let mut state = state.unwrap_or_else(|| State::opened(name, name, me, at));
    let follows = state.owner == me || state.is_over || left == Some(&state.owner);
    if follows {
        state.owner = me.to_owned();
    }
    state.is_over = false;
    state.stakeholders = plan.stakeholders.clone();
    state.single = Some(Single { plan, opens });
    let when = opens.map_or_else(|| "it has no date now".to_owned(), |opens| format!("it begins {opens}"));
    Ok(Taken { state: Some(state), follows, said: format!("{when}: {}", said.by) })
}

fn read_time(text: &str, at: Timestamp) -> Result<Timestamp, String> {
    let fix = "write a time to come with its offset, such as 2026-03-07T20:00:00+01:00";
    let opens = text.parse::<Timestamp>().map_err(|_| format!("`opens` is no time, and nothing was done: {fix}"))?;
    if opens > at { Ok(opens) } else { Err(format!("`opens` is past, and nothing was done: {fix}")) }
}

/// The plan as a wave of one, judged as that is.
fn of_one(name: &str, plan: &Value, said: &Cutover, before: Option<&WavePlan>) -> Result<WavePlan, String> {
    let announcement = said.announcement.clone().or_else(|| before.map(|before| before.announcement.clone()));
    let mut wave = json!({
        "wave": name,
        "applications": [{ "name": plan["application"], "cutover": plan }],
        "stakeholders": plan.get("stakeholders").unwrap_or(&json!({})),
    });
    if let Some(announcement) = announcement {
        wave["announcement"] = json!(announcement);
        // As a person writes it: a plan's times have their unit.
        if let Some(downtime) = announcement.expected_downtime {
            wave["announcement"]["expected_downtime"] = json!(format!("{}s", downtime.0));
        }
    }
    WavePlan::read(&wave).map_err(|findings: Vec<Finding>| waves::asked::in_words(&findings))
}

/// How far it is, and in numbers, by the runs of its application: the last one that did not begin long before its date.
pub fn standing(runs: &[Seen], opens: Option<Timestamp>) -> (Run, Value) {
    let is_its = |run: &&Seen| opens.is_some_and(|opens| run.began >= opens - ANOTHER_BEFORE);
    let Some(run) = runs.iter().filter(is_its).max_by_key(|run| run.began) else { return (Run::NotBegun, Value::Null) };
    let took = run.ended.and_then(|ended| u64::try_from(ended.duration_since(run.began).as_secs()).ok());
    let standing = json!({ "counts": { run.is: 1 }, "count": 1, "began_at": run.began, "took_seconds": took });
    (if run.ended.is_some() { Run::Over } else { Run::Going(run.began) }, standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn plan(application: &str) -> Value {
        let mut plan: Value = serde_json::from_str(include_str!("../../../events/cutover.json")).unwrap();
        plan["application"] = json!(application);
        plan["stakeholders"] = json!({ "of_stack": ["executives"] });
        plan
    }

    fn said(opens: Option<&str>, plan: Option<Value>) -> Cutover {
        Cutover { plan, opens: opens.map(str::to_owned), announcement: None, by: "Ada".to_owned() }
    }

    #[test]
    fn a_date_is_given_moved_and_taken_away_and_one_execution_follows() {
        let now = at("2026-02-01T00:00:00Z");
        let plan = plan("shop");
        let first = said(Some("2026-03-07T20:00:00+01:00"), Some(plan));
        let taken = scheduled(None, ("shop-move", &first), "arn:1", None, now).unwrap();
        let state = taken.state.unwrap();
        assert!(taken.follows && state.owner == "arn:1");
        let single = state.single.as_ref().unwrap();
        assert_eq!(
            (single.opens, single.plan.applications[0].name.as_str()),
            (Some(at("2026-03-07T19:00:00Z")), "shop")
        );
        assert_eq!(state.stakeholders.of_stack, Some(vec!["executives".to_owned()]));
        let moved = said(Some("2026-03-14T20:00:00+01:00"), None);
        let taken = scheduled(Some(state.clone()), ("shop-move", &moved), "arn:2", None, now).unwrap();
        let after = taken.state.unwrap();
        assert!(!taken.follows && after.owner == "arn:1", "the other one goes on");
        assert_eq!(after.single.unwrap().opens, Some(at("2026-03-14T19:00:00Z")));
        let gone =
            scheduled(Some(state.clone()), ("shop-move", &said(None, None)), "arn:2", Some("arn:1"), now).unwrap();
        assert!(gone.follows && gone.state.unwrap().single.unwrap().opens.is_none());
        let over = State { is_over: true, ..state };
        let again = scheduled(Some(over), ("shop-move", &moved), "arn:3", None, now).unwrap();
        assert!(again.follows && !again.state.unwrap().is_over);
    }

    #[test]
    fn what_users_have_to_expect_is_kept_however_often_the_plan_is_given() {
        let now = at("2026-02-01T00:00:00Z");
        let announcement = serde_json::from_value(json!({ "expected_downtime": 300, "contact": "#moves" })).unwrap();
        let first =
            Cutover { announcement: Some(announcement), ..said(Some("2026-03-07T19:00:00Z"), Some(plan("shop"))) };
        let taken = scheduled(None, ("shop-move", &first), "arn:1", None, now).unwrap();
        let again = said(Some("2026-03-08T19:00:00Z"), Some(plan("shop")));
        let state = State::read("shop-move", &taken.state.unwrap().written().unwrap()).unwrap();
        let taken = scheduled(Some(state), ("shop-move", &again), "arn:1", None, now).unwrap();
        let kept = taken.state.unwrap().single.unwrap().plan.announcement;
        assert_eq!((kept.expected_downtime.map(|time| time.0), kept.contact.as_deref()), (Some(300), Some("#moves")));
    }

    #[test]
    fn what_is_no_date_no_plan_or_a_programmes_is_refused() {
        let now = at("2026-02-01T00:00:00Z");
        let plan = || Some(plan("shop"));
        for (said, problem) in [
            (said(Some("soon"), plan()), "no time"),
            (said(Some("2026-01-01T00:00:00Z"), plan()), "is past"),
            (said(Some("2026-03-01T00:00:00Z"), None), "give the `plan` too"),
            (said(Some("2026-03-01T00:00:00Z"), Some(json!({}))), "name"),
            (Cutover { by: "YOUR NAME".to_owned(), ..said(None, plan()) }, "by"),
        ] {
            let refused = scheduled(None, ("w", &said), "arn:1", None, now).unwrap_err();
            assert!(refused.contains(problem), "{problem}: {refused}");
        }
        let wave = State::opened("w", "p", "arn:1", now);
        let refused = scheduled(Some(wave), ("w", &said(None, plan())), "arn:1", None, now).unwrap_err();
        assert!(refused.contains("plan the programme anew"), "{refused}");
    }

    #[test]
    fn how_far_it_is_is_its_last_runs_word() {
        let opens = Some(at("2026-03-07T19:00:00Z"));
        let run = |began: &str, ended: Option<&str>, is| Seen { began: at(began), ended: ended.map(at), is };
        let old = run("2026-02-01T19:00:00Z", Some("2026-02-01T20:00:00Z"), "before");
        assert_eq!(standing(std::slice::from_ref(&old), opens).0, Run::NotBegun, "another one");
        let going = run("2026-03-07T19:01:00Z", None, "under_way");
        assert_eq!(standing(&[old.clone(), going.clone()], opens).0, Run::Going(going.began));
        assert_eq!(standing(std::slice::from_ref(&going), None).0, Run::NotBegun);
        let over = run("2026-03-07T19:01:00Z", Some("2026-03-07T20:01:00Z"), "new");
        let (run, numbers) = standing(&[old, over], opens);
        assert_eq!((run, &numbers["counts"]["new"], &numbers["took_seconds"]), (Run::Over, &json!(1), &json!(3600)));
    }
}
