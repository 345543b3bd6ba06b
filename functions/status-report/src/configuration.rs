//! What the stack says of statuses.

use serde::Deserialize;

use crate::status::Settings;

/// As the environment's variable STATUS has it: a JSON object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    interval_seconds: u64,
    #[serde(default)]
    recovery_objective_seconds: Option<u64>,
    #[serde(default = "utc")]
    time_zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Reads it.
///
/// # Errors
/// Names what is wrong, and the fix.
pub fn settings(text: &str) -> Result<Settings, String> {
    let written: Written = serde_json::from_str(text).map_err(|error| format!("STATUS: {error}"))?;
    let Written { interval_seconds, recovery_objective_seconds, time_zone } = written;
    if interval_seconds < 60 {
        return Err(format!("STATUS: interval_seconds is {interval_seconds}: write 60 at the least"));
    }
    if !messages::when::is_zone(&time_zone) {
        return Err(format!("STATUS: there is no time zone `{time_zone}`: write one such as Europe/Berlin, or UTC"));
    }
    Ok(Settings { interval_seconds, recovery_objective_seconds, time_zone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_wrong_say_what_would_be_right() {
        let read = settings(r#"{ "interval_seconds": 1800 }"#).unwrap();
        assert_eq!((read.time_zone.as_str(), read.recovery_objective_seconds), ("UTC", None));
        assert!(settings("{}").unwrap_err().contains("interval_seconds"));
        assert!(settings(r#"{ "interval_seconds": 1 }"#).unwrap_err().contains("60 at the least"));
        let zone = r#"{ "interval_seconds": 60, "time_zone": "Mars" }"#;
        assert!(settings(zone).unwrap_err().contains("no time zone `Mars`"));
    }
}
