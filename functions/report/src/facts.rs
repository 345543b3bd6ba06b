//! What is known of a run, as values: what the report is made from, and what stands in its JSON. Pure.
//!
//! What was not measured is absent, or in `not_measured` with its reason; it is never zero.

pub use history::{Entry, Kind, Weight};
use jiff::Timestamp;
use judge::Counts;
use serde::{Deserialize, Serialize};

use crate::load::Load;
use crate::resources::ResourceChange;

/// A run, up to a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The application's name.
    pub application: String,
    /// The ARN of the cutover's execution.
    pub run_id: String,
    /// How it ended: `Succeeded`, `RolledBack`, `Stuck`, `Held`; its phase where it has not.
    pub ending: String,
    /// When its execution began.
    pub began_at: Timestamp,
    /// Until when things are told.
    pub until: Timestamp,
    /// Why it was rolled back, as its starter said.
    pub why: Option<String>,
    /// How long it took from the first bad look to all routes put back, where looks turned the run back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_seconds: Option<u64>,
    /// The routes, in the plan's order.
    pub routes: Vec<RouteFacts>,
    /// What each check of the holds saw.
    pub gates: Vec<Gate>,
    /// Further metrics that the plan names, over time.
    pub resources: Vec<Series>,
    /// Those that the plan limits, which are the new side's, since all traffic is there.
    pub resources_of_new: Vec<Series>,
    /// Whether the plan's limits hold, as they were looked at in the end.
    pub limits: Vec<Limit>,
    /// Those, and the new side's, before the cutover and after it.
    pub resource_changes: Vec<ResourceChange>,
    /// The load test's result.
    pub load: Option<Load>,
    /// How the old side served before the first step, in lines.
    pub baseline: Vec<String>,
    /// What happened, in order.
    pub timeline: Vec<Entry>,
    /// What the run wanted to do, and did not.
    pub not_done: Vec<String>,
    /// What was not measured, and why.
    pub not_measured: Vec<String>,
    /// How long after the end the old side is removed, in seconds.
    pub cleanup_after_seconds: u64,
}

/// One route.
#[derive(Clone, Debug, Serialize)]
pub struct RouteFacts {
    /// How a person calls it.
    pub title: String,
    /// The new side's weights, in percent, from when on.
    pub weights: Vec<Weight>,
    /// What its load balancer counted, where it counts.
    pub sides: Option<Sides>,
}

/// Both sides of a route.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sides {
    /// The length of one period, in seconds.
    pub period_seconds: i64,
    /// The old side.
    pub old: Vec<Period>,
    /// The new side.
    pub new: Vec<Period>,
}

/// One period of one side, as CloudWatch tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Period {
    /// When it begins.
    pub at: Timestamp,
    /// Requests; none where nothing was told.
    pub requests: Option<f64>,
    /// Answers with 5xx.
    pub errors: Option<f64>,
    /// The median latency, in milliseconds.
    pub p50_ms: Option<f64>,
    /// The 95th percentile, in milliseconds.
    pub p95_ms: Option<f64>,
}

impl Period {
    /// The share of errors, in percent. A load balancer is silent where there is none, so errors that are not told are none where
    /// requests are.
    pub fn error_percent(&self) -> Option<f64> {
        let requests = self.requests.filter(|requests| *requests > 0.0)?;
        Some(100.0 * self.errors.unwrap_or(0.0) / requests)
    }
}

/// A value at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// In the series' own unit.
    pub value: f64,
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// As the plan calls it.
    pub name: String,
    /// CloudWatch's name of it, such as `CPUUtilization`.
    pub metric_name: String,
    /// Its values.
    pub points: Vec<Point>,
}

/// One limit of the plan, as `validate` answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
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

/// One check of the holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Gate {
    /// As the plan calls it.
    pub name: String,
    /// Whether it says how a side does: a metric, an alarm, a target group. Where a route is, and whom it leads where, does not.
    pub is_of_service: bool,
    /// How often it was looked at.
    pub looks: u32,
    /// How often all was well.
    pub healthy: u32,
    /// How often something was wrong.
    pub unhealthy: u32,
    /// How often nothing was wrong, and there was too little data to be certain.
    pub too_little: u32,
    /// How often there was no data.
    pub not_known: u32,
    /// What the last look saw.
    pub last_seen: String,
    /// The value that means trouble, where it is one.
    pub limit: Option<f64>,
    /// Its values.
    pub points: Vec<Point>,
}

impl Facts {
    /// When the last route had all its weight on the new side, if each has. Until then one route's users may reach the old side of another.
    pub fn all_moved_at(&self) -> Option<Timestamp> {
        let last =
            |route: &RouteFacts| route.weights.last().filter(|weight| weight.percent == 100).map(|weight| weight.at);
        self.routes.iter().map(last).collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

impl RouteFacts {
    /// How many requests each side had in all: old, new. None where they were not counted.
    pub fn requests(&self) -> Option<(f64, f64)> {
        let sum = |side: &[Period]| {
            let told: Vec<f64> = side.iter().filter_map(|period| period.requests).collect();
            (!told.is_empty()).then(|| told.iter().sum::<f64>())
        };
        let sides = self.sides.as_ref()?;
        let (old, new) = (sum(&sides.old), sum(&sides.new));
        (old.is_some() || new.is_some()).then(|| (old.unwrap_or(0.0), new.unwrap_or(0.0)))
    }

    /// How many requests each side had in the periods that tell, and how many of them it answered with 5xx: old, new.
    pub fn errors(&self) -> Option<[Counts; 2]> {
        let sides = self.sides.as_ref()?;
        let of = |side: &[Period]| {
            let counted =
                side.iter().filter_map(|period| Counts::observed(period.errors.unwrap_or(0.0), period.requests?));
            counted.fold(Counts::default(), |mut sum, one| {
                sum += one;
                sum
            })
        };
        Some([of(&sides.old), of(&sides.new)])
    }

    /// The new side's share of the requests in each period that had some, in percent.
    pub fn shares(&self) -> Vec<Point> {
        let Some(sides) = &self.sides else { return Vec::new() };
        let share = |(old, new): (&Period, &Period)| {
            let (of_old, of_new) = (old.requests.unwrap_or(0.0), new.requests.unwrap_or(0.0));
            (of_old + of_new > 0.0).then(|| Point { at: old.at, value: 100.0 * of_new / (of_old + of_new) })
        };
        sides.old.iter().zip(&sides.new).filter_map(share).collect()
    }

    /// Requests that the old side still had in whole periods since then.
    pub fn left_behind(&self, since: Timestamp) -> Option<f64> {
        let sides = self.sides.as_ref()?;
        let after: Vec<f64> =
            sides.old.iter().filter(|period| period.at >= since).filter_map(|period| period.requests).collect();
        (!after.is_empty()).then(|| after.iter().sum())
    }

    /// The most requests a second that both sides together had in any period.
    pub fn peak_rps(&self) -> Option<f64> {
        let sides = self.sides.as_ref()?;
        let both = sides.old.iter().zip(&sides.new);
        let rates = both.filter_map(|(old, new)| match (old.requests, new.requests) {
            (None, None) => None,
            (old, new) => Some((old.unwrap_or(0.0) + new.unwrap_or(0.0)) / sides.period_seconds as f64),
        });
        rates.max_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(second: i64, requests: Option<f64>) -> Period {
        let at = Timestamp::from_second(second).unwrap();
        Period { at, requests, errors: None, p50_ms: None, p95_ms: None }
    }

    fn route() -> RouteFacts {
        let old = vec![period(0, Some(90.0)), period(60, Some(30.0)), period(120, None)];
        let new = vec![period(0, Some(10.0)), period(60, Some(90.0)), period(120, None)];
        let weights = vec![Weight { at: Timestamp::from_second(30).unwrap(), route: 0, percent: 100 }];
        RouteFacts { title: "l".to_owned(), weights, sides: Some(Sides { period_seconds: 60, old, new }) }
    }

    #[test]
    fn shares_are_of_requests_as_they_were_counted() {
        let route = route();
        assert_eq!(route.shares().iter().map(|point| point.value).collect::<Vec<_>>(), [10.0, 75.0]);
        assert_eq!(route.requests(), Some((120.0, 100.0)));
        assert_eq!(route.peak_rps(), Some(2.0));
        assert_eq!(
            route.left_behind(Timestamp::from_second(30).unwrap()),
            Some(30.0),
            "the period in which the weight changed is not whole"
        );
    }

    #[test]
    fn what_was_not_counted_is_absent() {
        let silent = RouteFacts {
            sides: Some(Sides { period_seconds: 60, old: vec![period(0, None)], new: vec![period(0, None)] }),
            ..route()
        };
        assert_eq!((silent.requests(), silent.peak_rps(), silent.shares()), (None, None, vec![]));
        assert_eq!(RouteFacts { sides: None, ..route() }.left_behind(Timestamp::UNIX_EPOCH), None);
        assert_eq!(period(0, None).error_percent(), None);
        assert_eq!(period(0, Some(10.0)).error_percent(), Some(0.0));
        assert_eq!(silent.errors(), Some([Counts::default(); 2]));
    }
}
