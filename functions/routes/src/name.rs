//! The kind `name`: the weights of the records of one Route 53 name.

#[cfg(feature = "name")]
mod around;
#[cfg(feature = "name")]
mod aws;
pub mod batch;
#[cfg(feature = "name")]
mod behind;
pub mod by_hand;
pub mod checks;
mod conversion;
pub mod evaluated;
mod family;
mod group;
#[cfg(feature = "name")]
pub mod health_check;
#[cfg(feature = "name")]
pub mod observe;
pub mod planned;
#[cfg(feature = "name")]
pub mod precheck;
#[cfg(feature = "name")]
pub mod reach;
pub mod record;
#[cfg(feature = "name")]
pub mod seen;
#[cfg(feature = "name")]
pub mod send;
pub mod shares;
pub mod state;
#[cfg(feature = "name")]
mod told;
pub mod ttl;
pub mod users;

pub use checks::PairChecks;
pub use planned::{planned_states, states_before_step};
pub use record::{AliasTarget, RecordSet};
pub use state::NameState;
pub use ttl::AliasTtls;
