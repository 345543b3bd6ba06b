//! What CloudWatch has of the plan's metrics, all in one call: 500 queries fit, and a plan has at most 100 metrics of at most five series each; and
//! the requests of both sides, in another.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricDataResult, StatusCode};
use cutover::error::name;
use cutover::plan::{self, Counted};
use cutover::{Seconds, StepError, StepResult};
use watch::Metrics;
use watch::metric::Asked as Wanted;

use crate::counts::{Look, Tests};
use crate::metrics::{Datapoints, Series, Window};

/// The datapoints of each metric, in the order of the plan; of one that CloudWatch could not give, why.
///
/// # Errors
/// The call failed.
pub async fn datapoints(
    cloudwatch: &Metrics,
    look: &Look<'_>,
    tests: &Tests,
) -> StepResult<Vec<StepResult<Datapoints>>> {
    let metrics = &look.monitoring.metrics;
    let windows = metrics.iter().enumerate().flat_map(|(index, metric)| {
        let newest = Window::new(metric.period, look.elapsed_seconds, look.now);
        let to_count = metric.sequential().map(|_| look.to_count(metric, tests.get(&index)));
        std::iter::once(newest).chain(to_count)
    });
    let results = data(cloudwatch, metrics, &windows.collect::<Vec<_>>()).await?;
    Ok((0..metrics.len()).map(|index| of_metric(&results, index)).collect())
}

async fn data(cloudwatch: &Metrics, metrics: &[plan::Metric], windows: &[Window]) -> StepResult<Vec<MetricDataResult>> {
    let queries = metrics.iter().enumerate().flat_map(|(index, metric)| queries(index, metric)).collect();
    let longest = metrics.iter().map(|metric| metric.period).max().unwrap_or(Seconds(60)).0 as i64;
    let end = windows.iter().map(|window| window.end).max().unwrap_or(0);
    // While every window is empty there is no value to come, but the call still shows whether it is permitted.
    let start = windows.iter().map(|window| window.start).min().unwrap_or(0).min(end - 1);
    watch::data::answered(cloudwatch, queries, start - start.rem_euclid(longest.max(1)), end).await
}

/// The requests of two load balancers, or of two target groups, by their dimensions, in a window, by minutes. Load balancers are silent where
/// there are none.
///
/// # Errors
/// The call failed.
pub async fn requests(cloudwatch: &Metrics, counted: [Vec<(&str, &str)>; 2], window: Window) -> StepResult<[u64; 2]> {
    let query = |(index, dimensions): (usize, Vec<(&str, &str)>)| {
        let asked = Wanted {
            namespace: "AWS/ApplicationELB",
            metric_name: "RequestCount",
            dimensions,
            statistic: "Sum",
            period_seconds: 60,
        };
        asked.query(format!("{VALUE}{index}"))
    };
    let queries = counted.into_iter().enumerate().map(query).collect();
    let results = watch::data::answered(cloudwatch, queries, window.start, window.end).await?;
    let count = |index: usize| -> StepResult<u64> {
        let datapoints = of_metric(&results, index)?;
        Ok(datapoints
            .values
            .values()
            .filter(|count| (0.0..=9e15).contains(*count))
            .map(|count| count.round() as u64)
            .sum())
    };
    Ok([count(0)?, count(1)?])
}

/// The queries of a metric: itself, what divides it, and what a sequential test counts.
fn queries(index: usize, metric: &plan::Metric) -> Vec<MetricDataQuery> {
    let own = Asked {
        namespace: &metric.namespace,
        metric_name: &metric.metric_name,
        dimensions: &metric.dimensions,
        statistic: metric.statistic.clone(),
    };
    let divisor = metric.divide_by.as_ref().map(|divisor| Asked {
        namespace: divisor.namespace.as_ref().unwrap_or(&metric.namespace),
        metric_name: &divisor.metric_name,
        dimensions: divisor.dimensions.as_ref().unwrap_or(&metric.dimensions),
        statistic: divisor.statistic.as_ref().unwrap_or(&metric.statistic).clone(),
    });
    let value = if let Some(Counted::Above { value }) = metric.sequential().map(|countable| countable.counted) {
        Some(value)
    } else {
        None
    };
    let above = value.map(|value| Asked { statistic: count_above(value), ..own.clone() });
    let all = divisor.or_else(|| value.map(|_| Asked { statistic: "SampleCount".to_owned(), ..own.clone() }));
    let mut asked = vec![(VALUE, Some(own.clone())), (DIVISOR, all.clone()), (ABOVE, above.clone())];
    if let Some(old) = metric.compare_to.as_ref().filter(|_| metric.sequential().is_some()) {
        asked.push((OLD_BAD, Some(Asked { dimensions: &old.dimensions, ..above.unwrap_or(own) })));
        asked.push((OLD_ALL, all.map(|all| Asked { dimensions: &old.dimensions, ..all })));
    }
    asked.into_iter().filter_map(|(name, asked)| Some(query(format!("{name}{index}"), metric, &asked?))).collect()
}

/// One series that is asked for.
#[derive(Clone, Debug)]
struct Asked<'a> {
    namespace: &'a str,
    metric_name: &'a str,
    dimensions: &'a BTreeMap<String, String>,
    statistic: String,
}

/// What the series of a metric are called: a name, and the metric's place.
const VALUE: &str = "value";
const DIVISOR: &str = "divisor";
const ABOVE: &str = "above";
const OLD_BAD: &str = "old_bad";
const OLD_ALL: &str = "old_all";

/// The statistic that counts samples above a value (CloudWatch user guide, statistics definitions: trimmed count), in ten places.
fn count_above(value: f64) -> String {
    let text = format!("{value:.10}");
    format!("TC({}:)", text.trim_end_matches('0').trim_end_matches('.'))
}

fn query(id: String, metric: &plan::Metric, asked: &Asked<'_>) -> MetricDataQuery {
    let asked = Wanted {
        namespace: asked.namespace,
        metric_name: asked.metric_name,
        dimensions: Wanted::dimensions(asked.dimensions),
        statistic: &asked.statistic,
        period_seconds: metric.period.0,
    };
    asked.query(id)
}

/// The datapoints of one metric, or why CloudWatch could not give them.
fn of_metric(results: &[MetricDataResult], index: usize) -> StepResult<Datapoints> {
    let series = |name: &str| -> StepResult<Series> {
        let id = format!("{name}{index}");
        let mut series = Series::new();
        for result in results.iter().filter(|result| result.id() == Some(&id)) {
            if let Some(status @ (StatusCode::InternalError | StatusCode::Forbidden)) = result.status_code() {
                let problem = format!("cloudwatch:GetMetricData answers {}", status.as_str());
                return Err(StepError::new(name::TRANSIENT, problem));
            }
            series.extend(result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied()));
        }
        Ok(series)
    };
    Ok(Datapoints {
        values: series(VALUE)?,
        divisors: series(DIVISOR)?,
        above: series(ABOVE)?,
        old_bad: series(OLD_BAD)?,
        old_all: series(OLD_ALL)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datapoints_are_told_apart_by_their_query_and_joined_over_pages() {
        let result = |id: &str, at: i64, value: f64| {
            MetricDataResult::builder().id(id).timestamps(DateTime::from_secs(at)).values(value).build()
        };
        let results = [result("value0", 60, 1.0), result("value0", 120, 2.0), result("divisor0", 60, 4.0)];
        let points = of_metric(&results, 0).unwrap();
        assert_eq!(points.values, Series::from([(60, 1.0), (120, 2.0)]));
        assert_eq!(points.divisors, Series::from([(60, 4.0)]));
        assert_eq!(of_metric(&results, 1).unwrap(), Datapoints::default());
        let broken = MetricDataResult::builder().id("value1").status_code(StatusCode::InternalError).build();
        assert!(of_metric(&[broken], 1).is_err());
    }

    #[test]
    fn a_divisor_takes_over_what_it_leaves_out() {
        let metric: plan::Metric = plan_metric();
        let queries = queries(3, &metric);
        let stats: Vec<_> = queries.iter().filter_map(MetricDataQuery::metric_stat).collect();
        assert_eq!(queries.iter().filter_map(MetricDataQuery::id).collect::<Vec<_>>(), ["value3", "divisor3"]);
        let metrics: Vec<_> = stats.iter().filter_map(|stat| stat.metric()).collect();
        assert_eq!((metrics[0].metric_name(), metrics[1].metric_name()), (Some("Errors"), Some("Requests")));
        assert_eq!(
            (metrics[0].namespace(), metrics[0].dimensions()),
            (metrics[1].namespace(), metrics[1].dimensions())
        );
        assert_eq!((stats[1].stat(), stats[1].period()), (Some("Sum"), Some(60)));
    }

    /// Namespace or dimension, metric and statistic of what is asked for.
    fn asked(metric: &plan::Metric) -> Vec<String> {
        let asked = |query: &MetricDataQuery| {
            let stat = query.metric_stat()?;
            let metric = stat.metric()?;
            let side = metric.dimensions().first().and_then(|one| one.value())?;
            Some(format!("{} {side} {} {}", query.id()?, metric.metric_name()?, stat.stat()?))
        };
        queries(3, metric).iter().filter_map(asked).collect()
    }

    #[test]
    fn what_a_test_counts_is_asked_for_of_both_sides() {
        let old = plan::ComparedTo { dimensions: BTreeMap::from([("Side".to_owned(), "old".to_owned())]) };
        let share = plan::Metric { threshold: 0.01, compare_to: Some(old.clone()), ..plan_metric() };
        let of_share = [
            "value3 new Errors Sum",
            "divisor3 new Requests Sum",
            "old_bad3 old Errors Sum",
            "old_all3 old Requests Sum",
        ];
        assert_eq!(asked(&share), of_share);
        let by_threshold = plan::Metric { test: Some(plan::TestKind::Threshold), ..share };
        assert_eq!(asked(&by_threshold), of_share[..2]);
        let latency = plan::Metric {
            statistic: "p95".to_owned(),
            threshold: 0.5,
            divide_by: None,
            test: Some(plan::TestKind::Sequential),
            compare_to: Some(old),
            ..plan_metric()
        };
        assert_eq!(
            asked(&latency),
            [
                "value3 new Errors p95",
                "divisor3 new Errors SampleCount",
                "above3 new Errors TC(0.5:)",
                "old_bad3 old Errors TC(0.5:)",
                "old_all3 old Errors SampleCount"
            ]
        );
        assert_eq!([0.8, 2.0, 1e-12].map(count_above), ["TC(0.8:)", "TC(2:)", "TC(0:)"]);
    }

    fn plan_metric() -> plan::Metric {
        plan::Metric {
            name: "rate".to_owned(),
            namespace: "Shop".to_owned(),
            metric_name: "Errors".to_owned(),
            dimensions: BTreeMap::from([("Side".to_owned(), "new".to_owned())]),
            statistic: "Sum".to_owned(),
            period: Seconds(60),
            divide_by: Some(plan::Series {
                namespace: None,
                metric_name: "Requests".to_owned(),
                dimensions: None,
                statistic: None,
                period: None,
            }),
            comparison: plan::Comparison::GreaterThan,
            threshold: 0.0,
            test: None,
            compare_to: None,
            dispersion: None,
            missing: plan::Missing::ZeroIfDivisor,
        }
    }
}
