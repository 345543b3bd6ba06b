//! The proof of the promise: every request of a run is made to fail, in every way, and what is left is checked.
//!
//! Contract: a clean run of a plan is recorded, and so is one that is rolled back. [`case`] makes the cases of these
//! records, [`field`] runs one on an emulated AWS of its own, [`check`] judges what is left, [`campaign`] runs them all on
//! several fields, [`report`] tells. Faults are rules of the emulated AWS's boundary (`tests/local_aws/faults.py`); the
//! product does not know of them.

pub mod campaign;
pub mod case;
pub mod check;
pub mod field;
pub mod report;
pub mod shape;
