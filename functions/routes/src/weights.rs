//! Whole weights: how a pair shares what it has, and the row of its shares over a plan's steps.

use cutover::plan::Step;
use cutover::text::named;

/// A finding names so many neighbours, and so much of each.
const MOST_NAMES: usize = 5;
const MOST_NAME_BYTES: usize = 64;

/// The shares of the new side that a run gives it, in order: 0, as prepared, and each step's.
pub(crate) fn percents(steps: &[Step]) -> impl Iterator<Item = u8> {
    std::iter::once(0).chain(steps.iter().map(|step| step.new_weight))
}

/// The shares of the new side from which a step to `new_weight` starts: that of the step before, or 0, as prepared, before the
/// first. Several where the plan has this weight more than once, none where it does not have it.
pub(crate) fn before_step(steps: &[Step], new_weight: u8) -> Vec<u8> {
    percents(steps).zip(steps).filter(|(_, step)| step.new_weight == new_weight).map(|(before, _)| before).collect()
}

/// Divides `total` between old and new so that new has exactly `percent`. `neighbours` are the names of those that keep theirs.
///
/// # Errors
/// The text of the problem, where that is not a whole number.
pub(crate) fn divide(total: i32, percent: u8, neighbours: &[&str]) -> Result<(i32, i32), String> {
    if percent > 100 || total < 0 {
        return Err(format!("there is no {percent} % of the pair's weight {total}"));
    }
    let product = i64::from(total) * i64::from(percent);
    match i32::try_from(product / 100) {
        Ok(new) if product % 100 == 0 => Ok((total - new, new)),
        _ => Err(format!(
            "{percent} % of the pair's weight {total} is not a whole number, and {} keep theirs; {} are whole",
            called(neighbours),
            whole_shares(total)
        )),
    }
}

/// `its neighbours (canary, frankfurt)`
pub(crate) fn called(neighbours: &[&str]) -> String {
    let names: Vec<String> = neighbours.iter().take(MOST_NAMES).map(|name| named(name, MOST_NAME_BYTES)).collect();
    let more = if neighbours.len() > MOST_NAMES { ", ..." } else { "" };
    if names.is_empty() { "its neighbours".to_owned() } else { format!("its neighbours ({}{more})", names.join(", ")) }
}

/// The percentages that divide a weight into whole numbers.
fn whole_shares(total: i32) -> String {
    let every = (1..=100).find(|percent| i64::from(total) * percent % 100 == 0).unwrap_or(100);
    match every {
        100 => "only 0 and 100 %".to_owned(),
        50 => "only 0, 50 and 100 %".to_owned(),
        _ => format!("multiples of {every} % ({}, {}, ... 100)", every, 2 * every),
    }
}

/// What would make every step of a plan whole, where neighbours keep their weights.
///
/// `groups` are the pairs' weight and the largest weight beside it, of each record type or of one action; `most` is the
/// largest weight that AWS takes.
pub(crate) fn whole_fix(groups: &[(i32, i32)], steps: &[Step], most: i32) -> String {
    let divides = |total: i32, factor: i32| {
        percents(steps).all(|percent| i64::from(total) * i64::from(factor) * i64::from(percent) % 100 == 0)
    };
    let broken: Vec<&(i32, i32)> = groups.iter().filter(|(total, _)| !divides(*total, 1)).collect();
    let is_whole = |factor: &i32| broken.iter().all(|(total, _)| divides(*total, *factor));
    let has_room =
        |factor: &i32| broken.iter().all(|(_, largest)| i64::from(*largest) * i64::from(*factor) <= most.into());
    match (2..=100).find(is_whole).filter(has_room) {
        Some(factor) => format!("choose such weights, or multiply all weights by {factor} first"),
        None => format!(
            "choose such weights: {most} is the largest that AWS takes, so that there is no room to multiply them all"
        ),
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

    #[test]
    fn the_shares_that_are_whole_are_told() {
        let told = |total| divide(total, 7, &["canary", "two words"]).unwrap_err();
        for (total, whole) in
            [(75, "multiples of 4 % (4, 8, ... 100)"), (9, "only 0 and 100 %"), (2, "only 0, 50 and 100 %")]
        {
            assert!(
                told(total)
                    .ends_with(&format!("its neighbours (canary, \"two words\") keep theirs; {whole} are whole")),
                "{}",
                told(total)
            );
        }
        assert!(divide(75, 8, &[]).is_ok() && divide(2, 50, &[]).is_ok());
    }

    #[test]
    fn weights_are_multiplied_only_where_aws_has_room() {
        let steps = |weights: &[u8]| -> Vec<Step> {
            weights.iter().map(|&new_weight| Step { new_weight, hold: Seconds(0) }).collect()
        };
        let fix = |groups: &[(i32, i32)], most| whole_fix(groups, &steps(&[25, 50, 100]), most);
        assert_eq!(fix(&[(2, 3)], 255), "choose such weights, or multiply all weights by 2 first");
        assert_eq!(fix(&[(2, 3), (1, 1)], 255), "choose such weights, or multiply all weights by 4 first");
        assert!(fix(&[(2, 128)], 255).contains("255 is the largest"), "{}", fix(&[(2, 128)], 255));
        assert_eq!(fix(&[(2, 3), (100, 200)], 255), "choose such weights, or multiply all weights by 2 first");
        assert!(fix(&[(1, 300)], 999).contains("no room"));
        assert!(whole_fix(&[(1, 10)], &steps(&[7, 100]), 999).contains("no room"));
    }

    proptest! {
        #[test]
        fn a_share_never_loses_weight(total in prop_oneof![0..1000_i32, any::<i32>()], percent in any::<u8>()) {
            if let Ok((old, new)) = divide(total, percent, &[]) {
                prop_assert_eq!(old + new, total);
                prop_assert_eq!(i64::from(new) * 100, i64::from(total) * i64::from(percent));
                prop_assert!(old >= 0 && new >= 0);
            }
        }
    }
}
