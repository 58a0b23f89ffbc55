//! Writing a node's configuration: staged, read back, compared, committed, and looked at again. Only while the key at the node has unlocked it.

use super::Status;
use super::talk::{Talk, TalkError};
use davy_wire::node::{Block, Id};

/// What a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Running {
    pub(super) version: u16,
    pub(super) crc: u32,
}

impl Running {
    const fn of(status: &Status) -> Self {
        Self {
            version: status.config_version,
            crc: status.config_crc,
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It runs this already.
    Same(Running),
    Committed {
        found: Running,
        left: Running,
    },
    /// Nobody has unlocked it at the node: nothing was written.
    Locked(Running),
    /// What came back is not what was written, first at this word: nothing was committed.
    Differs(usize),
    /// The node refused: its code, and the first wrong word.
    Refused {
        code: u16,
        word: u16,
    },
    /// It took the commit and runs something else: nobody may rely on it.
    NotInForce(Running),
}

/// Makes a block the node's configuration.
///
/// # Errors
/// The node could not be asked; what runs then is whatever ran before, or the new block as a whole.
pub(super) async fn configure(talk: &mut Talk, block: &Block) -> Result<Outcome, TalkError> {
    let status = talk.status().await?;
    let found = Running::of(&status);
    if found.version > 0 && found.crc == block.crc() {
        return Ok(Outcome::Same(found));
    }
    if status.unlocked_s == 0 {
        return Ok(Outcome::Locked(found));
    }
    match talk.stage(block).await {
        // The key's time ran out in between.
        Err(error) if error.exception() == Some(1) => return Ok(Outcome::Locked(found)),
        other => other?,
    }
    let back = talk.block(Id::Staged).await?;
    let pairs = back.0.iter().zip(&block.0);
    if let Some(word) = pairs.into_iter().position(|(back, wrote)| back != wrote) {
        return Ok(Outcome::Differs(word));
    }
    match talk.commit(block.crc()).await {
        Err(error) if error.exception().is_some() => {
            let Status {
                refusal, bad_field, ..
            } = talk.status().await?;
            return Ok(Outcome::Refused {
                code: refusal,
                word: bad_field,
            });
        }
        other => other?,
    }
    if let Ok(settings) = block.settings() {
        talk.answers_to(settings.unit);
    }
    let left = Running::of(&talk.status().await?);
    let is_in_force = left.crc == block.crc() && left.version != found.version;
    if is_in_force && talk.block(Id::Active).await? == *block {
        Ok(Outcome::Committed { found, left })
    } else {
        Ok(Outcome::NotInForce(left))
    }
}
