//! What a message of an incident says: values, which `messages` puts into words. Pure.

use cutover::plan::Stakeholders;
use cutover::told::{INCIDENT, Told};
use incidents::decide::{Message, Next};
use incidents::incident::Incident;
use serde_json::json;

/// So many of the updates are told, the newest; the rest is counted.
const MOST_UPDATES: usize = 8;

/// What happened, for `tell`.
pub fn told(
    incident: &Incident,
    message: &Message,
    next: &Next,
    machine_arn: &str,
    stakeholders: Stakeholders,
) -> Told {
    let first = incident.updates.len().saturating_sub(MOST_UPDATES);
    let updates = &incident.updates[first..];
    let detail = json!({
        "kind": message.kind,
        "up_to_level": message.up_to_level,
        "informs": message.informs,
        "slower_seconds": message.slower_seconds,
        "severity": incident.severity,
        "status": incident.status(),
        "title": incident.title,
        "description": incident.description,
        "impact": incident.impact,
        "actions_taken": incident.actions_taken,
        "next_steps": incident.next_steps,
        "estimated_resolution": incident.estimated_resolution,
        "opened_at": incident.opened_at,
        "acknowledged": incident.acknowledged,
        "updates": updates,
        "earlier_updates": first,
        "next_for_responders": next.responders,
        "next_for_informed": next.informed,
        "of_run": incident.run_id,
        "machine_arn": machine_arn,
    });
    Told {
        run_id: incident.id.clone(),
        application: incident.application.clone().unwrap_or_default(),
        event: INCIDENT.to_owned(),
        at: message.at,
        detail,
        stakeholders: Some(stakeholders),
        ask: None,
    }
}
