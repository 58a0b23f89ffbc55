//! What happened, as one running hash: the same seed must tell the same story to the bit. With `DAVY_STORY` it is told on standard error too.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Chronicle(Arc<Mutex<Told>>);

#[derive(Debug)]
struct Told {
    began: Instant,
    hash: Sha256,
    events: u64,
    aloud: bool,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Told {
            began: Instant::now(),
            hash: Sha256::new(),
            events: 0,
            aloud: std::env::var_os("DAVY_STORY").is_some(),
        })))
    }

    /// Tells of an event at the present virtual time.
    pub(crate) fn tell(&self, what: &str, detail: &[u8]) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = told.began.elapsed().as_millis();
        told.hash.update(ms.to_le_bytes());
        told.hash.update(what.as_bytes());
        told.hash.update([0]);
        told.hash.update(detail);
        told.hash.update([0]);
        told.events += 1;
        if told.aloud {
            eprintln!("{ms:>12} {what} {}", detail.escape_ascii());
        }
    }

    pub(crate) fn events(&self) -> u64 {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.events
    }

    /// The hash of all that was told, hexadecimal.
    pub(crate) fn hash(&self) -> String {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for byte in told.hash.clone().finalize() {
            // A text takes whatever is written.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
