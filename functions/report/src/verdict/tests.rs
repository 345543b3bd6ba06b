use super::*;
use crate::document::tests::facts;
use crate::facts::{Gate, Limit};

/// A run on which all is well.
fn well() -> Facts {
    let mut facts = facts("");
    facts.load = None;
    facts.not_done.clear();
    for gate in &mut facts.gates {
        (gate.healthy, gate.unhealthy, gate.not_known) = (gate.looks, 0, 0);
    }
    facts
}

fn told(facts: &Facts) -> (Standing, String) {
    let Verdict { standing, line } = verdict(facts);
    (standing, line)
}

#[test]
fn nothing_is_said_to_be_well_of_which_something_wrong_was_measured() {
    assert_eq!(told(&well()).0, Standing::Good);
    let mut failing = well();
    for period in failing.routes[0].sides.iter_mut().flat_map(|sides| &mut sides.new) {
        period.errors = period.requests.map(|requests| requests / 2.0);
    }
    let (standing, line) = told(&failing);
    assert_eq!(standing, Standing::Doubtful);
    assert!(line.contains("of users' requests failed there, and ") && line.contains("on the old side"), "{line}");
    let mut wrong = well();
    wrong.gates[0].unhealthy = 2;
    let (standing, line) = told(&wrong);
    assert_eq!(standing, Standing::Doubtful, "a person let it go on");
    assert!(line.ends_with("the check \"5xx of the new targets\" found something wrong at 2 of 60 looks."), "{line}");
    let mut broken = well();
    let limit = |measured: f64| Limit {
        name: "CPU".to_owned(),
        max: 80.0,
        measured: Some(measured),
        margin: Some(80.0 - measured),
        holds: measured <= 80.0,
    };
    broken.limits = vec![limit(93.5), limit(70.0)];
    assert_eq!(
        told(&broken),
        (
            Standing::Doubtful,
            "All traffic is on the new side, though 1 of the plan's 2 limits does not hold.".to_owned()
        )
    );
    let noted = Facts { not_done: vec![format!("{LIMITS}CPU may be 80")], ..well() };
    assert!(told(&noted).1.contains("limits of the plan do not hold"), "its history could not be read");
}

#[test]
fn errors_that_chance_explains_are_no_doubt() {
    let mut few = well();
    for period in few.routes[0].sides.iter_mut().flat_map(|sides| &mut sides.new) {
        period.errors = None;
    }
    few.routes[0].sides.as_mut().unwrap().new.last_mut().unwrap().errors = Some(3.0);
    assert_eq!(told(&few).0, Standing::Good);
}

#[test]
fn where_a_route_is_and_whom_it_leads_there_is_no_measure_of_the_new_side() {
    let own = |name: &str| Gate { name: name.to_owned(), looks: 7, healthy: 7, ..Gate::default() };
    let unwatched = Facts { gates: vec![own("listener f2 of shop"), own("share of listener f2 of shop")], ..well() };
    let (standing, line) = told(&unwatched);
    assert_eq!(standing, Standing::Doubtful);
    assert!(line.contains("nothing was measured that could say how it does"), "{line}");
    assert!(measured(&unwatched).starts_with("Nothing was measured of the new side"), "{}", measured(&unwatched));
}
