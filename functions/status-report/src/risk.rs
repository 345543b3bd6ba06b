//! How likely it is that a run needs somebody, with the reasons. Pure.
//!
//! Every sign is one row of this table; the level is the worst of those that show, and all of them are its reasons.
//!
//! | level | shows when |
//! |---|---|
//! | critical | the run is stuck, or is held for a decision about going back |
//! | critical | the work that is left takes longer than the time to the deadline |
//! | high | traffic is being put back, or that is owed |
//! | high | a check failed, and a person is asked whether the run goes on |
//! | high | the last look found something unhealthy |
//! | high | looks without data are at half of what the plan allows, or more |
//! | high | a sequential test is near to being certain of trouble: its p-value is at ten times the plan's `false_alarm`, or below |
//! | high | the lag of the replication is above the plan's limit, and has not fallen over the last three samples |
//! | high | less than a tenth of the work that is left is between it and the deadline |
//! | medium | an error budget is used up by half or more: what was seen, of the limit |
//! | medium | a sequential test leans to trouble: its p-value is at 0.2 or below |
//! | medium | the last look had too little data to tell, or none of a check |
//! | medium | the lag rises over the last three samples, below the limit |
//! | medium | a person has let the run go on in spite of a failed check or load test |
//! | medium | the run was rolled back before, and was taken up again |
//! | medium | calls had to be tried again five times or more |
//! | medium | less than half of the work that is left is between it and the deadline |
//! | medium | the run is paused, held by a stopped line, or waits for a person's answer |
//! | medium | there is no automatic way back: the new side has a database of its own |
//! | low | none of these, and the last look found at least one check healthy |
//! | low | none of these, the run has succeeded and was not looked at since, and its last look found at least one check healthy |
//! | unknown | none of these, and nothing has been measured that could say more |
//!
//! No data is never low: what is not known is told beside the level, and lowers nothing.

use cutover::Seconds;
use cutover::text::quoted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Calls that were tried again, from which on it is told.
const MANY_RETRIES: usize = 5;
/// A sequential test leans to trouble.
const LEANS: f64 = 0.2;
/// So many times the plan's `false_alarm` is near to it.
const NEAR: f64 = 10.0;
const HALF: f64 = 0.5;
const MOST_NAME_BYTES: usize = 120;

/// The level, from what nobody can tell to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing speaks for more, and nothing was measured that speaks for less.
    Unknown,
    /// What was measured is well.
    Low,
    /// Somebody should know of it.
    Medium,
    /// Somebody should look.
    High,
    /// Somebody has to act.
    Critical,
}

impl Level {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// What it alone would make of it.
    pub level: Level,
    /// In words.
    pub text: String,
}

/// The level with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// The worst of the reasons'.
    pub level: Level,
    /// The worst first; never none.
    pub reasons: Vec<Reason>,
    /// What nobody could tell, and why.
    pub not_known: Vec<String>,
}

/// What is asked of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether the run begins.
    Approval,
    /// Whether it goes on in spite of its load test.
    LoadTest,
    /// Whether it goes on in spite of a failed check.
    Decision,
}

/// What the last look of the present step found, in checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// There was data, and it was good.
    pub healthy: usize,
    /// There was data, and it was bad.
    pub unhealthy: usize,
    /// There was data, and too little to be certain.
    pub too_little: usize,
    /// There was no data, or the look failed.
    pub without_data: usize,
}

/// A metric and its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// The metric's name.
    pub name: String,
    /// What was seen, of the limit: 1 is all of it.
    pub used: f64,
    /// The sequential test's p-value of "it is no worse than it may be", where there is one.
    pub p_value: Option<f64>,
}

/// The replication's lag.
#[derive(Clone, Debug, PartialEq)]
pub struct Lag {
    /// The last samples, oldest first, in seconds.
    pub samples: Vec<f64>,
    /// What the plan allows, in seconds.
    pub most_seconds: f64,
}

/// Everything that the level is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs {
    /// Work is left to a person.
    pub is_stuck: bool,
    /// A person decides about going back.
    pub is_held: bool,
    /// Traffic is put back, or that is owed.
    pub is_going_back: bool,
    /// What a person is asked.
    pub asked: Option<Asked>,
    /// A person has paused it.
    pub is_paused: bool,
    /// Why the line holds it.
    pub held_by_line: Option<String>,
    /// The last look of the present step, if there was one.
    pub look: Option<Look>,
    /// Of a run that has succeeded, and was not looked at since: its last look, with all traffic on the new side.
    pub last_of_run: Option<Look>,
    /// Looks without data in a row, and how many the plan allows.
    pub no_data_in_row: Option<(u32, u32)>,
    /// Metrics and their limits.
    pub budgets: Vec<Budget>,
    /// The plan's `false_alarm`.
    pub false_alarm: Option<f64>,
    /// The replication, if the plan has one and it was sampled.
    pub lag: Option<Lag>,
    /// How often a person has let it go on.
    pub decisions: usize,
    /// How often it was rolled back before.
    pub rollbacks_before: u32,
    /// How many calls were tried again.
    pub retries: usize,
    /// Until the deadline, and the work that is left, in seconds; while it goes forward.
    pub time: Option<(i64, u64)>,
    /// The new side's writes would be lost.
    pub has_no_way_back: bool,
    /// What nobody could tell.
    pub not_known: Vec<String>,
}

/// The level, and why.
pub fn risk(signs: &Signs) -> Risk {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut say = |level, text: String| reasons.push(Reason { level, text });
    of_state(signs, &mut say);
    of_looks(signs, &mut say);
    signs.budgets.iter().for_each(|budget| of_budget(budget, signs.false_alarm, &mut say));
    if let Some(lag) = &signs.lag {
        of_lag(lag, &mut say);
    }
    of_history(signs, &mut say);
    if let Some((left, work)) = signs.time {
        of_time(left, work, &mut say);
    }
    if reasons.is_empty() {
        reasons.push(of_nothing(signs.look, signs.last_of_run));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.level));
    let level = reasons.first().map_or(Level::Unknown, |reason| reason.level);
    Risk { level, reasons, not_known: signs.not_known.clone() }
}

fn of_nothing(look: Option<Look>, last_of_run: Option<Look>) -> Reason {
    match look {
        Some(look) if look.healthy > 0 => Reason {
            level: Level::Low,
            text: format!("the last look found {} healthy, and nothing speaks for more", counted(look.healthy)),
        },
        Some(_) => Reason { level: Level::Unknown, text: "the last look had nothing to look at".to_owned() },
        None if last_of_run.is_some_and(|look| look.healthy > 0) => Reason {
            level: Level::Low,
            text: format!(
                "the run has succeeded: its last look, with all traffic on the new side, found {} healthy, and none has come since",
                counted(last_of_run.unwrap_or_default().healthy)
            ),
        },
        None => Reason {
            level: Level::Unknown,
            text: "there is no look at the new side under traffic to judge by".to_owned(),
        },
    }
}

fn counted(checks: usize) -> String {
    if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") }
}

fn of_state(signs: &Signs, say: &mut impl FnMut(Level, String)) {
    if signs.is_stuck {
        say(Level::Critical, "the run is stuck: work is left that only a person can do".to_owned());
    }
    if signs.is_held {
        say(Level::Critical, "the rollback is held: going back could do harm, and a person decides".to_owned());
    }
    if signs.is_going_back {
        say(Level::High, "traffic is being put back to the old side, or that is owed".to_owned());
    }
    match signs.asked {
        Some(Asked::Decision) => {
            say(Level::High, "a check failed, and a person is asked whether the run goes on or back".to_owned());
        }
        Some(Asked::LoadTest) => {
            say(Level::Medium, "a person is asked whether the run goes on in spite of its load test".to_owned());
        }
        Some(Asked::Approval) => say(Level::Medium, "the run waits for its approval; silence is a no".to_owned()),
        None => {}
    }
    if signs.is_paused {
        say(Level::Medium, "a person has paused the run; its deadline runs on".to_owned());
    }
    if let Some(held) = &signs.held_by_line {
        say(Level::Medium, format!("{held}; what is watched still turns the run back"));
    }
    if signs.has_no_way_back {
        let text = "there is no automatic way back: what the new side wrote would be lost";
        say(Level::Medium, text.to_owned());
    }
}

fn of_looks(signs: &Signs, say: &mut impl FnMut(Level, String)) {
    if let Some(look) = signs.look {
        if look.unhealthy > 0 {
            say(Level::High, format!("the last look found {} unhealthy", counted(look.unhealthy)));
        }
        if look.too_little > 0 {
            say(Level::Medium, format!("the last look had too little data to tell, of {}", counted(look.too_little)));
        }
        if look.without_data > 0 {
            say(Level::Medium, format!("the last look had no data of {}", counted(look.without_data)));
        }
    }
    match signs.no_data_in_row {
        Some((seen, limit)) if seen > 0 && 2 * seen >= limit => {
            say(Level::High, format!("{seen} looks in a row without data; at {limit} the run goes back"));
        }
        _ => {}
    }
}

fn of_budget(budget: &Budget, false_alarm: Option<f64>, say: &mut impl FnMut(Level, String)) {
    let name = quoted(&budget.name, MOST_NAME_BYTES);
    if let Some(p) = budget.p_value {
        let near = false_alarm.map(|alarm| alarm * NEAR);
        if near.is_some_and(|near| p <= near) {
            say(Level::High, format!("the test of {name} is near to being certain of trouble (p {p:.3})"));
        } else if p <= LEANS {
            say(Level::Medium, format!("the test of {name} leans to trouble (p {p:.2})"));
        }
    }
    if budget.used >= HALF {
        say(Level::Medium, format!("{name} is at {:.0} % of its limit", (budget.used * 100.0).min(9999.0)));
    }
}

fn of_lag(lag: &Lag, say: &mut impl FnMut(Level, String)) {
    let last = &lag.samples[lag.samples.len().saturating_sub(3)..];
    let (Some(first), Some(now)) = (last.first(), last.last()) else { return };
    let is_trend = last.len() == 3;
    let rises = is_trend && last.windows(2).all(|pair| pair[1] >= pair[0]) && now > first;
    let falls = is_trend && now < first;
    let most = lag.most_seconds;
    if *now > most && is_trend && !falls {
        say(
            Level::High,
            format!("the replication is {now:.0} s behind, {most:.0} s are allowed, and it does not fall"),
        );
    } else if rises {
        say(
            Level::Medium,
            format!("the replication's lag rises: from {first:.0} to {now:.0} s, {most:.0} s are allowed"),
        );
    }
}

fn of_history(signs: &Signs, say: &mut impl FnMut(Level, String)) {
    if signs.decisions > 0 {
        let times = if signs.decisions == 1 { "once".to_owned() } else { format!("{} times", signs.decisions) };
        say(Level::Medium, format!("a person has let the run go on in spite of what was found, {times}"));
    }
    if signs.rollbacks_before > 0 {
        say(Level::Medium, format!("a rollback was begun {} times before", signs.rollbacks_before));
    }
    if signs.retries >= MANY_RETRIES {
        say(Level::Medium, format!("{} calls had to be tried again", signs.retries));
    }
}

fn of_time(left_seconds: i64, work_seconds: u64, say: &mut impl FnMut(Level, String)) {
    let work = i64::try_from(work_seconds).unwrap_or(i64::MAX);
    let spare = left_seconds.saturating_sub(work);
    let told = |level_text: &str| {
        let left = Seconds(u64::try_from(left_seconds).unwrap_or(0));
        format!("{level_text}: {left} until the deadline, {} of work are left", Seconds(work_seconds))
    };
    if spare < 0 {
        say(Level::Critical, told("the run cannot end before its deadline"));
    } else if spare < work / 10 {
        say(Level::High, told("the deadline is near"));
    } else if spare < work / 2 {
        say(Level::Medium, told("there is little time to spare"));
    }
}

#[cfg(test)]
#[path = "risk_tests.rs"]
mod tests;
