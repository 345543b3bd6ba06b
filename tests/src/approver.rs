//! The person whom a plan asks for approval, by the commands of the message that asks.
//!
//! Contract: [`Approver::look`] answers each request once, as the world file says. A request that nobody waits for any
//! more (the message came twice, or the run was stopped) is like a mail that is answered too late.

use std::collections::HashSet;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::control::{Client, Message, Refusal};

/// What is answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, at once.
    #[default]
    Approve,
    /// No, at once.
    Reject,
}

/// Answers requests for approval.
#[derive(Debug)]
pub struct Approver {
    answer: Answer,
    answered: HashSet<String>,
}

impl Approver {
    /// One who always answers the same.
    pub fn new(answer: Answer) -> Self {
        Self { answer, answered: HashSet::new() }
    }

    /// Answers what was asked since the last look; true if somebody waited for it.
    pub async fn look(&mut self, client: &Client) -> Result<bool> {
        let mut has_answered = false;
        for token in client.messages().await?.iter().filter_map(task_token) {
            if self.answered.insert(token.to_owned()) {
                has_answered |= self.answer(client, token).await?;
            }
        }
        Ok(has_answered)
    }

    async fn answer(&self, client: &Client, token: &str) -> Result<bool> {
        let (operation, parameters) = match self.answer {
            Answer::Approve => {
                let output = json!({ "by": "the rehearsal", "why": "the world file does not say no" }).to_string();
                ("send_task_success", json!({ "taskToken": token, "output": output }))
            }
            Answer::Reject => {
                let cause = "the rehearsal: the world file says no";
                ("send_task_failure", json!({ "taskToken": token, "error": "Rejected", "cause": cause }))
            }
        };
        match client.call("stepfunctions", operation, parameters).await {
            Ok(_) => Ok(true),
            Err(error) if error.downcast_ref::<Refusal>().is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The token in the commands of a message that asks for approval.
pub fn task_token(message: &Message) -> Option<&str> {
    message.message.split("--task-token '").nth(1)?.split('\'').next()
}
