//! The line: one flag for every run of a deployment. While it is stopped nothing new claims, and what runs holds at its step, under watch. Pure.
//!
//! | a person says | writes | undone by |
//! |---|---|---|
//! | stop | who stopped it, why, when | lift |
//! | lift | that it runs again, and from when to when it stood; every exception is gone | stop |
//! | except | that an application shall go on all the same: asked, not yet so | lift |
//! | approve | that a second person agrees: from now on that application goes on | lift |
//!
//! Rollbacks and cleanups are never stopped: the way back is open whatever the line does. The time that a line stood does not count towards
//! the `timeout` of a run ([`Line::stood_still`]). Who says it is what they write, as with every gesture, and the second person is a second name: that is said with
//! it. CloudTrail has who it was.
//!
//! Each change says the same thing when it is said twice, and changes nothing the second time.

mod gesture;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::gesture::{Approve, Except, Gesture, Said};
use crate::text::quoted;

/// So many stops of the past are remembered, for the deadlines of runs that were under way: a run lives for days.
const MOST_PAST: usize = 50;
const MOST_WHY_BYTES: usize = 400;
/// While it stands, a run that it holds is looked at at least so often.
const MOST_WAIT_SECONDS: u64 = 600;

/// The line as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// By whom it was stopped, where it is.
    pub stopped: Option<Stop>,
    /// Applications that go on all the same, or shall: of this stop only.
    pub exceptions: Vec<Exception>,
    /// When it stood before, the newest last.
    pub past: Vec<Past>,
}

/// Who stopped it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// An application that shall go on although the line is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Which.
    pub application: String,
    /// Who asked for it.
    pub asked_by: String,
    /// Why.
    pub why: String,
    /// When it was asked.
    pub at: Timestamp,
    /// The second person who agreed; without one nothing goes on.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// A time in which it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When it was stopped.
    pub from: Timestamp,
    /// When that was lifted.
    pub to: Timestamp,
}

impl Line {
    /// Why an application's run is not to go on, in words for whoever looks at it; none where it may. Nothing in it changes as time goes by.
    pub fn holds(&self, application: &str) -> Option<String> {
        let stop = self.stopped.as_ref()?;
        let excepted = self.exceptions.iter().find(|exception| exception.application == application);
        let asked = match excepted {
            Some(Exception { approved_by: Some(_), .. }) => return None,
            Some(exception) => format!(
                "; an exception for it was asked by {}, and a second person has to approve it",
                quoted(&exception.asked_by, MOST_WHY_BYTES)
            ),
            None => String::new(),
        };
        Some(format!("{}{asked}", stop.words()))
    }

    /// How long the line has stood between two moments: that much longer a run may take.
    pub fn stood_still(&self, since: Timestamp, now: Timestamp) -> SignedDuration {
        let present = self.stopped.iter().map(|stop| Past { from: stop.at, to: now });
        let within = |past: Past| past.to.min(now).duration_since(past.from.max(since)).max(SignedDuration::ZERO);
        self.past.iter().copied().chain(present).map(within).sum()
    }

    /// How long to wait until a run that it holds is looked at again. The longer it stands the longer, as each look is kept in the history of
    /// the run's execution, and that has an end: a tenth of the time, from `interval_seconds` to ten minutes.
    pub fn wait_seconds(&self, interval_seconds: u64, now: Timestamp) -> u64 {
        let stood = self.stopped.as_ref().map_or(SignedDuration::ZERO, |stop| now.duration_since(stop.at));
        let tenth = u64::try_from(stood.as_secs() / 10).unwrap_or(0);
        interval_seconds.max(tenth.min(MOST_WAIT_SECONDS))
    }
}

impl Stop {
    /// Who, since when and why.
    pub fn words(&self) -> String {
        let [by, why] = [&self.by, &self.why].map(|text| quoted(text, MOST_WHY_BYTES));
        format!("the line is stopped by {by} since {}: {why}", self.at.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

#[cfg(test)]
mod tests;
