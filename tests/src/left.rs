//! The report that a run leaves in the bucket of reports: read as whoever opens it in the console.

use anyhow::{Context, Result};
use cutover::arn::execution_name;
use serde_json::json;

use crate::control::Client;

/// The kinds of its files, the page first.
pub const KINDS: [&str; 3] = ["html", "md", "json"];

/// A file of the report that a run left, by the ARN of its cutover's execution; none where it left none, since it ended before it was claimed.
///
/// # Errors
/// An emulator that does not answer.
pub async fn report(client: &Client, run_id: &str, kind: &str) -> Result<Option<String>> {
    object(client, &format!("runs/{}/report.{kind}", execution_name(run_id))).await
}

/// An object of the stack's bucket of reports, as text; none where there is none.
///
/// # Errors
/// An emulator that does not answer.
pub async fn object(client: &Client, key: &str) -> Result<Option<String>> {
    let Some(bucket) = bucket(client).await? else { return Ok(None) };
    let listed = client.call("s3", "list_objects_v2", json!({ "Bucket": bucket, "Prefix": key })).await?;
    if listed["Contents"].as_array().is_none_or(Vec::is_empty) {
        return Ok(None);
    }
    let object = client.call("s3", "get_object", json!({ "Bucket": bucket, "Key": key })).await?;
    object["Body"].as_str().map(|text| Some(text.to_owned())).context("an object without a body")
}

/// The keys below a prefix.
///
/// # Errors
/// An emulator that does not answer.
pub async fn keys(client: &Client, prefix: &str) -> Result<Vec<String>> {
    let Some(bucket) = bucket(client).await? else { return Ok(Vec::new()) };
    let listed = client.call("s3", "list_objects_v2", json!({ "Bucket": bucket, "Prefix": prefix })).await?;
    let keys = listed["Contents"].as_array().into_iter().flatten().filter_map(|one| one["Key"].as_str());
    Ok(keys.map(str::to_owned).collect())
}

/// The stack's bucket of reports.
///
/// # Errors
/// An emulator that does not answer.
pub async fn bucket(client: &Client) -> Result<Option<String>> {
    let listed = client.call("s3", "list_buckets", json!({})).await?;
    let names = listed["Buckets"].as_array().into_iter().flatten().filter_map(|bucket| bucket["Name"].as_str());
    Ok(names.filter(|name| name.contains("cutover-reports")).map(str::to_owned).next())
}
