//! What a message of an incident says: values, which `messages` puts into words. Pure.

use cutover::plan::Stakeholders;
use cutover::told::{INCIDENT, Told};
use incidents::decide::{Message, Next};
use incidents::incident::Incident;
use incidents::wave::{Member, OfWave};
use serde_json::{Value, json};

/// So many of the updates are told, the newest; the rest is counted.
const MOST_UPDATES: usize = 8;

/// So many of a wave's cutovers are told, those that need a person first; the rest is counted.
const MOST_MEMBERS: usize = 30;

/// The cutovers of a wave.
fn wave(of_wave: &OfWave) -> Value {
    let mut members: Vec<&Member> = of_wave.members.iter().collect();
    members.sort_by_key(|member| member.standing);
    let told =
        |member: &&Member| json!({ "application": member.application, "standing": member.standing, "why": member.why });
    let told: Vec<Value> = members.iter().take(MOST_MEMBERS).map(told).collect();
    json!({ "id": of_wave.wave, "count": members.len(), "cutovers": told })
}

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
        "left": incident.left,
        // Those whose turn it was before are not called now.
        "called_before": incident.heard.as_ref().map(|heard| heard.level),
        "wave": incident.of_wave.as_ref().map(wave),
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
