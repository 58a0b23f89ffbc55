//! What this process has used.

use anyhow::{Context as _, Result};
use nix::time::{ClockId, clock_gettime};

/// Used since the process began.
pub(crate) struct Used {
    pub(crate) processor_s: f64,
    /// What the kernel says was sent to the disk, in its pages.
    pub(crate) disk_bytes: u64,
}

impl Used {
    pub(crate) fn now() -> Result<Self> {
        let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
        Ok(Self {
            processor_s: time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9,
            disk_bytes: figure("/proc/self/io", "write_bytes:")?,
        })
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            processor_s: self.processor_s - before.processor_s,
            disk_bytes: self.disk_bytes - before.disk_bytes,
        }
    }
}

/// Memory of this process, MiB.
pub(crate) fn resident_mib() -> Result<f64> {
    Ok(figure("/proc/self/status", "VmRSS:")? as f64 / 1024.0)
}

fn figure(file: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .with_context(|| format!("no {name} in {file}"))?
        .parse()?)
}
