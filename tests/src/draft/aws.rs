//! What a draft asks AWS. Reads only.
//!
//! Contract: every error is one of AWS, with the call; nothing that is missing is an error here.

use std::time::{Duration, SystemTime};

use alarms::convert::from_live;
use anyhow::{Context, Error, Result};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_elasticloadbalancingv2::types::IpAddressType;
use aws_types::SdkConfig;
use cutover::StepError;
use cutover::alarm::Alarm;
use cutover::dns::normalise_name;
use cutover::plan::RecordType;
use routes::name::observe::all_of_name;

use super::find::{Balancer, Group};
use super::names::{Answering, is_above};

/// DescribeTags takes so many resources (API reference).
const TAGGED_AT_ONCE: usize = 20;
const HOUR_SECONDS: i32 = 3600;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Elastic Load Balancing and Route 53, as precheck has them.
    pub routes: routes::any::Clients,
    cloudwatch: aws_sdk_cloudwatch::Client,
    dms: aws_sdk_databasemigration::Client,
}

impl Clients {
    /// Clients of these settings.
    pub fn new(aws: &SdkConfig) -> Self {
        Self {
            routes: routes::any::Clients::of_one_place(aws),
            cloudwatch: aws_sdk_cloudwatch::Client::new(aws),
            dms: aws_sdk_databasemigration::Client::new(aws),
        }
    }

    /// Every target group.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        let mut groups = self.routes.elb.describe_target_groups().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(group) = groups.next().await {
            let group =
                group.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeTargetGroups", &error))?;
            found.push(Group {
                arn: group.target_group_arn().unwrap_or_default().to_owned(),
                name: group.target_group_name().unwrap_or_default().to_owned(),
                balancers: group.load_balancer_arns().to_vec(),
            });
        }
        Ok(found)
    }

    /// Those of these groups that have a tag.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn tagged<'a>(&self, groups: &'a [Group], (key, value): (&str, &str)) -> Result<Vec<&'a Group>> {
        let mut arns = Vec::new();
        for some in groups.chunks(TAGGED_AT_ONCE) {
            let wanted = some.iter().map(|group| group.arn.clone()).collect();
            let answer = self.routes.elb.describe_tags().set_resource_arns(Some(wanted)).send().await;
            let answer = answer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeTags", &error))?;
            for described in answer.tag_descriptions.unwrap_or_default() {
                let has_it = described.tags().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value));
                arns.extend(described.resource_arn.filter(|_| has_it));
            }
        }
        Ok(groups.iter().filter(|group| arns.contains(&group.arn)).collect())
    }

    /// Every load balancer.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn balancers(&self) -> Result<Vec<Balancer>> {
        let mut balancers = self.routes.elb.describe_load_balancers().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(one) = balancers.next().await {
            let one = one.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeLoadBalancers", &error))?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            found.push(Balancer {
                arn: text(one.load_balancer_arn()),
                name: text(one.load_balancer_name()),
                dns_name: text(one.dns_name()),
                zone: text(one.canonical_hosted_zone_id()),
                is_dual: one.ip_address_type().is_some_and(|kind| *kind != IpAddressType::Ipv4),
            });
        }
        Ok(found)
    }

    /// The zones that are at or above a name, with what they have of it; and the names of all that there are.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn zones(&self, name: &str, only: Option<&str>) -> Result<(Vec<Answering>, Vec<String>)> {
        let mut zones = self.routes.route53.list_hosted_zones().into_paginator().items().send();
        let (mut found, mut all) = (Vec::new(), Vec::new());
        let only = only.map(|id| id.trim_start_matches('/').trim_start_matches("hostedzone/"));
        while let Some(zone) = zones.next().await {
            let zone = zone.map_err(|error| StepError::from_aws("route53:ListHostedZones", &error))?;
            let id = zone.id.trim_start_matches("/hostedzone/").to_owned();
            all.push(zone.name.clone());
            if is_above(&zone.name, name) && only.is_none_or(|only| only == id) {
                let is_private = zone.config.is_some_and(|config| config.private_zone);
                found.push(
                    self.answering(name, Answering { id, zone: zone.name, is_private, ..Answering::default() }).await?,
                );
            }
        }
        Ok((found, all))
    }

    async fn answering(&self, name: &str, mut zone: Answering) -> Result<Answering> {
        for record in all_of_name(&self.routes.route53, &zone.id, &normalise_name(name)).await? {
            let types = [RecordType::A, RecordType::Aaaa, RecordType::Cname];
            let known = types.into_iter().find(|known| known.as_str() == record.r#type.as_str());
            zone.types.extend(known.filter(|known| !zone.types.contains(known)));
            zone.aliases.extend(record.alias_target.filter(|_| known.is_some()).map(|alias| alias.dns_name));
        }
        Ok(zone)
    }

    /// Every alarm on metrics, and the names of those that have settings which a plan cannot hold.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn alarms(&self) -> Result<(Vec<Alarm>, Vec<String>)> {
        let mut pages = self.cloudwatch.describe_alarms().into_paginator().send();
        let (mut found, mut left) = (Vec::new(), Vec::new());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StepError::from_aws("cloudwatch:DescribeAlarms", &error))?;
            for alarm in page.metric_alarms() {
                match from_live(alarm) {
                    Some(alarm) => found.push(alarm),
                    None => left.extend(alarm.alarm_name().map(str::to_owned)),
                }
            }
        }
        Ok((found, left))
    }

    /// Every replication task, by its identifier and ARN.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn replication_tasks(&self) -> Result<Vec<(String, String)>> {
        let mut pages = self.dms.describe_replication_tasks().without_settings(true).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StepError::from_aws("dms:DescribeReplicationTasks", &error))?;
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            let tasks = page.replication_tasks().iter();
            found.extend(
                tasks.map(|task| (text(task.replication_task_identifier()), text(task.replication_task_arn()))),
            );
        }
        Ok(found)
    }

    /// The largest p95 of a target group's answers in any hour of the last day, in seconds; none where it had no traffic.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn slowest(&self, balancer: &str, group: &str, now: SystemTime) -> Result<Option<f64>> {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let metric = Metric::builder()
            .namespace("AWS/ApplicationELB")
            .metric_name("TargetResponseTime")
            .dimensions(dimension("LoadBalancer", balancer))
            .dimensions(dimension("TargetGroup", group));
        let hourly = MetricStat::builder().metric(metric.build()).period(HOUR_SECONDS).stat("p95").build();
        let query = MetricDataQuery::builder().id("slow").metric_stat(hourly).build();
        let request = self.cloudwatch.get_metric_data().metric_data_queries(query);
        let answer = request.start_time((now - DAY).into()).end_time(now.into()).send().await;
        let answer = answer.map_err(|error| StepError::from_aws("cloudwatch:GetMetricData", &error))?;
        Ok(answer.metric_data_results().iter().flat_map(|one| one.values()).copied().reduce(f64::max))
    }

    /// The listeners and rules that give a group traffic, with a title each.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn forwarding(&self, balancers: &[String], group: &str) -> Result<Vec<(String, String)>> {
        let found = routes::listener::behind::all(&self.routes.elb, balancers, group).await;
        found.map_err(Error::from).with_context(|| format!("cannot see who forwards to {group}"))
    }
}
