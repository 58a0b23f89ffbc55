//! What a process has cost, read from /proc.

use anyhow::{Context, Result};
use std::time::Duration;

/// Processor time since the process started, user and system.
pub fn cpu_time(id: u32) -> Result<Duration> {
    let path = format!("/proc/{id}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    // The second field is the name in brackets and may hold blanks: count from behind it (proc(5)).
    let fields: Vec<&str> = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |position: usize| fields.get(position).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = (ticks(11).context(path.clone())?, ticks(12).context(path)?);
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.context("the kernel tells no clock tick")?;
    Ok(Duration::from_secs_f64((user + system) as f64 / per_second as f64))
}

/// Resident memory now, bytes.
pub fn resident_bytes(id: u32) -> Result<u64> {
    let path = format!("/proc/{id}/status");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context(path)?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
