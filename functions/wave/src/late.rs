//! An application that is put back after its wave's end: by a person, or by the watch that goes on until cleanup. Nobody follows the wave any
//! more; the event of the rollback's end has it say what is so, in the journal and on its page. The run's own messages tell people.
//!
//! Reads: the run, its wave. Writes: the wave's item, its page. Nothing is started. An event that is lost leaves the wave as it said last; the run's
//! own report is right all the same.

use cutover::StepResult;
use jiff::Timestamp;
use journal::RunSeen;
use serde_json::Value;
use waves::asked::Event;
use waves::decide::ended_otherwise;

use crate::{Clients, MOST_TRIES, contended, observe, page, read, remember};

/// Takes in the end of a rollback; says what came of it.
///
/// # Errors
/// AWS errors; a wave that cannot be read, or that others change all the time.
pub(crate) async fn rolled_back(clients: &Clients, event: &Event, at: Timestamp) -> StepResult<String> {
    let Some(run_id) = run_of(event) else { return Ok("the rollback names no run".to_owned()) };
    let Some(run) = clients.journal.read(&run_id).await? else { return Ok("its run is gone".to_owned()) };
    let sight = observe::of_run(&RunSeen::from(&run));
    let Some(wave) = run.plan.wave else { return Ok("its run is of no wave".to_owned()) };
    for _ in 0..MOST_TRIES {
        let Some((order, state, version)) = read(clients, &wave).await? else {
            return Ok(format!("there is no wave {wave}"));
        };
        let is_its = |(place, member): (usize, _)| {
            let name = &order.members[place].name;
            (observe::run_id(clients, &state, name, member) == run_id).then_some((place, name.clone()))
        };
        let Some((place, name)) = state.members.iter().enumerate().find_map(is_its) else {
            return Ok(format!("it is not the last run of its application in wave {wave}"));
        };
        let Some(state) = ended_otherwise(&order, state, place, &sight, at) else {
            return Ok(format!("wave {wave} knows it, or will see it"));
        };
        if remember(clients, &wave, &state, Some(version), at).await? {
            page::write(clients, &order, &state, &clients.journal.line().await?, at).await;
            return Ok(format!("{name} of wave {wave} {}", state.members[place].is.words()));
        }
    }
    Err(contended(&wave))
}

/// Who started it said which run; a person may have said the application's name, and then the rollback's own end says it.
fn run_of(event: &Event) -> Option<String> {
    let texts = [&event.input, &event.output, &event.cause];
    texts.into_iter().flatten().find_map(|text| {
        let said: Value = serde_json::from_str(text).ok()?;
        said["run_id"].as_str().map(|run_id| run_id.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_found_by_what_the_rollback_was_told_or_by_what_it_says() {
        let event = |input: &str, output: Option<&str>, cause: Option<&str>| Event {
            input: Some(input.to_owned()),
            output: output.map(str::to_owned),
            cause: cause.map(str::to_owned),
            ..Event::default()
        };
        let by_name = r#"{"application": "shop"}"#;
        assert_eq!(run_of(&event(r#"{"run_id": " arn:run "}"#, None, None)).as_deref(), Some("arn:run"));
        assert_eq!(run_of(&event(by_name, Some(r#"{"run_id": "arn:run"}"#), None)).as_deref(), Some("arn:run"));
        assert_eq!(run_of(&event(by_name, None, Some(r#"{"run_id": "arn:run"}"#))).as_deref(), Some("arn:run"));
        assert_eq!(run_of(&event(by_name, None, Some("cut off"))), None);
    }
}
