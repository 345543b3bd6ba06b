//! The bucket of reports: pages under `status/`, and what the pages were made from, as JSON beside them.
//!
//! A page is written over an older one only: of two calls at once, the later moment stays. What was read is written again only if nobody has
//! written in between (S3 user guide, conditional writes).

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use cutover::arn::{execution_name, object_in_console};
use cutover::contract::digest;
use cutover::error::name;
use cutover::{StepError, StepResult};
use serde::de::DeserializeOwned;

use crate::status::Status;

/// The page of all runs, without its ending.
pub const INDEX: &str = "status/index";
/// So often somebody else may write first.
const TRIES: usize = 6;

/// The bucket.
#[derive(Clone, Debug)]
pub struct Store {
    /// S3.
    pub client: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// Whether somebody else has written since.
enum Put {
    /// It is written.
    Written,
    /// Somebody else was faster.
    Lost,
}

impl Store {
    /// A page's address in the console of the run's region and partition.
    pub fn link(&self, machine_arn: &str, key: &str) -> String {
        object_in_console(machine_arn, &self.bucket, key)
    }

    /// What a page was made from; what cannot be read, since another version wrote it, is as none.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn get<T: DeserializeOwned>(&self, page: &str) -> StepResult<Option<T>> {
        Ok(self.stored(page).await?.and_then(|(value, _)| value))
    }

    async fn stored<T: DeserializeOwned>(&self, page: &str) -> StepResult<Option<(Option<T>, String)>> {
        let key = format!("{page}.json");
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(&key).max_keys(1).send().await;
        let listed = listed.map_err(|error| StepError::from_aws(&format!("s3:ListBucket {key}"), &error))?;
        if listed.contents().is_empty() {
            return Ok(None);
        }
        let got = self.client.get_object().bucket(&self.bucket).key(&key).send().await;
        let got = got.map_err(|error| StepError::from_aws(&format!("s3:GetObject {key}"), &error))?;
        let tag = got.e_tag().unwrap_or_default().to_owned();
        let body = got.body.collect().await;
        let body = body.map_err(|error| StepError::new(name::TRANSIENT, format!("s3:GetObject {key}: {error}")))?;
        Ok(Some((serde_json::from_slice(&body.into_bytes()).ok(), tag)))
    }

    /// Writes what a page is made from, and the page, from what is there: `make` says what, or that what is there stays. It is asked again where
    /// somebody else has written in between.
    ///
    /// # Errors
    /// AWS errors; `Cutover.Transient` where others write all the time.
    pub async fn replace<T: DeserializeOwned>(
        &self,
        page: &str,
        make: impl Fn(Option<T>) -> StepResult<Option<(String, String)>>,
    ) -> StepResult<bool> {
        for _ in 0..TRIES {
            let (before, tag) = self.stored::<T>(page).await?.map_or((None, None), |(value, tag)| (value, Some(tag)));
            let Some((json, html)) = make(before)? else { return Ok(false) };
            if let Put::Written = self.put_json(&format!("{page}.json"), tag, json).await? {
                self.put_page(&format!("{page}.html"), html).await?;
                return Ok(true);
            }
        }
        Err(StepError::new(name::TRANSIENT, format!("others write {page} again and again")))
    }

    async fn put_json(&self, key: &str, tag: Option<String>, json: String) -> StepResult<Put> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type("application/json");
        let put = match tag {
            Some(tag) => put.if_match(tag),
            None => put.if_none_match("*"),
        };
        match put.body(ByteStream::from(json.into_bytes())).send().await {
            Ok(_) => Ok(Put::Written),
            // 412: it has changed. 409: it is changing, or was removed meanwhile (API reference of PutObject).
            Err(error) if error.raw_response().is_some_and(|raw| [409, 412].contains(&raw.status().as_u16())) => {
                Ok(Put::Lost)
            }
            Err(error) => Err(StepError::from_aws(&format!("s3:PutObject {key}"), &error)),
        }
    }

    async fn put_page(&self, key: &str, html: String) -> StepResult<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type("text/html; charset=utf-8");
        let put = put.cache_control("no-store").body(ByteStream::from(html.into_bytes()));
        put.send().await.map(drop).map_err(|error| StepError::from_aws(&format!("s3:PutObject {key}"), &error))
    }
}

/// The page of an application, without its ending.
pub fn page_of_application(application: &str) -> String {
    format!("status/applications/{}", file_name(application))
}

/// The page of a run that is not its application's page, or whose application is not known.
pub fn page_of_run(run_id: &str) -> String {
    format!("status/runs/{}", file_name(execution_name(run_id)))
}

/// A name as it is where it is plain; an execution's may hold nearly anything.
fn file_name(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_plain && (1..=80).contains(&name.len()) { name.to_owned() } else { digest(name) }
}

/// Whether a run takes its application's page from what stands there. One run of an application is claimed at a time: that one has it; among
/// others the later one.
pub fn takes(stored: Option<&Status>, mine: &Status) -> bool {
    let Some(stored) = stored else { return true };
    if stored.run_id == mine.run_id {
        return mine.at >= stored.at;
    }
    let holds = |status: &Status| status.is_open() && status.phase.is_some();
    match (holds(stored), holds(mine)) {
        (false, true) => true,
        (true, false) => false,
        _ => mine.began_at >= stored.began_at,
    }
}
