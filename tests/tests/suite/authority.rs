//! What a plan may not do on a stack that its owner has narrowed: each attack is a plan, on the CDK app's template, with permissions enforced.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::template::{STACK, synthesize};
use crate::support::{Ground, dns_plan, ensure_same, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const FOREIGN: &str = "arn:aws:sns:eu-west-1:999999999999:collector";

/// What a team has that runs one application.
fn narrow(application: &str) -> [String; 5] {
    [
        format!("topicArns=arn:aws:sns:eu-west-1:123456789012:{application}-cutover"),
        format!("newTargetGroups=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{application}-*"),
        "recordValues=198.51.100.0/24".to_owned(),
        "aliasTargets=*.elb.amazonaws.com".to_owned(),
        format!("alarmNames={application}-*"),
    ]
}

fn alarm(name: &str, actions: Value) -> Value {
    json!({ "AlarmName": name, "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "LessThanThreshold",
        "AlarmActions": actions })
}

async fn ground(name: &str, context: &[String]) -> Result<Ground> {
    let context: Vec<&str> = context.iter().map(String::as_str).collect();
    Ground::from(SPEED, synthesize(name, &context)?).await
}

/// How a start ends that has to be refused, and that nothing is changed by it.
async fn refused(ground: &Ground, name: &str, plan: &Value) -> Result<String> {
    let before = ground.account().await?;
    let run = ground.start("cutover", name, plan).await?;
    let end = ground.end_of(&run, LIMIT).await?;
    ensure!(end["status"] == "FAILED", "it ended {}", end["status"]);
    ensure_same(&before, &ground.account().await?)?;
    Ok(format!("{} {}", end["error"], end["cause"]))
}

async fn a_plan_that_names_what_its_team_may_not_is_refused_with_every_finding() -> Result<()> {
    let mut context = narrow("shop").to_vec();
    context.push("recordNames=pay.example.com".to_owned());
    let ground = ground("narrow", &context).await?;
    let stage = ground.quiet_stage(&listener_plan("shop", json!([{ "new_weight": 100 }])), json!({})).await?;
    let own = stage.plan["notify"]["topic_arn"].clone();
    let mut attack = stage.plan.clone();
    attack["alarms"] = json!([
        alarm("shop-1", json!([own, "arn:aws:automate:eu-west-1:ec2:terminate"])),
        alarm("cutover-rollback-failed", json!([own])),
        alarm("pay-errors", json!([own])),
        alarm("shop-2", json!([])),
    ]);
    attack["approval"] = json!({ "topic_arn": FOREIGN });
    let mail = json!([{ "type": "mail", "to": ["me@evil.example.net"] }]);
    attack["stakeholders"] = json!({ "groups": [{ "name": "me", "channels": mail }] });
    attack["hooks"] =
        json!({ "after_traffic": [{ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:drop" }] });
    attack["routes"][0]["new_target_group_arn"] =
        json!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/evil/6d0ecf831eec9f09");
    let mut dns = dns_plan("shop", json!([{ "new_weight": 100 }]))["routes"][0].clone();
    dns["records"][0]["new"] = json!({ "values": ["203.0.113.66"] });
    attack["routes"].as_array_mut().context("no routes")?.push(dns);
    let said = refused(&ground, "attack", &attack).await?;
    ensure!(said.contains("Cutover.PrecheckFailed"), "{said}");
    for path in [
        "$.alarms[0].AlarmActions[1]",
        "$.alarms[1].AlarmName",
        "$.alarms[2].AlarmName",
        "$.alarms[3].AlarmActions",
        "$.approval.topic_arn",
        "$.hooks.after_traffic[0].function_arn",
        "$.routes[0].new_target_group_arn",
        "$.routes[1].record_name",
        "$.routes[1].records[0].new.values[0]",
        "$.stakeholders.groups[0].channels[0].to[0]",
    ] {
        ensure!(said.contains(path), "{path} is not told: {said}");
    }
    Ok(())
}

/// Nobody could read it, so no list of it was checked: what is told of it goes to the stack's own topic.
async fn a_plan_that_cannot_be_read_never_makes_the_stack_publish_to_its_topic() -> Result<()> {
    let ground = ground("unread", &narrow("shop")).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "collector" })).await?;
    let theirs = "arn:aws:sns:eu-west-1:123456789012:collector";
    let said = refused(&ground, "unread", &json!({ "application": "shop", "notify": { "topic_arn": theirs } })).await?;
    ensure!(said.contains("Cutover.InvalidPlan"), "{said}");
    let told = wait_for("the message", LIMIT, async || {
        let messages = ground.client.messages().await?;
        Ok((!messages.is_empty()).then_some(messages))
    })
    .await?;
    for message in told {
        let topic = message.topic_arn.unwrap_or_default();
        ensure!(topic.ends_with(":cutover-pages"), "a message to {topic}");
    }
    Ok(())
}

/// Whoever writes does not rely on precheck.
async fn a_stack_that_is_narrowed_under_a_run_sends_its_users_no_further_and_puts_them_back() -> Result<()> {
    let ground = ground("wide", &narrow("shop")).await?;
    let steps = json!([{ "new_weight": 10, "hold": "10m" }, { "new_weight": 100 }]);
    let stage = ground.quiet_stage(&listener_plan("shop", steps), json!({})).await?;
    let before = ground.account().await?;
    let run = ground.start("cutover", "narrowed", &stage.plan).await?;
    ground.wait_for_state(&run, "HoldWait", LIMIT).await?;
    let mut narrower = narrow("shop");
    narrower[1] = "newTargetGroups=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/pay-*".to_owned();
    let context: Vec<&str> = narrower.iter().map(String::as_str).collect();
    ground.client.deploy_template(&synthesize("narrower", &context)?, STACK).await?;
    let end = ground.end_of(&run, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let cause = end["cause"].to_string();
    ensure!(cause.contains("Cutover.NotPermitted") && cause.contains("newTargetGroups"), "{cause}");
    ensure_same(&before["elbv2"], &ground.account().await?["elbv2"])
}

/// Who has to agree is not the plan's to say, and what they agree to is one plan.
async fn a_stack_that_demands_approval_takes_a_yes_of_whom_it_names_to_that_very_plan_only() -> Result<()> {
    let changes = "arn:aws:sns:eu-west-1:123456789012:changes";
    let mut context = narrow("shop").to_vec();
    context.push(format!("approvalTopicArn={changes}"));
    let ground = ground("approved", &context).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "changes" })).await?;
    let stage =
        ground.quiet_stage(&listener_plan("shop", json!([{ "new_weight": 100, "hold": "1m" }])), json!({})).await?;
    let mut by_friends = stage.plan.clone();
    by_friends["approval"] = json!({ "topic_arn": stage.plan["notify"]["topic_arn"] });
    let said = refused(&ground, "friends", &by_friends).await?;
    ensure!(said.contains("$.approval.topic_arn") && said.contains(changes), "{said}");
    let mut by_its_own = stage.plan.clone();
    let channels = json!([{ "type": "sns", "topic_arn": stage.plan["notify"]["topic_arn"] }]);
    by_its_own["stakeholders"] = json!({ "groups": [{ "name": "me", "channels": channels, "may_answer": true }] });
    let said = refused(&ground, "own", &by_its_own).await?;
    ensure!(said.contains("$.stakeholders.groups[0].may_answer"), "{said}");

    let before = ground.account().await?;
    let yes = async |name: &str, output: &dyn Fn(&str) -> Value| -> Result<Value> {
        let asked = ground.client.messages().await?.len();
        let run = ground.start("cutover", name, &stage.plan).await?;
        let message = wait_for("the question", LIMIT, async || {
            let messages = ground.client.messages().await?;
            Ok(messages.into_iter().skip(asked).find(|message| message.topic_arn.as_deref() == Some(changes)))
        })
        .await?;
        let group = stage.plan["routes"][0]["new_target_group_arn"].as_str().context("no group")?;
        ensure!(message.message.contains("It would change") && message.message.contains(group), "{}", message.message);
        let digest =
            message.message.split("\"plan\": \"").nth(1).and_then(|rest| rest.get(..64)).context("no digest")?;
        let token = cutover_tests::approver::task_token(&message).context("no token")?;
        let answer = json!({ "taskToken": token, "output": output(digest).to_string() });
        ground.client.call("stepfunctions", "send_task_success", answer).await?;
        ground.end_of(&run, LIMIT).await
    };
    let other = "0".repeat(64);
    let end = yes("another", &|_| json!({ "by": "Ada", "why": "agreed", "plan": other })).await?;
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].to_string().contains("has the digest 0000"), "{}", end["cause"]);
    let end = yes("unnamed", &|_| json!({ "by": "Ada", "why": "agreed" })).await?;
    ensure!(end["cause"].to_string().contains("does not say which plan"), "{}", end["cause"]);
    ensure_same(&before, &ground.account().await?)?;
    let end =
        yes("agreed", &|digest| json!({ "by": "Ada", "why": "agreed", "plan": digest, "verified": true })).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let output: Value = serde_json::from_str(end["output"].as_str().unwrap_or_default())?;
    ensure!(output["approval"]["verified"] == false, "a name is not verified by who writes it: {}", output["approval"]);
    Ok(())
}

/// A tag is on what moves, where a plan cannot leave it out: of a load balancer's parts, and of a zone.
async fn what_is_tagged_moves_only_with_a_yes_however_few_move() -> Result<()> {
    let changes = "arn:aws:sns:eu-west-1:123456789012:changes";
    let mut context = narrow("shop").to_vec();
    context.push(format!("approvalTopicArn={changes}"));
    context.push(r#"approvalTags={"criticality":"high"}"#.to_owned());
    let ground = ground("tagged", &context).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "changes" })).await?;
    let steps = json!([{ "new_weight": 100, "hold": "1m" }]);
    let mut plan = listener_plan("shop", steps.clone());
    let name = dns_plan("shop", steps)["routes"][0].clone();
    plan["routes"].as_array_mut().context("no routes")?.push(name);
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let run = ground.start("cutover", "plain", &stage.plan).await?;
    ground.wait_for_state(&run, "HoldWait", LIMIT).await?;
    cutover_tests::follow::stop(&ground.client, &run).await?;
    ground.wait_for_phase(&run, "rolled_back", LIMIT).await?;

    let (group, zone) = (&stage.plan["routes"][0]["old_target_group_arn"], &stage.plan["routes"][1]["hosted_zone_id"]);
    let tags = async |value: &str, on_zone: bool| {
        let tags = json!([{ "Key": "criticality", "Value": value }]);
        if on_zone {
            let to = json!({ "ResourceType": "hostedzone", "ResourceId": zone, "AddTags": tags });
            ground.client.call("route53", "change_tags_for_resource", to).await
        } else {
            ground.client.call("elbv2", "add_tags", json!({ "ResourceArns": [group], "Tags": tags })).await
        }
    };
    for (place, on_zone) in [("group", false), ("zone", true)] {
        tags("high", on_zone).await?;
        let run = ground.start("cutover", place, &stage.plan).await?;
        ground.wait_for_state(&run, "AwaitApproval", LIMIT).await?;
        cutover_tests::follow::stop(&ground.client, &run).await?;
        tags("low", on_zone).await?;
    }
    Ok(())
}

/// Two stacks that meet on a listener exclude each other by the table that they share.
async fn a_route_that_another_stack_holds_is_not_moved_and_ours_are_held_for_it() -> Result<()> {
    let mut context = narrow("shop").to_vec();
    context.push("locksTable=cutover-locks".to_owned());
    let ground = ground("sharing", &context).await?;
    let table = json!({ "TableName": "cutover-locks", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }], "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }] });
    ground.client.call("dynamodb", "create_table", table).await?;
    let steps = json!([{ "new_weight": 10, "hold": "10m" }, { "new_weight": 100 }]);
    let stage = ground.quiet_stage(&listener_plan("shop", steps), json!({})).await?;
    let listener = stage.plan["routes"][0]["listener_arn"].as_str().context("no listener")?;
    let theirs = "arn:aws:states:eu-west-1:123456789012:execution:blue-cutover:pay-1";
    let key = json!({ "pk": { "S": format!("lock#listener#{listener}") } });
    let mut lock = key.clone();
    lock["run_id"] = json!({ "S": theirs });
    ground.client.call("dynamodb", "put_item", json!({ "TableName": "cutover-locks", "Item": lock })).await?;
    let said = refused(&ground, "held", &stage.plan).await?;
    ensure!(said.contains("Cutover.Conflict") && said.contains(theirs) && said.contains("another stack"), "{said}");
    ground.client.call("dynamodb", "delete_item", json!({ "TableName": "cutover-locks", "Key": key })).await?;

    let run = ground.start("cutover", "ours", &stage.plan).await?;
    ground.wait_for_state(&run, "HoldWait", LIMIT).await?;
    let held =
        async || ground.client.call("dynamodb", "get_item", json!({ "TableName": "cutover-locks", "Key": key })).await;
    ensure!(held().await?["Item"]["run_id"]["S"] == run.as_str(), "not locked for others: {}", held().await?);
    cutover_tests::follow::stop(&ground.client, &run).await?;
    ground.wait_for_phase(&run, "rolled_back", LIMIT).await?;
    ensure!(held().await?.get("Item").is_none(), "still locked: {}", held().await?);
    ground.ensure_no_locks(&run).await
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_plan_that_names_what_its_team_may_not_is_refused_with_every_finding,
        a_plan_that_cannot_be_read_never_makes_the_stack_publish_to_its_topic,
        a_stack_that_is_narrowed_under_a_run_sends_its_users_no_further_and_puts_them_back,
        a_stack_that_demands_approval_takes_a_yes_of_whom_it_names_to_that_very_plan_only,
        what_is_tagged_moves_only_with_a_yes_however_few_move,
        a_route_that_another_stack_holds_is_not_moved_and_ours_are_held_for_it,
    ]
}
