//! Waves of any shape in a world in which anything may happen to anybody: looks that die before they start something, cutovers that fail at any point,
//! people who pause, stop and try again.

use cutover::line::{Line, Stop};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::asked::{Gesture, OfApplication, Who};
use crate::plan::OnRed;
use crate::state::Child;
use crate::{WavePlan, said};

/// What becomes of a cutover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Moves,
    GoesBack,
    GoesBackLater,
    IsRefused,
    GetsStuck,
}

#[derive(Clone, Copy, Debug)]
struct Actor {
    fate: Fate,
    is_red: bool,
    /// Looks until it claims, and until it ends.
    claims_after: u8,
    ends_after: u8,
}

#[derive(Clone, Debug)]
struct Shape {
    actors: Vec<Actor>,
    /// For each: what it needs, among those before it, as bits; whether it moves in lockstep with the one before it.
    needs: Vec<(u16, bool)>,
    parallel: u32,
    tolerated: u32,
    on_failures: OnFailures,
    on_red: OnRed,
    /// Which looks die before they have started anything.
    dying: u64,
    /// When somebody rolls the wave back, by the number of the look.
    rolls_back_at: Option<u8>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let fate = prop_oneof![
        6 => Just(Fate::Moves), 1 => Just(Fate::GoesBack), 1 => Just(Fate::GoesBackLater),
        1 => Just(Fate::IsRefused), 1 => Just(Fate::GetsStuck),
    ];
    let actor = (fate, prop::bool::weighted(0.1), 0..4_u8, 1..9_u8)
        .prop_map(|(fate, is_red, claims_after, ends_after)| Actor { fate, is_red, claims_after, ends_after });
    let on_failures = prop_oneof![Just(OnFailures::Halt), Just(OnFailures::Continue), Just(OnFailures::RollBackWave)];
    let on_red = prop_oneof![Just(OnRed::Stop), Just(OnRed::GoWithGreen)];
    let member = (actor, any::<u16>(), any::<u16>(), prop::bool::weighted(0.15));
    let rolls = prop_oneof![9 => Just(None), 1 => (0..40_u8).prop_map(Some)];
    (prop::collection::vec(member, 1..12), 1..5_u32, 0..3_u32, on_failures, on_red, any::<u64>(), any::<u64>(), rolls)
        .prop_map(|(members, parallel, tolerated, on_failures, on_red, dying, also, rolls_back_at)| Shape {
            actors: members.iter().map(|member| member.0).collect(),
            needs: members.iter().map(|member| (member.1 & member.2, member.3)).collect(),
            parallel,
            tolerated,
            on_failures,
            on_red,
            dying: dying & also,
            rolls_back_at,
        })
}

/// The wave of a shape; what cannot be kept is left out.
fn order(shape: &Shape) -> Order {
    let group_of = |place: usize| {
        let mut first = place;
        while first > 0 && shape.needs[first].1 && place - first < shape.parallel as usize - 1 {
            first -= 1;
        }
        first
    };
    let names = |place: usize| format!("a{place}");
    let application = |place: usize| {
        let needs = (0..group_of(place)).filter(|other| shape.needs[place].0 >> other & 1 == 1);
        let needs: Vec<String> = needs.filter(|other| group_of(*other) < group_of(place)).map(names).collect();
        let with: Vec<String> = (group_of(place)..place).take(1).map(names).collect();
        json!({ "name": names(place), "cutover_from": "plans/x.json", "needs": needs, "together_with": with })
    };
    let wave = json!({
        "wave": "any", "applications": (0..shape.actors.len()).map(application).collect::<Vec<_>>(),
        "parallel_cutovers": shape.parallel.max(2), "tolerated_failures": shape.tolerated, "timeout": "2d",
    });
    let read = WavePlan::read(&wave);
    let mut order = match read {
        Ok(read) => Order::of(&read, &[]),
        // Lockstep groups that came out larger than there is room for, or bound in a circle: each application for itself.
        Err(_) => {
            let mut wave = wave;
            for application in wave["applications"].as_array_mut().unwrap() {
                application["together_with"] = json!([]);
            }
            Order::of(&WavePlan::read(&wave).unwrap(), &[])
        }
    };
    (order.on_failures, order.on_red) = (shape.on_failures, shape.on_red);
    order
}

/// What AWS has of one application.
#[derive(Clone, Copy, Debug, Default)]
struct Execution {
    /// Since which look; none if it was never started.
    cutover: Option<u32>,
    check: Option<u32>,
    rollback: Option<u32>,
}

struct World<'a> {
    shape: &'a Shape,
    executions: Vec<Execution>,
    look: u32,
}

impl World<'_> {
    fn sight(&self, place: usize, member: &crate::state::Member) -> Sight {
        let (actor, execution) = (self.shape.actors[place], self.executions[place]);
        let ended =
            |error: Option<&str>| Sight::Ended { error: error.map(str::to_owned), cause: "so it is".to_owned() };
        if member.is == Is::Checking {
            return match execution.check {
                None => Sight::Nothing,
                Some(since) if self.look < since + 2 => Sight::UnderWay,
                Some(_) => ended(actor.is_red.then_some("Cutover.PrecheckFailed")),
            };
        }
        let Some(since) = execution.cutover else { return Sight::Nothing };
        let age = self.look - since;
        if let Some(back) = execution.rollback {
            return if self.look < back + 2 { Sight::RollingBack } else { Sight::Back { why: None } };
        }
        match actor.fate {
            _ if age < u32::from(actor.claims_after) => Sight::UnderWay,
            Fate::IsRefused => ended(Some("Cutover.Conflict")),
            _ if age < u32::from(actor.claims_after + actor.ends_after) => Sight::Claimed,
            Fate::Moves => Sight::Moved,
            Fate::GoesBackLater if age < u32::from(actor.claims_after + actor.ends_after) + 3 => Sight::Moved,
            Fate::GoesBack | Fate::GoesBackLater => Sight::Back { why: Some("unhealthy".to_owned()) },
            Fate::GetsStuck => Sight::Stuck { why: "Stuck".to_owned() },
        }
    }

    fn moving(&self, state: &State) -> usize {
        // A rollback is not held up: undo needs no room.
        let is_moving = |place: &usize| {
            let execution = self.executions[*place];
            execution.cutover.is_some()
                && execution.rollback.is_none()
                && matches!(
                    self.sight(*place, &state.members[*place]),
                    Sight::UnderWay | Sight::Claimed | Sight::RollingBack
                )
        };
        (0..self.executions.len()).filter(is_moving).count()
    }
}

fn at(look: u32) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::from(look) * 5)
}

/// A wave from its claim to its end; and everything that must hold on the way.
fn run(shape: &Shape) -> Result<(Order, State), TestCaseError> {
    let order = order(shape);
    let mut state = State::opened(&order, "arn:me", at(0));
    let mut world = World { shape, executions: vec![Execution::default(); order.members.len()], look: 0 };
    loop {
        world.look += 1;
        prop_assert!(world.look < 2_000, "it never ends: {state:?}");
        if shape.rolls_back_at.map(u32::from) == Some(world.look) {
            let who = Who { by: "Ada".to_owned(), why: "it is late".to_owned() };
            let gesture = Gesture { of: "any".to_owned(), roll_back: Some(who), ..Gesture::default() };
            let taken = said::said(&order, state.clone(), &gesture, "arn:me", at(world.look));
            state = taken.unwrap().state.unwrap_or(state);
        }
        let sights: Vec<Sight> =
            state.members.iter().enumerate().map(|(place, member)| world.sight(place, member)).collect();
        let before = state.clone();
        let next = super::next(&order, state, &sights, &Line::default(), at(world.look));
        state = next.state;
        holds_true(&order, &before, &state, &next.actions, &world)?;
        let dies = shape.dying >> (world.look % 64) & 1 == 1;
        for action in next.actions.into_iter().filter(|_| !dies) {
            let now = Some(world.look);
            match action {
                Action::Check(place) => world.executions[place].check = world.executions[place].check.or(now),
                Action::Start(place) => world.executions[place].cutover = world.executions[place].cutover.or(now),
                Action::RollBack(place) => world.executions[place].rollback = world.executions[place].rollback.or(now),
                Action::Hold(..) => {}
            }
        }
        prop_assert!(world.moving(&state) <= order.parallel_cutovers, "too many at a time");
        if let Then::Over(ending) = next.then {
            prop_assert_eq!(state.ending, Some(ending));
            return Ok((order, state));
        }
    }
}

/// What must hold at every look.
fn holds_true(
    order: &Order,
    before: &State,
    state: &State,
    actions: &[Action],
    world: &World,
) -> Result<(), TestCaseError> {
    for action in actions {
        match *action {
            Action::Start(place) => {
                let is_new = before.members[place].is != Is::Running;
                for need in &order.members[place].needs {
                    prop_assert!(!is_new || state.members[*need].is_there(), "{place} started without {need}");
                }
                for other in &order.members[place].with {
                    prop_assert_eq!(state.members[*other].attempts, state.members[place].attempts);
                }
                prop_assert!(!is_new || state.goes_back.is_none() && state.stopped.is_none());
                let is_halted = order.on_failures == OnFailures::Halt && blocked::too_many(order, state).is_some();
                prop_assert!(!is_new || !is_halted, "{place} started in a wave that halts");
            }
            Action::RollBack(place) => {
                let sight = world.sight(place, &before.members[place]);
                prop_assert!(matches!(sight, Sight::Claimed | Sight::Moved), "{place} is rolled back: {sight:?}");
                for dependent in order.dependents(place).filter(|_| state.goes_back.is_some()) {
                    prop_assert!(!state.members[dependent].is_out(), "{place} goes back before {dependent}");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_wave_ends_with_each_application_wholly_on_one_side(shape in shapes()) {
        let (order, state) = run(&shape)?;
        for (place, member) in state.members.iter().enumerate() {
            let is_at_rest = !matches!(member.is, Is::Running | Is::RollingBack | Is::Checking | Is::Waiting);
            prop_assert!(is_at_rest, "{place} is {:?}", member.is);
            let is_kept = member.is_there() || member.why.is_some() || member.red.is_some()
                || member.is == Is::Back;
            prop_assert!(is_kept, "{place} is {:?}, and nobody says why", member.is);
            for other in &order.members[place].with {
                let other = &state.members[*other];
                let is_mixed = member.is == Is::Moved && !matches!(other.is, Is::Moved | Is::Stuck);
                prop_assert!(!is_mixed, "of a lockstep group {place} has moved, and another is {:?}", other.is);
            }
        }
        let ending = state.ending.unwrap();
        let all = |wanted: fn(&crate::state::Member) -> bool| state.members.iter().all(wanted);
        let is_kept = |member: &crate::state::Member| matches!(member.is, Is::Moved | Is::LeftBehind);
        let some_moved = !all(|member| member.is != Is::Moved);
        prop_assert_eq!(ending == Ending::Moved, some_moved && all(is_kept));
        prop_assert_eq!(ending == Ending::Stuck, !all(|member| member.is != Is::Stuck));
        if state.goes_back.is_some() && ending != Ending::Stuck {
            prop_assert!(all(|member| member.is != Is::Moved), "not everything went back");
        }
        let is_untouched = matches!(ending, Ending::NoGo | Ending::NotStarted);
        prop_assert_eq!(is_untouched, all(|member| member.attempts == 0));
        prop_assert_eq!(ending == Ending::RolledBack, !is_untouched && !some_moved && ending != Ending::Stuck);
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }

    #[test]
    fn what_has_failed_can_be_tried_again(shape in shapes()) {
        let (order, state) = run(&shape)?;
        let failed = state.members.iter().position(|member| matches!(member.is, Is::Back | Is::Refused));
        let Some(place) = failed.filter(|_| state.goes_back.is_none()) else { return Ok(()) };
        let retry = OfApplication {
            application: order.members[place].name.clone(), by: "Ada".to_owned(), why: "mended".to_owned(),
        };
        let gesture = Gesture { of: "any".to_owned(), retry: Some(retry), ..Gesture::default() };
        let Ok(taken) = said::said(&order, state.clone(), &gesture, "arn:again", at(9_000)) else {
            let is_stuck = |other: &usize| state.members[*other].is == Is::Stuck;
            prop_assert!(order.members[place].with.iter().any(is_stuck));
            return Ok(());
        };
        prop_assert!(taken.follows);
        let state = taken.state.unwrap();
        let was_let_go = state.members[place].is_let_go;
        let stage = if was_let_go { Stage::Going } else { Stage::Checking };
        prop_assert_eq!((state.stage, state.owner.as_str()), (stage, "arn:again"));
        let sights = vec![Sight::Nothing; order.members.len()];
        let next = super::next(&order, state, &sights, &Line::default(), at(9_001));
        let again = next.state.members[place].is;
        prop_assert!(matches!(again, Is::Running | Is::Waiting | Is::NotStarted), "{again:?}");
        for action in next.actions {
            let is_of_it = matches!(action, Action::Start(other) if order.members[place].with.contains(&other));
            prop_assert!(is_of_it, "{action:?} is not of {place}");
        }
    }
}

fn three(more: serde_json::Value) -> Order {
    let mut wave = json!({ "wave": "three", "applications": [
        { "name": "db", "cutover_from": "plans/db.json", "takes": "10m" },
        { "name": "web", "cutover_from": "plans/web.json", "needs": ["db"], "takes": "20m" },
        { "name": "fax", "tasks": [{ "what": "tell the users" }, { "what": "switch it off" }] },
    ] });
    wave.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Order::of(&WavePlan::read(&wave).unwrap(), &[])
}

fn going(order: &Order, from: Timestamp) -> State {
    let_go(order, State::opened(order, "arn:me", from), from)
}

fn look(order: &Order, state: State, sights: [Sight; 3], at: Timestamp) -> Next {
    super::next(order, state, &sights, &Line::default(), at)
}

#[test]
fn what_would_not_finish_before_the_window_closes_is_not_started() {
    let order = three(json!({ "window": { "opens": "2026-03-07T20:00:00Z", "closes": "2026-03-07T20:25:00Z" } }));
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let early = look(
        &order,
        going(&order, time("2026-03-07T19:00:00Z")),
        [(); 3].map(|()| Sight::Nothing),
        time("2026-03-07T19:59:00Z"),
    );
    assert_eq!((early.actions, early.then), (vec![], Then::Look(IDLE_SECONDS)));
    let open = look(&order, early.state, [(); 3].map(|()| Sight::Nothing), time("2026-03-07T20:00:00Z"));
    assert_eq!(open.actions, [Action::Start(0)]);
    let moved = look(&order, open.state, [Sight::Moved, Sight::Nothing, Sight::Nothing], time("2026-03-07T20:06:00Z"));
    assert_eq!(moved.actions, []);
    assert_eq!(moved.then, Then::Look(IDLE_SECONDS), "people have tasks left");
    let late = look(&order, moved.state, [(); 3].map(|()| Sight::Nothing), time("2026-03-07T20:25:00Z"));
    assert_eq!(late.then, Then::Over(Ending::Incomplete));
    let why = late.state.members[1].why.clone().unwrap();
    assert!(why.contains("20m") && why.contains("window closes"), "{why}");
}

#[test]
fn a_freeze_is_waited_out_and_what_runs_in_it_holds_its_step() {
    let order = three(json!({ "freezes": [
        { "name": "sale", "from": "2026-03-07T20:05:00Z", "to": "2026-03-07T21:00:00Z", "applications": ["db"] },
    ] }));
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let start = going(&order, time("2026-03-07T19:00:00Z"));
    let soon = look(&order, start.clone(), [(); 3].map(|()| Sight::Nothing), time("2026-03-07T19:56:00Z"));
    assert_eq!(soon.actions, [], "it takes ten minutes, and the sale begins in nine");
    let early = look(&order, start, [(); 3].map(|()| Sight::Nothing), time("2026-03-07T19:50:00Z"));
    assert_eq!(early.actions, [Action::Start(0)]);
    let sale =
        look(&order, early.state, [Sight::Claimed, Sight::Nothing, Sight::Nothing], time("2026-03-07T20:05:00Z"));
    assert_eq!(sale.actions, [Action::Hold(0, true)]);
    let still =
        look(&order, sale.state, [Sight::Claimed, Sight::Nothing, Sight::Nothing], time("2026-03-07T20:30:00Z"));
    assert_eq!(still.actions, []);
    let over =
        look(&order, still.state, [Sight::Claimed, Sight::Nothing, Sight::Nothing], time("2026-03-07T21:00:00Z"));
    assert_eq!(over.actions, [Action::Hold(0, false)]);
}

#[test]
fn a_freeze_that_leaves_too_little_of_the_window_is_named() {
    let order = three(json!({
        "window": { "opens": "2026-03-07T20:00:00Z", "closes": "2026-03-08T06:00:00Z" },
        "freezes": [{ "name": "sale", "from": "2026-03-07T20:05:00Z", "to": "2026-03-08T05:55:00Z" }],
    }));
    let at: Timestamp = "2026-03-07T20:00:00Z".parse().unwrap();
    let reason = blocked(&order, &going(&order, at), &Line::default(), at).remove(0);
    let Some(Blocked::ForGood(why)) = reason else { panic!("{reason:?}") };
    assert!(
        why.contains("sale freezes it until") && why.contains("it takes 10m") && why.contains("window closes"),
        "{why}"
    );
}

#[test]
fn a_stopped_line_and_a_pause_let_nothing_start_and_end_nothing() {
    let order = three(json!({}));
    let stop = Stop { by: "Ada".to_owned(), why: "smoke".to_owned(), at: at(0) };
    let line = Line { stopped: Some(stop), ..Line::default() };
    let next = super::next(&order, going(&order, at(0)), &[(); 3].map(|()| Sight::Nothing), &line, at(1));
    assert_eq!((next.actions, next.then), (vec![], Then::Look(IDLE_SECONDS)));
    let stood = next.state.line.clone().unwrap();
    assert!(stood.contains("Ada") && stood.contains("smoke"), "{stood}");
    let again = look(&order, next.state.clone(), [(); 3].map(|()| Sight::Nothing), at(2));
    assert_eq!(again.state.line, None, "it was lifted");
    let reason = &blocked(&order, &next.state, &line, at(1))[0];
    assert!(matches!(reason, Some(Blocked::ForNow(why)) if why.contains("Ada") && why.contains("smoke")), "{reason:?}");
    let paused = State {
        paused: Some(Said { by: "Ada".to_owned(), why: "lunch".to_owned(), at: at(0) }),
        ..going(&order, at(0))
    };
    let next = look(&order, paused, [(); 3].map(|()| Sight::Nothing), at(1));
    assert_eq!((next.actions, next.then), (vec![], Then::Look(IDLE_SECONDS)));
}

#[test]
fn the_first_starts_are_spread_and_each_has_the_same_turn_at_every_look() {
    let names: Vec<String> = (0..40).map(|place| format!("a{place}")).collect();
    let applications: Vec<_> =
        names.iter().map(|name| json!({ "name": name, "cutover_from": "plans/x.json" })).collect();
    let wave =
        json!({ "wave": "wide", "applications": applications, "parallel_cutovers": 40, "spread_starts_over": "10m" });
    let order = Order::of(&WavePlan::read(&wave).unwrap(), &[]);
    let started = |look: u32| {
        let next = super::next(&order, going(&order, at(0)), &vec![Sight::Nothing; 40], &Line::default(), at(look));
        next.actions.len()
    };
    assert_eq!((started(1) < 5, started(120)), (true, 40));
    assert!((10..30).contains(&started(60)), "{}", started(60));
}

#[test]
fn the_spread_counts_from_the_windows_opening_and_not_from_the_claim() {
    let names: Vec<String> = (0..40).map(|place| format!("a{place}")).collect();
    let applications: Vec<_> =
        names.iter().map(|name| json!({ "name": name, "cutover_from": "plans/x.json" })).collect();
    let wave = json!({
        "wave": "wide", "applications": applications, "parallel_cutovers": 40, "spread_starts_over": "10m",
        "window": { "opens": "2026-03-07T20:00:00Z", "closes": "2026-03-08T06:00:00Z" },
    });
    let order = Order::of(&WavePlan::read(&wave).unwrap(), &[]);
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let started = |at: Timestamp| {
        let state = going(&order, time("2026-03-07T19:45:00Z"));
        super::next(&order, state, &vec![Sight::Nothing; 40], &Line::default(), at).actions.len()
    };
    assert_eq!(started(time("2026-03-07T19:59:55Z")), 0);
    let half = started(time("2026-03-07T20:05:00Z"));
    assert!(started(time("2026-03-07T20:00:05Z")) < 5 && (10..30).contains(&half), "{half}");
    assert_eq!(started(time("2026-03-07T20:10:00Z")), 40);
}

#[test]
fn a_thousand_applications_fit_into_an_item() {
    let applications: Vec<_> = (0..1_000)
        .map(|place| json!({ "name": format!("application-with-a-long-name-{place:04}"), "cutover_from": "plans/x.json" }))
        .collect();
    let wave = json!({ "wave": "large", "applications": applications, "parallel_cutovers": 50 });
    let order = Order::of(&WavePlan::read(&wave).unwrap(), &[]);
    let arn = format!("arn:aws:states:eu-west-1:123456789012:execution:wave:{}", "x".repeat(80));
    let mut state = State::opened(&order, &arn, at(0));
    for (place, member) in state.members.iter_mut().enumerate() {
        (member.is, member.attempts, member.checks, member.started_at) = (Is::Moved, 2, 2, Some(at(7)));
        // Each has failed, and says why.
        member.why = Some(format!("{place} {}", "w".repeat(crate::state::MOST_WHY_BYTES - 5)));
        member.red = Some("r".repeat(crate::state::MOST_WHY_BYTES));
    }
    let text = state.text().unwrap();
    assert!(serde_json::from_str::<State>(&text).unwrap().members[7].why.as_deref().unwrap().starts_with("7 w"));
    let (state, order) = (text.len(), serde_json::to_string(&order).unwrap().len());
    assert!(state < 390_000 && order < 390_000, "{state} {order}");
}

#[test]
fn names_of_executions_fit_and_differ() {
    let order = three(json!({}));
    let state = State::opened(&order, "arn:aws:states:eu-west-1:123456789012:execution:wave:first", at(0));
    let other = State::opened(&order, "arn:aws:states:eu-west-1:123456789012:execution:wave:second", at(0));
    let name = state.execution_name(&"x".repeat(64), Child::Rollback(999, 5));
    assert!(name.len() <= 80, "{name}");
    assert_ne!(state.execution_name("db", Child::Cutover(1)), other.execution_name("db", Child::Cutover(1)));
    assert_ne!(state.execution_name("db", Child::Cutover(1)), state.execution_name("db", Child::Cutover(2)));
}

#[test]
fn a_rollback_after_the_end_is_taken_in_and_nothing_is_started_for_it() {
    let order = three(json!({}));
    let mut over = State { stage: Stage::Over, ending: Some(Ending::Moved), ..State::opened(&order, "arn:me", at(0)) };
    for member in &mut over.members {
        (member.is, member.attempts) = (Is::Moved, 1);
    }
    let back = Sight::Back { why: Some("errors".to_owned()) };
    let now = ended_otherwise(&order, over.clone(), 1, &back, at(9)).unwrap();
    assert_eq!((now.members[0].is, now.members[1].is, now.stage), (Is::Moved, Is::Back, Stage::Over));
    assert_eq!((now.members[1].why.as_deref(), now.ending), (Some("errors"), Some(Ending::Incomplete)));
    assert_eq!(ended_otherwise(&order, now, 1, &back, at(10)), None, "told twice");
    let stuck = Sight::Stuck { why: "Stuck".to_owned() };
    let now = ended_otherwise(&order, over.clone(), 0, &stuck, at(9)).unwrap();
    assert_eq!((now.members[0].is, now.ending), (Is::Stuck, Some(Ending::Stuck)));
    assert_eq!(ended_otherwise(&order, over.clone(), 0, &Sight::RollingBack, at(9)), None, "it is not over");
    let followed = State { stage: Stage::Going, ..over };
    assert_eq!(ended_otherwise(&order, followed, 0, &back, at(9)), None, "whoever follows it sees it");
}
