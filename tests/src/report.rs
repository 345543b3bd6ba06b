//! What people read: a line for everything that happens, a summary at the end, and a page to open.
//!
//! | part | is |
//! |---|---|
//! | `words`, `answers` | what the others share |
//! | `progress` | a line for everything that happens |
//! | `summary` | the summary at the end |
//! | `page`, `plot`, `html` | the page, with its plots |
//! | `plan` | what can be said of a plan alone |

mod answers;
pub mod html;
mod page;
mod plan;
mod plot;
mod progress;
mod summary;
mod words;

use std::fmt::Write as _;

pub use answers::why;
pub use page::page;
pub use plan::checked;
pub use progress::Progress;
pub use summary::summary;
use words::BOLD;
pub(crate) use words::clock;

// Writing to a String cannot fail.
macro_rules! put {
    ($text:expr, $($line:tt)*) => { let _ = writeln!($text, $($line)*); };
}
use put;

fn heading(text: &mut String, name: &str) {
    put!(text, "\n{BOLD}{name}{BOLD:#}");
}
