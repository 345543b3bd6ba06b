//! The bucket of reports: what a run's load test left there, and the report.

use aws_sdk_s3::Client;
use cutover::arn::{execution_name, object_in_console};
use cutover::error::name;
use cutover::{StepError, StepResult};
use load_results::report::Report;

/// The bucket.
#[derive(Clone, Debug)]
pub struct Store {
    /// S3.
    pub client: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// The key of a run's report of this kind: `html`, `md` or `json`. A run is known by its execution's name.
pub fn key(run_id: &str, kind: &str) -> String {
    format!("runs/{}/report.{kind}", execution_name(run_id))
}

impl Store {
    /// An object's address in the console of the run's region and partition.
    pub fn link(&self, run_id: &str, key: &str) -> String {
        object_in_console(run_id, &self.bucket, key)
    }

    /// Writes an object, or the same one again.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn put(&self, key: &str, content_type: &str, text: String) -> StepResult<()> {
        bucket::put(&self.client, &self.bucket, key, content_type, text.into_bytes()).await
    }

    /// What the run's load test left, if it has left something.
    ///
    /// # Errors
    /// AWS errors; an object that is no load test's result.
    pub async fn load_test(&self, run_id: &str) -> StepResult<Option<Report>> {
        let key = format!("runs/{}/load-test.json", execution_name(run_id));
        // It may be denied to whoever asks for what is not there: so it is looked for first.
        if bucket::keys(&self.client, &self.bucket, &key).await?.is_empty() {
            return Ok(None);
        }
        let Some(content) = bucket::get(&self.client, &self.bucket, &key).await? else { return Ok(None) };
        let read = serde_json::from_slice(&content);
        read.map(Some)
            .map_err(|error| StepError::new(name::REFUSED, format!("{key} is no load test's result: {error}")))
    }
}
