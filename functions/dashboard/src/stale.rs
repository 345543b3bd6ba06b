//! Which dashboards nobody removed: those of runs that were stuck or held, or whose cleanup was stopped. Pure.

use jiff::{SignedDuration, Timestamp};

/// So long one is left for those who look for the cause.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Those that were not written for a week. A run that holds longer than that gets its own back with its next step.
pub fn of<'a>(dashboards: impl Iterator<Item = (&'a str, Timestamp)>, prefix: &str, now: Timestamp) -> Vec<String> {
    let is_stale =
        |(name, written): &(&str, Timestamp)| name.starts_with(prefix) && now.duration_since(*written) > KEPT_FOR;
    dashboards.filter(is_stale).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ours_and_only_after_a_week() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let before = |hours| now - SignedDuration::from_hours(hours);
        let all = [("cutover-run-a", before(169)), ("cutover-run-b", before(168)), ("cutover-suite", before(9_000))];
        assert_eq!(of(all.into_iter(), "cutover-run-", now), ["cutover-run-a"]);
    }
}
