//! The planner: from a portfolio of applications to waves, with their dates, and why. Pure: values in, values out; no AWS, no clock.
//!
//! - [`portfolio::Portfolio::read`] reads what people wrote, and tells every error at once; [`sheet`] does so from spreadsheets.
//! - [`plan()`] answers with a [`Programme`], or with why there is none.
//! - [`report`] shows a programme: Markdown, a Gantt chart, CSV. Its JSON is the type itself.
//! - [`solve`] is the core, without a word of migrations in it.

mod assemble;
mod conflict;
mod explain;
mod model;
mod plan;
pub mod portfolio;
mod programme;
mod replan;
pub mod report;
mod risk;
pub mod sheet;
pub mod solve;
mod spread;

pub use self::conflict::Conflict;
pub use self::model::Progress;
pub use self::plan::{Refusal, Request, plan};
pub use self::portfolio::Portfolio;
pub use self::programme::{Baseline, Change, Placement, Programme, Quality, Staged, TeamLoad, Wave, WeekLoad};
