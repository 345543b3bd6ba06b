//! The bucket of reports: objects written, read and listed, for every function that leaves something there or finds something.
//!
//! Each takes the permission of its caller: `s3:PutObject` and `s3:GetObject` on keys, `s3:ListBucket` on the bucket. Without the last one S3 says of an
//! object that is not there that it is denied (S3 API reference, GetObject).

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use cutover::error::name;
use cutover::{StepError, StepResult};

/// A larger object is none of ours: a portfolio of five thousand applications has some five megabytes.
const MOST_BYTES: i64 = 16 * 1024 * 1024;

/// Writes an object, or the same one again.
///
/// # Errors
/// AWS errors.
pub async fn put(client: &Client, bucket: &str, key: &str, content_type: &str, content: Vec<u8>) -> StepResult<()> {
    let put = client.put_object().bucket(bucket).key(key).content_type(content_type);
    let sent = put.body(ByteStream::from(content)).send().await;
    sent.map(drop).map_err(|error| StepError::from_aws(&format!("s3:PutObject {key}"), &error))
}

/// What an object holds; none if there is no such object.
///
/// # Errors
/// AWS errors; an object that is too large.
pub async fn get(client: &Client, bucket: &str, key: &str) -> StepResult<Option<Vec<u8>>> {
    let got = match client.get_object().bucket(bucket).key(key).send().await {
        Ok(got) => got,
        Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
        Err(error) => return Err(StepError::from_aws(&format!("s3:GetObject {key}"), &error)),
    };
    if got.content_length().is_some_and(|bytes| bytes > MOST_BYTES) {
        return Err(StepError::new(name::REFUSED, format!("{key} has more than {MOST_BYTES} bytes")));
    }
    let body = got.body.collect().await;
    let body = body.map_err(|error| StepError::new(name::TRANSIENT, format!("s3:GetObject {key}: {error}")))?;
    Ok(Some(body.into_bytes().to_vec()))
}

/// The keys that begin so, all pages of them.
///
/// # Errors
/// AWS errors.
pub async fn keys(client: &Client, bucket: &str, prefix: &str) -> StepResult<Vec<String>> {
    let mut pages = client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws(&format!("s3:ListBucket {prefix}"), &error))?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    Ok(keys)
}
