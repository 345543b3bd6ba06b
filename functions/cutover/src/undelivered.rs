//! The messages of a run that did not reach a group: what `tell` keeps of them (`undelivered#<run>`), and what the run's summary says. Pure.
//!
//! A message is in it from its first failure until it is sent after all. No address is: a channel is called by its kind, and why it failed is in words
//! of ours or of AWS's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::plan::Moment;
use crate::text::{named, shown};

/// So many are kept: with the longest of reasons, a quarter of what an item has room for.
const MOST_KEPT: usize = 200;
const MOST_WHY_BYTES: usize = 300;
const MOST_NAME_BYTES: usize = 64;

/// All of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// By what tells a message from every other of the run.
    messages: BTreeMap<String, Missed>,
    /// How many more there were when there was no room.
    #[serde(default)]
    more: u64,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// What it tells.
    pub moment: Moment,
    /// Whom.
    pub group: String,
    /// `mail`, `sns`, `chat` or `webhook`.
    pub channel: String,
    /// In words without a secret.
    pub why: String,
}

impl Undelivered {
    /// One could not be sent, for now or for good: the last reason counts.
    pub fn missed(&mut self, message: String, missed: Missed) {
        if self.messages.len() >= MOST_KEPT && !self.messages.contains_key(&message) {
            self.more += 1;
            return;
        }
        let why = shown(&missed.why, MOST_WHY_BYTES);
        self.messages.insert(message, Missed { why, ..missed });
    }

    /// One was sent after all.
    pub fn sent(&mut self, message: &str) {
        self.messages.remove(message);
    }

    /// As it is told: a line for each group, channel and reason, with the moments.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: BTreeMap<(&str, &str, &str), BTreeSet<Moment>> = BTreeMap::new();
        for Missed { moment, group, channel, why } in self.messages.values() {
            lines.entry((group, channel, why)).or_default().insert(*moment);
        }
        let line = |((group, channel, why), moments): ((&str, &str, &str), BTreeSet<Moment>)| {
            let moments: Vec<String> = moments.into_iter().map(|moment| moment.name().replace('_', " ")).collect();
            let group = named(group, MOST_NAME_BYTES);
            format!("not delivered to {group} by {channel}: {}: {why}", moments.join(", "))
        };
        let more = (self.more > 0).then(|| format!("and {} more messages were not delivered", self.more));
        lines.into_iter().map(line).chain(more).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(moment: Moment, group: &str, why: &str) -> Missed {
        Missed { moment, group: group.into(), channel: "webhook".into(), why: why.into() }
    }

    #[test]
    fn what_was_sent_after_all_is_not_in_it_and_the_rest_is_a_line_for_each_reason() {
        let mut all = Undelivered::default();
        for (key, moment) in [("1", Moment::Started), ("2", Moment::StepReached), ("3", Moment::StepReached)] {
            all.missed(key.into(), missed(moment, "board", "the webhook answered 500"));
        }
        all.missed("4".into(), missed(Moment::Started, "on call", "the webhook answered 500"));
        all.missed("4".into(), missed(Moment::Started, "on call", "the webhook answered 404"));
        all.missed("5".into(), missed(Moment::Holding, "board", "denied"));
        all.sent("5");
        all.sent("never known");
        assert_eq!(
            all.lines(),
            [
                "not delivered to board by webhook: started, step reached: the webhook answered 500",
                "not delivered to \"on call\" by webhook: started: the webhook answered 404",
            ]
        );
        let read: Undelivered = serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
        assert_eq!(read, all);
        assert!(Undelivered::default().lines().is_empty());
    }

    #[test]
    fn an_item_has_room_for_all_that_is_kept() {
        let mut all = Undelivered::default();
        for number in 0..1_000 {
            all.missed(format!("{number}{}", "k".repeat(100)), missed(Moment::Started, "board", &"w".repeat(5_000)));
        }
        assert!(serde_json::to_string(&all).unwrap().len() < 120 * 1024);
        assert_eq!(all.lines().last().unwrap(), "and 800 more messages were not delivered");
    }
}
