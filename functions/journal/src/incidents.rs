//! Incidents: an item each, which `incident` reads and writes, and `answer` where a person says something by a page; and the hashes of their links.

use aws_sdk_dynamodb::types::AttributeValue;
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::followed::Follow;
use crate::table::Journal;
use crate::versioned::Versioned;

/// How long one is kept after its last change, by DynamoDB's time to live.
const KEPT_SECONDS: i64 = 365 * 24 * 3600;
/// How long the hash of a link is kept after the link's end.
const LINK_KEPT_SECONDS: i64 = 7 * 24 * 3600;

impl Journal {
    /// An incident, and its version; none if there is no such.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn incident(&self, id: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&item(id)).await
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster. `follow`: until it is over.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_incident(
        &self,
        id: &str,
        text: String,
        version: Option<u64>,
        follow: Option<&Follow>,
        now: Timestamp,
    ) -> StepResult<bool> {
        self.write_versioned(&item(id), text, version, Some(now.as_second() + KEPT_SECONDS), follow).await
    }

    /// Remembers that a link was made of a page that answers no question of a run: of an incident, or of a wave's checklists. Without it nobody can follow the link. The same link is remembered once, however often.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_page_link(
        &self,
        id: &str,
        hash: &str,
        recipient: &str,
        ends_at: Timestamp,
    ) -> StepResult<()> {
        let (pk, expires) = (link(id, hash), ends_at.as_second().saturating_add(LINK_KEPT_SECONDS));
        let put = self.client.put_item().table_name(&self.table).item("pk", AttributeValue::S(pk.clone()));
        let put = put.item("recipient", AttributeValue::S(recipient.to_owned()));
        let put = put.item("expires", AttributeValue::N(expires.to_string()));
        put.send().await.map(drop).map_err(|error| StepError::from_aws(&format!("dynamodb:PutItem {pk}"), &error))
    }

    /// Whether such a link was made.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn knows_page_link(&self, id: &str, hash: &str) -> StepResult<bool> {
        let pk = link(id, hash);
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.key("pk", AttributeValue::S(pk.clone())).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("dynamodb:GetItem {pk}"), &error))?;
        Ok(answer.item.is_some())
    }
}

/// Beside the questions of runs: whoever makes and follows links may see these alone.
fn link(id: &str, hash: &str) -> String {
    format!("ask#{id}#{hash}")
}

fn item(id: &str) -> Versioned {
    Versioned { pk: format!("incident#{id}"), attribute: "incident" }
}
