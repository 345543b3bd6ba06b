//! Whole weights: how a pair shares what it has.

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

    use super::*;

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
