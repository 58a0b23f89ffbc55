//! A link under examination, for scan and probe.

use crate::acquire::{Fault, Link, REST, Request, is_untagged, thinking};
use davy_config::site::Bus;
use std::time::Duration;
use tokio::time::Instant;

/// A bus under examination: opened anew whenever it is spoilt.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) bus: Bus,
    link: Option<Link>,
    /// It has brought an answer.
    answered: bool,
    /// Who left a request without a good answer where none has a number, of which function, and when.
    owes: Option<(u8, u8, Instant)>,
    words: Vec<u16>,
    /// The longest that a unit has thought before a good answer since this was last taken.
    pub(crate) thought: Duration,
}

impl Line {
    pub(crate) fn new(bus: Bus) -> Self {
        Self {
            bus,
            link: None,
            answered: false,
            owes: None,
            words: Vec::new(),
            thought: Duration::ZERO,
        }
    }

    /// One exchange; the link is opened for it if need be. A device that hangs up after an answer is asked again over a new link, as its bus would.
    ///
    /// # Errors
    /// The link cannot be opened, with the system's reason; or the unit's fault.
    pub(crate) async fn ask(
        &mut self,
        unit: u8,
        request: &Request,
    ) -> Result<Result<&[u16], Fault>, std::io::Error> {
        self.wait_for_what_is_owed(unit, request).await;
        let had_answered = self.answered;
        let mut outcome = self.ask_once(unit, request).await?;
        if outcome == Err(Fault::LinkDown) && had_answered {
            outcome = self.ask_once(unit, request).await?;
        }
        Ok(outcome.map(|()| &self.words[..]))
    }

    async fn ask_once(
        &mut self,
        unit: u8,
        request: &Request,
    ) -> std::io::Result<Result<(), Fault>> {
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
        self.answered |= matches!(outcome, Ok(()) | Err(Fault::Exception(_)));
        let is_owed = matches!(outcome, Err(Fault::Timeout | Fault::BadFrame));
        self.owes = is_owed.then(|| (unit, request.function(), Instant::now()));
        // Silence is what most units of a search have: a converter is not connected anew for it.
        let is_silence = is_untagged(&self.bus.link) && outcome != Err(Fault::LinkDown);
        if link.is_spent(outcome) && !is_silence {
            (self.link, self.answered) = (None, false);
        }
        Ok(outcome)
    }

    /// Over a link without transaction numbers a late answer could pass for the next one's: it comes first, and is read away. Other units' and other functions'
    /// answers are known from it.
    async fn wait_for_what_is_owed(&self, unit: u8, request: &Request) {
        if let Some((by, function, since)) = self.owes
            && is_untagged(&self.bus.link)
            && (by, function) == (unit, request.function())
        {
            tokio::time::sleep_until(since + REST).await;
        }
    }
}
