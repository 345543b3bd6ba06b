//! Portfolios from spreadsheets, and into them: one sheet of applications, one of dependencies. Teams, calendar and limits stay in JSON.
//!
//! A cell of several things has them with `;` between: effort as `platform:2; database:0.5`, periods as `2026-03-01..2026-03-31`,
//! tasks as texts, those for afterwards with `after:` before them. An empty cell is a field that is left out.

use cutover::finding::{Finding, in_order};
use cutover::text::quoted;
use serde_json::{Map, Value, json};

use crate::portfolio::{Dependency, Period, Portfolio, Strength, When};
use crate::report::cell;

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

/// Puts the applications and dependencies of two sheets in the place of those of a portfolio's JSON: for [`Portfolio::read`].
///
/// # Errors
/// Every cell that cannot be read, with its sheet, line and column.
pub fn read(rest: &Value, applications: &str, dependencies: &str) -> Result<Value, Vec<Finding>> {
    let mut findings = Vec::new();
    let columns: Vec<&str> = APPLICATIONS.iter().copied().chain([FORBIDDEN]).collect();
    let applications = rows("applications.csv", applications, &columns, &mut findings);
    let dependencies = rows("dependencies.csv", dependencies, &DEPENDENCIES, &mut findings);
    if !findings.is_empty() {
        return Err(in_order(findings));
    }
    let mut portfolio = rest.clone();
    if let Some(fields) = portfolio.as_object_mut() {
        fields.insert("applications".to_owned(), applications.into());
        fields.insert("dependencies".to_owned(), dependencies.into());
    }
    Ok(portfolio)
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

fn rows(sheet: &str, text: &str, columns: &[&str], findings: &mut Vec<Finding>) -> Vec<Value> {
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
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map(csv::Position::line).unwrap_or_default();
                let mut row = Map::new();
                for (column, text) in headers.iter().zip(&record).filter(|(_, text)| !text.is_empty()) {
                    match value(column, text.strip_prefix('\'').unwrap_or(text)) {
                        Ok(value) => drop(row.insert(column.to_owned(), value)),
                        Err(fix) => findings.push(Finding::plan(
                            format!("{sheet}.line[{line}].{column}"),
                            format!("is {}", quoted(text, 80)),
                            fix,
                        )),
                    }
                }
                rows.push(Value::Object(row));
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
    let parts = || text.split(';').map(str::trim).filter(|part| !part.is_empty());
    match column {
        "pilot" => match text.to_lowercase().as_str() {
            "yes" | "true" | "x" => Ok(true.into()),
            "no" | "false" => Ok(false.into()),
            _ => Err("write yes or no".to_owned()),
        },
        "business_value" | "data_gib" | "preparation_weeks" | "days" => {
            text.parse::<i64>().map(Value::from).map_err(|_| "write a whole number".to_owned())
        }
        "effort" => parts()
            .map(|part| {
                let of_part = part.split_once(':').and_then(|(team, days)| {
                    Some(json!({ "team": team.trim(), "days": days.trim().parse::<f64>().ok()? }))
                });
                of_part.ok_or_else(|| "write teams with their person-days, such as platform:2; database:0.5".to_owned())
            })
            .collect(),
        "tasks" => Ok(parts()
            .map(|part| match part.strip_prefix("after:") {
                Some(what) => json!({ "what": what.trim(), "when": "after" }),
                None => json!({ "what": part }),
            })
            .collect()),
        "preferred" | "forbidden" => parts()
            .map(|part| {
                let period = part.split_once("..").map(|(from, to)| json!({ "from": from.trim(), "to": to.trim() }));
                period.ok_or_else(|| "write dates from..to, such as 2026-03-01..2026-03-31".to_owned())
            })
            .collect(),
        _ => Ok(text.into()),
    }
}

/// The sheets of a portfolio: applications, dependencies. Owners of single tasks and reasons of periods have no place in them.
///
/// # Errors
/// None that texts in memory can have.
pub fn write(portfolio: &Portfolio) -> Result<(String, String), String> {
    let columns: Vec<&str> = APPLICATIONS.iter().copied().chain([FORBIDDEN]).collect();
    let applications = portfolio.applications.iter().map(|one| {
        let joined = |parts: Vec<String>| parts.join("; ");
        let effort = one.effort.iter().map(|effort| format!("{}:{}", effort.team, effort.days)).collect();
        let tasks = one.tasks.iter().map(|task| match task.when {
            When::Before => task.what.replace(';', ","),
            When::After => format!("after: {}", task.what.replace(';', ",")),
        });
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            one.name.clone(),
            one.strategy.name().to_owned(),
            one.owner.clone(),
            format!("{:?}", one.criticality).to_lowercase(),
            if one.pilot { "yes" } else { "no" }.to_owned(),
            one.business_value.to_string(),
            number(one.data_gib),
            joined(effort),
            number(one.preparation_weeks),
            one.cutover.as_written(),
            one.cutover_plan.clone().unwrap_or_default(),
            joined(tasks.collect()),
            one.not_before.clone().unwrap_or_default(),
            one.not_after.clone().unwrap_or_default(),
            periods(&one.preferred),
            periods(&one.forbidden),
        ]
    });
    let dependencies = portfolio.dependencies.iter().map(|one: &Dependency| {
        let strength = if one.strength == Strength::Hard { "hard" } else { "soft" };
        let days = one.days.map(|days| days.to_string()).unwrap_or_default();
        vec![
            one.first.clone(),
            one.then.clone(),
            one.kind.name().to_owned(),
            days,
            strength.to_owned(),
            one.why.clone().unwrap_or_default(),
        ]
    });
    Ok((sheet(&columns, applications)?, sheet(&DEPENDENCIES, dependencies)?))
}

fn periods(periods: &[Period]) -> String {
    periods.iter().map(|period| format!("{}..{}", period.from, period.to)).collect::<Vec<_>>().join("; ")
}

fn sheet(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(|problem| problem.to_string())?;
    for row in rows {
        writer.write_record(row.iter().map(|text| cell(text))).map_err(|problem| problem.to_string())?;
    }
    String::from_utf8(writer.into_inner().map_err(|problem| problem.to_string())?)
        .map_err(|problem| problem.to_string())
}
