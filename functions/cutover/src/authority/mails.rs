//! To whom a stack sends mail: its own groups, and of a plan's or a wave's groups those whom its owner lists.
//!
//! A mail comes from the stack's verified sender, and says what a plan's author has written. So precheck refuses a group whose address is not listed, a wave is not
//! claimed with one, and the function that sends refuses again.

use super::Patterns;
use crate::Finding;
use crate::bootstrap::Environment;
use crate::plan::{Channel, Group};
use crate::stakeholders::StackGroups;

/// The addresses that mail may go to.
#[derive(Clone, Debug, Default)]
pub struct Mails(Patterns);

impl Mails {
    /// From `MAIL_TO`.
    ///
    /// # Errors
    /// It is not set, or is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Patterns::of(environment, "MAIL_TO").map(Self)
    }

    /// Of this list: addresses, and domains, which stand for every address there; `*` and `?` are patterns, and `*` alone is anybody.
    pub fn new(listed: Patterns) -> Self {
        Self(listed)
    }

    /// Every address of these groups that is not listed, nor one of the stack's own groups. `path` says where the groups stand.
    pub fn findings(&self, groups: &[Group], path: &str, stack: &StackGroups) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            for (index, channel) in group.channels.iter().enumerate() {
                let Channel::Mail(mail) = channel else { continue };
                for (to, address) in mail.to.iter().enumerate().filter(|(_, address)| !self.allow(address, stack)) {
                    let path = format!("{path}[{place}].channels[{index}].to[{to}]");
                    let fix = "have it, or its domain, listed in the stack's mailTo, or leave it out";
                    findings.push(Finding::environment(path, refusal(address), fix));
                }
            }
        }
        findings
    }

    /// Why no mail goes to these; none where it may.
    pub fn refused(&self, addresses: &[String], stack: &StackGroups) -> Option<String> {
        addresses.iter().find(|address| !self.allow(address, stack)).map(|address| refusal(address))
    }

    /// Addresses are compared without regard to case, as practically every mail server does.
    fn allow(&self, address: &str, stack: &StackGroups) -> bool {
        let address = address.to_ascii_lowercase();
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_of = |listed: &str| {
            let listed = listed.to_ascii_lowercase();
            super::fits(&listed, if listed.contains('@') { &address } else { domain })
        };
        let of_stack = stack.iter().flat_map(|group| &group.channels).filter_map(|channel| match channel {
            Channel::Mail(mail) => Some(&mail.to),
            Channel::Sns(_) | Channel::Chat(_) | Channel::Webhook(_) => None,
        });
        self.0.iter().any(is_of) || of_stack.flatten().any(|known| known.eq_ignore_ascii_case(&address))
    }
}

fn refusal(address: &str) -> String {
    format!("`{address}` is none of the addresses that this stack sends mail to")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mails(list: Value) -> Mails {
        Mails::new(Patterns::read(&list.to_string()).unwrap())
    }

    fn stack() -> StackGroups {
        let channels = json!([{ "type": "mail", "to": ["Board@example.com"] }]);
        StackGroups::read(&json!([{ "name": "board", "channels": channels }]).to_string()).unwrap()
    }

    #[test]
    fn mail_of_a_plans_own_groups_goes_to_listed_addresses_and_domains_only() {
        for (listed, address, may_go) in [
            (json!([]), "team@example.com", false),
            (json!([]), "board@example.com", true),
            (json!(["Team@example.com"]), "team@Example.com", true),
            (json!(["team@example.com"]), "team@example.com.evil.net", false),
            (json!(["example.com"]), "anybody@example.com", true),
            (json!(["example.com"]), "anybody@sub.example.com", false),
            (json!(["example.com"]), "example.com@evil.net", false),
            (json!(["*.example.com"]), "anybody@sub.example.com", true),
            (json!(["shop-*@example.com"]), "shop-team@example.com", true),
            (json!(["shop-*@example.com"]), "shop-team@evil.net", false),
            (json!(["*"]), "anybody@evil.net", true),
        ] {
            let refused = mails(listed.clone()).refused(&[address.to_owned()], &stack());
            assert_eq!(refused.is_none(), may_go, "{listed} {address}: {refused:?}");
        }
    }

    #[test]
    fn an_address_that_is_not_listed_is_found_at_its_place() {
        let group = |channels: Value| json!({ "name": "us", "channels": channels });
        let topic = json!({ "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:t" });
        let mail = json!({ "type": "mail", "to": ["a@example.com", "me@evil.net", "board@example.com"] });
        let groups: Vec<Group> =
            serde_json::from_value(json!([group(json!([topic])), group(json!([topic, mail]))])).unwrap();
        let found = mails(json!(["example.com"])).findings(&groups, "$.stakeholders.groups", &stack());
        let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["$.stakeholders.groups[1].channels[1].to[1]"]);
        assert!(found[0].problem.contains("me@evil.net") && found[0].fix.contains("mailTo"), "{found:?}");
        assert_eq!(mails(json!(["*"])).findings(&groups, "$", &stack()), []);
    }
}
