//! Rules over the fields of one object, as JSON Schema says them: `#[schemars(extend("allOf" = rule::...))]`. `read::check`
//! has the same rules in words. A field that is null is one that is not given.

use serde_json::{Value, json};

/// Exactly one of two fields is given.
pub(crate) fn one_of(one: &str, other: &str) -> Value {
    json!([{ "oneOf": [given(one), given(other)] }])
}

/// A field is given.
pub(crate) fn given(field: &str) -> Value {
    json!({ "required": [field], "properties": { field: { "not": { "type": "null" } } } })
}

/// A field has a value that this schema takes.
fn has(field: &str, schema: &Value) -> Value {
    json!({ "required": [field], "properties": { field: schema } })
}

/// None of these is given.
fn none_of(fields: &[&str]) -> Value {
    let nulls = fields.iter().map(|field| ((*field).to_owned(), json!({ "type": "null" })));
    json!({ "properties": nulls.collect::<serde_json::Map<_, _>>() })
}

/// Hooks that stop the writers need hooks that undo it.
pub(super) fn quiesce_has_its_undo() -> Value {
    let some = json!({ "minItems": 1 });
    json!([{ "if": has("quiesce", &some), "then": has("resume", &some) }])
}

/// A missing value is zero only beside a divisor.
pub(super) fn zero_needs_a_divisor() -> Value {
    json!([{ "if": has("missing", &json!({ "const": "zero_if_divisor" })), "then": given("divide_by") }])
}

/// Names of alarms, or ARNs of alarms, and no other ARNs.
pub(super) fn alarms_by_name_or_arn() -> Value {
    json!([{ "items": { "anyOf": [{ "not": { "pattern": "^arn:" } }, { "pattern": super::pattern::ALARM_ARN }] } }])
}

/// The last step moves all: since weights never fall, one of 100 is the last.
pub(super) fn all_in_the_end() -> Value {
    json!([{ "contains": has("new_weight", &json!({ "const": 100 })) }])
}

/// Each type once, a CNAME alone, and at least one answer.
pub(super) fn records_of_a_name() -> Value {
    let of_type = |name: &str| has("type", &json!({ "const": name }));
    let once = |name: &str| json!({ "contains": of_type(name), "minContains": 0, "maxContains": 1 });
    json!([
        { "contains": given("new") },
        once("A"),
        once("AAAA"),
        { "if": { "contains": of_type("CNAME") }, "then": { "maxItems": 1 } },
    ])
}

/// The form of a type's values.
pub(super) fn values_of_their_type() -> Value {
    let of_type = |name: &str, values: Value| {
        let new = json!({ "properties": { "values": values } });
        json!({ "if": has("type", &json!({ "const": name })), "then": { "properties": { "new": new } } })
    };
    let name = json!({ "pattern": super::pattern::LEADING_NAME, "not": { "pattern": super::pattern::IPV4 } });
    json!([
        of_type("A", json!({ "items": { "pattern": super::pattern::IPV4 } })),
        of_type("AAAA", json!({ "items": { "pattern": super::pattern::IPV6 } })),
        of_type("CNAME", json!({ "maxItems": 1, "items": name })),
    ])
}

/// Whom a health check asks, and how.
pub(super) fn health_check() -> Value {
    let tcp = json!({ "properties": { "path": { "pattern": "^/$" }, "search_string": { "type": "null" } } });
    json!([
        { "anyOf": [given("fqdn"), given("ip_address")] },
        { "if": has("protocol", &json!({ "const": "tcp" })), "then": { "allOf": [given("port"), tcp] } },
        { "if": { "not": given("protocol") }, "then": { "properties": { "port": { "enum": [80, 443, null] } } } },
    ])
}

/// An alarm is on one metric or on several, and has one threshold.
pub(crate) fn alarm(operators: &[&str], of_bands: &[&str]) -> Value {
    let mut of_one = none_of(&["ThresholdMetricId"]);
    let period = json!({ "anyOf": [{ "enum": [10, 20, 30] }, { "multipleOf": 60 }] });
    of_one["allOf"] = json!([
        given("MetricName"),
        given("Namespace"),
        given("Period"),
        has("Period", &period),
        one_of("Statistic", "ExtendedStatistic")[0],
    ]);
    let mut of_several = none_of(&["MetricName", "Namespace", "Period", "Statistic", "ExtendedStatistic", "Unit"]);
    of_several["properties"]["Dimensions"] = json!({ "maxItems": 0 });
    let mut band = none_of(&["Threshold"]);
    band["properties"]["ComparisonOperator"] = json!({ "enum": of_bands });
    let mut number = given("Threshold");
    number["properties"]["ComparisonOperator"] = json!({ "enum": operators });
    json!([
        { "if": has("Metrics", &json!({ "minItems": 1 })), "then": of_several, "else": of_one },
        { "if": given("ThresholdMetricId"), "then": band, "else": number },
    ])
}
