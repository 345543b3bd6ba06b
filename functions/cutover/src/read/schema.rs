//! The JSON Schema of an input, as a person writes it: what the types say, in the words of an author.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::form::DURATION;
use crate::Seconds;
use crate::plan::pattern;

/// What stands around a text of a form without being part of it.
pub(super) const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const SPACES_PATTERN: &str = "[ \\t\\r\\n]*";

/// The schema of a type. Every field tells its default and its bounds.
pub(super) fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12()
        .with_transform(RecursiveTransform(default_as_written))
        .with_transform(RecursiveTransform(with_spaces))
        .with_transform(Helped);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let description = "For editors: where this schema is. It says nothing about the run.";
        fields.insert("$schema".to_owned(), json!({ "type": "string", "description": description }));
    }
    schema
}

/// Defaults as an author would write them: a duration as a text, and an object as an empty one, since its fields have
/// defaults of their own. Null is no default: the field is left out.
fn default_as_written(schema: &mut Schema) {
    let is_duration = schema.get("$ref").is_some_and(|name| name == DURATION);
    match schema.get_mut("default") {
        Some(Value::Number(seconds)) if is_duration => {
            let seconds = Seconds(seconds.as_u64().unwrap_or_default());
            schema.insert("default".to_owned(), seconds.as_written().into());
        }
        Some(object @ Value::Object(_)) => *object = json!({}),
        Some(Value::Null) => drop(schema.remove("default")),
        _ => {}
    }
}

/// What is pasted may have spaces around it; and what a text looks like.
fn with_spaces(schema: &mut Schema) {
    let Some(form) = schema.get("pattern").and_then(Value::as_str) else { return };
    let example = pattern::EXAMPLES.iter().find(|(pattern, _)| *pattern == form).map(|(_, example)| *example);
    if let Some(inner) = form.strip_prefix('^').and_then(|form| form.strip_suffix('$')) {
        let form = format!("^{SPACES_PATTERN}{inner}{SPACES_PATTERN}$");
        schema.insert("pattern".to_owned(), form.into());
    }
    if let Some(example) = example {
        schema.insert("examples".to_owned(), json!([example]));
    }
}

/// Descriptions of fields, with their bounds and defaults.
#[derive(Clone, Debug)]
struct Helped;

impl Transform for Helped {
    fn transform(&mut self, schema: &mut Schema) {
        let title = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        for field in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
            if let Some(field) = field.as_object_mut() {
                help(field, &title);
            }
        }
        transform_subschemas(self, schema);
    }
}

/// Of a field that tells objects apart, the description is that of the object. Rules have no descriptions.
fn help(field: &mut Map<String, Value>, of_object: &str) {
    let text = match (field.get("description"), field.get("const")) {
        (Some(Value::String(text)), _) => text.replace('\n', " "),
        (None, Some(Value::String(name))) if field.contains_key("type") => format!("`{name}`: {of_object}"),
        _ => return,
    };
    let bounds = match (field.get("minimum"), field.get("maximum")) {
        (Some(least), Some(most)) => format!(" From {least} to {most}."),
        _ => String::new(),
    };
    let default = match field.get("default") {
        Some(Value::String(text)) => format!(" Default: `{text}`."),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => format!(" Default: {value}."),
        _ => String::new(),
    };
    field.insert("description".to_owned(), format!("{text}{bounds}{default}").into());
}
