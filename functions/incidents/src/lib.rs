//! The library of incidents: values in, values out. `incident` follows them and tells of them; `answer` takes what people say by a page.
//!
//! | module | is |
//! |---|---|
//! | [`incident`], [`timing`] | what an incident is, and the times between messages |
//! | [`mod@asked`], [`taken`] | what an execution is started with, or a page says, and what that makes of an incident |
//! | `means` | what an execution of `rollback` means for its run's incident |
//! | [`decide`] | what is due, and to whom |
//! | [`wave`] | one incident for the runs of a wave that go back of one cause |
//! | [`by_page`] | what a page of an incident may say, and whether it still counts |

pub mod asked;
pub mod by_page;
pub mod decide;
pub mod incident;
mod means;
pub mod taken;
pub mod timing;
pub mod wave;
