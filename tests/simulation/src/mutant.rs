//! Deliberate mistakes at the seams, each of which the simulation must find: one that finds nothing proves nothing.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutant {
    /// The gateway's cursor moves when a batch is published, not when it is committed.
    ForgetsWhatItPublishes,
    /// A batch is acknowledged when it is received, before it is committed.
    AcknowledgesBeforeCommit,
    /// The city forgets which offsets it has committed.
    ForgetsOffsets,
    /// The disk says that it has synced, and has not.
    DiskLies,
    /// A row of the audit log is altered.
    AltersAudit,
    /// The history keeps another value than the one that came.
    AltersReadings,
    /// The history keeps an absent reading as a zero.
    MakesAbsencesZero,
    /// The births of devices leave something out.
    OmitsAPointFromBirths,
    /// A changed site file is judged by, and nobody is told.
    ReloadsWithoutBirths,
    /// A changed site file begins an alarm anew that it should have left as it was.
    ForgetsAlarmsOnReload,
}
