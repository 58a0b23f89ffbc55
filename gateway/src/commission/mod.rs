//! The installer's tools: `scan` finds what answers, `probe` shows what registers could mean, and the commissioning pages make a site of it. On the command
//! line and on the pages they are the same: they read and never write, over the links and checks of acquisition, so that what they show is what a gateway
//! would read.

mod changes;
mod draft;
mod gate;
pub(crate) mod identify;
mod job;
pub(crate) mod kept;
mod line;
mod link;
mod one;
pub(crate) mod opening;
mod pages;
mod probe;
mod range;
mod scan;
mod search;
mod spell;
pub(crate) mod target;
mod tree;
mod workbook;

pub(crate) use line::Line;
pub(crate) use one::One;
pub(crate) use pages::{ApplyError, Commission, LookError, Probed, Running, Scanned, Signed, Skip};
pub(crate) use probe::Probe;
pub(crate) use scan::Scan;
pub(crate) use workbook::{Draft, KeepError};
