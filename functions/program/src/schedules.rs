//! EventBridge Scheduler: the schedules of a programme's waves and of their timelines, one-time each, in the stack's group for them.
//!
//! A schedule starts the machine `start`, which starts `wave` under the wave's name, or `timeline`: delivered twice, it starts one. It is removed by itself once it was
//! delivered.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::operation::delete_schedule::DeleteScheduleError;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleError;
use aws_sdk_scheduler::operation::update_schedule::UpdateScheduleError;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    Target,
};
use cutover::{StepError, StepResult};

use crate::decide::{self, Change, Found, Wanted};

/// As the stack's own schedules have it: rather not at all than at another time, as somebody was to watch it.
const MOST_RETRIES: i32 = 10;
const MOST_AGE_SECONDS: i32 = 900;

/// Where they are, and what they are delivered to.
#[derive(Clone, Debug)]
pub struct Schedules {
    /// EventBridge Scheduler.
    pub client: Client,
    /// The group's name.
    pub group: String,
    /// The role by which they are delivered.
    pub role_arn: String,
    /// The queue of what could not be delivered.
    pub dead_letters_arn: String,
    /// The machine `start`.
    pub start_arn: String,
    /// The machine `wave`.
    pub wave_arn: String,
    /// The machine `timeline`.
    pub timeline_arn: String,
}

impl Schedules {
    /// What they are delivered to.
    pub fn target(&self) -> decide::Target<'_> {
        decide::Target {
            start_arn: &self.start_arn,
            wave_arn: &self.wave_arn,
            timeline_arn: &self.timeline_arn,
            role_arn: &self.role_arn,
        }
    }

    /// Those whose names begin so, in the order of their names.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn found(&self, prefix: &str) -> StepResult<Vec<Found>> {
        let pages = self.client.list_schedules().group_name(&self.group).name_prefix(prefix);
        let mut pages = pages.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(one) = pages.next().await {
            let one = one.map_err(|error| StepError::from_aws(&format!("scheduler:ListSchedules {prefix}"), &error))?;
            // One that was delivered meanwhile is gone.
            found.extend(self.get(one.name().unwrap_or_default()).await?);
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    async fn get(&self, name: &str) -> StepResult<Option<Found>> {
        let got = match self.client.get_schedule().group_name(&self.group).name(name).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(GetScheduleError::is_resource_not_found_exception) => {
                return Ok(None);
            }
            Err(error) => return Err(StepError::from_aws(&format!("scheduler:GetSchedule {name}"), &error)),
        };
        let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let target = got.target();
        Ok(Some(Found {
            name: name.to_owned(),
            expression: of(got.schedule_expression()),
            zone: of(got.schedule_expression_timezone()),
            input: of(target.and_then(Target::input)),
            target_arn: of(target.map(Target::arn)),
            role_arn: of(target.map(Target::role_arn)),
            is_enabled: got.state() != Some(&ScheduleState::Disabled),
        }))
    }

    /// Makes one change; made again, it changes nothing.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn make(&self, change: &Change) -> StepResult<()> {
        match change {
            Change::Make(wanted) => self.create(wanted).await,
            Change::Change(wanted) => self.update(wanted).await,
            Change::Remove(name) => self.delete(name).await,
        }
    }

    async fn create(&self, wanted: &Wanted) -> StepResult<()> {
        let create = self.client.create_schedule().group_name(&self.group).name(&wanted.name);
        let create = create.schedule_expression(format!("at({})", wanted.at));
        let create = create.schedule_expression_timezone(&wanted.zone).description(&wanted.description);
        let create = create.flexible_time_window(at_that_time()?).target(self.target_of(wanted)?);
        let create = create.state(ScheduleState::Enabled).action_after_completion(ActionAfterCompletion::Delete);
        match create.send().await {
            Ok(_) => Ok(()),
            // Made by a call whose answer was lost; the next look compares it.
            Err(error) if error.as_service_error().is_some_and(CreateScheduleError::is_conflict_exception) => Ok(()),
            Err(error) => Err(StepError::from_aws(&format!("scheduler:CreateSchedule {}", wanted.name), &error)),
        }
    }

    async fn update(&self, wanted: &Wanted) -> StepResult<()> {
        let update = self.client.update_schedule().group_name(&self.group).name(&wanted.name);
        let update = update.schedule_expression(format!("at({})", wanted.at));
        let update = update.schedule_expression_timezone(&wanted.zone).description(&wanted.description);
        let update = update.flexible_time_window(at_that_time()?).target(self.target_of(wanted)?);
        let update = update.state(ScheduleState::Enabled).action_after_completion(ActionAfterCompletion::Delete);
        match update.send().await {
            Ok(_) => Ok(()),
            // Delivered meanwhile, and gone: the next look says whether it is still wanted.
            Err(error)
                if error.as_service_error().is_some_and(UpdateScheduleError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(StepError::from_aws(&format!("scheduler:UpdateSchedule {}", wanted.name), &error)),
        }
    }

    async fn delete(&self, name: &str) -> StepResult<()> {
        match self.client.delete_schedule().group_name(&self.group).name(name).send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(DeleteScheduleError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(StepError::from_aws(&format!("scheduler:DeleteSchedule {name}"), &error)),
        }
    }

    fn target_of(&self, wanted: &Wanted) -> StepResult<Target> {
        let retries = RetryPolicy::builder().maximum_retry_attempts(MOST_RETRIES);
        let target = Target::builder().arn(&self.start_arn).role_arn(&self.role_arn).input(&wanted.input);
        let target = target.retry_policy(retries.maximum_event_age_in_seconds(MOST_AGE_SECONDS).build());
        let target = target.dead_letter_config(DeadLetterConfig::builder().arn(&self.dead_letters_arn).build());
        target.build().map_err(|error| StepError::invalid(error.to_string()))
    }
}

fn at_that_time() -> StepResult<FlexibleTimeWindow> {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    window.map_err(|error| StepError::invalid(error.to_string()))
}
