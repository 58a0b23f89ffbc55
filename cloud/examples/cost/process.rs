//! What a process costs, as the kernel tells, and how many files it may hold.

#![allow(dead_code, reason = "each benchmark takes what it needs")]

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{SysconfVar, sysconf};

/// What processes have taken of the processor, seconds.
pub(crate) fn processor_s(processes: &[u32]) -> Result<f64> {
    let ticks = sysconf(SysconfVar::CLK_TCK)?.context("a clock")?;
    let mut sum = 0;
    for process in processes {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').context("a process")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        sum += fields[11].parse::<i64>()? + fields[12].parse::<i64>()?;
    }
    Ok(sum as f64 / ticks as f64)
}

/// The most memory that a process held since it began, or since that was last forgotten, kB.
pub(crate) fn peak_kb(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("VmHWM")?.parse()?)
}

/// As many files as this process may have: each browser is one.
pub(crate) fn raise_files() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}
