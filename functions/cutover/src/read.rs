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

impl Plan {
    /// Reads a plan as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, up to [`finding::MOST_FINDINGS`]: of form (types, bounds, unknown and missing fields) or, where
    /// the form is right, of sense.
    pub fn read(value: &Value) -> Result<Self, Vec<Finding>> {
        static SCHEMA: LazyLock<Value> = LazyLock::new(|| Plan::schema().to_value());
        let normalised = form::read(&SCHEMA, value).map_err(finding::first)?;
        // What the schema lets through is a plan: this error would be one of ours.
        let plan: Self =
            input::read(normalised).map_err(|problem| vec![Finding::plan("$", problem, "correct the value")])?;
        let findings = check::plan(&plan);
        if findings.is_empty() { Ok(plan) } else { Err(finding::first(findings)) }
    }

    /// The JSON Schema of a plan as its author writes it: `events/cutover.schema.json`.
    pub fn schema() -> Schema {
        SchemaSettings::draft2020_12()
            .with_transform(RecursiveTransform(default_as_written))
            .into_generator()
            .into_root_schema_for::<Self>()
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
