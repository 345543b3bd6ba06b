//! What the plans of a stack may name, as its owner has said: pure, but for the reading of the environment.
//!
//! A plan is written by a team; the stack's configuration says what that team's plans may touch, where they may send users, and whom they may
//! tell. Precheck tells of all that is not allowed, the function that writes checks again, and its role's policy is the last word where
//! AWS knows a condition for it. Each list is a variable of the function, and one that is missing keeps the function from starting: nothing is open
//! because somebody has forgotten it.

pub mod alarms;
pub mod approval;
mod approvers;
pub mod destinations;
pub mod hooks;
pub mod mails;
mod patterns;
pub mod routes;
pub mod topics;

pub use self::alarms::AllowedAlarms;
pub use self::approval::Demanded;
pub use self::destinations::Destinations;
pub(crate) use self::destinations::leads_to;
pub use self::hooks::AllowedHooks;
pub use self::mails::Mails;
pub use self::patterns::{Patterns, fits};
pub use self::routes::AllowedRoutes;
pub use self::topics::Topics;
use crate::error::name;
use crate::{Finding, StepError, StepResult};

/// What a function that writes says of the first thing that it may not do.
///
/// # Errors
/// `Cutover.NotPermitted`, with the place in the plan, what is wrong, and the fix.
fn refuse_first(findings: Vec<Finding>) -> StepResult<()> {
    match findings.into_iter().next() {
        None => Ok(()),
        Some(Finding { path, problem, fix, .. }) => {
            Err(StepError::new(name::NOT_PERMITTED, format!("{path} {problem}: {fix}")))
        }
    }
}
