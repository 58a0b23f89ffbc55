//! What a node says of its two slots of firmware, and what that means for an update. Pure.

use super::registers::register;
use davy_wire::node::{Id, ImageHead, SlotState, Version, Why};

/// First and last register of what is read together.
pub(super) const FIRST: Id = Id::UpdateBoard;
pub(super) const LAST: Id = Id::SlotCrcs;
const NO_SLOT: u16 = u16::MAX;

/// What a node says of its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Firmware {
    pub(super) board: u16,
    /// 0: it takes no update.
    trust: u16,
    slot: u16,
    /// Address that an image must be linked for.
    pub(super) free: u32,
    pub(super) next: u32,
    states: [u16; 2],
    why: [u16; 2],
    versions: [Version; 2],
    crcs: [u32; 2],
}

/// What the sum over a sent image came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    NotYet,
    Right,
    Wrong,
    /// The node's flash did not take what came of it.
    Unwritten,
    /// The slot is not as whoever sent an image there left it.
    Strange,
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trial {
    Lasts,
    Confirmed(Version),
    /// The image before it runs; the code of why.
    GoneBack(u16),
}

impl Firmware {
    /// `None` if the words are too few.
    pub(super) fn of(words: &[u16]) -> Option<Self> {
        let from = register(FIRST).address;
        let one = |id: Id, nth: u16| {
            let at = register(id).address + nth - from;
            words.get(usize::from(at)).copied()
        };
        let two = |id, nth| Some(u32::from(one(id, nth)?) << 16 | u32::from(one(id, nth + 1)?));
        let version = |slot: u16| {
            let part = |nth| one(Id::SlotVersions, slot * 3 + nth);
            Some([part(0)?, part(1)?, part(2)?])
        };
        Some(Self {
            board: one(Id::UpdateBoard, 0)?,
            trust: one(Id::UpdateTrust, 0)?,
            slot: one(Id::UpdateSlot, 0)?,
            free: two(Id::UpdateFree, 0)?,
            next: two(Id::UpdateNext, 0)?,
            states: [one(Id::SlotStates, 0)?, one(Id::SlotStates, 1)?],
            why: [one(Id::SlotWhy, 0)?, one(Id::SlotWhy, 1)?],
            versions: [version(0)?, version(1)?],
            crcs: [two(Id::SlotCrcs, 0)?, two(Id::SlotCrcs, 2)?],
        })
    }

    pub(super) const fn takes_updates(&self) -> bool {
        self.trust != 0 && self.slot != NO_SLOT
    }

    /// Whether this very image runs: another of its version has another sum.
    pub(super) fn runs(&self, head: &ImageHead) -> bool {
        let slot = usize::from(self.slot);
        let (version, crc) = (self.versions.get(slot), self.crcs.get(slot));
        head.board == self.board && version == Some(&head.version) && crc == Some(&head.crc)
    }

    pub(super) fn running_slot(&self) -> usize {
        usize::from(self.slot)
    }

    pub(super) fn free_slot(&self) -> usize {
        usize::from(self.slot == 0)
    }

    /// Whether all of an image is there, and nobody has had it started.
    pub(super) fn waits_for_its_order(&self, slot: usize) -> bool {
        self.state(slot) == Some(SlotState::Received)
    }

    /// What the sum over the image in this slot came to.
    pub(super) fn sum(&self, slot: usize) -> Sum {
        match (self.state(slot), self.cause(slot)) {
            (Some(SlotState::Receiving), _) => Sum::NotYet,
            (Some(SlotState::Received | SlotState::Ordered), _) => Sum::Right,
            (Some(SlotState::Rejected), Some(Why::Crc)) => Sum::Wrong,
            (Some(SlotState::Rejected), Some(Why::Flash)) => Sum::Unwritten,
            _ => Sum::Strange,
        }
    }

    /// How the trial of the image in this slot stands, after the restart that it was ordered for. One that failed and still runs is not gone back from.
    pub(super) fn trial(&self, slot: usize) -> Trial {
        let is_away = self.running_slot() != slot;
        match self.state(slot) {
            Some(SlotState::Confirmed) => Trial::Confirmed(self.version(slot)),
            Some(SlotState::Rejected) if is_away => {
                Trial::GoneBack(self.why.get(slot).copied().unwrap_or(0))
            }
            // The boot stage could not write down that it would try it.
            Some(SlotState::Ordered) if is_away => Trial::GoneBack(Why::Flash.code().into()),
            _ => Trial::Lasts,
        }
    }

    pub(super) fn version(&self, slot: usize) -> Version {
        self.versions.get(slot).copied().unwrap_or_default()
    }

    fn state(&self, slot: usize) -> Option<SlotState> {
        SlotState::from_code(u8::try_from(*self.states.get(slot)?).ok()?)
    }

    fn cause(&self, slot: usize) -> Option<Why> {
        Why::from_code(u8::try_from(*self.why.get(slot)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slot 0 runs and is confirmed; slot 1 is in this state.
    fn node(state: SlotState, why: Option<Why>) -> Firmware {
        Firmware {
            board: 1,
            trust: 1,
            slot: 0,
            free: 0x2_0000,
            next: 0,
            states: [SlotState::Confirmed.code().into(), state.code().into()],
            why: [0, why.map_or(0, Why::code).into()],
            versions: [[0, 1, 0], [0, 2, 0]],
            crcs: [7, 8],
        }
    }

    #[test]
    fn the_slots_are_read_from_the_registers_of_their_names() {
        let words: Vec<u16> = (40..68).collect();
        let firmware = Firmware::of(&words).expect("all of it");
        assert_eq!(
            (firmware.board, firmware.trust, firmware.slot),
            (40, 41, 42)
        );
        assert_eq!((firmware.free, firmware.next), (0x002b_002c, 0x002f_0030));
        assert_eq!((firmware.states, firmware.why), ([53, 54], [55, 56]));
        assert_eq!(firmware.versions, [[57, 58, 59], [60, 61, 62]]);
        assert_eq!(firmware.crcs, [0x0040_0041, 0x0042_0043]);
        assert!(Firmware::of(&words[..27]).is_none());
    }

    #[test]
    fn an_image_runs_already_only_if_board_version_and_sum_are_those_of_the_slot_that_runs() {
        let image = ImageHead {
            board: 1,
            version: [0, 1, 0],
            flags: 0,
            address: 0x1_0000,
            length: 2_048,
            crc: 7,
        };
        let node = node(SlotState::Empty, None);
        assert!(node.runs(&image));
        for other in [
            ImageHead { board: 2, ..image },
            ImageHead { crc: 8, ..image },
            ImageHead {
                version: [0, 2, 0],
                ..image
            },
        ] {
            assert!(!node.runs(&other), "{other:?}");
        }
        let bare = Firmware {
            slot: NO_SLOT,
            ..node
        };
        assert!(!bare.runs(&image) && !bare.takes_updates());
    }

    #[test]
    fn a_sum_is_right_wrong_unwritten_or_not_there_yet_and_nothing_else_is_taken_for_it() {
        for (state, why, wanted) in [
            (SlotState::Receiving, None, Sum::NotYet),
            (SlotState::Received, None, Sum::Right),
            (SlotState::Ordered, None, Sum::Right),
            (SlotState::Rejected, Some(Why::Crc), Sum::Wrong),
            (SlotState::Rejected, Some(Why::Flash), Sum::Unwritten),
            (SlotState::Rejected, Some(Why::Watchdog), Sum::Strange),
            (SlotState::Empty, None, Sum::Strange),
        ] {
            assert_eq!(node(state, why).sum(1), wanted, "{state:?} {why:?}");
        }
    }

    #[test]
    fn an_image_is_gone_back_from_only_once_the_other_runs() {
        let rejected = node(SlotState::Rejected, Some(Why::SelfTest));
        let why = u16::from(Why::SelfTest.code());
        assert_eq!(rejected.trial(1), Trial::GoneBack(why));
        let still_runs = Firmware {
            slot: 1,
            ..rejected
        };
        assert_eq!(still_runs.trial(1), Trial::Lasts);
        let tried = Firmware {
            slot: 1,
            ..node(SlotState::Trial, None)
        };
        assert_eq!(tried.trial(1), Trial::Lasts);
        let proved = Firmware {
            slot: 1,
            ..node(SlotState::Confirmed, None)
        };
        assert_eq!(proved.trial(1), Trial::Confirmed([0, 2, 0]));
        let flash = u16::from(Why::Flash.code());
        let untried = node(SlotState::Ordered, None);
        assert_eq!(untried.trial(1), Trial::GoneBack(flash));
    }
}
