//! A programme as a page: facts, the chart, the reasons.

use std::fmt::Write;

use super::chart::Chart;
use super::page::{escaped, page};
use crate::portfolio::Portfolio;
use crate::programme::Programme;

/// The Gantt chart as a self-contained HTML page: waves, teams' load, freezes, critical path.
pub fn gantt(portfolio: &Portfolio, programme: &Programme) -> String {
    let mut body = facts(programme);
    body.push_str(KEY);
    let _ = writeln!(body, "<div class=\"scroll\">{}</div>", Chart::new(portfolio, programme).svg());
    body.push_str(&reasons(programme));
    body.push_str(&wishes(programme));
    page(&format!("Programme {}", programme.portfolio), &body)
}

const KEY: &str = "<div class=\"key\"><span><i style=\"background:var(--prepare)\"></i>preparation</span><span><i style=\"background:var(--move)\"></i>moves</span>\
    <span><i style=\"background:var(--task)\"></i>retired, replaced or stays</span><span><i style=\"background:var(--critical)\"></i>decides the end; a team's full week</span>\
    <span><i style=\"background:var(--freeze)\"></i>freeze of all</span><span><i style=\"background:var(--own-freeze);height:4px\"></i>its own freeze</span>\
    <span>line: what of a team may be planned</span></div>\n";

fn facts(programme: &Programme) -> String {
    let quality = &programme.quality;
    let moves: usize = programme.waves.iter().map(|wave| wave.applications.len()).sum();
    let shortest = match quality.is_shortest {
        true => "no shorter one exists".to_owned(),
        false => format!("none is shorter than {}", quality.bound_days),
    };
    let mut facts = vec![
        (format!("{} days", quality.days), shortest),
        (programme.waves.len().to_string(), "waves".to_owned()),
        (moves.to_string(), "move".to_owned()),
        ((programme.placements.len() - moves).to_string(), "retired, replaced or stay".to_owned()),
        (format!("{} %", quality.contingency_percent), "kept free".to_owned()),
    ];
    if let Some(baseline) = &programme.baseline {
        facts.push((format!("{:+} days", baseline.slip_days), format!("against the first plan ({})", baseline.end)));
    }
    let mut html = format!(
        "<h1>Programme {}</h1>\n<p>{} to {}, {}</p>\n<ul class=\"facts\">",
        escaped(&programme.portfolio),
        programme.start,
        programme.end,
        escaped(&programme.time_zone)
    );
    for (number, words) in facts {
        let _ = write!(html, "<li><b>{}</b><span>{}</span></li>", escaped(&number), escaped(&words));
    }
    html.push_str("</ul>\n");
    if quality.is_out_of_time {
        html.push_str("<p><strong>The clock ended the search: another run may find another programme.</strong></p>\n");
    }
    html
}

fn reasons(programme: &Programme) -> String {
    let mut html = "<h2>Why not before</h2>\n<table><thead><tr><th>application</th><th>strategy</th><th>date</th><th>wave</th><th>owner</th><th>because</th></tr></thead><tbody>\n".to_owned();
    for one in &programme.placements {
        let wave = one.wave.map_or("–".to_owned(), |wave| wave.to_string());
        let _ = writeln!(
            html,
            "<tr><td class=\"name\">{}</td><td data-is=\"strategy\">{}</td><td class=\"nowrap\" data-is=\"date\">{}</td><td data-is=\"wave\">{wave}</td><td data-is=\"owner\">{}</td><td data-is=\"because\">{}</td></tr>",
            escaped(&one.application),
            one.strategy.name(),
            one.date,
            escaped(&one.owner),
            escaped(&one.because.join("; ")),
        );
    }
    html + "</tbody></table>\n"
}

fn wishes(programme: &Programme) -> String {
    let mut html = String::new();
    if !programme.unmet.is_empty() {
        let items: String = programme.unmet.iter().map(|line| format!("<li>{}</li>", escaped(line))).collect();
        let _ = writeln!(html, "<h2>Not kept</h2>\n<ul>{items}</ul>");
    }
    if !programme.changes.is_empty() {
        html.push_str("<h2>Changed</h2>\n<ul>");
        for change in &programme.changes {
            let date = |date: &Option<String>| date.clone().unwrap_or_else(|| "–".to_owned());
            let _ = write!(
                html,
                "<li>{}: {} → {} ({:+} days)</li>",
                escaped(&change.application),
                date(&change.before),
                date(&change.now),
                change.days_later
            );
        }
        html.push_str("</ul>\n");
    }
    html
}
