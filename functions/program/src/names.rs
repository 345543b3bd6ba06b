//! What waves and their schedules are called: after the portfolio and the date. A programme has one wave a date, so whatever is planned anew, no
//! date is started twice. Pure.

use cutover::contract::digest;

/// A schedule's name has 64 characters (EventBridge Scheduler), and a wave's as many: with ten of a date and one between.
const MOST_PORTFOLIO: usize = 53;
const KEPT: usize = 44;
const TIMELINE: &str = ".timeline";
const AGAIN: &str = "-again-";
/// With the ending, a date, and one between.
const MOST_WITH_TIMELINE: usize = 44;

/// A portfolio's name as far as there is room, and no other's.
fn short(portfolio: &str) -> String {
    if portfolio.len() <= MOST_PORTFOLIO {
        return portfolio.to_owned();
    }
    format!("{}-{}", &portfolio[..KEPT], &digest(portfolio)[..8])
}

/// What all schedules of a portfolio begin with. Names of portfolios have no full stop, so none of another one does.
pub fn prefix(portfolio: &str) -> String {
    format!("{}.", short(portfolio))
}

/// The schedule of the wave of a date.
pub fn schedule(portfolio: &str, date: &str) -> String {
    format!("{}{date}", prefix(portfolio))
}

/// The wave of a date, and the execution that runs it.
pub fn wave(portfolio: &str, date: &str) -> String {
    format!("{}-{date}", short(portfolio))
}

/// The execution of a wave of this name that is over already, by what its last one was: Step Functions refuses a name for 90 days after its end. The same at every
/// try, so that it is started once; and another one when that is over, too. Eighty characters at the most.
pub fn wave_again(wave: &str, last_id: &str) -> String {
    format!("{wave}{AGAIN}{}", &digest(last_id)[..8])
}

/// Whether an execution is that of a wave, the first one or a later one.
pub fn is_of_wave(execution: &str, wave: &str) -> bool {
    let rest = execution.strip_prefix(wave);
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(AGAIN).is_some_and(|last| last.len() == 8))
}

/// What the schedules of a portfolio's timelines begin with: they end with nine characters more.
pub fn timeline_prefix(portfolio: &str) -> String {
    if portfolio.len() <= MOST_WITH_TIMELINE {
        return prefix(portfolio);
    }
    format!("{}-{}.", &portfolio[..MOST_WITH_TIMELINE - 9], &digest(portfolio)[..8])
}

/// The schedule of the timeline of the wave of a date.
pub fn timeline_schedule(portfolio: &str, date: &str) -> String {
    format!("{}{date}{TIMELINE}", timeline_prefix(portfolio))
}

/// Whether a schedule is that of a timeline.
pub fn is_timeline(schedule: &str) -> bool {
    schedule.ends_with(TIMELINE)
}

/// The execution that follows the timeline of a wave.
pub fn timeline(wave: &str) -> String {
    format!("{wave}-timeline")
}

/// The wave that a schedule starts; none if the name is none of ours.
pub fn wave_of(schedule: &str) -> Option<String> {
    schedule.split_once('.').map(|(portfolio, date)| format!("{portfolio}-{date}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_are_those_of_one_portfolio() {
        let (one, other) = ("a".repeat(64), format!("{}b", "a".repeat(63)));
        let names = [&one, &other].map(|portfolio| schedule(portfolio, "2026-03-07"));
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.len() <= 64));
        assert_eq!(wave("spring-move", "2026-03-07"), "spring-move-2026-03-07");
        assert_eq!(wave_of(&schedule("spring-move", "2026-03-07")), Some(wave("spring-move", "2026-03-07")));
        assert!(!schedule("spring-move", "2026-03-07").starts_with(&prefix("spring")));
        let again = wave_again(&wave(&one, "2026-03-07"), "arn:first");
        assert!(again.len() <= 80 && is_of_wave(&again, &wave(&one, "2026-03-07")), "{again}");
        assert!(!is_of_wave(&again, &wave(&other, "2026-03-07")));
        assert_ne!(again, wave_again(&wave(&one, "2026-03-07"), "arn:second"));
        assert_eq!(wave_of("nightly"), None);
        let timelines = [&one, &other].map(|portfolio| timeline_schedule(portfolio, "2026-03-07"));
        assert_ne!(timelines[0], timelines[1]);
        assert!(timelines.iter().all(|name| name.len() <= 64 && is_timeline(name)));
        assert_eq!(timeline_schedule("spring-move", "2026-03-07"), "spring-move.2026-03-07.timeline");
        assert!(!is_timeline(&schedule("spring-move", "2026-03-07")));
        assert!(timeline(&wave(&one, "2026-03-07")).len() <= 80);
    }
}
