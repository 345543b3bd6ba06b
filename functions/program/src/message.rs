//! What those read who are asked whether a programme is to be scheduled. Pure.

use std::fmt::Write;

use cutover::ask::{self, Kind, Question};
use cutover::budget::fit;
use cutover::text::named;
use cutover::{Seconds, gestures};
use jiff::Timestamp;
use serde_json::json;
use wave_plan::{Programme, Wave};

/// SNS, a subject: less than 100 characters.
const MOST_NAME: usize = 60;
/// So many waves stand on the first screen.
const MOST_WAVES: usize = 10;
/// So many names of a wave.
const MOST_NAMES: usize = 6;

/// The subject.
pub fn subject(portfolio: &str) -> String {
    format!("[Cutover] {}: schedule these waves?", named(portfolio, MOST_NAME))
}

/// By what those who are asked answer.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// The execution that waits.
    pub execution_arn: &'a str,
    /// What answers it.
    pub task_token: &'a str,
    /// The page, where there is one.
    pub link: Option<&'a str>,
    /// How long it waits.
    pub within: Seconds,
}

/// What happened and what to do, on the first screen; then the commands.
pub fn asking(programme: &Programme, page: &str, by: &Answering) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "The programme {} waits for a yes: {}", named(&programme.portfolio, 64), extent(programme));
    if let Some(slip) = slip(programme) {
        let _ = writeln!(text, "{slip}");
    }
    let _ = writeln!(text, "Until then nothing is scheduled anew. Silence is a no, after {}.\n", by.within);
    for wave in waves(programme).iter().take(MOST_WAVES) {
        let _ = writeln!(text, "{wave}");
    }
    let waves = programme.waves.len();
    if waves > MOST_WAVES {
        let _ = writeln!(text, "and {} waves more", waves - MOST_WAVES);
    }
    let _ = writeln!(text, "\nThe whole programme, with the reasons:\n  {page}\n");
    if let Some(link) = by.link {
        let _ = writeln!(text, "{}:\n  {link}\n", links::asking::BY_PAGE);
    }
    text.push_str(&gestures::answers(by.execution_arn, by.task_token));
    text
}

/// The question behind the message, with all waves.
pub fn question(
    programme: &Programme,
    execution_arn: &str,
    task_token: &str,
    within: Seconds,
    now: Timestamp,
) -> Question {
    let summary: Vec<String> = [extent(programme)].into_iter().chain(slip(programme)).collect();
    let lists = json!([{ "title": "In short", "items": summary }, { "title": "The waves", "items": waves(programme) }]);
    Question {
        kind: Kind::Programme,
        run_id: execution_arn.to_owned(),
        application: programme.portfolio.clone(),
        task_token: task_token.to_owned(),
        asked_at: now,
        ends_at: ask::ends_at(now, within.0),
        detail: fit(json!({ "within_seconds": within.0, "lists": lists }), ask::MOST_DETAIL_BYTES),
        plan: ask::kept(json!(programme)),
    }
}

fn extent(programme: &Programme) -> String {
    let applications: usize = programme.waves.iter().map(|wave| wave.applications.len()).sum();
    let Programme { waves, start, end, .. } = programme;
    format!("{applications} applications in {} waves, {start} to {end}.", waves.len())
}

fn slip(programme: &Programme) -> Option<String> {
    let (days, changes) = (programme.baseline.as_ref()?.slip_days, programme.changes.len());
    let earlier = programme.quality.days_from_scratch.map(|from_scratch| programme.quality.days - from_scratch);
    let earlier = earlier
        .map(|days| format!(" If everything that is not done might move, it would end {days} days earlier."))
        .unwrap_or_default();
    Some(format!(
        "It ends {days} days after the first plan's end, and {changes} applications have another date than before.{earlier}"
    ))
}

/// A sentence for each wave.
fn waves(programme: &Programme) -> Vec<String> {
    let sentence = |wave: &Wave| {
        let names: Vec<String> = wave.applications.iter().take(MOST_NAMES).map(|one| named(&one.name, 64)).collect();
        let more = wave.applications.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}. {}: {}{more}", wave.number, wave.opens, names.join(", "))
    };
    programme.waves.iter().map(sentence).collect()
}
