//! What people retire, retain or replace: their own list first, then what is forgotten most often. Pure.

use wave_plan::portfolio::{Strategy, When};

use crate::Of;
use crate::book::{Part, Step};

/// All of it, in order.
pub(crate) fn parts(of: &Of) -> Vec<Part> {
    let date = of.placement().map(|placed| placed.date.clone()).unwrap_or_default();
    let owner = of.application.owner.as_str();
    let list = |when: When| -> Vec<Step> {
        let all = of.application.tasks.iter().filter(move |task| task.when == when);
        all.map(|task| {
            let step = Step::of(task.what.clone()).by(task.owner.as_deref().unwrap_or(owner));
            if when == When::Before { step.until(&date) } else { step }
        })
        .collect()
    };
    let usual = usual(of.application.strategy).iter().map(|what| Step::of(*what).by(owner)).collect();
    let done = vec![
        Step::of("Say that it is done: the next programme is planned from it, and whoever waits for it may go.")
            .by(owner)
            .until(&date)
            .with(format!(
                "\"progress\": {{ \"done\": {{ \"{}\": \"{date}\" }} }}   # in the input of the machine program",
                of.application.name
            )),
    ];
    vec![
        Part::checklist("To do", "Whoever waits for it waits for all of these.", list(When::Before)),
        Part::checklist("Do not forget", "What is missing most often.", usual),
        Part::checklist("Done", "Nobody can see this from outside.", done),
        Part::checklist("Afterwards", "Nobody waits for these.", list(When::After)),
        Part::checklist("Who waits for it", "Tell them, if it gets late.", waiting(of)),
    ]
}

fn usual(strategy: Strategy) -> &'static [&'static str] {
    match strategy {
        Strategy::Retire => &[
            "See in its logs that nobody has used it for two weeks, and ask whoever did.",
            "Keep a last backup where the law and its owner want it, and write down where.",
            "Stop it before it is removed, and wait as long as its rarest job runs: a month's end, a quarter's.",
            "Remove its names, accounts, certificates, firewall rules, alarms and backups, and end its licences.",
        ],
        Strategy::Retain => &[
            "Write down why it stays, and when that is looked at again.",
            "See that it reaches what has moved away from it: names, addresses, firewall rules, latency.",
            "See that its backups, alarms and certificates do not hang on what is switched off.",
        ],
        Strategy::Repurchase => &[
            "Take the data over, and have its owner check a sample and the counts.",
            "Let everybody sign in as before, and take the old accounts away.",
            "Train whoever works with it before the day, and say where they get help.",
            "Keep the old one readable until the year's accounts are closed, then retire it.",
        ],
        Strategy::Rehost | Strategy::Relocate | Strategy::Replatform | Strategy::Refactor => &[],
    }
}

fn waiting(of: &Of) -> Vec<Step> {
    let all = of.portfolio.dependencies.iter().filter(|one| one.first == of.application.name);
    let told = all.filter_map(|one| {
        let (entry, placed) = (of.entry(&one.then)?, of.placement_of(&one.then)?);
        Some(Step::of(format!("{}, on {}", one.then, placed.date)).by(&entry.owner))
    });
    told.collect()
}
