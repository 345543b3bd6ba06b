//! A portfolio as it is rehearsed: moved on the calendar so that its first wave's window opens now, planned by the deployed machine, agreed to, scheduled; then the
//! schedule of the first wave is delivered, twice, as EventBridge Scheduler may.
//!
//! Contract: [`moved`] is pure. [`rehearse`] starts what a person would, and tells what happened by [`Told`]; it decides nothing.

mod moved;
mod play;

pub use self::moved::{Moved, moved};
pub use self::play::{Outcome, Told, rehearse};

/// Whether a value is a portfolio, and no plan.
pub fn is_portfolio(value: &serde_json::Value) -> bool {
    value.get("calendar").is_some() && value.get("applications").is_some()
}
