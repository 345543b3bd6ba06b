//! Plain text: for topics, and for the text part of mails.

use cutover::text::shown;

use crate::content::Content;
use crate::templates::Templates;

/// SNS takes subjects of under 100 characters of ASCII (API reference of Publish).
const MOST_SUBJECT_CHARACTERS: usize = 99;

/// A subject that SNS accepts: printable ASCII on one line, the first of them a letter.
pub fn topic_subject(content: &Content) -> String {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    content.subject().chars().take(MOST_SUBJECT_CHARACTERS).map(printable).collect::<String>().trim_end().to_owned()
}

/// The message, and why a team's layout was not used, if so.
pub fn body(content: &Content, templates: &Templates) -> (String, Option<String>) {
    let value = serde_json::to_value(content).unwrap_or_default();
    let (text, failed) = templates.layout("layout.txt", &value);
    // Lines end as they were written; anything else that does not print has been escaped before.
    (
        text.lines().map(|line| shown(line, usize::MAX).trim_end().to_owned()).collect::<Vec<_>>().join("\n") + "\n",
        failed,
    )
}
