use aws_sdk_route53::types::{AliasTarget, ResourceRecord};
use serde_json::{Value, json};

use super::*;

const LB: &str = "old-lb.eu-west-1.elb.amazonaws.com";

pub(crate) fn record(kind: &str, name: &str, values: &[&str]) -> ResourceRecordSet {
    let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap());
    let record = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(60);
    record.set_resource_records(Some(values.collect())).build().unwrap()
}

pub(crate) fn alias(kind: &str, name: &str, target: &str, zone: &str) -> ResourceRecordSet {
    let target = AliasTarget::builder().dns_name(target).hosted_zone_id(zone).evaluate_target_health(false).build();
    let record = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind));
    record.alias_target(target.unwrap()).build().unwrap()
}

fn zone(id: &str, name: &str, is_private: bool) -> HostedZone {
    HostedZone { id: id.to_owned(), name: name.to_owned(), is_private }
}

/// A plan that moves `app.example.com` in zone Z1 from `live` to `new`, and the names given.
pub(crate) fn plan(new: Value, also: &[(&str, &str)]) -> Plan {
    let route = |zone: &str, name: &str, new: &Value| {
        json!({ "type": "dns", "hosted_zone_id": zone, "record_name": name, "records": [{ "type": "A", "new": new }],
            "steps": [{ "new_weight": 100 }] })
    };
    let also = also.iter().map(|(zone, name)| route(zone, name, &json!({ "values": ["5.6.7.8"] })));
    let routes: Vec<Value> = std::iter::once(route("Z1", "app.example.com", &new)).chain(also).collect();
    Plan::read(&json!({ "application": "a", "routes": routes })).unwrap()
}

pub(crate) fn values() -> Value {
    json!({ "values": ["5.6.7.8"] })
}

pub(crate) fn found<T>(plan: &Plan, live: ResourceRecordSet, judge: impl FnOnce(&Named) -> T) -> T {
    let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
    let state = NameState::new(vec![super::super::aws::from_aws(&live).unwrap()]);
    let zone = zone("Z1", "example.com.", false);
    judge(&Named { plan, route, path: "$.routes[0]", zone: &zone, state: &state })
}

fn behind(plan: &Plan, live: ResourceRecordSet, around: &Around) -> Vec<String> {
    found(plan, live, |named| named.behind(around)).into_iter().map(|one| one.what).collect()
}

pub(crate) fn simple() -> ResourceRecordSet {
    record("A", "app.example.com.", &["1.2.3.4"])
}

pub(crate) fn with(records: Vec<ResourceRecordSet>) -> Around {
    Around { records, ..Around::default() }
}

#[test]
fn browsers_that_follow_a_hint_to_the_old_side_stay() {
    let https = |value: &str| with(vec![record("HTTPS", "app.example.com.", &[value])]);
    let stays = |value: &str| !behind(&plan(values(), &[]), simple(), &https(value)).is_empty();
    assert!(stays("1 . alpn=\"h3,h2\" ipv4hint=1.2.3.4"));
    assert!(stays("1 app.example.com. ipv6hint=\"2001:db8::1\""));
    assert!(stays("1 cdn.example.net."), "another host");
    assert!(!stays("1 . alpn=\"h3,h2\""));
    assert!(!stays("1 . ipv4hint=5.6.7.8"), "the new side's own address");
    let hint = "1 . ipv6hint=2001:DB8:0::2";
    assert_eq!(leads_to(hint, "app.example.com.", &["2001:db8::2"]), None, "the same address, written otherwise");
    assert!(leads_to(hint, "app.example.com.", &["2001:db8::3"]).is_some());
}

pub(crate) fn weighing(weight: i64, mut record: ResourceRecordSet) -> ResourceRecordSet {
    record.set_identifier.get_or_insert(format!("at-{weight}"));
    record.weight = Some(weight);
    record
}

#[test]
fn what_is_at_weight_zero_beside_others_leads_nobody_to_the_old_side() {
    let live = || alias("A", "app.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2");
    let www = |weight, to: &str| weighing(weight, alias("A", "www.example.com.", to, "Z32O12XQLNTSW2"));
    let https = |weight, value: &str| weighing(weight, record("HTTPS", "app.example.com.", &[value]));
    let stays = |records: Vec<ResourceRecordSet>| {
        behind(&plan(values(), &[]), live(), &with([vec![live()], records].concat())).join(", ")
    };
    assert_eq!(stays(vec![www(0, LB), www(100, "new.example.net.")]), "");
    assert_eq!(stays(vec![www(1, LB), www(100, "new.example.net.")]), "A www.example.com");
    assert_eq!(stays(vec![www(0, LB)]), "A www.example.com", "alone it answers");
    assert_eq!(stays(vec![https(0, "1 . ipv4hint=1.2.3.4"), https(100, "1 . alpn=h2")]), "");
    assert_eq!(stays(vec![https(0, "1 . ipv4hint=1.2.3.4")]), "HTTPS app.example.com");
    let private = |records: Vec<ResourceRecordSet>| {
        let of_zone = |record| Elsewhere { zone: zone("Z2", "example.com.", true), record };
        let elsewhere = records.into_iter().map(of_zone).collect();
        behind(&plan(values(), &[]), simple(), &Around { elsewhere, ..Around::default() }).join(", ")
    };
    let a = |weight, value: &str| weighing(weight, record("A", "app.example.com.", &[value]));
    assert_eq!(private(vec![a(0, "1.2.3.4"), a(100, "5.6.7.8")]), "");
    assert_eq!(private(vec![a(0, "1.2.3.4")]), "A app.example.com Z2");
}

#[test]
fn another_name_whose_bindings_lead_to_the_old_balancer_stays() {
    let live = || alias("A", "app.example.com.", LB, "Z32O12XQLNTSW2");
    let www = |value: &str| with(vec![live(), record("HTTPS", "www.example.com.", &["1 . alpn=h2", value])]);
    let stays = |value: &str| behind(&plan(values(), &[]), live(), &www(value)).join(", ");
    assert_eq!(stays(&format!("0 {LB}.")), "HTTPS www.example.com");
    assert_eq!(stays(&format!("2 dualstack.{LB}. alpn=h3")), "HTTPS www.example.com");
    assert_eq!([stays("0 cdn.example.net."), stays("0 app.example.com.")], ["", ""]);
}

#[test]
fn bindings_of_the_names_ports_are_the_names_own() {
    let https = |name: &str| with(vec![record("HTTPS", name, &["1 . ipv4hint=1.2.3.4"])]);
    let stays = |name: &str| behind(&plan(values(), &[]), simple(), &https(name)).join(",");
    assert_eq!(stays("_8443._https.app.example.com."), "HTTPS _8443._https.app.example.com");
    for other in ["www.app.example.com.", "_8443._httpsapp.example.com.", "_8443._https.example.com."] {
        assert_eq!(stays(other), "", "{other}");
    }
}

#[test]
fn browsers_that_follow_an_alias_of_their_own_type_stay() {
    let cloudfront = |name: &str| alias("HTTPS", "app.example.com.", name, "Z2FDTNDATAQYW2");
    let new = json!({ "alias": { "dns_name": "new.cloudfront.net", "hosted_zone_id": "Z2FDTNDATAQYW2" } });
    let stays = |to: &str| behind(&plan(new.clone(), &[]), simple(), &with(vec![cloudfront(to)]));
    assert_eq!(stays("old.cloudfront.net."), ["HTTPS app.example.com"]);
    assert_eq!(stays("New.cloudfront.net."), [""; 0], "the new side's own");
}

#[test]
fn another_name_that_leads_to_the_old_side_by_another_way_stays() {
    let live = || alias("A", "app.example.com.", "blue.example.com.", "Z1");
    let records = vec![
        live(),
        alias("A", "blue.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2"),
        alias("A", "www.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2"),
        record("CNAME", "shop.example.com.", &["app.example.com"]),
    ];
    let stays = behind(&plan(values(), &[]), live(), &with(records.clone()));
    assert_eq!(stays, ["A www.example.com"], "not blue, which is the side's own name, nor who follows the name");
    let green = alias("A", "green.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2");
    let same = json!({ "alias": { "dns_name": "green.example.com", "hosted_zone_id": "Z1" } });
    let records = [records.clone(), vec![green]].concat();
    assert_eq!(behind(&plan(same, &[]), live(), &with(records)), [""; 0], "the new side's way, too");
    let circle = vec![live(), alias("A", "blue.example.com.", "app.example.com.", "Z1")];
    assert_eq!(behind(&plan(values(), &[]), live(), &with(circle)), [""; 0]);
}

#[test]
fn a_delegation_at_or_above_the_name_makes_the_change_reach_nobody() {
    let ns = |name: &str| with(vec![record("NS", name, &["ns1.example.net."])]);
    let reaches_nobody = |name: &str| behind(&plan(values(), &[]), simple(), &ns(name));
    assert_eq!(reaches_nobody("app.example.com."), ["NS app.example.com"]);
    assert_eq!(reaches_nobody("example.com."), [""; 0], "the zone's own");
    assert_eq!(reaches_nobody("pp.example.com."), [""; 0]);
    assert_eq!(reaches_nobody("x.app.example.com."), [""; 0], "below the name");
}

#[test]
fn another_name_that_leads_to_the_old_balancer_stays_unless_the_plan_moves_it() {
    let live = || alias("A", "app.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2");
    let around = || {
        let cname = record("CNAME", "shop.example.com.", &[&LB.to_uppercase()]);
        with(vec![live(), alias("A", "www.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2"), cname])
    };
    let stays = |also: &[(&str, &str)]| behind(&plan(values(), also), live(), &around());
    assert_eq!(stays(&[]), ["A www.example.com", "CNAME shop.example.com"]);
    assert_eq!(stays(&[("Z1", "www.example.com")]), ["CNAME shop.example.com"]);
    let same_balancer =
        json!({ "alias": { "dns_name": LB, "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true } });
    assert_eq!(behind(&plan(same_balancer, &[]), live(), &around()), [""; 0], "the new side's too");
}

#[test]
fn another_name_stays_on_the_old_side_of_a_name_that_changes_its_kind() {
    let live = || record("CNAME", "app.example.com.", &[LB]);
    let www = |to: &str| with(vec![live(), record("CNAME", "www.example.com.", &[to])]);
    let stays = |to: &str| behind(&plan(values(), &[]), live(), &www(to)).join(", ");
    assert_eq!(stays(&format!("dualstack.{LB}")), "CNAME www.example.com");
    assert_eq!(stays("new.example.net"), "");
}

#[test]
fn a_private_zone_or_a_second_public_one_of_the_same_name_answers_others() {
    let elsewhere = |id: &str, name: &str, is_private: bool, value: &str| {
        let record = record("A", "app.example.com.", &[value]);
        let zone = zone(id, name, is_private);
        Around { elsewhere: vec![Elsewhere { zone, record }], ..Around::default() }
    };
    let stays = |around: &Around| behind(&plan(values(), &[]), simple(), around);
    assert_eq!(stays(&elsewhere("Z2", "example.com.", true, "10.0.0.1")), ["A app.example.com Z2"]);
    assert_eq!(stays(&elsewhere("Z2", "example.com.", false, "1.2.3.4")), ["A app.example.com Z2"]);
    assert_eq!(stays(&elsewhere("Z2", "app.example.com.", true, "10.0.0.1")), ["A app.example.com Z2"]);
    assert_eq!(stays(&elsewhere("Z2", "app.example.com.", false, "10.0.0.1")), [""; 0], "nobody is led there");
    assert_eq!(stays(&elsewhere("Z2", "example.com.", true, "5.6.7.8")), [""; 0], "it answers the new side already");
    let cname = |to: &str| {
        let record = record("CNAME", "app.example.com.", &[to]);
        let zone = zone("Z2", "example.com.", true);
        let new = json!({ "alias": { "dns_name": LB, "hosted_zone_id": "Z32O12XQLNTSW2" } });
        let around = Around { elsewhere: vec![Elsewhere { zone, record }], ..Around::default() };
        behind(&plan(new, &[]), simple(), &around).len()
    };
    assert_eq!([&format!("dualstack.{LB}"), "old.example.net"].map(cname), [0, 1], "by a CNAME");
    let both = plan(values(), &[("Z2", "app.example.com")]);
    assert_eq!(behind(&both, simple(), &elsewhere("Z2", "example.com.", true, "10.0.0.1")), [""; 0]);
}

#[test]
fn whoever_is_outside_of_a_private_zones_vpcs_is_answered_by_any_public_zone() {
    let of_private = |public: &str, record: ResourceRecordSet| {
        let plan = plan(values(), &[]);
        let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
        let state = NameState::new(vec![super::super::aws::from_aws(&simple()).unwrap()]);
        let own = zone("Z1", "example.com.", true);
        let elsewhere = vec![Elsewhere { zone: zone("Z2", public, false), record }];
        let named = Named { plan: &plan, route, path: "$", zone: &own, state: &state };
        let behind = named.behind(&Around { elsewhere, ..Around::default() });
        behind.into_iter().map(|one| (one.what, one.problem)).collect::<Vec<_>>()
    };
    for public in ["com.", "example.com.", "app.example.com."] {
        let found = of_private(public, record("A", "app.example.com.", &["1.2.3.4"]));
        let [(what, problem)] = &found[..] else { panic!("{public}: {found:?}") };
        assert!(what == "A app.example.com Z2" && problem.contains("users outside of the VPCs"), "{problem}");
    }
    let hint = |value: &str| of_private("example.com.", record("HTTPS", "app.example.com.", &[value])).len();
    assert_eq!(["1 . alpn=h2", "1 . ipv4hint=1.2.3.4", "1 . ipv4hint=5.6.7.8"].map(hint), [0, 1, 0]);
}

#[test]
fn a_zone_above_leads_to_the_plans_zone_by_its_own_name_servers() {
    let found = |delegation: Delegation, own: &[&str]| {
        let above = vec![Above { zone: zone("Z0", "com.", false), delegation }];
        let records = vec![record("NS", "example.com.", own)];
        let around = Around { above, records, ..Around::default() };
        let behind = found(&plan(values(), &[]), simple(), |named| named.behind(&around));
        behind.into_iter().map(|one| format!("{}: {}", one.what, one.problem)).collect::<Vec<_>>().join("; ")
    };
    let to = |servers: &[&str]| Delegation::To(servers.iter().map(|server| normalise_name(server)).collect());
    let own = ["NS-1.awsdns-1.com.", "ns-2.awsdns-2.net."];
    assert!(found(Delegation::Nowhere, &own).starts_with("NS example.com Z0: is not answered from this zone"));
    assert_eq!(found(to(&["ns-2.awsdns-2.net", "ns.vanity.example"]), &own), "", "one is enough");
    let elsewhere = found(to(&["ada.ns.example", "bob.ns.example"]), &own);
    assert!(elsewhere.contains("delegates example.com to ada.ns.example, bob.ns.example, none of which has it"));
    assert_eq!(found(to(&["ada.ns.example"]), &[]), "", "its own are not known");
    assert_eq!(found(Delegation::OnTheWay("on.com.".to_owned()), &own), "", "others have to be asked");
}
