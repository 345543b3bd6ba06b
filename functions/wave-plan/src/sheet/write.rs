//! The sheets of a portfolio, as [`super::read`] reads them.

use super::parts::{self, Part};
use super::{APPLICATIONS, DEPENDENCIES, FORBIDDEN};
use crate::portfolio::{Dependency, Period, Portfolio, Strength, When};

/// The sheets of a portfolio: applications, dependencies.
///
/// # Errors
/// None that texts in memory can have.
pub fn write(portfolio: &Portfolio) -> Result<(String, String), String> {
    let columns: Vec<&str> = APPLICATIONS.iter().copied().chain([FORBIDDEN]).collect();
    let applications = portfolio.applications.iter().map(|one| {
        let joined = |parts: Vec<String>| parts.join("; ");
        let effort = one.effort.iter().map(|effort| format!("{}:{}", effort.team, effort.days)).collect();
        let tasks = one.tasks.iter().map(|task| Part {
            is_after: task.when == When::After,
            text: task.what.clone(),
            note: task.owner.clone(),
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
            parts::write(tasks),
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
    parts::write(periods.iter().map(|period| Part {
        is_after: false,
        text: format!("{}..{}", period.from, period.to),
        note: period.why.clone(),
    }))
}

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet takes for a formula; [`unguarded`] takes the sign off again.
fn guarded(text: &str) -> String {
    match text.starts_with(FORMULA) || unguarded(text) != text {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// A cell without the sign that keeps it from being a formula.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA) || rest.starts_with('\'')).unwrap_or(text)
}

fn sheet(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(|problem| problem.to_string())?;
    for row in rows {
        writer.write_record(row.iter().map(|text| guarded(text))).map_err(|problem| problem.to_string())?;
    }
    String::from_utf8(writer.into_inner().map_err(|problem| problem.to_string())?)
        .map_err(|problem| problem.to_string())
}
