//! What two applications of a wave move, both. Pure.

use std::collections::BTreeMap;

use cutover::Plan;
use cutover::finding::{self, Finding};
use cutover::text::named;

use crate::plan::{Member, WavePlan};

/// A cutover plan of a wave: its application, its place in the wave, and what it says.
pub struct Placed<'a> {
    /// The application's name.
    pub application: &'a str,
    /// Where the plan stands, such as `$.applications[0].cutover`.
    pub path: String,
    /// The plan.
    pub plan: &'a Plan,
}

/// Of plans that stand in the wave; one from elsewhere is compared where it is read.
pub(super) fn within(wave: &WavePlan) -> Vec<Finding> {
    let read = |member: &Member| member.cutover.as_ref().and_then(|plan| Plan::read(plan).ok());
    let plans: Vec<Option<Plan>> = wave.applications.iter().map(read).collect();
    let placed = wave.applications.iter().zip(&plans).enumerate().filter_map(|(place, (member, plan))| {
        let path = format!("$.applications[{place}].cutover");
        Some(Placed { application: &member.name, path, plan: plan.as_ref()? })
    });
    moved_twice(placed)
}

/// Every route that an earlier application's plan moves as well: one of the two runs would be refused, or move what the other has moved. Within a plan
/// the same is [`Plan::read`]'s to say.
pub fn moved_twice<'a>(plans: impl IntoIterator<Item = Placed<'a>>) -> Vec<Finding> {
    let mut first: BTreeMap<String, (&str, String)> = BTreeMap::new();
    let mut findings = Vec::new();
    for Placed { application, path, plan } in plans {
        for (index, route) in plan.routes.iter().enumerate() {
            let here = format!("{path}.routes[{index}]");
            let Some((other, there)) = first.get(&route.lock_key()) else {
                first.insert(route.lock_key(), (application, here));
                continue;
            };
            if *other != application {
                let problem = format!(
                    "moves `{}` a second time: {} moves it already, at {there}, and {} cannot as well",
                    route.title(),
                    named(other, 64),
                    named(application, 64)
                );
                let fix = "leave the route to one of the two, or make them one application";
                findings.push(Finding::plan(finding::shown_path(&here), problem, fix));
            }
        }
    }
    findings
}
