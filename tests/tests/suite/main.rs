//! Every test that needs more than one crate, in one binary, so that all of them are built and linked once and share the
//! emulated AWSs.
//!
//! `cargo test --workspace --test suite [part of a name]`; a test's name begins with its module. A module ends with
//! the list of its tests: the compiler tells of one that is not in it.

mod accounts;
mod answers;
mod authority;
mod balancers;
mod calls;
mod contract;
mod dashboards;
mod databases;
mod drafts;
mod elsewhere;
mod failing;
mod faults;
mod fuzz;
mod gestures;
mod guards;
mod harness;
mod health;
mod incidents;
mod judging;
mod lean;
mod line;
mod locked;
mod looking;
mod mutants;
mod names;
mod pages;
mod permissions;
mod programmes;
mod proving;
mod provisioned;
mod readme;
mod reports;
mod rollback;
mod same_deployment;
mod scenarios;
mod schedules;
mod second_looks;
mod secrets;
mod serve;
mod shapes;
mod shares;
mod start_up;
mod statuses;
mod suites;
mod support;
mod telling;
mod timelines;
mod traffic;
mod unwind;
mod waves;

use std::process::ExitCode;

use anyhow::Result;
use harness::Test;

/// The longest first: what is short fills what is left of the last of them. Faults take every seat, so they come at the end:
/// nothing waits for them, and they for the last of the others only.
fn tests() -> Result<Vec<Test>> {
    let all = [
        suites::tests(),
        provisioned::tests(),
        proving::tests(),
        permissions::tests(),
        authority::tests(),
        unwind::tests()?,
        waves::tests(),
        rollback::tests(),
        dashboards::tests(),
        databases::tests(),
        balancers::tests(),
        drafts::tests(),
        elsewhere::tests(),
        same_deployment::tests(),
        serve::tests(),
        judging::tests(),
        telling::tests(),
        timelines::tests(),
        incidents::tests(),
        statuses::tests(),
        pages::tests(),
        programmes::tests(),
        scenarios::tests(),
        readme::tests()?,
        reports::tests(),
        names::tests(),
        lean::tests(),
        calls::tests(),
        shapes::tests(),
        shares::tests(),
        locked::tests(),
        failing::tests(),
        looking::tests(),
        answers::tests(),
        health::tests(),
        schedules::tests(),
        guards::tests(),
        second_looks::tests(),
        secrets::tests(),
        line::tests(),
        gestures::tests(),
        fuzz::tests(),
        traffic::tests(),
        start_up::tests(),
        contract::tests(),
        mutants::tests(),
        faults::tests(),
    ];
    Ok(all.into_iter().flatten().collect())
}

fn main() -> ExitCode {
    match tests() {
        Ok(tests) => harness::run(tests),
        Err(error) => {
            eprintln!("the tests cannot be listed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
