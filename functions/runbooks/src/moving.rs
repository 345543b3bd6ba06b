//! What is cut over: before, on the day, back, afterwards. Pure.

use cutover::text::named;
use wave_plan::portfolio::{DependencyKind, Strategy, Strength, Task, When};

use crate::awaited::awaited;
use crate::book::{Part, Step};
use crate::{Of, criteria, cutover_plan};

/// All of it, in order.
pub(crate) fn parts(of: &Of) -> Vec<Part> {
    let mut parts = vec![
        Part::checklist(
            "Before its day",
            "Its cutover waits for the tasks with a number until somebody has said that each is done: by its command, once its wave has begun.",
            before(of),
        ),
        Part::checklist("Go or no-go", "Right before its wave. Anything that is not so is a no.", go(of)),
    ];
    match of.plan {
        Some(plan) => {
            parts.push(Part::to_read(
                "The cutover",
                "What the run does by itself, in this order. Anything that fails puts everything back.",
                cutover_plan::steps(plan),
            ));
            parts.push(Part::checklist(
                "It has succeeded when",
                "Measured, not felt: the run looks at each by itself, and its report says what it saw.",
                criteria::of(plan),
            ));
            parts.push(Part::to_read("The way back", "Each of these is safe at any moment.", back(of)));
        }
        None if of.application.cutover_plan.is_some() => parts.push(Part::to_read(
            "The cutover",
            "Its plan cannot be read, or is not there yet: this part is made anew with the next programme.",
            vec![Step::of("See the notes of the programme.")],
        )),
        None => parts.push(Part::checklist(
            "The cutover",
            "It has no cutover plan: people move it, by these tasks.",
            tasks(of, When::Before),
        )),
    }
    parts.push(Part::checklist("Afterwards", "Its wave ends with these.", after(of)));
    parts
}

/// With what says in its wave that it is done; `number` is the wave's.
fn task(of: &Of, number: usize, task: &Task) -> Step {
    let step = numbered(of, number, &task.what, task.owner.as_deref().unwrap_or(&of.application.owner));
    if task.when == When::Before { step.until(date(of)) } else { step }
}

fn numbered(of: &Of, number: usize, what: &str, owner: &str) -> Step {
    let step = Step::of(format!("Task {number}: {what}")).by(owner);
    if of.wave().is_some() { step.with(of.stack.done(of.wave_name, &of.application.name, number)) } else { step }
}

fn date<'a>(of: &Of<'a>) -> &'a str {
    of.placement().map(|placed| placed.date.as_str()).unwrap_or_default()
}

/// Its own tasks: in its wave they come after what people have to have done before.
fn tasks(of: &Of, when: When) -> Vec<Step> {
    let first = awaited(of.portfolio, of.programme, &of.application.name).len() + 1;
    let all = of.application.tasks.iter().enumerate().filter(|(_, one)| one.when == when);
    all.map(|(place, one)| task(of, first + place, one)).collect()
}

/// What people have to have done before: the first tasks in its wave.
fn first_tasks(of: &Of) -> Vec<Step> {
    let all = awaited(of.portfolio, of.programme, &of.application.name);
    let told =
        all.iter().enumerate().map(|(place, one)| numbered(of, place + 1, &one.what, &one.owner).until(date(of)));
    told.collect()
}

fn before(of: &Of) -> Vec<Step> {
    let mut steps: Vec<Step> = usual(of);
    steps.extend(first_tasks(of));
    if of.application.cutover_plan.is_some() {
        steps.extend(tasks(of, When::Before));
    }
    if let (Some(key), Some(_)) = (&of.application.cutover_plan, of.plan) {
        let step = Step::of("Precheck: everything that its plan names is looked at, and nothing is touched.");
        let step =
            step.by(&of.application.owner).checked("it ends in PrecheckPassed, without a finding that is an error");
        steps.push(of.stack.precheck(key).map_or(step.clone(), |command| step.with(command)));
    }
    steps
}

/// What goes without saying of its strategy.
fn usual(of: &Of) -> Vec<Step> {
    let what = match of.application.strategy {
        Strategy::Rehost | Strategy::Relocate => {
            "The new side stands: the same versions, its data copied, and kept up to date until the cutover."
        }
        Strategy::Replatform => {
            "The new side stands on what replaces its platform, and what has changed is tested with its data."
        }
        Strategy::Refactor => {
            "The rebuilt application does what the old one does: each difference is known, and agreed to by its owner."
        }
        Strategy::Retire | Strategy::Retain | Strategy::Repurchase => return Vec::new(),
    };
    let date = of.placement().map(|placed| placed.date.as_str()).unwrap_or_default();
    vec![
        Step::of(what)
            .by(&of.application.owner)
            .until(date)
            .checked("its own health address answers, and its dashboards have data"),
    ]
}

/// What has to be so right before.
fn go(of: &Of) -> Vec<Step> {
    let name = of.application.name.as_str();
    let staged = of.wave().into_iter().flat_map(|wave| &wave.applications).find(|one| one.name == name);
    let is_kept_wish = |first: &String| staged.is_some_and(|one| one.also_after.contains(first));
    let kept = of.portfolio.dependencies.iter().filter(|one| one.then == name);
    let kept = kept.filter(|one| one.strength == Strength::Hard || is_kept_wish(&one.first));
    let mut steps: Vec<Step> = kept
        .filter(|one| one.kind != DependencyKind::Together)
        .filter_map(|one| {
            let (placed, entry) = (of.placement_of(&one.first)?, of.entry(&one.first)?);
            let why = one.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let how = if entry.strategy.moves() { "has moved, and was not put back" } else { "is done" };
            Some(Step::of(format!("{} {how}{why}", named(&one.first, 64))).by(&entry.owner).until(&placed.date))
        })
        .collect();
    if let Some(wave) = of.wave() {
        steps.push(Step::of(format!(
            "It is between {} and {}, and it can be over before that.",
            wave.opens, wave.closes
        )));
    }
    steps.push(Step::of("Whoever answers for it can be reached until it has succeeded.").by(&of.application.owner));
    steps
}

fn back(of: &Of) -> Vec<Step> {
    let (stack, name) = (of.stack, of.application.name.as_str());
    let mut steps = vec![
        Step::of("Go back, while it runs or after it, until cleanup has begun.").with(stack.machines.roll_back(name)),
        Step::of(
            "Or stop the run: it puts everything back by itself. Its NAME is the one that the first command lists.",
        )
        .with(format!("{}\n{}", stack.running(name), stack.stop())),
    ];
    if !of.together().is_empty() {
        let others: Vec<String> = of.together().iter().map(|other| named(other, 64)).collect();
        let others = cutover::text::listed(&others);
        let commands: Vec<String> = of.together().iter().map(|other| stack.machines.roll_back(other)).collect();
        steps.push(
            Step::of(format!(
                "It moves in lockstep with {others}: while their wave runs, whichever of them goes back takes all of them back. Once the wave is over, nobody does: \
                 put {others} back as well, if they are to stay together."
            ))
            .with(commands.join("\n")),
        );
    }
    if of.application.tasks.iter().any(|task| task.when == When::Before) {
        steps.push(
            Step::of(
                "The run takes back what it has changed itself, and nothing else: what people changed on the old side by their tasks, such as a share that was made \
                 read-only or a job that was stopped, they take back by hand.",
            )
            .by(&of.application.owner),
        );
    }
    if of.plan.is_some_and(criteria::has_no_way_back) {
        steps.push(Step::of(
            "Once the new side writes to a database of its own, nothing flows back: a rollback holds then, and asks a person. To go back all the same loses what was \
             written since, and says who wants that and why.",
        ).with(stack.machines.force(name)));
    }
    steps.push(Step::of("If it says Stuck, its message has the command for each change that is left. Then leave everything as it is, and give its locks free.").with(stack.machines.release(name)));
    steps
}

fn after(of: &Of) -> Vec<Step> {
    let mut steps = tasks(of, When::After);
    if let Some(plan) = of.plan {
        let removes = if plan.cleanup.delete_old_target_group {
            "the old target groups are deleted"
        } else {
            "nothing of the old side is deleted"
        };
        steps.push(
            Step::of(format!(
                "Cleanup comes by itself {} after the run; {removes}. Until then the old side has to stay as it is.",
                plan.cleanup.after
            ))
            .with(of.stack.machines.clean_up(&of.application.name)),
        );
        steps.push(
            Step::of("Read the run's report, and tell what it recommends to whoever runs the new side.")
                .by(&of.application.owner),
        );
    }
    steps
}
