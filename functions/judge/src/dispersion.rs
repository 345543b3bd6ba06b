//! How much more errors vary from look to look than chance has it: they come in clusters.

use crate::Counts;

/// Fewer looks say nothing of a variance.
const LEAST_LOOKS: usize = 10;

/// Variance over mean of the trouble per look, 1 at the least: Pearson's statistic over its degrees of freedom. `None` where there is too
/// little to say it: fewer than ten looks with requests, or no trouble at all.
pub fn dispersion(looks: &[Counts]) -> Option<f64> {
    let looks: Vec<&Counts> = looks.iter().filter(|counts| counts.all > 0).collect();
    let mut sum = Counts::default();
    looks.iter().for_each(|counts| sum += **counts);
    let share = sum.share().filter(|share| *share > 0.0 && *share < 1.0)?;
    if looks.len() < LEAST_LOOKS {
        return None;
    }
    let squares = looks.iter().map(|counts| {
        let expected = counts.all as f64 * share;
        (counts.bad as f64 - expected).powi(2) / (expected * (1.0 - share))
    });
    Some((squares.sum::<f64>() / (looks.len() - 1) as f64).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_seen_and_chance_is_one() {
        let look = |bad| Counts { bad, all: 1_000 };
        // Poisson of 5 varies by 5.
        let by_chance = [3, 5, 7, 4, 6, 2, 8, 5, 5, 5, 3, 7].map(look);
        assert_eq!(dispersion(&by_chance), Some(1.0));
        let clusters = [0, 25, 0, 0, 0, 0, 25, 0, 0, 0, 0, 10].map(look);
        assert!(dispersion(&clusters).is_some_and(|phi| phi > 10.0), "{:?}", dispersion(&clusters));
    }

    #[test]
    fn too_little_says_nothing() {
        assert_eq!(dispersion(&[Counts { bad: 1, all: 10 }; 9]), None);
        assert_eq!(dispersion(&[Counts { bad: 0, all: 10 }; 90]), None);
        assert_eq!(dispersion(&[Counts::default(); 90]), None);
    }
}
