//! What an application is called, if nobody says: pure.

use super::alarms::Exchange;
use super::wanted::Wanted;

/// An application's name (the plan's schema).
const MOST_OF_A_NAME: usize = 64;

/// What a person might call it.
pub fn of(wanted: &Wanted, exchanges: &[Exchange]) -> String {
    let of_groups = common(exchanges.iter().filter_map(|one| one.old.split('/').nth(1)));
    let of_name = wanted.name.first().and_then(|name| name.split('.').find(|label| *label != "*"));
    let derived = || {
        let text = of_groups.or_else(|| of_name.map(str::to_owned)).unwrap_or_else(|| "application".to_owned());
        let words = text.split('-').filter(|word| !["old", "blue", "current"].contains(&word.to_lowercase().as_str()));
        words.collect::<Vec<_>>().join("-")
    };
    let text = wanted.application.clone().unwrap_or_else(derived);
    if wanted.application.is_some() {
        return text; // What is wrong with it is told as of any plan.
    }
    let known = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let text: String = text.chars().filter(|letter| known(*letter)).take(MOST_OF_A_NAME).collect();
    if text.is_empty() { "application".to_owned() } else { text }
}

/// The words with which all of these names begin; none where there are none.
fn common<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let alike = |one: Vec<&'a str>, other: Vec<&'a str>| -> Vec<&'a str> {
        one.into_iter().zip(other).take_while(|(one, other)| one == other).map(|(one, _)| one).collect()
    };
    let words = names.map(|name| name.split('-').collect()).reduce(alike)?;
    (!words.is_empty()).then(|| words.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(old: &str) -> Exchange {
        Exchange { old: format!("targetgroup/{old}/1"), new: "targetgroup/new/2".to_owned() }
    }

    #[test]
    fn an_application_is_called_as_its_group_or_name_without_the_side() {
        let none = Wanted::default();
        let named = |name: &str| Wanted { name: vec![name.to_owned()], ..Wanted::default() };
        assert_eq!(of(&none, &[exchange("shop-old")]), "shop");
        assert_eq!(of(&none, &[exchange("shop-api-old"), exchange("shop-web-old")]), "shop");
        assert_eq!(of(&none, &[exchange("blue")]), "application");
        assert_eq!(of(&named("api.example.com"), &[]), "api");
        assert_eq!(of(&named("*.example.com"), &[]), "example");
        let given = Wanted { application: Some("my shop".to_owned()), ..Wanted::default() };
        assert_eq!(of(&given, &[exchange("shop-old")]), "my shop", "precheck says what is wrong with it");
    }
}
