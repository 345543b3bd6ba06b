//! What a hostile author does to JSON: one value of a valid document replaced, removed, repeated, renamed or added to.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Field(String),
    Item(usize),
}

/// The way to a value.
pub type Place = Vec<Key>;

/// What is done at one place.
#[derive(Clone, Debug)]
pub enum Mutation {
    Replace(Value),
    Remove,
    /// An item so many times more, or a field again under another name.
    Repeat(usize),
    Add(String, Value),
    Rename(String),
}

/// A document after one mutation, and what it was done to: the place, and the one of another name if there is one.
pub struct Mutated {
    pub value: Value,
    pub touched: Vec<Place>,
}

/// As findings write it: `$.routes[0].steps`.
pub fn path(place: &[Key]) -> String {
    place.iter().fold("$".to_owned(), |path, key| match key {
        Key::Field(name) => format!("{path}.{name}"),
        Key::Item(index) => format!("{path}[{index}]"),
    })
}

/// Every place in a value but the whole.
pub fn places(value: &Value) -> Vec<Place> {
    let mut all = Vec::new();
    let mut open: Vec<(Place, &Value)> = vec![(vec![], value)];
    while let Some((place, value)) = open.pop() {
        let children: Vec<(Key, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (Key::Field(name.clone()), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (Key::Item(index), item)).collect(),
            _ => vec![],
        };
        for (key, child) in children {
            let place: Place = place.iter().cloned().chain([key]).collect();
            all.push(place.clone());
            open.push((place, child));
        }
    }
    all
}

fn at<'a>(value: &'a mut Value, place: &[Key]) -> Option<&'a mut Value> {
    place.iter().try_fold(value, |value, key| match key {
        Key::Field(name) => value.get_mut(name),
        Key::Item(index) => value.get_mut(index),
    })
}

/// Does it to a valid document, at one of its places.
pub fn mutate(valid: &Value, choice: Index, mutation: &Mutation) -> Mutated {
    let places = places(valid);
    let place = places[choice.index(places.len())].clone();
    let mut value = valid.clone();
    let Some((key, parent)) = place.split_last() else { return Mutated { value, touched: vec![] } };
    let child = at(&mut value, &place).map(|child| child.clone()).unwrap_or_default();
    let mut touched = vec![place.clone()];
    match (at(&mut value, parent), key) {
        (Some(Value::Object(fields)), Key::Field(name)) => {
            let other = in_object(fields, name, child, mutation);
            touched.extend(other.map(|name| parent.iter().cloned().chain([Key::Field(name)]).collect()));
        }
        (Some(Value::Array(items)), Key::Item(index)) => in_array(items, *index, child, mutation),
        _ => {}
    }
    Mutated { value, touched }
}

/// Answers the name of the other field that it touched.
fn in_object(fields: &mut Map<String, Value>, name: &str, child: Value, mutation: &Mutation) -> Option<String> {
    let (other, value) = match mutation {
        Mutation::Replace(hostile) => {
            fields.insert(name.to_owned(), hostile.clone());
            return None;
        }
        Mutation::Remove => {
            fields.remove(name);
            return None;
        }
        Mutation::Repeat(_) => (format!("{name}_"), child),
        Mutation::Add(other, hostile) => (other.clone(), hostile.clone()),
        Mutation::Rename(other) => {
            fields.remove(name);
            (other.clone(), child)
        }
    };
    fields.insert(other.clone(), value);
    Some(other)
}

fn in_array(items: &mut Vec<Value>, index: usize, child: Value, mutation: &Mutation) {
    match mutation {
        Mutation::Replace(hostile) | Mutation::Add(_, hostile) => items[index] = hostile.clone(),
        Mutation::Remove => drop(items.remove(index)),
        Mutation::Repeat(times) => items.extend(std::iter::repeat_n(child, *times)),
        Mutation::Rename(name) => items[index] = json!(name),
    }
}

/// Anything that can be done at one place.
pub fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        6 => value().prop_map(Mutation::Replace),
        2 => Just(Mutation::Remove),
        2 => prop_oneof![19 => 1..30_usize, 1 => 1..10_000_usize].prop_map(Mutation::Repeat),
        2 => (text(), value()).prop_map(|(name, value)| Mutation::Add(name, value)),
        1 => text().prop_map(Mutation::Rename),
    ]
}

/// A value that does not belong where it is put.
pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => select(simple()),
        3 => text().prop_map(Value::from),
        3 => number(),
        2 => json_value(),
        1 => (1..120_usize, any::<bool>()).prop_map(|(depth, in_objects)| nested(depth, in_objects)),
        1 => (select(simple()), prop_oneof![3 => 1..100_usize, 1 => 1..10_000_usize]).prop_map(|(item, count)| vec![item; count].into()),
    ]
}

fn simple() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "": null }),
        json!({ "type": "listener" }),
        json!({ "type": "dns", "records": [{}] }),
        json!({ "new_weight": 1_000 }),
        json!({ "new_weight": 100, "hold": "584942417355years" }),
        json!("99999999999999999999h"),
        json!("1ns"),
        json!("584942417355years"),
        json!("arn:aws:elasticloadbalancing:eu-west-1:1:\u{0}"),
        json!("arn:aws:lambda:eu-west-1:1:function:f; reboot"),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    let limits = [
        json!(0),
        json!(-1),
        json!(1),
        json!(100),
        json!(101),
        json!(255),
        json!(256),
        json!(65_536),
        json!(u64::from(u32::MAX)),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(0.5),
        json!(-0.0),
        json!(100.0),
        json!(1e308),
        json!(-1e308),
        json!(5e-324),
    ];
    prop_oneof![select(limits.to_vec()), any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from)]
}

/// Texts that break what shows, cuts or compares them.
pub fn text() -> impl Strategy<Value = String> {
    let strange = [
        "\u{0}",
        "\u{1b}[2J\u{7}",
        "line\nbreak\r\ttab",
        "\u{202e}txet\u{202c}",
        "e\u{301}\u{301}\u{301}",
        "\u{200b}\u{200d}\u{feff}",
        "\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10ffff}",
        "ß'\"\\`$(reboot)",
        "𝟙𝟚",
        "İstanbul",
        "a.b[0]",
        "$",
        "..",
        "*",
    ];
    prop_oneof![
        3 => select(strange.to_vec()).prop_map(str::to_owned),
        3 => any::<String>(),
        2 => ".{0,40}",
        1 => (select(strange.to_vec()), prop_oneof![3 => 1..400_usize, 1 => 1..20_000_usize]).prop_map(|(text, count)| text.repeat(count)),
    ]
}

/// Any JSON, a few levels deep.
pub fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![select(simple()), number(), ".{0,20}".prop_map(Value::from)];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(".{0,12}", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// So many lists, or objects, in each other.
pub fn nested(depth: usize, in_objects: bool) -> Value {
    (0..depth).fold(Value::Null, |inner, _| if in_objects { json!({ "a": inner }) } else { json!([inner]) })
}
