//! Plots, as SVG within the page. Pure: series in, markup out. Every text is escaped here.

use std::fmt::Write;

use crate::words::{clock, escaped, short};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// Minutes between the labels of an axis of time, of which the first that gives six of them at the most is taken.
const MINUTES: [f64; 14] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 1440.0, 2880.0, 4320.0, 10_080.0];

/// What a line is of, which is how it looks: each has a colour and a stroke of its own, so that it is told apart in print, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The old side.
    Old,
    /// The new side.
    New,
    /// What the plan wanted.
    Plan,
    /// A route or a metric, by its place.
    Nth(usize),
}

impl Of {
    /// The class of its line.
    pub fn class(self) -> String {
        match self {
            Self::Old => "old".to_owned(),
            Self::New => "new".to_owned(),
            Self::Plan => "plan".to_owned(),
            Self::Nth(place) => format!("nth{}", place % 4),
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// For the legend.
    pub name: String,
    /// How it looks.
    pub of: Of,
    /// Along and up; a gap where there is no value.
    pub points: Vec<(f64, Option<f64>)>,
    /// Whether a value holds until the next one.
    pub is_stepped: bool,
}

/// What is along.
#[derive(Clone, Debug)]
pub enum Along {
    /// Seconds, from 0.
    Seconds(f64),
    /// Labels at places from 0 to 1.
    Labels(Vec<(f64, String)>),
}

/// One plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows, with its unit.
    pub title: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What is along.
    pub along: Along,
    /// A value that means trouble.
    pub limit: Option<f64>,
    /// The least height of the scale.
    pub at_least: f64,
}

impl Plot {
    /// Whether there is anything to draw.
    pub fn is_empty(&self) -> bool {
        !self.lines.iter().flat_map(|line| &line.points).any(|(_, value)| value.is_some())
    }

    /// As a figure with its legend.
    pub fn figure(&self) -> String {
        let mut legend = String::new();
        for line in self.lines.iter().filter(|line| line.points.iter().any(|(_, value)| value.is_some())) {
            let class = line.of.class();
            let _ = write!(
                legend,
                "<span><svg class=\"key\" viewBox=\"0 0 24 6\" aria-hidden=\"true\"><path class=\"{class}\" d=\"M0 3H24\"/></svg>{}</span>",
                escaped(&line.name)
            );
        }
        if let Some(limit) = self.limit {
            let _ = write!(
                legend,
                "<span><svg class=\"key\" viewBox=\"0 0 24 6\" aria-hidden=\"true\"><path class=\"limit\" d=\"M0 3H24\"/></svg>limit {}</span>",
                short(limit)
            );
        }
        let title = escaped(&self.title);
        format!(
            "<figure><figcaption>{title}</figcaption><svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">{}</svg><p class=\"legend\">{legend}</p></figure>",
            self.drawn()
        )
    }

    fn drawn(&self) -> String {
        let (top, step) = scale(self.highest().max(self.at_least));
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value / top).clamp(0.0, 1.0);
        let x = |along: f64| LEFT + (WIDTH - LEFT - RIGHT) * self.share(along);
        let mut svg = String::new();
        for tick in 0..=(top / step).round() as u32 {
            let value = f64::from(tick) * step;
            let at = y(value);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{:.0}\"/><text x=\"{:.0}\" y=\"{:.1}\" class=\"up\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 5.0,
                at + 4.0,
                short(value)
            );
        }
        for (place, label) in self.labels() {
            let at = LEFT + (WIDTH - LEFT - RIGHT) * place;
            let anchor = if place > 0.95 {
                "end"
            } else if place < 0.03 {
                "start"
            } else {
                "middle"
            };
            let _ = write!(
                svg,
                "<text x=\"{at:.0}\" y=\"{:.0}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - 7.0,
                escaped(&label)
            );
        }
        if let Some(limit) = self.limit {
            let _ = write!(svg, "<path class=\"limit\" d=\"M{LEFT} {:.1}H{:.0}\"/>", y(limit), WIDTH - RIGHT);
        }
        for line in &self.lines {
            let _ = write!(svg, "<path class=\"{}\" d=\"{}\"/>", line.of.class(), path(line, &x, &y));
        }
        svg
    }

    fn highest(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| &line.points).filter_map(|(_, value)| *value);
        // A limit far above all values would press them flat: then it is told in the legend alone.
        let highest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let limit = self.limit.filter(|limit| highest == 0.0 || *limit <= 4.0 * highest.max(self.at_least));
        highest.max(limit.unwrap_or(0.0))
    }

    fn share(&self, along: f64) -> f64 {
        match self.along {
            Along::Seconds(until) => (along / until.max(1.0)).clamp(0.0, 1.0),
            Along::Labels(_) => along.clamp(0.0, 1.0),
        }
    }

    fn labels(&self) -> Vec<(f64, String)> {
        match &self.along {
            Along::Labels(labels) => labels.clone(),
            Along::Seconds(until) if *until < 120.0 => {
                let step = if *until <= 12.0 {
                    2.0
                } else if *until <= 30.0 {
                    5.0
                } else {
                    20.0
                };
                let count = (until / step) as u32;
                (0..=count)
                    .map(|tick| (f64::from(tick) * step / until.max(1.0), format!("{} s", f64::from(tick) * step)))
                    .collect()
            }
            Along::Seconds(until) => {
                let step =
                    60.0 * MINUTES.into_iter().find(|minutes| until / 60.0 / minutes <= 6.0).unwrap_or(until / 360.0);
                (0..=(until / step) as u32)
                    .map(|tick| (f64::from(tick) * step / until, clock(f64::from(tick) * step)))
                    .collect()
            }
        }
    }
}

fn path(line: &Line, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut is_down = false;
    for (index, (along, value)) in line.points.iter().enumerate() {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            is_down = false;
            continue;
        };
        if !is_down {
            let _ = write!(path, "M{:.1} {:.1}", x(*along), y(value));
            // A point alone would not be seen.
            if line.points.get(index + 1).is_none_or(|(_, next)| next.is_none()) {
                path.push_str("h2");
            }
        } else if line.is_stepped {
            let _ = write!(path, "H{:.1}V{:.1}", x(*along), y(value));
        } else {
            let _ = write!(path, "L{:.1} {:.1}", x(*along), y(value));
        }
        is_down = true;
    }
    path
}

/// The height of a scale that holds a value, and the step of its labels: 1, 2 or 5 of a power of ten, five of them at the most.
fn scale(value: f64) -> (f64, f64) {
    let value = if value.is_finite() && value > 0.0 { value } else { 1.0 };
    let power = 10_f64.powf((value / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|step| value / step <= 5.0)
        .unwrap_or(power * 10.0);
    ((value / step).ceil() * step, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, Option<f64>)]) -> Plot {
        let line = Line { name: "<b>".to_owned(), of: Of::New, points: points.to_vec(), is_stepped: false };
        Plot {
            title: "a \"title\"".to_owned(),
            lines: vec![line],
            along: Along::Seconds(240.0),
            limit: Some(6.0),
            at_least: 1.0,
        }
    }

    #[test]
    fn a_line_has_gaps_where_there_is_no_value_and_texts_are_escaped() {
        let text = plot(&[(0.0, Some(0.0)), (60.0, Some(5.0)), (120.0, None), (180.0, Some(7.0))]).figure();
        let line = text.split("class=\"new\" d=\"").nth(1).unwrap();
        assert_eq!(line.split('"').next().unwrap().matches('M').count(), 2, "{line}");
        assert!(
            text.contains("&lt;b&gt;") && text.contains("a &quot;title&quot;") && text.contains("limit 6"),
            "{text}"
        );
    }

    #[test]
    fn a_plot_without_a_value_is_empty() {
        assert!(plot(&[(0.0, None)]).is_empty() && plot(&[]).is_empty() && !plot(&[(0.0, Some(0.0))]).is_empty());
    }

    #[test]
    fn scales_are_round_and_hold_their_value() {
        for (value, expected) in
            [(1.0, (1.0, 0.2)), (7.3, (8.0, 2.0)), (99.0, (100.0, 20.0)), (340.0, (400.0, 100.0)), (0.0, (1.0, 0.2))]
        {
            let (top, step) = scale(value);
            assert!((top - expected.0).abs() < 1e-9 && (step - expected.1).abs() < 1e-9, "{value}: {top} {step}");
        }
    }
}
