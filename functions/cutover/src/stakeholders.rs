//! The stack's groups of stakeholders: which of them, and of a plan's own, hear of a run. Pure.

use std::collections::HashSet;

use crate::Finding;
use crate::plan::{Group, Stakeholders};
use crate::read::problems_of_groups;

/// The groups of the stack's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackGroups(Vec<Group>);

impl StackGroups {
    /// Reads the environment's text: a JSON list of groups, as a plan has them.
    ///
    /// # Errors
    /// Names the first place that is wrong, and the fix.
    pub fn read(text: &str) -> Result<Self, String> {
        let groups: Vec<Group> = serde_json::from_str(text).map_err(|error| format!("STAKEHOLDERS: {error}"))?;
        match problems_of_groups(&groups, "STAKEHOLDERS").first() {
            Some(Finding { path, problem, fix, .. }) => Err(format!("{path} {problem}: {fix}")),
            None => Ok(Self(groups)),
        }
    }

    /// Who hears of a run: those of the stack that its plan names, or all; and the plan's own. A group of the plan stands in for
    /// one of the stack with the same name.
    pub fn hearers<'a>(&'a self, wanted: &'a Stakeholders) -> Vec<&'a Group> {
        let own: HashSet<&str> = wanted.groups.iter().map(|group| group.name.as_str()).collect();
        let is_wanted = |group: &&Group| match &wanted.of_stack {
            Some(names) => names.contains(&group.name),
            None => true,
        };
        let of_stack = self.0.iter().filter(is_wanted).filter(|group| !own.contains(group.name.as_str()));
        of_stack.chain(&wanted.groups).collect()
    }

    /// They themselves.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter()
    }

    /// Whether a group is one of these in all that it says: of a plan, one that stands in for its people by the same channels.
    pub fn has(&self, group: &Group) -> bool {
        self.0.contains(group)
    }

    /// References of a plan to groups that the stack does not have.
    pub fn unknown(&self, wanted: &Stakeholders) -> Vec<Finding> {
        let names: Vec<&str> = self.0.iter().map(|group| group.name.as_str()).collect();
        let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        let of_stack = wanted.of_stack.iter().flatten().enumerate();
        let unknown = of_stack.filter(|(_, name)| !names.contains(&name.as_str()));
        let told = |(index, name): (usize, &String)| {
            let shown: String = name.chars().take(80).collect();
            Finding::plan(
                format!("$.stakeholders.of_stack[{index}]"),
                format!("`{shown}` is no group of the stack; {known}"),
                "name one of these, or write the group out in stakeholders.groups",
            )
        };
        unknown.map(told).collect()
    }
}

/// The address of a webhook, as its secret has it.
///
/// # Errors
/// What is wrong with it, without showing it: whoever has it can write to the channel.
pub fn webhook_address(text: &str) -> Result<&str, &'static str> {
    let address = text.trim();
    let is_plain = address.len() <= 2048 && address.chars().all(|c| c.is_ascii_graphic());
    // Plain http to this machine alone, where tests are.
    let here = address.starts_with("http://127.0.0.1:");
    let host = address.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = host.map(|host| host.rsplit('@').next().unwrap_or_default());
    match host {
        _ if here && is_plain => Ok(address),
        _ if address.is_empty() => Err("the secret has no text: it should be https://..., and nothing else"),
        None if address.starts_with("http://") => {
            Err("the secret's address is not https: what is sent there could be read")
        }
        Some(host) if is_plain && host.starts_with(|c: char| c.is_ascii_alphanumeric()) => Ok(address),
        _ => Err("the secret's text is no address: it should be https://..., and nothing else"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn group(name: &str, zone: &str) -> serde_json::Value {
        json!({ "name": name, "time_zone": zone, "channels": [{ "type": "mail", "to": ["a@example.com"] }] })
    }

    fn stack() -> StackGroups {
        StackGroups::read(&json!([group("executives", "UTC"), group("technical-teams", "UTC")]).to_string()).unwrap()
    }

    #[test]
    fn all_of_the_stack_hear_unless_the_plan_names_some_and_its_own_stand_in() {
        let hearers = |wanted: serde_json::Value| -> Vec<(String, String)> {
            let wanted: Stakeholders = serde_json::from_value(wanted).unwrap();
            let of = |group: &&Group| (group.name.clone(), group.time_zone.clone());
            stack().hearers(&wanted).iter().map(of).collect()
        };
        let pair = |name: &str, zone: &str| (name.to_owned(), zone.to_owned());
        assert_eq!(hearers(json!({})), [pair("executives", "UTC"), pair("technical-teams", "UTC")]);
        assert_eq!(hearers(json!({ "of_stack": [] })), []);
        assert_eq!(hearers(json!({ "of_stack": ["executives"] })), [pair("executives", "UTC")]);
        let own = json!({ "groups": [group("executives", "Asia/Tokyo")] });
        assert_eq!(hearers(own), [pair("technical-teams", "UTC"), pair("executives", "Asia/Tokyo")]);
    }

    #[test]
    fn an_unknown_reference_is_found_with_what_there_is() {
        let wanted = Stakeholders { of_stack: Some(vec!["executives".into(), "execs".into()]), groups: Vec::new() };
        let found = stack().unknown(&wanted);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "$.stakeholders.of_stack[1]");
        assert_eq!(found[0].problem, "`execs` is no group of the stack; it has executives, technical-teams");
        assert!(StackGroups::default().unknown(&wanted)[0].problem.ends_with("it has none"));
    }

    #[test]
    fn only_an_address_is_one_and_what_is_wrong_with_it_does_not_show_it() {
        for text in ["https://hooks.example.com/a/b?c=d", " https://hooks.example.com\n", "http://127.0.0.1:8080/"] {
            assert_eq!(webhook_address(text), Ok(text.trim()));
        }
        for (text, expected) in [
            ("http://hooks.example.com/s3cret", "not https"),
            ("http://127.0.0.1.example.com/s3cret", "not https"),
            ("https://a s3cret", "no address"),
            ("https:///s3cret", "no address"),
            ("{\"url\":\"https://a/s3cret\"}", "no address"),
            (" ", "has no text"),
        ] {
            let problem = webhook_address(text).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("s3cret"), "{text}: {problem}");
        }
    }

    #[test]
    fn a_configuration_that_is_wrong_says_where() {
        let wrong = json!([group("a", "UTC"), group("b", "Europe/Atlantis")]).to_string();
        let problem = StackGroups::read(&wrong).unwrap_err();
        assert!(problem.starts_with("STAKEHOLDERS[1].time_zone `Europe/Atlantis` is no time zone: write"), "{problem}");
        assert!(StackGroups::read("{}").unwrap_err().starts_with("STAKEHOLDERS: invalid type"));
    }
}
