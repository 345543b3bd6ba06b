//! A wall clock that is wrong: preloaded into a function's process (`LD_PRELOAD`), it moves what the process takes for the
//! time by the seconds in `CLOCK_SKEW_SECONDS`. The monotonic clock, by which time-outs go, stays right. Linux only.

#![cfg(target_os = "linux")]

use std::sync::OnceLock;

use libc::{CLOCK_REALTIME, SYS_clock_gettime, c_int, clockid_t, time_t, timespec};

/// Stands in for the C library's function of this name, by which Rust's standard library tells the time.
///
/// # Safety
/// As of the C library's: `time` points to a `timespec` that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    // SAFETY: the kernel checks both arguments, and writes no more than the `timespec`.
    let failed = unsafe { libc::syscall(SYS_clock_gettime, clock, time) } != 0;
    if failed {
        return -1;
    }
    if clock == CLOCK_REALTIME {
        // SAFETY: the kernel has just written there.
        unsafe { (*time).tv_sec += skew_seconds() };
    }
    0
}

#[expect(clippy::disallowed_methods, reason = "no function, but what is put under one")]
fn skew_seconds() -> time_t {
    static SKEW: OnceLock<time_t> = OnceLock::new();
    *SKEW.get_or_init(|| std::env::var("CLOCK_SKEW_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}
