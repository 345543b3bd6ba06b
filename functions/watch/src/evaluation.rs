//! What an alarm is evaluated over, and how long after a change it can have seen it. Pure.

use aws_sdk_cloudwatch::types::{Dimension, MetricAlarm};
use cutover::plan::Route;
use cutover::{Plan, Seconds};

/// Load balancers' datapoints come a period or two of a minute late (CloudWatch user guide).
const LATE: Seconds = Seconds(120);
/// What is allowed to an alarm whose periods are not its own: a composite alarm, or one on a query.
const UNKNOWN: Seconds = Seconds::minutes(15);
/// The longest period times evaluation periods: seven days (API reference of PutMetricAlarm).
const LONGEST: u64 = 7 * 24 * 3600;

/// The datapoints that decide an alarm's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// The length of a period, and how many of them; `None` where the alarm has none of its own.
    pub periods: Option<(Seconds, u64)>,
    /// The target groups whose metrics it is on, as their dimension names them: `targetgroup/<name>/<id>`.
    pub target_groups: Vec<String>,
}

impl Evaluation {
    /// Of an alarm on a metric, or on several in an expression: the longest of their periods decides.
    pub fn of(alarm: &MetricAlarm) -> Self {
        let stats = || alarm.metrics().iter().filter_map(|query| query.metric_stat());
        let inner = alarm.metrics().iter().filter_map(|query| query.period());
        let longest = alarm.period().into_iter().chain(inner).chain(stats().filter_map(|stat| stat.period())).max();
        let periods = longest.zip(alarm.evaluation_periods()).and_then(|(period, count)| {
            let (period, count) = (u64::try_from(period).ok()?, u64::try_from(count).ok()?);
            Some((Seconds(period.clamp(1, LONGEST)), count.clamp(1, LONGEST)))
        });
        let dimensions = stats().filter_map(|stat| stat.metric()).flat_map(|metric| metric.dimensions());
        let is_group = |dimension: &&Dimension| dimension.name() == Some("TargetGroup");
        let groups = alarm.dimensions().iter().chain(dimensions).filter(is_group);
        Self { periods, target_groups: groups.filter_map(|group| Some(group.value()?.to_owned())).collect() }
    }

    /// How long after a change the first evaluation is due that has seen nothing from before it. The period in which the
    /// change falls has both, so it takes one period more than are evaluated; and datapoints are late.
    pub fn sees_after(&self) -> Seconds {
        self.periods.map_or(UNKNOWN, |(period, count)| {
            let evaluated = period.0.saturating_mul(count).min(LONGEST);
            Seconds(evaluated + period.0 + LATE.0)
        })
    }

    /// How it is evaluated, for a person.
    pub fn describe(&self) -> String {
        match self.periods {
            Some((period, 1)) => format!("one period of {period}"),
            Some((period, count)) => format!("{count} periods of {period}"),
            None => "periods that are not its own".to_owned(),
        }
    }

    /// For how long the new side has had traffic that this alarm can see: since the first step of its own route, where it is
    /// on the new target group of one, and of any route otherwise. `None`: there was none yet. The holds before count as
    /// the plan has them; they may have been longer.
    pub fn traffic_seconds(&self, plan: &Plan, held: Held) -> Option<u64> {
        let first = plan.routes.iter().position(|route| self.is_on(route)).unwrap_or(0);
        let mut seconds = None;
        for (route_index, route) in plan.routes.iter().enumerate().skip(first) {
            for (step_index, step) in route.steps().iter().enumerate() {
                let here = (route_index, step_index);
                if here > (held.route, held.step) {
                    return seconds;
                }
                let is_held = here == (held.route, held.step);
                let passed = if is_held { held.elapsed_seconds } else { step.hold.0 };
                if step.new_weight > 0 || seconds.is_some() {
                    seconds = Some(seconds.unwrap_or(0u64).saturating_add(passed));
                }
            }
        }
        seconds
    }

    fn is_on(&self, route: &Route) -> bool {
        let Route::Listener(route) = route else { return false };
        self.target_groups.iter().any(|group| route.new_target_group_arn.ends_with(&format!(":{group}")))
    }
}

/// Where in the plan a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The route's place in the plan.
    pub route: usize,
    /// The step's place in its route.
    pub step: usize,
    /// How long this step has been held.
    pub elapsed_seconds: u64,
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat};
    use serde_json::json;

    use super::*;

    const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

    fn alarm(period: i32, count: i32) -> MetricAlarm {
        MetricAlarm::builder().period(period).evaluation_periods(count).build()
    }

    fn group(name: &str) -> Dimension {
        Dimension::builder().name("TargetGroup").value(format!("targetgroup/{name}/1")).build()
    }

    #[test]
    fn an_alarm_has_seen_a_change_after_one_period_more_than_it_evaluates() {
        assert_eq!(Evaluation::of(&alarm(300, 1)).sees_after(), Seconds(300 + 300 + 120));
        assert_eq!(Evaluation::of(&alarm(60, 3)).sees_after(), Seconds(240 + 120));
        assert_eq!(Evaluation::of(&alarm(10, 1)).sees_after(), Seconds(20 + 120));
        assert_eq!(Evaluation::of(&MetricAlarm::builder().build()).sees_after(), UNKNOWN);
        assert_eq!(Evaluation::of(&alarm(-1, 1)).sees_after(), UNKNOWN);
        assert!(Evaluation::of(&alarm(i32::MAX, i32::MAX)).sees_after().0 < 3 * LONGEST);
    }

    #[test]
    fn the_longest_period_of_an_expression_decides() {
        let stat = |period, name: &str| {
            let metric = Metric::builder().dimensions(group(name)).build();
            MetricDataQuery::builder().metric_stat(MetricStat::builder().metric(metric).period(period).build()).build()
        };
        let expression = MetricDataQuery::builder().expression("a/b").period(60).build();
        let alarm = MetricAlarm::builder().evaluation_periods(2).metrics(stat(60, "a")).metrics(stat(300, "b"));
        let evaluation = Evaluation::of(&alarm.metrics(expression).build());
        assert_eq!(evaluation.periods, Some((Seconds(300), 2)));
        assert_eq!(evaluation.target_groups, ["targetgroup/a/1", "targetgroup/b/1"]);
    }

    /// A listener whose new group is `a`, a name, and a listener whose new group is `b`.
    fn plan() -> Plan {
        let listener = |name: &str, steps| {
            json!({ "type": "listener", "listener_arn": format!("{ELB}:listener/app/{name}/1/2"), "steps": steps,
                "old_target_group_arn": format!("{ELB}:targetgroup/old-{name}/1"),
                "new_target_group_arn": format!("{ELB}:targetgroup/{name}/1") })
        };
        let steps =
            json!([{ "new_weight": 0, "hold": "5m" }, { "new_weight": 10, "hold": "10m" }, { "new_weight": 100 }]);
        let name = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
            "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": steps });
        let routes = [listener("a", steps.clone()), name, listener("b", steps)];
        Plan::read(&json!({ "application": "a", "routes": routes })).unwrap()
    }

    #[test]
    fn traffic_counts_from_the_first_step_above_zero() {
        let any = Evaluation::default();
        let at = |route, step| any.traffic_seconds(&plan(), Held { route, step, elapsed_seconds: 7 });
        assert_eq!([at(0, 0), at(0, 1), at(0, 2)], [None, Some(7), Some(600 + 7)]);
        assert_eq!(at(1, 0), Some(600 + 7), "the first route keeps its traffic while the next is at 0");
    }

    #[test]
    fn an_alarm_on_a_later_routes_group_has_nothing_to_see_before_that_route_moves() {
        let late = Evaluation { target_groups: vec!["targetgroup/b/1".to_owned()], ..Evaluation::default() };
        let at = |route, step| late.traffic_seconds(&plan(), Held { route, step, elapsed_seconds: 7 });
        assert_eq!([at(0, 2), at(1, 2), at(2, 0), at(2, 1)], [None, None, None, Some(7)]);
    }
}
