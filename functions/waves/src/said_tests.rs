//! What people say of a wave, in any order: nothing starts that was not checked, and agreed to where somebody has to.

use std::collections::BTreeSet;

use cutover::line::Line;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::WavePlan;
use crate::asked::OfApplication;
use crate::decide::{Action, Sight, Then, left_behind, next};
use crate::plan::OnRed;

const ME: &str = "arn:me";

fn at(second: u32) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::from(second))
}

fn wave(more: Value) -> Order {
    let mut wave = json!({ "wave": "w", "applications": [
        { "name": "a", "cutover_from": "plans/a.json" },
        { "name": "b", "cutover_from": "plans/b.json" },
        { "name": "c", "cutover_from": "plans/c.json", "together_with": ["d"] },
        { "name": "d", "cutover_from": "plans/d.json" },
        { "name": "e", "cutover_from": "plans/e.json", "needs": ["a"] },
    ], "parallel_cutovers": 5 });
    wave.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Order::of(&WavePlan::read(&wave).unwrap(), &[])
}

fn with_approval() -> Value {
    json!({ "approval": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:wave" } })
}

/// A wave, and what AWS would show of it.
struct World {
    order: Order,
    state: State,
    /// Whose precheck finds something wrong.
    red: Vec<bool>,
    /// Whose cutover goes back.
    fails: Vec<bool>,
    second: u32,
    started: Vec<usize>,
}

impl World {
    fn of(order: Order) -> Self {
        let state = State::opened(&order, ME, at(0));
        Self { state, red: vec![false; 5], fails: vec![false; 5], second: 0, started: Vec::new(), order }
    }

    fn sight(&self, place: usize) -> Sight {
        match self.state.members[place].is {
            Is::Checking => {
                let error = self.red[place].then(|| "Cutover.PrecheckFailed".to_owned());
                Sight::Ended { error, cause: "it is red".to_owned() }
            }
            Is::Running if self.fails[place] => Sight::Back { why: Some("errors".to_owned()) },
            Is::Running => Sight::Moved,
            Is::RollingBack => Sight::Back { why: None },
            _ => Sight::Nothing,
        }
    }

    fn look(&mut self) -> Then {
        self.second += 5;
        let sights: Vec<Sight> = (0..5).map(|place| self.sight(place)).collect();
        let next = next(&self.order, self.state.clone(), &sights, &Line::default(), at(self.second));
        self.state = next.state;
        self.started.extend(next.actions.iter().filter_map(|action| match action {
            Action::Start(place) => Some(*place),
            _ => None,
        }));
        next.then
    }

    /// Looks until it is over, or people are asked.
    fn goes(&mut self) -> Then {
        for _ in 0..100 {
            match self.look() {
                Then::Look(_) => {}
                then => return then,
            }
        }
        panic!("it never ends: {:?}", self.state)
    }

    fn say(&mut self, gesture: Gesture) -> Result<String, String> {
        self.second += 1;
        let gesture = Gesture { of: "w".to_owned(), ..gesture };
        let Taken { state, said, .. } = said(&self.order, self.state.clone(), &gesture, ME, at(self.second))?;
        self.state = state.unwrap_or_else(|| self.state.clone());
        Ok(said)
    }

    fn answer(&mut self, is_yes: bool) {
        let said = Said { by: "Bob".to_owned(), why: "so it is".to_owned(), at: at(self.second) };
        let taken = answered(&self.order, self.state.clone(), is_yes, said);
        self.state = taken.state.unwrap_or_else(|| self.state.clone());
    }

    /// Somebody stops its execution in the console, and another one follows.
    fn execution_is_stopped(&mut self) {
        let owner = self.state.owner.clone();
        let event = Event { execution_arn: owner, status: "ABORTED".to_owned(), ..Event::default() };
        let me = format!("arn:after:{}", self.second);
        let taken = died(self.state.clone(), &event, &me, at(self.second));
        self.state = taken.state.unwrap_or_else(|| self.state.clone());
    }

    fn is(&self) -> Vec<Is> {
        self.state.members.iter().map(|member| member.is).collect()
    }
}

fn who() -> Option<Who> {
    Some(Who { by: "Ada".to_owned(), why: "so it is".to_owned() })
}

fn retry(name: &str) -> Gesture {
    let of = OfApplication { application: name.to_owned(), by: "Ada".to_owned(), why: "mended".to_owned() };
    Gesture { retry: Some(of), ..Gesture::default() }
}

fn resume() -> Gesture {
    Gesture { resume: who(), ..Gesture::default() }
}

#[test]
fn after_a_no_a_retry_checks_and_asks_anew_and_moves_its_own_group_only() {
    let mut world = World::of(wave(with_approval()));
    assert_eq!(world.goes(), Then::Ask);
    world.answer(false);
    assert_eq!(world.look(), Then::Over(Ending::Rejected));
    let words = world.say(retry("c")).unwrap();
    assert!(words.contains("it is checked first") && words.contains("`resume`"), "{words}");
    assert_eq!((world.state.stage, world.started.len()), (Stage::Checking, 0));
    assert_eq!(world.goes(), Then::Ask, "nobody has agreed yet");
    assert!(world.started.is_empty());
    world.answer(true);
    assert_eq!(world.goes(), Then::Over(Ending::Incomplete));
    assert_eq!(world.started, [2, 3], "of its lockstep group, and of nothing else");
    assert_eq!(world.is()[0], Is::NotStarted);
}

#[test]
fn stopped_while_people_are_asked_a_resume_asks_them_anew() {
    let mut world = World::of(wave(with_approval()));
    assert_eq!(world.goes(), Then::Ask);
    world.execution_is_stopped();
    assert!(matches!(world.goes(), Then::Over(_)));
    world.say(resume()).unwrap();
    assert_eq!(world.goes(), Then::Ask);
    assert!(world.started.is_empty());
    world.answer(false);
    assert!(matches!(world.goes(), Then::Over(Ending::Rejected)));
    assert!(world.started.is_empty());
}

#[test]
fn stopped_while_it_is_checked_a_resume_checks_it_whole() {
    let mut world = World::of(wave(json!({})));
    world.red[1] = true;
    world.look();
    world.execution_is_stopped();
    assert!(matches!(world.goes(), Then::Over(Ending::NoGo)));
    world.say(resume()).unwrap();
    assert!(matches!(world.goes(), Then::Over(Ending::NoGo)), "one is red, and `on_red` is `stop`");
    assert!(world.started.is_empty());
}

#[test]
fn after_a_red_precheck_a_retry_of_the_red_one_moves_that_one_only() {
    let mut world = World::of(wave(json!({})));
    world.red[1] = true;
    assert_eq!(world.goes(), Then::Over(Ending::NoGo));
    world.red[1] = false;
    world.say(retry("b")).unwrap();
    let checks = world.state.members[1].checks;
    assert_eq!(world.goes(), Then::Over(Ending::Incomplete));
    assert_eq!((world.started.as_slice(), checks, world.state.members[1].checks), ([1].as_slice(), 1, 2));
    let why = world.state.members[0].why.clone().unwrap();
    assert!(why.contains("`resume` starts what was not started"), "{why}");
    world.say(resume()).unwrap();
    assert_eq!(world.goes(), Then::Over(Ending::Moved));
}

#[test]
fn a_retry_while_it_is_checked_or_asked_for_is_refused_with_the_reason() {
    let mut world = World::of(wave(with_approval()));
    world.red[1] = true;
    world.look();
    assert!(world.say(retry("b")).unwrap_err().contains("is being checked"));
    assert_eq!(world.goes(), Then::Ask);
    world.red[1] = false;
    assert!(world.say(retry("b")).unwrap_err().contains("people are asked"));
    world.answer(true);
    world.look();
    assert_eq!(world.is()[1], Is::LeftBehind, "it was red when they agreed");
    assert!(world.say(retry("b")).unwrap_err().contains("left behind"));
    world.goes();
    assert!(!world.started.contains(&1), "the yes was for the others");
    world.say(retry("b")).unwrap();
    assert_eq!(world.goes(), Then::Ask);
    world.answer(true);
    assert_eq!(world.goes(), Then::Over(Ending::Moved));
}

#[test]
fn after_a_halt_a_retry_starts_its_lockstep_group_and_not_what_was_halted() {
    let mut world = World::of(wave(json!({ "parallel_cutovers": 2 })));
    world.fails[0] = true;
    assert_eq!(world.goes(), Then::Over(Ending::Incomplete));
    assert_eq!(world.is(), [Is::Back, Is::Moved, Is::NotStarted, Is::NotStarted, Is::NotStarted]);
    world.started.clear();
    world.fails[0] = false;
    world.say(retry("a")).unwrap();
    assert_eq!(world.goes(), Then::Over(Ending::Incomplete));
    assert_eq!(world.started, [0]);
    world.say(resume()).unwrap();
    assert_eq!(world.goes(), Then::Over(Ending::Moved), "what was halted was let go, and needs no other check");
}

#[test]
fn a_retry_in_a_wave_that_was_stopped_is_refused_and_a_pause_of_one_that_is_over_changes_nothing() {
    let mut world = World::of(wave(json!({ "parallel_cutovers": 1, "applications": [
        { "name": "a", "cutover_from": "plans/a.json" }, { "name": "b", "cutover_from": "plans/b.json" },
        { "name": "c", "cutover_from": "plans/c.json" }, { "name": "d", "cutover_from": "plans/d.json" },
        { "name": "e", "cutover_from": "plans/e.json" }] })));
    world.fails[0] = true;
    while world.started.is_empty() {
        world.look();
    }
    world.say(Gesture { stop: who(), ..Gesture::default() }).unwrap();
    world.goes();
    let why = world.say(retry("a")).unwrap_err();
    assert!(why.contains("Ada has stopped the wave") && why.contains("`resume` first"), "{why}");
    let before = world.state.clone();
    assert!(world.say(Gesture { pause: who(), ..Gesture::default() }).unwrap().contains("is over"));
    assert_eq!(world.state, before);
}

#[test]
fn a_wave_that_was_stored_before_it_was_said_who_was_let_go_goes_on_and_one_that_was_refused_does_not() {
    let mut world = World::of(wave(json!({})));
    world.goes();
    let legacy = |state: &State| -> State {
        let mut value = serde_json::to_value(state).unwrap();
        value.as_object_mut().unwrap().remove("let_go_at");
        for member in value["members"].as_array_mut().unwrap() {
            member.as_object_mut().unwrap().remove("is_let_go");
        }
        serde_json::from_value(value).unwrap()
    };
    assert!(legacy(&world.state).members.iter().all(|member| member.is_let_go));
    let mut refused = World::of(wave(with_approval()));
    refused.goes();
    refused.answer(false);
    refused.state = legacy(&refused.state);
    refused.say(resume()).unwrap();
    assert_eq!(refused.state.stage, Stage::Checking);
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Look,
    Retry(usize),
    Resume,
    Pause,
    Stop,
    RollBack,
    ExecutionStops,
    Answer(bool),
    /// What was red is mended, or breaks.
    Turn(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => Just(Step::Look), 4 => (0..5_usize).prop_map(Step::Retry), 3 => Just(Step::Resume), 1 => Just(Step::Pause),
        2 => Just(Step::Stop), 1 => Just(Step::ExecutionStops), 3 => any::<bool>().prop_map(Step::Answer),
        2 => (0..5_usize).prop_map(Step::Turn), 1 => Just(Step::RollBack),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_people_say_nothing_starts_without_a_check_and_a_yes_that_covers_it(
        steps in steps(), has_approval in any::<bool>(), goes_with_green in any::<bool>(),
        red in prop::collection::vec(any::<bool>(), 5), fails in prop::collection::vec(any::<bool>(), 5),
    ) {
        let mut order = wave(if has_approval { with_approval() } else { json!({}) });
        order.on_red = if goes_with_green { OnRed::GoWithGreen } else { OnRed::Stop };
        let mut world = World::of(order);
        (world.red, world.fails) = (red, fails);
        // Who was found green, who was agreed to, and who may start as people have said.
        let (mut green, mut agreed) = (BTreeSet::new(), BTreeSet::new());
        let mut wanted: BTreeSet<usize> = (0..5).collect();
        for step in steps {
            let before = world.state.clone();
            match step {
                Step::Look => {
                    for (place, member) in before.members.iter().enumerate().filter(|(_, member)| member.is == Is::Checking) {
                        prop_assert!(member.attempts == 0 || member.is_let_go || member.checks > 0);
                        if world.red[place] { green.remove(&place); } else { green.insert(place); }
                    }
                    world.look();
                }
                Step::Retry(place) => {
                    let group = world.order.members[place].with.clone();
                    let name = world.order.members[place].name.clone();
                    if world.say(retry(&name)).is_ok() && world.state != before {
                        // A person's own word, in a wave in which nobody has to agree: its cutover checks it.
                        if before.stage == Stage::Going { green.extend(group.iter().copied()); }
                        if before.stage == Stage::Over { wanted.clear(); }
                        wanted.extend(group);
                    }
                }
                Step::Resume => {
                    if world.say(resume()).is_ok() && before.stage == Stage::Over {
                        wanted.extend((0..5).filter(|place| before.members[*place].is == Is::NotStarted));
                    }
                }
                Step::Pause => drop(world.say(Gesture { pause: who(), ..Gesture::default() })),
                Step::Stop => drop(world.say(Gesture { stop: who(), ..Gesture::default() })),
                Step::RollBack => drop(world.say(Gesture { roll_back: who(), ..Gesture::default() })),
                Step::ExecutionStops => world.execution_is_stopped(),
                Step::Answer(is_yes) => {
                    if is_yes && before.stage == Stage::Asking && before.stopped.is_none() {
                        let behind = left_behind(&world.order, &before);
                        let waits = |place: &usize| before.members[*place].is == Is::Waiting && !behind.contains_key(place);
                        agreed.extend((0..5).filter(waits));
                    }
                    world.answer(is_yes);
                }
                Step::Turn(place) => world.red[place] = !world.red[place],
            }
            for place in std::mem::take(&mut world.started) {
                prop_assert!(green.contains(&place), "{place} started, and was not found green");
                prop_assert!(!has_approval || agreed.contains(&place), "{place} started, and nobody has agreed");
                prop_assert!(wanted.contains(&place), "{place} started, and was not asked for");
                prop_assert!(world.state.goes_back.is_none() && world.state.stopped.is_none());
            }
        }
    }
}
