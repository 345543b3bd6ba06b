//! What people were asked: an item for each question, which `notify` writes, `tell` adds links to, and `answer` decides, once.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use cutover::ask::{Answer, Handed, Question};
use cutover::error::name;
use cutover::{StepError, StepResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::item::Item;
use crate::table::Journal;

/// How long it is kept after the time to answer, by DynamoDB's time to live: who decided is in the run, too.
const KEPT_SECONDS: i64 = 7 * 24 * 3600;

/// A question as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// The hashes of the links that were made for it, each with whom for.
    pub links: HashMap<String, String>,
    /// Who answered what; none so far.
    pub answer: Option<Answer>,
    /// What became of the answer; none: that is not known yet.
    pub handed: Option<Handed>,
}

impl Journal {
    /// Writes a question where it is not yet; whether it was.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn ask(&self, question: &Question) -> StepResult<bool> {
        let pk = pk(&question.id());
        let expires = question.ends_at.as_second() + KEPT_SECONDS;
        let put = self.client.put_item().table_name(&self.table).item("pk", AttributeValue::S(pk.clone()));
        let put = put.item("question", json(question)?).item("links", AttributeValue::M(HashMap::new()));
        let put = put.item("expires", AttributeValue::N(expires.to_string()));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(StepError::from_aws(&format!("dynamodb:PutItem {pk}"), &error)),
        }
    }

    /// A question; none that is not, or no longer, there.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn asked(&self, id: &str) -> StepResult<Option<Asked>> {
        let pk = pk(id);
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.key("pk", AttributeValue::S(pk.clone())).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("dynamodb:GetItem {pk}"), &error))?;
        answer.item.map(|item| read(&pk, &item)).transpose()
    }

    /// Remembers that a link to it was made. Without it nobody can follow the link.
    ///
    /// # Errors
    /// AWS errors; a question that is not there.
    pub async fn remember_link(&self, id: &str, hash: &str, recipient: &str) -> StepResult<()> {
        let update = self.of_question(id).update_expression("SET links.#hash = :recipient");
        let update = update.expression_attribute_names("#hash", hash);
        let update = update.expression_attribute_values(":recipient", AttributeValue::S(recipient.to_owned()));
        let written = written(id, update.condition_expression("attribute_exists(pk)").send().await)?;
        if written { Ok(()) } else { Err(StepError::new(name::REFUSED, format!("{} is not there", pk(id)))) }
    }

    /// Answers it, once; whether it was this answer that was written: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn answer(&self, id: &str, answer: &Answer) -> StepResult<bool> {
        let update = self.of_question(id).update_expression("SET answer = :answer");
        let update = update.expression_attribute_values(":answer", json(answer)?);
        let update = update.condition_expression("attribute_exists(pk) AND attribute_not_exists(answer)");
        written(id, update.send().await)
    }

    /// Remembers what became of the answer. What is known already stays, but for an answer that was taken after all: of two calls that send
    /// it at the same time one is told that nobody waits any more.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn hand_over(&self, id: &str, handed: Handed) -> StepResult<()> {
        let update = self.of_question(id).update_expression("SET handed = :handed");
        let update = update.expression_attribute_values(":handed", json(&handed)?);
        let condition = match handed {
            Handed::Taken => "attribute_exists(answer)",
            Handed::Late | Handed::TakenOrLate => "attribute_exists(answer) AND attribute_not_exists(handed)",
        };
        written(id, update.condition_expression(condition).send().await).map(drop)
    }

    fn of_question(&self, id: &str) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("pk", AttributeValue::S(pk(id)))
    }
}

fn pk(id: &str) -> String {
    format!("ask#{id}")
}

fn json(value: &impl Serialize) -> StepResult<AttributeValue> {
    let text = serde_json::to_string(value);
    text.map(AttributeValue::S).map_err(|error| StepError::invalid(format!("a question or answer: {error}")))
}

fn written<T>(id: &str, answer: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError>>) -> StepResult<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Ok(false)
        }
        Err(error) => Err(StepError::from_aws(&format!("dynamodb:UpdateItem {}", pk(id)), &error)),
    }
}

fn read(pk: &str, item: &Item) -> StepResult<Asked> {
    fn part<T: DeserializeOwned>(item: &Item, name: &str) -> Result<Option<T>, String> {
        let text = item.get(name).map(|value| value.as_s().map_err(|_| format!("`{name}` is no text"))).transpose()?;
        text.map(|text| serde_json::from_str(text).map_err(|error| format!("`{name}`: {error}"))).transpose()
    }
    let whole = || -> Result<Asked, String> {
        let links = item.get("links").and_then(|links| links.as_m().ok()).into_iter().flatten();
        let link = |(hash, recipient): (&String, &AttributeValue)| Some((hash.clone(), recipient.as_s().ok()?.clone()));
        Ok(Asked {
            question: part(item, "question")?.ok_or("there is no `question`")?,
            links: links.filter_map(link).collect(),
            answer: part(item, "answer")?,
            handed: part(item, "handed")?,
        })
    };
    whole().map_err(|problem| StepError::new(name::REFUSED, format!("{pk}: the item cannot be read: {problem}")))
}
