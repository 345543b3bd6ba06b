//! A baseline, as `baseline` keeps it with the run, for people. Pure.

use serde_json::Value;

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
            let saw = saw.map_or_else(|| "no requests".to_owned(), |figures| said(&figures));
            lines.push(format!("{group}, {when}: {saw}"));
        }
        for one in list(&window["metrics"]) {
            let value = one["median"].as_f64().map_or_else(
                || "no data".to_owned(),
                |median| format!("{median}, {} at the highest", one["highest"].as_f64().unwrap_or(median)),
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
