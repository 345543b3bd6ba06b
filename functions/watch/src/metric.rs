//! A series of datapoints, as GetMetricData is asked for it: pure.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: &'a str,
    /// Such as `RequestCount`.
    pub metric_name: &'a str,
    /// All of them: CloudWatch matches exactly.
    pub dimensions: Vec<(&'a str, &'a str)>,
    /// Such as `Sum` or `p99`.
    pub statistic: &'a str,
    /// The length of one datapoint, in seconds.
    pub period_seconds: u64,
}

impl<'a> Asked<'a> {
    /// What is asked for, by an id that the answer carries: it begins with a lower-case letter (CloudWatch API reference).
    pub fn query(&self, id: impl Into<String>) -> MetricDataQuery {
        let dimensions = self.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
        let metric = Metric::builder().namespace(self.namespace).metric_name(self.metric_name);
        let metric = metric.set_dimensions(Some(dimensions.collect())).build();
        let period = i32::try_from(self.period_seconds).unwrap_or(i32::MAX);
        let stat = MetricStat::builder().metric(metric).period(period).stat(self.statistic).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    }

    /// Dimensions as plans have them.
    pub fn dimensions(dimensions: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<(&'a str, &'a str)> {
        dimensions.into_iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_for_is_in_the_query() {
        let dimensions = vec![("LoadBalancer", "app/a/1"), ("TargetGroup", "targetgroup/a/1")];
        let asked = Asked { namespace: "N", metric_name: "M", dimensions, statistic: "p99", period_seconds: 300 };
        let query = asked.query("m1");
        let stat = query.metric_stat().unwrap();
        let metric = stat.metric().unwrap();
        assert_eq!((query.id(), metric.namespace(), metric.metric_name()), (Some("m1"), Some("N"), Some("M")));
        assert_eq!((stat.stat(), stat.period()), (Some("p99"), Some(300)));
        let pairs: Vec<_> = metric.dimensions().iter().map(|one| (one.name(), one.value())).collect();
        assert_eq!(pairs[1], (Some("TargetGroup"), Some("targetgroup/a/1")));
    }
}
