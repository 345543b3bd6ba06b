//! What those read who are asked whether a programme is to be scheduled. Pure.

use std::fmt::Write;

use cutover::Seconds;
use cutover::gestures;
use cutover::text::named;
use wave_plan::Programme;

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

/// What happened and what to do, on the first screen; then the commands.
pub fn asking(programme: &Programme, page: &str, execution_arn: &str, task_token: &str, within: Seconds) -> String {
    let mut text = String::new();
    let name = named(&programme.portfolio, 64);
    let (moves, waves) =
        (programme.waves.iter().map(|wave| wave.applications.len()).sum::<usize>(), programme.waves.len());
    let _ = writeln!(
        text,
        "The programme {name} waits for a yes: {moves} applications in {waves} waves, {} to {}.",
        programme.start, programme.end
    );
    if let Some(baseline) = &programme.baseline {
        let _ = writeln!(
            text,
            "It ends {} days after the first plan's end, and {} applications have another date than before.",
            baseline.slip_days,
            programme.changes.len()
        );
    }
    let _ = writeln!(text, "Until then nothing is scheduled anew. Silence is a no, after {within}.\n");
    for wave in programme.waves.iter().take(MOST_WAVES) {
        let names: Vec<String> = wave.applications.iter().take(MOST_NAMES).map(|one| named(&one.name, 64)).collect();
        let more = wave.applications.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "{}. {}: {}{more}", wave.number, wave.opens, names.join(", "));
    }
    if waves > MOST_WAVES {
        let _ = writeln!(text, "and {} waves more", waves - MOST_WAVES);
    }
    let _ = writeln!(text, "\nThe whole programme, with the reasons:\n  {page}\n");
    text.push_str(&gestures::answers(execution_arn, task_token));
    text
}
