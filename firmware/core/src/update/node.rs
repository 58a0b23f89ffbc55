//! The update in the node: its registers, its rounds, its events.

use super::trial::Proof;
use crate::banks::Flash;
use crate::node::Node;
use crate::registers::{word_of, words};
use crate::request::Exception;
use davy_alarm::Alarm;
use davy_wire::node::{ALARMS, BLOCK_BYTES, Happening, Id, Refusal, Slot, SlotState, Trust, Why};

/// From a commit to the restart, milliseconds: its answer is sent by then, at any speed of the line.
const ANSWER_MS: u64 = 300;
/// Bit of a silent front end among the self-tests that a trial is measured by: it is none of its own.
const FRONT_END_SILENT: u16 = 1 << 15;
const NO_SLOT: u16 = u16::MAX;

impl<F: Flash> Node<'_, F> {
    /// Whether the board shall reset now, with [`davy_wire::node::ResetCause::Asked`]: another image is to be started. An ordered one waits until no alarm is active. The
    /// way back from one that failed its trial does not wait: what it judges is not to be relied on, alarms and what they demand outlive a reset, and an alarm that such
    /// an image holds active would keep it running for ever.
    pub fn restart_is_due(&self) -> bool {
        let is_time = self.update.restart_at.is_some_and(|at| self.now >= at);
        is_time && (self.update.goes_back() || !self.any_alarm_is_active())
    }

    fn any_alarm_is_active(&self) -> bool {
        let numbers = 0..ALARMS as u8;
        let mut alarms = numbers.filter_map(|number| self.judge.alarm(number));
        alarms.any(Alarm::is_active)
    }

    /// Once a round, after the relays are decided.
    pub(crate) fn look_at_update(&mut self) {
        if let Some(verdict) = self.update.sum(&mut self.flash) {
            self.tell_update(verdict);
        }
        let proof = Proof {
            tests_failed: self.tests_failed(),
            asked: self.answered > 0,
        };
        let became = self.update.try_out(proof, self.now, &mut self.flash);
        if let Some(verdict) = became {
            self.tell_update(verdict);
        }
    }

    fn tests_failed(&self) -> u16 {
        let silent = if self.front_end_speaks {
            0
        } else {
            FRONT_END_SILENT
        };
        self.health.failed | silent
    }

    pub(crate) fn tell_update(&mut self, (slot, state, why): (Slot, SlotState, Option<Why>)) {
        self.happens(Happening::Updated { slot, state, why });
    }

    pub(crate) fn write_update(&mut self, id: Id, bytes: &[u8]) -> Result<(), Exception> {
        if self.unlocked_until.is_none() {
            return self.refuse(Refusal::Locked, Exception::Function);
        }
        if self.any_alarm_is_active() {
            return self.refuse(Refusal::AlarmActive, Exception::Function);
        }
        let done = match id {
            Id::UpdateOffer => {
                let offer = bytes.try_into().map_err(|_| Exception::Value)?;
                self.update.offer(offer, &mut self.flash)
            }
            Id::UpdateBlock => {
                let (at, block) = bytes.split_first_chunk().ok_or(Exception::Value)?;
                let block: &[u8; BLOCK_BYTES] = block.try_into().map_err(|_| Exception::Value)?;
                let at = u32::from_be_bytes(*at);
                self.update.block(at, block, &mut self.flash)
            }
            _ => {
                let [high, low] = words(bytes)?;
                return self.order_update(u32::from(high) << 16 | u32::from(low));
            }
        };
        done.or_else(|why| self.refuse_update(why))
    }

    fn order_update(&mut self, crc: u32) -> Result<(), Exception> {
        let failed = self.tests_failed();
        if let Err(why) = self.update.order(crc, failed, &mut self.flash) {
            return self.refuse_update(why);
        }
        self.update.restart_at = Some(self.now.after(ANSWER_MS));
        if let Some(free) = self.update.free() {
            self.tell_update((free, SlotState::Ordered, None));
        }
        self.lock();
        Ok(())
    }

    fn refuse_update(&mut self, why: Refusal) -> Result<(), Exception> {
        let exception = match why {
            Refusal::Flash => Exception::Failure,
            Refusal::NoUpdates | Refusal::OnTrial => Exception::Function,
            _ => Exception::Value,
        };
        self.refuse(why, exception)
    }

    pub(crate) fn update_word(&self, id: Id, element: u16, word: u16) -> u16 {
        let (update, slots, room) = (&self.update, self.update.slots(), self.update.room());
        let free = update.free().unwrap_or(Slot::B);
        let nth = |element: u16| match element {
            0 => slots.image(Slot::A),
            _ => slots.image(Slot::B),
        };
        let wide = |value: u32| word_of(u64::from(value), 2, word);
        match id {
            Id::UpdateBoard => room.board,
            Id::UpdateTrust => update.trust().code(),
            Id::UpdateSlot => update
                .started()
                .map_or(NO_SLOT, |started| u16::from(started.slot.number())),
            Id::UpdateFree if update.trust() == Trust::Nobody => 0,
            Id::UpdateFree => wide(room.address(free)),
            Id::UpdateRoom => wide(room.bytes),
            Id::UpdateNext => wide(update.next()),
            Id::UpdateCrc | Id::UpdateCommit => wide(slots.image(free).crc),
            Id::UpdateLength => wide(slots.image(free).length),
            Id::SlotStates => u16::from(nth(element).state.code()),
            Id::SlotWhy => nth(element).why.map_or(0, |why| u16::from(why.code())),
            Id::SlotVersions => {
                let version = nth(element / 3).version;
                version.get(usize::from(element % 3)).copied().unwrap_or(0)
            }
            Id::TrialS => update.trial_s(self.now),
            Id::SlotCrcs => wide(nth(element).crc),
            _ => 0,
        }
    }
}
