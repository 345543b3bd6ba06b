//! What is on a dashboard: from the plan and what was done, as CloudWatch's body of it. Pure.
//!
//! For each route on an Application Load Balancer, both sides beside each other: requests and the share that the new side really has, latency,
//! errors, healthy hosts. A Network Load Balancer publishes only the last by target group, and DNS nothing: those have the weight that the plan
//! wants. Then each of the plan's gates with its limit, what the baseline names (CPU of an Auto Scaling group, memory), and the replication.
//!
//! The structure is that of AWS's "Dashboard Body Structure and Syntax". Latency is shown as percentiles, never as a sum; counts are sums.

use cutover::Plan;
use cutover::arn::{load_balancer_dimension, short_name, target_group_dimension};
use cutover::plan::{Database, ListenerRoute, Metric, Route};
use cutover::text::shown;
use serde_json::{Value, json};

use crate::done::Done;

pub use cutover::counted::NAMESPACE;

/// The share in percent that the plan wants the new side of a route to have.
pub const WEIGHT: &str = "NewWeight";
/// A dimension's value has 1,024 characters at the most, and a title ought to fit above a widget.
const MOST_TITLE_BYTES: usize = 120;
const NEW: &str = "#1f77b4";
const OLD: &str = "#ff7f0e";
const LIMIT: &str = "#d62728";
/// A row has 24 columns.
const COLUMNS: usize = 24;
const HEIGHT: usize = 6;

/// The body.
pub fn of(plan: &Plan, region: &str, done: &Done) -> Value {
    let mut page = Page { region, done, widgets: Vec::new(), column: 0, row: 0 };
    page.head(plan);
    for route in &plan.routes {
        match route {
            Route::Listener(listener) if listener.application_balancer().is_some() => {
                page.of_listener(plan, route, listener)
            }
            Route::Listener(listener) => page.of_network_listener(plan, route, listener),
            Route::Dns(_) => page.of_name(plan, route),
        }
    }
    for metric in &plan.monitoring.metrics {
        page.gate(metric);
    }
    for resource in &plan.baseline.resources {
        let series = with(
            &resource.namespace,
            &resource.metric_name,
            resource.dimensions.iter(),
            json!({ "stat": resource.statistic }),
        );
        page.put(&resource.name, vec![series], json!({}));
    }
    if let Some(database) = &plan.database {
        page.lag(database);
    }
    json!({ "start": "-PT3H", "periodOverride": "inherit", "widgets": page.widgets })
}

/// The dimensions of the weight of a route.
pub fn dimensions_of_weight(plan: &Plan, route: &Route) -> [(&'static str, String); 2] {
    [("Application", plan.application.clone()), ("Route", shown(&route.title(), MOST_TITLE_BYTES))]
}

struct Page<'a> {
    region: &'a str,
    done: &'a Done,
    widgets: Vec<Value>,
    column: usize,
    row: usize,
}

impl Page<'_> {
    fn head(&mut self, plan: &Plan) {
        let routes: Vec<String> = plan.routes.iter().map(|route| format!("- {}", plain(&route.title()))).collect();
        let markdown = format!(
            "# Cutover of {}\n\nBlue: new side, orange: old side.\n\n{}",
            plain(&plan.application),
            routes.join("\n")
        );
        let height = 2 + routes.len().div_ceil(2);
        self.widgets.push(json!({ "type": "text", "x": 0, "y": 0, "width": COLUMNS, "height": height, "properties": { "markdown": markdown } }));
        self.row = height;
    }

    fn of_listener(&mut self, plan: &Plan, route: &Route, listener: &ListenerRoute) {
        let title = shown(&route.title(), MOST_TITLE_BYTES);
        let both = |metric: &str, stat: &str, what: &str| sides(listener, "AWS/ApplicationELB", metric, stat, what);
        let count = |id: &str, side| {
            of_side(
                listener,
                side,
                "AWS/ApplicationELB",
                "RequestCount",
                json!({ "id": id, "stat": "Sum", "visible": false }),
            )
        };
        let share = "100 * FILL(new, 0) / (FILL(new, 0) + FILL(old, 0))";
        let shares = vec![
            count("new", Side::New),
            count("old", Side::Old),
            json!([{ "expression": share, "id": "share", "label": "requests, really", "color": NEW }]),
            weight(plan, route),
        ];
        self.put(&format!("New side's share of {title}, percent"), shares, json!({ "yAxis": percent() }));
        self.put(&format!("Requests, {title}"), both("RequestCount", "Sum", "requests"), json!({}));
        let latency = ["p50", "p95", "p99"].iter().flat_map(|stat| both("TargetResponseTime", stat, stat)).collect();
        self.put(&format!("Latency, seconds, {title}"), latency, json!({}));
        let errors = [("HTTPCode_Target_4XX_Count", "4xx"), ("HTTPCode_Target_5XX_Count", "5xx")];
        let errors = errors.iter().flat_map(|(metric, what)| both(metric, "Sum", what)).collect();
        self.put(&format!("Errors, {title}"), errors, json!({}));
        self.put(&format!("Healthy hosts, {title}"), both("HealthyHostCount", "Minimum", "healthy"), json!({}));
    }

    fn of_network_listener(&mut self, plan: &Plan, route: &Route, listener: &ListenerRoute) {
        self.of_name(plan, route);
        let title = shown(&route.title(), MOST_TITLE_BYTES);
        let hosts = sides(listener, "AWS/NetworkELB", "HealthyHostCount", "Minimum", "healthy");
        self.put(&format!("Healthy hosts, {title}"), hosts, json!({}));
    }

    fn of_name(&mut self, plan: &Plan, route: &Route) {
        let title = shown(&route.title(), MOST_TITLE_BYTES);
        self.put(
            &format!("New side's weight of {title}, percent"),
            vec![weight(plan, route)],
            json!({ "yAxis": percent() }),
        );
    }

    /// A gate, and where its trouble begins.
    fn gate(&mut self, metric: &Metric) {
        let options = json!({ "stat": metric.statistic, "period": metric.period.0 });
        let series = |id: Option<&str>| {
            let mut options = options.clone();
            if let Some(id) = id {
                options["id"] = id.into();
                options["visible"] = false.into();
            }
            with(&metric.namespace, &metric.metric_name, metric.dimensions.iter(), options)
        };
        let metrics = match &metric.divide_by {
            None => vec![series(None)],
            Some(divisor) => {
                let options = json!({ "stat": divisor.statistic.as_ref().unwrap_or(&metric.statistic), "period": metric.period.0,
                    "id": "all", "visible": false });
                let namespace = divisor.namespace.as_ref().unwrap_or(&metric.namespace);
                let dimensions = divisor.dimensions.as_ref().unwrap_or(&metric.dimensions);
                let all = with(namespace, &divisor.metric_name, dimensions.iter(), options);
                vec![
                    series(Some("part")),
                    all,
                    json!([{ "expression": "part / all", "id": "share", "label": metric.name, "color": NEW }]),
                ]
            }
        };
        self.put_with(
            &metric.name,
            metrics,
            json!({}),
            json!([{ "value": metric.threshold, "label": "limit", "color": LIMIT }]),
        );
    }

    /// By search, since a plan knows a task's ARN and not its instance. Its last part is what CloudWatch calls it (DMS's guide, "Monitoring").
    fn lag(&mut self, database: &Database) {
        let task = database.replication_task_arn.rsplit(':').next().unwrap_or_default();
        let of = |dimensions: &str, metric: &str, id: &str| {
            let search = format!(
                "SEARCH('{{AWS/DMS,{dimensions}}} MetricName=\"{metric}\" \"{}\"', 'Average', 60)",
                plain(task)
            );
            json!([{ "expression": search, "id": id, "label": metric }])
        };
        let dimensions = if database.replication_task_arn.contains(":replication-config:") {
            "ReplicationConfigId"
        } else {
            "ReplicationInstanceIdentifier,ReplicationTaskIdentifier"
        };
        let metrics = vec![of(dimensions, "CDCLatencySource", "source"), of(dimensions, "CDCLatencyTarget", "target")];
        let limit = json!([{ "value": database.max_lag.0, "label": "limit", "color": LIMIT }]);
        self.put_with("Replication lag, seconds", metrics, json!({}), limit);
    }

    fn put(&mut self, title: &str, metrics: Vec<Value>, extra: Value) {
        self.put_with(title, metrics, extra, json!([]));
    }

    /// The next widget, two in a row.
    fn put_with(&mut self, title: &str, metrics: Vec<Value>, extra: Value, horizontal: Value) {
        let mut properties = json!({
            "title": shown(title, MOST_TITLE_BYTES), "view": "timeSeries", "region": self.region, "period": 60, "metrics": metrics,
            "annotations": { "horizontal": horizontal, "vertical": self.done.vertical() },
        });
        if let (Some(properties), Value::Object(extra)) = (properties.as_object_mut(), extra) {
            properties.extend(extra);
        }
        let width = COLUMNS / 2;
        self.widgets.push(json!({ "type": "metric", "x": self.column, "y": self.row, "width": width, "height": HEIGHT, "properties": properties }));
        self.column += width;
        if self.column >= COLUMNS {
            (self.column, self.row) = (0, self.row + HEIGHT);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    New,
    Old,
}

/// One metric of both sides.
fn sides(route: &ListenerRoute, namespace: &str, metric: &str, stat: &str, what: &str) -> Vec<Value> {
    let side = |side, name: &str, color: &str| {
        of_side(
            route,
            side,
            namespace,
            metric,
            json!({ "stat": stat, "label": format!("{name}, {what}"), "color": shade(color, stat, what) }),
        )
    };
    vec![side(Side::New, "new", NEW), side(Side::Old, "old", OLD)]
}

/// Several series of one side are of one colour, the milder ones paler.
fn shade(color: &str, stat: &str, what: &str) -> String {
    let pale = match (stat, what) {
        ("p50", _) | (_, "4xx") => 0.6,
        ("p95", _) => 0.3,
        _ => 0.0,
    };
    let part = |place: usize| u8::from_str_radix(&color[place..place + 2], 16).map_or(0.0, f64::from);
    let mixed = [1, 3, 5].map(|place| (part(place) + (255.0 - part(place)) * pale).round() as u8);
    format!("#{:02x}{:02x}{:02x}", mixed[0], mixed[1], mixed[2])
}

fn of_side(route: &ListenerRoute, side: Side, namespace: &str, metric: &str, options: Value) -> Value {
    let group = match side {
        Side::New => &route.new_target_group_arn,
        Side::Old => &route.old_target_group_arn,
    };
    let dimensions = [
        ("TargetGroup", target_group_dimension(group).unwrap_or_else(|| short_name(group))),
        ("LoadBalancer", load_balancer_dimension(route.arn()).unwrap_or_default()),
    ];
    with(namespace, metric, dimensions.into_iter(), options)
}

/// The weight that the plan wants: told once a step, so the last one stands until the next.
fn weight(plan: &Plan, route: &Route) -> Value {
    let dimensions = dimensions_of_weight(plan, route);
    let dimensions = dimensions.iter().map(|(name, value)| (*name, value.as_str()));
    with(NAMESPACE, WEIGHT, dimensions, json!({ "stat": "Maximum", "label": "weight, as planned", "color": LIMIT }))
}

/// `[namespace, metric, name, value, ..., options]`.
fn with<Name: AsRef<str>, Text: AsRef<str>>(
    namespace: &str,
    metric: &str,
    dimensions: impl Iterator<Item = (Name, Text)>,
    options: Value,
) -> Value {
    let mut parts: Vec<Value> = vec![namespace.into(), metric.into()];
    for (name, value) in dimensions {
        parts.extend([name.as_ref().into(), value.as_ref().into()]);
    }
    parts.push(options);
    parts.into()
}

fn percent() -> Value {
    json!({ "left": { "min": 0, "max": 100, "showUnits": false } })
}

/// Without what Markdown, or a search, would take for its own.
fn plain(text: &str) -> String {
    shown(text, MOST_TITLE_BYTES).chars().filter(|c| !"\\`*_{}[]()#+!|<>\"'~".contains(*c)).collect()
}

#[cfg(test)]
mod tests;
