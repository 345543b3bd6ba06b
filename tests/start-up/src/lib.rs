//! What a function's start and its calls cost, measured from outside: the function's own binary, an emulated Runtime API, and AWS's endpoints as an
//! HTTPS server on this machine that replays what the emulated AWS answered in a run.
//!
//! Contract: nothing here knows what a function does. [`recorded`] holds an event of a run and all that was asked and answered for it,
//! [`endpoint`] answers so, [`runtime_api`] hands the event out, [`process`] runs a binary between the two and measures it, [`counted`] counts its
//! instructions, [`built`] builds it as it is deployed. All servers are on this machine, and end with the process.

pub mod built;
pub mod counted;
pub mod endpoint;
pub mod process;
pub mod quota;
pub mod recorded;
pub mod runtime_api;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// The servers' own thread: what is measured is another process, by its own clock.
static RUNTIME: LazyLock<std::io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build());

fn runtime() -> Result<&'static Runtime> {
    RUNTIME.as_ref().ok().context("there is no runtime")
}

/// This folder: `tests/start-up`.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The checkout.
pub fn root() -> PathBuf {
    folder().ancestors().nth(2).unwrap_or_else(|| folder()).to_owned()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// A folder for what is made on the way.
pub fn scratch() -> Result<PathBuf> {
    let folder = target().join("start-up");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The middle of some values.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The value below which a share of some values lies, between the two next to it.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let place = share * sorted.len().checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within their number")]
    let (below, above) = (*sorted.get(place.floor() as usize)?, *sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
#[test]
fn quantiles_lie_between_values() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0]), Some(2.0));
    assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0], 0.9), Some(10.0));
}
