//! What is told next of an incident, to whom, and when. Pure.
//!
//! Those who respond have levels, from 1; those who are informed have none, and hear of severe ones only, and then until it is over.
//!
//! | message | due | who respond | who are informed |
//! |---|---|---|---|
//! | first | when it is open for `first_after_seconds` | level 1 | yes |
//! | change | when somebody said something | all who were told | yes, and if they were told before |
//! | escalation | when nobody looks after it for `escalate_seconds` | the next level that somebody has, and all before | no |
//! | acknowledgement is over | `acknowledged_seconds` after it, if severe | all who were told | no |
//! | repeat | when nobody looks after it, every `repeat_seconds` | all who were told | no |
//! | still open | every `inform_seconds` | no | yes |
//! | end | when it is resolved | all who were told | if they were told |
//!
//! Of an incident of several runs ([`wave`]) what nobody has said is told every [`wave::GATHERED_SECONDS`] at the most.
//!
//! An incident that is resolved before its first message was none to those who would have heard of it. A message's time is when it was due, not when
//! the look came: so a look that is repeated tells the same message, which `tell` knows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::incident::{Acknowledged, Heard, Incident};
use crate::taken::ITSELF;
use crate::timing::Timing;
use crate::wave;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It has begun.
    First,
    /// Somebody said something.
    Change,
    /// Nobody looks after it, and the next level is called.
    Escalation,
    /// Who looked after it may not any more.
    AcknowledgementOver,
    /// Nobody looks after it.
    Repeat,
    /// Nothing has changed.
    StillOpen,
    /// It is over.
    End,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: Kind,
    /// When it was due.
    pub at: Timestamp,
    /// Those who respond hear it up to this level; none of them.
    pub up_to_level: Option<u8>,
    /// Whether those hear it who do not respond.
    pub informs: bool,
    /// From now on it is repeated less often, every so many seconds: said once.
    pub slower_seconds: Option<u32>,
}

/// What is due at `now`, if anything, and otherwise when the next look is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This.
    Now(Message),
    /// Nothing before then.
    Then(Timestamp),
    /// Nothing any more.
    Nothing,
}

/// The levels that somebody has: what nobody has is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels(u32);

impl Levels {
    /// Of those who respond; the first one where nobody does.
    pub fn of(groups: impl Iterator<Item = u8>) -> Self {
        let all = groups.filter(|level| (1..32).contains(level)).fold(0, |all, level| all | 1 << level);
        Self(if all == 0 { 1 << 1 } else { all })
    }

    /// The next one after a level.
    fn after(self, level: u8) -> Option<u8> {
        (level.saturating_add(1)..32).find(|next| self.0 & (1 << next) != 0)
    }
}

/// As many, from the first on.
impl From<u8> for Levels {
    fn from(count: u8) -> Self {
        Self::of(1..=count)
    }
}

/// What is due.
pub fn due(incident: &Incident, timing: &Timing, levels: impl Into<Levels>, now: Timestamp) -> Due {
    let levels = levels.into();
    let is_severe = incident.severity.is_severe();
    let Some(heard) = &incident.heard else {
        return match incident.is_resolved() {
            true => Due::Nothing,
            false => at(message(Kind::First, incident.first_at, levels.after(0), is_severe), now),
        };
    };
    if heard.is_end_told {
        return Due::Nothing;
    }
    let all = Some(heard.level);
    let said_at = incident.updates.last().map_or(incident.opened_at, |update| update.at);
    if incident.is_resolved() {
        return Due::Now(message(Kind::End, said_at, all, heard.informed_at.is_some()));
    }
    if heard.updates < incident.updates.len() {
        let change_at = if is_gathered(incident, heard) { said_at.max(gathered(heard)) } else { said_at };
        // Who was informed hears that it is not so bad any more, too.
        return at(message(Kind::Change, change_at, all, is_severe || heard.informed_at.is_some()), now);
    }
    if let Some(ends_at) = incident.of_wave.as_ref().and_then(wave::ends_at) {
        // Nothing is left to do: nobody is called again, but for what comes.
        return Due::Then(ends_at.max(now + SignedDuration::from_secs(1)));
    }
    let candidates = [attention(incident, heard, timing, levels, now), informing(incident, heard, timing, now)];
    let earliest = candidates.into_iter().flatten().min_by_key(|message| message.at);
    earliest.map_or(Due::Then(now + SignedDuration::from_hours(1)), |message| {
        at(slower(message, incident, heard, timing), now)
    })
}

fn at(message: Message, now: Timestamp) -> Due {
    if message.at <= now { Due::Now(message) } else { Due::Then(message.at) }
}

fn message(kind: Kind, at: Timestamp, up_to_level: Option<u8>, informs: bool) -> Message {
    Message { kind, at, up_to_level, informs, slower_seconds: None }
}

/// Whether nobody has spoken, of an incident of several runs: then what has come since the last message is told with what else comes.
fn is_gathered(incident: &Incident, heard: &Heard) -> bool {
    let untold = incident.updates.iter().skip(heard.updates);
    incident.of_wave.is_some() && untold.clone().all(|update| update.by == ITSELF)
}

/// When that is told at the earliest.
fn gathered(heard: &Heard) -> Timestamp {
    let last = heard.informed_at.map_or(heard.responders_at, |at| at.max(heard.responders_at));
    after(last, wave::GATHERED_SECONDS)
}

/// For those who respond, while nothing is said.
fn attention(incident: &Incident, heard: &Heard, timing: &Timing, levels: Levels, now: Timestamp) -> Option<Message> {
    let (severity, all) = (incident.severity, Some(heard.level));
    if let Some(Acknowledged { at, .. }) = &incident.acknowledged {
        let over = after(*at, timing.acknowledged_seconds);
        return severity.is_severe().then(|| message(Kind::AcknowledgementOver, over, all, false));
    }
    let repeat_at = latest(heard.responders_at, interval(incident, heard, timing), now);
    let repeat = message(Kind::Repeat, repeat_at, all, false);
    let Some(level) = levels.after(heard.level) else { return Some(repeat) };
    let escalate_at = after(heard.level_at, timing.escalate_seconds.of(severity));
    let escalate_at = if incident.of_wave.is_some() { escalate_at.max(gathered(heard)) } else { escalate_at };
    if escalate_at > repeat_at {
        return Some(repeat);
    }
    Some(message(Kind::Escalation, escalate_at, Some(level), false))
}

/// For those who do not.
fn informing(incident: &Incident, heard: &Heard, timing: &Timing, now: Timestamp) -> Option<Message> {
    let last = heard.informed_at.filter(|_| incident.severity.is_severe())?;
    Some(message(Kind::StillOpen, latest(last, timing.inform_seconds, now), None, true))
}

/// How often it is repeated at first.
fn usual(incident: &Incident, timing: &Timing) -> u32 {
    let usual = timing.repeat_seconds.of(incident.severity);
    if incident.of_wave.is_some() { usual.max(wave::GATHERED_SECONDS) } else { usual }
}

/// How often it is repeated to those who respond.
fn interval(incident: &Incident, heard: &Heard, timing: &Timing) -> u32 {
    let usual = usual(incident, timing);
    let slow_from = after(incident.opened_at, timing.slower_after_seconds);
    if after(heard.responders_at, usual) <= slow_from { usual } else { usual.max(timing.slower_repeat_seconds) }
}

/// The first message to those who respond once it is repeated less often says so.
fn slower(message: Message, incident: &Incident, heard: &Heard, timing: &Timing) -> Message {
    let usual = usual(incident, timing);
    let is_slower = timing.slower_repeat_seconds > usual;
    let is_late = message.at >= after(incident.opened_at, timing.slower_after_seconds);
    let says = is_slower && is_late && !heard.is_slower_said && message.up_to_level.is_some();
    Message { slower_seconds: says.then_some(timing.slower_repeat_seconds), ..message }
}

/// The latest of the times at which something was due: of those that were missed, one is made up for.
fn latest(last: Timestamp, every_seconds: u32, now: Timestamp) -> Timestamp {
    let every = i64::from(every_seconds.max(1));
    let passed = now.duration_since(last).as_secs() / every;
    last + SignedDuration::from_secs(every * passed.max(1))
}

fn after(at: Timestamp, seconds: u32) -> Timestamp {
    at + SignedDuration::from_secs(i64::from(seconds))
}

/// When the next message comes, unless something changes before; none where nothing comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// To those who respond.
    pub responders: Option<Timestamp>,
    /// To those who do not.
    pub informed: Option<Timestamp>,
}

/// What comes next after what was told at `at`.
pub fn next(incident: &Incident, timing: &Timing, levels: impl Into<Levels>, at: Timestamp) -> Next {
    let levels = levels.into();
    let waits = incident.of_wave.as_ref().and_then(wave::ends_at).is_some();
    let heard = incident.heard.as_ref().filter(|heard| !heard.is_end_told && !waits);
    Next {
        responders: heard.and_then(|heard| attention(incident, heard, timing, levels, at)).map(|next| next.at),
        informed: heard.and_then(|heard| informing(incident, heard, timing, at)).map(|next| next.at),
    }
}

/// The incident once a message of it was told.
pub fn told(mut incident: Incident, message: &Message) -> Incident {
    let Message { kind, at, up_to_level, informs, slower_seconds } = *message;
    let updates = incident.updates.len();
    let mut heard = incident.heard.take().unwrap_or(Heard {
        level: up_to_level.unwrap_or(1),
        level_at: at,
        responders_at: at,
        informed_at: None,
        updates,
        is_slower_said: false,
        is_end_told: false,
    });
    if let Some(level) = up_to_level {
        heard.responders_at = at;
        heard.level = level;
    }
    if informs {
        heard.informed_at = Some(at);
    }
    match kind {
        Kind::First | Kind::Change => heard.updates = updates,
        Kind::Escalation => heard.level_at = at,
        Kind::AcknowledgementOver => {
            heard.level_at = at;
            incident.acknowledged = None;
        }
        Kind::End => heard.is_end_told = true,
        Kind::Repeat | Kind::StillOpen => {}
    }
    heard.is_slower_said |= slower_seconds.is_some();
    incident.heard = Some(heard);
    incident
}

#[cfg(test)]
mod tests;
