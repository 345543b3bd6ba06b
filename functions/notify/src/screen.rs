//! The top of a message: what fits on one screen, most important first. Pure.

use std::fmt::Write;

/// A terminal's width; a longer line is broken by whatever shows it.
pub const COLUMNS: usize = 100;
/// So many lines of a message are seen without scrolling.
pub const ROWS: usize = 24;
/// Above what had no room.
pub const ALSO: &str = "\nAlso:\n";
/// An item's mark.
const MARK: &str = "- ";

/// What is said in any case, and lists that take the room which that leaves.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// What happened, and why.
    pub top: String,
    /// What there is more than one of; each with its heading. Of the first one each item has a line at least, before `rest` has any.
    pub lists: Vec<(String, Vec<Item>)>,
    /// What to do first.
    pub bottom: String,
    /// What stands here where there is room, and below the screen otherwise; what matters more comes first.
    pub rest: Vec<String>,
    /// The run.
    pub end: String,
}

/// One of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub title: String,
    /// What there is to say of it: cut first where there is little room.
    pub more: String,
}

impl From<String> for Item {
    fn from(title: String) -> Self {
        Self { title, more: String::new() }
    }
}

impl Item {
    fn whole(&self) -> String {
        format!("{MARK}{}{}\n", self.title, self.more)
    }

    /// On one line: its end is cut, and a title that is too long loses its middle, since names differ at their ends.
    fn short(&self) -> String {
        let most = COLUMNS - MARK.len();
        // What there is to say may have lines of its own.
        let (title, more) = (self.title.chars().count(), self.more.replace("\n ", ";"));
        let whole = format!("{}{more}", self.title);
        let all = whole.chars().count();
        let text = if all <= most {
            whole
        } else if title < most - 4 {
            let end = if whole.ends_with('"') { "...\"" } else { "..." };
            whole.chars().take(most - end.len()).collect::<String>() + end
        } else {
            let head = (most - 3) / 2;
            let tail = self.title.chars().skip(title.saturating_sub(most - 3 - head));
            self.title.chars().take(head).chain("...".chars()).chain(tail).take(most).collect()
        };
        format!("{MARK}{text}\n")
    }
}

impl Screen {
    /// The text, without what does not fit of the lists: how much that is, is said; and what goes below it.
    pub fn text(&self) -> (String, String) {
        let mut left = ROWS.saturating_sub([&self.top, &self.bottom, &self.end].map(|text| rows(text)).iter().sum());
        let first = self.lists.iter().find(|(_, items)| !items.is_empty());
        // A line each, and the heading.
        let wanted = first.map_or(0, |(heading, items)| rows(&head(heading, items)) + items.len());
        let (mut beside, mut below) = (String::new(), String::new());
        for part in &self.rest {
            if below.is_empty() && wanted + rows(part) <= left {
                left -= rows(part);
                beside.push_str(part);
            } else {
                below.push_str(part);
            }
        }
        let mut text = self.top.clone();
        for (heading, items) in self.lists.iter().filter(|(_, items)| !items.is_empty()) {
            let list = list(heading, items, left);
            left = left.saturating_sub(rows(&list));
            text.push_str(&list);
        }
        (text + &self.bottom + &beside + &self.end, below)
    }
}

fn head(heading: &str, items: &[Item]) -> String {
    format!("\n{heading} ({}):\n", items.len())
}

/// The items under their heading, which counts them all: whole where there is room for all of them so, else a line each; and as many as fit.
fn list(heading: &str, items: &[Item], most_rows: usize) -> String {
    let heading = head(heading, items);
    let whole: Vec<String> = items.iter().map(Item::whole).collect();
    let all = heading.clone() + &whole.concat();
    if rows(&all) <= most_rows {
        return all;
    }
    let room = most_rows.saturating_sub(rows(&heading));
    // Whatever does not fit needs a line that says so.
    let shown = if items.len() <= room { items.len() } else { room.saturating_sub(1) };
    if shown == 0 {
        let none = format!("{}: see the detail\n", heading.trim_end().trim_end_matches(':'));
        return if rows(&none) <= most_rows { none } else { String::new() };
    }
    let mut text = heading;
    let mut spare = room - shown - usize::from(shown < items.len());
    for (item, whole) in items.iter().zip(&whole).take(shown) {
        let more = rows(whole) - 1;
        let fits = more <= spare;
        spare -= if fits { more } else { 0 };
        text.push_str(&if fits { whole.clone() } else { item.short() });
    }
    if shown < items.len() {
        let _ = writeln!(text, "{MARK}and {} more, in the detail", items.len() - shown);
    }
    text
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

    fn screen(rows: usize, items: Vec<Item>) -> Screen {
        let other = ("Other".to_owned(), vec![Item::default()]);
        let lists = vec![("Left".to_owned(), items), other];
        Screen { top: "x\n".repeat(ROWS - rows), lists, ..Screen::default() }
    }

    #[test]
    fn a_list_takes_the_room_that_is_left_and_says_what_it_leaves_out() {
        let text = |rows: usize, items: usize| screen(rows, vec!["item".to_owned().into(); items]).text().0;
        assert!(text(6, 4).ends_with("\nLeft (4):\n- item\n- item\n- item\n- item\n"));
        assert!(text(5, 4).ends_with("\nLeft (4):\n- item\n- item\n- and 2 more, in the detail\n"));
        assert!(text(8, 2).ends_with("- item\n\nOther (1):\n- \n"));
        assert!(text(1, 4).ends_with("x\n"), "no room for a heading");
        for left in 0..ROWS {
            assert!(rows(&text(left, 40)) <= ROWS, "{left}");
        }
    }

    #[test]
    fn an_item_that_is_too_long_for_the_room_has_a_line_of_its_own_and_nothing_is_more_than_nothing() {
        let item = |name: &str| Item { title: name.to_owned(), more: format!(": \"{}\"", "e".repeat(300)) };
        let text = |rows: usize, items: usize| {
            screen(rows, (0..items).map(|index| item(&format!("listener {index}"))).collect()).text().0
        };
        let one = text(3, 1);
        assert!(one.contains("\nLeft (1):\n- listener 0: \"eee") && one.ends_with("e...\"\n"), "{one}");
        assert_eq!((rows(&one), one.contains("more")), (ROWS, false), "{one}");
        let two = text(4, 2);
        assert!(two.contains("- listener 0: ") && two.contains("- listener 1: ") && !two.contains(" more"), "{two}");
        // What room there is beside a line each is the first one's.
        let roomy = text(7, 2);
        assert!(rows(&roomy) <= ROWS && roomy.contains(&"e".repeat(300)) && roomy.contains("- listener 1"), "{roomy}");
        assert!(text(2, 3).ends_with("\nLeft (3): see the detail\n"), "{}", text(2, 3));
        for (rows, items) in (0..ROWS).flat_map(|rows| (1..9).map(move |items| (rows, items))) {
            let text = text(rows, items);
            assert!(super::rows(&text) <= ROWS, "{text}");
            assert!(!text.contains(" more, ") || text.contains("- listener 0"), "more than nothing:\n{text}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_beginning_and_its_end() {
        let arn = format!(
            "listener arn:aws:elasticloadbalancing:eu-west-1:222222222222:listener/app/{}/f2f7",
            "n".repeat(60)
        );
        let short = Item { title: arn, more: ": \"denied\"".to_owned() }.short();
        assert_eq!(rows(&short), 1, "{short}");
        assert!(
            short.starts_with("- listener arn:aws:") && short.ends_with("n/f2f7\n") && short.contains("..."),
            "{short}"
        );
    }

    #[test]
    fn what_is_left_has_its_lines_before_what_can_stand_below_the_screen() {
        let of = |rows: usize, items: usize| {
            let rest = ["\nOr this:\n  a\n", "\nReport: r\n"].map(str::to_owned).into();
            Screen { rest, ..screen(rows, vec!["item".to_owned().into(); items]) }.text()
        };
        let (screen, below) = of(11, 2);
        assert!(screen.contains("Or this") && screen.ends_with("\nReport: r\n") && below.is_empty(), "{screen}");
        let (screen, below) = of(8, 2);
        assert!(screen.contains("- item\n- item\n") && screen.contains("Or this"), "{screen}");
        assert_eq!(below, "\nReport: r\n");
        let (screen, below) = of(6, 4);
        assert!(screen.ends_with("- item\n- item\n- item\n- item\n") && below.contains("Or this"), "{screen}");
    }
}
