//! A portfolio as it is rehearsed: moved on the calendar so that its first wave's window opens now, planned by the deployed machine, agreed to, scheduled; then the
//! schedule of the first wave is delivered, twice, as EventBridge Scheduler may.
//!
//! Contract: [`moved`] is pure. [`rehearse`] starts what a person would, and tells what happened by [`Told`]; it decides nothing.

mod judged;
mod moved;
mod play;

pub use self::judged::Judged;
pub use self::moved::{Moved, moved};
pub use self::play::{Outcome, Told, rehearse};

/// Whether a value is a portfolio, and neither a plan nor a wave: by what only a portfolio has, so that one of these may be misspelt.
pub fn is_portfolio(value: &serde_json::Value) -> bool {
    let has = |name: &str| value.get(name).is_some();
    let is_other = has("application") || has("routes") || has("wave");
    !is_other && ["calendar", "teams", "dependencies", "limits"].into_iter().filter(|name| has(name)).count() >= 2
        || has("calendar") && has("applications")
}
