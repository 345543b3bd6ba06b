//! What holds for any counts.

use judge::Counts;
use judge::sequential::{Period, Rule, Says, Test};
use proptest::prelude::*;

fn counts() -> impl Strategy<Value = Counts> {
    (0.0..=1.0_f64, 0_u64..1_000_000_000_000, 0_u32..40).prop_map(|(share, all, halved)| {
        let all = all >> halved;
        Counts { bad: (all as f64 * share) as u64, all }
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    (1e-6..0.999_f64, 1e-6..0.5_f64, 1.0..1000.0_f64, any::<bool>())
        .prop_map(|(limit, false_alarm, dispersion, is_compared)| Rule { limit, false_alarm, dispersion, is_compared })
}

fn periods() -> impl Strategy<Value = Vec<Period>> {
    prop::collection::vec((-5_i64..100, counts(), counts(), any::<bool>()), 0..60).prop_map(|looks| {
        let period =
            |(minute, new, old, is_of_step)| Period { start: 1_800_000_000 + 60 * minute, new, old, is_of_step };
        looks.into_iter().map(period).collect()
    })
}

proptest! {
    #[test]
    fn what_is_remembered_is_small_and_comes_back_whole(rule in rule(), periods in periods()) {
        let mut test = Test::default();
        test.enter([65_535, 65_535]);
        for period in &periods {
            test.count(&rule, period);
            let text = serde_json::to_string(&test).unwrap();
            prop_assert!(text.len() <= 400, "{} bytes: {}", text.len(), text);
            prop_assert_eq!(&serde_json::from_str::<Test>(&text).unwrap(), &test);
        }
    }

    #[test]
    fn counted_again_in_any_order_nothing_changes(rule in rule(), mut periods in periods(), seed in any::<prop::sample::Index>()) {
        periods.sort_by_key(|period| period.start);
        let mut test = Test::default();
        for period in &periods {
            test.count(&rule, period);
        }
        let once = test.clone();
        let len = periods.len();
        if len > 0 {
            periods.rotate_left(seed.index(len));
        }
        for period in &periods {
            prop_assert!(!test.count(&rule, period));
        }
        prop_assert_eq!(test, once);
    }

    #[test]
    fn the_p_value_never_grows_and_trouble_never_ends(rule in rule(), periods in periods()) {
        let (mut test, mut least, mut was_trouble) = (Test::default(), 1.0_f64, false);
        for period in &periods {
            test.count(&rule, period);
            prop_assert!((0.0..=least).contains(&test.p_value()));
            least = test.p_value();
            let is_trouble = test.says(&rule) == Says::Trouble;
            prop_assert!(is_trouble || !was_trouble);
            was_trouble = is_trouble;
        }
    }

    #[test]
    fn a_need_is_more_than_there_is(rule in rule(), periods in periods()) {
        let mut test = Test::default();
        for period in &periods {
            test.count(&rule, period);
        }
        if let (Says::Nothing, Some(need)) = (test.says(&rule), judge::need::need(&rule, &test)) {
            prop_assert!(need.needed > need.has);
        }
    }
}
