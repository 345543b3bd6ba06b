//! A programme as Markdown.

use std::fmt::Write;

use cutover::text::shown;

use crate::programme::{Placement, Programme, Staged, Wave};

/// A text in a cell or a line: nothing in it ends the cell, or becomes a link, a tag or emphasis.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in shown(text, 400).chars() {
        if "\\`*_[]<>|#!&~".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// The programme in one document: how good it is, the waves, each application with its reasons, the teams' weeks, what is not kept,
/// and what has changed.
pub fn markdown(programme: &Programme) -> String {
    let mut text = String::new();
    let parts = [heading(programme), waves(programme), placements(programme), teams(programme), rest(programme)];
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let _ = writeln!(text, "{part}");
    }
    text
}

fn heading(programme: &Programme) -> String {
    let quality = &programme.quality;
    let Programme { start, end, .. } = programme;
    let moves: usize = programme.waves.iter().map(|wave| wave.applications.len()).sum();
    let tasks = programme.placements.len() - moves;
    let how_good = match quality.is_shortest {
        true => "No shorter programme exists.".to_owned(),
        false => format!(
            "No programme is shorter than {} days: the gap is {:.1} %.",
            quality.bound_days, quality.gap_percent
        ),
    };
    let mut text = format!("# Programme {}\n\n", plain(&programme.portfolio));
    let _ = writeln!(
        text,
        "{start} to {end}, {} days, {}: {moves} applications move in {} waves, {tasks} are retired, replaced or stay. {how_good} {} % of every team \
         and window is kept free.",
        quality.days,
        plain(&programme.time_zone),
        programme.waves.len(),
        quality.contingency_percent,
    );
    let _ = writeln!(
        text,
        "\nFound with {} schedules and {} decisions from seed {}.",
        quality.schedules, quality.decisions, quality.seed
    );
    if quality.is_out_of_time {
        text.push_str("\n**The clock ended the search: another run may find another programme.**\n");
    }
    if let Some(baseline) = &programme.baseline {
        let slip = match baseline.slip_days {
            0 => "as in the first plan".to_owned(),
            days if days > 0 => format!("{days} days later than in the first plan ({})", baseline.end),
            days => format!("{} days earlier than in the first plan ({})", -days, baseline.end),
        };
        let _ = writeln!(text, "\n**Slip: the programme ends {slip}.**");
    }
    if let Some(days) = quality.days_from_scratch {
        let _ = writeln!(
            text,
            "\nIt would end {} earlier, if everything that is not done might move: this one keeps to the dates of the programme before.",
            plural(quality.days - days)
        );
    }
    if !programme.critical_path.is_empty() {
        let names: Vec<String> = programme.critical_path.iter().map(|name| plain(name)).collect();
        let _ = writeln!(text, "\nThe end is decided by: {}.", names.join(" → "));
    }
    text
}

fn plural(days: i32) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

fn waves(programme: &Programme) -> String {
    let mut text =
        "## Waves\n\n| wave | opens | closes | applications, by stage | minutes | risk |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for wave in &programme.waves {
        let minutes = format!("{} of {}", wave.minutes, wave.planned_minutes_most);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {minutes} | {} |",
            wave.number,
            wave.opens,
            wave.closes,
            stages(wave),
            wave.risk
        );
    }
    text
}

fn stages(wave: &Wave) -> String {
    let by_stage = wave.applications.chunk_by(|one, other| one.stage == other.stage);
    let name = |one: &Staged| match one.together_with.is_empty() {
        true => plain(&one.name),
        false => format!("{} (lockstep)", plain(&one.name)),
    };
    by_stage.map(|stage| stage.iter().map(name).collect::<Vec<_>>().join(", ")).collect::<Vec<_>>().join("; then ")
}

fn placements(programme: &Programme) -> String {
    let mut text = "## Applications\n\n| date | application | strategy | wave | prepared from | why not before |\n|---|---|---|---|---|---|\n".to_owned();
    for one in &programme.placements {
        let Placement { date, application, strategy, wave, preparation_from, because, .. } = one;
        let wave = wave.map_or("–".to_owned(), |wave| wave.to_string());
        let from = preparation_from.as_deref().unwrap_or("–");
        let why: Vec<String> = because.iter().map(|reason| plain(reason)).collect();
        let pilot = if one.pilot { " (pilot)" } else { "" };
        let _ = writeln!(
            text,
            "| {date} | {}{pilot} | {} | {wave} | {from} | {} |",
            plain(application),
            strategy.name(),
            why.join("; ")
        );
    }
    text
}

fn teams(programme: &Programme) -> String {
    let Some(first) = programme.teams.first() else { return String::new() };
    let mut text = "## Teams\n\nPerson-days that are planned, of those that there are.\n\n| week of |".to_owned();
    programme.teams.iter().for_each(|team| {
        let _ = write!(text, " {} |", plain(&team.team));
    });
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(programme.teams.len()));
    for (place, week) in first.weeks.iter().enumerate() {
        let _ = write!(text, "| {} |", week.monday);
        for week in programme.teams.iter().map(|team| &team.weeks[place]) {
            let _ = write!(text, " {:.1} of {:.1} |", week.days, week.capacity_days);
        }
        text.push('\n');
    }
    text
}

fn rest(programme: &Programme) -> String {
    let mut text = String::new();
    if !programme.unmet.is_empty() {
        text.push_str("## Not kept\n\nThese are wishes, and the programme would be longer with them, its risk less spread, or more of it moved.\n\n");
        programme.unmet.iter().for_each(|wish| {
            let _ = writeln!(text, "- {}", plain(wish));
        });
    }
    if !programme.changes.is_empty() {
        text.push_str("\n## Changed\n\n| application | before | now | days later |\n|---|---|---|---|\n");
        for change in &programme.changes {
            let date = |date: &Option<String>| date.clone().unwrap_or_else(|| "–".to_owned());
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                plain(&change.application),
                date(&change.before),
                date(&change.now),
                change.days_later
            );
        }
    }
    text
}
