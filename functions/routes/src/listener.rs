//! The kind `listener`: the weights of target groups on a listener's or a rule's forward action.

#[cfg(feature = "listener")]
pub mod actions;
pub mod arns;
#[cfg(feature = "listener")]
pub mod behind;
pub mod by_hand;
mod differences;
#[cfg(feature = "listener")]
mod fit;
#[cfg(feature = "listener")]
pub mod late;
#[cfg(feature = "listener")]
pub mod observe;
mod owners;
pub mod planned;
#[cfg(feature = "listener")]
pub mod precheck;
#[cfg(feature = "listener")]
pub mod send;
pub mod shares;
pub mod state;
mod sticky;

pub use planned::{Pair, has_both_sides, pair, planned_states, states_before_step};
pub use state::{Forward, ListenerState, Stickiness, WeightedGroup};
