//! Sending other firmware to a node: offered, sent block by block from where the node is, summed and committed there, and then watched until the node has confirmed
//! it or gone back from it. Begun again it goes on where it stopped.

use super::registers::register;
use super::slots::{FIRST, Firmware, LAST, Sum, Trial};
use super::talk::{Talk, TalkError};
use davy_wire::node::{
    BLOCK_BYTES, BLOCK_REGISTERS, Id, ImageHead, OFFER_BYTES, OFFER_WORDS, Refusal, Version,
};
use std::time::{Duration, Instant};

/// An exchange that the line tears is tried so often.
const TRIES: u32 = 5;
const POLL: Duration = Duration::from_millis(500);
/// Longest that a node takes to sum what it received.
const SUM_LIMIT: Duration = Duration::from_secs(60);
/// Longest from the commit to the node's first answer; an alarm that comes in between holds the restart up.
const RESTART_LIMIT: Duration = Duration::from_secs(60);
/// Longest trial, and some seconds for the way back.
const TRIAL_LIMIT: Duration = Duration::from_secs(180);

/// Of register `Refusal`.
const NOT_REFUSED: u16 = 0;
const OUT_OF_ORDER: u16 = Refusal::OutOfOrder.code();

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has confirmed this version already.
    Same(Version),
    /// It cannot: it has no slots, or its boot stage believes nobody's signature.
    NotTaken,
    /// No image of the file is for this board, linked for this address.
    NotForIt {
        board: u16,
        address: u32,
    },
    Locked,
    /// The node's code.
    Refused(u16),
    /// What it received is not what was built.
    WrongSum,
    /// It runs it for good; silent for so many milliseconds, at most, between commit and first answer.
    Confirmed {
        version: Version,
        silent_ms: u128,
    },
    /// It runs what it ran before; the code of why.
    GoneBack(u16),
    /// It does not say in time what came of it.
    Unknown,
}

/// The images of an update file, one after the other; `None` if it is none.
pub(super) fn images(file: &[u8]) -> Option<Vec<(ImageHead, &[u8])>> {
    let (mut rest, mut images) = (file, Vec::new());
    while !rest.is_empty() {
        let head = ImageHead::read(rest.first_chunk::<OFFER_BYTES>()?)?;
        let (image, after) = rest.split_at_checked(head.length as usize)?;
        images.push((head, image));
        rest = after;
    }
    (!images.is_empty()).then_some(images)
}

/// Makes an image the node's firmware. `progress` is told the bytes that the node has, and all there are.
///
/// # Errors
/// The node could not be asked; it runs what it ran before, or the new image, and says which.
pub(super) async fn update(
    talk: &mut Talk,
    images: &[(ImageHead, &[u8])],
    progress: impl Fn(u32, u32),
) -> Result<Outcome, TalkError> {
    let found = match firmware(talk).await {
        Err(error) if error.exception().is_some() => return Ok(Outcome::NotTaken),
        other => other?,
    };
    if images.iter().any(|(head, _)| found.runs(head)) {
        let slot = found.running_slot();
        return match found.trial(slot) {
            Trial::Confirmed(version) => Ok(Outcome::Same(version)),
            Trial::Lasts | Trial::GoneBack(_) => watch(talk, slot, Duration::ZERO).await,
        };
    }
    if !found.takes_updates() {
        return Ok(Outcome::NotTaken);
    }
    let fits =
        |(head, _): &&(ImageHead, &[u8])| head.board == found.board && head.address == found.free;
    let Some((head, image)) = images.iter().find(fits) else {
        return Ok(Outcome::NotForIt {
            board: found.board,
            address: found.free,
        });
    };
    if talk.status().await?.unlocked_s == 0 {
        return Ok(Outcome::Locked);
    }
    let free = found.free_slot();
    if let Some(refused) = send(talk, image, &progress).await? {
        return Ok(refused);
    }
    if let Some(wrong) = summed(talk, free).await? {
        return Ok(wrong);
    }
    let boots = again(talk, async |talk: &mut Talk| talk.status().await)
        .await?
        .boot_count;
    if let Some(refused) = commit(talk, head.crc, free).await? {
        return Ok(refused);
    }
    match restarted(talk, boots).await {
        Some(silent) => watch(talk, free, silent).await,
        None => Ok(Outcome::Unknown),
    }
}

async fn firmware(talk: &mut Talk) -> Result<Firmware, TalkError> {
    let words = talk
        .from(FIRST, register(LAST).end() - register(FIRST).address)
        .await?;
    Firmware::of(&words).ok_or_else(|| talk.strange())
}

/// Asks again where no answer came: a node that reckons the sum of an image, or a busy line, loses one, and that is no end of an update.
async fn again<T>(
    talk: &mut Talk,
    ask: impl AsyncFn(&mut Talk) -> Result<T, TalkError>,
) -> Result<T, TalkError> {
    let mut tries = 0;
    loop {
        match ask(talk).await {
            Err(error) if error.exception().is_none() && tries < TRIES => tries += 1,
            answered => return answered,
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Offers and sends; `Some` if the node refused.
async fn send(
    talk: &mut Talk,
    image: &[u8],
    progress: &impl Fn(u32, u32),
) -> Result<Option<Outcome>, TalkError> {
    let mut offer = [0; OFFER_WORDS];
    fill(&mut offer, image);
    // The same offer again is taken again.
    let offered = again(talk, async |talk: &mut Talk| {
        talk.write(Id::UpdateOffer, &offer).await
    })
    .await;
    if let Some(refused) = refusal(offered, talk).await? {
        return Ok(Some(refused));
    }
    let length = u32::try_from(image.len()).unwrap_or(u32::MAX);
    let (mut next, mut tries) = (again(talk, firmware).await?.next, 0);
    while next < length {
        progress(next, length);
        let written = talk.write(Id::UpdateBlock, &block(image, next)).await;
        if written.is_ok() {
            (next, tries) = (next + BLOCK_BYTES as u32, 0);
            continue;
        }
        let torn = written
            .as_ref()
            .is_err_and(|error| error.exception().is_none());
        if tries == TRIES {
            return refusal(written, talk).await;
        }
        // A late answer to one block reads like the next one's: the node alone knows how far it is.
        tries += 1;
        tokio::time::sleep(POLL).await;
        if !torn {
            match refusal(written, talk).await? {
                Some(Outcome::Refused(OUT_OF_ORDER | NOT_REFUSED)) | None => {}
                refused => return Ok(refused),
            }
        }
        next = firmware(talk).await.map_or(next, |now| now.next);
    }
    progress(length, length);
    Ok(None)
}

/// Where the block begins, then its bytes, 0xff behind the image's end.
fn block(image: &[u8], at: u32) -> [u16; BLOCK_REGISTERS] {
    let mut block = [0xffff; BLOCK_REGISTERS];
    let (place, bytes) = block.split_at_mut(2);
    place.copy_from_slice(&[(at >> 16) as u16, at as u16]);
    fill(bytes, image.get(at as usize..).unwrap_or_default());
    block
}

/// The first bytes as registers, as many as there are; an image's length is a multiple of eight.
fn fill(registers: &mut [u16], bytes: &[u8]) {
    let pairs = bytes.as_chunks().0;
    for (register, pair) in registers.iter_mut().zip(pairs) {
        *register = u16::from_be_bytes(*pair);
    }
}

/// What a node refused, and why.
async fn refusal(
    answer: Result<(), TalkError>,
    talk: &mut Talk,
) -> Result<Option<Outcome>, TalkError> {
    match answer {
        Ok(()) => Ok(None),
        Err(error) if error.exception().is_some() => {
            let status = again(talk, async |talk: &mut Talk| talk.status().await).await?;
            Ok(Some(match Refusal::from_code(status.refusal) {
                Some(Refusal::Locked) => Outcome::Locked,
                _ => Outcome::Refused(status.refusal),
            }))
        }
        Err(error) => Err(error),
    }
}

/// Waits until the node has summed what it received; `Some` if that does not lead on.
async fn summed(talk: &mut Talk, slot: usize) -> Result<Option<Outcome>, TalkError> {
    let began = Instant::now();
    loop {
        match again(talk, firmware).await?.sum(slot) {
            Sum::Right => return Ok(None),
            Sum::Wrong => return Ok(Some(Outcome::WrongSum)),
            Sum::Unwritten => return Ok(Some(Outcome::Refused(Refusal::Flash.code()))),
            Sum::NotYet if began.elapsed() < SUM_LIMIT => tokio::time::sleep(POLL).await,
            Sum::NotYet | Sum::Strange => return Ok(Some(Outcome::Unknown)),
        }
    }
}

/// Has what was received started; `Some` if the node refused.
async fn commit(talk: &mut Talk, crc: u32, slot: usize) -> Result<Option<Outcome>, TalkError> {
    let words = [(crc >> 16) as u16, crc as u16];
    let mut tries = 0;
    loop {
        match talk.write(Id::UpdateCommit, &words).await {
            Err(error) if error.exception().is_none() && tries < TRIES => tries += 1,
            answered => return refusal(answered, talk).await,
        }
        tokio::time::sleep(POLL).await;
        // A node that took it has locked itself, and would refuse it: asked again only where it is certain that the question was lost, and not the answer.
        let now = again(talk, firmware).await;
        if !now.is_ok_and(|now| now.waits_for_its_order(slot)) {
            return Ok(None);
        }
    }
}

/// Waits for the next start; how long the node was silent, at most.
async fn restarted(talk: &mut Talk, boots: u16) -> Option<Duration> {
    let mut answered = Instant::now();
    let began = answered;
    while began.elapsed() < RESTART_LIMIT {
        match talk.status().await {
            Ok(status) if status.boot_count != boots => return Some(answered.elapsed()),
            Ok(_) => answered = Instant::now(),
            // It is starting.
            Err(_) => {}
        }
        tokio::time::sleep(POLL / 10).await;
    }
    None
}

/// Asks on until the trial has ended: that it is asked is part of it.
async fn watch(talk: &mut Talk, slot: usize, silent: Duration) -> Result<Outcome, TalkError> {
    let began = Instant::now();
    while began.elapsed() < TRIAL_LIMIT {
        // It may be starting again.
        if let Ok(now) = firmware(talk).await {
            match now.trial(slot) {
                Trial::Confirmed(version) => {
                    return Ok(Outcome::Confirmed {
                        version,
                        silent_ms: silent.as_millis(),
                    });
                }
                Trial::GoneBack(why) => return Ok(Outcome::GoneBack(why)),
                Trial::Lasts => {}
            }
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(Outcome::Unknown)
}

#[cfg(test)]
mod tests;
