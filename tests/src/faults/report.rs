//! What a campaign found, for people: a table for the terminal and for the records, and a page with every case.
//!
//! Contract: pure. Rows are the states whose requests were hit, columns the faults; a cell says how those runs ended:
//! `N` wholly new, `B` as before, `S` stuck and told, `!` a broken promise, `-` a request that was not made again, `·` no case.

use std::collections::{BTreeMap, BTreeSet};

use maud::{DOCTYPE, Markup, html};

use super::campaign::Judged;
use super::case::Fault;
use super::check::Ended;

/// What the letters of a table stand for.
pub const LEGEND: &str =
    "N: wholly new   B: exactly as before   S: stuck, and a person told precisely   !: the promise broken   -: not hit";

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

    fn row(&self) -> (String, String) {
        (self.case.point.machine.clone(), self.case.point.state.clone())
    }
}

/// The endings by state and fault.
pub fn by_state(judged: &[Judged]) -> String {
    let mut cells: BTreeMap<((String, String), Fault), BTreeSet<char>> = BTreeMap::new();
    for one in judged {
        cells.entry((one.row(), one.case.fault)).or_default().insert(one.letter());
    }
    let faults: BTreeSet<Fault> = judged.iter().map(|one| one.case.fault).collect();
    let rows: BTreeSet<(String, String)> = judged.iter().map(Judged::row).collect();
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
pub fn page(judged: &[Judged], heading: &str, plan: Option<&str>) -> String {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by_key(|one| (!one.is_broken(), one.row(), one.case.fault, one.case.id()));
    let broken = judged.iter().filter(|one| one.is_broken()).count();
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (heading) } style { (STYLE) } }
            body {
                h1 { (heading) }
                p { (judged.len()) " cases, " strong { (broken) " that break the promise" } "." }
                pre { (by_state(judged)) (LEGEND) }
                table {
                    tr { th { "state" } th { "request" } th { "fault" } th { "execution ended" } th { "account" } th { "s" } }
                    @for one in sorted { (case_row(one, plan)) }
                }
            }
        }
    }
    .into_string()
}

const STYLE: &str = "body { font: 14px/1.5 system-ui; margin: 2em } table { border-collapse: collapse } \
    td, th { border-bottom: 1px solid #ccc; padding: .2em .8em; text-align: left; vertical-align: top } .broken { background: #fdd }";

fn case_row(one: &Judged, plan: Option<&str>) -> Markup {
    let point = &one.case.point;
    let ended = one.played.ended.map_or("?".to_owned(), |ended| format!("{ended:?}"));
    html! {
        tr.broken[one.is_broken()] {
            td { (point.machine) " " (point.state) }
            td { (point.caller) " " (point.service) ":" (point.operation) " #" (point.ordinal) }
            td { (one.case.fault.name()) }
            td { (one.played.error) }
            td {
                (ended) @if !one.played.is_hit { " (the request was not made again)" }
                @for violation in &one.played.violations { br; (violation) }
                @if one.is_broken() { br; code { (replay(plan, one)) } }
            }
            td { (format!("{:.1}", one.played.seconds)) }
        }
    }
}
