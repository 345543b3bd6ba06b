//! The kind `listener`: the weights of target groups on a listener's or a rule's forward action.

#[cfg(feature = "listener")]
pub mod actions;
#[cfg(feature = "listener")]
mod behind;
pub mod by_hand;
#[cfg(feature = "listener")]
pub mod observe;
pub mod planned;
#[cfg(feature = "listener")]
pub mod precheck;
#[cfg(feature = "listener")]
pub mod send;
pub mod shares;
pub mod state;

pub use planned::{Pair, pair, planned_states, states_before_step};
pub use state::{Forward, ListenerState, Stickiness, WeightedGroup};
