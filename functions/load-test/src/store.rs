//! What slices and the test leave behind: objects in S3, under the run.
//!
//! `runs/<execution>/load-test/<round>/<turn>-<slice>.json` of a slice, `runs/<execution>/load-test.json` of the whole.

use aws_sdk_s3::Client;
use cutover::arn::execution_name;
use cutover::error::name;
use cutover::{StepError, StepResult};
use futures_util::{StreamExt, TryStreamExt};
use load_results::report::Report;
use serde::Serialize;

use crate::judge::Done;
use crate::slices::Slice;

/// So many objects are read at a time.
const AT_ONCE: usize = 16;

/// The bucket of reports.
#[derive(Clone, Debug)]
pub struct Store {
    /// S3.
    pub client: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// Where a run's objects are: its execution's name, which is used once in 90 days, and part of no other run's.
fn prefix(run_id: &str) -> String {
    format!("runs/{}/load-test", execution_name(run_id))
}

fn key_of(run_id: &str, slice: &Slice) -> String {
    let Slice { round, turn, slice, .. } = slice;
    format!("{}/{round}/{turn:03}-{slice:02}.json", prefix(run_id))
}

impl Store {
    /// Writes what a slice leaves behind; again, it is overwritten.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn put_slice(&self, run_id: &str, done: &Done) -> StepResult<()> {
        self.put(&key_of(run_id, &done.slice), done).await
    }

    /// Writes the whole test's result, and says under which key.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn put_report(&self, run_id: &str, report: &Report) -> StepResult<String> {
        let key = format!("{}.json", prefix(run_id));
        self.put(&key, report).await?;
        Ok(key)
    }

    /// What the slices of a round have left behind so far.
    ///
    /// # Errors
    /// AWS errors; an object that is not a slice's.
    pub async fn slices(&self, run_id: &str, round: u32) -> StepResult<Vec<Done>> {
        let keys = self.keys(&format!("{}/{round}/", prefix(run_id))).await?;
        let all = futures_util::stream::iter(keys).map(|key| self.slice(key)).buffered(AT_ONCE);
        all.try_collect().await
    }

    /// Whether a slice has left something behind already.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn has_slice(&self, run_id: &str, slice: &Slice) -> StepResult<bool> {
        Ok(!self.keys(&key_of(run_id, slice)).await?.is_empty())
    }

    async fn put(&self, key: &str, value: &impl Serialize) -> StepResult<()> {
        let json = serde_json::to_vec(value)
            .map_err(|error| StepError::invalid(format!("the result is not JSON: {error}")))?;
        bucket::put(&self.client, &self.bucket, key, "application/json", json).await
    }

    async fn keys(&self, prefix: &str) -> StepResult<Vec<String>> {
        bucket::keys(&self.client, &self.bucket, prefix).await
    }

    async fn slice(&self, key: String) -> StepResult<Done> {
        let content = bucket::get(&self.client, &self.bucket, &key).await?;
        let content =
            content.ok_or_else(|| StepError::new(name::REFUSED, format!("s3:GetObject {key}: it is gone")))?;
        serde_json::from_slice(&content).map_err(|error| {
            StepError::new(name::REFUSED, format!("the object {key} is not a slice's result: {error}"))
        })
    }
}
