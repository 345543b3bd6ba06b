//! The form of a JSON value, judged by a JSON Schema: every error at once, each with its path.
//!
//! It knows the words that `schemars` uses for the types of a plan: objects, lists, texts, numbers with bounds, choices of
//! constants and choices by a tag (`oneOf`), and what may be null (`anyOf`). Patterns and least lengths are left to `check`,
//! which says better what would be right.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::{Finding, Seconds, finding};

/// Where the schema describes [`Seconds`].
pub(super) const DURATION: &str = "#/$defs/Duration";

/// What was read of a value.
pub(super) struct Form {
    /// The value in the form that is kept: durations are seconds, whole numbers have no fraction of zero. It always is of
    /// the schema's form: something stands in for what could not be read, and could not be left out.
    pub normalised: Value,
    /// The paths of what could not be read.
    pub unread: Vec<String>,
    /// Every error of form, until there are more than can be told.
    pub findings: Vec<Finding>,
}

/// Reads a value.
pub(super) fn read(schema: &Value, value: &Value) -> Form {
    let mut reader = Reader { definitions: &schema["$defs"], unread: Vec::new(), findings: Vec::new() };
    let normalised = reader.read_or_stand_in(schema, value, &Place::Whole);
    Form { normalised, unread: reader.unread, findings: reader.findings }
}

/// A place within the value.
enum Place<'a> {
    Whole,
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

/// A JSON path such as `$.routes[0].steps[1].hold`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => write!(formatter, "$"),
            Self::Field(parent, name) => write!(formatter, "{parent}.{name}"),
            Self::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

struct Reader<'a> {
    definitions: &'a Value,
    unread: Vec<String>,
    findings: Vec<Finding>,
}

/// Each answers with the normalised value, or with nothing where a finding says why it cannot be read.
impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Value, value: &Value, at: &Place) -> Option<Value> {
        if value.is_null() && may_be_null(schema) {
            return Some(Value::Null);
        }
        let schema = not_null(schema);
        if schema["$ref"] == DURATION {
            return self.duration(value, at);
        }
        let schema = self.definition(schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.choice(choices, value, at);
        }
        match (type_name(schema), value) {
            ("object", Value::Object(fields)) => self.object(schema, fields, at),
            ("array", Value::Array(items)) => self.list(schema, items, at),
            ("integer", Value::Number(number)) => self.whole_number(schema, number, at),
            ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => {
                Some(value.clone())
            }
            (wanted, _) => self.wrong(at, value, kind_name(wanted)),
        }
    }

    fn read_or_stand_in(&mut self, schema: &'a Value, value: &Value, at: &Place) -> Value {
        self.read(schema, value, at).unwrap_or_else(|| {
            self.unread.push(at.to_string());
            self.stand_in(schema)
        })
    }

    fn object(&mut self, schema: &'a Value, fields: &Map<String, Value>, at: &Place) -> Option<Value> {
        let mut read = Map::new();
        for (name, value) in fields {
            let place = Place::Field(at, name);
            match field(schema, name) {
                Some(schema) => match self.read(schema, value, &place) {
                    Some(value) => drop(read.insert(name.clone(), value)),
                    None => self.unread.push(place.to_string()),
                },
                None => self.unknown_field(schema, &place),
            }
            if self.is_enough() {
                return None;
            }
        }
        for name in texts(&schema["required"]) {
            if !fields.contains_key(name) {
                self.missing(name, at);
            }
            if !read.contains_key(name) {
                read.insert(name.to_owned(), self.stand_in(&schema["properties"][name]));
            }
        }
        Some(read.into())
    }

    /// What is in a list that is too long is not looked at.
    fn list(&mut self, schema: &'a Value, items: &[Value], at: &Place) -> Option<Value> {
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
            self.tell(at, format!("has {} items", items.len()), format!("should have {most} at the most"));
            return None;
        }
        let mut read = Vec::new();
        for (index, item) in items.iter().enumerate() {
            read.push(self.read_or_stand_in(&schema["items"], item, &Place::Item(at, index)));
            if self.is_enough() {
                return None;
            }
        }
        Some(read.into())
    }

    /// One of several constants, or of several objects that a constant field tells apart.
    fn choice(&mut self, choices: &'a [Value], value: &Value, at: &Place) -> Option<Value> {
        let Some(tag) = choices.iter().find_map(tag) else {
            let constants = choices.iter().map(|choice| &choice["const"]);
            return self.one_of(constants, value, at).map(|place| choices[place]["const"].clone());
        };
        let Value::Object(fields) = value else {
            return self.wrong(at, value, &format!("an object with a `{tag}`"));
        };
        let place = Place::Field(at, tag);
        let constants = choices.iter().map(|choice| &choice["properties"][tag]["const"]);
        let chosen = match fields.get(tag) {
            Some(found) => self.one_of(constants, found, &place),
            None => {
                self.missing(tag, at);
                None
            }
        };
        match chosen {
            Some(chosen) => self.object(&choices[chosen], fields, at),
            None => Some(self.common_fields(choices, fields, at)),
        }
    }

    /// Of an object that could be any of these: what all of them have alike.
    fn common_fields(&mut self, choices: &'a [Value], fields: &Map<String, Value>, at: &Place) -> Value {
        let mut object = self.stand_in(&choices[0]);
        for (name, schema) in choices[0]["properties"].as_object().into_iter().flatten() {
            let place = Place::Field(at, name);
            let is_common = choices.iter().all(|choice| choice["properties"][name] == *schema);
            let is_required = choices.iter().all(|choice| texts(&choice["required"]).any(|required| required == name));
            match fields.get(name) {
                Some(value) if is_common => object[name] = self.read_or_stand_in(schema, value, &place),
                None if is_common && is_required => self.missing(name, at),
                _ => self.unread.push(place.to_string()),
            }
        }
        object
    }

    /// Which of these constants it is.
    fn one_of(
        &mut self,
        constants: impl Iterator<Item = &'a Value> + Clone,
        value: &Value,
        at: &Place,
    ) -> Option<usize> {
        let place = constants.clone().position(|constant| constant == value);
        if place.is_none() {
            let names: Vec<String> =
                constants.filter_map(Value::as_str).map(|constant| format!("`{constant}`")).collect();
            return self.wrong(at, value, &names.join(" or "));
        }
        place
    }

    /// JSON knows no difference between 5 and 5.0.
    fn whole_number(&mut self, schema: &Value, number: &Number, at: &Place) -> Option<Value> {
        let limit = |name: &str| schema[name].as_i64().unwrap_or_default();
        let whole =
            number.as_i64().or_else(|| number.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64));
        let (least, most) = (limit("minimum"), limit("maximum"));
        match whole {
            Some(whole) if (least..=most).contains(&whole) => Some(whole.into()),
            Some(_) => {
                self.tell(at, format!("is {number}"), format!("should be {least} to {most}"));
                None
            }
            None => self.wrong(at, &Value::Number(number.clone()), "a whole number"),
        }
    }

    fn duration(&mut self, value: &Value, at: &Place) -> Option<Value> {
        let Value::String(text) = value else {
            return self.wrong(at, value, "a text with its unit, such as \"30s\", \"15m\" or \"24h\"");
        };
        match text.parse::<Seconds>() {
            Ok(seconds) => Some(seconds.0.into()),
            Err(problem) => {
                self.tell(at, problem, "give a number with its unit: s, m, h, d or w".to_owned());
                None
            }
        }
    }

    fn missing(&mut self, name: &str, at: &Place) {
        let place = Place::Field(at, name);
        self.unread.push(place.to_string());
        self.tell(&place, "is missing".to_owned(), format!("add `{name}`"));
    }

    fn unknown_field(&mut self, schema: &Value, at: &Place) {
        let known: Vec<&str> =
            schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        self.tell(at, "is not a field of a plan".to_owned(), format!("remove it, or use one of: {}", known.join(", ")));
    }

    fn wrong<T>(&mut self, at: &Place, value: &Value, wanted: &str) -> Option<T> {
        self.tell(at, format!("is {}", described(value)), format!("should be {wanted}"));
        None
    }

    fn tell(&mut self, at: &Place, problem: String, fix: String) {
        self.findings.push(Finding::plan(at.to_string(), problem, fix));
    }

    fn is_enough(&self) -> bool {
        self.findings.len() > finding::MOST_FINDINGS
    }

    /// The least value of a form.
    fn stand_in(&self, schema: &Value) -> Value {
        if may_be_null(schema) {
            return Value::Null;
        }
        if schema["$ref"] == DURATION {
            return 0.into();
        }
        let schema = self.definition(schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.stand_in(&choices[0]);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        match type_name(schema) {
            "object" => {
                let fields = texts(&schema["required"]);
                fields
                    .map(|name| (name.to_owned(), self.stand_in(&schema["properties"][name])))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "array" => Value::Array(Vec::new()),
            "string" => "".into(),
            "boolean" => false.into(),
            _ => schema.get("minimum").cloned().unwrap_or_else(|| 0.into()),
        }
    }

    fn definition<'b>(&self, schema: &'b Value) -> &'b Value
    where
        'a: 'b,
    {
        let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
        name.map_or(schema, |name| &self.definitions[name])
    }
}

/// The schema of a field: its own, or the one for any name.
fn field<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema["properties"].get(name).or_else(|| schema.get("additionalProperties").filter(|any| any.is_object()))
}

/// The field that tells this choice from the others.
fn tag(choice: &Value) -> Option<&str> {
    let fields = choice["properties"].as_object()?;
    fields.iter().find_map(|(name, schema)| schema.get("const").map(|_| name.as_str()))
}

fn may_be_null(schema: &Value) -> bool {
    let is_null = |schema: &Value| schema["type"] == "null";
    schema["anyOf"].as_array().is_some_and(|choices| choices.iter().any(is_null))
        || texts(&schema["type"]).any(|name| name == "null")
}

/// What else than null it may be.
fn not_null(schema: &Value) -> &Value {
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    choices.into_iter().find(|choice| choice["type"] != "null").unwrap_or(schema)
}

fn type_name(schema: &Value) -> &str {
    schema["type"].as_str().or_else(|| texts(&schema["type"]).next()).unwrap_or_default()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn kind_name(type_name: &str) -> &'static str {
    match type_name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        _ => "an object",
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", text.chars().take(80).collect::<String>()),
        Value::Array(_) => kind_name("array").to_owned(),
        Value::Object(_) => kind_name("object").to_owned(),
    }
}
