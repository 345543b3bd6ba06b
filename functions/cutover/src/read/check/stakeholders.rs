//! Who hears of a run: that every group has a name of its own, a time zone that there is, and channels that can be reached.

use jiff::tz::TimeZoneDatabase;

use super::{Report, arns, topic};
use crate::finding::Finding;
use crate::plan::{Channel, Group, Stakeholders};
use crate::text::is_name;

/// The longest address that SMTP carries (RFC 5321, 4.5.3.1.3, without its brackets).
const MOST_ADDRESS_CHARACTERS: usize = 254;

pub(super) fn check(stakeholders: &Stakeholders, report: &mut Report) {
    groups(&stakeholders.groups, "$.stakeholders.groups", report);
}

/// What is wrong with groups that stand in the stack's configuration, each with its place below `path`.
pub fn problems(list: &[Group], path: &str) -> Vec<Finding> {
    let mut report = Report { unread: &[], findings: Vec::new() };
    groups(list, path, &mut report);
    report.findings
}

fn groups(list: &[Group], path: &str, report: &mut Report) {
    for (index, group) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if !is_name(&group.name, 64) {
            let shown: String = group.name.chars().take(80).collect();
            report.say(format!("{path}.name"), format!("`{shown}` is not a name"), "use 1 to 64 of A-Z a-z 0-9 - _");
        } else if let Some(first) = list[..index].iter().position(|other| other.name == group.name) {
            let problem = format!("is `{}`, as that of the group with index {first}", group.name);
            report.say(format!("{path}.name"), problem, "give each group a name of its own");
        }
        if !is_time_zone(&group.time_zone) {
            let shown: String = group.time_zone.chars().take(80).collect();
            let fix = "write a name of the IANA database, such as Europe/Berlin, America/New_York or UTC";
            report.say(format!("{path}.time_zone"), format!("`{shown}` is no time zone"), fix);
        }
        if group.moments.as_ref().is_some_and(Vec::is_empty) {
            let fix = "name what it hears of, or leave moments out for the default of its format";
            report.say(format!("{path}.moments"), "is empty: the group would hear of nothing", fix);
        }
        if group.channels.is_empty() {
            let fix = "give it one or more: mail, sns, chat or webhook";
            report.say(format!("{path}.channels"), "is empty: the group could not be reached", fix);
        }
        for (index, channel) in group.channels.iter().enumerate() {
            self::channel(channel, &format!("{path}.channels[{index}]"), report);
        }
    }
}

fn is_time_zone(name: &str) -> bool {
    TimeZoneDatabase::bundled().get(name).is_ok()
}

fn channel(channel: &Channel, path: &str, report: &mut Report) {
    match channel {
        Channel::Sns(to) | Channel::Chat(to) => topic(&to.topic_arn, &format!("{path}.topic_arn"), report),
        Channel::Webhook(to) => arns::check(&to.secret_arn, &arns::SECRET, &format!("{path}.secret_arn"), report),
        Channel::Mail(mail) => {
            if mail.to.is_empty() {
                report.say(format!("{path}.to"), "is empty", "write one address or more");
            }
            for (index, address) in mail.to.iter().enumerate() {
                if !is_address(address) {
                    let shown: String = address.chars().take(80).collect();
                    let fix = "write the address alone, such as team@example.com: no name, no brackets";
                    report.say(format!("{path}.to[{index}]"), format!("`{shown}` is not a mail address"), fix);
                }
            }
        }
    }
}

/// One `local@domain` of plain characters: nothing that a header could be made of. (SES takes only ASCII before the `@`.)
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let is_local = (1..=64).contains(&local.len()) && local.chars().all(allowed);
    text.len() <= MOST_ADDRESS_CHARACTERS && is_local && domain.contains('.') && super::is_host_name(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain() {
        for address in ["a@example.com", "first.last+tag@mail.example.co.uk", "o'hara@x-y.org"] {
            assert!(is_address(address), "{address}");
        }
        let long = format!("a@{}.com", "x".repeat(260));
        let hostile = [
            "a",
            "a@",
            "@b.com",
            "a@b",
            "Ann <a@b.com>",
            "a@b.com\r\nBcc: x@y.com",
            "a,b@c.com",
            "a@b.com,c@d.com",
            "ä@b.com",
            &long,
        ];
        for text in hostile {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn time_zones_are_those_of_the_database() {
        for (name, expected) in
            [("Europe/Berlin", true), ("UTC", true), ("CEST", false), ("Europe/Atlantis", false), ("", false)]
        {
            assert_eq!(is_time_zone(name), expected, "{name}");
        }
    }
}
