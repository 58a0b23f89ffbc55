//! The installer's tools on the command line: `scan` finds what answers, `probe` shows what registers could mean. They read and never write, and use
//! the same links and checks as acquisition, so that what they show is what a gateway would read.

mod draft;
mod identify;
mod probe;
mod scan;
mod spell;
mod target;

pub(crate) use probe::Probe;
pub(crate) use scan::Scan;

use crate::acquire::{Fault, Link, Request};
use davy_config::site::Bus;
use std::time::Duration;

/// A bus under examination: opened anew whenever it is spoilt.
#[derive(Debug)]
struct Line {
    bus: Bus,
    link: Option<Link>,
    words: Vec<u16>,
}

impl Line {
    fn new(bus: Bus) -> Self {
        Self {
            bus,
            link: None,
            words: Vec::new(),
        }
    }

    /// One exchange; the link is opened for it if need be.
    ///
    /// # Errors
    /// The link cannot be opened, with the system's reason; or the unit's fault.
    async fn ask(
        &mut self,
        unit: u8,
        request: &Request,
    ) -> Result<Result<&[u16], Fault>, std::io::Error> {
        let link = match &mut self.link {
            Some(link) => link,
            none => none.insert(Link::open(&self.bus).await?),
        };
        let limit = Duration::from_millis(u64::from(self.bus.timeout_ms));
        let outcome = link.exchange(unit, request, limit, &mut self.words).await;
        if link.is_spent(outcome) {
            self.link = None;
        }
        Ok(outcome.map(|()| &self.words[..]))
    }
}
