//! The library: what an execution's history tells of a run: what was called, when, what was answered, and where it is now.
//!
//! [`read`] asks Step Functions, with the permissions of whoever calls; everything else is pure.

pub mod calls;
pub mod checks;
pub mod read;
pub mod recovery;

pub use calls::{Call, Entry, Event, Kind, Weight, What};
pub use read::{Ended, Story};
pub use recovery::{LOOKS, Recovery};
