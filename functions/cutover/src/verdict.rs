//! Verdicts: what a look at something says. No data is never healthy.

use serde::{Deserialize, Serialize};

/// How `monitor` and `validate` begin to say what was found of which checks. Whoever reads its errors knows them by these words: a function that fails answers a
/// text, and no list.
pub mod words {
    /// A sequential test has found trouble.
    pub const CERTAIN: &str = "trouble for certain";
    /// After their number.
    pub const UNHEALTHY_IN_A_ROW: &str = " unhealthy checks in a row";
    /// The same, without data.
    pub const NO_DATA_IN_A_ROW: &str = " checks in a row without data";
    /// The same, with data that say nothing.
    pub const UNTOLD_IN_A_ROW: &str = " checks in a row from which nothing can be told";
    /// Before how long the step was held. The machine `cutover` knows it, too.
    pub const TOO_LITTLE_DATA: &str = "too little data after a hold of";
    /// Of the plan's limits, by `validate`: before which, and also where the plan goes on all the same.
    pub const LIMITS: &str = "limits do not hold: ";
}

/// What a check says, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is data, and it is good.
    Healthy,
    /// There is data, nothing is wrong with it, and it is too little to be certain.
    TooLittleData,
    /// There is no data to judge by.
    Inconclusive,
    /// The look itself failed.
    Error,
    /// There is data, and it is bad.
    Unhealthy,
}

impl Verdict {
    /// The worst of several; of none at all it is `nothing`.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>, nothing: Self) -> Self {
        verdicts.into_iter().max().unwrap_or(nothing)
    }
}

/// Whether at least `percent` of `total` are healthy, compared exactly. None of none is not.
pub fn at_least_percent(healthy: usize, total: usize, percent: u8) -> bool {
    total > 0 && healthy * 100 >= total * usize::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_too_little_data_by_monitors_words() {
        assert!(include_str!("../../../statemachine/cutover.asl.yaml").contains(words::TOO_LITTLE_DATA));
    }

    #[test]
    fn a_percentage_is_compared_exactly() {
        assert!(!at_least_percent(1, 3, 50));
        assert!(at_least_percent(2, 3, 50));
        assert!(!at_least_percent(2, 3, 67));
        assert!(at_least_percent(4, 5, 80));
        assert!(!at_least_percent(0, 0, 1));
    }

    #[test]
    fn trouble_outweighs_missing_data_and_missing_data_outweighs_health() {
        use Verdict::{Error, Healthy, Inconclusive, TooLittleData, Unhealthy};
        assert_eq!(Verdict::worst([Healthy, TooLittleData], Healthy), TooLittleData);
        assert_eq!(Verdict::worst([Inconclusive, TooLittleData], Healthy), Inconclusive);
        assert_eq!(serde_json::to_value(TooLittleData).unwrap(), "too_little_data");
        assert_eq!(Verdict::worst([Healthy, Unhealthy, Inconclusive], Healthy), Unhealthy);
        assert_eq!(Verdict::worst([Healthy, Inconclusive], Healthy), Inconclusive);
        assert_eq!(Verdict::worst([Inconclusive, Error], Healthy), Error);
    }
}
