//! The machine's side of time: a timer precise to some tens of microseconds, and the CPU that this process has used.
//!
//! Tokio's own timer is precise to a millisecond, which is longer than a fast server takes to answer. On Linux, where functions
//! run, the kernel's timer is asked instead; elsewhere (a rehearsal on macOS) Tokio's does.

use std::io;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of this process so far, of all its threads.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

pub use imp::Alarm;

#[cfg(target_os = "linux")]
mod imp {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    use super::*;

    /// One timer, for one moment at a time.
    #[derive(Debug)]
    pub struct Alarm {
        timer: AsyncFd<OwnedFd>,
        set_for: Option<Instant>,
    }

    impl Alarm {
        /// # Errors
        /// The process has no file descriptor left.
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for descriptors that are replaced or closed; this one is neither"
        )]
        pub fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Self { timer: AsyncFd::new(timer)?, set_for: None })
        }

        /// Waits until then. It may be dropped, and asked for the same or another moment.
        pub async fn until(&mut self, at: Instant) {
            loop {
                let left = at.saturating_duration_since(Instant::now());
                if left.is_zero() || self.set(at, left).is_err() {
                    return;
                }
                match self.timer.readable().await {
                    Ok(mut ready) => ready.clear_ready(),
                    Err(_) => return,
                }
            }
        }

        /// Setting it again forgets what it was set for, so it is never read.
        fn set(&mut self, at: Instant, left: Duration) -> io::Result<()> {
            if self.set_for == Some(at) {
                return Ok(());
            }
            let seconds = left.as_secs().try_into().unwrap_or(i64::MAX);
            let it_value = Timespec { tv_sec: seconds, tv_nsec: left.subsec_nanos().into() };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value })?;
            self.set_for = Some(at);
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::*;

    /// One timer, for one moment at a time.
    #[derive(Debug)]
    pub struct Alarm;

    impl Alarm {
        /// # Errors
        /// None here.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits until then.
        pub async fn until(&mut self, at: Instant) {
            tokio::time::sleep_until(at.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_never_rings_early_and_serves_again() {
        let mut alarm = Alarm::new().unwrap();
        for _ in 0..20 {
            let at = Instant::now() + Duration::from_micros(700);
            alarm.until(at).await;
            assert!(Instant::now() >= at);
        }
        let dropped =
            tokio::time::timeout(Duration::from_millis(2), alarm.until(Instant::now() + Duration::from_secs(9)));
        assert!(dropped.await.is_err());
        let at = Instant::now() + Duration::from_millis(3);
        alarm.until(at).await;
        assert!(Instant::now() >= at);
    }

    #[test]
    fn cpu_time_counts_work() {
        let before = cpu_time();
        let mut sum = 0_u64;
        while cpu_time() - before < Duration::from_millis(2) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
    }
}
