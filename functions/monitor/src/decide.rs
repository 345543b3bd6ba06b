//! Whether a step goes on, is over, or has failed. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cutover::arn::short_name;
use cutover::error::name;
use cutover::plan::{Monitoring, Plan, TooLittleData};
use cutover::verdict::{Verdict, at_least_percent, words};
use cutover::{Seconds, StepError, StepResult};

use crate::{Check, Tally, share};

/// How far a hold has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How long the step is held.
    pub hold_seconds: u64,
    /// How long the state machine has waited in this step.
    pub elapsed_seconds: u64,
    /// Whether a person asked to hold the step, or every step: the run is paused, or the line is stopped.
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
/// `Cutover.Unhealthy` for trouble that is certain; `Cutover.Unhealthy` and `Cutover.Inconclusive` at the plan's limits, naming every check that
/// is not healthy.
pub fn decide(monitoring: &Monitoring, hold: Hold, checks: &[Check], tally: &Tally) -> StepResult<Decision> {
    if checks.iter().any(|check| check.is_final) {
        let certain = told(checks, |check| check.is_final);
        return Err(StepError::new(name::UNHEALTHY, format!("{}: {certain}", words::CERTAIN)));
    }
    let verdict = Verdict::worst(checks.iter().map(|check| check.verdict), Verdict::Healthy);
    let tally = tally.count(verdict, checks.iter().all(|check| !is_wrong(check) || check.is_early));
    if tally.unhealthy_in_row >= monitoring.failure_limit {
        let count = format!("{}{}", tally.unhealthy_in_row, words::UNHEALTHY_IN_A_ROW);
        return Err(StepError::new(name::UNHEALTHY, format!("{count}: {}", told(checks, is_wrong))));
    }
    if tally.no_data_in_row >= monitoring.no_data_limit {
        // A share beside its weight is data, of which nobody can tell what it means.
        let is_share = checks.iter().any(|check| is_wrong(check) && check.name.starts_with(&share::title_of("")));
        let what = if is_share { words::UNTOLD_IN_A_ROW } else { words::NO_DATA_IN_A_ROW };
        let count = format!("{}{what}", tally.no_data_in_row);
        return Err(StepError::new(name::INCONCLUSIVE, format!("{count}: {}", told(checks, is_wrong))));
    }
    let left_seconds = hold.hold_seconds.saturating_sub(hold.elapsed_seconds);
    let interval = monitoring.interval.0;
    Ok(Decision {
        verdict,
        done: is_over(monitoring, hold, checks, verdict)? && !hold.paused,
        wait_seconds: if left_seconds > 0 { left_seconds.min(interval) } else { interval },
        tally,
    })
}

/// Whether the step is over, as far as its time and what was seen go.
fn is_over(monitoring: &Monitoring, hold: Hold, checks: &[Check], verdict: Verdict) -> StepResult<bool> {
    let beyond = hold.elapsed_seconds.checked_sub(hold.hold_seconds);
    match (verdict, beyond) {
        (Verdict::Healthy, Some(_)) => Ok(true),
        (Verdict::Healthy, None) => {
            Ok(is_certain(monitoring, checks) && hold.elapsed_seconds >= monitoring.minimum_hold.0)
        }
        (Verdict::TooLittleData, Some(beyond)) => go_on(monitoring, hold, checks, Seconds(beyond)),
        _ => Ok(false),
    }
}

/// What the plan says of a hold that is over, when a test cannot tell.
fn go_on(monitoring: &Monitoring, hold: Hold, checks: &[Check], beyond: Seconds) -> StepResult<bool> {
    let longest = match monitoring.too_little_data {
        TooLittleData::GoOn => return Ok(true),
        TooLittleData::Hold => monitoring.hold_longer_at_most,
        TooLittleData::RollBack => Seconds(0),
    };
    if beyond < longest || hold.paused {
        return Ok(false);
    }
    let unsure = told(checks, |check| check.verdict == Verdict::TooLittleData);
    Err(StepError::new(
        name::INCONCLUSIVE,
        format!("{} {}: {unsure}", words::TOO_LITTLE_DATA, Seconds(hold.elapsed_seconds)),
    ))
}

/// Whether the plan lets a step end early, and every sequential test is certain of health.
fn is_certain(monitoring: &Monitoring, checks: &[Check]) -> bool {
    let tests = monitoring.metrics.iter().filter(|metric| metric.sequential().is_some()).count();
    let certain = checks.iter().filter(|check| check.test.is_some() && check.verdict == Verdict::Healthy).count();
    monitoring.early_end && tests > 0 && certain >= tests
}

/// Whether a check speaks against going on.
fn is_wrong(check: &Check) -> bool {
    !matches!(check.verdict, Verdict::Healthy | Verdict::TooLittleData)
}

impl Tally {
    /// Counts one look. Only one at which nothing is wrong ends a row: no data between two unhealthy looks is no recovery.
    fn count(&self, verdict: Verdict, is_early: bool) -> Self {
        let mut tally = Self { checks: self.checks.saturating_add(1), ..self.clone() };
        match verdict {
            Verdict::Healthy => {
                one_more(&mut tally.healthy);
                tally.unhealthy_in_row = 0;
                tally.no_data_in_row = 0;
            }
            Verdict::TooLittleData => {
                one_more(&mut tally.too_little_data);
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

fn told(checks: &[Check], which: impl Fn(&Check) -> bool) -> String {
    let told = checks.iter().filter(|check| which(check));
    told.map(|check| format!("{}: {}", check.name, check.seen)).collect::<Vec<_>>().join("; ")
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
        name: format!("target group {}", short_name(arn)),
        verdict: if is_healthy { Verdict::Healthy } else { Verdict::Unhealthy },
        seen: format!("{healthy} of {total} targets healthy, {percent} % needed"),
        value: None,
        is_early: false,
        is_final: false,
        test: None,
    }
}

#[cfg(test)]
mod tests;
