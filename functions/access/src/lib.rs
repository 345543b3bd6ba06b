//! Access to what lies in another account or region: the settings of clients that call there, in the role that the stack's configuration
//! names for that account ([`cutover::accounts`]).
//!
//! Reads: the stack's accounts, once; STS, where a plan names something elsewhere, once for each account, run and lifetime of the credentials.
//! What lies in the stack's own account and region costs nothing: no client of STS is made for it. Writes: nothing, so there is nothing to undo.
//!
//! A session is called after its run, so that CloudTrail in the other account tells which one it was, and has no more permissions
//! than the function itself needs, whatever the role may do.
//!
//! Errors: `Cutover.NotPermitted` for an account without a role, and for a role that cannot be assumed; and AWS errors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use cutover::accounts::{Accounts, Role, session_name, session_policy, sessions_ended};
use cutover::arn::Place;
use cutover::bootstrap::Environment;
use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};

/// Credentials are good for an hour: a role that is assumed by a role has no longer (IAM user guide, role chaining).
const SESSION_SECONDS: i32 = 3_600;
/// So long before their end they are renewed: longer than a function works.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// What a function calls other accounts and regions by.
#[derive(Clone, Debug)]
pub struct Access {
    own: SdkConfig,
    accounts: Accounts,
    actions: &'static [&'static str],
    kept: Arc<Mutex<HashMap<Key, Kept>>>,
    of_run: Option<OfRun>,
}

/// Whose credentials: an account's, and a session's.
type Key = (String, String);

#[derive(Clone, Debug)]
struct Kept {
    credentials: Credentials,
    until: Timestamp,
    /// How many sessions had been over when they were given.
    after: u64,
}

/// The run for which somebody calls.
#[derive(Clone, Debug)]
struct OfRun {
    run_id: String,
    session: String,
    now: Timestamp,
}

impl Access {
    /// Of a function, which elsewhere does no more than these actions.
    ///
    /// # Errors
    /// The stack's accounts are not set, or cannot be read.
    pub fn of(environment: &Environment, actions: &'static [&'static str]) -> Result<Self, lambda_runtime::Error> {
        Ok(Self {
            own: environment.aws.clone(),
            accounts: Accounts::of(environment)?,
            actions,
            kept: Arc::default(),
            of_run: None,
        })
    }

    /// Of a tool beside the functions, which enters no other account.
    pub fn nowhere_else(own: &SdkConfig) -> Self {
        Self { own: own.clone(), accounts: Accounts::default(), actions: &[], kept: Arc::default(), of_run: None }
    }

    /// For a run, by the ARN of its execution, which also says where the stack is.
    pub fn for_run(&self, run_id: &str, now: Timestamp) -> Self {
        let of_run = OfRun { run_id: run_id.to_owned(), session: session_name(run_id), now };
        Self { of_run: Some(of_run), ..self.clone() }
    }

    /// Where the stack is, as the run's execution says; none for a tool beside the functions.
    pub fn here(&self) -> Option<Place<'_>> {
        Place::of(&self.of_run.as_ref()?.run_id)
    }

    /// The accounts beside the stack's own.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// A client that calls there: made anew, or `own` where that is the stack's own account and region.
    ///
    /// # Errors
    /// See the module.
    pub async fn client<C: Clone>(
        &self,
        own: &C,
        there: Option<Place<'_>>,
        new: impl FnOnce(&SdkConfig) -> C,
    ) -> StepResult<C> {
        Ok(self.at(there).await?.map_or_else(|| own.clone(), |there| new(&there)))
    }

    /// The settings of clients that call there; none where that is the stack's own account and region.
    ///
    /// # Errors
    /// See the module.
    pub async fn at(&self, there: Option<Place<'_>>) -> StepResult<Option<SdkConfig>> {
        let Some((of_run, there)) = self.of_run.as_ref().zip(there) else { return Ok(None) };
        let Some(here) = Place::of(&of_run.run_id) else { return Ok(None) };
        let there = there.or(here);
        if there == here {
            return Ok(None);
        }
        let credentials = self.credentials(there, here, of_run).await?;
        let there = self.own.to_builder().region(Region::new(there.region.to_owned()));
        Ok(Some(there.credentials_provider(SharedCredentialsProvider::new(credentials)).build()))
    }

    /// The settings of clients that call there, also where that is the stack's own account and region.
    ///
    /// # Errors
    /// See the module.
    pub async fn settings(&self, there: Option<Place<'_>>) -> StepResult<SdkConfig> {
        Ok(self.at(there).await?.unwrap_or_else(|| self.own.clone()))
    }

    async fn credentials(&self, there: Place<'_>, here: Place<'_>, of_run: &OfRun) -> StepResult<Credentials> {
        let key = (there.account.to_owned(), of_run.session.clone());
        if let Some(kept) = self.kept(&key, of_run.now) {
            return Ok(kept);
        }
        let role = self.accounts.role(there.account).ok_or_else(|| {
            let (problem, fix) = Accounts::no_role(there, here);
            StepError::new(name::NOT_PERMITTED, format!("{problem}: {fix}"))
        })?;
        let kept = assume(&self.own, &role, &of_run.session, self.actions).await?;
        let credentials = kept.credentials.clone();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kept);
        Ok(credentials)
    }

    /// Those that last for a while; the others are forgotten, and all of them once one has ended before its time.
    fn kept(&self, key: &Key, now: Timestamp) -> Option<Credentials> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = sessions_ended();
        kept.retain(|_, kept| kept.after == ended && lasts(kept.until, now));
        kept.get(key).map(|kept| kept.credentials.clone())
    }
}

/// Whether credentials that end then are good for one more invocation. Pure.
fn lasts(until: Timestamp, now: Timestamp) -> bool {
    until.duration_since(now) > RENEWED_BEFORE
}

/// A session in a role of another account, which allows no more than these actions.
async fn assume(own: &SdkConfig, role: &Role, session: &str, actions: &[&str]) -> StepResult<Kept> {
    let asked = aws_sdk_sts::Client::new(own).assume_role().role_arn(&role.arn).external_id(&role.external_id);
    let asked = asked.role_session_name(session).policy(session_policy(actions)).duration_seconds(SESSION_SECONDS);
    let call = format!("sts:AssumeRole {}", role.arn);
    let answer = asked.send().await.map_err(|error| StepError::from_aws(&call, &error))?;
    let given = answer
        .credentials()
        .ok_or_else(|| StepError::new(name::TRANSIENT, format!("{call}: the answer has no credentials")))?;
    let until = Timestamp::from_second(given.expiration().secs())
        .map_err(|error| StepError::new(name::TRANSIENT, format!("{call}: {error}")))?;
    let token = Some(given.session_token().to_owned());
    // Without their end: a client that is made for an invocation asks for them once, and they last longer than that.
    let credentials = Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "sts:AssumeRole");
    Ok(Kept { credentials, until, after: sessions_ended() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_before_an_invocation_could_outlast_them() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds: i64| now + SignedDuration::from_secs(seconds);
        assert!(lasts(at(3_600), now) && lasts(at(301), now));
        assert!(!lasts(at(300), now) && !lasts(at(0), now) && !lasts(at(-1), now));
    }
}
