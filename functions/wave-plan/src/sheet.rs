//! Portfolios from spreadsheets, and into them: one sheet of applications, one of dependencies. Teams, calendar and limits stay in JSON.
//!
//! A cell of several things has them with `;` between: effort as `platform:2; database:0.5`, periods as `2026-03-01..2026-03-31 (why)`,
//! tasks as `what (owner)`, those for afterwards with `after:` before them; in quotation marks a text stands for itself. An empty cell is a
//! field that is left out, and an empty line nothing. Nothing of applications and dependencies is lost in sheets.

mod lines;
mod parts;
mod write;

use cutover::finding::{Finding, in_order};
use cutover::text::quoted;
use serde_json::{Map, Value, json};

pub use self::lines::Lines;
use self::parts::Part;
pub use self::write::write;
use crate::portfolio::Portfolio;

/// The columns of the sheet of applications; each is a field of an application.
const APPLICATIONS: [&str; 15] = [
    "name",
    "strategy",
    "owner",
    "criticality",
    "pilot",
    "business_value",
    "data_gib",
    "effort",
    "preparation_weeks",
    "cutover",
    "cutover_plan",
    "tasks",
    "not_before",
    "not_after",
    "preferred",
];
const FORBIDDEN: &str = "forbidden";
const DEPENDENCIES: [&str; 6] = ["first", "then", "kind", "days", "strength", "why"];

/// Puts the applications and dependencies of two sheets in the place of those of a portfolio's JSON, and reads the portfolio. With it come
/// its JSON, and where what of it stands in the sheets.
///
/// # Errors
/// Every cell that cannot be read, or else every error of form and of sense, with its sheet, line and column.
pub fn portfolio(
    rest: &Value,
    applications: &str,
    dependencies: &str,
) -> Result<(Value, Portfolio, Lines), Vec<Finding>> {
    let (value, lines) = read(rest, applications, dependencies)?;
    match Portfolio::read(&value) {
        Ok(portfolio) => Ok((value, portfolio, lines)),
        Err(findings) => Err(findings.into_iter().map(|finding| lines.located(finding)).collect()),
    }
}

/// As [`portfolio`], without reading it.
///
/// # Errors
/// Every cell that cannot be read, with its sheet, line and column.
pub fn read(rest: &Value, applications: &str, dependencies: &str) -> Result<(Value, Lines), Vec<Finding>> {
    let mut findings = Vec::new();
    let columns: Vec<&str> = APPLICATIONS.iter().copied().chain([FORBIDDEN]).collect();
    let applications = rows("applications.csv", applications, &columns, &mut findings);
    let dependencies = rows("dependencies.csv", dependencies, &DEPENDENCIES, &mut findings);
    if !findings.is_empty() {
        return Err(in_order(findings));
    }
    let mut portfolio = rest.clone();
    let ((of_applications, applications), (of_dependencies, dependencies)): ((_, Vec<_>), (_, Vec<_>)) =
        (applications.into_iter().unzip(), dependencies.into_iter().unzip());
    if let Some(fields) = portfolio.as_object_mut() {
        fields.insert("applications".to_owned(), applications.into());
        fields.insert("dependencies".to_owned(), dependencies.into());
    }
    Ok((portfolio, Lines { applications: of_applications, dependencies: of_dependencies }))
}

/// The text of a sheet, as a spreadsheet has saved it.
///
/// # Errors
/// It is saved in another encoding than UTF-8: how to save it.
pub fn text(sheet: &str, content: Vec<u8>) -> Result<String, Finding> {
    let is_utf16 = content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]);
    let fix = "save it as `CSV UTF-8 (comma delimited)`, or with the encoding UTF-8";
    if is_utf16 {
        return Err(Finding::plan(sheet, "is saved in UTF-16", fix));
    }
    String::from_utf8(content).map_err(|_| Finding::plan(sheet, "is not saved in UTF-8", fix))
}

/// What stands between cells where it is no comma: spreadsheets of many countries take semicolons.
fn other_separator(headers: &csv::StringRecord) -> Option<&'static str> {
    let only = headers.get(0).filter(|_| headers.len() == 1)?;
    [(';', "semicolons"), ('\t', "tabs")].into_iter().find(|(sign, _)| only.contains(*sign)).map(|(_, name)| name)
}

fn rows(sheet: &str, text: &str, columns: &[&str], findings: &mut Vec<Finding>) -> Vec<(u64, Value)> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let Ok(headers) = reader.headers().cloned() else {
        findings.push(Finding::plan(sheet, "has no line of columns", format!("begin with: {}", columns.join(","))));
        return Vec::new();
    };
    if let Some(separator) = other_separator(&headers) {
        let fix = "save it with commas: choose the separator as you export it, or set the list separator of your system to a comma";
        findings.push(Finding::plan(sheet, format!("has {separator} between its cells"), fix));
        return Vec::new();
    }
    for name in headers.iter().filter(|name| !columns.contains(name)) {
        let fix = match cutover::read::nearest(name, columns.iter().copied()) {
            Some(nearest) => format!("rename it to `{nearest}`, if that is meant"),
            None => format!("remove it, or use one of: {}", columns.join(", ")),
        };
        findings.push(Finding::plan(sheet, format!("has a column {}, which is none", quoted(name, 80)), fix));
    }
    for (place, name) in headers.iter().enumerate().filter(|(_, name)| columns.contains(name)) {
        if headers.iter().take(place).any(|other| other == name) {
            let problem = format!("has the column `{name}` twice");
            findings.push(Finding::plan(sheet, problem, "remove one of the two, or rename it"));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            // Spreadsheets write lines of nothing but commas for what was there once.
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => {
                let line = record.position().map(csv::Position::line).unwrap_or_default();
                let mut row = Map::new();
                for (column, text) in headers.iter().zip(&record).filter(|(_, text)| !text.is_empty()) {
                    match value(column, write::unguarded(text)) {
                        Ok(value) => drop(row.insert(column.to_owned(), value)),
                        Err(fix) => findings.push(Finding::plan(
                            format!("{sheet}.line[{line}].{column}"),
                            format!("is {}", quoted(text, 80)),
                            fix,
                        )),
                    }
                }
                rows.push((line, Value::Object(row)));
            }
            Err(problem) => findings.push(Finding::plan(
                sheet,
                problem.to_string(),
                "give every line as many cells as the first one has",
            )),
        }
    }
    rows
}

/// A cell as its field's value; or what would be right. What the schema can judge is left to it.
fn value(column: &str, text: &str) -> Result<Value, String> {
    let simple = || text.split(';').map(str::trim).filter(|part| !part.is_empty());
    match column {
        "pilot" => match text.to_lowercase().as_str() {
            "yes" | "true" | "x" => Ok(true.into()),
            "no" | "false" => Ok(false.into()),
            _ => Err("write yes or no".to_owned()),
        },
        "business_value" | "data_gib" | "preparation_weeks" | "days" => {
            text.parse::<i64>().map(Value::from).map_err(|_| "write a whole number".to_owned())
        }
        "effort" => simple()
            .map(|part| {
                let of_part = part.split_once(':').and_then(|(team, days)| {
                    Some(json!({ "team": team.trim(), "days": days.trim().parse::<f64>().ok()? }))
                });
                of_part.ok_or_else(|| "write teams with their person-days, such as platform:2; database:0.5".to_owned())
            })
            .collect(),
        "tasks" => Ok(parts::read(text)?.into_iter().map(task).collect()),
        "preferred" | "forbidden" => parts::read(text)?.into_iter().map(period).collect(),
        _ => Ok(text.into()),
    }
}

fn task(Part { is_after, text, note }: Part) -> Value {
    let mut task = json!({ "what": text });
    if let Some(owner) = note {
        task["owner"] = owner.into();
    }
    if is_after {
        task["when"] = "after".into();
    }
    task
}

fn period(Part { is_after, text, note }: Part) -> Result<Value, String> {
    let Some((from, to)) = text.split_once("..").filter(|_| !is_after) else {
        return Err("write dates from..to, such as 2026-03-01..2026-03-31".to_owned());
    };
    let mut period = json!({ "from": from.trim(), "to": to.trim() });
    if let Some(why) = note {
        period["why"] = why.into();
    }
    Ok(period)
}
