//! About how many requests it takes to tell.
//!
//! A request with a share `p` of trouble moves the evidence for an alternative `g` by `p ln(g/p0) + (1-p) ln((1-g)/(1-p0))`, divided by the
//! dispersion, on average. With `p` as it was seen so far, what is missing of the evidence for `g` alone (that is `ln(alternatives / false_alarm)`)
//! divided by that is the number of requests to come; the alternative that gets there first counts. It is a forecast, right to about a factor of
//! two: the next requests may go otherwise than those before.

use crate::Counts;
use crate::sequential::{Rule, Test};

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// About so many requests are needed.
    pub needed: u64,
    /// So many there are.
    pub has: u64,
}

/// How many requests it takes to be certain of health in this step, where the share of trouble seen is below the limit; how many in
/// the whole run to be certain of trouble, where it is above. `None` where that cannot be said: no end is in sight with this share.
pub fn need(rule: &Rule, test: &Test) -> Option<Need> {
    let seen = test.new_side();
    let share = seen.share().unwrap_or(0.0);
    if share > rule.limit {
        // Against the old side it depends on what is to come of both.
        return (!rule.is_compared).then(|| missing(rule, share, &rule.above(), test.evidence_of_trouble(), seen))?;
    }
    missing(rule, share, &rule.below(), test.evidence_of_health(), test.in_step())
}

fn missing(rule: &Rule, share: f64, alternatives: &[f64], evidence: &[f64], has: Counts) -> Option<Need> {
    // A million requests of this share: counts are whole.
    let many = Counts { bad: (share * 1e6).round() as u64, all: 1_000_000 };
    let target = rule.needed() + (alternatives.len() as f64).ln();
    let to_come = alternatives.iter().enumerate().filter_map(|(index, alternative)| {
        let growth = rule.likelier(*alternative, many) / 1e6;
        let so_far = evidence.get(index).copied().unwrap_or(0.0);
        (growth > 1e-9).then(|| ((target - so_far) / growth).max(1.0))
    });
    let to_come = to_come.min_by(f64::total_cmp)?.ceil();
    Some(Need { needed: has.all.saturating_add(to_come as u64), has: has.all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::{Period, Says};

    const RULE: Rule = Rule { limit: 0.01, false_alarm: 0.01, dispersion: 1.0, is_compared: false };

    fn counted(bad: u64, all: u64) -> Test {
        let mut test = Test::default();
        test.count(&RULE, &Period { start: 0, new: Counts { bad, all }, old: Counts::default(), is_of_step: true });
        test
    }

    #[test]
    fn without_trouble_it_is_about_six_hundred_for_one_percent() {
        let need = need(&RULE, &Test::default()).unwrap();
        assert_eq!(need.has, 0);
        assert!((600..700).contains(&need.needed), "{need:?}");
        assert_ne!(counted(0, need.needed / 2).says(&RULE), Says::Health);
        assert_eq!(counted(0, need.needed).says(&RULE), Says::Health);
    }

    #[test]
    fn what_there_is_counts() {
        let all = need(&RULE, &Test::default()).unwrap().needed;
        let half = need(&RULE, &counted(0, all / 2)).unwrap();
        assert_eq!(half.has, all / 2);
        assert!(half.needed.abs_diff(all) <= 2, "{half:?} {all}");
    }

    #[test]
    fn the_nearer_to_the_limit_the_more_it_takes() {
        let needs = [(0, 1_000), (3, 1_000), (5, 1_000), (9, 1_000)].map(|(bad, all)| need(&RULE, &counted(bad, all)));
        let needed = needs.map(|need| need.map_or(u64::MAX, |need| need.needed));
        assert!(needed.windows(2).all(|pair| pair[0] <= pair[1]), "{needed:?}");
        assert_eq!(need(&RULE, &counted(10, 1_000)), None, "at the limit there is nothing to tell");
        let above = need(&RULE, &counted(3, 200)).unwrap();
        assert!(above.needed > 200 && above.needed < 10_000, "{above:?}");
    }
}
