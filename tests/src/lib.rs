//! The harness of Cutover: a local AWS, two sides with users between them, and a rehearsal of a plan on top.
//!
//! No code here sequences the steps of a cutover. The harness starts an execution of the real definition on the
//! emulated AWS, watches it from the outside, and tells what happened. `cargo rehearse` and the end-to-end tests are
//! the same code:
//!
//! | module | does |
//! |---|---|
//! | [`setup`] | the Python environment, the functions' binaries |
//! | [`emulator`] | the emulated AWS: its process |
//! | [`control`] | a client of its control API |
//! | [`draft`] | a plan, drafted of what an account has |
//! | [`world`] | what a plan does not say: how both sides behave over time |
//! | [`bill`] | what AWS asks for a run |
//! | [`checked`] | what can be said of a plan without an AWS |
//! | [`routes`] | the routes of a plan, and which side a destination belongs to |
//! | [`sides`] | the HTTP servers of the old and the new side |
//! | [`checkers`] | what Route 53's checkers see of both sides |
//! | [`traffic`] | users, who follow the live weights |
//! | [`sample`] | what the sides answer to users |
//! | [`meters`] | which metrics there are of what users saw, by dimensions |
//! | [`metrics`] | the datapoints that load balancers and replication would publish |
//! | [`stage`] | the environment that a plan names, with its sides and users |
//! | [`machines`] | the machines of the stack: what each is started with, and what comes of it |
//! | [`run`] | one run on that stage, from its start to its ending |
//! | [`follow`] | the executions of a run, read from their history |
//! | [`gates`] | the gates of a plan: what each said at each look, and which never saw anything |
//! | [`compare`] | two states of the account, compared |
//! | [`faults`] | every request made to fail, and what is left judged |
//! | [`waves`] | a wave of applications: an environment for each, and what becomes of it |
//! | [`pages`] | the pages that answer, as a browser sees them |
//! | [`responder`] | those who are called for an incident, and say something by its page |
//! | [`prove`] | each gate of a plan made to fail once |
//! | [`proving`] | `cargo prove`: plans on a proving ground in an account of AWS |
//! | [`outcome`] | what a rehearsal found out |
//! | [`report`] | live progress, the summary, the page |
//! | [`json`] | files that people write as JSON |
//! | [`own`] | the user's own names, in place of those of the emulated environment |

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub mod answers;
pub mod approver;
pub mod bill;
pub mod checked;
pub mod checkers;
pub mod compare;
pub mod control;
pub mod draft;
pub mod emulator;
pub mod faults;
pub mod follow;
pub mod gates;
pub mod json;
pub mod left;
pub mod machines;
pub mod meters;
pub mod metrics;
pub mod outcome;
pub mod own;
pub mod pages;
pub mod programme;
pub mod prove;
pub mod proving;
pub mod report;
pub mod responder;
pub mod routes;
pub mod run;
pub mod sample;
pub mod setup;
pub mod sides;
pub mod stage;
pub mod traffic;
pub mod waves;
pub mod world;

/// The time of a rehearsal. Waits of the emulated AWS are divided by `speed`, so one real second is `speed` virtual
/// ones.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    epoch_seconds: f64,
    speed: f64,
}

impl Clock {
    /// A clock that shows zero now.
    pub fn start(speed: f64) -> Self {
        Self { started: Instant::now(), epoch_seconds: wall_clock_seconds(), speed }
    }

    /// Virtual time since the start.
    pub fn now(&self) -> Duration {
        self.at(Instant::now())
    }

    /// Virtual time at a real instant; zero for what was before the start.
    pub fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.started).mul_f64(self.speed)
    }

    /// Virtual time at a moment that the emulated AWS wrote down, in seconds since 1970.
    pub fn at_epoch(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds - self.epoch_seconds).max(0.0) * self.speed)
    }

    /// The real instant of a virtual time.
    pub fn instant(&self, virtual_time: Duration) -> Instant {
        self.started + virtual_time.div_f64(self.speed)
    }

    /// The moment of a virtual time as the emulated AWS writes it down, in seconds since 1970.
    pub fn epoch_at(&self, virtual_time: Duration) -> f64 {
        self.epoch_seconds + virtual_time.as_secs_f64() / self.speed
    }

    /// The same of a real instant.
    pub fn epoch_of(&self, instant: Instant) -> f64 {
        self.epoch_at(self.at(instant))
    }

    /// How many virtual seconds a real second is.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

/// The harness is no function: it compares with what the emulated AWS wrote down, and names folders.
#[expect(clippy::disallowed_methods, reason = "the lint is for functions; here nothing is decided by this time")]
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

fn wall_clock_seconds() -> f64 {
    wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// How long a virtual duration takes here; never so short that a loop over it would spin.
pub fn real(virtual_time: Duration, speed: f64) -> Duration {
    virtual_time.div_f64(speed).max(Duration::from_millis(50))
}

/// A lock whose holder panicked still guards usable values: they are counters and lists.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
