//! What a campaign found, for people: a table for the terminal and for the records, and a page with every case.
//!
//! Contract: pure. Rows are the states whose requests were hit, columns the faults; a cell says how those runs ended:
//! `N` wholly new, `B` as before, `S` stuck and told, `!` a broken promise, `-` a request that was not made again, `·` no case.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::campaign::Judged;
use super::case::Fault;
use super::check::Ended;
use crate::report::html::{Origin, document};

/// What the letters of a table stand for.
const LETTERS: [(char, &str); 5] = [
    ('N', "wholly new"),
    ('B', "exactly as before"),
    ('S', "stuck, and a person told precisely"),
    ('!', "the promise broken"),
    ('-', "not hit"),
];

/// The same on a line.
pub fn legend() -> String {
    LETTERS.map(|(letter, meaning)| format!("{letter}: {meaning}")).join("   ")
}

type Row = (String, String);
type Cells = BTreeMap<(Row, Fault), BTreeSet<char>>;

/// How the cases of each state and fault ended, the faults, and the states.
fn cells(judged: &[Judged]) -> (Cells, BTreeSet<Fault>, BTreeSet<Row>) {
    let mut cells = Cells::new();
    for one in judged {
        cells.entry((one.row(), one.case.fault)).or_default().insert(one.letter());
    }
    let faults = judged.iter().map(|one| one.case.fault).collect();
    let rows = judged.iter().map(Judged::row).collect();
    (cells, faults, rows)
}

impl Judged {
    /// Whether the promise was broken.
    pub fn is_broken(&self) -> bool {
        !self.played.violations.is_empty()
    }

    fn letter(&self) -> char {
        match self.played.ended {
            _ if self.is_broken() => '!',
            _ if !self.played.is_hit => '-',
            Some(Ended::New) => 'N',
            Some(Ended::Before) => 'B',
            // No ending at all is a broken promise.
            Some(Ended::Stuck) | None => 'S',
        }
    }

    fn row(&self) -> Row {
        (self.case.point.machine.clone(), self.case.point.state.clone())
    }
}

/// The endings by state and fault.
pub fn by_state(judged: &[Judged]) -> String {
    let (cells, faults, rows) = cells(judged);
    let mut text = String::new();
    for (index, fault) in faults.iter().enumerate() {
        text += &format!("  {:>2} {}\n", index + 1, fault.name());
    }
    let numbers: String = (1..=faults.len()).map(|number| format!("{number:>3}")).collect();
    text += &format!("\n{:<32}{numbers}\n", "");
    for row in rows {
        let cell = |fault: &Fault| {
            cells.get(&(row.clone(), *fault)).map_or("·".to_owned(), |letters| letters.iter().collect())
        };
        let line: String = faults.iter().map(|fault| format!("{:>3}", cell(fault))).collect();
        text += &format!("{:<32}{line}\n", format!("{} {}", row.0, row.1));
    }
    text
}

/// A Markdown table of counts: by fault, or by shape.
pub fn counts(judged: &[Judged], title: &str, key: impl Fn(&Judged) -> String) -> String {
    let mut rows: BTreeMap<String, [usize; 6]> = BTreeMap::new();
    for one in judged {
        let row = rows.entry(key(one)).or_default();
        row[0] += 1;
        row["NBS!".find(one.letter()).map_or(5, |index| index + 1)] += 1;
    }
    let mut text = format!(
        "| {title} | cases | wholly new | as before | stuck, told | broken | not hit |\n|---|---|---|---|---|---|---|\n"
    );
    let line =
        |name: &str, row: &[usize; 6]| format!("| {name} | {} |\n", row.map(|count| count.to_string()).join(" | "));
    text.extend(rows.iter().map(|(name, row)| line(name, row)));
    let total = rows.values().fold([0; 6], |sum, row| std::array::from_fn(|index| sum[index] + row[index]));
    text + &line("**all**", &total)
}

/// How to run one case again.
pub fn replay(plan: Option<&str>, judged: &Judged) -> String {
    let plan = plan.map(|plan| format!(" {}", shell_words::quote(plan))).unwrap_or_default();
    format!("cargo rehearse{plan} --faults all --case '{}'", judged.case.id())
}

/// A page with every case, the broken ones first.
pub fn page(judged: &[Judged], heading: &str, plan: Option<&str>, origin: &Origin) -> String {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by_key(|one| (!one.is_broken(), one.row(), one.case.fault, one.case.id()));
    let broken = judged.iter().filter(|one| one.is_broken()).count();
    let body = html! {
        div class=(if broken > 0 { "banner bad" } else { "banner good" }) {
            strong { (broken) " of " (judged.len()) " cases break the promise" }
            br; "After each: wholly new, exactly as before, or stuck with a page to a person that says precisely what is left."
        }
        h2 { "By state and fault" }
        (grid(judged))
        h2 { "The faults" }
        (what_each_is(judged))
        h2 { "Every case" }
        p { "A row opens with what was left, and the command that runs it again." }
        @for one in sorted { (case(one, plan)) }
    };
    document(heading, origin, &body)
}

/// States down, faults across, by their numbers.
fn grid(judged: &[Judged]) -> Markup {
    let (cells, faults, rows) = cells(judged);
    html! {
        p.legend {
            @for (letter, meaning) in LETTERS {
                span.pair { span class=(class(letter)) { "\u{2002}" (letter) "\u{2002}" } " " (meaning) "\u{2003}" } " "
            }
        }
        div.scroll { table.grid {
            tr { th.row {} @for number in 1..=faults.len() { th { (number) } } }
            @for row in rows {
                tr {
                    th.row { (row.0) " " (row.1) }
                    @for fault in &faults {
                        @match cells.get(&(row.clone(), *fault)) {
                            None => td { "·" },
                            Some(letters) => td class=(worst(letters).map_or("", class)) { (letters.iter().collect::<String>()) },
                        }
                    }
                }
            }
        } }
    }
}

/// The letter that a cell of several has its colour from: what a person must see first.
fn worst(letters: &BTreeSet<char>) -> Option<char> {
    "!SBN-".chars().find(|letter| letters.contains(letter))
}

fn class(letter: char) -> &'static str {
    match letter {
        'N' => "N",
        'B' => "B",
        'S' => "S",
        '!' => "X",
        _ => "M",
    }
}

fn what_each_is(judged: &[Judged]) -> Markup {
    let faults: BTreeSet<Fault> = judged.iter().map(|one| one.case.fault).collect();
    html! {
        div.scroll { table {
            @for (index, fault) in faults.iter().enumerate() {
                tr { td { (index + 1) } td { (fault.name()) } td { (fault.what()) } }
            }
        } }
    }
}

fn case(one: &Judged, plan: Option<&str>) -> Markup {
    let point = &one.case.point;
    let letter = one.letter();
    html! {
        details open[one.is_broken()] {
            summary {
                span class=(class(letter)) { "\u{2002}" (letter) "\u{2002}" } " "
                (point.machine) " " (point.state) ": " (one.case.fault.name())
                " at " (point.caller) " " (point.service) ":" (point.operation) " #" (point.ordinal)
            }
            @for violation in &one.played.violations { p { span.bad { (violation) } } }
            p {
                "The execution ended " (one.played.error) " after " (format!("{:.1}", one.played.seconds)) " s. "
                @if !one.played.is_hit { "The request was not made again." }
            }
            pre { (replay(plan, one)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_several_endings_has_the_colour_of_the_worst() {
        let of = |letters: &str| worst(&letters.chars().collect()).map(class);
        assert_eq!(
            [of("BS"), of("BN"), of("-N"), of("!BS"), of("")],
            [Some("S"), Some("B"), Some("N"), Some("X"), None]
        );
    }
}
