//! Which name would be right instead of what a person wrote: the nearest one, or the one by another word.

use serde_json::{Map, Value};

/// From here on two names are alike: of ten letters, four may differ.
const ALIKE: f64 = 0.6;
/// A name with which the other begins or ends, and this much of it: `hold` of `hold_seconds`, `greater_than` of `GreaterThanThreshold`.
const PART: f64 = 0.8;
/// Names are compared as far as this: no field is longer.
const MOST_LETTERS: usize = 64;

/// What people call by other words, after the name that is known here: as signs, as other tools say, or by the product's name.
const OTHER_WORDS: [(&[&str], &[&str]); 6] = [
    (&["greater_than", "GreaterThanThreshold"], &[">", "gt", "above", "more_than"]),
    (&["greater_than_or_equal", "GreaterThanOrEqualToThreshold"], &[">=", "=>", "\u{2265}", "gte", "ge", "at_least"]),
    (&["less_than", "LessThanThreshold"], &["<", "lt", "below"]),
    (&["less_than_or_equal", "LessThanOrEqualToThreshold"], &["<=", "=<", "\u{2264}", "lte", "le", "at_most"]),
    (
        &["listener"],
        &[
            "alb",
            "nlb",
            "elb",
            "elbv2",
            "alb_listener",
            "alb_rule",
            "nlb_listener",
            "rule",
            "listener_rule",
            "load_balancer",
            "loadbalancer",
            "target_group",
        ],
    ),
    (
        &["dns"],
        &["route53", "route_53", "r53", "name", "record", "record_set", "zone", "hosted_zone", "domain", "weighted"],
    ),
];

/// The one of several choices that was meant: by another word for it, or as [`nearest`].
pub(super) fn choice<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let word = text.trim().to_lowercase().replace(['-', ' '], "_");
    let named = OTHER_WORDS.iter().find(|(_, others)| others.contains(&word.as_str()));
    let named = named.and_then(|(names, _)| known.clone().find(|known| names.contains(known)));
    named.or_else(|| nearest(text, known))
}

/// The one of the known names that was meant: misspelt, in another case, or with a word too much. `None` where none is
/// near, or several are.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = letters(name);
    let mut near: Vec<(f64, &str)> = known
        .map(|known| (likeness(&name, &letters(known)), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    match near[..] {
        [(best, name), ..] if near.get(1).is_none_or(|(second, _)| *second < best) => Some(name),
        _ => None,
    }
}

fn likeness(one: &str, other: &str) -> f64 {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    // In the midst of other letters it is no word: `hold` of `stakeholders`.
    let is_part = short.len() >= 4 && (long.starts_with(short) || long.ends_with(short));
    match is_part {
        true => PART + (1.0 - PART) * short.len() as f64 / long.len() as f64,
        false => strsim::normalized_damerau_levenshtein(one, other),
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(MOST_LETTERS).collect()
}

/// Where else in a schema there is a field of this name: `routes[].steps[].hold`. Not at its own place: that is for those who
/// know no field of it.
pub(super) fn places_of(name: &str, schema: &Value, definitions: &Value) -> Vec<String> {
    let (mut places, mut open) = (Vec::new(), vec![(String::new(), schema)]);
    while let Some((path, schema)) = open.pop() {
        let reference = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        let schema = reference.map_or(schema, |name| &definitions[name]);
        let choices = ["oneOf", "anyOf"].iter().filter_map(|word| schema[word].as_array()).flatten();
        open.extend(choices.map(|choice| (path.clone(), choice)));
        open.extend(schema.get("items").map(|items| (format!("{path}[]"), items)));
        for (field, schema) in schema["properties"].as_object().into_iter().flat_map(Map::iter) {
            let here = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            if field == name && !places.contains(&here) {
                places.push(here.clone());
            }
            open.push((here, schema));
        }
    }
    places.sort();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_the_nearest() {
        let known = [
            "steps",
            "listener_arn",
            "old_target_group_arn",
            "new_target_group_arn",
            "new_weight",
            "hold",
            "greater_than",
            "greater_than_or_equal",
        ];
        let nearest = |name| nearest(name, known.into_iter());
        for (name, meant) in [
            ("stpes", Some("steps")),
            ("listenerArn", Some("listener_arn")),
            ("ListenerArn", Some("listener_arn")),
            ("old_target_group", Some("old_target_group_arn")),
            ("weight", Some("new_weight")),
            ("GreaterThanThreshold", Some("greater_than")),
            ("GreaterThanOrEqualToThreshold", Some("greater_than_or_equal")),
            ("hold_seconds", Some("hold")),
            ("target_group_arn", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
    }

    #[test]
    fn another_word_for_a_choice_is_known() {
        let comparisons = ["greater_than", "greater_than_or_equal", "less_than", "less_than_or_equal"];
        let words =
            [(">", 0), (">=", 1), (" < ", 2), ("<=", 3), ("GTE", 1), ("at least", 1), ("GreaterThanThreshold", 0)];
        for (word, place) in words {
            assert_eq!(choice(word, comparisons.into_iter()), Some(comparisons[place]), "{word}");
        }
        assert_eq!(
            choice(">", ["GreaterThanThreshold", "LessThanThreshold"].into_iter()),
            Some("GreaterThanThreshold")
        );
        for (word, meant) in [
            ("alb_rule", "listener"),
            ("ALB", "listener"),
            ("rule", "listener"),
            ("Route53", "dns"),
            ("listner", "listener"),
        ] {
            assert_eq!(choice(word, ["listener", "dns"].into_iter()), Some(meant), "{word}");
        }
        assert_eq!(choice("!=", comparisons.into_iter()), None);
        assert_eq!(choice(">", ["A", "AAAA"].into_iter()), None);
    }
}
