//! How long a run took to put its routes back: from the first of the looks that turned it back. Pure.

use jiff::Timestamp;

use crate::Call;

/// The states that look at a step.
pub const LOOKS: [&str; 2] = ["WatchSettling", "Monitor"];

/// From when until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The first look at which something was wrong, of those in a row that turned the run back.
    pub first_bad_look_at: Timestamp,
    /// The last call that put a route back.
    pub restored_at: Timestamp,
}

impl Recovery {
    /// How long that was.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.restored_at.as_second() - self.first_bad_look_at.as_second()).unwrap_or(0)
    }
}

/// None of a run that no look turned back, or of which nothing was put back.
pub fn recovery(calls: &[Call]) -> Option<Recovery> {
    let (mut bad, mut restored) = (None, None);
    for call in calls {
        if LOOKS.contains(&call.state.as_str()) {
            bad = is_bad(call).then(|| bad.unwrap_or(call.at));
        }
        let changed = call.answer.as_ref().is_ok_and(|reply| reply["changed"] == true);
        if changed && ["RestoreListener", "RestoreRecords"].contains(&call.state.as_str()) {
            restored = Some(call.at);
        }
    }
    let (first_bad_look_at, restored_at) = bad.zip(restored)?;
    Some(Recovery { first_bad_look_at, restored_at })
}

/// One that counts towards a limit of the plan, or has reached it.
fn is_bad(look: &Call) -> bool {
    let Ok(reply) = &look.answer else { return true };
    ["unhealthy_in_row", "no_data_in_row"]
        .iter()
        .any(|row| reply["tally"][*row].as_u64().is_some_and(|count| count > 0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn call(second: i64, state: &str, answer: Result<Value, (String, String)>) -> Call {
        Call { at: Timestamp::from_second(second).unwrap(), state: state.to_owned(), asked: Value::Null, answer }
    }

    fn look(second: i64, unhealthy: u32) -> Call {
        call(second, "Monitor", Ok(json!({ "tally": { "unhealthy_in_row": unhealthy, "no_data_in_row": 0 } })))
    }

    #[test]
    fn a_recovery_begins_at_the_first_look_of_those_that_turned_the_run_back() {
        let failed = |second| call(second, "Monitor", Err(("Cutover.Unhealthy".to_owned(), "why".to_owned())));
        let restore = |second, changed| call(second, "RestoreRecords", Ok(json!({ "changed": changed })));
        let settling = Call { state: "WatchSettling".to_owned(), ..look(40, 1) };
        let calls =
            [look(10, 1), look(20, 0), settling, look(50, 2), failed(60), restore(62, true), restore(92, false)];
        assert_eq!(recovery(&calls).map(|recovery| recovery.seconds()), Some(22));
        assert_eq!(recovery(&[look(10, 0), restore(62, true)]), None, "a person stopped it");
        assert_eq!(recovery(&calls[..5]), None, "nothing is put back yet");
    }
}
