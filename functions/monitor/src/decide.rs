//! Whether a step goes on, is over, or has failed. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cutover::error::name;
use cutover::plan::{Monitoring, Plan};
use cutover::verdict::{Verdict, at_least_percent};
use cutover::{StepError, StepResult};

use crate::{Check, Tally};

/// How far a hold has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How long the step is held.
    pub hold_seconds: u64,
    /// How long the state machine has waited in this step.
    pub elapsed_seconds: u64,
    /// Whether a person asked to hold the step.
    pub paused: bool,
}

/// What one look comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// Whether the step is over.
    pub done: bool,
    /// How long to wait before the next look.
    pub wait_seconds: u64,
    /// To be sent with the next request.
    pub tally: Tally,
}

/// Judges one look. A plan that watches nothing has no checks, and its steps are over after their hold.
///
/// # Errors
/// `Cutover.Unhealthy` and `Cutover.Inconclusive` at the plan's limits, naming every check that is not healthy.
pub fn decide(monitoring: &Monitoring, hold: Hold, checks: &[Check], tally: &Tally) -> StepResult<Decision> {
    let verdict = Verdict::worst(checks.iter().map(|check| check.verdict), Verdict::Healthy);
    let is_early = checks.iter().all(|check| check.verdict == Verdict::Healthy || check.is_early);
    let tally = tally.count(verdict, is_early);
    if tally.unhealthy_in_row >= monitoring.failure_limit {
        let count = format!("{} unhealthy checks in a row", tally.unhealthy_in_row);
        return Err(StepError::new(name::UNHEALTHY, format!("{count}: {}", failing(checks))));
    }
    if tally.no_data_in_row >= monitoring.no_data_limit {
        let count = format!("{} checks in a row without data", tally.no_data_in_row);
        return Err(StepError::new(name::INCONCLUSIVE, format!("{count}: {}", failing(checks))));
    }
    let left_seconds = hold.hold_seconds.saturating_sub(hold.elapsed_seconds);
    let interval = monitoring.interval.0;
    Ok(Decision {
        verdict,
        done: verdict == Verdict::Healthy && left_seconds == 0 && !hold.paused,
        wait_seconds: if left_seconds > 0 { left_seconds.min(interval) } else { interval },
        tally,
    })
}

impl Tally {
    /// Counts one look. Only a healthy look ends a row: no data between two unhealthy looks is no recovery.
    fn count(&self, verdict: Verdict, is_early: bool) -> Self {
        let mut tally = Self { checks: self.checks.saturating_add(1), ..self.clone() };
        match verdict {
            Verdict::Healthy => {
                one_more(&mut tally.healthy);
                tally.unhealthy_in_row = 0;
                tally.no_data_in_row = 0;
            }
            Verdict::Unhealthy => {
                one_more(&mut tally.unhealthy);
                one_more(&mut tally.unhealthy_in_row);
            }
            Verdict::Inconclusive => one_more(&mut tally.inconclusive),
            Verdict::Error => one_more(&mut tally.error),
        }
        let is_without_data = matches!(verdict, Verdict::Inconclusive | Verdict::Error);
        if is_without_data && !is_early {
            one_more(&mut tally.no_data_in_row);
        }
        tally
    }
}

/// The counts come back with each request, whatever it says.
fn one_more(count: &mut u32) {
    *count = count.saturating_add(1);
}

fn failing(checks: &[Check]) -> String {
    let failing = checks.iter().filter(|check| check.verdict != Verdict::Healthy);
    failing.map(|check| format!("{}: {}", check.name, check.seen)).collect::<Vec<_>>().join("; ")
}

/// The target groups to look at, each with the share of its targets that must be healthy: the plan's, and the new
/// group of every listener route that has traffic by now. Of two shares for one group the larger holds.
pub fn groups(plan: &Plan, route: usize, new_weight: u8) -> BTreeMap<&str, u8> {
    // The last step of every earlier route gave all of its traffic to the new side.
    let moved = plan.routes.iter().take(if new_weight > 0 { route.saturating_add(1) } else { route });
    let moved = moved.filter_map(routes::kind::new_target_group);
    let watched = plan.monitoring.target_groups.iter();
    let watched = watched.map(|group| (group.target_group_arn.as_str(), group.min_healthy_percent));
    let mut groups = BTreeMap::new();
    for (arn, percent) in watched.chain(moved) {
        let needed = groups.entry(arn).or_insert(percent);
        *needed = percent.max(*needed);
    }
    groups
}

/// The new side's share of a route while `route` is held at `new_weight`, in percent: the routes before it have all their
/// traffic there, those after it are prepared.
pub fn percent_of(index: usize, route: usize, new_weight: u8) -> u8 {
    match index.cmp(&route) {
        Ordering::Less => 100,
        Ordering::Equal => new_weight,
        Ordering::Greater => 0,
    }
}

/// Judges a target group by how many of its targets are healthy.
pub fn group(arn: &str, (healthy, total): (usize, usize), percent: u8) -> Check {
    let is_healthy = at_least_percent(healthy, total, percent);
    Check {
        name: format!("target group {arn}"),
        verdict: if is_healthy { Verdict::Healthy } else { Verdict::Unhealthy },
        seen: format!("{healthy} of {total} targets healthy, {percent} % needed"),
        is_early: false,
    }
}

#[cfg(test)]
mod tests {
    use cutover::Seconds;
    use cutover::plan::{GroupHealth, ListenerRoute, Route, Step};

    use super::*;

    fn check(verdict: Verdict, is_early: bool) -> Check {
        Check { name: "5xx rate".to_owned(), verdict, seen: "0.5".to_owned(), is_early }
    }

    fn look(letter: char, tally: &Tally) -> StepResult<Decision> {
        let check = match letter {
            'h' => check(Verdict::Healthy, false),
            'u' => check(Verdict::Unhealthy, false),
            'i' => check(Verdict::Inconclusive, false),
            'w' => check(Verdict::Inconclusive, true),
            _ => check(Verdict::Error, false),
        };
        let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
        decide(&Monitoring::default(), hold, &[check], tally)
    }

    /// What a row of looks comes to: the name of the error, or whether the last look ended the step. The limits are
    /// the plan's defaults: 2 unhealthy, 3 without data.
    fn looks(letters: &str) -> Result<bool, &'static str> {
        let (mut tally, mut done) = (Tally::default(), false);
        for letter in letters.chars() {
            let decision = look(letter, &tally).map_err(|error| error.name)?;
            (tally, done) = (decision.tally, decision.done);
        }
        Ok(done)
    }

    #[test]
    fn limits_count_looks_in_a_row() {
        for (letters, expected) in [
            ("h", Ok(true)),
            ("u", Ok(false)),
            ("uh", Ok(true)),
            ("uhu", Ok(false)),
            ("uu", Err(name::UNHEALTHY)),
            ("uiu", Err(name::UNHEALTHY)),
            ("ii", Ok(false)),
            ("iie", Err(name::INCONCLUSIVE)),
            ("eee", Err(name::INCONCLUSIVE)),
            ("iihii", Ok(false)),
            ("wwwwww", Ok(false)),
            ("wwwwh", Ok(true)),
            ("wwiwiwi", Err(name::INCONCLUSIVE)),
        ] {
            assert_eq!(looks(letters), expected, "{letters}");
        }
    }

    #[test]
    fn one_bad_check_among_good_ones_is_named_with_its_value() {
        let gone =
            Check { name: "alarm gone".to_owned(), seen: "does not exist".to_owned(), ..check(Verdict::Error, false) };
        let checks = [check(Verdict::Healthy, false), check(Verdict::Unhealthy, false), gone];
        let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
        let tally = Tally { unhealthy_in_row: 1, ..Tally::default() };
        let error = decide(&Monitoring::default(), hold, &checks, &tally).unwrap_err();
        assert_eq!(error.message, "2 unhealthy checks in a row: 5xx rate: 0.5; alarm gone: does not exist");
    }

    #[test]
    fn warming_up_does_not_excuse_an_alarm_without_data() {
        let checks = [check(Verdict::Inconclusive, true), check(Verdict::Inconclusive, false)];
        let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
        let decision = decide(&Monitoring::default(), hold, &checks, &Tally::default()).unwrap();
        assert_eq!((decision.tally.no_data_in_row, decision.done), (1, false));
    }

    #[test]
    fn a_step_holds_exactly_its_hold() {
        let monitoring = Monitoring { interval: Seconds(60), ..Monitoring::default() };
        for (hold_seconds, expected) in [(0, vec![]), (30, vec![30]), (60, vec![60]), (150, vec![60, 60, 30])] {
            let (mut elapsed_seconds, mut waits) = (0, vec![]);
            loop {
                let hold = Hold { hold_seconds, elapsed_seconds, paused: false };
                let decision = decide(&monitoring, hold, &[], &Tally::default()).unwrap();
                if decision.done {
                    break;
                }
                waits.push(decision.wait_seconds);
                elapsed_seconds += decision.wait_seconds;
            }
            assert_eq!(waits, expected, "{hold_seconds}");
        }
    }

    #[test]
    fn counts_stop_at_their_limit() {
        let most = Tally { checks: u32::MAX, healthy: u32::MAX, ..Tally::default() };
        let hold = Hold { hold_seconds: 0, elapsed_seconds: u64::MAX, paused: false };
        assert_eq!(decide(&Monitoring::default(), hold, &[], &most).unwrap().tally, most);
    }

    #[test]
    fn a_paused_step_is_not_over() {
        let hold = Hold { hold_seconds: 60, elapsed_seconds: 600, paused: true };
        let decision = decide(&Monitoring::default(), hold, &[], &Tally::default()).unwrap();
        assert_eq!((decision.done, decision.wait_seconds), (false, 60));
    }

    #[test]
    fn target_groups_are_compared_exactly() {
        assert_eq!(group("g", (1, 3), 50).verdict, Verdict::Unhealthy);
        assert_eq!(group("g", (4, 5), 80).verdict, Verdict::Healthy);
        assert_eq!(group("g", (0, 0), 1).verdict, Verdict::Unhealthy);
    }

    #[test]
    fn routes_move_one_after_the_other() {
        assert_eq!([0, 1, 2].map(|index| percent_of(index, 1, 25)), [100, 25, 0]);
    }

    #[test]
    fn the_new_groups_are_watched_once_they_have_traffic() {
        let route = |group: &str| {
            Route::Listener(ListenerRoute {
                listener_arn: Some("l".to_owned()),
                rule_arn: None,
                old_target_group_arn: "old".to_owned(),
                new_target_group_arn: group.to_owned(),
                min_healthy_percent: 70,
                group_stickiness: None,
                steps: vec![Step { new_weight: 100, hold: Seconds(0) }],
            })
        };
        let watched = GroupHealth { target_group_arn: "one".to_owned(), min_healthy_percent: 50 };
        let plan = Plan {
            application: "a".to_owned(),
            mode: cutover::plan::Mode::Execute,
            health_check: None,
            database: None,
            routes: vec![route("one"), route("two")],
            leaves_behind: Vec::new(),
            monitoring: Monitoring { target_groups: vec![watched], ..Monitoring::default() },
            hooks: cutover::plan::Hooks::default(),
            alarms: vec![],
            notify: None,
            approval: None,
            cleanup: cutover::plan::Cleanup::default(),
            timeout: Seconds::hours(12),
        };
        assert_eq!(groups(&plan, 0, 0), BTreeMap::from([("one", 50)]));
        assert_eq!(groups(&plan, 0, 10), BTreeMap::from([("one", 70)]));
        assert_eq!(groups(&plan, 1, 0), BTreeMap::from([("one", 70)]));
        assert_eq!(groups(&plan, 1, 10), BTreeMap::from([("one", 70), ("two", 70)]));
    }
}
