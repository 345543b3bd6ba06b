//! A draft of a plan, made of what there is: `cargo plan`.
//!
//! Contract: nothing is written to AWS. What is found is in the draft; what cannot be known is told beside it. Whatever precheck
//! says of routes is said by precheck's own code, [`routes::any::precheck`].

pub mod account;
pub mod alarms;
mod application;
pub mod aws;
pub mod document;
pub mod find;
pub mod gates;
pub mod names;
mod open;
pub mod seen;
pub mod steps;
pub mod wanted;

use ::routes::listener::arns;
use anyhow::{Result, ensure};
use cutover::plan::Notify;
use cutover::{Finding, dns::bare_name};

use self::alarms::Exchange;
use self::aws::Clients;
use self::document::{Database, Draft, Forwarding, Gate, Monitoring, Name, Route};
use self::find::{Balancer, Called, Group, asked_for, listed, named, pairs, tag};
use self::names::Target;
use self::wanted::Wanted;
use crate::wall_clock;

/// CloudWatch's datapoints come late, and a small step gives little data.
const NO_DATA_LIMIT: u32 = 5;
/// The plan's schema: so many alarms are set by one run.
const MOST_ALARMS: usize = 100;

/// A draft, and what a person has to know of it.
#[derive(Clone, Debug, Default)]
pub struct Drafted {
    /// The plan.
    pub draft: Draft,
    /// What is in it, a line each.
    pub found: Vec<String>,
    /// What has to be decided, a line each.
    pub open: Vec<String>,
    /// What precheck says of it, by now.
    pub findings: Vec<Finding>,
}

/// Drafts a plan.
///
/// # Errors
/// What is asked for is not there, or not clear; AWS errors.
pub async fn draft(clients: &Clients, wanted: &Wanted) -> Result<Drafted> {
    wanted.check()?;
    let mut drafted = Drafted::default();
    let may_split = wanted.replication_task.is_none() || wanted.shared_database;
    let balancers = clients.balancers().await?;
    let mut exchanges = forwarding(clients, wanted, &balancers, &mut drafted).await?;
    let aliased = named_routes(clients, wanted, &balancers, &mut drafted, &mut exchanges).await?;
    drafted.draft.application = application::of(wanted, &exchanges);
    for route in &mut drafted.draft.routes {
        *route.steps_mut() = steps::tried(may_split);
    }
    drafted.draft.database = database(clients, wanted).await?;
    drafted.draft.timeout = timeout(drafted.draft.routes.len());
    drafted.draft.notify = wanted.topic.clone().map(|topic_arn| Notify { topic_arn });
    let mut metrics = gates::of(&drafted.draft.routes, &aliased);
    measured(clients, &mut metrics, &mut drafted).await?;
    drafted.draft.monitoring = Monitoring { no_data_limit: NO_DATA_LIMIT, metrics, alarms: Vec::new() };
    alarms_of_old_side(clients, &exchanges, &mut drafted).await?;
    judge(clients, &mut drafted).await?;
    drafted.open.extend(open::of(wanted, &drafted.draft));
    Ok(drafted)
}

/// The routes of listeners and rules; answers what is exchanged by them.
async fn forwarding(
    clients: &Clients,
    wanted: &Wanted,
    balancers: &[Balancer],
    drafted: &mut Drafted,
) -> Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    let only =
        wanted.balancer.as_ref().map(|text| named("--balancer", "load balancer", text, balancers)).transpose()?;
    for (old, new) in group_pairs(clients, wanted).await? {
        ensure!(old.arn != new.arn, "--old and --new are one target group, {}", old.name);
        let on: Vec<String> =
            old.balancers.iter().filter(|arn| only.is_none_or(|only| only.arn == **arn)).cloned().collect();
        let of = asked_for(clients.forwarding(&on, &old.arn).await?, &wanted.listener, &old)?;
        let there = listed(old.balancers.iter().map(String::as_str));
        ensure!(
            !of.is_empty(),
            "--old {}: no listener or rule{} gives it traffic; it is attached to {}",
            old.name,
            only.map(|only| format!(" of {}", only.name)).unwrap_or_default(),
            if there.is_empty() { "no load balancer" } else { &there }
        );
        for (arn, title) in of {
            drafted.found.push(format!("{title}: from {} to {}", old.name, new.name));
            drafted.draft.routes.push(Route::Listener(Forwarding::of(&arn, &old.arn, &new.arn)));
        }
        let dimension = |group: &Group| arns::group_dimension(&group.arn).to_owned();
        exchanges.push(Exchange { old: dimension(&old), new: dimension(&new) });
    }
    Ok(exchanges)
}

async fn group_pairs(clients: &Clients, wanted: &Wanted) -> Result<Vec<(Group, Group)>> {
    if let (Some(old), (Some(new), _)) = (&wanted.old, wanted.new_side()?) {
        let groups = clients.groups().await?;
        let old = named("--old", "target group", old, &groups)?;
        return Ok(vec![(old.clone(), named("--new", "target group", &new, &groups)?.clone())]);
    }
    let (Some(old), Some(new)) = (&wanted.old_tag, &wanted.new_tag) else { return Ok(Vec::new()) };
    let groups = clients.groups().await?;
    let tags = (tag("--old-tag", old)?, tag("--new-tag", new)?);
    let (olds, news) = (clients.tagged(&groups, tags.0).await?, clients.tagged(&groups, tags.1).await?);
    let serving: Vec<&Group> = olds.iter().copied().filter(|group| !group.balancers.is_empty()).collect();
    ensure!(!serving.is_empty(), "--old-tag {old}: no target group of a load balancer has this tag");
    ensure!(!news.is_empty(), "--new-tag {new}: no target group has this tag");
    pairs(&serving, &news, (tags.0.1, tags.1.1))
}

/// The routes of names; answers the load balancers to which they lead on the new side, by ARN.
async fn named_routes(
    clients: &Clients,
    wanted: &Wanted,
    balancers: &[Balancer],
    drafted: &mut Drafted,
    exchanges: &mut Vec<Exchange>,
) -> Result<Vec<String>> {
    if wanted.name.is_empty() {
        return Ok(Vec::new());
    }
    let target = match &wanted.new_alias {
        Some(alias) => names::alias(alias, wanted.new_alias_zone.as_deref(), balancers)?,
        None => Target::Values(wanted.new_side()?.1),
    };
    let called = |name: &str| balancers.iter().find(|one| bare_name(&one.dns_name) == bare_name(name));
    let new = match &target {
        Target::Alias(alias, _) => called(&alias.dns_name),
        Target::Values(_) => None,
    };
    for name in &wanted.name {
        let (zones, all) = clients.zones(name, wanted.zone.as_deref()).await?;
        let zone = names::choose(name, &zones, &all)?;
        let (records, told) = names::changes(name, &zone.types, &target);
        drafted.open.extend(told);
        let types: Vec<&str> = records.iter().map(|record| record.record_type.as_str()).collect();
        drafted.found.push(format!("name {name} in zone {} ({}): {}", zone.id, zone.zone, types.join(", ")));
        let (hosted_zone_id, record_name) = (zone.id.clone(), name.trim_end_matches('.').to_owned());
        let route = Name { hosted_zone_id, record_name, records, steps: Vec::new() };
        drafted.draft.routes.push(Route::Dns(route));
        let dimension = |balancer: &Balancer| arns::balancer_dimension(&balancer.arn).to_owned();
        for old in zone.aliases.iter().filter_map(|alias| called(alias)) {
            let exchange = new.filter(|new| new.arn != old.arn);
            exchanges.extend(exchange.map(|new| Exchange { old: dimension(old), new: dimension(new) }));
        }
    }
    if new.is_none() {
        drafted.open.push(
            "monitoring: no metric is known of what the names lead to: name metrics or alarms of the new side"
                .to_owned(),
        );
    }
    Ok(new.map(|new| new.arn.clone()).into_iter().collect())
}

/// A route's steps are held for an hour, and a run has 12 if its plan does not say otherwise.
fn timeout(routes: usize) -> Option<String> {
    (routes > 8).then(|| format!("{}h", routes * 2))
}

async fn database(clients: &Clients, wanted: &Wanted) -> Result<Option<Database>> {
    let Some(forward) = &wanted.replication_task else { return Ok(None) };
    let tasks = match [Some(forward), wanted.reverse_replication_task.as_ref()]
        .into_iter()
        .flatten()
        .all(|text| text.starts_with("arn:"))
    {
        true => Vec::new(), // Also serverless ones, which are no tasks; precheck looks whether they are there.
        false => clients.replication_tasks().await?,
    };
    let arn = |flag: &str, text: &String| match text.starts_with("arn:") {
        true => Ok(text.clone()),
        false => named(flag, "replication task", text, &tasks).map(|task| task.arn().to_owned()),
    };
    let reverse = wanted.reverse_replication_task.as_ref();
    Ok(Some(Database {
        replication_task_arn: arn("--replication-task", forward)?,
        reverse_replication_task_arn: reverse.map(|text| arn("--reverse-replication-task", text)).transpose()?,
        shared: wanted.shared_database,
    }))
}

async fn alarms_of_old_side(clients: &Clients, exchanges: &[Exchange], drafted: &mut Drafted) -> Result<()> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let (live, left) = clients.alarms().await?;
    let mut found = alarms::of(&live, exchanges);
    if !left.is_empty() {
        let names = listed(left.iter().map(String::as_str));
        drafted
            .open
            .push(format!("alarms: these have settings that a plan cannot hold, and were not looked at: {names}"));
    }
    if found.repeated.len() > MOST_ALARMS {
        let more = found.repeated.split_off(MOST_ALARMS);
        let names = listed(more.iter().map(|alarm| alarm.alarm_name.as_str()));
        drafted.open.push(format!("alarms: a run sets {MOST_ALARMS} at the most; set these yourself: {names}"));
    }
    (drafted.draft.alarms, drafted.draft.monitoring.alarms) = (found.repeated, found.watched);
    Ok(())
}

/// How slow the old side is decides what is slow.
async fn measured(clients: &Clients, metrics: &mut [Gate], drafted: &mut Drafted) -> Result<()> {
    let mut seen = Vec::new();
    for route in &drafted.draft.routes {
        let Route::Listener(route) = route else { continue };
        let Some(balancer) = arns::balancer(route.arn()) else { continue };
        if arns::is_network(&balancer) || seen.contains(&&route.old_target_group_arn) {
            continue;
        }
        seen.push(&route.old_target_group_arn);
        let group = arns::group_dimension(&route.old_target_group_arn);
        let slowest = clients.slowest(arns::balancer_dimension(&balancer), group, wall_clock()).await?;
        if let Some(slowest) = slowest.filter(|slowest| gates::measure(metrics, route, *slowest)) {
            let told = "its p95 was at most";
            drafted.found.push(format!(
                "{group}: {told} {slowest:.3} s in an hour of the last day; the gate is at twice that, 0.5 s at least"
            ));
        }
    }
    Ok(())
}

/// Asks precheck, takes what it refuses out of the steps, and names who stays behind.
async fn judge(clients: &Clients, drafted: &mut Drafted) -> Result<()> {
    let first = seen::look(&clients.routes, &drafted.draft).await?;
    for (index, route) in drafted.draft.routes.iter_mut().enumerate() {
        let kept = steps::kept(index, route.steps(), &first.findings);
        if !kept.is_empty() {
            *route.steps_mut() = kept;
        }
    }
    drafted.draft.leaves_behind = seen::left_behind(&first.behind);
    drafted.findings = seen::look(&clients.routes, &drafted.draft).await?.findings;
    for one in &first.behind {
        let told = format!("leaves_behind: {} ({}). Move it ({}), or say why it stays", one.what, one.problem, one.fix);
        if !drafted.open.contains(&told) {
            drafted.open.push(told);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_routes_have_time_for_their_steps() {
        assert_eq!([timeout(8), timeout(20)], [None, Some("40h".to_owned())]);
    }
}
