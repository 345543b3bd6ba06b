//! Whole weights: how a pair shares what it has, and the row of its shares over a plan's steps.

use cutover::plan::Step;

/// The shares of the new side from which a step to `new_weight` starts: that of the step before, or 0, as prepared, before the
/// first. Several where the plan has this weight more than once, none where it does not have it.
pub(crate) fn before_step(steps: &[Step], new_weight: u8) -> Vec<u8> {
    let before = std::iter::once(0).chain(steps.iter().map(|step| step.new_weight));
    before.zip(steps).filter(|(_, step)| step.new_weight == new_weight).map(|(before, _)| before).collect()
}

/// Divides `total` between old and new so that new has exactly `percent`.
///
/// # Errors
/// The text of the problem, where that is not a whole number.
pub(crate) fn divide(total: i32, percent: u8) -> Result<(i32, i32), String> {
    if percent > 100 || total < 0 {
        return Err(format!("there is no {percent} % of the pair's weight {total}"));
    }
    let product = i64::from(total) * i64::from(percent);
    match i32::try_from(product / 100) {
        Ok(new) if product % 100 == 0 => Ok((total - new, new)),
        _ => Err(format!(
            "{percent} % of the pair's weight {total} is not a whole number, and its neighbours keep theirs"
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use cutover::Seconds;

    use super::*;

    #[test]
    fn a_step_starts_from_the_step_before() {
        let steps = [0, 10, 10, 50, 100].map(|new_weight| Step { new_weight, hold: Seconds(0) });
        let before = [0, 10, 50, 100, 7].map(|new_weight| before_step(&steps, new_weight));
        assert_eq!(before, [vec![0], vec![0, 10], vec![10], vec![50], vec![]]);
    }

    proptest! {
        #[test]
        fn a_share_never_loses_weight(total in prop_oneof![0..1000_i32, any::<i32>()], percent in any::<u8>()) {
            if let Ok((old, new)) = divide(total, percent) {
                prop_assert_eq!(old + new, total);
                prop_assert_eq!(i64::from(new) * 100, i64::from(total) * i64::from(percent));
                prop_assert!(old >= 0 && new >= 0);
            }
        }
    }
}
