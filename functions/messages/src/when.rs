//! Times as a group reads them: in its time zone, with it, and in its language.

use cutover::plan::{Group, Language};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

const EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const IT: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];
const PT: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];

/// `26 November 2026, 23:40 CET`; in UTC where the zone is not known.
pub fn shown(at: Timestamp, group: &Group) -> String {
    in_zone(at, &group.time_zone, group.language)
}

/// Whether this is the name of a time zone, such as `Europe/Berlin`.
pub fn is_zone(name: &str) -> bool {
    TimeZoneDatabase::bundled().get(name).is_ok()
}

/// `23:40 CET` where that is on the day of `now` there, with the day in front otherwise.
pub fn near(at: Timestamp, now: Timestamp, time_zone: &str) -> String {
    let zone = TimeZoneDatabase::bundled().get(time_zone).unwrap_or(TimeZone::UTC);
    let local = at.to_zoned(zone.clone());
    if local.date() != now.to_zoned(zone).date() {
        return in_zone(at, time_zone, Language::En);
    }
    format!("{:02}:{:02} {}", local.hour(), local.minute(), abbreviation(&local))
}

/// As [`shown`], in a zone and a language.
pub fn in_zone(at: Timestamp, time_zone: &str, language: Language) -> String {
    let zone = TimeZoneDatabase::bundled().get(time_zone).unwrap_or(TimeZone::UTC);
    let local = at.to_zoned(zone);
    let month = usize::from(local.month().unsigned_abs()).saturating_sub(1);
    let (day, year) = (local.day(), local.year());
    let date = match language {
        Language::En => format!("{day} {} {year}", EN[month]),
        Language::De => format!("{day}. {} {year}", DE[month]),
        Language::Fr => format!("{day}{} {} {year}", if day == 1 { "er" } else { "" }, FR[month]),
        Language::Es => format!("{day} de {} de {year}", ES[month]),
        Language::It => format!("{day} {} {year}", IT[month]),
        Language::Pt => format!("{day} de {} de {year}", PT[month]),
    };
    format!("{date}, {:02}:{:02} {}", local.hour(), local.minute(), abbreviation(&local))
}

/// The zone's, or its distance from UTC where it has none in letters (`+03` becomes `UTC+03`).
fn abbreviation(local: &jiff::Zoned) -> String {
    let name = local.strftime("%Z").to_string();
    if name.starts_with(['+', '-']) { format!("UTC{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use cutover::plan::Channel;

    use super::*;

    #[test]
    fn a_time_of_today_needs_no_day() {
        let time = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = time("2026-11-26T22:40:00Z");
        assert_eq!(near(now, now, "Europe/Berlin"), "23:40 CET");
        assert_eq!(near(time("2026-11-26T23:10:00Z"), now, "UTC"), "23:10 UTC");
        assert_eq!(near(time("2026-11-26T23:10:00Z"), now, "Europe/Berlin"), "27 November 2026, 00:10 CET");
        assert!(is_zone("Europe/Berlin") && is_zone("UTC") && !is_zone("Europe/Nowhere"));
    }

    #[test]
    fn a_time_is_in_the_groups_zone_and_says_which() {
        let at = |text: &str, zone: &str, language| {
            let group = Group {
                name: "a".to_owned(),
                format: None,
                time_zone: zone.to_owned(),
                language,
                channels: Vec::<Channel>::new(),
                moments: None,
                responds: None,
                may_answer: false,
            };
            shown(text.parse().unwrap(), &group)
        };
        let (winter, summer) = ("2026-11-26T22:40:00Z", "2026-03-31T22:40:00Z");
        assert_eq!(at(winter, "UTC", Language::En), "26 November 2026, 22:40 UTC");
        assert_eq!(at(winter, "Europe/Berlin", Language::De), "26. November 2026, 23:40 CET");
        assert_eq!(at(summer, "Europe/Paris", Language::Fr), "1er avril 2026, 00:40 CEST");
        assert_eq!(at(summer, "America/Sao_Paulo", Language::Pt), "31 de março de 2026, 19:40 UTC-03");
        assert_eq!(at(winter, "Asia/Kolkata", Language::Es), "27 de noviembre de 2026, 04:10 IST");
        assert_eq!(at(winter, "Europe/Rome", Language::It), "26 novembre 2026, 23:40 CET");
    }
}
