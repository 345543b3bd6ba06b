//! The journal: the durable record of every run, in one DynamoDB table.
//!
//! | item | `pk` | holds |
//! |---|---|---|
//! | run | `run#<run_id>` | plan, before-images, phase, owner, marks, ending |
//! | lock | `lock#application#<name>`, `lock#listener#<arn>`, `lock#record#<zone>#<name>` | `run_id` of its holder |
//!
//! A run item carries the attribute `open` while somebody owes it an ending; the sparse index `open-runs` finds those.
//! Every change of phase is a conditional write: whoever loses the condition stops. Every read is consistent, but for
//! the index.

mod item;
mod locks;
mod marks;
mod phase;
mod table;

pub use item::{Ending, Run};
pub use locks::keys as lock_keys;
pub use phase::Phase;
pub use table::{Claim, Journal, Transition};
