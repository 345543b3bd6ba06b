//! When people hear of an incident again: times by severity, which a stack may set. Pure.

use serde::{Deserialize, Serialize};

use crate::incident::Severity;

/// Seconds, by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BySeverity {
    /// Of low ones.
    pub low: u32,
    /// Of medium ones.
    pub medium: u32,
    /// Of high ones.
    pub high: u32,
    /// Of critical ones.
    pub critical: u32,
}

impl BySeverity {
    /// Of this one, in seconds.
    pub fn of(&self, severity: Severity) -> u32 {
        match severity {
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }
}

/// All of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// How often those who respond hear of one that nobody looks after.
    pub repeat_seconds: BySeverity,
    /// How long each level has, before the next one is called.
    pub escalate_seconds: BySeverity,
    /// How often those who do not respond hear of a severe one, when nothing changes.
    pub inform_seconds: u32,
    /// How long an acknowledgement of a severe one lasts.
    pub acknowledged_seconds: u32,
    /// Open for longer than this, it is repeated less often.
    pub slower_after_seconds: u32,
    /// That is so often, where it was more often before.
    pub slower_repeat_seconds: u32,
    /// How long an incident that opened by itself waits for more of the same, or for its own end, before anybody is told.
    pub first_after_seconds: u32,
}

const MINUTE: u32 = 60;

impl Default for Timing {
    fn default() -> Self {
        let minutes = |low, medium, high, critical| BySeverity {
            low: low * MINUTE,
            medium: medium * MINUTE,
            high: high * MINUTE,
            critical: critical * MINUTE,
        };
        Self {
            repeat_seconds: minutes(30, 15, 5, 2),
            escalate_seconds: minutes(60, 30, 15, 5),
            inform_seconds: 30 * MINUTE,
            acknowledged_seconds: 30 * MINUTE,
            slower_after_seconds: 120 * MINUTE,
            slower_repeat_seconds: 15 * MINUTE,
            first_after_seconds: 30,
        }
    }
}

impl Timing {
    /// Reads the environment's text: an object with those that differ from the default.
    ///
    /// # Errors
    /// Names the field that is wrong, and what it may be.
    pub fn read(text: &str) -> Result<Self, String> {
        let timing: Self = serde_json::from_str(text).map_err(|error| format!("INCIDENTS: {error}"))?;
        let each = [timing.repeat_seconds, timing.escalate_seconds];
        let of_each = each.iter().flat_map(|each| Severity::ALL.map(|severity| each.of(severity)));
        let others = [timing.inform_seconds, timing.acknowledged_seconds, timing.slower_repeat_seconds];
        if of_each.chain(others).any(|seconds| seconds < MINUTE) {
            return Err("INCIDENTS: each time between messages should be 60 s or more".to_owned());
        }
        if timing.first_after_seconds > MINUTE - 10 {
            return Err(
                "INCIDENTS: first_after_seconds should be 50 at the most: the first message comes within a minute"
                    .to_owned(),
            );
        }
        Ok(timing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_sets_what_differs_and_is_told_what_is_wrong() {
        assert_eq!(Timing::read("{}"), Ok(Timing::default()));
        let set = Timing::read(r#"{"inform_seconds": 600}"#).unwrap();
        assert_eq!((set.inform_seconds, set.acknowledged_seconds), (600, 1_800));
        assert!(Timing::read(r#"{"inform": 600}"#).unwrap_err().contains("unknown field `inform`"));
        assert!(Timing::read(r#"{"inform_seconds": 59}"#).unwrap_err().contains("60 s or more"));
        assert!(Timing::read(r#"{"first_after_seconds": 60}"#).unwrap_err().contains("50 at the most"));
    }
}
