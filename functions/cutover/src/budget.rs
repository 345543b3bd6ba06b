//! How many bytes a run may put where: pure.
//!
//! Two limits of AWS can end a run without an ending. An item of DynamoDB has 400 KB (service quotas; names and values of
//! its attributes together), and a state of Step Functions 256 KiB (input, output, arguments, what one `Assign` sets: UTF-8
//! text). So every part of a run has a budget here. Precheck refuses what does not fit, with nothing touched, and every writer
//! keeps its part. The tests below add the parts up.

use serde::Serialize;
use serde_json::Value;

use crate::Finding;
use crate::text::shown;

/// The plan with its defaults, and its steps.
pub const MOST_PLAN_BYTES: usize = 64 * 1024;
/// The before-images of all routes together.
pub const MOST_BEFORE_BYTES: usize = 48 * 1024;
/// All findings of one precheck together.
pub const MOST_FINDING_BYTES: usize = 64 * 1024;
/// What an approval says.
pub const MOST_APPROVAL_BYTES: usize = 4 * 1024;
/// The memory of one alarm: what it was before it was set.
pub const MOST_ALARM_BYTES: usize = 64 * 1024;
/// The memories of alarms that stand in the run's own item; the rest has items of its own.
pub const MOST_ALARM_BYTES_OF_RUN: usize = 64 * 1024;
/// How the old side served before the first step.
pub const MOST_BASELINE_BYTES: usize = 16 * 1024;
/// What the sequential tests of all metrics have counted: 100 of them with 400 bytes, and their places.
pub const MOST_COUNTED_BYTES: usize = 40 * 1024;
/// How a run ended, with everything that is left.
pub const MOST_ENDING_BYTES: usize = 80 * 1024;
/// A sentence that somebody gives with a gesture.
pub const MOST_REASON_BYTES: usize = 1_000;

/// What a text is cut to, one after the other, until a report fits.
const CUTS_BYTES: [usize; 5] = [8_000, 2_000, 500, 200, 60];
/// What a list is cut to, after that.
const CUTS_ITEMS: [usize; 4] = [100, 30, 10, 0];

/// The length of a value as it is written: JSON.
pub fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 2, |text| text.len())
}

/// Refuses before-images that the journal and the state machine cannot carry.
pub fn check_before(before: &[impl Serialize]) -> Option<Finding> {
    let bytes: Vec<usize> = before.iter().map(json_bytes).collect();
    let all: usize = bytes.iter().sum();
    let (largest, most) = bytes.iter().enumerate().max_by_key(|(_, bytes)| **bytes)?;
    (all > MOST_BEFORE_BYTES).then(|| {
        let problem = format!(
            "could not be put back: what the routes are now has {all} bytes, {most} of them of this one, and a run remembers \
             {MOST_BEFORE_BYTES}"
        );
        let fix = "move this route in a run of its own, or thin out what it holds now (records, actions, groups)";
        Finding::environment(format!("$.routes[{largest}]"), problem, fix)
    })
}

/// Refuses to set an alarm in the place of one with so many bytes of settings, where they are too many to be remembered.
pub fn check_alarm(index: usize, bytes: usize) -> Option<Finding> {
    (bytes > MOST_ALARM_BYTES).then(|| {
        let problem = format!(
            "could not be put back: the alarm of this name has {bytes} bytes of settings, and a run remembers \
             {MOST_ALARM_BYTES}"
        );
        let fix = "choose another name, or make that alarm smaller (its metrics, dimensions and description)";
        Finding::environment(format!("$.alarms[{index}].AlarmName"), problem, fix)
    })
}

/// A report of so many bytes at the most. What is too long is cut where it stands, and says so: first the longest texts, then
/// the ends of lists.
pub fn fit(report: Value, most_bytes: usize) -> Value {
    if json_bytes(&report) <= most_bytes {
        return report;
    }
    let mut cut = report;
    for most in CUTS_BYTES {
        cut_texts(&mut cut, most);
        if json_bytes(&cut) <= most_bytes {
            return cut;
        }
    }
    for most in CUTS_ITEMS {
        cut_lists(&mut cut, most);
        if json_bytes(&cut) <= most_bytes {
            return cut;
        }
    }
    let mut fields = match cut {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    fields.retain(|name, value| name.len() + json_bytes(value) < 200);
    let mut fields: serde_json::Map<_, _> = fields.into_iter().take(50).collect();
    fields.insert("cut".to_owned(), Value::from("what was here was too long to be kept"));
    Value::Object(fields)
}

fn cut_texts(value: &mut Value, most_bytes: usize) {
    match value {
        Value::String(text) if text.len() > most_bytes => *text = shown(text, most_bytes),
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, most_bytes)),
        Value::Object(fields) => fields.values_mut().for_each(|field| cut_texts(field, most_bytes)),
        _ => {}
    }
}

/// How much is left out is told in the place of its first item.
fn cut_lists(value: &mut Value, most: usize) {
    match value {
        Value::Array(items) => {
            let left_out = items.len().saturating_sub(most);
            if left_out > 1 {
                items.truncate(most);
                items.push(serde_json::json!({ "title": format!("{left_out} more, cut here for their length") }));
            }
            items.iter_mut().for_each(|item| cut_lists(item, most));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| cut_lists(field, most)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 256 KiB (Step Functions quotas).
    const STATE_BYTES: usize = 256 * 1024;
    /// 400 KB (DynamoDB quotas).
    const ITEM_BYTES: usize = 400_000;

    #[test]
    fn all_that_one_state_carries_fits_into_it() {
        // Precheck assigns its whole reply, and plan and steps once more; the rest is small: counts, tries, a time.
        const { assert!(2 * MOST_PLAN_BYTES + MOST_BEFORE_BYTES + MOST_FINDING_BYTES + 12 * 1024 < STATE_BYTES) };
        const { assert!(MOST_PLAN_BYTES + MOST_BEFORE_BYTES + 2 * MOST_APPROVAL_BYTES < STATE_BYTES) };
        // The ending, and the reason that goes with it into the message.
        const { assert!(MOST_ENDING_BYTES + 32 * 1024 < STATE_BYTES) };
    }

    #[test]
    fn all_that_one_item_holds_fits_into_it() {
        const OWN: usize =
            MOST_PLAN_BYTES + MOST_BEFORE_BYTES + MOST_APPROVAL_BYTES + MOST_ALARM_BYTES_OF_RUN + MOST_BASELINE_BYTES;
        // The names of its locks, and of the alarms in items of their own: each is a part of the plan.
        const NAMES: usize = MOST_PLAN_BYTES;
        const { assert!(OWN + NAMES + MOST_COUNTED_BYTES + MOST_ENDING_BYTES + 8 * MOST_REASON_BYTES < ITEM_BYTES) };
    }

    #[test]
    fn what_cannot_be_remembered_is_found_with_its_field_and_its_fix() {
        let small = vec![json!("x"); 3];
        assert_eq!(check_before(&small), None);
        let large = [json!("x"), json!("y".repeat(MOST_BEFORE_BYTES))];
        let found = check_before(&large).unwrap();
        assert_eq!(found.path, "$.routes[1]");
        assert!(
            found.problem.contains("a run remembers 49152") && found.fix.contains("in a run of its own"),
            "{found:?}"
        );
        assert_eq!(check_alarm(2, MOST_ALARM_BYTES), None);
        let found = check_alarm(2, MOST_ALARM_BYTES + 1).unwrap();
        assert_eq!(found.path, "$.alarms[2].AlarmName");
        assert!(found.fix.starts_with("choose another name"), "{found:?}");
    }

    #[test]
    fn a_report_that_fits_stays_as_it_is_and_a_longer_one_is_cut_where_it_stands() {
        let report = json!({ "ending": "Stuck", "routes": [{ "title": "t", "change": "c".repeat(50_000) }] });
        assert_eq!(fit(report.clone(), 96 * 1024), report);
        let cut = fit(report, 10_000);
        assert!(json_bytes(&cut) <= 10_000);
        assert_eq!(cut["routes"][0]["title"], "t");
        assert!(cut["routes"][0]["change"].as_str().is_some_and(|change| change.ends_with("... (cut)")), "{cut}");
    }

    #[test]
    fn a_report_of_any_shape_fits() {
        let many =
            json!({ "ending": "Stuck", "routes": vec![json!({ "title": "t".repeat(100), "live": "\u{1}" }); 5_000] });
        let cut = fit(many, MOST_ENDING_BYTES);
        assert!(json_bytes(&cut) <= MOST_ENDING_BYTES);
        assert_eq!(cut["ending"], "Stuck");
        assert_eq!(cut["routes"][100]["title"], "4900 more, cut here for their length");
        let wide: Value =
            (0..50_000).map(|n| (format!("field {n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
        for odd in [wide, json!("\"".repeat(1_000_000)), json!(vec![json!([[[1]]]); 100_000])] {
            let cut = fit(odd, MOST_ENDING_BYTES);
            assert!(json_bytes(&cut) <= MOST_ENDING_BYTES, "{}", json_bytes(&cut));
        }
    }
}
