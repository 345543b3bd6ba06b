//! The top of a message: what fits on one screen, most important first. Pure.

use std::fmt::Write;

/// A terminal's width; a longer line is broken by whatever shows it.
pub const COLUMNS: usize = 100;
/// So many lines of a message are seen without scrolling.
pub const ROWS: usize = 24;

/// What is said in any case, and lists that take the room which that leaves.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// What happened, and why.
    pub top: String,
    /// What there is more than one of; each with its heading.
    pub lists: Vec<(String, Vec<String>)>,
    /// What to do, and the run.
    pub bottom: String,
}

impl Screen {
    /// The text, without what does not fit of the lists: how much that is, is said.
    pub fn text(&self) -> String {
        let mut left = ROWS.saturating_sub(rows(&self.top) + rows(&self.bottom));
        let mut text = self.top.clone();
        for (heading, items) in self.lists.iter().filter(|(_, items)| !items.is_empty()) {
            let list = list(heading, items, left);
            left = left.saturating_sub(rows(&list));
            text.push_str(&list);
        }
        text + &self.bottom
    }
}

/// As many of the items as fit under their heading, which counts them all.
fn list(heading: &str, items: &[String], most_rows: usize) -> String {
    let mut text = format!("\n{heading} ({}):\n", items.len());
    for (index, item) in items.iter().enumerate() {
        let item = format!("- {item}\n");
        let more = items.len() - index - 1;
        // Whatever does not fit needs a line that says so.
        if rows(&text) + rows(&item) + usize::from(more > 0) > most_rows {
            let _ = writeln!(text, "- and {} more, in the detail", more + 1);
            break;
        }
        text.push_str(&item);
    }
    if rows(&text) > most_rows { String::new() } else { text }
}

/// How many lines of a screen a text takes.
pub fn rows(text: &str) -> usize {
    text.lines().map(|line| line.chars().count().div_ceil(COLUMNS).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_takes_more_rows() {
        for (text, expected) in [("", 0), ("a\n", 1), ("\na", 2), (&"x".repeat(101), 2)] {
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    #[test]
    fn a_list_takes_the_room_that_is_left_and_says_what_it_leaves_out() {
        let screen = |rows: usize, items: usize| Screen {
            top: "x\n".repeat(ROWS - rows),
            lists: vec![("Left".to_owned(), vec!["item".to_owned(); items]), ("Other".to_owned(), vec![String::new()])],
            bottom: String::new(),
        };
        assert!(screen(6, 4).text().ends_with("\nLeft (4):\n- item\n- item\n- item\n- item\n"));
        assert!(screen(5, 4).text().ends_with("\nLeft (4):\n- item\n- item\n- and 2 more, in the detail\n"));
        assert!(screen(8, 2).text().ends_with("- item\n\nOther (1):\n- \n"));
        assert!(screen(1, 4).text().ends_with("x\n"), "no room for a heading");
        for left in 0..ROWS {
            assert!(rows(&screen(left, 40).text()) <= ROWS, "{left}");
        }
    }
}
