//! The kinds of problem. Their names are stable: tools and tests rely on them, and each is the key of its message.

use serde::Serialize;

/// Errors refuse the file; warnings do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Declares the codes with their names, so that a test can walk them all.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $severity:ident),+ $(,)?) => {
        /// The kind of a problem; its name is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name, also the key of its message.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Whether it refuses the file.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    /// The file cannot be read at all.
    Unreadable = "unreadable" Error,
    /// The file is larger than any site needs.
    TooLarge = "too-large" Error,
    Syntax = "syntax" Error,
    /// A version of the format that this Davy does not read.
    Schema = "schema" Error,
    UnknownKey = "unknown-key" Error,
    MissingKey = "missing-key" Error,
    /// Two keys of which only one may stand.
    Exclusive = "exclusive" Error,
    WrongType = "wrong-type" Error,
    /// `nan` or `inf` where a value is needed.
    NotFinite = "not-finite" Error,
    OutOfRange = "out-of-range" Error,
    EmptyText = "empty-text" Error,
    EmptyList = "empty-list" Error,
    BadId = "bad-id" Error,
    DuplicateId = "duplicate-id" Error,
    /// A name that no list of Davy's own has: a kind, a profile, a preset, a substance.
    UnknownName = "unknown-name" Error,
    /// A name that nothing in this file has.
    UnknownReference = "unknown-reference" Error,
    /// Not `host:port`.
    Address = "address" Error,
    /// Not an address of the register's table and numbering.
    RegisterAddress = "register-address" Error,
    /// A value that would reach beyond the last register.
    RegisterRange = "register-range" Error,
    /// An `as`, `bit` or `width` that the table cannot hold.
    Encoding = "encoding" Error,
    /// The profile does not leave this to the site.
    NotOffered = "not-offered" Error,
    /// The device's profile has problems of its own.
    BadProfile = "bad-profile" Error,
    /// A profile's example whose registers read otherwise.
    ExampleDiffers = "example-differs" Error,
    /// A profile's example without a register that its signal needs.
    ExampleHole = "example-hole" Error,
    /// What a profile says and none of its examples shows.
    Unshown = "unshown" Warning,
    /// A range that does not rise.
    Range = "range" Error,
    /// A scale or offset on a signal that a loop current and the range scale already.
    LoopScaling = "loop-scaling" Error,
    LimitOutsideRange = "limit-outside-range" Error,
    LimitOrder = "limit-order" Error,
    /// A deadband that no value in range can clear (R23).
    Deadband = "deadband" Error,
    /// An alarm that a point of this kind cannot have.
    AlarmKind = "alarm-kind" Error,
    /// On-delay and poll beyond 10 s for gas (GB 16808, R23).
    GasDelay = "gas-delay" Error,
    /// On-delay beyond 2 s for gas level 2 (R23).
    GasLevel2Delay = "gas-level-2-delay" Error,
    /// An instrument fault of a gas point announced later than 100 s (GB 16808).
    GasFaultDelay = "gas-fault-delay" Error,
    /// Polls that the line of a bus cannot carry at their periods.
    BusLoad = "bus-load" Error,
    /// An alarm that its bus, or its delay, would bring later than it is needed.
    SlowResponse = "slow-response" Error,
    /// A stale time that an ordinary poll would exceed.
    StalePeriod = "stale-period" Error,
    /// Gas level 2 is never reset from afar.
    RemoteReset = "remote-reset" Error,
    NotSignedOff = "not-signed-off" Error,
    /// Signed off on a day that has not come.
    SignOffInFuture = "sign-off-in-future" Error,
    /// The same by a clock that may itself be wrong.
    SignOffAhead = "sign-off-ahead" Warning,
    PresetUnit = "preset-unit" Error,
    PresetKind = "preset-kind" Error,
    /// A limit that the standard demands and whose figure is the site's.
    PresetLimit = "preset-limit" Error,
    /// The preset needs a figure of the substance, and there is none.
    Substance = "substance" Error,
    /// An alarm that cannot vote.
    VoteMember = "vote-member" Error,
    /// An alarm that stands twice where it may once.
    SameMember = "same-member" Error,
    /// A group of gas detectors that would degrade away from safety (R18).
    VoteSafety = "vote-safety" Error,
    /// A point that is measured where one that is on or off is needed.
    NotDiscrete = "not-discrete" Error,
    /// An output whose own failure would switch it.
    EffectSelf = "effect-self" Error,
    /// A rule that would suppress the alarm it looks at.
    SuppressSelf = "suppress-self" Error,
    /// A rule that suppresses gas level 2.
    SuppressDanger = "suppress-danger" Warning,
    NotWritable = "not-writable" Error,
    /// Two outputs on one register.
    SameOutput = "same-output" Error,
    PinHash = "pin-hash" Error,
    /// Two buses on one wire.
    SameLink = "same-link" Error,
    /// A serial port by a name that the order of plugging gives.
    UnstablePort = "unstable-port" Warning,
    SameUnit = "same-unit" Error,
    /// A unit that thinks as long as its bus waits for it, or longer.
    AnswerTooLate = "answer-too-late" Error,
    /// Two points that read one register differently.
    Conflict = "conflict" Warning,
    /// A limit laxer than its preset.
    Laxer = "laxer" Warning,
    /// A highest-priority or second-level limit with an on-delay above 2 s (R23).
    SlowLimit = "slow-limit" Warning,
    NoAlarm = "no-alarm" Warning,
    /// A point or output that is held back until somebody proved it.
    Unarmed = "unarmed" Warning,
    /// One that is armed without a proof.
    Unproved = "unproved" Warning,
    IdleOutput = "idle-output" Warning,
    /// A manual cause that switches nothing.
    IdleManual = "idle-manual" Error,
    /// A device that nothing is read from or written to.
    IdleDevice = "idle-device" Warning,
}
