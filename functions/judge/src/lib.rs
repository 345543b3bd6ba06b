//! `judge`: whether counts of requests show that a side is worse than it may be. Pure: no AWS, no clock, no I/O.
//!
//! | module | answers | by |
//! |---|---|---|
//! | [`sequential`] | is this side worse than a limit, or than the other side; is it surely better than the limit | a test that may be looked at as often as one likes |
//! | [`need`] | about how many requests it takes to tell | the growth of that test at the share seen so far |
//! | [`interval`] | between what does the true share, or percentile, lie | Clopper-Pearson; order statistics |
//! | [`dispersion`] | how much more errors vary than chance | Pearson's statistic |
//!
//! A rule such as "more than 1 %, twice running" is wrong with few requests: looked at each minute, it turns back a healthy side sooner
//! or later. A sequential test keeps its rate of false alarms over a whole run, however often it is looked at. How often it is wrong, and how soon
//! it is right, was simulated: see the README beside this crate.
//!
//! Sources: Lindon and Malek, arXiv 2011.03567; Turner, Ly and Grünwald, arXiv 2106.02693; for the later starts: Shin, Ramdas and Rinaldo, arXiv
//! 2203.03532.

pub mod dispersion;
pub mod interval;
pub mod need;
pub mod sequential;

/// What was counted of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were trouble: they failed, or were slower than the limit.
    pub bad: u64,
    /// All requests.
    pub all: u64,
}

impl Counts {
    /// Counts as CloudWatch gives them. The two are different series, so that a period may have more trouble than requests: all are
    /// trouble then. `None` for what is no count.
    pub fn observed(bad: f64, all: f64) -> Option<Self> {
        // Whole numbers up to there are exact.
        let count = |value: f64| (0.0..=9e15).contains(&value).then(|| value.round() as u64);
        let (bad, all) = (count(bad)?, count(all)?);
        Some(Self { bad: bad.min(all), all })
    }

    /// The share of trouble; `None` without requests.
    pub fn share(self) -> Option<f64> {
        (self.all > 0).then(|| self.bad as f64 / self.all as f64)
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.bad = self.bad.saturating_add(other.bad);
        self.all = self.all.saturating_add(other.all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_what_can_be_counted() {
        assert_eq!(Counts::observed(2.0, 100.0), Some(Counts { bad: 2, all: 100 }));
        assert_eq!(Counts::observed(3.0, 2.0), Some(Counts { bad: 2, all: 2 }));
        for (bad, all) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 1.0), (0.0, -2.0), (1e300, 1e300)] {
            assert_eq!(Counts::observed(bad, all), None, "{bad} {all}");
        }
        assert_eq!(Counts::default().share(), None);
    }
}
