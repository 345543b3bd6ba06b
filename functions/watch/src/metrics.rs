//! CloudWatch wherever a plan's load balancers are: they report in their own account and region, and nowhere else.
//!
//! A series that names one of the plan's load balancers is asked for there, in the role that the stack has for that account; every other series
//! in the stack's own account and region.
//!
//! Reads: STS, by [`Access`], where a plan has a load balancer elsewhere. Errors: those of [`Access`].

use access::Access;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::MetricDataQuery;
use cutover::arn::load_balancer_dimension;
use cutover::plan::Route;
use cutover::{Plan, StepResult};

/// The dimension that names a load balancer.
const BALANCER: &str = "LoadBalancer";

/// Clients of CloudWatch, by what they are asked for.
#[derive(Clone, Debug)]
pub struct Metrics {
    own: Client,
    /// By the load balancers that report to them, as CloudWatch names these.
    elsewhere: Vec<(String, Client)>,
}

impl Metrics {
    /// Of a plan, in the name of a run.
    ///
    /// # Errors
    /// See the module.
    pub async fn of(own: &Client, access: &Access, plan: &Plan) -> StepResult<Self> {
        let mut elsewhere = Vec::new();
        for route in &plan.routes {
            let Route::Listener(route) = route else { continue };
            let Some((balancer, place)) = load_balancer_dimension(route.arn()).zip(route.place()) else { continue };
            if let Some(there) = access.at(Some(place)).await? {
                elsewhere.push((balancer.to_owned(), Client::new(&there)));
            }
        }
        Ok(Self { own: own.clone(), elsewhere })
    }

    /// The queries by the clients that they are for; those of the stack's own account come first.
    pub(crate) fn split(&self, queries: Vec<MetricDataQuery>) -> Vec<(&Client, Vec<MetricDataQuery>)> {
        let mut split = vec![(&self.own, Vec::new())];
        split.extend(self.elsewhere.iter().map(|(_, client)| (client, Vec::new())));
        for query in queries {
            let place = self.elsewhere.iter().position(|(balancer, _)| balancer_of(&query) == Some(balancer));
            split[place.map_or(0, |place| place + 1)].1.push(query);
        }
        split.retain(|(_, queries)| !queries.is_empty());
        split
    }
}

impl From<&Client> for Metrics {
    /// Those of the stack's own account and region alone.
    fn from(own: &Client) -> Self {
        Self { own: own.clone(), elsewhere: Vec::new() }
    }
}

/// The load balancer that reports what is asked for.
fn balancer_of(query: &MetricDataQuery) -> Option<&str> {
    let dimensions = query.metric_stat()?.metric()?.dimensions();
    dimensions.iter().find(|one| one.name() == Some(BALANCER))?.value()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::Config;
    use aws_sdk_cloudwatch::config::Region;

    use super::*;
    use crate::metric::Asked;

    #[test]
    fn what_a_balancer_reports_is_asked_for_where_it_is_and_all_else_at_home() {
        let client = |region: &'static str| {
            Client::from_conf(Config::builder().behavior_version_latest().region(Region::new(region)).build())
        };
        let metrics =
            Metrics { own: client("eu-west-1"), elsewhere: vec![("app/a/1".to_owned(), client("us-east-1"))] };
        let query = |id: &str, dimensions| {
            Asked { namespace: "N", metric_name: "M", dimensions, statistic: "Sum", period_seconds: 60 }.query(id)
        };
        let there = query("there", vec![("TargetGroup", "targetgroup/a/1"), ("LoadBalancer", "app/a/1")]);
        let here = query("here", vec![("LoadBalancer", "app/b/1")]);
        let other = query("other", vec![("InstanceId", "app/a/1")]);
        let asked = |queries: Vec<MetricDataQuery>| -> Vec<(String, Vec<String>)> {
            let of = |(client, queries): (&Client, Vec<MetricDataQuery>)| {
                let region = client.config().region().map(ToString::to_string).unwrap_or_default();
                (region, queries.iter().filter_map(|query| query.id().map(str::to_owned)).collect())
            };
            metrics.split(queries).into_iter().map(of).collect()
        };
        let expected =
            |region: &str, ids: &[&str]| (region.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(
            asked(vec![there.clone(), here, other]),
            [expected("eu-west-1", &["here", "other"]), expected("us-east-1", &["there"])]
        );
        assert_eq!(asked(vec![there]), [expected("us-east-1", &["there"])], "nobody is asked for nothing");
    }
}
