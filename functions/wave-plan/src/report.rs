//! What a programme looks like: [`markdown()`] for reading and reviews, [`gantt()`] for the wall, [`csv()`] for spreadsheets.
//!
//! Names and reasons were written by others: each report escapes what means something to it.

mod chart;
mod gantt;
mod markdown;
mod page;
mod refusal;
mod table;

pub use self::gantt::gantt;
pub use self::markdown::markdown;
pub use self::refusal::refusal;
pub use self::table::csv;
