//! From the JSON that a person wrote to a [`Plan`], or to every error, each with its JSON path, what is wrong and what would
//! be right. Pure: nothing is observed here.
//!
//! Two parts: `form` judges by the schema (types, fields, bounds), `check` what makes a well-formed plan sensible.

mod check;
mod form;

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Value, json};

use crate::seconds::Seconds;
use crate::{Finding, Plan, finding, input};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| Plan::schema().to_value());

/// The errors of form in a plan: those that a validator finds with its schema, but for patterns and lengths.
pub fn form_errors(value: &Value) -> Vec<Finding> {
    form::read(&SCHEMA, value).findings
}

impl Plan {
    /// Reads a plan as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, of form and, as far as that could be read, of sense; in the order of their paths, up to
    /// [`finding::MOST_FINDINGS`].
    pub fn read(value: &Value) -> Result<Self, Vec<Finding>> {
        let form::Form { normalised, unread, mut findings } = form::read(&SCHEMA, value);
        match input::read::<Self>(normalised) {
            Ok(plan) => {
                findings.extend(check::plan(&plan, &unread));
                if findings.is_empty() { Ok(plan) } else { Err(finding::in_order(findings)) }
            }
            // What the schema lets through is a plan: this error would be one of ours.
            Err(problem) => Err(vec![Finding::plan("$", problem, "correct the value")]),
        }
    }

    /// The JSON Schema of a plan as its author writes it: `events/cutover.schema.json`.
    pub fn schema() -> Schema {
        let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(default_as_written));
        let mut schema = settings.into_generator().into_root_schema_for::<Self>();
        if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let description = "For editors: where this schema is. It says nothing about the run.";
            fields.insert("$schema".to_owned(), json!({ "type": "string", "description": description }));
        }
        schema
    }
}

/// Defaults as an author would write them: a duration as a text, and an object as an empty one, since its fields have
/// defaults of their own.
fn default_as_written(schema: &mut Schema) {
    let is_duration = schema.get("$ref").is_some_and(|name| name == form::DURATION);
    match schema.get_mut("default") {
        Some(Value::Number(seconds)) if is_duration => {
            let seconds = Seconds(seconds.as_u64().unwrap_or_default());
            schema.insert("default".to_owned(), seconds.to_string().into());
        }
        Some(object @ Value::Object(_)) => *object = json!({}),
        _ => {}
    }
}
