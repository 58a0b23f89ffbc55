//! A conversation with one node, for the command line: its registers by name, each question until it is answered or fails.

use super::registers::{read, read_events, register, together, write};
use super::status::{self, Status};
use crate::acquire::{Fault, Request};
use crate::commission::{Line, target};
use davy_config::site::Bus;
use davy_wire::node::{BLOCK_WORDS, Block, EVENT_WORDS, Id};
use std::io;

/// Registers of one answer; a converter or a slow line takes a quarter of a second for more.
const PIECE: u16 = 110;
/// Registers of a configuration that are written at once.
const STAGED: usize = 22;
const _: () = assert!(BLOCK_WORDS.is_multiple_of(STAGED));
/// Events of one answer.
const EVENTS_A_READ: u16 = 9;

/// Why a node's registers could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error("{at}: {source}")]
    Link { at: String, source: io::Error },
    #[error("{at}, unit {unit}, {what:?}: {fault}")]
    Fault {
        at: String,
        unit: u8,
        what: Id,
        fault: Fault,
    },
    #[error("{at}, unit {unit}: no node whose map is known answers here")]
    Strange { at: String, unit: u8 },
}

impl TalkError {
    /// The unit's own word for what it refused.
    pub(super) const fn exception(&self) -> Option<u8> {
        match self {
            Self::Fault {
                fault: Fault::Exception(code),
                ..
            } => Some(*code),
            _ => None,
        }
    }
}

/// One node on a line.
#[derive(Debug)]
pub(super) struct Talk {
    line: Line,
    unit: u8,
    at: String,
}

impl Talk {
    pub(super) fn new(bus: Bus, unit: u8) -> Self {
        Self {
            at: target::spelt(&bus.link),
            line: Line::new(bus),
            unit,
        }
    }

    /// From the answer to a commit on it may have another id.
    pub(super) const fn answers_to(&mut self, unit: u8) {
        self.unit = unit;
    }

    pub(super) async fn status(&mut self) -> Result<Status, TalkError> {
        let words = self
            .ask(Id::MapVersion, read(Id::MapVersion, 0, status::length()))
            .await?;
        Status::of(&words).ok_or_else(|| self.strange())
    }

    /// All of a register, or of a row of them.
    pub(super) async fn words(&mut self, id: Id) -> Result<Vec<u16>, TalkError> {
        let register = register(id);
        let length = register.end() - register.address;
        let mut words = Vec::with_capacity(usize::from(length));
        while words.len() < usize::from(length) {
            let at = words.len() as u16;
            let piece = read(id, at, (length - at).min(PIECE));
            words.extend(self.ask(id, piece).await?);
        }
        Ok(words)
    }

    /// So many registers from the first of this one on.
    pub(super) async fn from(&mut self, id: Id, count: u16) -> Result<Vec<u16>, TalkError> {
        self.ask(id, read(id, 0, count)).await
    }

    /// Writes a register whole.
    pub(super) async fn write<const N: usize>(
        &mut self,
        id: Id,
        words: &[u16; N],
    ) -> Result<(), TalkError> {
        self.ask(id, write(id, 0, words)).await.map(|_| ())
    }

    /// The unit answers, but not as a node whose map is known.
    pub(super) fn strange(&self) -> TalkError {
        TalkError::Strange {
            at: self.at.clone(),
            unit: self.unit,
        }
    }

    /// A configuration block: `Active` or `Staged`.
    pub(super) async fn block(&mut self, id: Id) -> Result<Block, TalkError> {
        let words = self.words(id).await?;
        let mut block = Block::ZERO;
        for (own, word) in block.0.iter_mut().zip(words) {
            *own = word;
        }
        Ok(block)
    }

    /// Writes a block in pieces into `Staged`.
    pub(super) async fn stage(&mut self, block: &Block) -> Result<(), TalkError> {
        let (pieces, _) = block.0.as_chunks::<STAGED>();
        for (nth, piece) in pieces.iter().enumerate() {
            let at = (nth * STAGED) as u16;
            self.ask(Id::Staged, write(Id::Staged, at, piece)).await?;
        }
        Ok(())
    }

    /// Makes what is staged the configuration.
    pub(super) async fn commit(&mut self, crc: u32) -> Result<(), TalkError> {
        let words = [(crc >> 16) as u16, crc as u16];
        self.write(Id::Commit, &words).await
    }

    /// The slots of events `from..to`, as far as one answer holds them.
    pub(super) async fn events(
        &mut self,
        from: u32,
        to: u32,
    ) -> Result<Vec<[u16; EVENT_WORDS]>, TalkError> {
        let count = together(from, to, EVENTS_A_READ);
        let words = self.ask(Id::Event, read_events(from, count)).await?;
        Ok(words.as_chunks::<EVENT_WORDS>().0.to_vec())
    }

    async fn ask(&mut self, what: Id, request: Request) -> Result<Vec<u16>, TalkError> {
        let answer = self.line.ask(self.unit, &request).await;
        let answer = answer.map_err(|source| TalkError::Link {
            at: self.at.clone(),
            source,
        })?;
        let words = answer.map_err(|fault| TalkError::Fault {
            at: self.at.clone(),
            unit: self.unit,
            what,
            fault,
        })?;
        Ok(words.to_vec())
    }
}
