//! The library of what is watched on CloudWatch: how a series of datapoints is asked for ([`metric`], pure) and read ([`data`]), wherever
//! the plan's load balancers are ([`metrics`]); what it says of an
//! alarm ([`observe`]), and when that can have seen the new side ([`evaluation`], pure).
//!
//! An alarm on the new side has no data until that side gets traffic: it is INSUFFICIENT_DATA then, and stays so until it
//! has been evaluated. What it says before it can have seen the traffic is no news.

pub mod data;
pub mod evaluation;
pub mod metric;
pub mod metrics;
pub mod observe;

pub use crate::evaluation::{Evaluation, Held};
pub use crate::metrics::Metrics;

/// An alarm, as far as watching it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`, as CloudWatch writes it.
    pub state: String,
    /// Why it is in that state, as CloudWatch, or whoever set it, writes; empty where nothing is said.
    pub reason: String,
    /// Whether it takes missing data for trouble (`TreatMissingData` is `breaching`).
    pub rings_without_data: bool,
    /// What it is evaluated over.
    pub evaluation: Evaluation,
}
