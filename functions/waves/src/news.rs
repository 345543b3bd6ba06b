//! What groups of stakeholders hear of a wave: that it is announced, that somebody is asked, that it has begun, that a stage is done, that it stands still or
//! goes on, and how it ended. Pure.
//!
//! What is new is noticed at a look, and remembered with the wave before it is told: told twice it is the same message, which `tell` knows.

use cutover::arn::object_in_console;
use cutover::text::{quoted, shown};
use cutover::told::{self, Told};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::decide::too_many;
use crate::ending::Ending;
use crate::order::Order;
use crate::plan::OnFailures;
use crate::state::{Is, Said, Stage, State};

/// So many applications are told, those that need a person first; the rest is counted.
const MOST_APPLICATIONS: usize = 40;
const MOST_WHY_BYTES: usize = 200;

/// What they have heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    /// That it is announced.
    pub announced: bool,
    /// That somebody is asked.
    pub asked: bool,
    /// That it has begun.
    pub begun: bool,
    /// How many of its stages are done.
    pub stages: usize,
    /// Why it stands still.
    pub held: Option<String>,
    /// That it is over.
    pub ended: bool,
}

/// One thing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// What.
    pub what: What,
    /// When it was noticed.
    pub at: Timestamp,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is about to be checked.
    Announced,
    /// Somebody has to let it go.
    Approval,
    /// Its first cutovers start.
    Begun,
    /// Its stages up to this one are done.
    Stage(usize),
    /// Nothing new starts, or everything goes back.
    Held,
    /// It goes on.
    Resumed,
    /// It is over.
    Ended,
}

impl What {
    /// The event that tells it.
    pub fn event(self) -> &'static str {
        match self {
            Self::Announced => told::wave::ANNOUNCED,
            Self::Approval => told::wave::APPROVAL,
            Self::Begun => told::wave::BEGUN,
            Self::Stage(_) => told::wave::STAGE,
            Self::Held => told::wave::HELD,
            Self::Resumed => told::wave::RESUMED,
            Self::Ended => told::wave::ENDED,
        }
    }
}

/// Notices what is new since the last look. At its end only that is told: what it stood still for stands in it.
pub fn notice(order: &Order, state: &mut State, at: Timestamp) {
    let mut news = Vec::new();
    let heard = &mut state.heard.clone();
    match state.stage {
        Stage::Checking => {
            if !heard.announced || heard.ended {
                news.push(if heard.begun { What::Resumed } else { What::Announced });
            }
            // Where the question is asked anew, it is told anew; and so is its end.
            (heard.announced, heard.asked, heard.ended) = (true, false, false);
        }
        Stage::Asking => {
            if !heard.asked {
                news.push(What::Approval);
            }
            heard.asked = true;
        }
        Stage::Going => going(order, state, heard, &mut news),
        Stage::Over => {
            if !heard.ended {
                news.push(What::Ended);
            }
            (heard.ended, heard.held) = (true, None);
        }
    }
    state.untold.extend(news.into_iter().map(|what| News { what, at }));
    state.heard = heard.clone();
}

fn going(order: &Order, state: &State, heard: &mut Heard, news: &mut Vec<What>) {
    if !heard.begun {
        news.push(What::Begun);
    } else if heard.ended {
        news.push(What::Resumed);
    }
    (heard.begun, heard.ended) = (true, false);
    let done = stages_done(order, state);
    if done > heard.stages && done < order.stages() {
        news.push(What::Stage(done));
    }
    heard.stages = done;
    let held = held(order, state);
    match (&heard.held, &held) {
        (before, Some(now)) if before.as_ref() != Some(now) => news.push(What::Held),
        (Some(_), None) => news.push(What::Resumed),
        _ => {}
    }
    heard.held = held;
}

/// How many stages, from the first on, have nothing left that waits or runs.
fn stages_done(order: &Order, state: &State) -> usize {
    let is_open = |is: Is| matches!(is, Is::Waiting | Is::Checking | Is::Running | Is::RollingBack);
    let members = state.members.iter().zip(&order.members);
    let open = members.filter(|(member, _)| is_open(member.is)).map(|(_, placed)| placed.stage).min();
    open.map_or(order.stages(), |stage| stage.saturating_sub(1))
}

/// Why it stands still; none if it does not.
fn held(order: &Order, state: &State) -> Option<String> {
    let said = |words: &str, said: &Said| {
        shown(&format!("{} {words}: {}", quoted(&said.by, MOST_WHY_BYTES), said.why), MOST_WHY_BYTES)
    };
    if let Some(back) = &state.goes_back {
        return Some(said("has everything put back", back));
    }
    if let Some(stopped) = &state.stopped {
        return Some(said("has stopped it", stopped));
    }
    if order.on_failures == OnFailures::Halt
        && let Some(why) = too_many(order, state)
    {
        return Some(format!("nothing new starts: {why}"));
    }
    state.paused.as_ref().map(|paused| said("has paused it", paused))
}

/// Where the wave's page and its machine are.
#[derive(Clone, Copy, Debug)]
pub struct Where<'a> {
    /// The bucket of reports.
    pub bucket: &'a str,
    /// The machine `wave`.
    pub machine_arn: &'a str,
}

/// What happened, for `tell`.
pub fn told(order: &Order, state: &State, news: &News, place: Where<'_>) -> Told {
    Told {
        run_id: state.id.clone(),
        application: order.wave.clone(),
        event: news.what.event().to_owned(),
        at: news.at,
        detail: detail(order, state, news, place),
        stakeholders: Some(order.stakeholders.clone()),
        ask: None,
    }
}

fn detail(order: &Order, state: &State, news: &News, place: Where<'_>) -> Value {
    let (applications, count) = applications(order, state);
    let said = &order.announcement;
    let ending = state.ending.filter(|_| news.what == What::Ended);
    let stage = if let What::Stage(stage) = news.what { Some(stage) } else { None };
    json!({
        "severity": severity(news.what, ending),
        "stage": stage,
        "stages": order.stages(),
        "opens": order.opens,
        "closes": order.closes,
        "began_at": state.members.iter().filter_map(|member| member.started_at).min(),
        "held": state.heard.held,
        "goes_back": state.goes_back.is_some(),
        "let_go_by": state.approval.as_ref().map(|said| &said.by),
        "within_seconds": order.approval.as_ref().map(|approval| approval.within.0),
        "ending": ending,
        "count": count,
        "applications": applications,
        "counts": counts(state),
        "contact": said.contact,
        "stays": said.stays,
        "expected_downtime_seconds": said.expected_downtime.map(|downtime| downtime.0),
        "watch": said.watch.clone().unwrap_or_else(|| object_in_console(&state.id, place.bucket, &format!("waves/{}.html", order.wave))),
        "survey": said.survey,
        "machine_arn": place.machine_arn,
    })
}

fn severity(what: What, ending: Option<Ending>) -> &'static str {
    match (what, ending) {
        (_, Some(Ending::Stuck)) => "critical",
        (_, Some(Ending::Moved)) => "info",
        (_, Some(_)) | (What::Approval, _) => "warning",
        (What::Held, _) => "warning",
        _ => "info",
    }
}

/// How bad it is: what needs a person first.
fn rank(is: Is) -> usize {
    let order = [
        Is::Stuck,
        Is::RollingBack,
        Is::Back,
        Is::Refused,
        Is::LeftBehind,
        Is::NotStarted,
        Is::Running,
        Is::Checking,
        Is::Waiting,
        Is::Done,
        Is::Moved,
    ];
    order.iter().position(|one| *one == is).unwrap_or(0)
}

/// Each application, what needs a person first; and how many there are.
fn applications(order: &Order, state: &State) -> (Vec<Value>, usize) {
    let mut places: Vec<usize> = (0..state.members.len()).collect();
    places.sort_by_key(|place| (rank(state.members[*place].is), order.members[*place].stage, *place));
    let told = |place: &usize| {
        let (placed, member) = (&order.members[*place], &state.members[*place]);
        let took = member.started_at.filter(|_| member.is == Is::Moved);
        let took = took.and_then(|began| u64::try_from(member.since.duration_since(began).as_secs()).ok());
        let why = crate::ending::why(member).map(|why| shown(why, MOST_WHY_BYTES));
        json!({
            "name": placed.name,
            "owner": placed.owner,
            "strategy": placed.strategy,
            "stage": placed.stage,
            "is": member.is,
            "why": why,
            "took_seconds": took,
            "recovery_seconds": member.recovery_seconds(),
        })
    };
    (places.iter().take(MOST_APPLICATIONS).map(told).collect(), places.len())
}

/// How a wave stands, in numbers as they were measured; for what is told of it while it runs, and a day after.
pub fn standing(order: &Order, state: &State) -> Value {
    let began = state.members.iter().filter_map(|member| member.started_at).min();
    let ended = state.members.iter().map(|member| member.since).max().filter(|_| state.stage == Stage::Over);
    let took = began.zip(ended).and_then(|(began, ended)| u64::try_from(ended.duration_since(began).as_secs()).ok());
    json!({ "counts": counts(state), "count": order.members.len(), "began_at": began, "took_seconds": took })
}

/// How many are where.
fn counts(state: &State) -> Value {
    let count = |wanted: &[Is]| state.members.iter().filter(|member| wanted.contains(&member.is)).count();
    json!({
        "new": count(&[Is::Moved]),
        "done": count(&[Is::Done]),
        "before": count(&[Is::Back, Is::Refused]),
        "not_started": count(&[Is::Waiting, Is::LeftBehind, Is::NotStarted]),
        "under_way": count(&[Is::Checking, Is::Running, Is::RollingBack]),
        "person": count(&[Is::Stuck]),
    })
}

#[cfg(test)]
#[path = "news_tests.rs"]
mod tests;
