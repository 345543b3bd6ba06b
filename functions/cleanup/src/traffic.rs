//! What CloudWatch says of a target group's traffic. No data is not silence: a group is silent only where its traffic is known
//! to be counted, and the count is none.
//!
//! | load balancer | counted as | no datapoint lately means |
//! |---|---|---|
//! | application | `RequestCount`, reported only when there is traffic (user guide, *CloudWatch metrics*) | silence, if there has been one since before the run |
//! | network | `ActiveFlowCount`, always reported; `NewFlowCount`, `ProcessedBytes` | nothing: what always is reported is not reported for the group |

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, StatusCode};
use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};
use routes::listener::arns;
use watch::metric::Asked;

/// Datapoints of load balancers arrive a period or two late; and a client that comes seldom is seen, too.
const LATELY: SignedDuration = SignedDuration::from_mins(15);
/// The old side's users before the run show that its traffic is counted; also where they come only once a week.
const BEFORE_RUN: SignedDuration = SignedDuration::from_hours(14 * 24);
const MINUTE_SECONDS: u64 = 60;
/// Hours are kept for 455 days (CloudWatch, *Metrics retention*): longer than a run lives.
const HOUR_SECONDS: u64 = 3600;

/// What is known of a group's traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// It is counted, and there is none.
    Silent,
    /// There is some, or was just now.
    Serves,
    /// Nobody can say; why.
    Unknown(String),
}

/// One metric's datapoints.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    /// The values of the last minutes.
    lately: Vec<f64>,
    /// Whether there is any since before the run.
    has_history: bool,
}

/// Where a group's traffic is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The group's ARN.
    pub group: &'a str,
    /// The load balancers that send it traffic, or did in the run.
    pub balancers: &'a [String],
    /// When the run was claimed, RFC 3339.
    pub started_at: &'a str,
}

/// The traffic of a group, through all of its load balancers. What may not be looked at is not known.
///
/// # Errors
/// Those that a repetition may cure.
pub(crate) async fn of(cloudwatch: &Client, place: Place<'_>, now: Timestamp) -> StepResult<Traffic> {
    let mut found = Vec::new();
    for balancer in place.balancers {
        found.push(match through(cloudwatch, place, balancer, now).await {
            Ok(traffic) => traffic,
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => Traffic::Unknown(format!("its traffic could not be looked at ({})", error.message)),
        });
    }
    Ok(all(found))
}

/// The most careful of several: whoever serves, serves; of none at all nothing is known.
fn all(found: Vec<Traffic>) -> Traffic {
    let mut worst = None;
    for one in found {
        match one {
            Traffic::Serves => return Traffic::Serves,
            Traffic::Unknown(why) => worst = Some(Traffic::Unknown(why)),
            Traffic::Silent => worst = worst.or(Some(Traffic::Silent)),
        }
    }
    worst.unwrap_or_else(|| Traffic::Unknown("no load balancer tells of its traffic".to_owned()))
}

async fn through(cloudwatch: &Client, place: Place<'_>, balancer: &str, now: Timestamp) -> StepResult<Traffic> {
    let metric = |name, stat| Series { place, balancer, name, stat };
    if arns::is_network(balancer) {
        let active = metric("ActiveFlowCount", "Maximum").lately(cloudwatch, now).await?;
        let new = metric("NewFlowCount", "Sum").lately(cloudwatch, now).await?;
        let bytes = metric("ProcessedBytes", "Sum").lately(cloudwatch, now).await?;
        return Ok(network(&active, &[new, bytes].concat()));
    }
    let requests = metric("RequestCount", "Sum");
    let lately = requests.lately(cloudwatch, now).await?;
    let has_history = !requests.values(cloudwatch, HOUR_SECONDS, since(place.started_at, now), now).await?.is_empty();
    Ok(application(&Seen { lately, has_history }))
}

/// From when on datapoints speak of this group's time in the run.
fn since(started_at: &str, now: Timestamp) -> Timestamp {
    started_at.parse::<Timestamp>().unwrap_or(now) - BEFORE_RUN
}

fn application(requests: &Seen) -> Traffic {
    if requests.lately.iter().any(|count| *count > 0.0) {
        return Traffic::Serves;
    }
    if requests.has_history {
        return Traffic::Silent;
    }
    let why =
        "CloudWatch has no RequestCount of it, not even from the time before the run: nothing says that it is silent";
    Traffic::Unknown(why.to_owned())
}

fn network(active: &[f64], others: &[f64]) -> Traffic {
    if active.iter().chain(others).any(|count| *count > 0.0) {
        return Traffic::Serves;
    }
    if !active.is_empty() {
        return Traffic::Silent;
    }
    let why = "CloudWatch has no ActiveFlowCount of it of the last 15 minutes: nothing says that no connection is open";
    Traffic::Unknown(why.to_owned())
}

/// A metric of a group behind a load balancer.
#[derive(Clone, Copy, Debug)]
struct Series<'a> {
    place: Place<'a>,
    balancer: &'a str,
    name: &'static str,
    stat: &'static str,
}

impl Series<'_> {
    async fn lately(&self, cloudwatch: &Client, now: Timestamp) -> StepResult<Vec<f64>> {
        self.values(cloudwatch, MINUTE_SECONDS, now - LATELY, now).await
    }

    async fn values(
        &self,
        cloudwatch: &Client,
        period_seconds: u64,
        start: Timestamp,
        end: Timestamp,
    ) -> StepResult<Vec<f64>> {
        let call = format!("cloudwatch:GetMetricData {}", self.name);
        let mut pages = cloudwatch
            .get_metric_data()
            .metric_data_queries(self.query(period_seconds))
            .start_time(DateTime::from_secs(start.as_second()))
            .end_time(DateTime::from_secs(end.as_second()))
            .into_paginator()
            .send();
        let mut values = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StepError::from_aws(&call, &error))?;
            for result in page.metric_data_results.unwrap_or_default() {
                match result.status_code() {
                    Some(StatusCode::Forbidden) => {
                        return Err(StepError::new(name::NOT_PERMITTED, format!("{call} is forbidden")));
                    }
                    Some(StatusCode::InternalError) => {
                        return Err(StepError::new(name::TRANSIENT, format!("{call} answers InternalError")));
                    }
                    _ => values.extend(result.values.unwrap_or_default()),
                }
            }
        }
        Ok(values)
    }

    fn query(&self, period_seconds: u64) -> MetricDataQuery {
        let namespace = if arns::is_network(self.balancer) { "AWS/NetworkELB" } else { "AWS/ApplicationELB" };
        let group = ("TargetGroup", arns::group_dimension(self.place.group));
        let dimensions = vec![group, ("LoadBalancer", arns::balancer_dimension(self.balancer))];
        let asked = Asked { namespace, metric_name: self.name, dimensions, statistic: self.stat, period_seconds };
        asked.query("traffic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_unknown(traffic: &Traffic) -> bool {
        matches!(traffic, Traffic::Unknown(_))
    }

    #[test]
    fn no_data_is_not_silence() {
        let seen = |lately: &[f64], has_history| application(&Seen { lately: lately.to_vec(), has_history });
        assert!(is_unknown(&seen(&[], false)));
        assert_eq!(seen(&[], true), Traffic::Silent);
        assert_eq!(seen(&[0.0, 0.0], true), Traffic::Silent);
        assert_eq!(seen(&[0.0, 1.0], true), Traffic::Serves);
        assert_eq!(seen(&[1.0], false), Traffic::Serves);
    }

    #[test]
    fn a_network_load_balancer_is_silent_only_where_it_says_so() {
        assert!(is_unknown(&network(&[], &[])));
        assert!(is_unknown(&network(&[], &[0.0])), "an idle connection has no bytes");
        assert_eq!(network(&[0.0], &[]), Traffic::Silent);
        assert_eq!(network(&[0.0, 800.0], &[]), Traffic::Serves);
        assert_eq!(network(&[0.0], &[1e9]), Traffic::Serves);
    }

    #[test]
    fn of_several_load_balancers_the_most_careful_counts() {
        let unknown = || Traffic::Unknown("why".to_owned());
        assert_eq!(all(vec![Traffic::Silent, Traffic::Silent]), Traffic::Silent);
        assert_eq!(all(vec![unknown(), Traffic::Silent]), unknown());
        assert_eq!(all(vec![Traffic::Silent, unknown()]), unknown());
        assert_eq!(all(vec![unknown(), Traffic::Silent, Traffic::Serves]), Traffic::Serves);
        assert!(is_unknown(&all(vec![])));
    }

    #[test]
    fn history_begins_before_the_run() {
        let now: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
        assert_eq!(since("2026-03-01T12:00:00Z", now).to_string(), "2026-02-15T12:00:00Z");
        assert_eq!(since("?", now).to_string(), "2026-02-17T00:00:00Z");
    }

    #[test]
    fn each_kind_of_load_balancer_counts_in_a_namespace_of_its_own() {
        for (kind, namespace) in [("app", "AWS/ApplicationELB"), ("net", "AWS/NetworkELB")] {
            let balancer = format!("arn:aws:elasticloadbalancing:r:1:loadbalancer/{kind}/shop/1");
            let group = "arn:aws:elasticloadbalancing:r:1:targetgroup/old/2";
            let place = Place { group, balancers: &[], started_at: "" };
            let query = Series { place, balancer: &balancer, name: "N", stat: "Sum" }.query(60);
            let metric = query.metric_stat().and_then(|stat| stat.metric()).unwrap();
            assert_eq!(metric.namespace(), Some(namespace));
            let values: Vec<_> = metric.dimensions().iter().filter_map(|dimension| dimension.value()).collect();
            assert_eq!(values, ["targetgroup/old/2", &format!("{kind}/shop/1")]);
        }
    }
}
