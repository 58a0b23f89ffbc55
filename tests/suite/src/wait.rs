//! Waiting for a condition, never for a time.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Returns the first `Some` that `condition` gives; panics with `what` when `limit` has passed without one.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(
            start.elapsed() < limit,
            "waited {limit:?} in vain for {what}"
        );
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Ports to listen on, below those that the system gives to connections (32768 and up on Linux): none of them takes one that is still to be listened on.
const FIRST_PORT: u32 = 12_000;
const PORTS: u32 = 20_000;
/// How many were given out.
static GIVEN: AtomicU32 = AtomicU32::new(0);

/// A loopback port that was free a moment ago. Each is given once, and other processes begin elsewhere.
pub fn free_port() -> u16 {
    let begin = std::process::id().wrapping_mul(997);
    let mut asked = (0..PORTS).map(|_| {
        let at = begin.wrapping_add(GIVEN.fetch_add(1, Relaxed));
        u16::try_from(FIRST_PORT + at % PORTS).expect("both are small")
    });
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    asked.find(free).expect("loopback has a free port")
}
