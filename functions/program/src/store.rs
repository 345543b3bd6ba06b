//! The bucket of reports: portfolios and cutover plans that people put there, programmes that are left there.

use aws_sdk_s3::Client;
use cutover::arn::{execution_name, object_in_console};
use cutover::error::name;
use cutover::{StepError, StepResult};

/// The bucket.
#[derive(Clone, Debug)]
pub struct Store {
    /// S3.
    pub client: Client,
    /// The bucket's name.
    pub bucket: String,
}

/// Where an execution leaves what it makes of a portfolio: the same for each of its tries.
pub fn folder(portfolio: &str, execution_arn: &str) -> String {
    format!("programmes/{portfolio}/{}", execution_name(execution_arn))
}

impl Store {
    /// An object's address in the console of the execution's region and partition.
    pub fn link(&self, execution_arn: &str, key: &str) -> String {
        object_in_console(execution_arn, &self.bucket, key)
    }

    /// Writes an object, or the same one again.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn put(&self, key: &str, content_type: &str, text: String) -> StepResult<()> {
        bucket::put(&self.client, &self.bucket, key, content_type, text.into_bytes()).await
    }

    /// An object's text; none if there is no such object.
    ///
    /// # Errors
    /// AWS errors; an object that is too large, or no text.
    pub async fn get(&self, key: &str) -> StepResult<Option<String>> {
        let Some(content) = bucket::get(&self.client, &self.bucket, key).await? else { return Ok(None) };
        let text = String::from_utf8(content);
        text.map(Some).map_err(|_| StepError::new(name::REFUSED, format!("{key} is no text")))
    }

    /// The keys below a prefix.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn keys(&self, prefix: &str) -> StepResult<Vec<String>> {
        bucket::keys(&self.client, &self.bucket, prefix).await
    }
}
