//! What must not be linked into a function: each of these costs start-up time or size, and comes back unseen, by a default feature of
//! some dependency. What each costs was measured with the functions' bench of start-up.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::harness::{Test, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{Checkout, functions};

/// A crate that no function may have, and why.
const NONE: [(&str, &str); 7] = [
    ("aws-lc-rs", "57 ms of CPU at the first handshake"),
    ("aws-lc-sys", "57 ms of CPU at the first handshake"),
    ("s2n-tls", "a second TLS stack"),
    ("native-tls", "a second TLS stack"),
    ("openssl", "a second TLS stack"),
    ("regex", "a regular expressions engine of 180 KB: regex-lite is enough"),
    ("regex-automata", "a regular expressions engine of 180 KB: regex-lite is enough"),
];

/// Crates of which a function has one version at the most.
const ONE_VERSION: [&str; 5] = ["hyper", "hyper-util", "rustls", "tokio", "tokio-rustls"];

/// The runtime of Lambda asks for tokio's thread pool in its own manifest; what is not started is not linked. Nobody else may.
const MAY_ASK_FOR_THREADS: &str = "lambda_runtime";

/// What `cargo tree` says of a function alone, as it is built for a deployment: without what tests and tools ask for.
fn tree(checkout: &Checkout, function: &str, more: &[&str]) -> Result<String> {
    // Not the variable of the same name: that may be another cargo.
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--offline", "--package", function]).args(more).current_dir(&checkout.root);
    let output = command.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo tree of {function}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("cargo tree")
}

/// What is wrong with a function's tree: pure.
fn wrong(tree: &str) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        if let Some((name, version)) = words.next().zip(words.next().filter(|version| version.starts_with('v'))) {
            versions.entry(name).or_default().insert(version);
        }
    }
    for (name, why) in NONE.iter().filter(|(name, _)| versions.contains_key(name)) {
        wrong.push(format!("{name}: {why}"));
    }
    let is_one = |name: &str| ONE_VERSION.contains(&name) || name.starts_with("aws-smithy-") || name == "aws-types";
    for (name, seen) in versions.iter().filter(|(name, seen)| is_one(name) && seen.len() > 1) {
        wrong.push(format!("{name} in versions {seen:?}"));
    }
    wrong
}

/// Who asks for tokio's thread pool, of a tree of who asks for which feature, with depths: pure.
fn asks_for_threads(tree: &str) -> BTreeSet<&str> {
    let parts = tree.lines().map(|line| line.split_at(line.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0)));
    let mut asking = BTreeSet::new();
    let mut of_threads: Option<u32> = None;
    for (depth, what) in parts {
        let depth: u32 = depth.parse().unwrap_or(0);
        if what.starts_with("tokio feature \"rt-multi-thread\"") {
            of_threads = Some(depth);
        } else if of_threads.is_some_and(|of_threads| depth <= of_threads) {
            of_threads = None;
        } else if of_threads.is_some_and(|of_threads| depth == of_threads + 1) {
            asking.extend(what.split_whitespace().next());
        }
    }
    asking
}

fn no_function_links_what_makes_it_slow_or_large() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let mut all = Vec::new();
    for function in functions(&checkout.root)? {
        let dependencies = tree(&checkout, &function, &["--edges", "normal", "--prefix", "none"])?;
        all.extend(wrong(&dependencies).into_iter().map(|wrong| format!("{function}: {wrong}")));
        let asked =
            tree(&checkout, &function, &["--edges", "normal,features", "--prefix", "depth", "--invert", "tokio"])?;
        let others = asks_for_threads(&asked).into_iter().filter(|name| *name != MAY_ASK_FOR_THREADS);
        all.extend(others.map(|name| {
            format!("{function}: {name} asks for tokio's multi-threaded runtime, which costs 0.8 ms and 40 % of CPU")
        }));
    }
    ensure!(all.is_empty(), "{}", all.join("\n"));
    Ok(())
}

fn what_sneaks_in_is_found() -> Result<()> {
    let found = wrong("sweep v0.2.0 (/x)\nhyper v1.12.0\nhyper v0.14.1\naws-lc-rs v1.0.0\nregex-lite v0.1.9\n");
    ensure!(found.len() == 2, "{found:?}");
    ensure!(wrong("hyper v1.12.0\nhyper v1.12.0 (*)\n").is_empty());
    let asked = "0tokio v1.54.1\n1tokio feature \"rt\"\n2sweep v0.2.0\n1tokio feature \"rt-multi-thread\"\n2journal v0.2.0\n3sweep v0.2.0\n2lambda_runtime v1.5.0\n1tokio feature \"sync\"\n2x v1\n";
    ensure!(asks_for_threads(asked) == BTreeSet::from(["journal", "lambda_runtime"]), "{:?}", asks_for_threads(asked));
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![no_function_links_what_makes_it_slow_or_large, what_sneaks_in_is_found]
}
