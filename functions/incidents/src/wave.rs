//! One incident for all runs of a wave that go back of one cause. Pure.
//!
//! What goes wrong in many applications at once is one thing to those who are called: so the runs of a wave whose rollbacks were begun for the same error
//! share an incident, however many they are. The first one opens it, and those that come before its first message are in that; whatever comes later is told
//! in one message with what else has come, not more often than every [`GATHERED_SECONDS`]. What a person says is told at once, as always.
//!
//! It ends by itself once all of them are back and for [`LINGERS_SECONDS`] no other one has come: what fails in between is not yet another incident. A run
//! that needs a person makes it critical. A run's own incident is a [`Pointer`] to this one.

use cutover::error::name;
use cutover::plan::{Group, Stakeholders};
use cutover::text::{named, shown};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::asked::Event;
use crate::incident::{Incident, Severity, Status, Update};
use crate::means::{Means, means};
use crate::taken::{ITSELF, OfRun, Taken, blank, id_of, with_update};
use crate::timing::Timing;

/// Between two messages about what nobody has said: four of them are within the first ten minutes.
pub const GATHERED_SECONDS: u32 = 150;
/// So long one stays open after the last of its runs is back.
pub const LINGERS_SECONDS: u32 = 600;
/// An item of DynamoDB has 400 KB, and a run less than 600 bytes.
pub const MOST_RUNS: usize = 500;
/// So many incidents of one wave and one cause are looked through for one that is open.
pub const MOST_PARTS: u32 = 50;
const MOST_NAME_BYTES: usize = 64;
const MOST_WHY_BYTES: usize = 160;
/// Rollbacks of one run whose end is known.
const MOST_ENDED: usize = 4;
/// What nobody has named.
const NO_CAUSE: &str = "stopped";

/// In the place of a run's own incident: which one it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    /// The incident's id.
    pub within: String,
}

/// How far a run of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A person is needed.
    Left,
    /// Its rollback is at work.
    GoesBack,
    /// Nothing of it is left to put back.
    Over,
}

/// A run of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its execution's ARN.
    pub run_id: String,
    /// The application's name.
    pub application: String,
    /// How far it is.
    pub standing: Standing,
    /// Why it goes back, or what is left.
    pub why: String,
    /// The rollbacks whose end is known: what is told of them late changes nothing.
    #[serde(default)]
    pub ended: Vec<String>,
}

/// What an incident of a wave has beside others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfWave {
    /// The wave's id.
    pub wave: String,
    /// The error's name.
    pub cause: String,
    /// The runs, as they came.
    pub members: Vec<Member>,
    /// When one has come, or has changed, last.
    pub changed_at: Timestamp,
    /// Who hears of them, together.
    pub stakeholders: Stakeholders,
}

impl OfWave {
    /// Whether nothing of any of them is left to put back.
    pub fn is_over(&self) -> bool {
        self.members.iter().all(|member| member.standing == Standing::Over)
    }

    fn count(&self, standing: Standing) -> usize {
        self.members.iter().filter(|member| member.standing == standing).count()
    }

    /// What users have of it.
    fn impact(&self) -> &'static str {
        if self.count(Standing::Left) > 0 {
            "Some of the traffic of those that need a person may not be where it should be."
        } else if self.count(Standing::GoesBack) > 0 {
            "Their traffic is moved back to the old side. Until then some of it may be on the new one."
        } else {
            "None any more: nothing of them is left to put back."
        }
    }

    /// In a sentence.
    fn sum(&self) -> String {
        let all = self.members.len();
        let part = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            part(self.count(Standing::Left), "needs a person", "need a person"),
            part(self.count(Standing::GoesBack), "goes back", "go back"),
            part(self.count(Standing::Over), "is back", "are back"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("of {all} {}, {}", if all == 1 { "cutover" } else { "cutovers" }, parts.join(", "))
    }
}

/// A run of a wave that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The run.
    pub run: OfRun,
    /// Its wave.
    pub wave: String,
    /// Why, as its rollback was told: the state, the error's name, and what it said.
    pub why: Option<String>,
    /// Who hears of it.
    pub stakeholders: Stakeholders,
}

/// The cause, by which runs belong together: the error's name in `Monitor: Cutover.Unhealthy: p95 of ...`.
pub fn cause(why: Option<&str>) -> String {
    let parts = why.unwrap_or_default().split(": ");
    let name =
        parts.take(2).find(|part| part.split_once('.').is_some_and(|(room, name)| is_name(room) && is_name(name)));
    shown(name.unwrap_or(NO_CAUSE), MOST_NAME_BYTES)
}

/// The same in a person's words, where there are some.
fn in_words(cause: &str) -> String {
    let words = match cause {
        name::UNHEALTHY => "the new side is not healthy",
        name::INCONCLUSIVE => "there is no data to judge by",
        name::DRIFT => "somebody else has changed a route",
        name::NOT_PERMITTED => "AWS denies what has to be done",
        name::DEADLINE_EXCEEDED => "the time is over",
        NO_CAUSE => "they were stopped",
        other => return named(other, MOST_NAME_BYTES),
    };
    words.to_owned()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The id of a wave's incident of a cause: the next part where one is over, or full.
pub fn id_of_part(wave: &str, cause: &str, part: u32) -> String {
    id_of(&format!("wave\n{wave}\n{cause}\n{part}"))
}

/// What becomes of an incident that a run may belong to; none where it belongs to the next one.
pub fn joined(
    incident: Option<Incident>,
    id: &str,
    event: &Event,
    failure: &Failure,
    me: &str,
    timing: &Timing,
    now: Timestamp,
) -> Option<Taken> {
    let means = means(event);
    let is_new = incident.is_none();
    let mut incident = match incident {
        Some(incident) => incident,
        None if means == Means::Nothing => return Some(nothing("nothing went back")),
        None => opened(id, failure, me, timing, now),
    };
    let of_wave = incident.of_wave.as_ref()?;
    let is_member = of_wave.members.iter().any(|member| member.run_id == failure.run.run_id);
    if !is_member {
        if incident.is_resolved() || of_wave.members.len() >= MOST_RUNS {
            return None;
        }
        if means == Means::Nothing {
            return Some(nothing("nothing went back"));
        }
        incident = with_member(incident, failure, now);
    }
    let taken = told_of(incident, event, &means, &failure.run.run_id, me, now);
    Some(Taken { follows: is_new || taken.follows, ..taken })
}

fn nothing(said: &str) -> Taken {
    Taken { incident: None, follows: false, said: said.to_owned() }
}

fn opened(id: &str, failure: &Failure, me: &str, timing: &Timing, now: Timestamp) -> Incident {
    let (wave, cause) = (named(&failure.wave, MOST_NAME_BYTES), cause(failure.why.as_deref()));
    let first_at = now + SignedDuration::from_secs(i64::from(timing.first_after_seconds));
    Incident {
        title: format!("Cutovers of {wave} go back: {}", in_words(&cause)),
        description: format!(
            "Rollbacks of the same wave were begun for the same reason ({cause}). What was found in each stands beside its name."
        ),
        next_steps: "The rollbacks work by themselves. See what they have in common before any of them is tried again."
            .to_owned(),
        of_wave: Some(OfWave {
            wave: failure.wave.clone(),
            cause,
            members: Vec::new(),
            changed_at: now,
            stakeholders: failure.stakeholders.clone(),
        }),
        ..blank(id, me, Severity::High, now, first_at)
    }
}

fn with_member(mut incident: Incident, failure: &Failure, now: Timestamp) -> Incident {
    if let Some(of_wave) = &mut incident.of_wave {
        of_wave.members.push(Member {
            run_id: failure.run.run_id.clone(),
            application: failure.run.application.clone(),
            standing: Standing::GoesBack,
            why: shown(
                failure.why.as_deref().unwrap_or("a person has stopped it, or it ended without a word"),
                MOST_WHY_BYTES,
            ),
            ended: Vec::new(),
        });
        of_wave.stakeholders = together(&of_wave.stakeholders, &failure.stakeholders);
    }
    summed_up(incident, now)
}

/// Who hears of either. Of groups with one name the first one is told: see [`is_told`].
fn together(one: &Stakeholders, other: &Stakeholders) -> Stakeholders {
    let of_stack = match (&one.of_stack, &other.of_stack) {
        (Some(one), Some(other)) => {
            Some(one.iter().chain(other.iter().filter(|name| !one.contains(name))).cloned().collect())
        }
        _ => None,
    };
    let is_new = |group: &&Group| one.groups.iter().all(|known| known.name != group.name);
    Stakeholders { of_stack, groups: one.groups.iter().chain(other.groups.iter().filter(is_new)).cloned().collect() }
}

/// Whether a group that would hear of a run's ending hears of its wave's incident in its place: the very same group, by the same channels.
pub fn is_told(group: &Group, hearers: &[&Group]) -> bool {
    group.hears(cutover::plan::Moment::Incident) && hearers.contains(&group)
}

/// What an event of a run's rollback makes of its wave's incident.
fn told_of(incident: Incident, event: &Event, means: &Means, run_id: &str, me: &str, now: Timestamp) -> Taken {
    let mut incident = incident;
    let name = cutover::arn::execution_name(&event.execution_arn).to_owned();
    let found =
        incident.of_wave.as_mut().and_then(|of_wave| of_wave.members.iter_mut().find(|member| member.run_id == run_id));
    let Some(member) = found else { return nothing("it is none of its runs") };
    if member.ended.contains(&name) {
        return nothing("its end is known");
    }
    let before = member.standing;
    match means {
        Means::Begins => {}
        // Another one may be at it.
        Means::Nothing if before == Standing::Left => {}
        Means::Back | Means::Nothing => member.standing = Standing::Over,
        Means::Left(why) => (member.standing, member.why) = (Standing::Left, shown(why, MOST_WHY_BYTES)),
    }
    if *means != Means::Begins {
        member.ended.push(name);
        let first = member.ended.len().saturating_sub(MOST_ENDED);
        member.ended.drain(..first);
    }
    let (after, is_left) = (member.standing, matches!(means, Means::Left(_)));
    if after != before || is_left {
        return changed(incident, is_left, me, now);
    }
    Taken { incident: Some(incident), follows: false, said: "it is in its wave's incident".to_owned() }
}

/// A run of it stands otherwise than before.
fn changed(mut incident: Incident, is_left: bool, me: &str, now: Timestamp) -> Taken {
    let is_dead = incident.is_resolved();
    if is_left {
        incident.severity = Severity::Critical;
        incident.next_steps = "Say that you look after it. What is left of each, and the commands that put it right, are in the operators' message of its run."
            .to_owned();
    }
    if is_left && is_dead {
        // Back from the dead, and told from its beginning.
        (incident.owner, incident.first_at, incident.turns) = (me.to_owned(), now, incident.turns + 1);
        if let Some(heard) = &mut incident.heard {
            heard.is_end_told = false;
        }
    }
    if is_dead && !is_left {
        return Taken { incident: Some(incident), follows: false, said: "noted".to_owned() };
    }
    Taken {
        incident: Some(summed_up(incident, now)),
        follows: is_left && is_dead,
        said: "noted for its wave".to_owned(),
    }
}

/// With what is so of all of them, in the place of what was not told yet.
fn summed_up(mut incident: Incident, now: Timestamp) -> Incident {
    let Some(of_wave) = &mut incident.of_wave else { return incident };
    of_wave.changed_at = now.max(of_wave.changed_at);
    let by_itself = if of_wave.count(Standing::Left) > 0 { Status::Identified } else { Status::Investigating };
    let text = of_wave.sum();
    incident.impact = of_wave.impact().to_owned();
    // What a person has said stays.
    let status = match incident.status() {
        Status::Investigating | Status::Resolved => by_itself,
        said => said,
    };
    let told = incident.heard.as_ref().map_or(0, |heard| heard.updates);
    let is_untold = incident.updates.len() > told && incident.updates.last().is_some_and(|last| last.by == ITSELF);
    if is_untold {
        incident.updates.pop();
    }
    let at = incident.moment(now);
    with_update(incident, Update { at, status, text, by: ITSELF.to_owned() })
}

/// A run of it of which the journal says that nothing is left to put back: no event tells of one that a person releases.
pub fn run_is_over(incident: &Incident, run_id: &str, now: Timestamp) -> Option<Incident> {
    let mut incident = incident.clone();
    let of_wave = incident.of_wave.as_mut()?;
    let member = of_wave.members.iter_mut().find(|member| member.run_id == run_id)?;
    if member.standing == Standing::Over {
        return None;
    }
    member.standing = Standing::Over;
    Some(summed_up(incident, now))
}

/// One that has nothing left to wait for is over.
pub fn ended(incident: &Incident, now: Timestamp) -> Option<Incident> {
    let of_wave = incident.of_wave.as_ref().filter(|_| !incident.is_resolved())?;
    if now < ends_at(of_wave)? {
        return None;
    }
    let mut incident = incident.clone();
    incident.turns += 1;
    incident.impact = "None any more.".to_owned();
    let text = format!("nothing of them is left to put back: {}", of_wave.sum());
    let update = Update { at: incident.moment(now), status: Status::Resolved, text, by: ITSELF.to_owned() };
    Some(with_update(incident, update))
}

/// When it ends by itself, if nothing else comes; none while something is left to do.
pub fn ends_at(of_wave: &OfWave) -> Option<Timestamp> {
    let lingers = SignedDuration::from_secs(i64::from(LINGERS_SECONDS));
    of_wave.is_over().then(|| of_wave.changed_at + lingers)
}

#[cfg(test)]
#[path = "wave_tests.rs"]
mod tests;
