//! The form of a JSON value, judged by a JSON Schema: every error at once, each with its path.
//!
//! It knows the words that `schemars` uses for the types of a plan: objects, lists, texts, numbers with bounds, choices of
//! constants (`enum`, `oneOf`) and choices by a tag (`oneOf`), and what may be null (`anyOf`). Patterns, least lengths of lists,
//! and rules over several fields (`allOf`) are left to `check`, which says better what would be right.

use std::fmt;

use serde_json::{Map, Number, Value};

use super::hint;
use super::schema::SPACES;
use super::written::{self, Wanted};
use crate::{Finding, Seconds, finding, text};

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
    let mut reader = Reader { root: schema, definitions: &schema["$defs"], unread: Vec::new(), findings: Vec::new() };
    let normalised = reader.read_or_stand_in(schema, value, &Place::Whole);
    Form { normalised, unread: reader.unread, findings: reader.findings }
}

/// A place within the value.
enum Place<'a> {
    Whole,
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// The field's name; empty where it is none.
    fn field(&self) -> &str {
        match self {
            Self::Field(_, name) => name,
            Self::Whole | Self::Item(..) => "",
        }
    }
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
    root: &'a Value,
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
            // What has no type is read by whoever uses it.
            ("", _) => Some(value.clone()),
            ("object", Value::Object(fields)) => self.object(schema, fields, at),
            ("array", Value::Array(items)) => self.list(schema, items, at),
            ("integer", Value::Number(number)) => self.whole_number(schema, number, at),
            ("string", Value::String(text)) => self.text(schema, text, at),
            ("number", Value::Number(number)) => self.number(schema, number, at),
            ("boolean", Value::Bool(_)) => Some(value.clone()),
            (wanted, _) => match written::instead(&self.wanted(wanted, schema, at), value) {
                Some(fix) => self.refuse(at, format!("is {}", described(value)), fix),
                None => self.wrong(at, value, kind_name(wanted)),
            },
        }
    }

    fn wanted<'b>(&self, type_name: &'b str, schema: &'b Value, at: &'b Place) -> Wanted<'b> {
        let field = at.field();
        let percent = format!("{field}_percent");
        let is_there = !field.is_empty() && !hint::places_of(&percent, self.root, self.definitions).is_empty();
        Wanted { type_name, field, schema, in_percent: is_there.then_some(percent) }
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
                Some(of_field) if value.is_null() && !may_be_null(of_field) => {
                    let is_required = texts(&schema["required"]).any(|required| required == name);
                    self.tell_null(is_required, &place);
                }
                Some(schema) => match self.read(schema, value, &place) {
                    Some(value) => drop(read.insert(name.clone(), value)),
                    None => self.unread.push(place.to_string()),
                },
                None => self.unknown_field(schema, fields, name, at),
            }
            if self.is_enough() {
                return None;
            }
        }
        for name in texts(&schema["required"]) {
            let place = Place::Field(at, name).to_string();
            if !fields.contains_key(name) && !self.unread.contains(&place) {
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
            return self.refuse(at, format!("has {} items", items.len()), format!("should have {most} at the most"));
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
        match chosen.or_else(|| nearest_choice(choices, tag, fields)).or_else(|| most_alike(choices, fields)) {
            Some(likely) => {
                if chosen.is_none() {
                    self.unread.push(place.to_string());
                }
                let mut fields = fields.clone();
                fields.insert(tag.to_owned(), choices[likely]["properties"][tag]["const"].clone());
                self.object(&choices[likely], &fields, at)
            }
            None => Some(self.common_fields(choices, fields, at)),
        }
    }

    /// A text: one of several, or of a form, about which spaces say nothing, or of a length.
    fn text(&mut self, schema: &'a Value, text: &str, at: &Place) -> Option<Value> {
        if let Some(choices) = schema["enum"].as_array() {
            return self.one_of(choices.iter(), &text.into(), at).map(|place| choices[place].clone());
        }
        if schema["pattern"].is_string() {
            return Some(text.trim_matches(SPACES).into());
        }
        let length = text.chars().count() as u64;
        let (least, most) = (schema["minLength"].as_u64().unwrap_or_default(), schema["maxLength"].as_u64());
        let fix = || format!("give {least} to {} characters", most.unwrap_or_default());
        match most {
            _ if length == 0 && least > 0 => self.refuse(at, "is empty".to_owned(), "say what it is".to_owned()),
            Some(most) if length > most => self.refuse(at, format!("has {length} characters"), fix()),
            _ => Some(text.into()),
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
            let names = constants.clone().filter_map(Value::as_str);
            let all: Vec<String> = names.clone().map(|name| format!("`{name}`")).collect();
            let nearest = value.as_str().and_then(|text| hint::choice(text, names));
            let fix = match nearest {
                Some(nearest) => format!("write `{nearest}`, if that is meant; there are {}", text::listed(&all)),
                None => format!("should be {}", all.join(" or ")),
            };
            return self.refuse(at, format!("is {}", described(value)), fix);
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
            Some(_) => self.refuse(at, format!("is {number}"), format!("should be {least} to {most}")),
            None => {
                let whole = || format!("should be a whole number, {least} to {most}");
                let fix = number.as_f64().and_then(|share| written::percentage(share, most)).unwrap_or_else(whole);
                self.refuse(at, format!("is {number}"), fix)
            }
        }
    }

    /// A number with a fraction, whose bounds are inclusive; some have none, or only a least value.
    fn number(&mut self, schema: &Value, number: &Number, at: &Place) -> Option<Value> {
        let bound = |name: &str| schema[name].as_f64();
        let (least, most) = (bound("minimum").unwrap_or(f64::MIN), bound("maximum").unwrap_or(f64::MAX));
        if number.as_f64().is_some_and(|number| (least..=most).contains(&number)) {
            return Some(number.clone().into());
        }
        let fix = if most == f64::MAX {
            format!("should be {least} or more")
        } else {
            format!("should be {least} to {most}")
        };
        self.refuse(at, format!("is {number}"), fix)
    }

    fn duration(&mut self, value: &Value, at: &Place) -> Option<Value> {
        let Value::String(text) = value else {
            return self.refuse(at, format!("is {}", described(value)), written::duration(value));
        };
        match text.trim_matches(SPACES).parse::<Seconds>() {
            Ok(seconds) => Some(seconds.0.into()),
            Err(problem) => self.refuse(at, problem, written::duration(value)),
        }
    }

    fn tell_null(&mut self, is_required: bool, at: &Place) {
        self.unread.push(at.to_string());
        let fix =
            if is_required { "give it a value: it must not be missing" } else { "give it a value, or leave it out" };
        self.tell(at, "is null".to_owned(), fix.to_owned());
    }

    fn missing(&mut self, name: &str, at: &Place) {
        let place = Place::Field(at, name);
        self.unread.push(place.to_string());
        self.tell(&place, "is missing".to_owned(), format!("add `{name}`"));
    }

    /// A field that is near a known one was meant to be that: what is in it is read, but is not in its place, and about that
    /// nothing is said.
    fn unknown_field(&mut self, schema: &'a Value, fields: &Map<String, Value>, name: &str, at: &Place) {
        let place = Place::Field(at, name);
        let properties = schema["properties"].as_object();
        let known =
            || properties.into_iter().flat_map(Map::keys).map(String::as_str).filter(|known| *known != "$schema");
        let free = known().filter(|known| !fields.contains_key(*known));
        let meant = hint::nearest(name, free);
        let fix = match (meant, &hint::places_of(name, self.root, self.definitions)[..]) {
            (Some(meant), _) => format!("rename it to `{meant}`, if that is meant"),
            (None, [elsewhere]) => format!("move it to `{elsewhere}`, or remove it"),
            _ => format!("remove it, or use one of: {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.tell(&place, "is not a field here".to_owned(), fix);
        if let Some(meant) = meant {
            self.unread.push(Place::Field(at, meant).to_string());
            self.read(&schema["properties"][meant], &fields[name], &place);
        }
    }

    fn wrong<T>(&mut self, at: &Place, value: &Value, wanted: &str) -> Option<T> {
        self.refuse(at, format!("is {}", described(value)), format!("should be {wanted}"))
    }

    fn refuse<T>(&mut self, at: &Place, problem: String, fix: String) -> Option<T> {
        self.tell(at, problem, fix);
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
            "string" => schema["enum"].get(0).cloned().unwrap_or_else(|| "".into()),
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

/// The choice whose name is misspelt.
fn nearest_choice(choices: &[Value], tag: &str, fields: &Map<String, Value>) -> Option<usize> {
    let names: Vec<&str> =
        choices.iter().map(|choice| choice["properties"][tag]["const"].as_str().unwrap_or_default()).collect();
    let nearest = hint::choice(fields.get(tag)?.as_str()?, names.iter().copied())?;
    names.iter().position(|name| *name == nearest)
}

/// The choice that has most of these fields, where one has more than the others.
fn most_alike(choices: &[Value], fields: &Map<String, Value>) -> Option<usize> {
    let known = |choice: &Value| fields.keys().filter(|name| choice["properties"].get(name.as_str()).is_some()).count();
    let counts: Vec<usize> = choices.iter().map(known).collect();
    let most = counts.iter().max()?;
    let is_alone = counts.iter().filter(|count| *count == most).count() == 1;
    counts.iter().position(|count| count == most).filter(|_| is_alone)
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
