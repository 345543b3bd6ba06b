//! What comes before and after a wave: milestones with their checklists, prechecks, digests, and when each is due. Pure: values in, values out; no AWS, no
//! clock.
//!
//! | module | is |
//! |---|---|
//! | [`milestone`] | the milestones, what stands on their checklists, and when each is due |
//! | [`state`] | how a timeline stands: it is kept in the journal |
//! | [`mod@asked`] | what an execution of `timeline` is started with |
//! | [`said`] | what a person's word makes of a timeline |
//! | [`by_page`] | the same by the page of its checklists |
//! | [`single`] | the timeline of one cutover, of which no programme knows |
//! | [`decide`] | what is due: what to tell, to check, and when to look again |
//! | [`checks`] | rounds of prechecks, and what has turned red or green since the last |
//! | [`digest`] | what a programme has done and what comes; none where that is nothing |
//! | [`message`] | what happened, as `tell` is given it |

pub mod asked;
pub mod by_page;
pub mod checks;
pub mod decide;
pub mod digest;
pub mod message;
pub mod milestone;
pub mod said;
pub mod single;
pub mod state;
