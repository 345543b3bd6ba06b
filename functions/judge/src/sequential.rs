//! Tests that hold at every look.
//!
//! A look is one period of a metric: `bad` of `all` requests on the new side, and on the old one where it is compared. Each look multiplies the
//! evidence `E` by how much likelier its counts are if the side is worse than if it is not:
//!
//! | judged | by, for each alternative |
//! |---|---|
//! | against a limit `p0` | `(g/p0)^bad ((1-g)/(1-p0))^(all-bad)`, `g` = [`ABOVE`] x `p0` below 0.9 |
//! | new against old | `d^new_bad / (1 + s (d-1))^(new_bad + old_bad)`, `d` of [`ABOVE`], `s` = the new side's share of the requests *as counted* |
//!
//! `E` is the mean over the alternatives. While the side is no worse, `E` has no way up that is fair: it ever reaches `1/false_alarm` in
//! `false_alarm` of all runs at the most (Ville's inequality), whatever the number of looks, and when one stops looking. Then it is trouble, for
//! good. Trouble that hits both sides alike cancels in the comparison, and weights may change between looks.
//!
//! A side that was well for an hour and then breaks must not have earned an hour of patience. So the evidence is shared out among starts: one
//! half begins at the first look, and `1 / (2 t (t-1))` at look `t`, which sums up to 1. That is as fair, and costs a factor of two at the first
//! look.
//!
//! The other way, **surely below the limit**: the same against [`BELOW`] x `p0`, for the looks of one step only, since a side that is well with
//! 10 % of the traffic may not be with 50 %. Neither: the test cannot tell yet.
//!
//! Errors come in clusters. All exponents are divided by `dispersion` >= 1, the variance over the mean of the errors per look.
//!
//! **Each period counts once.** A period is known by its start; one that is not later than the latest counted changes nothing. So a repeated look
//! changes nothing, several periods may come at one look (give them in their order), and what comes late for a period that was counted, or passed
//! over because a later one was there already, is not counted any more. The caller waits until a period is complete.

use serde::{Deserialize, Serialize};

use crate::Counts;

/// How many times as bad as it may be.
pub const ABOVE: [f64; 8] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0];
/// How much better than it may be.
pub const BELOW: [f64; 4] = [0.1, 0.25, 0.5, 0.75];
/// Shares from here on are no alternative.
const MOST_SHARE: f64 = 0.9;
/// What is kept of a logarithm: rounded down, which never makes an alarm.
const PLACES: f64 = 1e6;
/// From here on, far beyond what any rule asks for, whole numbers are kept: a text of it stays short.
const WHOLE_FROM: f64 = 1e6;

/// What a test has to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The share of trouble that is just allowed, above 0 and below 1.
    pub limit: f64,
    /// How often a run may be turned back by this test although nothing is wrong, above 0 and below 1.
    pub false_alarm: f64,
    /// Variance over mean of the errors per look, 1 at the least.
    pub dispersion: f64,
    /// Whether trouble is to be worse than the old side, not than the limit.
    pub is_compared: bool,
}

impl Rule {
    /// The evidence from which on it is certain, as a logarithm.
    pub(crate) fn needed(&self) -> f64 {
        -self.false_alarm.ln()
    }

    /// Shares that would be trouble. There is always one.
    pub(crate) fn above(&self) -> Vec<f64> {
        let shares: Vec<f64> =
            ABOVE.iter().map(|times| times * self.limit).filter(|share| *share < MOST_SHARE).collect();
        if shares.is_empty() { vec![f64::midpoint(self.limit, 1.0)] } else { shares }
    }

    /// Shares that would be fine.
    pub(crate) fn below(&self) -> Vec<f64> {
        BELOW.iter().map(|times| times * self.limit).collect()
    }

    /// By how much a look speaks for each kind of trouble.
    fn for_trouble(&self, new: Counts, old: Counts) -> Vec<f64> {
        if self.is_compared {
            ABOVE.iter().map(|times| times_the_old(*times, new, old) / self.dispersion).collect()
        } else {
            self.above().iter().map(|share| self.likelier(*share, new)).collect()
        }
    }

    /// The logarithm of how much likelier these counts are with this share than at the limit.
    pub(crate) fn likelier(&self, share: f64, counts: Counts) -> f64 {
        let (bad, good) = (counts.bad as f64, counts.all.saturating_sub(counts.bad) as f64);
        (bad * (share / self.limit).ln() + good * ((1.0 - share) / (1.0 - self.limit)).ln()) / self.dispersion
    }
}

/// The logarithm of how much likelier it is that trouble falls as it fell if the new side has so many times the old one's.
fn times_the_old(times: f64, new: Counts, old: Counts) -> f64 {
    let requests = new.all.saturating_add(old.all);
    if requests == 0 {
        return 0.0;
    }
    let share = new.all as f64 / requests as f64;
    let bad = new.bad.saturating_add(old.bad) as f64;
    new.bad as f64 * times.ln() - bad * (share * (times - 1.0)).ln_1p()
}

/// What was counted in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its start, in seconds since 1970.
    pub start: i64,
    /// Of the new side.
    pub new: Counts,
    /// Of the old side; nothing where it is not compared.
    pub old: Counts,
    /// Whether all of it lies in the present step.
    pub is_of_step: bool,
}

/// A test, as far as it has come: what a run remembers of a metric. As JSON it has 400 bytes at the most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The start of the latest period that was counted, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    /// Periods with requests.
    #[serde(default)]
    looks: u32,
    /// The evidence for each kind of trouble, as logarithms.
    #[serde(default)]
    above: Vec<f64>,
    /// The most that all of it together ever was.
    #[serde(default)]
    most: f64,
    /// The evidence for each kind of health, as logarithms, of the present step.
    #[serde(default)]
    below: Vec<f64>,
    /// `bad` and `all` of the new side.
    #[serde(default)]
    new: [u64; 2],
    /// The same of the old side.
    #[serde(default)]
    old: [u64; 2],
    /// The same of the new side in the present step.
    #[serde(default)]
    held: [u64; 2],
    /// Which step that is: its route, and its place there.
    #[serde(default)]
    step: [u16; 2],
}

/// What a test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is worse than it may be, for certain. That stays so.
    Trouble,
    /// In this step it is surely below the limit.
    Health,
    /// There is too little to tell.
    Nothing,
}

impl Test {
    /// Begins a step, by its route and its place there. Evidence of health is of one step; that of trouble is of the whole run.
    pub fn enter(&mut self, step: [u16; 2]) {
        if self.step != step {
            self.step = step;
            self.below.clear();
            self.held = [0, 0];
        }
    }

    /// Counts a period, unless it is not later than the latest. Answers whether it was.
    pub fn count(&mut self, rule: &Rule, period: &Period) -> bool {
        if self.at.is_some_and(|at| period.start <= at) {
            return false;
        }
        self.at = Some(period.start);
        let Period { new, old, is_of_step, .. } = *period;
        add(&mut self.new, new);
        add(&mut self.old, old);
        if new.all == 0 && old.all == 0 {
            return true;
        }
        self.looks = self.looks.saturating_add(1);
        self.count_trouble(&rule.for_trouble(new, old));
        if is_of_step && new.all > 0 {
            add(&mut self.held, new);
            self.below.resize(BELOW.len(), 0.0);
            for (evidence, share) in self.below.iter_mut().zip(rule.below()) {
                *evidence = kept(*evidence + rule.likelier(share, new));
            }
        }
        true
    }

    fn count_trouble(&mut self, steps: &[f64]) {
        let looks = f64::from(self.looks);
        // What begins at this look.
        let start = if self.looks == 1 { -(2.0_f64.ln()) } else { -(2.0 * looks * (looks - 1.0)).ln() };
        let is_first = self.above.len() != steps.len();
        let before = if is_first { vec![f64::NEG_INFINITY; steps.len()] } else { std::mem::take(&mut self.above) };
        self.above = before.iter().zip(steps).map(|(before, step)| kept(sum(&[*before, start]) + step)).collect();
        // What begins at later looks is 1 each, and counts for so much of the whole.
        let later = -(2.0 * looks).ln();
        let mean = sum(&self.above) - (steps.len() as f64).ln();
        self.most = self.most.max(kept(sum(&[mean, later])));
    }

    /// What it says.
    pub fn says(&self, rule: &Rule) -> Says {
        if self.most >= rule.needed() {
            Says::Trouble
        } else if !self.below.is_empty() && sum(&self.below) - (self.below.len() as f64).ln() >= rule.needed() {
            Says::Health
        } else {
            Says::Nothing
        }
    }

    /// The smallest rate of false alarms at which it would be trouble, at every look so far: an anytime-valid p-value.
    pub fn p_value(&self) -> f64 {
        (-self.most).exp().min(1.0)
    }

    /// The start of the latest period that was counted, in seconds since 1970.
    pub fn counted_until(&self) -> Option<i64> {
        self.at
    }

    /// What was counted of the new side in the whole run.
    pub fn new_side(&self) -> Counts {
        counts(self.new)
    }

    /// What was counted of the old side in the whole run.
    pub fn old_side(&self) -> Counts {
        counts(self.old)
    }

    /// What was counted of the new side in the present step.
    pub fn in_step(&self) -> Counts {
        counts(self.held)
    }

    pub(crate) fn evidence_of_trouble(&self) -> &[f64] {
        &self.above
    }

    pub(crate) fn evidence_of_health(&self) -> &[f64] {
        &self.below
    }
}

/// `false_alarm` of a run for each of its tests: together they are wrong as often as all may be, however they hang together (Bonferroni).
pub fn shared(false_alarm: f64, tests: usize) -> f64 {
    false_alarm / tests.max(1) as f64
}

fn counts([bad, all]: [u64; 2]) -> Counts {
    Counts { bad, all }
}

fn add(sum: &mut [u64; 2], more: Counts) {
    let mut counted = counts(*sum);
    counted += more;
    *sum = [counted.bad, counted.all];
}

/// Rounded down to what is kept.
fn kept(log: f64) -> f64 {
    if log.abs() < WHOLE_FROM { (log * PLACES).floor() / PLACES } else { log.floor() }
}

/// The logarithm of the sum of what these are the logarithms of.
fn sum(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests;
