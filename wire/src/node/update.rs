//! What the two slots of a node's firmware can be, by the numbers that registers, events and flash carry.

/// One of the two places for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    A,
    B,
}

impl Slot {
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// 0 or 1.
    pub const fn number(self) -> u8 {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::A),
            1 => Some(Self::B),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// How far a slot's image has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    Empty,
    /// Its blocks are being written.
    Receiving,
    /// All of it is there, and its CRC is right.
    Received,
    /// To be started next, if its signature is right.
    Ordered,
    /// Was started, and has not proved itself: the next start is the other image's.
    Trial,
    /// Has proved itself.
    Confirmed,
    /// Never started again.
    Rejected,
}

impl SlotState {
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::Receiving,
        Self::Received,
        Self::Ordered,
        Self::Trial,
        Self::Confirmed,
        Self::Rejected,
    ];

    /// 0 to 6.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// As what a node told is spelt.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Receiving => "receiving",
            Self::Received => "received",
            Self::Ordered => "ordered",
            Self::Trial => "trial",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// Why an image was rejected, or did not get further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Crc = 1,
    Signature,
    /// Another board's, another slot's, older, or no image at all.
    Head,
    /// It hung on its trial.
    Watchdog,
    Panic,
    Fault,
    /// The power went before it had proved itself.
    Power,
    /// Somebody had it reset on its trial.
    Reset,
    /// A self-test failed that held before.
    SelfTest,
    /// Nobody asked it anything in time.
    NoMaster,
    /// The flash did not take the record of what the image has come to.
    Flash,
}

impl Why {
    pub const ALL: [Self; 11] = [
        Self::Crc,
        Self::Signature,
        Self::Head,
        Self::Watchdog,
        Self::Panic,
        Self::Fault,
        Self::Power,
        Self::Reset,
        Self::SelfTest,
        Self::NoMaster,
        Self::Flash,
    ];

    /// 1 to 11.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// As what a node told is spelt.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc => "crc",
            Self::Signature => "signature",
            Self::Head => "head",
            Self::Watchdog => "watchdog",
            Self::Panic => "panic",
            Self::Fault => "fault",
            Self::Power => "power",
            Self::Reset => "reset",
            Self::SelfTest => "self-test",
            Self::NoMaster => "no-master",
            Self::Flash => "flash",
        }
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code.checked_sub(1)?)).copied()
    }
}

/// Whose signature the boot stage believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nobody's: no update is taken.
    Nobody,
    Installer,
    /// The key that lies in the repository, for tests.
    Test,
}

impl Trust {
    /// 0 to 2.
    pub const fn code(self) -> u16 {
        self as u16
    }

    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Installer,
            2 => Self::Test,
            _ => Self::Nobody,
        }
    }
}
