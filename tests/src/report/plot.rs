//! Plots over a rehearsal's virtual time, as SVG within a page.
//!
//! Contract: pure: series in, markup out.

use anyhow::{Result, anyhow};
use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

/// Narrow enough that its letters are readable on a phone.
const SIZE: (u32, u32) = (520, 240);
const COLOURS: [RGBColor; 6] = [
    RGBColor(9, 105, 218),
    RGBColor(207, 34, 46),
    RGBColor(26, 127, 55),
    RGBColor(154, 103, 0),
    RGBColor(130, 80, 223),
    RGBColor(87, 96, 106),
];

/// One line of a plot; a gap where there is no value.
#[derive(Clone, Debug)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// Virtual seconds, and the value.
    pub points: Vec<(f64, Option<f64>)>,
}

/// One plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows, with its unit.
    pub title: String,
    /// Its lines.
    pub series: Vec<Series>,
    /// A value that the lines must not pass.
    pub limit: Option<f64>,
    /// The least height of the scale; it grows with the values.
    pub at_least: f64,
    /// Where the time ends, in virtual seconds.
    pub until_seconds: f64,
}

impl Plot {
    /// As a figure with its legend.
    ///
    /// # Errors
    /// What cannot be drawn.
    pub fn figure(&self) -> Result<Markup> {
        let svg = self.svg()?;
        let colour = |index: usize| {
            let RGBColor(red, green, blue) = COLOURS[index % COLOURS.len()];
            format!("background: rgb({red} {green} {blue})")
        };
        Ok(html! {
            figure {
                figcaption { (self.title) }
                (PreEscaped(svg))
                p.legend {
                    @for (index, series) in self.series.iter().enumerate() {
                        span { i style=(colour(index)) {} (series.name) }
                    }
                    @if let Some(limit) = self.limit { span { i style="background: #57606a" {} "limit " (short(limit)) } }
                }
            }
        })
    }

    fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .map_err(|error| anyhow!("cannot draw {}: {error}", self.title))?;
        let (width, height) = SIZE;
        let fixed = format!("<svg width=\"{width}\" height=\"{height}\"");
        Ok(svg.replacen(&fixed, "<svg role=\"img\"", 1))
    }

    fn draw<'a>(
        &self,
        area: &DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
    ) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(48)
            .build_cartesian_2d(Ticks(self.until_seconds.max(1.0)), 0.0..self.top())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(217, 222, 227))
            .axis_style(RGBColor(140, 149, 159))
            .label_style(("sans-serif", 14))
            .x_labels(Ticks::MOST)
            .y_labels(5)
            .y_label_formatter(&|value| short(*value))
            .draw()?;
        if let Some(limit) = self.limit {
            let line = [(0.0, limit), (self.until_seconds.max(1.0), limit)];
            chart.draw_series(DashedLineSeries::new(line, 6, 4, RGBColor(87, 96, 106).stroke_width(2)))?;
        }
        for (index, series) in self.series.iter().enumerate() {
            let style = COLOURS[index % COLOURS.len()].stroke_width(2);
            for line in series.points.split(|(_, value)| value.is_none()).filter(|line| !line.is_empty()) {
                let line = line.iter().filter_map(|(at, value)| value.map(|value| (*at, value)));
                chart.draw_series(LineSeries::new(line, style))?;
            }
        }
        area.present()
    }

    fn top(&self) -> f64 {
        let values = self.series.iter().flat_map(|series| &series.points).filter_map(|(_, value)| *value);
        1.05 * values.chain(self.limit).filter(|value| value.is_finite()).fold(self.at_least, f64::max)
    }
}

/// Virtual time from 0 on, labelled at times that a person would choose.
struct Ticks(f64);

impl Ticks {
    const MOST: usize = 6;
    const STEPS_IN_MINUTES: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1440.0];

    fn every_seconds(&self, most: usize) -> f64 {
        let fits = |step: &f64| self.0 / (step * 60.0) <= most as f64;
        60.0 * Self::STEPS_IN_MINUTES.into_iter().find(fits).unwrap_or(self.0 / 60.0 / most.max(1) as f64)
    }
}

impl Ranged for Ticks {
    type FormatOption = plotters::coord::ranged1d::NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + ((to - from) as f64 * value / self.0).round() as i32
    }

    fn key_points<Hint: plotters::coord::ranged1d::KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let step = self.every_seconds(hint.max_num_points().min(Self::MOST));
        (0..=(self.0 / step) as u32).map(|index| step * f64::from(index)).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.0
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Ticks {
    fn format(value: &f64) -> String {
        clock(*value)
    }
}

/// `1:05` hours and minutes.
fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// With as many digits as help.
pub(crate) fn short(value: f64) -> String {
    let digits = if value == 0.0 || value.abs() >= 100.0 {
        0
    } else if value.abs() >= 1.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    if digits > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_its_limit_and_gaps_where_there_is_no_value() {
        let points = vec![(0.0, Some(0.0)), (60.0, Some(5.0)), (120.0, None), (180.0, Some(7.0)), (240.0, Some(7.0))];
        let series = vec![Series { name: "5xx <rate>".to_owned(), points }];
        let plot = Plot { title: "gate".to_owned(), series, limit: Some(6.0), at_least: 1.0, until_seconds: 240.0 };
        let text = plot.figure().expect("a figure").into_string();
        assert!(text.contains("5xx &lt;rate&gt;") && text.contains("limit 6"), "{text}");
        assert_eq!(text.matches("<polyline").count() - dashes(&text), 2, "{text}");
        assert!(!text.contains("width=\"520\" height=\"240\" viewBox"), "it takes the width that there is");
    }

    /// Lines of the grid, the axes and the limit are one stroke each, and grey.
    fn dashes(text: &str) -> usize {
        text.split("<polyline").skip(1).filter(|line| !line.contains("#0969DA")).count()
    }

    #[test]
    fn numbers_have_as_many_digits_as_help() {
        assert_eq!([0.0, 0.05, 0.1234, 1.0, 33.33, 1200.0].map(short), ["0", "0.05", "0.123", "1", "33.3", "1200"]);
        assert_eq!(clock(3900.0), "1:05");
        assert_eq!([300.0, 3900.0, 90_000.0].map(|until| Ticks(until).every_seconds(6) / 60.0), [1.0, 15.0, 360.0]);
    }
}
