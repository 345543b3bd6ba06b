//! The key that signs links: a secret of Secrets Manager that the stack makes. It stands in no log, no record and no environment.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::Client;
use cutover::error::name;
use cutover::{StepError, StepResult};
use hmac::Hmac;
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::mac_of;

/// For so long a process goes by what it has read: whoever changes the secret makes all links void within that time.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// The stack's has 64 characters; one of fewer than these was put there by somebody who did not mean it.
const FEWEST_BYTES: usize = 32;

/// The key.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// Of a secret's text; none where that is too short.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() < FEWEST_BYTES { None } else { mac_of(text.as_bytes()).map(Self) }
    }

    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Key")
    }
}

/// What was read, and when.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<Option<(Key, Timestamp)>>>);

impl Kept {
    fn at(&self, now: Timestamp) -> Option<Key> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(_, at)| now.duration_since(*at).abs() < KEPT).map(|(key, _)| key.clone())
    }

    fn keep(&self, key: &Key, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((key.clone(), now));
    }
}

/// The key as it is now, or was a few minutes ago.
///
/// # Errors
/// AWS errors; a secret that is no key.
pub async fn current(secrets: &Client, secret_arn: &str, kept: &Kept, now: Timestamp) -> StepResult<Key> {
    if let Some(key) = kept.at(now) {
        return Ok(key);
    }
    let answer = secrets.get_secret_value().secret_id(secret_arn).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("secretsmanager:GetSecretValue", &error))?;
    let key = answer.secret_string.as_deref().and_then(Key::of).ok_or_else(|| {
        let problem =
            format!("the secret {secret_arn} is no key: put a text of {FEWEST_BYTES} characters or more there");
        StepError::new(name::REFUSED, problem)
    })?;
    kept.keep(&key, now);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_some_minutes_and_never_shown() {
        let key = Key::of(&"k".repeat(40)).unwrap();
        let kept = Kept::default();
        let at = |time: &str| -> Timestamp { format!("2026-11-27T{time}Z").parse().unwrap() };
        assert!(kept.at(at("02:00:00")).is_none());
        kept.keep(&key, at("02:00:00"));
        assert!(kept.at(at("02:04:59")).is_some());
        assert!(kept.at(at("02:05:00")).is_none());
        assert!(kept.at(at("01:50:00")).is_none(), "of another machine's clock");
        assert!(!format!("{kept:?}").contains('k') || format!("{key:?}") == "Key");
        assert!(Key::of(&"k".repeat(31)).is_none() && Key::of("  \n").is_none());
    }
}
