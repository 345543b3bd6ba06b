//! Whether a message is sent now. Pure.

use jiff::{SignedDuration, Timestamp};
use journal::Phase;
use serde::{Deserialize, Serialize};

/// A claim that is older has nobody behind it: this function's time-out is 30 s. Lambda's second try comes later than this.
pub(crate) const CLAIM_LASTS: SignedDuration = SignedDuration::from_secs(120);

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// Since when.
    pub(crate) at: Timestamp,
    /// How often it was claimed.
    pub(crate) claims: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Somebody is about to send it.
    Claimed,
    /// It was accepted.
    Sent,
    /// It was not accepted, and may be later.
    Failed,
    /// It was not accepted, and will not be.
    Refused,
    /// There was no answer.
    Unknown,
}

/// What a call does about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It sends it.
    Send {
        /// Whether it may have been sent before.
        may_be_repeat: bool,
        /// Whether it was tried before.
        is_again: bool,
    },
    /// Nothing is left to do.
    Leave,
    /// Another call is at it, or was cut off a moment ago.
    Wait,
}

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was accepted.
    Sent,
    /// It was not.
    Failed {
        /// In words without a secret.
        why: String,
        /// Whether it never will be.
        is_final: bool,
    },
    /// There was no answer.
    Unknown {
        /// In words without a secret.
        why: String,
    },
}

impl Outcome {
    /// Whether it has to be tried again.
    pub(crate) fn is_left(&self) -> bool {
        matches!(self, Self::Failed { is_final: false, .. } | Self::Unknown { .. })
    }

    /// Why it was not sent, as far as is known.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Sent => None,
            Self::Failed { why, .. } | Self::Unknown { why } => Some(why),
        }
    }

    fn state(&self) -> State {
        match self {
            Self::Sent => State::Sent,
            Self::Failed { is_final: true, .. } => State::Refused,
            Self::Failed { .. } => State::Failed,
            Self::Unknown { .. } => State::Unknown,
        }
    }
}

/// Whether what a message asks is decided, by where its run is (none: nobody has claimed it). Sent late, it would open again what the run's next
/// messages have resolved.
pub(crate) fn is_decided(event: &str, phase: Option<Phase>) -> bool {
    match event {
        "approval" => phase.is_some(),
        "load_test" | "holding" => phase.is_some_and(|phase| !matches!(phase, Phase::Claimed | Phase::Forward)),
        _ => false,
    }
}

/// Whose turn it is.
pub(crate) fn turn(standing: Option<&Standing>, now: Timestamp) -> Turn {
    let Some(standing) = standing else { return Turn::Send { may_be_repeat: false, is_again: false } };
    let again = |may_be_repeat| Turn::Send { may_be_repeat, is_again: true };
    match standing.state {
        State::Sent | State::Refused => Turn::Leave,
        State::Failed => again(false),
        State::Unknown => again(true),
        State::Claimed if now.duration_since(standing.at) > CLAIM_LASTS => again(true),
        State::Claimed => Turn::Wait,
    }
}

/// What is remembered before a message is sent. What may have been sent once may have been ever after.
pub(crate) fn claimed(before: Option<&Standing>, now: Timestamp) -> Standing {
    Standing { state: State::Claimed, at: now, claims: before.map_or(0, |standing| standing.claims) + 1, why: None }
}

/// What is remembered after.
pub(crate) fn after(claims: u32, outcome: &Outcome, now: Timestamp) -> Standing {
    Standing { state: outcome.state(), at: now, claims, why: outcome.why().map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_is_not_asked_late() {
        for (event, phase, expected) in [
            ("approval", None, false),
            ("approval", Some(Phase::Claimed), true),
            ("holding", Some(Phase::Forward), false),
            ("holding", Some(Phase::RollingBack), true),
            ("load_test", Some(Phase::Finished), true),
            ("stuck", Some(Phase::Stuck), false),
        ] {
            assert_eq!(is_decided(event, phase), expected, "{event} {phase:?}");
        }
    }

    #[test]
    fn a_message_is_sent_once_and_again_only_where_it_was_not_or_may_not_have_been() {
        let now: Timestamp = "2026-11-26T22:00:00Z".parse().unwrap();
        let since =
            |state, seconds| Standing { state, at: now - SignedDuration::from_secs(seconds), claims: 1, why: None };
        let send = |may_be_repeat| Turn::Send { may_be_repeat, is_again: true };
        assert_eq!(turn(None, now), Turn::Send { may_be_repeat: false, is_again: false });
        for (state, seconds, expected) in [
            (State::Sent, 10_000, Turn::Leave),
            (State::Refused, 10_000, Turn::Leave),
            (State::Failed, 1, send(false)),
            (State::Unknown, 1, send(true)),
            (State::Claimed, 120, Turn::Wait),
            (State::Claimed, 121, send(true)),
            (State::Claimed, -5, Turn::Wait), // another machine's clock
        ] {
            assert_eq!(turn(Some(&since(state, seconds)), now), expected, "{state:?} {seconds}");
        }
    }

    #[test]
    fn what_came_of_it_is_remembered() {
        let now: Timestamp = "2026-11-26T22:00:00Z".parse().unwrap();
        let failed = |is_final| Outcome::Failed { why: "denied".to_owned(), is_final };
        let unknown = Outcome::Unknown { why: "no answer".to_owned() };
        for (outcome, state, is_left) in [
            (Outcome::Sent, State::Sent, false),
            (failed(true), State::Refused, false),
            (failed(false), State::Failed, true),
            (unknown, State::Unknown, true),
        ] {
            let standing = after(2, &outcome, now);
            assert_eq!((standing.state, standing.claims, outcome.is_left()), (state, 2, is_left));
            assert_eq!(standing.why.as_deref(), outcome.why());
        }
        let first = claimed(None, now);
        assert_eq!((first.state, first.claims, claimed(Some(&first), now).claims), (State::Claimed, 1, 2));
    }
}
