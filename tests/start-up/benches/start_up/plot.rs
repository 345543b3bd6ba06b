//! What was measured as a picture: CPU of init and first call, and the first call's time by memory, both on logarithmic scales.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::contestants::Kind;
use crate::table::Figures;

const SIZE: (u32, u32) = (1000, 560);
const HALF: u32 = 560;
/// Of a bar, and of the room that it has.
const ROW: f64 = 1.0;
const BAR: f64 = 0.36;
/// Between a bar and its texts.
const GAP: f64 = 1.1;
const GREY: RGBColor = RGBColor(110, 118, 129);
const GREEN: RGBColor = RGBColor(26, 127, 55);
const ORANGE: RGBColor = RGBColor(191, 87, 0);
const BLUE: RGBColor = RGBColor(9, 105, 218);
/// The one whose curve is drawn: it changes something, and asks two services.
const DRAWN: &str = "weight-shift";

fn colour(kind: Kind) -> RGBColor {
    match kind {
        Kind::Hello => GREY,
        Kind::Cutover => GREEN,
        Kind::Naive => ORANGE,
        Kind::Boto3 => BLUE,
    }
}

/// Draws it.
pub fn draw(figures: &[Figures], file: &Path) -> Result<()> {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(told)?;
    let (left, right) = root.split_horizontally(HALF);
    bars(&left, figures)?;
    curves(&right, figures)?;
    root.present().map_err(told)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn bars(area: &Area<'_>, figures: &[Figures]) -> Result<()> {
    let rows = f64::from(u32::try_from(figures.len())?) * ROW;
    let mut chart = ChartBuilder::on(area)
        .caption("CPU of init and first call, ms", ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(168)
        .build_cartesian_2d((1f64..3000f64).log_scale(), -0.5..rows - 0.5)
        .map_err(told)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_label_formatter(&|value| format!("{value}"))
        .light_line_style(WHITE)
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(told)?;
    for (row, one) in figures.iter().rev().enumerate() {
        let middle = f64::from(u32::try_from(row)?) * ROW;
        let value = one.cpu_first_ms.median;
        let bar = Rectangle::new([(1.0, middle - BAR), (value, middle + BAR)], colour(one.kind).filled());
        chart.draw_series([bar]).map_err(told)?;
        let style = |at| ("sans-serif", 13).into_font().color(&BLACK).pos(Pos::new(at, VPos::Center));
        let number = Text::new(format!("{value:.1}"), (value * GAP, middle), style(HPos::Left));
        let name = Text::new(one.name.clone(), (1.0 / GAP, middle), style(HPos::Right));
        chart.draw_series([number, name]).map_err(told)?;
    }
    Ok(())
}

fn curves(area: &Area<'_>, figures: &[Figures]) -> Result<()> {
    let drawn: Vec<&Figures> = figures
        .iter()
        .filter(|one| one.function == DRAWN || one.kind == Kind::Hello)
        .filter(|one| !one.quotas.is_empty())
        .collect();
    if drawn.is_empty() {
        return Ok(());
    }
    let mut chart = ChartBuilder::on(area)
        .caption("First call by memory, ms", ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(
            (100f64..700f64).log_scale().with_key_points(vec![128.0, 256.0, 512.0]),
            (1f64..3000f64).log_scale(),
        )
        .map_err(told)?;
    chart
        .configure_mesh()
        .x_label_formatter(&|value| format!("{value} MB"))
        .y_label_formatter(&|value| format!("{value}"))
        .light_line_style(WHITE)
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(told)?;
    for one in drawn {
        let points: Vec<(f64, f64)> =
            one.quotas.iter().map(|(memory, first, _)| (f64::from(*memory), first.median)).collect();
        let colour = colour(one.kind);
        chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2))).map_err(told)?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled()))).map_err(told)?;
        let style = ("sans-serif", 13).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Bottom));
        let first = points.first().copied().unwrap_or_default();
        chart.draw_series([Text::new(one.name.clone(), (first.0, first.1 * 1.15), style)]).map_err(told)?;
    }
    Ok(())
}

fn told(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the plot cannot be drawn: {error}")
}
