//! What people were told: pages, and what the last one says of each thing that is left. Pure.

use crate::control::Message;

/// One thing that a page says is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Item<'a> {
    /// How it is now.
    pub live: &'a str,
    /// What to do.
    pub change: &'a str,
}

/// The last page to a person.
pub fn page(messages: &[Message]) -> Option<&Message> {
    let is_page = |subject: &str| subject.starts_with("CRITICAL") || subject.starts_with("ACTION NEEDED");
    messages.iter().rev().find(|message| message.subject.as_deref().is_some_and(is_page))
}

/// Whether a person was told that the run is finished, and cannot be tidied up.
pub fn cleanup_given_up(messages: &[Message]) -> bool {
    let is_so = |subject: &str| subject.starts_with("ACTION NEEDED: cleanup");
    messages.iter().any(|message| message.subject.as_deref().is_some_and(is_so))
}

/// What a page says is left.
pub fn items(page: &Message) -> Vec<Item<'_>> {
    let mut live = "";
    let mut items = Vec::new();
    for line in page.message.lines().map(str::trim_start) {
        if let Some(text) = line.strip_prefix("it is now: ") {
            live = text;
        } else if let Some(change) = line.strip_prefix("change to make: ") {
            items.push(Item { live, change });
        }
    }
    items
}

/// The AWS CLI commands of a page.
pub fn commands(page: &Message) -> impl Iterator<Item = &str> {
    items(page).into_iter().map(|item| item.change).filter(|change| change.starts_with("aws "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, message: &str) -> Message {
        Message { topic_arn: None, subject: Some(subject.to_owned()), message: message.to_owned() }
    }

    #[test]
    fn each_thing_that_is_left_has_its_state_and_its_change() {
        let text = "- name a: not restored\n  it is now: A 1.2.3.4\n  change to make: aws route53 x\n\
                    - name b: not restored\n  it is now: denied\n  change to make: make it so\n";
        let page = message("CRITICAL: shop", text);
        let expected = [("A 1.2.3.4", "aws route53 x"), ("denied", "make it so")];
        assert_eq!(items(&page), expected.map(|(live, change)| Item { live, change }));
        assert_eq!(commands(&page).collect::<Vec<_>>(), ["aws route53 x"]);
    }

    #[test]
    fn the_last_page_counts_and_news_are_no_page() {
        let messages = [message("CRITICAL: one", ""), message("ACTION NEEDED: two", ""), message("shop: closed", "")];
        assert_eq!(page(&messages).and_then(|page| page.subject.as_deref()), Some("ACTION NEEDED: two"));
        assert!(page(&messages[2..]).is_none());
    }
}
