//! What a process costs: processor time and memory, as the kernel counts them.

use anyhow::{Context, Result};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use std::time::Duration;

/// What one process has used so far, and holds now.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time of all its threads, ended ones among them. From the process's own clock: /proc counts in hundredths of a second.
    pub cpu: Duration,
    /// Of which its thread of the name `journal`, where it has one and the kernel tells.
    pub journal: Option<Duration>,
    /// Resident memory, KiB.
    pub rss_kib: u64,
    /// Resident memory with shared pages divided among their users, KiB.
    pub pss_kib: u64,
    /// Highest resident memory since the process began, KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// Looks at a running process.
    ///
    /// # Errors
    /// The process has ended, or /proc is not readable.
    pub fn of(process: u32) -> Result<Self> {
        let id = Pid::from_raw(i32::try_from(process)?);
        let clock =
            clock_getcpuclockid(id).with_context(|| format!("process {process} has ended"))?;
        let memory = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        Ok(Self {
            cpu: Duration::from(clock.now()?),
            journal: of_thread(process, "journal"),
            rss_kib: field(&memory, "Rss:")?,
            pss_kib: field(&memory, "Pss:")?,
            peak_kib: field(&status, "VmHWM:")?,
        })
    }
}

/// The kernel tells of each thread how long it has been on a processor, in nanoseconds.
fn of_thread(process: u32, name: &str) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let folders = threads.flatten().map(|thread| thread.path());
    let told = |file: std::path::PathBuf| std::fs::read_to_string(file).ok();
    let mut named =
        folders.filter(|folder| told(folder.join("comm")).is_some_and(|own| own.trim() == name));
    let times = told(named.next()?.join("schedstat"))?;
    let ns = times.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(ns))
}

fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .with_context(|| format!("/proc has no {name}"))?
        .parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_finds_its_own_cost_and_it_rises_with_work() {
        let before = Usage::of(std::process::id()).expect("this process runs");
        let mut sum = 0_u64;
        while Usage::of(std::process::id())
            .expect("this process runs")
            .cpu
            < before.cpu + Duration::from_millis(5)
        {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(before.rss_kib > 0 && before.peak_kib >= before.rss_kib);
    }

    #[test]
    fn a_thread_of_a_name_is_told_apart() {
        let id = std::process::id();
        assert_eq!(of_thread(id, "no such"), None);
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let busy = std::thread::Builder::new().name("bench-thread".to_owned());
        let busy = busy.spawn(move || wait.recv()).expect("a thread starts");
        let seen = crate::wait::until("the thread", Duration::from_secs(20), || {
            of_thread(id, "bench-thread")
        });
        assert!(seen < Duration::from_secs(1), "{seen:?}");
        done.send(()).expect("it waits");
        let _ended = busy.join();
    }

    #[test]
    fn an_ended_process_is_an_error() {
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("true starts");
        child.wait().expect("a child can be waited for");
        assert!(Usage::of(child.id()).is_err());
    }
}
