//! The kind `name`: the weights of the records of one Route 53 name.

#[cfg(feature = "name")]
mod around;
#[cfg(feature = "name")]
mod aws;
pub mod balanced;
pub mod batch;
#[cfg(feature = "name")]
mod behind;
pub mod by_hand;
#[cfg(feature = "name")]
pub mod check_look;
pub mod check_status;
pub mod checks;
mod conversion;
pub mod evaluated;
mod family;
pub mod forecast;
mod group;
#[cfg(feature = "name")]
pub mod health_check;
#[cfg(feature = "name")]
mod leads;
#[cfg(feature = "name")]
mod lost;
#[cfg(feature = "name")]
pub mod observe;
pub mod planned;
#[cfg(feature = "name")]
pub mod precheck;
#[cfg(feature = "name")]
mod precheck_health;
#[cfg(feature = "name")]
pub mod reach;
pub mod record;
#[cfg(feature = "name")]
mod same;
#[cfg(feature = "name")]
pub mod send;
pub mod shares;
pub mod state;
#[cfg(feature = "name")]
mod told;
pub mod ttl;

pub use check_status::{Attached, Look, Side, Status};
pub use checks::PairChecks;
pub use planned::{planned_states, states_before_step};
pub use record::{AliasTarget, RecordSet};
pub use state::NameState;
pub use ttl::AliasTtls;
