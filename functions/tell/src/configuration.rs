//! What the stack says of messages: sender, branding, templates.

use std::collections::BTreeMap;

use messages::{Branding, Templates};
use serde::Deserialize;

/// Of the environment's variable MESSAGES.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    mail_from: Option<String>,
    configuration_set: Option<String>,
    from_name: String,
    templates: Templates,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    mail_from: Option<String>,
    configuration_set: Option<String>,
    branding: Branding,
    templates: BTreeMap<String, String>,
}

impl Configuration {
    /// Reads it: a JSON object, of which everything may be left out.
    ///
    /// # Errors
    /// Names what is wrong, and the fix.
    pub fn read(text: &str) -> Result<Self, String> {
        let written: Written = serde_json::from_str(text).map_err(|error| format!("MESSAGES: {error}"))?;
        let Written { mail_from, configuration_set, branding, templates } = written;
        if let Some(problem) = branding.problem() {
            return Err(format!("MESSAGES: {problem}"));
        }
        if let Some(unknown) = templates.keys().find(|name| !Templates::names().any(|known| known == *name)) {
            let known = Templates::names().collect::<Vec<_>>().join(", ");
            return Err(format!("MESSAGES: there is no template `{unknown}`: use one of {known}"));
        }
        let from_name = branding.name.clone();
        Ok(Self { mail_from, configuration_set, from_name, templates: Templates::new(templates, branding) })
    }

    /// The sender's address; none if the stack has none.
    pub fn mail_from(&self) -> Option<&str> {
        self.mail_from.as_deref()
    }

    /// The sender's name.
    pub fn from_name(&self) -> &str {
        &self.from_name
    }

    /// The set that tells bounces and complaints.
    pub fn configuration_set(&self) -> Option<&str> {
        self.configuration_set.as_deref()
    }

    /// Built-in templates and the team's own.
    pub fn templates(&self) -> &Templates {
        &self.templates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_is_wrong_says_what_would_be_right() {
        let problem = |text: &str| Configuration::read(text).unwrap_err();
        assert!(problem(r#"{ "branding": { "colour": "red" } }"#).contains("write #rrggbb"));
        assert!(problem(r#"{ "templates": { "end.txt": "x" } }"#).contains("use one of approval_wanted.txt, "));
        assert!(problem(r#"{ "sender": "a" }"#).contains("unknown field `sender`"));
        let read = Configuration::read(r#"{ "mail_from": "a@b.com", "branding": { "name": "Shop" } }"#).unwrap();
        assert_eq!((read.mail_from(), read.from_name(), read.configuration_set()), (Some("a@b.com"), "Shop", None));
        assert_eq!(Configuration::read("{}").unwrap().mail_from(), None);
    }
}
