//! Why a node refused the last write, as register `Refusal` says it; 0 there: it did not.

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has unlocked it at its key, or the time for that has run out.
    Locked = 1,
    Crc,
    /// The configuration block cannot be: `BadField` says where.
    Block,
    Flash,
    NoSuchAlarm,
    Occurrence,
    NothingToAcknowledge,
    AlarmActive,
    /// No boot stage, or one that believes nobody's signature.
    NoUpdates,
    NoImage,
    OtherBoard,
    OtherSlot,
    Older,
    TooLong,
    OutOfOrder,
    Differs,
    NotWhole,
    /// The image that runs has not proved itself: the other is its way back.
    OnTrial,
}

impl Refusal {
    pub const ALL: [Self; 18] = [
        Self::Locked,
        Self::Crc,
        Self::Block,
        Self::Flash,
        Self::NoSuchAlarm,
        Self::Occurrence,
        Self::NothingToAcknowledge,
        Self::AlarmActive,
        Self::NoUpdates,
        Self::NoImage,
        Self::OtherBoard,
        Self::OtherSlot,
        Self::Older,
        Self::TooLong,
        Self::OutOfOrder,
        Self::Differs,
        Self::NotWhole,
        Self::OnTrial,
    ];

    /// 1 to 18.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// `None` for 0, and for what a newer node may say.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }
}
