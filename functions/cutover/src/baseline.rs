//! A baseline, as `baseline` keeps it with the run, for people. Pure.

use serde_json::Value;

use crate::Seconds;
use crate::plan::Figures;

/// What is kept, for people.
pub fn lines(baseline: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines = Vec::new();
    if let Ok(Some(given)) = serde_json::from_value::<Option<Figures>>(baseline["given"].clone()) {
        lines.push(format!("old side, as the plan says: {}", said(&given)));
    }
    for window in list(&baseline["windows"]) {
        let when = window["when"].as_str().unwrap_or_default();
        for one in list(&window["sides"]) {
            let group = one["target_group"].as_str().unwrap_or_default();
            let saw = serde_json::from_value::<Figures>(known(&one["saw"])).ok().filter(|_| one["saw"].is_object());
            let saw = saw.map_or_else(
                || format!("no requests{}", when_and_how(&window, false)),
                |figures| format!("{}{}", said(&figures), when_and_how(&window, has_percentile(&figures))),
            );
            lines.push(format!("{group}, {when}: {saw}"));
        }
        for one in list(&window["metrics"]) {
            let value = one["median"].as_f64().map_or_else(
                || "no data".to_owned(),
                |median| {
                    format!("{median} in the median, {} at the highest", one["highest"].as_f64().unwrap_or(median))
                },
            );
            lines.push(format!("{}, {when}: {value}", one["name"].as_str().unwrap_or_default()));
        }
    }
    lines.extend(list(&baseline["not_known"]).iter().filter_map(|text| text.as_str().map(str::to_owned)));
    lines
}

/// The figures of a side, without what is kept beside them.
fn known(saw: &Value) -> Value {
    let mut saw = saw.clone();
    if let Some(fields) = saw.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "dispersion" | "highest_p95_ms"));
    }
    saw
}

/// From when until when, and how the percentiles were made: those of periods cannot be added, so a percentile is the median of theirs.
fn when_and_how(window: &Value, has_percentile: bool) -> String {
    let Some((from, to)) = window["from"].as_str().zip(window["to"].as_str()) else { return String::new() };
    let how = window["period_seconds"].as_u64().filter(|_| has_percentile);
    let how = how.map(|period| format!("; a percentile is the median of those of each {}", Seconds(period)));
    format!(" ({from} to {to}{})", how.unwrap_or_default())
}

fn has_percentile(figures: &Figures) -> bool {
    [figures.p50_ms, figures.p95_ms, figures.p99_ms].iter().any(Option::is_some)
}

fn said(figures: &Figures) -> String {
    let Figures { requests, error_percent, p50_ms, p95_ms, p99_ms } = figures;
    let parts = [
        requests.map(|value| format!("{value} requests")),
        error_percent.map(|value| format!("{value} % errors")),
        p50_ms.map(|value| format!("p50 {value} ms")),
        p95_ms.map(|value| format!("p95 {value} ms")),
        p99_ms.map(|value| format!("p99 {value} ms")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
