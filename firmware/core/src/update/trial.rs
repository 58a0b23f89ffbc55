//! An image on trial: it proves itself by its self-tests and by a master that asks it something, within a time; else the node goes back to the other image.

use super::receive::Update;
use crate::banks::Flash;
use davy_alarm::Instant;
use davy_wire::node::{Slot, SlotState, Why};

/// Seconds that an image has to prove itself.
pub const TRIAL_S: u64 = 120;
/// Seconds that it must have run at least: every word of RAM and flash was tested once by then.
pub const PROVE_S: u64 = 25;

/// One trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    confirm_from: Instant,
    until: Instant,
    /// The record of its proof could not be written: it ends with its time.
    unwritten: bool,
}

impl Trial {
    pub(super) const fn begin(now: Instant) -> Self {
        Self {
            confirm_from: now.after(PROVE_S * 1_000),
            until: now.after(TRIAL_S * 1_000),
            unwritten: false,
        }
    }
}

/// How the image does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof {
    /// Self-tests that fail now, by bit.
    pub(crate) tests_failed: u16,
    /// A master has asked something since the start.
    pub(crate) asked: bool,
}

impl Update {
    /// Seconds left to prove itself; 0 where it is not on trial.
    pub(crate) fn trial_s(&self, now: Instant) -> u16 {
        let left = self.trial.map_or(0, |trial| trial.until.since(now));
        u16::try_from(left.div_ceil(1_000)).unwrap_or(u16::MAX)
    }

    /// Whether the image that runs has failed its trial: no other restart is asked for while one lasts.
    pub(super) const fn goes_back(&self) -> bool {
        self.trial.is_some() && self.restart_at.is_some()
    }

    /// Looks at the trial; what came of it, once.
    pub(crate) fn try_out(
        &mut self,
        proof: Proof,
        now: Instant,
        flash: &mut impl Flash,
    ) -> Option<(Slot, SlotState, Option<Why>)> {
        let (trial, slot) = (self.trial?, self.started?.slot);
        // It has failed, and waits for its restart: nothing that comes now makes it good.
        if self.goes_back() {
            return None;
        }
        let tests_hold = proof.tests_failed & !self.slots.tests_before == 0;
        let mut slots = self.slots;
        if now >= trial.confirm_from && tests_hold && proof.asked && !trial.unwritten {
            slots.confirm(slot);
            if self.keep(slots, flash).is_err() {
                self.trial = Some(Trial {
                    unwritten: true,
                    ..trial
                });
                return None;
            }
            self.trial = None;
            return Some((slot, SlotState::Confirmed, None));
        }
        if now < trial.until {
            return None;
        }
        let why = if trial.unwritten {
            Why::Flash
        } else if !tests_hold {
            Why::SelfTest
        } else {
            Why::NoMaster
        };
        slots.reject(slot, why);
        // If this cannot be written, the next start finds the trial unfinished, and goes back all the same.
        let _unwritten = self.keep(slots, flash);
        self.restart_at = Some(now);
        Some((slot, SlotState::Rejected, Some(why)))
    }
}
