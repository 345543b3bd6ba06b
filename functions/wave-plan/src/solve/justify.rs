//! Forward-backward improvement (Tormos and Lova; Valls et al., "double justification"): everything as late as it can be
//! without a later end, last ones first; then everything as early as it can be. The end never gets later.

use super::profile::Profile;
use super::project::{Day, Project};
use super::temporal::Temporal;

/// Improves a schedule that is placed in a profile.
pub(crate) fn improve(project: &Project, temporal: &Temporal, profile: &mut Profile, starts: &mut [Day]) {
    let end = project.end(starts);
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by_key(|at| (-(starts[*at] + project.activities[*at].duration), -starts[*at], *at));
    for activity in &order {
        shift(temporal, profile, starts, *activity, |profile, starts, first, last| {
            let last = last.min(end - project.activities[*activity].duration);
            profile.latest(*activity, first.max(starts[*activity]), last)
        });
    }
    order.sort_by_key(|at| (starts[*at], *at));
    for activity in &order {
        shift(temporal, profile, starts, *activity, |profile, starts, first, last| {
            profile.earliest(*activity, first, last.min(starts[*activity]))
        });
    }
}

/// Moves one activity, with all others where they are.
fn shift(
    temporal: &Temporal,
    profile: &mut Profile,
    starts: &mut [Day],
    activity: usize,
    choose: impl Fn(&Profile, &[Day], Day, Day) -> Option<Day>,
) {
    let before = temporal.before[activity].iter().map(|(from, lag)| starts[*from] + lag);
    let after = temporal.after[activity].iter().map(|(to, lag)| starts[*to] - lag);
    let first = before.max().unwrap_or_default().max(temporal.earliest[activity]);
    let last = after.min().unwrap_or(Day::MAX).min(temporal.latest[activity]);
    profile.remove(activity, starts[activity]);
    let day = choose(profile, starts, first, last).unwrap_or(starts[activity]);
    profile.place(activity, day);
    starts[activity] = day;
}
