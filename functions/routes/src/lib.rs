//! The library of routes: a module for each kind, with the same few parts.
//!
//! | part | `listener` | `name` |
//! |---|---|---|
//! | the state, compared and described | `state` | `state`, `record` |
//! | planned states | `planned` | `planned`, `group`, `checks`, `check_status` |
//! | what users get | `shares` | `shares` |
//! | what is sent | `actions` | `batch`, `aws` |
//! | observe | `observe` | `observe`, `reach`, `check_look` |
//! | write, and read back | `send` | `send` |
//! | what the run makes beside it | - | `health_check` |
//! | precheck's findings | `precheck`, `fit` | `precheck`, `precheck_health`, `around`, `behind`, `lost`, `leads`, `same`, `forecast`, `ttl` |
//! | the command by hand | `by_hand` | `by_hand` |
//!
//! The plan's types, with a route's steps, title and lock, are `cutover::plan`'s. Places that list the kinds are [`kind`],
//! pure, and `any`, which calls AWS; whoever calls AWS asks for its kind's feature, so that a function links only the SDK
//! crates that it needs.

// Who asks for one kind, or for values alone, leaves parts unused; all are judged where every kind is there.
#![cfg_attr(not(feature = "any"), allow(dead_code))]

#[cfg(feature = "any")]
pub mod any;
#[cfg(feature = "listener")]
pub mod balancers;
pub mod behind;
#[cfg(feature = "any")]
pub mod in_dns;
pub mod kind;
pub mod listener;
pub mod name;
mod weights;

pub use kind::{Left, RouteOfRun, RouteState};
