//! The person whom a run asks for approval, or whether it goes on in spite of a failed check: by the page of the message that asks, or, where it
//! has none, by its commands.
//!
//! Contract: [`Approver::look`] answers each request once, as the world file says. A request that nobody waits for any
//! more (the message came twice, or the run was stopped) is like a mail that is answered too late.

use std::collections::HashSet;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::control::{Client, Message, Refusal};
use crate::pages::{self, Browser};

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

/// What is answered where a check failed and the plan holds the step.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The run goes back.
    #[default]
    GoBack,
    /// It goes on, in spite of it.
    GoOn,
    /// Nobody answers.
    Silence,
}

/// Answers requests for approval, and for a decision.
#[derive(Debug)]
pub struct Approver {
    answer: Answer,
    decision: Decision,
    answered: HashSet<String>,
    seen: Vec<Answered>,
}

/// A page that answered, before and after.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its link, as the message has it.
    pub link: String,
    /// What it showed when it was opened.
    pub asked: String,
    /// What it showed then; none where nobody answered.
    pub answered: Option<String>,
}

impl Approver {
    /// One who always answers the same.
    pub fn new(answer: Answer, decision: Decision) -> Self {
        Self { answer, decision, answered: HashSet::new(), seen: Vec::new() }
    }

    /// Answers what was asked since the last look; what was asked, where somebody waited for the answer.
    pub async fn look(&mut self, client: &Client) -> Result<Vec<Asked>> {
        let mut answered = Vec::new();
        for message in client.messages().await? {
            let Some(token) = task_token(&message).filter(|token| self.answered.insert((*token).to_owned())) else {
                continue;
            };
            let asked = Asked::of(&message, self.answer, self.decision);
            let is_taken = match pages::link(&message) {
                Some(link) => self.answer_by_page(asked, link).await?,
                None => self.answer(client, asked, token).await?,
            };
            if is_taken {
                answered.push(asked);
            }
        }
        Ok(answered)
    }

    /// The pages that were looked at so far.
    pub fn pages(self) -> Vec<Answered> {
        self.seen
    }

    /// Looks at the page first, as a person does.
    async fn answer_by_page(&mut self, asked: Asked, link: &str) -> Result<bool> {
        let browser = Browser::open()?;
        let mut seen = Answered { link: link.to_owned(), asked: browser.get(link).await?.html, answered: None };
        let said = match asked {
            Asked::Decision(Decision::Silence) => None,
            Asked::Decision(Decision::GoOn) => Some(("the world file does not say no", "go_on")),
            Asked::Approval(Answer::Approve) => Some(("the world file does not say no", "approve")),
            Asked::Decision(Decision::GoBack) => Some(("the world file says no", "go_back")),
            Asked::Approval(Answer::Reject) => Some(("the world file says no", "reject")),
        };
        if let Some((why, choice)) = said {
            seen.answered = Some(browser.answer(link, "the rehearsal", why, choice).await?.html);
        }
        let is_taken = seen.answered.as_deref().is_some_and(|html| html.contains("by it."));
        self.seen.push(seen);
        Ok(is_taken)
    }

    async fn answer(&self, client: &Client, asked: Asked, token: &str) -> Result<bool> {
        let (operation, parameters) = match asked {
            Asked::Decision(Decision::Silence) => return Ok(false),
            Asked::Decision(Decision::GoOn) | Asked::Approval(Answer::Approve) => {
                let output = json!({ "by": "the rehearsal", "why": "the world file does not say no" }).to_string();
                ("send_task_success", json!({ "taskToken": token, "output": output }))
            }
            Asked::Decision(Decision::GoBack) | Asked::Approval(Answer::Reject) => {
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

/// What somebody was asked, and what is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// Whether the run may begin.
    Approval(Answer),
    /// Whether it goes on in spite of a failed check.
    Decision(Decision),
}

impl Asked {
    fn of(message: &Message, answer: Answer, decision: Decision) -> Self {
        let is_decision = message.message.contains("goes on or back");
        if is_decision { Self::Decision(decision) } else { Self::Approval(answer) }
    }
}

/// The token in the commands of a message that asks for approval.
pub fn task_token(message: &Message) -> Option<&str> {
    message.message.split("TOKEN='").nth(1)?.split('\'').next()
}
