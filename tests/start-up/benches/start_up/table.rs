//! What was measured, for people and for machines: medians, 90th percentiles, and ratios of what was measured in the same round.

use std::fmt::Write as _;

use serde::Serialize;
use start_up::built::{HELLO, Size};
use start_up::process::Sample;
use start_up::{median, quantile};

use crate::contestants::{Contestant, Kind};
use crate::rounds::Samples;

/// One contestant's figures.
#[derive(Serialize)]
pub struct Figures {
    pub name: String,
    pub kind: Kind,
    pub function: String,
    pub cpu_init_ms: Spread,
    pub cpu_first_ms: Spread,
    pub cpu_warm_ms: Spread,
    pub init_ms: Spread,
    pub first_ms: Spread,
    pub warm_ms: Spread,
    pub rss_mb: Spread,
    /// CPU of init and first call, of hello world's.
    pub of_hello: Option<f64>,
    /// CPU of init and first call of boto3, of this.
    pub boto3_of_it: Option<f64>,
    /// CPU of a warm call of boto3, of this.
    pub boto3_warm_of_it: Option<f64>,
    pub instructions: Option<u64>,
    pub size: Option<Size>,
    /// First call under the quotas of memory sizes: megabytes, wall of the first call, of a warm one.
    pub quotas: Vec<(u32, Spread, Spread)>,
    pub samples: Samples,
}

/// Where half of the values lie, and nine in ten.
#[derive(Clone, Copy, Serialize)]
pub struct Spread {
    pub median: f64,
    pub p90: f64,
}

impl Spread {
    fn of(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> Self {
        let values: Vec<f64> = samples.iter().map(value).collect();
        let at = |share| quantile(&values, share).unwrap_or(f64::NAN);
        Self { median: at(0.5), p90: at(0.9) }
    }
}

/// The figures of all, of the samples of all and of those under quotas.
pub fn figures(
    all: &[Contestant],
    samples: &[Samples],
    quotas: &[(u32, Vec<Samples>)],
    instructions: &[Option<u64>],
) -> Vec<Figures> {
    let place = |kind: Kind, function: &str| all.iter().position(|one| one.kind == kind && one.function == function);
    let of = |at: usize, samples: &[Samples]| samples.get(at).cloned().unwrap_or_default();
    let mut figures = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let own = of(at, samples);
        let against = |other: Option<usize>, value: fn(&Sample) -> f64, upside_down: bool| {
            let others = samples.get(other?)?;
            let pairs = own.iter().zip(others).map(|(own, other)| value(own) / value(other));
            median(&pairs.map(|ratio| if upside_down { 1.0 / ratio } else { ratio }).collect::<Vec<_>>())
        };
        let boto3 = place(Kind::Boto3, &one.function).filter(|_| one.kind != Kind::Boto3);
        let warm = |sample: &Sample| sample.cpu_warm_ms.unwrap_or(f64::NAN);
        figures.push(Figures {
            name: one.name(),
            kind: one.kind,
            function: one.function.clone(),
            cpu_init_ms: Spread::of(&own, |sample| sample.cpu_init_ms),
            cpu_first_ms: Spread::of(&own, |sample| sample.cpu_first_ms),
            cpu_warm_ms: Spread::of(&own, warm),
            init_ms: Spread::of(&own, |sample| sample.init_ms),
            first_ms: Spread::of(&own, |sample| sample.first_ms),
            warm_ms: Spread::of(&own, |sample| sample.warm_ms.unwrap_or(f64::NAN)),
            rss_mb: Spread::of(&own, |sample| sample.rss_mb),
            of_hello: against(place(Kind::Hello, HELLO), |sample| sample.cpu_first_ms, false),
            boto3_of_it: against(boto3, |sample| sample.cpu_first_ms, true),
            boto3_warm_of_it: against(boto3, warm, true),
            instructions: instructions.get(at).copied().flatten(),
            size: one.size,
            quotas: quotas
                .iter()
                .map(|(memory, samples)| {
                    let held = of(at, samples);
                    let warm = |sample: &Sample| sample.warm_ms.unwrap_or(f64::NAN);
                    (*memory, Spread::of(&held, |sample| sample.first_ms), Spread::of(&held, warm))
                })
                .collect(),
            samples: own,
        });
    }
    figures
}

/// As Markdown.
pub fn markdown(figures: &[Figures]) -> String {
    let mut text = String::from(CPU_HEAD);
    for one in figures {
        let times = |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.1}"));
        let size = one.size.map_or("-".to_owned(), |size| format!("{} / {}", mb(size.binary), mb(size.zip)));
        let instructions = one.instructions.map_or("-".to_owned(), mb);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {instructions} | {:.1} | {size} |",
            one.name,
            spread(one.cpu_init_ms),
            spread(one.cpu_first_ms),
            spread(one.cpu_warm_ms),
            times(one.of_hello),
            times(one.boto3_of_it),
            times(one.boto3_warm_of_it),
            one.rss_mb.median,
        );
    }
    text.push_str("\nWall times, in ms, median (90th percentile):\n\n");
    let (mut head, mut rule) = ("| | init | first call | warm call |".to_owned(), "|---|---|---|---|".to_owned());
    for (memory, ..) in figures.first().map(|one| one.quotas.as_slice()).unwrap_or_default() {
        let _ = write!(head, " first at {memory} MB | warm at {memory} MB |");
        rule.push_str("---|---|");
    }
    let _ = writeln!(text, "{head}\n{rule}");
    for one in figures {
        let (init, first, warm) = (spread(one.init_ms), spread(one.first_ms), spread(one.warm_ms));
        let _ = write!(text, "| {} | {init} | {first} | {warm} |", one.name);
        for (_, first, warm) in &one.quotas {
            let _ = write!(text, " {} | {} |", spread(*first), spread(*warm));
        }
        text.push('\n');
    }
    text
}

const CPU_HEAD: &str = "\
CPU by the process's own clock, in ms, median (90th percentile), and the rest:

| | CPU of init | CPU of init + first call | CPU of a warm call | of F0 | boto3 of it | warm, boto3 of it | M instructions, init + 2 calls | RSS, MB | binary / zip, MB |
|---|---|---|---|---|---|---|---|---|---|
";

fn spread(of: Spread) -> String {
    let digits = |value: f64| if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{:.*} ({:.*})", digits(of.median), of.median, digits(of.p90), of.p90)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mb(count: u64) -> String {
    format!("{:.1}", count as f64 / 1e6)
}
