//! The steps of a draft: pure.
//!
//! Every weight that a person might want is tried, and precheck says which of them a route can have: beside neighbours a
//! percentage has to be a whole number of the old side's weight, and some conversions of a name know 0 and 100 only.

use cutover::Finding;

use super::document::Step;

/// A few users first, then half of them, then all.
const TRIED: [u8; 4] = [10, 25, 50, 100];
const HOLD: &str = "15m";
/// The last step is the longest: it is the last chance to go back by itself.
const LAST_HOLD: &str = "30m";

/// The steps to try. Traffic that must not be split between two databases moves at once.
pub fn tried(may_split: bool) -> Vec<Step> {
    TRIED.into_iter().filter(|weight| may_split || *weight == 100).map(step).collect()
}

fn step(new_weight: u8) -> Step {
    Step { new_weight, hold: if new_weight == 100 { LAST_HOLD } else { HOLD } }
}

/// The steps of a route that precheck has nothing against, not more than are needed: none between 10 and 50.
pub fn kept(route: usize, steps: &[Step], findings: &[Finding]) -> Vec<Step> {
    let is_refused = |index: usize| {
        let path = format!("$.routes[{route}].steps[{index}].new_weight");
        findings.iter().any(|finding| finding.path == path)
    };
    let allowed: Vec<&Step> =
        steps.iter().enumerate().filter(|(index, _)| !is_refused(*index)).map(|(_, step)| step).collect();
    let has_ten = allowed.iter().any(|step| step.new_weight == 10);
    allowed.into_iter().filter(|step| !(has_ten && step.new_weight == 25)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(refused: &[usize]) -> Vec<u8> {
        let path = |index: &usize| format!("$.routes[1].steps[{index}].new_weight");
        let findings: Vec<Finding> = refused.iter().map(|index| Finding::plan(path(index), "p", "f")).collect();
        kept(1, &tried(true), &findings).iter().map(|step| step.new_weight).collect()
    }

    #[test]
    fn a_route_goes_by_few_half_and_all_as_far_as_precheck_lets_it() {
        assert_eq!(weights(&[]), [10, 50, 100]);
        assert_eq!(weights(&[0]), [25, 50, 100]);
        assert_eq!(weights(&[0, 1, 2]), [100]);
        assert_eq!(tried(false), [Step { new_weight: 100, hold: "30m" }]);
    }
}
