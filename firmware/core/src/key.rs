//! The key at the node: what pressing it means depends on how long.

use davy_alarm::Instant;

/// Shorter is a bounce.
const BOUNCE_MS: u64 = 50;
/// Held so long it unlocks the configuration; shorter it acknowledges, and resets when nothing is left to acknowledge.
pub const UNLOCK_HOLD_MS: u64 = 3_000;

/// What a press meant, told when the key is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    AcknowledgeOrReset,
    Unlock,
}

/// The key's memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Key {
    since: Option<Instant>,
}

impl Key {
    /// Whether it is pressed.
    pub const fn is_pressed(&self) -> bool {
        self.since.is_some()
    }

    /// Looks at the key. A key that hangs never means anything: it must be let go.
    pub fn look(&mut self, pressed: bool, now: Instant) -> Option<Pressed> {
        match (self.since, pressed) {
            (None, true) => {
                self.since = Some(now);
                None
            }
            (Some(since), false) => {
                self.since = None;
                match now.since(since) {
                    ..BOUNCE_MS => None,
                    UNLOCK_HOLD_MS.. => Some(Pressed::Unlock),
                    _ => Some(Pressed::AcknowledgeOrReset),
                }
            }
            (None, false) | (Some(_), true) => None,
        }
    }
}
