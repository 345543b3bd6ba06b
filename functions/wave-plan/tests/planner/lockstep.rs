//! What moves in lockstep takes its places in a wave and its teams at once, as a sum.

use serde_json::{Value, json};
use wave_plan::solve::Use;
use wave_plan::{Portfolio, Refusal};

use crate::{date, depends, four, held, planned};

fn together(value: &mut Value, names: &[&str]) {
    for pair in names.windows(2) {
        depends(value, json!({ "first": pair[0], "then": pair[1], "kind": "together" }));
    }
}

/// What cannot be kept, in words, of a portfolio that cannot be planned.
fn refused(value: &Value) -> Vec<String> {
    match planned(value) {
        Err(Refusal::Infeasible { conflicts }) => conflicts.into_iter().flat_map(|one| one.constraints).collect(),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn uses_of_one_resource_are_added_up_day_by_day() {
    let used = |resource, offset, length, amount| Use { resource, offset, length, amount };
    let pieces = Use::added_up(&[used(1, -14, 14, 3), used(0, 0, 1, 1), used(1, -7, 7, 2), used(0, 0, 1, 1)]);
    assert_eq!(pieces, [used(0, 0, 1, 2), used(1, -14, 7, 3), used(1, -7, 7, 5)]);
    assert_eq!(
        Use::added_up(&[used(0, -7, 3, 2), used(0, -4, 4, 2)]),
        [used(0, -7, 7, 2)],
        "nothing changes between them"
    );
    assert_eq!(Use::added_up(&[used(0, -7, 2, 1), used(0, -1, 1, 1)]), [used(0, -7, 2, 1), used(0, -1, 1, 1)]);
}

#[test]
fn a_lockstep_group_that_is_larger_than_a_wave_is_no_programme() {
    let mut value = four();
    value["limits"] = json!({ "applications_per_wave": 2 });
    together(&mut value, &["a", "b", "c"]);
    let told = refused(&value);
    assert_eq!(told, ["a wave has 2 applications at the most", "a and b move together", "b and c move together"]);
}

#[test]
fn a_lockstep_group_with_more_critical_ones_than_a_wave_may_have_is_no_programme() {
    let mut value = four();
    value["limits"] = json!({ "critical_per_wave": 1 });
    together(&mut value, &["a", "b"]);
    for place in 0..2 {
        value["applications"][place]["criticality"] = "critical".into();
    }
    assert_eq!(refused(&value), ["a wave has 1 critical applications at the most", "a and b move together"]);
}

/// Four of ten days are kept free, and the two need eight of a week's four.
#[test]
fn a_lockstep_group_that_needs_more_than_its_team_has_is_no_programme() {
    let mut value = four();
    value["teams"] = json!([{ "name": "platform", "days_per_week": 5 }]);
    together(&mut value, &["a", "b"]);
    for place in 0..2 {
        value["applications"][place]["effort"] = json!([{ "team": "platform", "days": 4 }]);
        value["applications"][place]["preparation_weeks"] = 1.into();
    }
    let told = refused(&value);
    assert_eq!(told, ["team platform has 5 person-days a week, of which 20 % are kept free", "a and b move together"]);
    // Prepared for different times, they share the last of the weeks only.
    value["applications"][0]["effort"][0]["days"] = 4.into();
    value["applications"][0]["preparation_weeks"] = 2.into();
    value["applications"][1]["effort"][0]["days"] = 2.into();
    let programme = planned(&value).unwrap();
    held::check(&Portfolio::read(&value).unwrap(), &programme);
    assert_eq!(date(&programme, "a"), "2026-03-21");
}

#[test]
fn a_lockstep_group_goes_where_there_is_room_for_all_of_it() {
    let mut value = four();
    value["limits"] = json!({ "applications_per_wave": 3 });
    together(&mut value, &["a", "b", "c"]);
    for field in ["not_before", "not_after"] {
        value["applications"][3][field] = "2026-03-07".into();
    }
    let programme = planned(&value).unwrap();
    held::check(&Portfolio::read(&value).unwrap(), &programme);
    assert_eq!((date(&programme, "d"), date(&programme, "a")), ("2026-03-07", "2026-03-14"));
}

#[test]
fn two_lockstep_groups_that_are_too_much_for_one_wave_are_two_waves() {
    let mut value = four();
    value["limits"] = json!({ "applications_per_wave": 3 });
    together(&mut value, &["a", "b"]);
    together(&mut value, &["c", "d"]);
    let programme = planned(&value).unwrap();
    held::check(&Portfolio::read(&value).unwrap(), &programme);
    assert_eq!(programme.waves.len(), 2);
}

const SATURDAYS: usize = 3;

/// Five applications on three Saturdays, with lockstep, orders and limits that hardly leave room.
struct Tight {
    value: Value,
    critical: Vec<bool>,
    efforts: Vec<u32>,
    together: Vec<(usize, usize)>,
    before: Vec<(usize, usize, i64)>,
    per_wave: usize,
    critical_per_wave: usize,
    per_week: u32,
}

fn tight(seed: u64) -> Tight {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let count = 5;
    let critical: Vec<bool> = (0..count).map(|_| below(3) == 0).collect();
    let efforts: Vec<u32> = (0..count).map(|_| below(4) as u32).collect();
    let (mut together, mut before) = (Vec::new(), Vec::new());
    for then in 1..count {
        let first = below(then as u64) as usize;
        match below(4) {
            0 | 1 => together.push((first, then)),
            2 => before.push((first, then, [0, 7][below(2) as usize])),
            _ => {}
        }
    }
    let (per_wave, critical_per_wave, per_week) = (2 + below(3) as usize, 1 + below(2) as usize, 4 + below(5) as u32);
    let application = |place: usize| {
        json!({ "name": format!("a{place}"), "strategy": "rehost", "owner": "o", "cutover_plan": "p.json", "cutover": "10m",
            "criticality": if critical[place] { "critical" } else { "low" },
            "preparation_weeks": 1, "effort": [{ "team": "t", "days": efforts[place] }] })
    };
    let name = |place: &usize| format!("a{place}");
    let lockstep =
        together.iter().map(|(one, other)| json!({ "first": name(one), "then": name(other), "kind": "together" }));
    let ordered = before.iter().map(
        |(one, other, days)| json!({ "first": name(one), "then": name(other), "kind": "not_before_days", "days": days }),
    );
    let value = json!({
        "name": "tight", "contingency_percent": 0,
        "calendar": { "start": "2026-03-02", "end": "2026-03-28", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "8h" }],
            "freezes": [{ "name": "no work is done yet", "from": "2026-03-02", "to": "2026-03-08" }] },
        "teams": [{ "name": "t", "days_per_week": per_week }],
        "limits": { "applications_per_wave": per_wave, "critical_per_wave": critical_per_wave, "parallel_cutovers": 5 },
        "applications": (0..count).map(application).collect::<Vec<_>>(),
        "dependencies": lockstep.chain(ordered).collect::<Vec<_>>(),
    });
    Tight { value, critical, efforts, together, before, per_wave, critical_per_wave, per_week }
}

impl Tight {
    /// The last Saturday of the shortest programme, by trying all of them.
    fn least(&self) -> Option<usize> {
        let count = self.critical.len();
        let all = (0..SATURDAYS.pow(count as u32)).map(|code| -> Vec<usize> {
            (0..count).map(|place| code / SATURDAYS.pow(place as u32) % SATURDAYS).collect()
        });
        all.filter(|on| self.is_kept_by(on)).filter_map(|on| on.into_iter().max()).min()
    }

    fn is_kept_by(&self, on: &[usize]) -> bool {
        let in_order =
            self.before.iter().all(|(first, then, days)| 7 * on[*then] as i64 >= 7 * on[*first] as i64 + days);
        let at_once = self.together.iter().all(|(one, other)| on[*one] == on[*other]);
        let has_room = (0..SATURDAYS).all(|saturday| {
            let wave = || (0..on.len()).filter(|place| on[*place] == saturday);
            wave().count() <= self.per_wave
                && wave().filter(|place| self.critical[*place]).count() <= self.critical_per_wave
                && wave().map(|place| self.efforts[place]).sum::<u32>() <= self.per_week
        });
        in_order && at_once && has_room
    }
}

#[test]
fn lockstep_groups_among_tight_limits_are_planned_as_trying_everything_says() {
    let (mut feasible, mut infeasible) = (0, 0);
    for seed in 0..200 {
        let tight = tight(seed);
        let programme = planned(&tight.value);
        match (tight.least(), &programme) {
            (Some(saturday), Ok(programme)) => {
                held::check(&Portfolio::read(&tight.value).unwrap(), programme);
                let last = format!("2026-03-{}", 14 + 7 * saturday);
                assert_eq!(
                    (programme.end.as_str(), programme.quality.is_shortest),
                    (last.as_str(), true),
                    "seed {seed}"
                );
                feasible += 1;
            }
            (None, Err(Refusal::Infeasible { .. })) => infeasible += 1,
            (least, _) => panic!("seed {seed}: {least:?} by trying everything, and {programme:#?}"),
        }
    }
    assert!(
        feasible > 50 && infeasible > 20,
        "{feasible} feasible, {infeasible} infeasible: these portfolios say little"
    );
}
