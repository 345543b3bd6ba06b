//! Runs the tests, several at once and the longest first, and tells how long each suite took.
//!
//! Contract: as many tests at once as there are [seats](SEATS_PER_CORE); a test that works with several emulated AWSs takes several.
//! Tests share one runtime, since they hand emulated AWSs and their connections on to each other.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::accounts;

/// A test waits a good part of its time, and an emulated AWS is one Python process, which uses one core.
const SEATS_PER_CORE: usize = 2;

static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(Runtime::new);

/// How long each test took.
static TIMES: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());
/// So many of the slowest are told.
const SLOWEST: usize = 15;

/// What a test says when it is over.
pub trait Verdict {
    fn into_result(self) -> Result<()>;
}

impl Verdict for Result<()> {
    fn into_result(self) -> Result<()> {
        self
    }
}

impl Verdict for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

/// A test, and what it needs.
pub struct Test {
    name: String,
    seats: Seats,
    is_ignored: bool,
    run: Box<dyn FnOnce() -> Result<()> + Send>,
}

/// How many other tests it keeps from running at the same time.
#[derive(Clone, Copy, Debug)]
enum Seats {
    Some(usize),
    All,
}

impl Test {
    /// A test of a module, which is told as [`module_path!`] does.
    pub fn new<T: Verdict>(module: &str, name: &str, run: impl FnOnce() -> T + Send + 'static) -> Self {
        let module = module.split_once("::").map_or(module, |(_, inner)| inner);
        let run = Box::new(|| run().into_result());
        Self { name: format!("{module}::{name}"), seats: Seats::Some(1), is_ignored: false, run }
    }

    /// It works with so many emulated AWSs at once.
    pub fn with_seats(self, count: usize) -> Self {
        Self { seats: Seats::Some(count), ..self }
    }

    /// It uses everything that there is.
    pub fn alone(self) -> Self {
        Self { seats: Seats::All, ..self }
    }

    /// It is run by `--ignored` only.
    pub fn ignored(self) -> Self {
        Self { is_ignored: true, ..self }
    }

    fn trial(self, seats: &Arc<Semaphore>, all: usize) -> Trial {
        let (name, is_ignored, seats) = (self.name.clone(), self.is_ignored, seats.clone());
        let wanted = match self.seats {
            Seats::Some(count) => count.min(all),
            Seats::All => all,
        };
        let run = move || {
            let _taken = block_on(seats.acquire_many_owned(u32::try_from(wanted)?))??;
            let started = Instant::now();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(self.run));
            block_on(accounts::tidy_up())?;
            note(&self.name, started.elapsed());
            let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // At once, too: the list of failures comes when all is over.
            result
                .inspect_err(|error| eprintln!("{}: {error:#}", self.name))
                .map_err(|error| Failed::from(format!("{error:?}")))
        };
        Trial::test(name, run).with_ignored_flag(is_ignored)
    }
}

/// Waits for what is done on the shared runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(RUNTIME.as_ref().ok().context("there is no runtime")?.block_on(future))
}

/// The tests of a module that are functions.
macro_rules! synchronous {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        vec![$($(#[$attribute])* $crate::harness::Test::new(module_path!(), stringify!($name), $name)),*]
    };
}

/// The tests of a module that are async functions.
macro_rules! asynchronous {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        vec![$($(#[$attribute])* $crate::harness::Test::new(
            module_path!(),
            stringify!($name),
            || $crate::harness::block_on($name())?,
        )),*]
    };
}

pub(crate) use {asynchronous, synchronous};

fn note(test: &str, took: Duration) {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).push((test.to_owned(), took));
}

/// How many tests run at once, or emulated AWSs in one of them that runs [alone](Test::alone): as `--test-threads` says.
pub fn seats() -> usize {
    static SEATS: LazyLock<usize> = LazyLock::new(|| {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Arguments::from_args().test_threads.unwrap_or(SEATS_PER_CORE * cores).max(1)
    });
    *SEATS
}

/// Runs those that the command line asks for.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    let seats = seats();
    arguments.test_threads = Some(seats);
    let free = Arc::new(Semaphore::new(seats));
    let trials = tests.into_iter().map(|test| test.trial(&free, seats)).collect();
    let started = Instant::now();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        tell_times(seats, started.elapsed());
    }
    match block_on(accounts::stop_all()) {
        Ok(()) => conclusion.exit_code(),
        Err(_) => ExitCode::FAILURE,
    }
}

fn tell_times(seats: usize, total: Duration) {
    let mut tests = TIMES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut suites: BTreeMap<&str, (Duration, usize)> = BTreeMap::new();
    for (test, took) in &tests {
        let (sum, count) = suites.entry(test.split("::").next().unwrap_or(test)).or_default();
        (*sum, *count) = (*sum + *took, *count + 1);
    }
    let mut suites: Vec<_> = suites.into_iter().collect();
    suites.sort_by_key(|(_, (took, _))| std::cmp::Reverse(*took));
    println!("{:<18} {:>6} {:>9}", "suite", "tests", "seconds");
    for (suite, (took, count)) in suites {
        println!("{suite:<18} {count:>6} {:>9.1}", took.as_secs_f64());
    }
    println!("total, with {seats} at once: {:.1} s; the slowest:", total.as_secs_f64());
    tests.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    for (test, took) in tests.iter().take(SLOWEST) {
        println!("{:>9.1}  {test}", took.as_secs_f64());
    }
    println!();
}
