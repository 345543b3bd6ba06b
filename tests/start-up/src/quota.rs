//! The share of a processor that Lambda gives to a function by its memory: 1,769 MB are one (Lambda developer guide, memory), here by the kernel's own
//! quota over periods of 20 ms.
//!
//! Contract: [`Quota::of`] makes a control group, which goes with the value; it needs root, and answers an error that says why where there is none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::Pid;

/// One whole processor.
const WHOLE_MB: f64 = 1769.0;
const PERIOD_US: u32 = 20_000;

/// A control group.
pub struct Quota(PathBuf);

impl Quota {
    /// The share of so many megabytes.
    pub fn of(memory_mb: u32) -> Result<Self> {
        let name = format!("cutover-start-up-{}-{memory_mb}", std::process::id());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of 20,000 at the most")]
        let quota = (f64::from(PERIOD_US) * f64::from(memory_mb) / WHOLE_MB) as u32;
        let first = Path::new("/sys/fs/cgroup/cpu");
        let is_first = first.join("cpu.cfs_quota_us").exists() || first.join("cgroup.procs").exists();
        let folder = if is_first { first.join(name) } else { Path::new("/sys/fs/cgroup").join(name) };
        fs::create_dir(&folder)
            .with_context(|| format!("no CPU quotas: {} cannot be made (it takes root)", folder.display()))?;
        let made = Self(folder);
        if is_first {
            made.write("cpu.cfs_period_us", &PERIOD_US.to_string())?;
            made.write("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            made.write("cpu.max", &format!("{quota} {PERIOD_US}"))?;
        }
        Ok(made)
    }

    /// Holds a process to it from now on.
    pub fn hold(&self, pid: Pid) -> Result<()> {
        self.write("cgroup.procs", &pid.to_string())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.0.join(name);
        fs::write(&file, text).with_context(|| format!("no CPU quotas: {} cannot be written", file.display()))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
