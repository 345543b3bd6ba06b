//! Whether the plan's limits hold. Pure.
//!
//! Bounds are inclusive: exactly the limit holds. What has no value does not hold: no data is never a pass. Margins are signed: what is left
//! until the limit, below zero what is too much.

use cutover::error::name;
use cutover::plan::{OnLimit, ResourceLimit};
use cutover::verdict::words::LIMITS;
use cutover::{StepError, StepResult};
use serde::{Deserialize, Serialize};

/// One limit, and whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// As the plan calls it.
    pub name: String,
    /// The highest value that holds.
    pub max: f64,
    /// The highest value of any minute.
    pub measured: Option<f64>,
    /// What is left until the limit; below zero, what is too much.
    pub margin: Option<f64>,
    /// Whether it holds.
    pub holds: bool,
}

/// Every limit, in the plan's order; `values` are those of its minutes.
pub fn lines(limits: &[ResourceLimit], values: &[Vec<f64>]) -> Vec<Line> {
    let line = |(index, limit): (usize, &ResourceLimit)| {
        let values = values.get(index).into_iter().flatten().copied().filter(|value| value.is_finite());
        let measured = values.max_by(f64::total_cmp);
        let margin = measured.map(|measured| limit.max - measured);
        Line {
            name: limit.name.clone(),
            max: limit.max,
            measured,
            margin,
            holds: margin.is_some_and(|margin| margin >= 0.0),
        }
    };
    limits.iter().enumerate().map(line).collect()
}

/// What is told at the end of a run that goes on in spite of limits that do not hold; none where all do.
///
/// # Errors
/// `Cutover.Unhealthy` where the plan rolls back.
pub fn judge(lines: &[Line], on_violation: OnLimit) -> StepResult<Option<String>> {
    let broken: Vec<String> = lines.iter().filter(|line| !line.holds).map(Line::told).collect();
    if broken.is_empty() {
        return Ok(None);
    }
    let told = format!("{LIMITS}{}", broken.join("; "));
    match on_violation {
        OnLimit::Report => Ok(Some(told)),
        OnLimit::RollBack => Err(StepError::new(name::UNHEALTHY, told)),
    }
}

impl Line {
    fn told(&self) -> String {
        let Self { name, max, .. } = self;
        match (self.measured, self.margin) {
            (Some(measured), Some(margin)) => {
                format!("{name} may be {max} at the most, and was {measured:.4} (margin {margin:.4})")
            }
            _ => format!("{name} may be {max} at the most, and has no value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(all: &[f64]) -> Vec<ResourceLimit> {
        let limit = |max: &f64| {
            serde_json::from_value(
                json!({ "name": "CPU of the new side, percent", "namespace": "AWS/ECS", "metric_name": "CPUUtilization",
                "statistic": "Average", "max": max }),
            )
            .unwrap()
        };
        all.iter().map(limit).collect()
    }

    #[test]
    fn a_limit_holds_up_to_exactly_its_value_in_every_minute_and_without_a_value_it_does_not() {
        let told = |values: &[f64]| {
            let line = lines(&limits(&[80.0]), &[values.to_vec()]).remove(0);
            (line.measured, line.margin, line.holds)
        };
        assert_eq!(told(&[10.0, 80.0, 20.0]), (Some(80.0), Some(0.0), true));
        assert_eq!(told(&[10.0, 80.5]), (Some(80.5), Some(-0.5), false));
        assert_eq!(told(&[30.0]), (Some(30.0), Some(50.0), true));
        assert_eq!(told(&[]), (None, None, false));
        assert_eq!(told(&[f64::NAN]), (None, None, false));
        assert!(!lines(&limits(&[1.0]), &[])[0].holds, "nobody answered");
    }

    #[test]
    fn the_plan_says_what_a_violation_means() {
        let broken = lines(&limits(&[80.0, 70.0, 60.0]), &[vec![91.25], vec![], vec![60.0]]);
        let error = judge(&broken, OnLimit::RollBack).unwrap_err();
        assert_eq!(error.name, name::UNHEALTHY);
        let expected = "limits do not hold: CPU of the new side, percent may be 80 at the most, and was 91.2500 (margin -11.2500); \
                        CPU of the new side, percent may be 70 at the most, and has no value";
        assert_eq!(error.message, expected);
        assert_eq!(judge(&broken, OnLimit::Report).unwrap().as_deref(), Some(expected));
        assert_eq!(judge(&broken[2..], OnLimit::RollBack), Ok(None));
        assert_eq!(judge(&[], OnLimit::RollBack), Ok(None));
    }
}
