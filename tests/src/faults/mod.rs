//! The proof of the promise: every request of a run is made to fail, in every way, and what is left is checked.
//!
//! Contract: a clean run of a plan is recorded, and so are two that are turned back. [`case`] makes the cases of these
//! records, [`field`] runs one on an emulated AWS of its own, [`check`] judges what is [`left`], [`by_hand`] does what a
//! [`page`] says, [`campaign`] runs all cases on several fields, [`report`] tells. Faults are rules of the emulated AWS's
//! boundary (`tests/local_aws/faults/rules.py`); the product does not know of them.

pub(crate) mod by_hand;
pub mod campaign;
pub mod case;
pub mod check;
pub mod field;
pub(crate) mod finished;
pub mod left;
pub(crate) mod page;
pub mod report;
pub mod shape;
