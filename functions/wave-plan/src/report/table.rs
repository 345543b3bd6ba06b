//! A programme as CSV: a line for each application.

use crate::programme::Programme;

/// A text that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The placements, in the order of their dates.
///
/// # Errors
/// None that a text in memory can have.
pub fn csv(programme: &Programme) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = [
        "application",
        "strategy",
        "date",
        "wave",
        "prepared_from",
        "owner",
        "criticality",
        "risk",
        "settled",
        "first_planned_for",
        "why_not_before",
    ];
    writer.write_record(columns).map_err(|problem| problem.to_string())?;
    for one in &programme.placements {
        let criticality = format!("{:?}", one.criticality).to_lowercase();
        let record = [
            one.application.as_str(),
            one.strategy.name(),
            &one.date,
            &one.wave.map(|wave| wave.to_string()).unwrap_or_default(),
            one.preparation_from.as_deref().unwrap_or_default(),
            &one.owner,
            &criticality,
            &one.risk.to_string(),
            if one.is_settled { "yes" } else { "no" },
            programme.baseline.as_ref().and_then(|first| first.dates.get(&one.application)).map_or("", String::as_str),
            &one.because.join("; "),
        ];
        writer.write_record(record.map(cell)).map_err(|problem| problem.to_string())?;
    }
    String::from_utf8(writer.into_inner().map_err(|problem| problem.to_string())?)
        .map_err(|problem| problem.to_string())
}
