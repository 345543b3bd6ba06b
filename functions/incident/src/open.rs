//! A person opens an incident: of an application that a run holds, those hear of it whom that run's plan names.
//!
//! Reads: the run that holds the application. Writes: the incident. Whom it reaches is kept with it: the run may be over before it is.

use cutover::StepResult;
use cutover::plan::{Moment, Stakeholders};
use cutover::stakeholders::StackGroups;
use incidents::asked::Open;
use incidents::taken;
use jiff::Timestamp;

use crate::{Clients, TakeReply, change};

/// What is said to whoever opens one that reaches nobody.
const NOBODY_HEARS: &str = "; nobody hears of it: neither the stack nor a run that holds the application has a group that does, so tell people by yourself, \
    or list groups (`stakeholders`)";
/// A person opens one. Of an application that a run holds, those hear of it whom that run's plan names.
pub(crate) async fn opened(clients: &Clients, open: Open, me: &str, now: Timestamp) -> StepResult<TakeReply> {
    let id = taken::id_of(me);
    let run = match &open.application {
        Some(application) => clients.journal.find(None, Some(application)).await?,
        None => None,
    };
    let wanted = run.map(|run| run.plan.stakeholders).unwrap_or_default();
    let is_heard = is_heard(&clients.stack, &wanted, open.severity.is_severe());
    let mut reply = change(clients, &id, now, |incident| {
        // A second delivery of the same start.
        Ok(incident.map_or_else(
            || taken::opened(open.clone(), &id, me, wanted.clone(), now),
            |incident| taken::followed(incident, me),
        ))
    })
    .await?;
    if !is_heard {
        reply.said.push_str(NOBODY_HEARS);
    }
    Ok(reply)
}

/// Whether any group is told of an incident: one that responds, or, of a severe one, one that is informed.
fn is_heard(stack: &StackGroups, wanted: &Stakeholders, is_severe: bool) -> bool {
    let hearing = stack.hearers(wanted);
    hearing.iter().any(|group| group.hears(Moment::Incident) && (is_severe || group.level().is_some()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn whoever_opens_an_incident_that_reaches_nobody_is_told_so() {
        let group = |name: &str, responds: Value, moments: Value| {
            let channels = json!([{ "type": "mail", "to": ["a@example.com"] }]);
            json!({ "name": name, "channels": channels, "responds": responds, "moments": moments })
        };
        let stack = |groups: Value| StackGroups::read(&groups.to_string()).unwrap();
        let none = Stakeholders::default();
        assert!(!is_heard(&stack(json!([])), &none, true));
        let informed = stack(json!([group("executives", json!(null), json!(["incident"]))]));
        assert!(
            is_heard(&informed, &none, true) && !is_heard(&informed, &none, false),
            "of a low one they hear nothing"
        );
        let level = stack(json!([group("technical-teams", json!(2), json!(["incident"]))]));
        assert!(is_heard(&level, &none, false));
        let deaf = stack(json!([group("executives", json!(null), json!(["started"]))]));
        assert!(!is_heard(&deaf, &none, true));
        let other = Stakeholders { of_stack: Some(Vec::new()), groups: Vec::new() };
        assert!(!is_heard(&level, &other, true), "the run's plan leaves those of the stack out");
    }
}
