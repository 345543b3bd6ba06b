//! Portfolios of many kinds keep all that they have to, small and large.

use wave_plan::{Request, plan};

use crate::{held, portfolios};

#[test]
fn every_programme_keeps_what_it_has_to() {
    let small = (0..40).map(|seed| (25, 30 + seed as usize, seed));
    let large = [(200, 500, 1), (400, 1_200, 2)];
    for (applications, dependencies, seed) in small.chain(large) {
        let portfolio = portfolios::portfolio(applications, dependencies, seed);
        let programme = plan(&portfolio, &Request::default(), &mut || false)
            .unwrap_or_else(|refusal| panic!("{applications} applications, seed {seed}: {refusal:#?}"));
        held::check(&portfolio, &programme);
        assert!(programme.quality.bound_days <= programme.quality.days);
        assert!(!programme.quality.is_out_of_time);
    }
}
