//! A link under examination, for scan and probe.

use crate::acquire::{Fault, Link, Request, thinking};
use davy_config::site::Bus;
use std::time::Duration;
use tokio::time::Instant;

/// A bus under examination: opened anew whenever it is spoilt.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) bus: Bus,
    link: Option<Link>,
    words: Vec<u16>,
    /// The longest that a unit has thought before a good answer since this was last taken.
    pub(crate) thought: Duration,
}

impl Line {
    pub(crate) fn new(bus: Bus) -> Self {
        Self {
            bus,
            link: None,
            words: Vec::new(),
            thought: Duration::ZERO,
        }
    }

    /// One exchange; the link is opened for it if need be.
    ///
    /// # Errors
    /// The link cannot be opened, with the system's reason; or the unit's fault.
    pub(crate) async fn ask(
        &mut self,
        unit: u8,
        request: &Request,
    ) -> Result<Result<&[u16], Fault>, std::io::Error> {
        let link = match &mut self.link {
            Some(link) => link,
            none => none.insert(Link::open(&self.bus).await?),
        };
        let limit = Duration::from_millis(u64::from(self.bus.timeout_ms));
        let asked = Instant::now();
        let outcome = link.exchange(unit, request, limit, &mut self.words).await;
        if outcome.is_ok() {
            let thought = thinking(&self.bus, request, asked.elapsed());
            self.thought = self.thought.max(thought);
        }
        if link.is_spent(outcome) {
            self.link = None;
        }
        Ok(outcome.map(|()| &self.words[..]))
    }
}
