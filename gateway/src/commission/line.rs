//! A link under examination, for scan and probe.

use crate::acquire::{Fault, Link, Request};
use davy_config::site::Bus;
use std::time::Duration;

/// A bus under examination: opened anew whenever it is spoilt.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) bus: Bus,
    link: Option<Link>,
    words: Vec<u16>,
}

impl Line {
    pub(super) fn new(bus: Bus) -> Self {
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
    pub(super) async fn ask(
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
