//! Load balancers as people have them: who stays behind on the old group, what AWS would refuse, kinds of targets and of load
//! balancers, whose a listener is, and what cleanup leaves.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::follow;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

fn at_once() -> Value {
    json!([{ "new_weight": 100 }])
}

/// A plan of a listener of a Network Load Balancer.
fn network_plan(application: &str, steps: Value) -> Value {
    let mut plan = listener_plan(application, steps);
    plan["routes"][0]["listener_arn"] =
        json!(format!("{ELB}:listener/net/{application}/50dc6c495c0c9188/f2f7dc8efc522ab2"));
    plan
}

/// What precheck finds of a plan, in a dry run that touches nothing; and the dry run's error, if it ends with one.
async fn precheck(ground: &Ground, name: &str, plan: &Value) -> Result<(Vec<Value>, Option<String>)> {
    let mut plan = plan.clone();
    plan["mode"] = json!("precheck");
    let before = ground.account().await?;
    let end = ground.end_of(&ground.start("cutover", name, &plan).await?, LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;
    let told = end["output"].as_str().or(end["cause"].as_str()).context("nothing is told")?;
    let told: Value = serde_json::from_str(told).with_context(|| format!("no JSON: {told}"))?;
    let findings = told["findings"].as_array().with_context(|| format!("no findings: {told}"))?;
    Ok((findings.clone(), end["error"].as_str().map(str::to_owned)))
}

/// The problems of the findings of a severity.
fn problems(findings: &[Value], severity: &str) -> Vec<String> {
    let of_it = findings.iter().filter(|finding| finding["severity"] == severity);
    of_it.filter_map(|finding| finding["problem"].as_str().map(str::to_owned)).collect()
}

/// There is exactly one error, which says this.
fn ensure_error(findings: &[Value], says: &str) -> Result<()> {
    let errors = problems(findings, "error");
    ensure!(matches!(&errors[..], [one] if one.contains(says)), "instead of `{says}`: {findings:#?}");
    Ok(())
}

fn ensure_warning(findings: &[Value], says: &str) -> Result<()> {
    let warnings = problems(findings, "warning");
    ensure!(warnings.iter().any(|one| one.contains(says)), "no warning of `{says}`: {findings:#?}");
    Ok(())
}

async fn succeeded(ground: &Ground, name: &str, plan: &Value) -> Result<String> {
    let run_id = ground.start("cutover", name, plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(run_id)
}

fn text<'a>(stage: &'a Stage, field: &str) -> &'a str {
    stage.plan["routes"][0][field].as_str().unwrap_or_default()
}

fn forward(group: &Value) -> Value {
    json!([{ "Type": "forward", "TargetGroupArn": group }])
}

async fn create_rule(ground: &Ground, listener: &str, priority: u32, path: &str, group: &Value) -> Result<String> {
    let rule = json!({ "ListenerArn": listener, "Priority": priority, "Actions": forward(group),
        "Conditions": [{ "Field": "path-pattern", "Values": [path] }] });
    let created = ground.client.call("elbv2", "create_rule", rule).await?;
    created["Rules"][0]["RuleArn"].as_str().map(str::to_owned).context("no rule")
}

async fn create_listener(ground: &Ground, of: &str, port: u32, group: &Value) -> Result<String> {
    let described = json!({ "ListenerArns": [of] });
    let described = ground.client.call("elbv2", "describe_listeners", described).await?;
    let (balancer, protocol) = (&described["Listeners"][0]["LoadBalancerArn"], &described["Listeners"][0]["Protocol"]);
    let listener =
        json!({ "LoadBalancerArn": balancer, "Protocol": protocol, "Port": port, "DefaultActions": forward(group) });
    let created = ground.client.call("elbv2", "create_listener", listener).await?;
    created["Listeners"][0]["ListenerArn"].as_str().map(str::to_owned).context("no listener")
}

/// Field case 01: the path rule and the second listener would go on to lead users to the old group.
async fn other_rules_and_listeners_on_the_old_group_are_errors_until_they_are_moved_or_named() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("behind", at_once()), json!({})).await?;
    let (listener, old) = (text(&stage, "listener_arn"), &stage.plan["routes"][0]["old_target_group_arn"]);
    let rule = create_rule(&ground, listener, 10, "/api/*", old).await?;
    let second = create_listener(&ground, listener, 8443, old).await?;
    create_rule(&ground, listener, 20, "/new/*", &stage.plan["routes"][0]["new_target_group_arn"]).await?;

    let (findings, error) = precheck(&ground, "unnamed", &stage.plan).await?;
    ensure!(error.as_deref() == Some("Cutover.PrecheckFailed"), "ended {error:?}");
    let errors = problems(&findings, "error");
    ensure!(errors.len() == 2, "{findings:#?}");
    for says in ["rule 10 (path /api/*) of listener HTTP:80", "listener HTTP:8443", &rule, &second] {
        ensure!(errors.iter().any(|one| one.contains(says)), "nothing of {says}: {errors:#?}");
    }
    let mut plan = stage.plan.clone();
    let mut moved = plan["routes"][0].clone();
    moved.as_object_mut().context("a route")?.remove("listener_arn");
    moved["rule_arn"] = json!(rule);
    plan["routes"].as_array_mut().context("routes")?.push(moved);
    plan["leaves_behind"] = json!([{ "what": second, "why": "the admins keep the old pages" }]);
    let (findings, error) = precheck(&ground, "named", &plan).await?;
    ensure!(error.is_none(), "ended {error:?}: {findings:#?}");
    ensure_warning(&findings, "the plan leaves it behind: the admins keep the old pages")
}

/// A team withholds permissions that the run itself does not need.
async fn what_may_not_be_looked_at_is_a_warning_that_says_so() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let denied = ["DescribeRules", "DescribeTags", "DescribeLoadBalancers", "DescribeTargetGroupAttributes"];
    let world = json!({ "deny": denied.map(|action| format!("elasticloadbalancing:{action}")) });
    let stage = ground.quiet_stage(&listener_plan("withheld", at_once()), world).await?;
    let (findings, error) = precheck(&ground, "run", &stage.plan).await?;
    ensure!(error.is_none(), "ended {error:?}: {findings:#?}");
    for says in
        ["which rules of listener HTTP:80", "nobody looked at the tags", "the load balancer's VPC", "target stickiness"]
    {
        ensure_warning(&findings, says)?;
    }
    Ok(())
}

/// AWS: TargetGroupAssociationLimit, at prepare, and a rollback.
async fn a_new_group_of_another_load_balancer_is_told_beforehand() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("taken", at_once()), json!({})).await?;
    let other = ground.quiet_stage(&listener_plan("taker", at_once()), json!({})).await?;
    create_rule(&ground, text(&other, "listener_arn"), 5, "/x", &stage.plan["routes"][0]["new_target_group_arn"])
        .await?;
    let (findings, _) = precheck(&ground, "run", &stage.plan).await?;
    ensure_error(&findings, "belongs to another load balancer")?;
    // AWS would have refused it.
    let groups = [("old_target_group_arn", 100), ("new_target_group_arn", 0)];
    let refused = weigh(&ground, &stage, &groups).await;
    ensure!(format!("{refused:?}").contains("TargetGroupAssociationLimit"), "{refused:?}");
    Ok(())
}

async fn weigh(ground: &Ground, stage: &Stage, groups: &[(&str, u32)]) -> Result<Value> {
    let groups: Vec<Value> = groups
        .iter()
        .map(|(field, weight)| json!({ "TargetGroupArn": text(stage, field), "Weight": weight }))
        .collect();
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let change = json!({ "ListenerArn": text(stage, "listener_arn"), "DefaultActions": actions });
    ground.client.call("elbv2", "modify_listener", change).await
}

async fn new_group(ground: &Ground, name: &str, settings: Value) -> Result<Value> {
    let mut settings = settings;
    settings["Name"] = json!(name);
    let created = ground.client.call("elbv2", "create_target_group", settings).await?;
    Ok(created["TargetGroups"][0]["TargetGroupArn"].clone())
}

async fn a_new_group_that_does_not_fit_is_told_beforehand() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("misfit", at_once()), json!({})).await?;
    let new = json!({ "TargetGroupArns": [text(&stage, "new_target_group_arn")] });
    let described = ground.client.call("elbv2", "describe_target_groups", new).await?;
    let vpc = described["TargetGroups"][0]["VpcId"].clone();
    let elsewhere = ground.client.call("ec2", "create_vpc", json!({ "CidrBlock": "10.9.0.0/16" })).await?;
    let http = json!({ "Protocol": "HTTP", "Port": 80, "VpcId": vpc, "TargetType": "ip" });
    let with = |field: &str, value: Value| {
        let mut settings = http.clone();
        settings[field] = value;
        settings
    };
    let cases = [
        (with("VpcId", elsewhere["Vpc"]["VpcId"].clone()), "and its load balancer in"),
        (with("Protocol", json!("TCP")), "has the protocol TCP, and its listener HTTP takes HTTP or HTTPS"),
        (with("ProtocolVersion", json!("GRPC")), "wants an HTTPS listener"),
        (with("IpAddressType", json!("ipv6")), "has IPv6 targets"),
    ];
    for (index, (settings, says)) in cases.into_iter().enumerate() {
        let group = new_group(&ground, &format!("misfit-{index}"), settings).await?;
        let targets = json!({ "TargetGroupArn": group, "Targets": [{ "Id": "10.0.0.4" }] });
        ground.client.call("elbv2", "register_targets", targets).await?;
        let mut plan = stage.plan.clone();
        plan["routes"][0]["new_target_group_arn"] = group.clone();
        let (findings, _) = precheck(&ground, &format!("case-{index}"), &plan).await?;
        ensure_error(&findings, says)?;
        let told = findings.iter().map(Value::to_string).collect::<String>();
        ensure!(!told.contains("Some("), "debug text: {told}");
        let change = json!({ "ListenerArn": text(&stage, "listener_arn"), "DefaultActions": forward(&group) });
        ensure!(ground.client.call("elbv2", "modify_listener", change).await.is_err(), "AWS takes it: {says}");
    }
    Ok(())
}

/// Precheck warns of something; a run that is stopped at its last step is put back.
async fn warned_of_and_put_back(ground: &Ground, stage: &Stage, warning: &str) -> Result<()> {
    let before = ground.account().await?;
    let (findings, error) = precheck(ground, "look", &stage.plan).await?;
    ensure!(error.is_none(), "ended {error:?}: {findings:#?}");
    ensure_warning(&findings, warning)?;
    let run_id = ground.start("cutover", "stopped", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "AnnounceStep", 2, LIMIT).await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

/// Field case 03: from containers to a function, whose group has no VPC and whose health nobody checks.
async fn traffic_moves_from_addresses_to_a_function_and_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan =
        listener_plan("function", json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100, "hold": "30m" }]));
    let new = plan["routes"][0]["new_target_group_arn"].as_str().context("a group")?.to_owned();
    let stage = ground.stage(&plan, json!({ "groups": { new: { "target_type": "lambda" } } })).await?;
    warned_of_and_put_back(&ground, &stage, "has no health checks").await?;
    let mut plan = stage.plan.clone();
    plan["routes"][0]["steps"] = at_once();
    succeeded(&ground, "whole", &plan).await?;
    ensure!(stage.new_percents() == [100.0], "the new side has {:?}", stage.new_percents());
    Ok(())
}

async fn a_function_that_is_not_registered_is_an_error() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("unregistered", at_once()), json!({})).await?;
    let mut plan = stage.plan.clone();
    let group = new_group(&ground, "unregistered-function", json!({ "TargetType": "lambda" })).await?;
    plan["routes"][0]["new_target_group_arn"] = group;
    let (findings, _) = precheck(&ground, "run", &plan).await?;
    ensure_error(&findings, "has no registered targets")
}

fn sticky_world(plan: &Value) -> Value {
    let old = plan["routes"][0]["old_target_group_arn"].as_str().unwrap_or_default();
    json!({ "groups": { old: { "stickiness": true } } })
}

async fn target_stickiness_is_told_beforehand_and_the_plan_may_switch_group_stickiness_on_for_the_run() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("cookies", json!([{ "new_weight": 50, "hold": "30m" }, { "new_weight": 100 }]));
    plan["cleanup"] = json!({ "after": "0s" });
    let stage = ground.quiet_stage(&plan, sticky_world(&plan)).await?;
    let before = ground.account().await?;
    let (findings, _) = precheck(&ground, "without", &stage.plan).await?;
    ensure_error(&findings, "has target stickiness")?;
    let refused = weigh(&ground, &stage, &[("old_target_group_arn", 100), ("new_target_group_arn", 0)]).await;
    ensure!(format!("{refused:?}").contains("InvalidConfigurationRequest"), "{refused:?}");

    let mut plan = stage.plan.clone();
    plan["routes"][0]["group_stickiness"] = json!("5m");
    let run_id = ground.start("cutover", "stopped", &plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let listener = text(&stage, "listener_arn");
    let sticky = async || -> Result<Value> {
        let account = ground.account().await?;
        let forward = &account["elbv2"]["listeners"][listener]["DefaultActions"][0]["ForwardConfig"];
        Ok(forward["TargetGroupStickinessConfig"].clone())
    };
    ensure!(sticky().await?["DurationSeconds"] == 300, "in the run: {}", sticky().await?);
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    plan["routes"][0]["steps"] = at_once();
    let run_id = succeeded(&ground, "whole", &plan).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    ensure!(sticky().await?["Enabled"] != true, "in the end: {}", sticky().await?);
    Ok(())
}

/// Field case 10, the listener's part.
async fn whose_a_listener_is_is_told_with_who_will_put_it_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("owned", at_once()), json!({})).await?;
    let tags = json!([{ "Key": "elbv2.k8s.aws/cluster", "Value": "shop-prod" }, { "Key": "ingress.k8s.aws/stack", "Value": "shop/web" }]);
    let listener = text(&stage, "listener_arn");
    let described = ground.client.call("elbv2", "describe_listeners", json!({ "ListenerArns": [listener] })).await?;
    let balancer = &described["Listeners"][0]["LoadBalancerArn"];
    ground.client.call("elbv2", "add_tags", json!({ "ResourceArns": [listener, balancer], "Tags": tags })).await?;
    let tags = json!([{ "Key": "ManagedBy", "Value": "Terraform" }]);
    let old = text(&stage, "old_target_group_arn");
    ground.client.call("elbv2", "add_tags", json!({ "ResourceArns": [old], "Tags": tags })).await?;
    let (findings, error) = precheck(&ground, "run", &stage.plan).await?;
    ensure!(error.is_none(), "ended {error:?}: {findings:#?}");
    let controller = "the listener and the load balancer belong to the Kubernetes load balancer controller of cluster shop-prod for \
                      shop/web, which puts back what its manifests say";
    ensure_warning(&findings, controller)?;
    ensure_warning(&findings, "the old target group belongs to Terraform")
}

/// Field case 15: weights on a TCP listener, there and back; and flows keep the old group.
async fn a_network_load_balancer_goes_there_and_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100, "hold": "30m" }]);
    let stage = ground.stage(&network_plan("mail", steps), json!({})).await?;
    warned_of_and_put_back(&ground, &stage, "a connection stays on its target group until it ends").await?;
    let mut plan = stage.plan.clone();
    plan["routes"][0]["steps"] = at_once();
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let run_id = succeeded(&ground, "whole", &plan).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    ensure_deleted(&ground, &stage, true).await
}

async fn flows_of_a_network_load_balancer_keep_the_old_group() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = network_plan("flows", at_once());
    plan["cleanup"] = json!({ "after": "240h", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({ "old": { "reported": false } })).await?;
    succeeded(&ground, "run", &stage.plan).await?;
    let dimensions = dimensions(&stage);
    let open = json!({ "namespace": "AWS/NetworkELB", "metric_name": "ActiveFlowCount", "dimensions": dimensions, "value": 800 });
    ground.client.keep_steady(&[open]).await?;
    let cleanup = ground.start("cleanup", "close", &json!({ "application": "flows", "now": true })).await?;
    ground.wait_for_entries(&cleanup, "RemoveWait", 2, LIMIT).await?;
    ensure_deleted(&ground, &stage, false).await
}

/// The dimensions of the old group's metrics.
fn dimensions(stage: &Stage) -> Value {
    let listener = text(stage, "listener_arn");
    let balancer = cutover::arn::load_balancer_dimension(listener).unwrap_or_default();
    let group = cutover::arn::target_group_dimension(text(stage, "old_target_group_arn")).unwrap_or_default();
    json!({ "LoadBalancer": balancer, "TargetGroup": group })
}

async fn ensure_deleted(ground: &Ground, stage: &Stage, wanted: bool) -> Result<()> {
    let groups = &ground.account().await?["elbv2"]["target_groups"];
    let is_gone = groups[text(stage, "old_target_group_arn")].is_null();
    ensure!(is_gone == wanted, "the old group is {}", if is_gone { "gone" } else { "there" });
    Ok(())
}

/// What the listener forwards to, weights by group, after a run with this cleanup is closed; and what cleanup says.
async fn closed(ground: &Ground, stage: &Stage) -> Result<(Value, String)> {
    let run_id = succeeded(ground, "run", &stage.plan).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let run = ground.run(&run_id).await?.context("the run")?;
    let account = ground.account().await?;
    let actions = &account["elbv2"]["listeners"][text(stage, "listener_arn")]["DefaultActions"];
    Ok((actions[0]["ForwardConfig"]["TargetGroups"].clone(), run["ending"]["S"].to_string()))
}

async fn a_listener_ends_as_a_plain_forward_also_where_the_old_group_is_kept() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("plain", at_once());
    plan["cleanup"] = json!({ "after": "0s" });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let (groups, told) = closed(&ground, &stage).await?;
    ensure!(groups == json!([{ "TargetGroupArn": text(&stage, "new_target_group_arn"), "Weight": 1 }]), "{groups}");
    ensure!(told.contains("the plan does not ask to delete it"), "{told}");
    ensure_deleted(&ground, &stage, false).await
}

async fn without_data_nothing_is_deleted_and_the_report_says_how_to() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("silent", at_once());
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({ "old": { "reported": false } })).await?;
    let (groups, told) = closed(&ground, &stage).await?;
    ensure!(groups == json!([{ "TargetGroupArn": text(&stage, "new_target_group_arn"), "Weight": 1 }]), "{groups}");
    for says in ["CloudWatch has no RequestCount of it", "aws elbv2 delete-target-group --target-group-arn"] {
        ensure!(told.contains(says), "{told}");
    }
    ensure_deleted(&ground, &stage, false).await
}

async fn traffic_that_may_not_be_looked_at_deletes_nothing() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("unseen", at_once());
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({ "deny": ["cloudwatch:GetMetricData"] })).await?;
    let (_, told) = closed(&ground, &stage).await?;
    ensure!(told.contains("its traffic could not be looked at"), "{told}");
    ensure_deleted(&ground, &stage, false).await
}

async fn a_group_that_serves_is_waited_for_and_then_deleted() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("served", at_once());
    plan["cleanup"] = json!({ "after": "240h", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let run_id = succeeded(&ground, "run", &stage.plan).await?;
    let one = json!({ "namespace": "AWS/ApplicationELB", "metric_name": "RequestCount", "dimensions": dimensions(&stage), "value": 1 });
    ground.client.put_metrics(&[one]).await?;
    let cleanup = ground.start("cleanup", "close", &json!({ "application": "served", "now": true })).await?;
    ground.wait_for_state(&cleanup, "RemoveWait", LIMIT).await?;
    ensure_deleted(&ground, &stage, false).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    ensure_deleted(&ground, &stage, true).await
}

/// AWS lets go of a target group only a minute or two after ModifyListener.
async fn a_group_that_aws_has_not_let_go_of_is_tried_again() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    ground.client.set_release_seconds(90).await?;
    let mut plan = listener_plan("released", at_once());
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let (_, told) = closed(&ground, &stage).await?;
    let requests = ground.client.requests(0).await?;
    let tries = requests.iter().filter(|request| request.operation == "DeleteTargetGroup").count();
    ensure!(tries > 1 && !told.contains("refers to it"), "{tries} tries: {told}");
    ensure_deleted(&ground, &stage, true).await
}

/// Two routes from one group: the last one to be tidied deletes it, and nobody waits for the other's reference to go.
async fn a_group_of_two_routes_is_deleted_once_with_the_last() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("twofold", at_once());
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let old = stage.plan["routes"][0]["old_target_group_arn"].clone();
    let rule = create_rule(&ground, text(&stage, "listener_arn"), 10, "/api/*", &old).await?;
    let mut plan = stage.plan.clone();
    let mut moved = plan["routes"][0].clone();
    moved.as_object_mut().context("a route")?.remove("listener_arn");
    moved["rule_arn"] = json!(rule);
    plan["routes"].as_array_mut().context("routes")?.push(moved);
    let run_id = succeeded(&ground, "run", &plan).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let run = ground.run(&run_id).await?.context("the run")?;
    let ending: Value = serde_json::from_str(run["ending"]["S"].as_str().context("no ending")?)?;
    let removals = &ending["report"]["removals"];
    ensure!(removals[0]["removed"] == json!([]) && removals[0]["kept"] == json!([]), "{removals}");
    ensure!(removals[1]["removed"] == json!([old]), "{removals}");
    let requests = ground.client.requests(0).await?;
    let tries = requests.iter().filter(|request| request.operation == "DeleteTargetGroup").count();
    ensure!(tries == 1, "{tries} tries to delete one group");
    ensure_deleted(&ground, &stage, true).await
}

/// Its traffic is that of a rule that the plan leaves: nobody waits a week for that to end.
async fn a_group_that_others_forward_to_is_let_go_and_kept() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("others", at_once());
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let mut stage = ground.quiet_stage(&plan, json!({})).await?;
    let old = stage.plan["routes"][0]["old_target_group_arn"].clone();
    let rule = create_rule(&ground, text(&stage, "listener_arn"), 7, "/old/*", &old).await?;
    stage.plan["leaves_behind"] = json!([{ "what": rule, "why": "the old pages stay" }]);
    let busy = json!({ "namespace": "AWS/ApplicationELB", "metric_name": "RequestCount", "dimensions": dimensions(&stage), "value": 9 });
    ground.client.keep_steady(&[busy]).await?;
    let (groups, told) = closed(&ground, &stage).await?;
    ensure!(groups == json!([{ "TargetGroupArn": text(&stage, "new_target_group_arn"), "Weight": 1 }]), "{groups}");
    ensure!(told.contains("rule 7 (path /old/*) of listener HTTP:80"), "{told}");
    ensure_deleted(&ground, &stage, false).await
}

/// Precheck saw nothing of it: the run goes on, and its end says who stays.
async fn a_rule_that_somebody_adds_in_a_run_is_told_at_its_end() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100 }]);
    let stage = ground.quiet_stage(&listener_plan("late", steps), json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let old = &stage.plan["routes"][0]["old_target_group_arn"];
    let rule = create_rule(&ground, text(&stage, "listener_arn"), 7, "/late/*", old).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let told = end["output"].as_str().context("no output")?;
    for says in ["users stay on the old side: ", "rule 7 (path /late/*) of listener HTTP:80", &rule] {
        ensure!(told.contains(says), "nothing of {says}: {told}");
    }
    Ok(())
}

/// Approval may take a day.
async fn a_listener_that_changed_while_approval_was_awaited_is_not_claimed() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("meanwhile", at_once());
    plan["approval"] = json!({ "within": "24h", "topic_arn": plan["notify"]["topic_arn"] });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let token = ground.approval_token(LIMIT).await?;
    weigh(&ground, &stage, &[("old_target_group_arn", 99), ("new_target_group_arn", 1)]).await?;
    let before = ground.account().await?;
    let answer = json!({ "taskToken": token, "output": json!({ "by": "Ada" }).to_string() });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {}", end["error"], end["cause"]);
    ensure!(
        end["cause"].as_str().is_some_and(|cause| cause.contains("changed since precheck saw it")),
        "{}",
        end["cause"]
    );
    ensure_same(&before, &ground.account().await?)?;
    ground.ensure_no_locks(&run_id).await
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        other_rules_and_listeners_on_the_old_group_are_errors_until_they_are_moved_or_named,
        what_may_not_be_looked_at_is_a_warning_that_says_so,
        a_new_group_of_another_load_balancer_is_told_beforehand,
        a_new_group_that_does_not_fit_is_told_beforehand,
        traffic_moves_from_addresses_to_a_function_and_back,
        a_function_that_is_not_registered_is_an_error,
        target_stickiness_is_told_beforehand_and_the_plan_may_switch_group_stickiness_on_for_the_run,
        whose_a_listener_is_is_told_with_who_will_put_it_back,
        a_network_load_balancer_goes_there_and_back,
        flows_of_a_network_load_balancer_keep_the_old_group,
        a_listener_ends_as_a_plain_forward_also_where_the_old_group_is_kept,
        without_data_nothing_is_deleted_and_the_report_says_how_to,
        traffic_that_may_not_be_looked_at_deletes_nothing,
        a_group_that_serves_is_waited_for_and_then_deleted,
        a_group_that_aws_has_not_let_go_of_is_tried_again,
        a_group_of_two_routes_is_deleted_once_with_the_last,
        a_group_that_others_forward_to_is_let_go_and_kept,
        a_rule_that_somebody_adds_in_a_run_is_told_at_its_end,
        a_listener_that_changed_while_approval_was_awaited_is_not_claimed,
    ]
}
