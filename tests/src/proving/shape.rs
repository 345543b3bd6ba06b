//! The shape of AWS's answers: which fields there are, of which kinds, and which errors; without any value. Pure.
//!
//! Contract: [`Shape`] of several answers is all that was seen in any of them, and knows which fields were in every one. [`differences`] compares
//! what one AWS answered with what another did: a field that only one has counts if the other always left it out, or if it was always there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What JSON tells apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Nothing.
    Null,
    /// True or false.
    Boolean,
    /// Of any size.
    Number,
    /// Texts, times among them.
    Text,
    /// In an order.
    List,
    /// By name.
    Object,
}

/// What was seen at one place of answers.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Shape {
    /// Of which kinds it was.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<Kind>,
    /// The fields of objects.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// The items of lists, together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Shape>>,
}

/// A field of objects.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Field {
    /// Whether each object had it.
    pub always: bool,
    /// What it holds.
    #[serde(flatten)]
    pub shape: Shape,
}

impl Shape {
    /// Of one answer.
    pub fn of(value: &Value) -> Self {
        let of_kind = |kind: Kind| Self { kinds: [kind].into(), ..Self::default() };
        match value {
            Value::Null => of_kind(Kind::Null),
            Value::Bool(_) => of_kind(Kind::Boolean),
            Value::Number(_) => of_kind(Kind::Number),
            Value::String(_) => of_kind(Kind::Text),
            Value::Array(items) => {
                let items = items.iter().map(Self::of).reduce(Self::with);
                Self { items: items.map(Box::new), ..of_kind(Kind::List) }
            }
            Value::Object(fields) => {
                let field =
                    |(name, value): (&String, &Value)| (name.clone(), Field { always: true, shape: Self::of(value) });
                Self { fields: fields.iter().map(field).collect(), ..of_kind(Kind::Object) }
            }
        }
    }

    /// Of both.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        let both_have_objects = self.is_object() && other.is_object();
        if both_have_objects {
            for (name, field) in &mut self.fields {
                field.always &= other.fields.contains_key(name);
            }
        }
        for (name, field) in other.fields {
            match self.fields.remove(&name) {
                Some(known) => {
                    let always = known.always && field.always;
                    self.fields.insert(name, Field { always, shape: known.shape.with(field.shape) });
                }
                None => {
                    self.fields.insert(name, Field { always: field.always && !both_have_objects, ..field });
                }
            }
        }
        self.kinds.extend(other.kinds);
        self.items = match (self.items, other.items) {
            (Some(one), Some(other)) => Some(Box::new(one.with(*other))),
            (one, other) => one.or(other),
        };
        self
    }

    fn is_object(&self) -> bool {
        self.kinds.contains(&Kind::Object)
    }
}

/// What was answered: by operation, and then by outcome, `answered` or the error's code and HTTP status.
pub type Answers = BTreeMap<String, BTreeMap<String, Shape>>;

/// An answer that is no error.
pub const ANSWERED: &str = "answered";

/// Adds an answer to those of its operation.
pub fn note(answers: &mut Answers, operation: &str, outcome: &str, shape: Shape) {
    let outcomes = answers.entry(operation.to_owned()).or_default();
    let known = outcomes.remove(outcome);
    outcomes.insert(outcome.to_owned(), known.map_or(shape.clone(), |known| known.with(shape)));
}

/// One difference between what was answered here and what the emulated AWS answered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Difference {
    /// `elbv2 describe_listeners`, perhaps with what is asked for.
    pub call: String,
    /// Where in the answer: `Listeners[].DefaultActions[].Order`; empty for the whole.
    pub path: String,
    /// What differs.
    pub what: String,
}

/// How `here` differs from `emulated`, of the calls that both know. A call that the emulated AWS was never asked is told as well.
pub fn differences(here: &Answers, emulated: &Answers) -> Vec<Difference> {
    let mut found = Vec::new();
    for (call, outcomes) in here {
        let of_call = |path: String, what: String| Difference { call: call.clone(), path, what };
        let Some(known) = emulated.get(call) else {
            found.push(of_call(String::new(), "the emulated AWS was never asked this".to_owned()));
            continue;
        };
        for (outcome, shape) in outcomes {
            match known.get(outcome) {
                Some(known) => {
                    found.extend(at("", shape, known).into_iter().map(|(path, what)| of_call(path, what)));
                }
                None => {
                    let others: Vec<&str> = known.keys().map(String::as_str).collect();
                    found.push(of_call(String::new(), format!("{outcome} here; emulated: {}", others.join(", "))));
                }
            }
        }
    }
    found
}

fn at(path: &str, here: &Shape, emulated: &Shape) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let unknown: Vec<_> = here.kinds.difference(&emulated.kinds).collect();
    if !unknown.is_empty() {
        found.push((path.to_owned(), format!("{unknown:?} here; emulated: {:?}", emulated.kinds)));
        return found;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, field) in &here.fields {
        match emulated.fields.get(name) {
            Some(known) => found.extend(at(&below(name), &field.shape, &known.shape)),
            None => found.push((below(name), "only here".to_owned())),
        }
    }
    // Of an object that nobody has seen here nothing is missing.
    let missing = emulated.fields.iter().filter(|(name, field)| field.always && !here.fields.contains_key(*name));
    found.extend(missing.filter(|_| here.is_object()).map(|(name, _)| (below(name), "only emulated".to_owned())));
    if let (Some(here), Some(emulated)) = (&here.items, &emulated.items) {
        found.extend(at(&format!("{path}[]"), here, emulated));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(call: &str, outcome: &str, values: &[Value]) -> Answers {
        let mut answers = Answers::new();
        for value in values {
            note(&mut answers, call, outcome, Shape::of(value));
        }
        answers
    }

    fn told(here: &Answers, emulated: &Answers) -> Vec<(String, String)> {
        differences(here, emulated).into_iter().map(|found| (found.path, found.what)).collect()
    }

    #[test]
    fn values_do_not_matter_and_fields_and_kinds_do() {
        let call = "elbv2 describe_listeners";
        let emulated = answers(call, ANSWERED, &[json!({ "Listeners": [{ "Port": 80, "Actions": [] }], "More": "x" })]);
        let same = answers(call, ANSWERED, &[json!({ "Listeners": [{ "Port": 443, "Actions": [] }], "More": "y" })]);
        assert_eq!(differences(&same, &emulated), []);
        let other = answers(call, ANSWERED, &[json!({ "Listeners": [{ "Port": "80", "Actions": [], "Order": 1 }] })]);
        let expected = [
            ("Listeners[].Order", "only here"),
            ("Listeners[].Port", "[Text] here; emulated: {Number}"),
            ("More", "only emulated"),
        ];
        assert_eq!(told(&other, &emulated), expected.map(|(path, what)| (path.to_owned(), what.to_owned())));
    }

    #[test]
    fn what_is_there_now_and_then_is_missing_nowhere() {
        let seen = [json!({ "a": 1 }), json!({ "a": 1, "b": [1] }), json!({ "a": 1, "b": [] })];
        let emulated = answers("x", ANSWERED, &seen);
        assert!(emulated["x"][ANSWERED].fields["a"].always && !emulated["x"][ANSWERED].fields["b"].always);
        assert_eq!(differences(&answers("x", ANSWERED, &seen[..1]), &emulated), []);
        assert_eq!(differences(&emulated, &emulated), []);
        let never = answers("x", ANSWERED, &seen[..1]);
        assert_eq!(told(&answers("x", ANSWERED, &seen[1..]), &never), [("b".to_owned(), "only here".to_owned())]);
    }

    #[test]
    fn another_error_is_a_difference_and_a_call_that_was_never_made_is_told() {
        let emulated = answers("x", "NotFound 400", &[json!({})]);
        let here = answers("x", "Missing 404", &[json!({})]);
        assert_eq!(told(&here, &emulated)[0].1, "Missing 404 here; emulated: NotFound 400");
        assert_eq!(told(&answers("y", ANSWERED, &[]), &emulated), []);
        assert_eq!(
            told(&answers("y", ANSWERED, &[json!({})]), &emulated)[0].1,
            "the emulated AWS was never asked this"
        );
    }

    #[test]
    fn a_shape_survives_being_written_down() {
        let shape = Shape::of(&json!({ "a": [{ "b": null }, { "c": true }], "d": [] }));
        let text = serde_json::to_string(&shape).expect("JSON");
        assert_eq!(serde_json::from_str::<Shape>(&text).expect("a shape"), shape);
    }
}
