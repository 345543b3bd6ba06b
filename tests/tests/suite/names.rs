//! Names: who would stay on the old side is told before anything is touched, and left only where the plan says why.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, ensure_same};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
const LIMIT: Duration = Duration::from_secs(120);
const ZONE: &str = "Z0123456789TEST00";
const NEW: &str = "new-lb-2.eu-west-1.elb.amazonaws.com";
const OLD: &str = "old-lb-1.eu-west-1.elb.amazonaws.com";
const ELB_ZONE: &str = "Z32O12XQLNTSW2";

/// A plan that moves the A record of a name from one balancer to another.
fn plan(application: &str) -> Value {
    let mut plan = dns_plan(application, json!([{ "new_weight": 100 }]));
    let alias = json!({ "dns_name": NEW, "hosted_zone_id": ELB_ZONE });
    plan["routes"][0]["records"] = json!([{ "type": "A", "new": { "alias": alias } }]);
    plan
}

/// The name is an alias to the old balancer; beside it is everything that a plan for its A record forgets.
fn world(application: &str) -> Value {
    let name = |label: &str| format!("{label}{application}.example.com.");
    let to_old = |name: String, kind: &str| {
        let target = json!({ "DNSName": format!("{OLD}."), "HostedZoneId": ELB_ZONE, "EvaluateTargetHealth": false });
        json!({ "Name": name, "Type": kind, "AliasTarget": target })
    };
    let record = |name: String, kind: &str, value: &str| json!({ "Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{ "Value": value }] });
    let records = [
        to_old(name(""), "AAAA"),
        record(name(""), "HTTPS", "1 . alpn=\"h2\" ipv4hint=192.0.2.10"),
        to_old(name("www."), "A"),
        record(name("shop."), "CNAME", OLD),
    ];
    let more = records.map(|record| json!({ "hosted_zone_id": ZONE, "record": record }));
    json!({
        "records": { format!("{application}.example.com A"): { "alias": { "dns_name": OLD } } },
        "more_records": more,
        "zones": [{ "name": "example.com", "private": true, "records": [record(name(""), "A", "10.0.0.1")] }],
    })
}

/// What each finding of an error allows to be named.
fn whats(cause: &str) -> Result<Vec<String>> {
    let cause: Value = serde_json::from_str(cause).context("the cause is no JSON")?;
    let findings = cause["findings"].as_array().context("no findings")?;
    let fixes =
        findings.iter().filter(|finding| finding["severity"] == "error").filter_map(|finding| finding["fix"].as_str());
    let what = |fix: &str| {
        fix.split_once("{\"what\": \"").and_then(|(_, rest)| rest.split_once('"')).map(|(what, _)| what.to_owned())
    };
    Ok(fixes.filter_map(what).collect())
}

async fn whoever_stays_on_the_old_side_is_told_before_anything_is_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&plan("forgetful"), world("forgetful")).await?;
    let before = ground.account().await?;
    let refused = ground.start("cutover", "refused", &stage.plan).await?;
    let end = ground.end_of(&refused, LIMIT).await?;
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {}", end["error"], end["cause"]);
    let found = whats(end["cause"].as_str().context("a cause")?)?;
    let starts = [
        "AAAA forgetful.example.com",
        "HTTPS forgetful.",
        "A www.forgetful.",
        "CNAME shop.forgetful.",
        "A forgetful.example.com Z",
    ];
    for start in starts {
        ensure!(found.iter().any(|what| what.starts_with(start)), "{start} is not among {found:?}");
    }
    ensure!(found.len() == starts.len(), "more than that stays behind: {found:?}");
    ensure_same(&before, &ground.account().await?)?;

    let mut plan = stage.plan.clone();
    plan["leaves_behind"] = found.iter().map(|what| json!({ "what": what, "why": "moved next week" })).collect();
    let end = ground.end_of(&ground.start("cutover", "named", &plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(stage.new_percents() == [100.0], "the new side has {:?} %", stage.new_percents());
    Ok(())
}

async fn a_name_that_is_delegated_away_is_not_moved() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let ns = json!({ "Name": "delegated.example.com.", "Type": "NS", "TTL": 60, "ResourceRecords": [{ "Value": "ns1.example.net." }] });
    let mut plan = dns_plan("delegated", json!([{ "new_weight": 100 }]));
    plan["routes"][0]["record_name"] = json!("app.delegated.example.com");
    // Its zone is that of the name's parent: a second name makes it the one above.
    let mut second = plan["routes"][0].clone();
    second["record_name"] = json!("other.example.com");
    plan["routes"] = json!([plan["routes"][0], second]);
    let world = json!({ "more_records": [{ "hosted_zone_id": ZONE, "record": ns }] });
    let stage = ground.quiet_stage(&plan, world).await?;
    let end = ground.end_of(&ground.start("cutover", "delegated", &stage.plan).await?, LIMIT).await?;
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {}", end["error"], end["cause"]);
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(cause.contains("the change would reach nobody") && cause.contains("ns1.example.net"), "{cause}");
    ensure!(whats(cause)? == ["NS delegated.example.com"], "{cause}");
    Ok(())
}

/// A hosted zone, and its name servers; a private one in this VPC.
async fn new_zone(ground: &Ground, name: &str, vpc: Option<&Value>) -> Result<(Value, Vec<Value>)> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let reference = format!("{name}-{}", MADE.fetch_add(1, Ordering::Relaxed));
    let mut wanted = json!({ "Name": name, "CallerReference": reference });
    if let Some(vpc) = vpc {
        wanted["VPC"] = json!({ "VPCRegion": "eu-west-1", "VPCId": vpc });
        wanted["HostedZoneConfig"] = json!({ "PrivateZone": true, "Comment": "" });
    }
    let made = ground.client.call("route53", "create_hosted_zone", wanted).await?;
    let id = made["HostedZone"]["Id"].as_str().context("no zone")?.trim_start_matches("/hostedzone/");
    let servers = made["DelegationSet"]["NameServers"].as_array().cloned().unwrap_or_default();
    Ok((json!(id), servers))
}

async fn put(ground: &Ground, zone: &Value, name: &str, kind: &str, values: &[Value]) -> Result<()> {
    let values: Vec<Value> = values.iter().map(|value| json!({ "Value": value })).collect();
    let record = json!({ "Name": name, "Type": kind, "TTL": 60, "ResourceRecords": values });
    let batch = json!({ "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": record }] });
    let change = json!({ "HostedZoneId": zone, "ChangeBatch": batch });
    ground.client.call("route53", "change_resource_record_sets", change).await.map(drop)
}

/// What precheck finds of a name of a zone: whom it lets be left behind, and its whole cause.
async fn looked_at(
    ground: &Ground,
    plan: &Value,
    zone: &Value,
    name: &str,
    run: &str,
) -> Result<(Vec<String>, String)> {
    let mut plan = plan.clone();
    plan["mode"] = json!("precheck");
    plan["routes"][0]["hosted_zone_id"] = zone.clone();
    plan["routes"][0]["record_name"] = json!(name);
    let end = ground.end_of(&ground.start("cutover", run, &plan).await?, LIMIT).await?;
    match end["cause"].as_str() {
        Some(cause) => Ok((whats(cause)?, cause.to_owned())),
        None => Ok((Vec::new(), String::new())),
    }
}

/// Of three levels of zones each is asked by the one above it; and who that names is who is asked.
async fn a_zone_is_answered_where_the_nearest_zone_above_leads() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&dns_plan("levels", json!([{ "new_weight": 100 }])), json!({})).await?;
    let names = ["levels.example.org", "c.levels.example.org", "b.c.levels.example.org"];
    let (top, _) = new_zone(&ground, names[0], None).await?;
    let (middle, of_middle) = new_zone(&ground, names[1], None).await?;
    let (low, of_low) = new_zone(&ground, names[2], None).await?;
    put(&ground, &top, names[1], "NS", &of_middle).await?;
    put(&ground, &middle, names[2], "NS", &of_low).await?;
    let app = format!("app.{}", names[2]);
    put(&ground, &low, &app, "A", &[json!("192.0.2.1")]).await?;
    let (whats, cause) = looked_at(&ground, &stage.plan, &low, &app, "delegated").await?;
    ensure!(cause.is_empty() && whats.is_empty(), "{cause}");

    put(&ground, &middle, names[2], "NS", &[json!("ada.ns.example.net."), json!("bob.ns.example.net.")]).await?;
    let (whats, cause) = looked_at(&ground, &stage.plan, &low, &app, "elsewhere").await?;
    ensure!(cause.contains("ada.ns.example.net, bob.ns.example.net, none of which has it"), "{cause}");
    ensure!(whats == [format!("NS {} {}", names[2], middle.as_str().unwrap_or_default())], "{whats:?}");
    Ok(())
}

/// A private zone may have one label; and a name that has others below it is not covered by a `*`.
async fn another_private_zone_of_one_label_answers_the_name_too() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&dns_plan("labels", json!([{ "new_weight": 100 }])), json!({})).await?;
    let vpcs = ground.client.call("ec2", "describe_vpcs", json!({})).await?;
    let vpc = &vpcs["Vpcs"][0]["VpcId"];
    let (own, _) = new_zone(&ground, "corplabels", Some(vpc)).await?;
    let (other, _) = new_zone(&ground, "corplabels", Some(vpc)).await?;
    put(&ground, &own, "app.corplabels", "A", &[json!("10.0.0.1")]).await?;
    put(&ground, &other, "*.corplabels", "A", &[json!("10.0.0.1")]).await?;
    let (whats, cause) = looked_at(&ground, &stage.plan, &own, "app.corplabels", "covered").await?;
    ensure!(whats == [format!("A *.corplabels {}", other.as_str().unwrap_or_default())], "{whats:?} {cause}");
    put(&ground, &other, "x.app.corplabels", "A", &[json!("10.0.0.2")]).await?;
    let (whats, cause) = looked_at(&ground, &stage.plan, &own, "app.corplabels", "not-covered").await?;
    ensure!(cause.is_empty() && whats.is_empty(), "{cause}");
    Ok(())
}

/// Nothing of it is in the plan, so no weight is other than the step's; and yet some users do not move.
async fn an_address_family_that_comes_in_a_hold_ends_the_step() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 50, "hold": "2h" }, { "new_weight": 100 }]);
    let stage = ground.stage(&dns_plan("families", steps), json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let aaaa = json!({ "Name": "families.example.com", "Type": "AAAA", "TTL": 60, "ResourceRecords": [{ "Value": "2001:db8::1" }] });
    let batch = json!({ "Changes": [{ "Action": "CREATE", "ResourceRecordSet": aaaa }] });
    let change = json!({ "HostedZoneId": stage.plan["routes"][0]["hosted_zone_id"], "ChangeBatch": batch });
    ground.client.call("route53", "change_resource_record_sets", change).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(end["error"] == "Cutover.RolledBack" && cause.contains("Cutover.Drift"), "ended {} {cause}", end["error"]);
    ensure!(cause.contains("answers with AAAA families.example.com as well"), "{cause}");
    Ok(())
}

/// An alias that AWS would refuse in the run's first batch, after the claim.
async fn an_alias_that_aws_would_refuse_is_told_before_anything_is_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan("aliased"), json!({})).await?;
    let before = ground.account().await?;
    let zone = &stage.plan["routes"][0]["hosted_zone_id"];
    let cases = [
        (json!({ "dns_name": NEW, "hosted_zone_id": "Z35SXDOTRQ7X7K" }), "use Z32O12XQLNTSW2"),
        (json!({ "dns_name": "gren.aliased.example.com", "hosted_zone_id": zone }), "the zone has no A record"),
        (json!({ "dns_name": "aliased.example.com", "hosted_zone_id": zone }), "the name itself"),
    ];
    for (index, (alias, says)) in cases.into_iter().enumerate() {
        let mut plan = stage.plan.clone();
        plan["routes"][0]["records"][0]["new"] = json!({ "alias": alias });
        let end = ground.end_of(&ground.start("cutover", &format!("case-{index}"), &plan).await?, LIMIT).await?;
        let cause = end["cause"].as_str().with_context(|| format!("no cause: {end}"))?;
        ensure!(cause.contains(says), "ended {} {cause}", end["error"]);
    }
    ensure_same(&before, &ground.account().await?)
}

/// The limit is the whole account's: who asks more is throttled. Nothing is asked twice, and one call is enough.
async fn twenty_names_are_looked_at_in_one_call_under_the_accounts_limit() -> Result<()> {
    const NAMES: usize = 20;
    const MOST_REQUESTS: usize = 22;
    let ground = Ground::new(SPEED).await?;
    let mut plan = dns_plan("twenty", json!([{ "new_weight": 100 }]));
    let route = plan["routes"][0].clone();
    let named = |n: usize| {
        let mut route = route.clone();
        route["record_name"] = json!(format!("n{n}.twenty.example.com"));
        route
    };
    plan["routes"] = (0..NAMES).map(named).collect();
    plan["mode"] = json!("precheck");
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let limit = json!({ "match": { "service": "route53" }, "do": "limit", "times": null, "rate": 5, "burst": 5,
        "error": "Throttling", "status": 400 });
    ground.client.set_faults(json!([limit])).await?;
    let run_id = ground.start("cutover", "twenty", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let requests = ground.client.requests(0).await?;
    let invoked = requests.iter().filter(|request| request.function.as_deref() == Some("cutover-precheck")).count();
    let asked: Vec<_> =
        requests.iter().filter(|request| request.caller == "precheck" && request.service == "route53").collect();
    let seconds = asked.last().map_or(0.0, |last| last.at) - asked.first().map_or(0.0, |first| first.at);
    let throttled = asked.iter().filter(|request| request.fault.is_some()).count();
    eprintln!("{NAMES} names: {} requests to Route 53 in {seconds:.1} s, {throttled} throttled", asked.len());
    ensure!(invoked == 1, "precheck was called {invoked} times");
    ensure!((1..=MOST_REQUESTS).contains(&asked.len()), "{} requests", asked.len());
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        whoever_stays_on_the_old_side_is_told_before_anything_is_touched,
        a_name_that_is_delegated_away_is_not_moved,
        a_zone_is_answered_where_the_nearest_zone_above_leads,
        another_private_zone_of_one_label_answers_the_name_too,
        an_address_family_that_comes_in_a_hold_ends_the_step,
        an_alias_that_aws_would_refuse_is_told_before_anything_is_touched,
        twenty_names_are_looked_at_in_one_call_under_the_accounts_limit,
    ]
}
