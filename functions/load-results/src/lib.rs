//! The library of load tests' results, as they are stored and read: what came of requests ([`results`], [`histogram`]), the figures that people read
//! and the SLA's bounds ([`sla`]), the sides beside each other ([`compare`]), and the whole ([`report`]). Pure.
//!
//! `load-test` makes and stores them, `report` reads and draws them.

pub mod compare;
pub mod histogram;
pub mod report;
pub mod results;
pub mod sla;
