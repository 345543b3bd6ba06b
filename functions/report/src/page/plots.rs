//! The plots of the page. Pure: each from its facts, and none where nothing was measured.

use jiff::Timestamp;

use crate::facts::{Facts, Gate, Period, Point, RouteFacts, Series};
use crate::load::{Cell, Load, Side};
use crate::plot::{Along, Line, Of, Plot};

/// Latency's distribution, and latency, errors and rate over the test's time.
pub fn of_load(load: &Load) -> Vec<String> {
    let sides: Vec<(Of, &str, &Side)> =
        load.old.iter().map(|old| (Of::Old, "old", old)).chain([(Of::New, "new", &load.new)]).collect();
    // As far as there are requests to tell: the last place is the rarest that is drawn.
    let rarest =
        sides.iter().flat_map(|(_, _, side)| &side.distribution).map(|(share, _)| nines(*share)).fold(0.0, f64::max);
    let place = |share: f64| nines(share) / rarest.max(f64::MIN_POSITIVE);
    let distribution = sides.iter().map(|(of, name, side)| Line {
        name: format!("{name} side, {} requests", side.figures.sent),
        of: *of,
        points: side.distribution.iter().map(|(share, ms)| (place(*share), Some(*ms))).collect(),
        is_stepped: false,
    });
    let labels = [(0.0, "0"), (0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99")];
    let labels = labels.map(|(share, label)| (place(share), label.to_owned()));
    let labels: Vec<_> = labels.into_iter().filter(|(place, _)| *place <= 1.0).collect();
    let distribution = Plot {
        title: "Load test: latency by share of requests, ms".to_owned(),
        lines: distribution.collect(),
        along: Along::Labels(labels),
        limit: None,
        at_least: 0.0,
    };
    let until = sides.iter().flat_map(|(_, _, side)| &side.cells).map(|cell| cell.second + 10).max().unwrap_or(10);
    let over_time = |title: &str, value: fn((&Cell, bool)) -> Option<f64>| Plot {
        title: title.to_owned(),
        lines: sides
            .iter()
            .map(|(of, name, side)| Line {
                name: format!("{name} side"),
                of: *of,
                points: turns(&side.cells)
                    .into_iter()
                    .map(|(second, cell)| (second as f64, cell.and_then(value)))
                    .collect(),
                is_stepped: false,
            })
            .collect(),
        along: Along::Seconds(until as f64),
        limit: None,
        at_least: 1.0,
    };
    let all = [
        distribution,
        over_time("Load test: latency at p95 in its turns, ms", |(cell, _)| cell.p95_ms),
        over_time("Load test: requests that failed, %", |(cell, _)| Some(cell.error_percent)),
        over_time("Load test: requests a second", |(cell, is_whole)| is_whole.then_some(cell.rate_rps)),
    ];
    drawn(all)
}

/// Sides take turns: between two of one side there is a gap. The first and the last cell of a turn are not whole.
fn turns(cells: &[Cell]) -> Vec<(i64, Option<(&Cell, bool)>)> {
    let least = cells.windows(2).map(|pair| pair[1].second - pair[0].second).min().unwrap_or(0);
    let follows = |first: Option<&Cell>, then: Option<&Cell>| {
        first.zip(then).is_some_and(|(first, then)| then.second - first.second <= least)
    };
    let mut points = Vec::new();
    for (place, cell) in cells.iter().enumerate() {
        let (before, after) = (place.checked_sub(1).and_then(|place| cells.get(place)), cells.get(place + 1));
        if before.is_some() && !follows(before, Some(cell)) {
            points.push((cell.second - 1, None));
        }
        let is_whole = follows(before, Some(cell)) && follows(Some(cell), after);
        points.push((cell.second, Some((cell, is_whole))));
    }
    points
}

/// Where a share stands: each nine as wide as the one before. 0.9 is at 1, 0.99 at 2.
fn nines(share: f64) -> f64 {
    -(1.0 - share).max(1e-6).log10()
}

/// Weights and real shares, rate, errors and latency of a route's users over the run's time.
pub fn of_route(route: &RouteFacts, facts: &Facts) -> Vec<String> {
    let until = seconds(facts, facts.until);
    let mut weights: Vec<(f64, Option<f64>)> =
        route.weights.iter().map(|weight| (seconds(facts, weight.at), Some(f64::from(weight.percent)))).collect();
    weights.extend(weights.last().map(|(_, percent)| (until, *percent)));
    let of_plan = Line { name: "the weight that was set".to_owned(), of: Of::Plan, points: weights, is_stepped: true };
    let shares = Line {
        name: "the share of requests".to_owned(),
        of: Of::New,
        points: points(&route.shares(), facts),
        is_stepped: false,
    };
    let plot = |title: &str, lines: Vec<Line>, at_least: f64| Plot {
        title: title.to_owned(),
        lines,
        along: Along::Seconds(until),
        limit: None,
        at_least,
    };
    let sides = |value: &dyn Fn(&Period) -> Option<f64>| -> Vec<Line> {
        let Some(sides) = &route.sides else { return Vec::new() };
        let line = |of: Of, name: &str, periods: &[Period]| Line {
            name: name.to_owned(),
            of,
            points: periods.iter().map(|period| (seconds(facts, period.at), value(period))).collect(),
            is_stepped: false,
        };
        vec![line(Of::Old, "old side", &sides.old), line(Of::New, "new side", &sides.new)]
    };
    let period = route.sides.as_ref().map_or(1, |sides| sides.period_seconds) as f64;
    drawn([
        plot("New side: weight and real share, %", vec![shares, of_plan], 100.0),
        plot("Users: requests a second", sides(&|seen| seen.requests.map(|requests| requests / period)), 1.0),
        plot("Users: answers with 5xx, %", sides(&Period::error_percent), 1.0),
        plot("Users: latency at p95, ms", sides(&|seen| seen.p95_ms), 1.0),
    ])
}

/// What a check saw, beside its limit.
pub fn of_gate(gate: &Gate, facts: &Facts) -> Option<String> {
    let line = Line { name: "seen".to_owned(), of: Of::Nth(0), points: points(&gate.points, facts), is_stepped: false };
    one(&gate.name, line, gate.limit, facts)
}

/// A metric that the plan names.
pub fn of_resource(series: &Series, facts: &Facts) -> Option<String> {
    let line = Line {
        name: series.metric_name.clone(),
        of: Of::Nth(1),
        points: points(&series.points, facts),
        is_stepped: false,
    };
    one(&series.name, line, None, facts)
}

fn one(title: &str, line: Line, limit: Option<f64>, facts: &Facts) -> Option<String> {
    let until = seconds(facts, facts.until);
    let plot = Plot { title: title.to_owned(), lines: vec![line], along: Along::Seconds(until), limit, at_least: 0.0 };
    (!plot.is_empty()).then(|| plot.figure())
}

fn drawn<const N: usize>(plots: [Plot; N]) -> Vec<String> {
    plots.iter().filter(|plot| !plot.is_empty()).map(Plot::figure).collect()
}

fn seconds(facts: &Facts, at: Timestamp) -> f64 {
    (at.as_millisecond() - facts.began_at.as_millisecond()) as f64 / 1000.0
}

fn points(points: &[Point], facts: &Facts) -> Vec<(f64, Option<f64>)> {
    points.iter().map(|point| (seconds(facts, point.at), Some(point.value))).collect()
}
