//! `precheck` by every default.

use cutover::authority::{AllowedAlarms, AllowedHooks, AllowedRoutes, Demanded, Destinations, Mails, Patterns, Topics};
use cutover::load::LoadLimits;
use cutover::probe::Reach;
use cutover::stakeholders::StackGroups;
use precheck::{Clients, ELSEWHERE, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = &naive::environment().await;
    let aws = &environment.aws;
    let clients = Clients {
        cloudwatch: aws_sdk_cloudwatch::Client::new(aws),
        replications: replication::Services::new(aws),
        routes: routes::any::Clients::new(environment, ELSEWHERE)?,
        secrets: aws_sdk_secretsmanager::Client::new(aws),
        sns: aws_sdk_sns::Client::new(aws),
        journal: journal::Journal::of(environment)?,
        hooks: AllowedHooks::of(environment)?,
        alarms: AllowedAlarms::of(environment)?,
        approval: Demanded::of(environment)?,
        user_pools: Patterns::of(environment, "USER_POOL_ARNS")?,
        reach: Reach::of(environment)?,
        allowed_routes: AllowedRoutes::of(environment)?,
        destinations: Destinations::of(environment)?,
        topics: Topics::of(environment)?,
        topic_keys: Patterns::of(environment, "TOPIC_KEY_ARNS")?,
        mails: Mails::of(environment)?,
        stakeholders: StackGroups::read(&environment.variable("STAKEHOLDERS")?)?,
        load_limits: LoadLimits::of(environment)?,
    };
    naive::run(clients, handle).await
}
