//! Waves: applications that move together. What people write of one, how it stands, and what comes next. Pure: values in, values out; no AWS, no clock.
//!
//! | module | is |
//! |---|---|
//! | [`plan`], [`check`] | a wave as people write it, and what makes it sensible: every error at once |
//! | [`order`] | the same as it is gone by: places in place of names, stages, lockstep groups |
//! | [`state`] | how a wave stands: it is kept in the journal |
//! | [`asked`], [`said`] | what an execution of `wave` is started with, and what that makes of a wave |
//! | [`earlier`] | what applications need of earlier waves |
//! | [`decide`] | what comes next, from how it stands and what was seen |
//! | [`ending`] | how it ended, and in which words |
//! | [`news`] | what groups of stakeholders hear of it |

pub mod asked;
pub mod check;
pub mod decide;
pub mod earlier;
pub mod ending;
pub mod news;
pub mod order;
pub mod plan;
pub mod said;
pub mod state;

pub use self::order::Order;
pub use self::plan::WavePlan;
pub use self::state::State;
