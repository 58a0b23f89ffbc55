//! A timer that is exact to some ten microseconds. The runtime's own goes by whole milliseconds, which on a line of 9600 baud would cost one poll in
//! thirty: the silence between two frames is 3.6 ms there.

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

/// The kernel's timer; without one (no descriptor is left) the runtime's, which is late by up to a millisecond and never early.
#[derive(Debug)]
pub(super) struct Quiet {
    timer: Option<AsyncFd<Timer>>,
}

#[derive(Debug)]
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Quiet {
    pub(super) fn new() -> Self {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK);
        #[expect(
            deprecated,
            reason = "a TimerFd keeps the descriptor that the safe constructor cannot ask for"
        )]
        let timer = timer.ok().and_then(|timer| AsyncFd::new(Timer(timer)).ok());
        Self { timer }
    }

    /// Waits until `end`, never shorter.
    pub(super) async fn until(&self, end: Instant) {
        let Some(timer) = &self.timer else {
            return sleep_until(end).await;
        };
        let left = end.saturating_duration_since(Instant::now());
        let expiry = Expiration::OneShot(TimeSpec::from_duration(left));
        // A time of nothing would disarm it.
        if left.is_zero() {
            return;
        }
        if timer
            .get_ref()
            .0
            .set(expiry, TimerSetTimeFlags::empty())
            .is_err()
        {
            return sleep_until(end).await;
        }
        while Instant::now() < end {
            match timer.readable().await {
                // Whether it is this expiry or one before tells the clock.
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return sleep_until(end).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn it_waits_its_time_again_and_again_and_also_after_a_wait_that_was_given_up() {
        let quiet = Quiet::new();
        assert!(quiet.timer.is_some());
        for wait in [0, 300, 3_646, 1_750] {
            let end = Instant::now() + Duration::from_micros(wait);
            let given_up = tokio::time::timeout(
                Duration::from_millis(1),
                // So far off that a busy machine does not come to it.
                quiet.until(end + Duration::from_secs(60)),
            );
            assert!(given_up.await.is_err());
            let end = Instant::now() + Duration::from_micros(wait);
            quiet.until(end).await;
            assert!(Instant::now() >= end);
        }
    }
}
