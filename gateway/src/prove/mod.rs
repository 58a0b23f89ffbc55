//! Proof: loop tests, bump tests and calibrations of points, tests of outputs, and when each is due again (docs/proving.md).
//!
//! `plan` (what is expected) → `window` (what is seen, once it stands still) → `draft` (a proof that is being done) → `proof` (how it ended), kept in the
//! `ledger`, told to journal and city by the `bench`, which owns all of it. `due` says what is proved, and the bench has judgement alarm what is not.
//! `report` prints the ledger, signed with the gateway's `key`.
//!
//! Invariant: a point that is being proved is judged as ever. With `under_test` its alarms are out of service by the alarm rules' own act, which is
//! journalled and shown, and come back when the proof ends, however it ends.

mod bench;
pub(crate) mod command;
mod draft;
mod due;
mod ledger;
mod plan;
mod proof;
mod report;
mod start;
mod subject;
#[cfg(test)]
mod tests;
mod told;
mod under_way;
mod window;

pub use bench::{Bench, BenchError, Look, Parts, Row, Started};
pub use draft::{Draft, DraftError, Taken};
pub use due::{DueAt, Standing, State, Summary};
pub use ledger::{Ledger, LedgerError};
pub use plan::{Bound, Kind, Plan, Side, Step, StepKind};
pub use proof::{Of, Proof, Run, Seen, StepDone, Verdict};
pub use report::{Found, Made, ReportError, Verified, folder, verify};
pub use subject::Subject;
pub use window::{Still, Window};
