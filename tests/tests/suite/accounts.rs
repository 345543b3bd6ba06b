//! Emulated AWSs with the product on them, which tests use one after the other: to start one takes longer than many a test.
//!
//! Contract: [`take`] answers one that is as if it had just been started. Dropping it gives it back, and [`tidy_up`] empties what
//! was given back. One that cannot be emptied (something in it still runs) is ended instead, and so is one that a test has
//! [spoilt](Account::spoil) by changing what is deployed.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use cutover_tests::emulator::{Emulator, Options};
use serde_json::json;

/// What is set up once for all tests.
static SET_UP: LazyLock<Result<Options, String>> =
    LazyLock::new(|| Options::of_this_build(1.0).map_err(|error| format!("{error:#}")));
static USED: Mutex<Vec<Arc<Emulator>>> = Mutex::new(Vec::new());
static READY: Mutex<Vec<Arc<Emulator>>> = Mutex::new(Vec::new());

/// An emulated AWS, as long as a test needs it.
pub struct Account {
    emulator: Arc<Emulator>,
    is_spoilt: AtomicBool,
}

impl Account {
    /// Nobody gets it after this test.
    pub fn spoil(&self) {
        self.is_spoilt.store(true, Ordering::Relaxed);
    }
}

impl Deref for Account {
    type Target = Emulator;

    fn deref(&self) -> &Emulator {
        &self.emulator
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if !self.is_spoilt.load(Ordering::Relaxed) {
            locked(&USED).push(self.emulator.clone());
        }
    }
}

/// How to start one of this checkout, everything that it needs made ready.
pub fn options() -> Result<Options> {
    SET_UP.clone().map_err(|error| anyhow!(error))
}

/// One with the functions and state machines of this checkout, at a speed.
pub async fn take(speed: f64) -> Result<Account> {
    let ready = locked(&READY).pop();
    let emulator = match ready {
        Some(emulator) => {
            emulator.client().set_speed(speed).await?;
            emulator.client().set_events(json!({ "status_events": true, "sweep": true })).await?;
            emulator
        }
        None => Arc::new(Emulator::start(&Options { speed, ..options()? }).await?),
    };
    Ok(Account { emulator, is_spoilt: AtomicBool::new(false) })
}

/// One that nobody had before, nor gets after it.
pub async fn start(options: &Options) -> Result<Account> {
    Ok(Account { emulator: Arc::new(Emulator::start(options).await?), is_spoilt: AtomicBool::new(true) })
}

/// Empties what was given back.
pub async fn tidy_up() {
    let used = std::mem::take(&mut *locked(&USED));
    for emulator in used {
        match empty(&emulator).await {
            Ok(()) => locked(&READY).push(emulator),
            Err(error) => {
                eprintln!("an emulated AWS is ended: {error:#}");
                stop(emulator).await;
            }
        }
    }
}

/// Without events, so that it costs nothing while nobody uses it.
async fn empty(emulator: &Emulator) -> Result<()> {
    emulator.client().set_events(json!({ "status_events": false, "sweep": false })).await?;
    emulator.client().clear().await.map(drop)
}

/// Ends those that are left.
pub async fn stop_all() {
    let left = std::mem::take(&mut *locked(&READY));
    for emulator in left {
        stop(emulator).await;
    }
}

/// It is killed with the last handle, if it cannot be asked.
async fn stop(emulator: Arc<Emulator>) {
    if let Some(emulator) = Arc::into_inner(emulator)
        && let Err(error) = emulator.stop().await
    {
        eprintln!("an emulated AWS does not stop: {error:#}");
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
