//! The bytes of one segment file, `<number as 16 hexadecimal digits>.seg`: a header, frames, and a footer once nothing more is appended.
//!
//! Header:
//!
//! | Bytes | Content |
//! |---|---|
//! | 0–7 | `davyjrnl` |
//! | 8–9 | version, u16, 4; 1 to 3 are read for ever, and never written on |
//! | 10–11 | bits: 0 thinned (only urgent batches are left); the rest zero |
//! | 12–15 | length of the body, u32 |
//! | 16–19 | CRC-32C of bytes 0–15 and the body, u32 |
//! | 20–… | body: 8 bytes stream; 8 bytes number; 8 bytes first offset; 8 bytes made, i64 ms; text digest; four lists of ids (devices, points, alarms, outputs), each varint count and texts; the state (see [`super::state`]); the settled offsets (see [`super::settled`]); since version 3 the references (see [`super::reference`]) |
//!
//! Frame:
//!
//! | Bytes | Content |
//! |---|---|
//! | 2 | marker, 0xda 0x7e |
//! | 4 | CRC-32C, u32, of the segment's stream and number (8 bytes each) and of all that follows in the frame: bytes of another file never pass |
//! | varint | length of the body, 1 to 1 MiB |
//! | … | body, whose first byte's low two bits are its kind: 0 batch (see [`super::encoding`]); 1 settled offsets: ranges follow; 2 footer |
//!
//! Footer, the last frame of a file: byte 2; 8 bytes next offset; byte flags (bit 0 holds times, bit 1 holds sequence numbers, bit 2 all urgent offsets are listed);
//! 8 bytes least and 8 bytes greatest time; 8 bytes least and 8 bytes greatest seq; varint count of urgent offsets and each as a varint distance to the one
//! before (the first: to the segment's first offset); 4 bytes length of the whole frame, so that it is found from the end of the file.
//!
//! A segment's batches end where the next segment's first offset begins; what a failed write left beyond it does not count. A frame whose checksum
//! fails is passed over, byte by byte, until the next one that holds.

use super::bytes::{Bytes, put_text, put_varint};
use super::disk::Disk;
use super::encoding::{Base, KIND};
use super::record::Names;
use super::reference::References;
use super::settled::Settled;
use super::state::State;
use davy_alarm::WallMs;
use std::io;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"davyjrnl";
pub(super) const VERSION: u16 = 4;
const PREFIX: usize = 20;
const MOST_HEADER: usize = 16 << 20;
const MARKER: [u8; 2] = [0xda, 0x7e];
/// Marker, checksum and the longest length.
const MOST_FRONT: usize = 9;
const LONGEST_BODY: usize = 1 << 20;
/// No frame is shorter; so many batches at most stood in so many unreadable bytes.
pub(super) const SHORTEST_FRAME: u64 = 11;
const CHUNK: usize = 64 << 10;
/// Most urgent offsets that a footer lists.
const MOST_LISTED: usize = 65_536;

pub(super) const SETTLED: u8 = 1;
pub(super) const FOOTER: u8 = 2;

/// The file of a segment.
pub(super) fn file_name(number: u64) -> String {
    format!("{number:016x}.seg")
}

/// The number of a segment's file, if it is one.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let digits = name
        .strip_suffix(".seg")
        .filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// What a segment begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub(super) stream: u64,
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) made: WallMs,
    /// As found on disk; what is written is of the present one.
    pub(super) version: u16,
    /// Only urgent batches are left in it.
    pub(super) thinned: bool,
    pub(super) names: Arc<Names>,
    /// Before its first batch.
    pub(super) state: State,
    pub(super) settled: Settled,
    /// What its batches' readings are told by.
    pub(super) references: Arc<References>,
}

impl Header {
    pub(super) fn base(&self) -> Base {
        Base {
            first: self.first,
            made: self.made,
            references: self.references.clone(),
        }
    }

    pub(super) fn seed(&self) -> u32 {
        seed(self.stream, self.number)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; PREFIX];
        out.extend(self.stream.to_le_bytes());
        out.extend(self.number.to_le_bytes());
        out.extend(self.first.to_le_bytes());
        out.extend(self.made.0.to_le_bytes());
        let names = &self.names;
        put_text(&mut out, &names.digest);
        for ids in [&names.devices, &names.points, &names.alarms, &names.outputs] {
            put_varint(&mut out, ids.len() as u64);
            for id in ids {
                put_text(&mut out, id);
            }
        }
        self.state.encode(&mut out);
        self.settled.encode(&mut out);
        self.references.encode(&mut out);
        let length = u32::try_from(out.len() - PREFIX).unwrap_or(u32::MAX);
        out[..8].copy_from_slice(MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[10] = u8::from(self.thinned);
        out[12..16].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&out[..16]), &out[PREFIX..]);
        out[16..20].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// The header of a file and its length in bytes; `None` inside if it is none of ours or damaged.
    pub(super) fn read(disk: &dyn Disk, number: u64) -> io::Result<Option<(Self, u64)>> {
        let name = file_name(number);
        let mut bytes = disk.read(&name, 0, CHUNK)?;
        let Some(length) = Self::length(&bytes) else {
            return Ok(None);
        };
        if bytes.len() < length {
            let rest = disk.read(&name, bytes.len() as u64, length - bytes.len())?;
            bytes.extend(rest);
        }
        let header = Self::decode(&bytes).filter(|header| header.number == number);
        Ok(header.map(|header| (header, length as u64)))
    }

    fn length(bytes: &[u8]) -> Option<usize> {
        let prefix = bytes.get(..PREFIX)?;
        let length = u32::from_le_bytes(prefix[12..16].try_into().ok()?) as usize;
        (prefix.starts_with(MAGIC) && length <= MOST_HEADER).then_some(PREFIX + length)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..Self::length(bytes)?)?;
        let (prefix, body) = bytes.split_at(PREFIX);
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&prefix[..16]), body);
        let version = u16::from_le_bytes([prefix[8], prefix[9]]);
        let flags = [prefix[10], prefix[11]];
        if prefix[16..] != checksum.to_le_bytes()
            || !(1..=VERSION).contains(&version)
            || flags[0] > 1
            || flags[1] != 0
        {
            return None;
        }
        let mut bytes = Bytes(body);
        let stream = u64::from_le_bytes(bytes.array()?);
        let number = u64::from_le_bytes(bytes.array()?);
        let first = u64::from_le_bytes(bytes.array()?);
        let made = WallMs(i64::from_le_bytes(bytes.array()?));
        let digest = bytes.text()?.to_string();
        let mut ids = || {
            let count = bytes.varint()?;
            (0..count).map(|_| bytes.text()).collect::<Option<Vec<_>>>()
        };
        let names = Names {
            digest,
            devices: ids()?,
            points: ids()?,
            alarms: ids()?,
            outputs: ids()?,
        };
        Some(Self {
            stream,
            number,
            first,
            made,
            version,
            thinned: flags[0] == 1,
            names: Arc::new(names),
            state: State::decode(&mut bytes, version)?,
            settled: Settled::decode(&mut bytes)?,
            references: match version {
                1..3 => Arc::default(),
                _ => Arc::new(References::decode(&mut bytes)?),
            },
        })
    }
}

/// Where the checksums of a segment's frames begin.
pub(super) fn seed(stream: u64, number: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&stream.to_le_bytes()), &number.to_le_bytes())
}

/// Appends a frame whose body `write` writes.
pub(super) fn put_frame(out: &mut Vec<u8>, seed: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    write(&mut body);
    let start = out.len();
    out.extend([MARKER[0], MARKER[1], 0, 0, 0, 0]);
    put_varint(out, body.len() as u64);
    out.extend(body);
    let checksum = crc32c::crc32c_append(seed, &out[start + 6..]);
    out[start + 2..start + 6].copy_from_slice(&checksum.to_le_bytes());
}

/// What the front of some bytes is.
enum Front {
    /// A frame that holds: where its body begins and ends.
    Frame {
        body: usize,
        end: usize,
    },
    /// The beginning of one perhaps, of which so many bytes are needed to say.
    Needs(usize),
    Other,
}

fn front(bytes: &[u8], seed: u32) -> Front {
    if !bytes
        .iter()
        .zip(MARKER)
        .all(|(byte, marker)| *byte == marker)
    {
        return Front::Other;
    }
    let mut rest = Bytes(bytes.get(6..).unwrap_or_default());
    let Some(length) = rest.varint() else {
        return if bytes.len() < MOST_FRONT {
            Front::Needs(MOST_FRONT)
        } else {
            Front::Other
        };
    };
    let body = bytes.len() - rest.0.len();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == 0 || length > LONGEST_BODY {
        return Front::Other;
    }
    let end = body + length;
    match bytes.get(6..end) {
        None => Front::Needs(end),
        Some(sealed) => {
            let checksum = crc32c::crc32c_append(seed, sealed);
            if bytes[2..6] == checksum.to_le_bytes() {
                Front::Frame { body, end }
            } else {
                Front::Other
            }
        }
    }
}

/// Reads a segment's frames one by one, in little memory, whatever its bytes.
#[derive(Debug)]
pub(super) struct Frames<'d> {
    disk: &'d dyn Disk,
    name: String,
    seed: u32,
    /// Place in the file of the buffer's first byte.
    start: u64,
    buffer: Vec<u8>,
    /// Place in the buffer of the next frame.
    cursor: usize,
    /// Length of the file as far as it counts.
    end: u64,
    /// What the next read asks for: little at first, for often the first frame is all that is wanted.
    chunk: usize,
    /// End of the last frame that held.
    pub(super) sound: u64,
}

impl<'d> Frames<'d> {
    /// Frames between two places of a file; `from` is the end of the header or of a frame.
    pub(super) fn new(disk: &'d dyn Disk, number: u64, seed: u32, from: u64, end: u64) -> Self {
        Self {
            disk,
            name: file_name(number),
            seed,
            start: from,
            buffer: Vec::new(),
            cursor: 0,
            end,
            chunk: CHUNK / 16,
            sound: from,
        }
    }

    /// The next frame that holds: its place in the file and its body.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            match front(&self.buffer[self.cursor..], self.seed) {
                Front::Frame { body, end } => {
                    let at = self.start + self.cursor as u64;
                    let (body, end) = (self.cursor + body, self.cursor + end);
                    self.cursor = end;
                    self.sound = self.start + end as u64;
                    return Ok(Some((at, &self.buffer[body..end])));
                }
                Front::Needs(bytes) if self.fill(bytes)? => {}
                Front::Needs(_) | Front::Other => {
                    if self.cursor >= self.buffer.len() && !self.fill(MOST_FRONT)? {
                        return Ok(None);
                    }
                    self.pass();
                }
            }
        }
    }

    /// Goes on to the next byte that may begin a frame.
    fn pass(&mut self) {
        let rest = self.buffer.get(self.cursor + 1..).unwrap_or_default();
        let next = rest.iter().position(|byte| *byte == MARKER[0]);
        self.cursor = next.map_or(self.buffer.len(), |next| self.cursor + 1 + next);
    }

    /// Reads until `bytes` lie before the cursor or the file ends; whether any came.
    fn fill(&mut self, bytes: usize) -> io::Result<bool> {
        self.buffer.drain(..self.cursor);
        self.start += self.cursor as u64;
        self.cursor = 0;
        let from = self.start + self.buffer.len() as u64;
        let wanted = bytes.saturating_sub(self.buffer.len()).max(self.chunk) as u64;
        self.chunk = (self.chunk * 2).min(CHUNK);
        let length = wanted.min(self.end.saturating_sub(from)) as usize;
        if length == 0 {
            return Ok(false);
        }
        let more = self.disk.read(&self.name, from, length)?;
        self.buffer.extend_from_slice(&more);
        Ok(!more.is_empty())
    }
}

/// What a footer says of its segment; also what is known of one that has none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// One more than the last offset.
    pub(super) next: u64,
    /// Least and greatest time of a reading or transition.
    pub(super) times: Option<(i64, i64)>,
    /// Least and greatest sequence number of a transition.
    pub(super) seqs: Option<(u64, u64)>,
    pub(super) urgent: Vec<u64>,
    /// There were more than are listed.
    pub(super) more_urgent: bool,
}

impl Summary {
    pub(super) fn take_time(&mut self, time: WallMs) {
        let (least, greatest) = self.times.unwrap_or((time.0, time.0));
        self.times = Some((least.min(time.0), greatest.max(time.0)));
    }

    pub(super) fn take_seq(&mut self, seq: u64) {
        let (least, greatest) = self.seqs.unwrap_or((seq, seq));
        self.seqs = Some((least.min(seq), greatest.max(seq)));
    }

    pub(super) fn take_urgent(&mut self, offset: u64) {
        if self.urgent.len() < MOST_LISTED {
            self.urgent.push(offset);
        } else {
            self.more_urgent = true;
        }
    }

    pub(super) fn encode(&self, first: u64, seed: u32) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, seed, |body| {
            body.push(FOOTER);
            body.extend(self.next.to_le_bytes());
            let flags = [self.times.is_some(), self.seqs.is_some(), !self.more_urgent];
            body.push(u8::from(flags[0]) | u8::from(flags[1]) << 1 | u8::from(flags[2]) << 2);
            let (least, greatest) = self.times.unwrap_or_default();
            body.extend(least.to_le_bytes());
            body.extend(greatest.to_le_bytes());
            let (least, greatest) = self.seqs.unwrap_or_default();
            body.extend(least.to_le_bytes());
            body.extend(greatest.to_le_bytes());
            put_varint(body, self.urgent.len() as u64);
            let mut before = first;
            for offset in &self.urgent {
                put_varint(body, offset - before);
                before = *offset;
            }
            let length = body.len() + 4;
            let mut varint = Vec::new();
            put_varint(&mut varint, length as u64);
            body.extend(((6 + varint.len() + length) as u32).to_le_bytes());
        });
        out
    }

    fn decode(body: &[u8], first: u64) -> Option<Self> {
        let mut bytes = Bytes(body);
        if bytes.byte()? != FOOTER {
            return None;
        }
        let next = u64::from_le_bytes(bytes.array()?);
        let flags = bytes.byte()?;
        let times = (
            i64::from_le_bytes(bytes.array()?),
            i64::from_le_bytes(bytes.array()?),
        );
        let seqs = (
            u64::from_le_bytes(bytes.array()?),
            u64::from_le_bytes(bytes.array()?),
        );
        let mut urgent = Vec::new();
        let mut before = first;
        for _ in 0..bytes.varint()? {
            before = before.checked_add(bytes.varint()?)?;
            urgent.push(before);
        }
        Some(Self {
            next,
            times: (flags & 1 != 0).then_some(times),
            seqs: (flags & 2 != 0).then_some(seqs),
            urgent,
            more_urgent: flags & 4 == 0,
        })
    }

    /// The summary at a file's end, if it has a footer that holds, and its length in bytes.
    pub(super) fn read(
        disk: &dyn Disk,
        header: &Header,
        length: u64,
    ) -> io::Result<Option<(Self, u64)>> {
        let name = file_name(header.number);
        let Some(tail) = length.checked_sub(4) else {
            return Ok(None);
        };
        let Ok(frame) = <[u8; 4]>::try_from(disk.read(&name, tail, 4)?) else {
            return Ok(None);
        };
        let frame = u64::from(u32::from_le_bytes(frame));
        let Some(start) = length
            .checked_sub(frame)
            .filter(|_| frame <= (LONGEST_BODY + MOST_FRONT) as u64)
        else {
            return Ok(None);
        };
        let bytes = disk.read(&name, start, frame as usize)?;
        let summary = match front(&bytes, header.seed()) {
            Front::Frame { body, end } if end == bytes.len() => {
                Self::decode(&bytes[body..end], header.first)
            }
            Front::Frame { .. } | Front::Needs(_) | Front::Other => None,
        };
        Ok(summary.map(|summary| (summary, frame)))
    }
}

/// The kind of a frame.
pub(super) fn kind(body: &[u8]) -> u8 {
    body.first().map_or(KIND, |flags| flags & KIND)
}
