//! The register map: one table. Addresses are as on the wire, from 0; wider values stand most significant register first.

use super::{
    ALARMS, BLOCK_REGISTERS, BLOCK_WORDS, CHANNELS, EVENT_WORDS, EVENTS, OFFER_WORDS, RELAYS,
};

/// Which of the four tables of Modbus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Read by function 1, written by 5 and 15.
    Coil,
    /// Read by function 2.
    DiscreteInput,
    /// Read by function 3, written by 6 and 16.
    Holding,
    /// Read by function 4.
    Input,
}

/// How an element is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// One bit of a coil or discrete input.
    Bit,
    U16,
    U32,
    I32,
    I64,
    /// Words whose meaning is told elsewhere: the configuration block, an event.
    Words(u16),
}

impl Spelling {
    /// Addresses that one element takes.
    pub const fn width(self) -> u16 {
        match self {
            Self::Bit | Self::U16 => 1,
            Self::U32 | Self::I32 => 2,
            Self::I64 => 4,
            Self::Words(width) => width,
        }
    }
}

/// One register, or a row of equal ones that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    pub id: Id,
    pub table: Table,
    pub address: u16,
    /// Elements; 1 for a single register.
    pub count: u16,
    pub spelling: Spelling,
}

impl Register {
    /// The first address past it.
    pub const fn end(&self) -> u16 {
        self.address + self.count * self.spelling.width()
    }
}

/// One address, found: which register, which element of it, and which word of the element, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: Id,
    pub element: u16,
    pub word: u16,
}

macro_rules! registers {
    ($($table:ident { $($id:ident = $address:literal, $count:expr, $spelling:expr, $what:literal;)+ })+) => {
        /// Every register by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Id { $($($id),+),+ }

        /// The map, by table and address.
        pub const REGISTERS: [Register; COUNT] = [$($(Register {
            id: Id::$id,
            table: Table::$table,
            address: $address,
            count: ($count) as u16,
            spelling: $spelling,
        }),+),+];

        /// What each register of [`REGISTERS`] means: the manual's column. Apart from it, so that a firmware does not carry the text.
        pub const WHAT: [&str; COUNT] = [$($($what),+),+];

        /// Registers in the map.
        pub const COUNT: usize = [$($(Id::$id),+),+].len();
    };
}

use Spelling::{Bit, I32, I64, U16, U32, Words};

registers! {
    Coil {
        RelayRequest = 0, RELAYS, Bit, "The gateway's request: 1 demands the relay besides the node's own causes, where the configuration allows it. 0 never releases what the node demands";
    }
    DiscreteInput {
        AlarmActive = 0, ALARMS, Bit, "Alarm n is active (its condition held for its on-delay)";
        RelayDemand = 60, RELAYS, Bit, "Relay n is demanded";
        RelayEnergised = 64, RELAYS, Bit, "Relay n's coil is driven; a fail-safe relay is driven while nothing is demanded";
        RelayFeedback = 68, RELAYS, Bit, "Relay n's feedback contact: the coil is seen driven";
        KeyPressed = 72, 1, Bit, "The key at the node is pressed";
    }
    Holding {
        Heartbeat = 0, 1, U16, "The gateway's heartbeat: life is a changed value";
        ClockSet = 1, 1, I64, "Wall clock, ms since 1970 UTC; written whole. Events from then on carry it";
        Acknowledge = 5, 1, Words(2), "Alarm number, then its occurrence; written whole. Exception 3 if refused, see Refusal";
        Commit = 10, 1, U32, "CRC-32 of the staged block as read back: makes it the configuration. Only while unlocked; exception 3 if the CRC or the block is wrong";
        UpdateCommit = 20, 1, U32, "CRC-32 of the image that was received, as UpdateCrc shows it: the node starts it. Only while unlocked and with no alarm active";
        Staged = 1000, 1, Words(BLOCK_WORDS as u16), "Configuration block being written. Only while unlocked (else exception 1); in pieces of any size";
        UpdateOffer = 1500, 1, Words(OFFER_WORDS as u16), "First 128 bytes of an image, written whole: begins to receive it, or goes on where the same one stopped. Only while unlocked and with no alarm active (else exception 1); exception 3 if it is not for this board and slot, or older";
        UpdateBlock = 1600, 1, Words(BLOCK_REGISTERS as u16), "Where a block of the image begins (u32), then 128 of its bytes; written whole, in order. A block that the node has already is taken again if it is the same";
    }
    Input {
        MapVersion = 0, 1, U16, "Version of this map";
        FirmwareVersion = 1, 3, U16, "Version of the firmware: major, minor, patch";
        ConfigVersion = 4, 1, U16, "Number of the configuration, one more with each commit; 0: none was ever committed, no channel is read";
        ConfigCrc = 5, 1, U32, "CRC-32 of the configuration block in force";
        UptimeMs = 7, 1, I64, "Milliseconds since the node started";
        BootCount = 11, 1, U16, "Starts since power came, from 1";
        ResetCause = 12, 1, U16, "Why the node started: 1 power, 2 watchdog, 3 panic, 4 processor fault, 5 asked for";
        SelfTest = 13, 1, U16, "Failed self-tests: bit 0 RAM pattern, 1 flash CRC, 2 relay feedback, 3 stack watermark, 4 analog reference, 5 configuration banks, 6 alarm state banks";
        StackFree = 14, 1, U16, "Bytes of the stack never used since start, as last looked, which takes a third of a second: at most 8192";
        LoopMaxUs = 15, 1, U16, "Longest round of the main loop since start, microseconds (65535: longer)";
        TimeQuality = 16, 1, U16, "0: times count from the start; 1: wall clock as the gateway set it";
        WallMs = 17, 1, I64, "Wall clock, ms since 1970 UTC; 0 until set";
        UnlockedS = 21, 1, U16, "Seconds that the configuration may still be written; 0 is locked. Only the key at the node unlocks";
        GatewaySilentS = 22, 1, U16, "Seconds since the gateway's last sign of life (65535: longer, or none since a reset before which it was silent)";
        GatewaySilent = 23, 1, U16, "1: the gateway is silent past its time, and the relays' policy for that holds";
        HeartbeatOut = 24, 1, U16, "Counts rounds of sampling and judging: a value that stands is a node that hangs";
        Horn = 25, 1, U16, "1: some alarm is not acknowledged";
        Refusal = 26, 1, U16, "Why the last write was refused: 0 it was not, 1 locked, 2 CRC, 3 block is invalid, 4 flash failed, 5 no such alarm, 6 occurrence, 7 nothing to acknowledge, 8 an alarm is active, 9 the board takes no update, 10 no image of ours, 11 another board's, 12 linked for another slot, 13 older than what is confirmed, 14 too long, 15 out of order, 16 differs from what was received, 17 not whole yet, 18 this image is still on trial";
        BadField = 27, 1, U16, "First word of the staged block that is invalid, where Refusal is 3";
        Frames = 28, 1, U32, "Requests to this node answered";
        BadFrames = 30, 1, U32, "Bytes that were thrown away in search of a frame";
        EventOldest = 32, 1, U32, "Number of the oldest event that the ring still holds";
        EventNext = 34, 1, U32, "Number that the next event will bear; equal to the oldest: the ring is empty";
        EventFirst = 36, 1, U32, "Number of the first event since power came: of the numbers below it that nobody collected, it is not known how many were used";
        AnswerUs = 38, 1, U16, "Microseconds from the end of the last request to the beginning of its answer, at most: the end counts from when the line was last seen empty before it (65535: longer)";
        AnswerMaxUs = 39, 1, U16, "The longest of them since start";
        UpdateBoard = 40, 1, U16, "Board id of the images that this node runs";
        UpdateTrust = 41, 1, U16, "Whose signature the boot stage believes: 0 nobody's, no update is taken; 1 the installer's key; 2 the test key, not for a plant";
        UpdateSlot = 42, 1, U16, "Slot that runs: 0 or 1; 65535: this board has no slots";
        UpdateFree = 43, 1, U32, "Address that an image must be linked for, to be received";
        UpdateRoom = 45, 1, U32, "Bytes that it may be long";
        UpdateNext = 47, 1, U32, "Bytes of the image that the node has: where the next block begins";
        UpdateCrc = 49, 1, U32, "CRC-32 of the image being received, or received last";
        UpdateLength = 51, 1, U32, "Its length, bytes";
        SlotStates = 53, 2, U16, "Slot n: 0 empty, 1 receiving, 2 received and its CRC is right, 3 starts next, 4 on trial, 5 confirmed, 6 rejected";
        SlotWhy = 55, 2, U16, "Why slot n was rejected: 0 it was not, 1 CRC, 2 signature, 3 head, 4 watchdog on trial, 5 panic, 6 processor fault, 7 power went, 8 reset, 9 a self-test failed, 10 no master asked in time, 11 its flash failed";
        SlotVersions = 57, 6, U16, "Version of the image of slot 0, then of slot 1: major, minor, patch";
        TrialS = 63, 1, U16, "Seconds that the running image still has to prove itself; 0: it is not on trial";
        SlotCrcs = 64, 2, U32, "CRC-32 of the image of slot 0, then of slot 1: with its version, which image it is";
        ChannelValue = 100, CHANNELS, I32, "Channel n in thousandths of its unit; 0 and meaningless where the status is not 0";
        ChannelStatus = 116, CHANNELS, U16, "Channel n: 0 measures; 1 not yet read, 2 front end silent, 7 over-range, 8 under-range, 9 sensor fault, 10 broken loop, 11 inhibit, 12 calibration, 13 warm-up, 15 not in use";
        ChannelUncertain = 124, 1, U16, "Bit n: channel n measures in an uncertain band";
        ChannelCurrent = 125, CHANNELS, U16, "Channel n's loop current after filtering, microamperes";
        AlarmState = 200, ALARMS, U16, "Alarm n: low byte the shown state (0 NORM, 1 UNACK, 2 ACKED, 3 RTNUN, 4 LATCH-UNACK, 5 LATCH-ACK, 6 SHLVD, 7 DSUPR, 8 OOSRV), bit 8 active, 9 latched, 10 demands its relays";
        AlarmOccurrence = 260, ALARMS, U16, "Alarm n's occurrence, low 16 bits: what an acknowledgement names";
        Active = 1000, 1, Words(BLOCK_WORDS as u16), "Configuration block in force";
        Event = 4096, EVENTS, Words(EVENT_WORDS as u16), "Event number e at element e mod 128; it bears its number, so what was overwritten is seen";
    }
}

/// Where each table's registers begin and end in [`REGISTERS`].
const fn span(table: Table) -> (usize, usize) {
    let (mut from, mut to, mut at) = (COUNT, 0, 0);
    while at < COUNT {
        if REGISTERS[at].table as u8 == table as u8 {
            if from == COUNT {
                from = at;
            }
            to = at + 1;
        }
        at += 1;
    }
    (from, to)
}

const SPANS: [(usize, usize); 4] = [
    span(Table::Coil),
    span(Table::DiscreteInput),
    span(Table::Holding),
    span(Table::Input),
];

/// Sorted without overlap, each table in one piece: what `locate` builds on.
const _: () = {
    let mut at = 1;
    while at < COUNT {
        let (before, this) = (&REGISTERS[at - 1], &REGISTERS[at]);
        let same = before.table as u8 == this.table as u8;
        assert!(before.table as u8 <= this.table as u8);
        assert!(!same || before.end() <= this.address);
        at += 1;
    }
};

static MAP: [Register; COUNT] = REGISTERS;

/// What stands at an address; `None` where nothing does.
pub fn locate(table: Table, address: u16) -> Option<Place> {
    let (from, to) = SPANS[table as usize];
    let registers = MAP.get(from..to)?;
    let after = registers.partition_point(|register| register.address <= address);
    let register = registers.get(after.checked_sub(1)?)?;
    if address >= register.end() {
        return None;
    }
    let (offset, width) = (address - register.address, register.spelling.width());
    Some(Place {
        id: register.id,
        element: offset.checked_div(width)?,
        word: offset.checked_rem(width)?,
    })
}

/// What stands at the next address of the same table; `None` where nothing does.
pub fn place_after(place: Place) -> Option<Place> {
    // Names stand in the order of the map.
    let here = place.id as usize;
    let register = MAP.get(here)?;
    if place.word + 1 < register.spelling.width() {
        let word = place.word + 1;
        return Some(Place { word, ..place });
    }
    let (id, element) = if place.element + 1 < register.count {
        (place.id, place.element + 1)
    } else {
        let after = MAP.get(here + 1)?;
        if after.table != register.table || after.address != register.end() {
            return None;
        }
        (after.id, 0)
    };
    Some(Place {
        id,
        element,
        word: 0,
    })
}
