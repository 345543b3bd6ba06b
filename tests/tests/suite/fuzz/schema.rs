//! The schemas of `events/`, by a validator that is not ours: they take what the functions take, and refuse what these refuse
//! but for rules that no schema can say, each of which is listed here.

use std::fs;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use cutover::{Finding, Plan, Severity};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{hostile, plans};
use crate::harness::{Test, synchronous};

static PLANS: LazyLock<Result<Validator>> = LazyLock::new(|| validator("cutover"));

/// What a schema cannot say, by the problem or the fix of a finding. The schema's own description tells of each.
const BEYOND: [&str; 54] = [
    "AWS would refuse the alias",
    "should be a multiple of 60s",
    "asks every 10s or 30s",
    "write 200, or a range",
    "falls from",
    "ends at",
    "splits traffic at",
    "a second time",
    "is the old target group",
    "is the replication to the new side",
    "is the name that is moved",
    "is not reached from the internet",
    "is one of two for the new record",
    "is not a watched alarm",
    "is not that of the metric it divides",
    "is sequential, and",
    "which no metric",
    "AWS publishes",
    "is counted by the load balancer itself",
    "it will never have data",
    "has another id",
    "is not known to have",
    "is never trouble",
    "it can never hold",
    "and AlarmName is",
    "is given for a metric that is judged by its threshold",
    "are those of the metric itself",
    "is true without a sequential test",
    "allow at least as many attempts",
    "should be 1 to EvaluationPeriods",
    "should be a week in all",
    "should be a day in all",
    "of each at the most",
    "that the alarm looks at",
    "has control characters",
    "is the name of an earlier alarm",
    "is the Id of an earlier one",
    "is none of Metrics",
    "is the new side's URL too",
    "is not a header's name",
    "is what the sender says itself",
    "cannot be sent",
    "is not above 0",
    "and there is nobody to ask",
    "is not a path",
    "bytes with its defaults and steps",
    "history events",
    "holds and TTLs alone take",
    "has more errors than can be told",
    "nobody would be told to decide",
    "is no time zone",
    "as that of the group with index",
    "the group would hear of nothing",
    "forwards to groups of its own region and account",
];

fn schema(name: &str) -> Result<Value> {
    let path = super::root().join(format!("events/{name}.schema.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn validator(name: &str) -> Result<Validator> {
    jsonschema::validator_for(&schema(name)?).map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

fn is_valid(value: &Value) -> bool {
    PLANS.as_ref().is_ok_and(|validator| validator.is_valid(value))
}

/// What the validator says, for the one who reads a failure.
fn said(value: &Value) -> String {
    let errors = PLANS.as_ref().map(|validator| {
        let lines = validator.iter_errors(value).map(|error| format!("{}: {error:.200}", error.instance_path()));
        lines.collect::<Vec<_>>().join("\n")
    });
    errors.unwrap_or_else(|error| error.to_string())
}

/// Bounds of durations are told as `should be 1s to 7days`.
fn is_beyond(finding: &Finding) -> bool {
    let bounds = finding.fix.strip_prefix("should be ").and_then(|bounds| bounds.split_once(" to "));
    let is_of_time = bounds.is_some_and(|(least, _)| least.ends_with(['s', 'm']) && !least.contains(' '));
    is_of_time || BEYOND.iter().any(|rule| finding.problem.contains(rule) || finding.fix.contains(rule))
}

/// Both take it, or both refuse it.
fn agree(value: &Value) -> Result<(), TestCaseError> {
    match (Plan::read(value), is_valid(value)) {
        (Ok(_), is_valid) => {
            prop_assert!(is_valid, "the schema refuses what the functions take: {value}\n{}", said(value))
        }
        (Err(findings), true) => {
            let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            let said: Vec<&Finding> = errors.filter(|finding| !is_beyond(finding)).collect();
            prop_assert!(said.is_empty(), "the schema takes what the functions refuse: {said:#?}");
        }
        (Err(_), false) => {}
    }
    Ok(())
}

fn every_plan_to_start_from_is_valid_by_its_schema() -> Result<()> {
    let plans = super::plans_to_start_from();
    ensure!(plans.len() >= 8, "only {} plans", plans.len());
    for plan in plans.iter().chain([&plans::full()]) {
        ensure!(is_valid(plan), "{}: {}", plan["application"], said(plan));
        ensure!(plan["$schema"].is_string() || plan["application"] == "a", "{} names no schema", plan["application"]);
    }
    Ok(())
}

/// Rules over two fields that the schema does say, each broken once.
fn the_schema_says_what_fields_need_each_other() -> Result<()> {
    let alarm = |extra: Value| {
        let mut alarm = json!({ "AlarmName": "a", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold" });
        alarm
            .as_object_mut()
            .into_iter()
            .for_each(|fields| fields.extend(extra.as_object().cloned().unwrap_or_default()));
        json!([alarm])
    };
    let metric = |id: &str| json!([{ "Id": id, "Expression": "1" }]);
    for (pointer, value) in [
        ("/routes/0/rule_arn", json!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/a/1/2/3")),
        ("/routes/0/listener_arn", Value::Null),
        ("/routes/0/listener_arn", json!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/1")),
        ("/routes/0/steps", json!([{ "new_weight": 50 }])),
        ("/routes/2/records", json!([{ "type": "A", "new": null }])),
        ("/routes/2/records/1/new/values", json!(["198.51.100.1"])),
        ("/routes/2/records/0/new/alias/dns_name", json!("https://new.example.com")),
        ("/routes/2/records/0/new/alias/dns_name", json!("new..example.com")),
        ("/routes/3/records/0/new/values", json!(["new.example.com:443"])),
        ("/routes/2/health_checks/old/fqdn", json!("https://old.example.com")),
        ("/routes/2/records/1/type", json!("A")),
        ("/routes/2/records/1/new/alias", json!({ "dns_name": "x", "hosted_zone_id": "Z1" })),
        ("/routes/2/health_checks/old", json!({})),
        ("/routes/2/health_checks/old", json!({ "fqdn": "x", "protocol": "tcp" })),
        ("/routes/2/health_checks/old", json!({ "fqdn": "x", "port": 8080 })),
        ("/routes/3/records/0/new/values", json!(["a", "b"])),
        ("/monitoring/metrics/0/divide_by", Value::Null),
        ("/monitoring/alarms/0", json!("arn:aws:sns:eu-west-1:123456789012:errors")),
        ("/hooks/resume", json!([])),
        ("/alarms", alarm(json!({ "ExtendedStatistic": "p99" }))),
        ("/alarms", alarm(json!({ "Statistic": null }))),
        ("/alarms", alarm(json!({ "Period": 45 }))),
        ("/alarms", alarm(json!({ "Period": null }))),
        ("/alarms", alarm(json!({ "Metrics": metric("m") }))),
        ("/alarms", alarm(json!({ "ThresholdMetricId": "m" }))),
        ("/alarms", alarm(json!({ "Threshold": null }))),
        ("/alarms", alarm(json!({ "ComparisonOperator": "GreaterThanUpperThreshold" }))),
        ("/alarms/1/Metrics/0/Expression", json!("1")),
    ] {
        let mut plan = plans::full();
        let (parent, key) = pointer.rsplit_once('/').context(pointer)?;
        match plan.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => plan.pointer_mut(parent).context(pointer)?[key] = value.clone(),
        }
        ensure!(!is_valid(&plan) && Plan::read(&plan).is_err(), "{pointer} = {value} is right for one of them");
    }
    Ok(())
}

/// `rollback` and `cleanup`: the journal says in words which of the two names a run, and how.
fn a_gestures_schema_takes_what_its_function_takes() -> Result<()> {
    let fields = ["$schema", "run_id", "application", "why", "force", "release", "now", "x"];
    for function in ["rollback", "cleanup"] {
        let validator = validator(function)?;
        for (one, other) in fields.iter().flat_map(|one| fields.iter().map(move |other| (one, other))) {
            for value in [
                json!(null),
                json!("a"),
                json!(" arn:aws:states:e:1:execution:cutover:a"),
                json!(7),
                json!(true),
                json!([]),
            ] {
                let input = json!({ *one: value, *other: "shop" });
                let names = ["run_id", "application"].iter().filter(|name| !input[**name].is_null()).count();
                let is_read = match function {
                    "rollback" => serde_json::from_value::<rollback::BeginRequest>(
                        json!({ "execution_arn": "e", "input": input }),
                    )
                    .is_ok(),
                    _ => {
                        serde_json::from_value::<cleanup::FindRequest>(json!({ "execution_arn": "e", "input": input }))
                            .is_ok()
                    }
                };
                let is_an_arn = input["run_id"].as_str().is_none_or(|run_id| run_id.trim().starts_with("arn:"));
                let is_taken = is_read && names == 1 && is_an_arn;
                ensure!(
                    is_taken == validator.is_valid(&input),
                    "{function}: {input}: the function takes it: {is_taken}"
                );
            }
        }
    }
    Ok(())
}

/// Every field, at every depth, says what it is; a text of a form shows one.
fn every_field_of_a_schema_is_described() -> Result<()> {
    let mut described = 0;
    for name in ["cutover", "rollback", "cleanup"] {
        let schema = schema(name)?;
        let mut objects: Vec<&Value> = vec![&schema];
        objects.extend(schema["$defs"].as_object().into_iter().flat_map(|definitions| definitions.values()));
        let variants: Vec<&Value> = objects.iter().filter_map(|object| object["oneOf"].as_array()).flatten().collect();
        for object in objects.into_iter().chain(variants) {
            for (field, of_field) in object["properties"].as_object().into_iter().flatten() {
                let text = of_field["description"].as_str().unwrap_or_default();
                ensure!(text.len() > 10, "{name}: {}: {field} says nothing", object["description"]);
                ensure!(!text.contains('\n'), "{field}: {text}");
                let default = &of_field["default"];
                let is_told = !(default.is_string() || default.is_number()) || text.contains("Default: ");
                ensure!(is_told, "{field}: {text} says no default");
                described += 1;
                let Some(pattern) = of_field["pattern"].as_str() else { continue };
                let example = of_field["examples"][0].clone();
                let form = jsonschema::validator_for(&json!({ "type": "string", "pattern": pattern }));
                ensure!(
                    form.is_ok_and(|form| form.is_valid(&example)),
                    "{field}: {example} is no example of {pattern}"
                );
            }
        }
    }
    ensure!(described > 120, "only {described} fields: this test does not see them");
    Ok(())
}

/// Texts that are nearly of a form.
fn nearly() -> impl Strategy<Value = Value> {
    let forms = [
        "[ \t]?[0-9]{1,10} ?(s|sec|m|min|h|hours|d|w|ms|y)( ?[0-9]{1,3}(m|s))?[ \n]?",
        "(25[0-9]|[0-9]{1,3})(\\.(25[0-9]|[0-9]{1,3})){2,4} ?",
        "([0-9a-fA-F]{0,4}:){1,8}([0-9a-f]{0,5}|[0-9]{1,3}(\\.[0-9]{1,3}){3})",
        "(:?:[0-9a-f]{1,4}){1,7}(:[0-9]{1,3}(\\.[0-9]{1,3}){3})?",
        " ?arn:aws:(elasticloadbalancing|sns|dms|lambda):(eu-west-1)?:[0-9]{0,3}:(listener/|listener-rule/|targetgroup/|task:|function:|t)[ -~]{0,4}(\\.fifo)? ?",
        " ?(/?hostedzone/|/change/|arn:aws:route53:::hostedzone/)?Z?[A-Z0-9]{0,4}[a-z/]? ?",
        " ?(/?healthcheck/|arn:aws:route53:::healthcheck/)?[a-f0-9:/-]{0,5} ?",
        "(https?|ftp)://([a-z0-9.@:\\[\\]_-]{0,12})(:[0-9]{0,6})?([/?#][ -~]{0,6})?",
        "[a-z*_\\-.]{0,6}\\.?[a-z]{0,3}\\.?",
        "(p|P|tm)?[0-9]{0,3}(\\.[0-9]{0,2})?",
        "[0-6][0-9]{1,2}(-[0-6][0-9]{2})?",
        "(/|)[a-z /%?=]{0,8}",
    ];
    prop::sample::select(forms.to_vec())
        .prop_flat_map(|form| {
            proptest::string::string_regex(form).map_or_else(|_| Just(String::new()).boxed(), Strategy::boxed)
        })
        .prop_map(Value::from)
}

proptest! {
    fn a_full_plan_after_one_mutation_is_right_for_both_or_for_none(choice in any::<Index>(), mutation in hostile::mutation()) {
        agree(&hostile::mutate(&plans::full(), choice, &mutation).value)?;
    }

    fn a_text_that_is_nearly_of_a_form_is_right_for_both_or_for_none(text in nearly(), choice in any::<Index>()) {
        let plan = plans::full();
        let texts: Vec<hostile::Place> = hostile::places(&plan).into_iter()
            .filter(|place| plan.pointer(&plans::pointer(place)).is_some_and(Value::is_string)).collect();
        let mut plan = plan;
        if let Some(place) = plan.pointer_mut(&plans::pointer(&texts[choice.index(texts.len())])) {
            *place = text;
        }
        agree(&plan)?;
    }

    fn a_plan_to_start_from_after_some_mutations_is_right_for_both_or_for_none(
        plan in prop::sample::select(super::plans_to_start_from()),
        mutations in prop::collection::vec((any::<Index>(), hostile::mutation()), 1..4),
    ) {
        let mutated = mutations.iter().fold(plan, |plan, (choice, mutation)| {
            if hostile::places(&plan).is_empty() { plan } else { hostile::mutate(&plan, *choice, mutation).value }
        });
        agree(&mutated)?;
    }
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        every_plan_to_start_from_is_valid_by_its_schema,
        the_schema_says_what_fields_need_each_other,
        a_gestures_schema_takes_what_its_function_takes,
        every_field_of_a_schema_is_described,
        a_full_plan_after_one_mutation_is_right_for_both_or_for_none,
        a_text_that_is_nearly_of_a_form_is_right_for_both_or_for_none,
        a_plan_to_start_from_after_some_mutations_is_right_for_both_or_for_none,
    ]
}
