//! What an execution brings to its end beside runs: a wave, a timeline, an incident. While that is owed, its item is in the index of
//! open runs, under a value of its own, with its owner and what another execution of the owner's machine is started with.

use cutover::arn::machine_of;
use cutover::{StepError, StepResult};
use serde_json::{Value, json};

use crate::item::{Item, string, text};
use crate::table::Journal;

/// The index's value for them.
pub(crate) const OPEN: &str = "followed";

/// Who follows an item, and what follows it on.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// The execution that follows it.
    pub owner: String,
    /// What another one is started with, once that has ended before its time. Where it is EventBridge's event of an execution's end (it has
    /// `executionArn`), it lacks `status`, which nobody knows yet.
    pub input: Value,
}

impl Follow {
    /// Another execution is started with this.
    pub fn with(owner: &str, input: Value) -> Self {
        Self { owner: owner.to_owned(), input }
    }

    /// Another one is started with the event of the owner's end, as a rule of EventBridge does; `of`: an input that names what it followed.
    pub fn by_event(owner: &str, of: &Value) -> Self {
        let machine = machine_of(owner).unwrap_or_default();
        let event = json!({ "executionArn": owner, "stateMachineArn": machine, "input": of.to_string() });
        Self::with(owner, event)
    }
}

/// An item that is followed, as the index knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// The item's key.
    pub key: String,
    /// By whom, and what follows it on.
    pub follow: Follow,
}

impl Followed {
    fn from_item(item: &Item) -> StepResult<Self> {
        let input = serde_json::from_str(string(item, "next_input")?);
        let input = input.map_err(|error| StepError::invalid(format!("`next_input`: {error}")))?;
        let follow = Follow { owner: string(item, "owner")?.to_owned(), input };
        Ok(Self { key: string(item, "pk")?.to_owned(), follow })
    }
}

impl Journal {
    /// Every item that an execution follows: eventually consistent. One that cannot be read is left out, and logged.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn followed(&self) -> StepResult<Vec<Followed>> {
        let query = self.client.query().table_name(&self.table).index_name("open-runs");
        let query = query.key_condition_expression("#open = :followed").projection_expression("pk, #owner, next_input");
        let query = query.expression_attribute_names("#open", "open").expression_attribute_names("#owner", "owner");
        let mut items = query.expression_attribute_values(":followed", text(OPEN)).into_paginator().items().send();
        let mut followed = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StepError::from_aws("dynamodb:Query open-runs", &error))?;
            match Followed::from_item(&item) {
                Ok(one) => followed.push(one),
                Err(error) => tracing::error!(error = error.name, "what is followed: {}", error.message),
            }
        }
        Ok(followed)
    }

    /// Whether an item is followed just so, read consistently.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn is_followed_so(&self, followed: &Followed) -> StepResult<bool> {
        let item = self.get(followed.key.clone()).await?;
        Ok(item.is_some_and(|item| Followed::from_item(&item).is_ok_and(|now| now == *followed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_is_read_as_it_was_written() {
        let owner = "arn:aws:states:eu-west-1:123456789012:execution:wave:spring";
        let follow = Follow::by_event(owner, &json!({ "of": "spring" }));
        assert_eq!(follow.input["stateMachineArn"], "arn:aws:states:eu-west-1:123456789012:stateMachine:wave");
        assert_eq!(follow.input["input"], r#"{"of":"spring"}"#);
        let mut item = Item::from([
            ("pk".to_owned(), text("wave#spring")),
            ("owner".to_owned(), text(owner)),
            ("next_input".to_owned(), text(follow.input.to_string())),
        ]);
        assert_eq!(Followed::from_item(&item).unwrap(), Followed { key: "wave#spring".to_owned(), follow });
        item.remove("next_input");
        assert!(Followed::from_item(&item).is_err());
    }
}
