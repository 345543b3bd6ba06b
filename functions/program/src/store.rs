//! The bucket of reports: portfolios and cutover plans that people put there, programmes that are left there.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use cutover::arn::{execution_name, object_in_console};
use cutover::error::name;
use cutover::{StepError, StepResult};

/// A larger object is none of ours: five thousand applications have some five megabytes.
const MOST_BYTES: i64 = 16 * 1024 * 1024;

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
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let sent = put.body(ByteStream::from(text.into_bytes())).send().await;
        sent.map(drop).map_err(|error| StepError::from_aws(&format!("s3:PutObject {key}"), &error))
    }

    /// An object's text; none if there is no such object.
    ///
    /// # Errors
    /// AWS errors; an object that is too large, or no text.
    pub async fn get(&self, key: &str) -> StepResult<Option<String>> {
        let got = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
            Err(error) => return Err(StepError::from_aws(&format!("s3:GetObject {key}"), &error)),
        };
        if got.content_length().is_some_and(|bytes| bytes > MOST_BYTES) {
            return Err(StepError::new(name::REFUSED, format!("{key} has more than {MOST_BYTES} bytes")));
        }
        let body = got.body.collect().await;
        let body = body.map_err(|error| StepError::new(name::TRANSIENT, format!("s3:GetObject {key}: {error}")))?;
        let text = String::from_utf8(body.into_bytes().to_vec());
        text.map(Some).map_err(|_| StepError::new(name::REFUSED, format!("{key} is no text")))
    }

    /// The keys below a prefix.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn keys(&self, prefix: &str) -> StepResult<Vec<String>> {
        let pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = pages.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StepError::from_aws(&format!("s3:ListBucket {prefix}"), &error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }
}
