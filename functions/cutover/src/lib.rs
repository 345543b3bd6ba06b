//! What every function of Cutover shares: the plan and its rules, verdicts, error names,
//! and the bootstrap of a Lambda function.
//!
//! Everything but [`bootstrap`] and [`probe`] is pure: values in, values out, the time is an argument.

pub mod accounts;
pub mod alarm;
pub mod arn;
pub mod ask;
pub mod authority;
pub mod baseline;
pub mod bootstrap;
pub mod budget;
pub mod connector;
pub mod contract;
pub mod counted;
pub mod dashboards;
pub mod deadline;
pub mod dns;
pub mod doubts;
pub mod error;
pub mod finding;
pub mod gates;
pub mod gestures;
pub mod input;
pub mod line;
pub mod load;
pub mod paced;
pub mod plan;
pub mod probe;
pub mod quiesce;
pub mod rate;
pub mod read;
pub mod schedule;
pub mod seconds;
pub mod service_zones;
pub mod stakeholders;
pub mod text;
pub mod told;
pub mod undelivered;
pub mod verdict;

pub use error::{StepError, StepResult};
pub use finding::{Finding, Severity};
pub use plan::Plan;
pub use seconds::Seconds;
