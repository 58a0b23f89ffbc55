//! A slave that answers as no slave should, and a book of which of its answers a master may believe.
//!
//! Every value says whose it is and to which request it belongs: unit, block, and how often that block had been asked for. So an answer that reaches
//! the wrong request shows itself.
//!
//! What no master can tell is left out: on TCP a changed byte of data, which has no checksum of ours, and on a serial line a slave that answers an older
//! request after a younger one with a pause between them, for RTU has no transaction number.

use crate::wire::{Wire, crc};
use davy_plant::pty::Pty;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) const UNITS: u8 = 8;
/// Each a value of two registers, so far from the next that it takes a request of its own.
pub(crate) const BLOCKS: u16 = 4;
pub(crate) const DISTANCE: u16 = 200;
/// Longer than a machine that is busy with ten other things keeps a task waiting: an answer in time is then one for the master too. Nothing that is proved
/// hangs on how long it is.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(50);
/// After the master's time-out, which began before the request arrived here. A master that the machine kept waiting reads what has come before it looks at
/// its clock, and that answer is still the one to its request.
const LATE: Duration = Duration::from_millis(500);
/// A silence that ends a frame, on any of the links.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Tcp,
    Rtu,
}

/// What a block's value of the `nth` request is: unique to unit, block and request.
pub(crate) fn value(unit: u8, block: u16, nth: u32) -> u32 {
    (u32::from(unit) * u32::from(BLOCKS) + u32::from(block)) << 22 | nth
}

/// Unit, block and request that a value belongs to.
pub(crate) fn owner(value: u32) -> (u8, u16, u32) {
    let key = value >> 22;
    let (unit, block) = (key / u32::from(BLOCKS), key % u32::from(BLOCKS));
    (unit as u8, block as u16, value & 0x3f_ffff)
}

/// Of one block, by request: whether the answer may be believed.
type Fates = Vec<bool>;

/// What the slave did.
#[derive(Debug)]
pub(crate) struct Book {
    /// By unit (from 1) and block.
    fates: Mutex<Vec<Fates>>,
    pub(crate) frames: AtomicU64,
    pub(crate) calm: AtomicBool,
}

impl Book {
    pub(crate) fn new() -> Self {
        let blocks = usize::from(UNITS) * usize::from(BLOCKS);
        Self {
            fates: Mutex::new(vec![Fates::new(); blocks]),
            frames: AtomicU64::new(0),
            calm: AtomicBool::new(false),
        }
    }

    /// Whether the answer to this request may be believed; none if there was no such request.
    pub(crate) fn may(&self, unit: u8, block: u16, nth: u32) -> Option<bool> {
        let fates = self.fates.lock().expect("nobody panics with it");
        fates.get(place(unit, block)?)?.get(nth as usize).copied()
    }

    /// Notes a request; returns which it is.
    fn note(&self, unit: u8, block: u16, may: bool) -> Option<u32> {
        self.frames.fetch_add(1, Relaxed);
        let mut fates = self.fates.lock().expect("nobody panics with it");
        let fates = &mut fates[place(unit, block)?];
        fates.push(may);
        u32::try_from(fates.len() - 1).ok()
    }
}

fn place(unit: u8, block: u16) -> Option<usize> {
    let known = (1..=UNITS).contains(&unit) && block < BLOCKS;
    known.then(|| usize::from(unit - 1) * usize::from(BLOCKS) + usize::from(block))
}

/// What is done with one answer.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answer,
    SlowAnswer,
    ByteByByte,
    Twice,
    EchoFirst,
    NoiseFirst,
    Nothing,
    /// Long after the time-out; the line has most likely been silent since.
    Late,
    /// When the next request is already waiting for its own, which surely is after the time-out.
    Overdue,
    Corrupt,
    Cut,
    /// Of a unit that is not on the bus: one that is, and has been asked by now, could have sent it.
    OtherUnit,
    OtherFunction,
    OtherCount,
    Exception,
    Echo,
    Noise,
    /// Kept, and sent in one piece before the next answer.
    Merge,
    /// Kept, and sent in one piece behind the next answer.
    Swap,
    /// Deaf for a while, the connection stays.
    Deaf,
    /// The connection is torn down.
    Reset,
}

const HOSTILE: [Act; 20] = [
    Act::SlowAnswer,
    Act::ByteByByte,
    Act::Twice,
    Act::EchoFirst,
    Act::NoiseFirst,
    Act::Nothing,
    Act::Late,
    Act::Overdue,
    Act::Corrupt,
    Act::Cut,
    Act::OtherUnit,
    Act::OtherFunction,
    Act::OtherCount,
    Act::Exception,
    Act::Echo,
    Act::Noise,
    Act::Merge,
    Act::Swap,
    Act::Deaf,
    Act::Reset,
];

impl Act {
    /// Whether the answer that goes out with it is whole, true, and could be in time for a master that the machine keeps waiting.
    const fn may_be_believed(self) -> bool {
        matches!(
            self,
            Self::Answer
                | Self::SlowAnswer
                | Self::ByteByByte
                | Self::Twice
                | Self::EchoFirst
                | Self::NoiseFirst
                | Self::Late
        )
    }
}

/// The same misdeeds at every run of the same seed.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Three of four answers are as they should be: a unit that never answers is soon not asked any more.
    fn act(&mut self) -> Act {
        if !self.next().is_multiple_of(4) {
            Act::Answer
        } else {
            HOSTILE[self.below(HOSTILE.len())]
        }
    }
}

/// Serves one connection after another for ever.
pub(crate) async fn serve_tcp(listener: TcpListener, framing: Framing, seed: u64, book: &Book) {
    let mut dice = Dice(seed);
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a socket takes the option");
        // It ends with the connection; the next one is served.
        let _ = Slave::new(Wire::Tcp(stream), framing, book, &mut dice)
            .serve()
            .await;
    }
}

/// Serves a serial line for ever.
pub(crate) async fn serve_pty(pty: Pty, seed: u64, book: &Book) {
    let mut dice = Dice(seed);
    let ended = Slave::new(Wire::Pty(pty), Framing::Rtu, book, &mut dice)
        .serve()
        .await;
    ended.expect("a line does not end");
}

#[derive(Debug)]
struct Slave<'a> {
    wire: Wire,
    framing: Framing,
    book: &'a Book,
    dice: &'a mut Dice,
    received: Vec<u8>,
    /// An answer that was kept back, and whether it goes before the next one.
    kept: Option<(Vec<u8>, bool)>,
    /// Sent as soon as the next request is there.
    overdue: Option<Vec<u8>>,
    /// Requests yet to be ignored.
    deaf: usize,
}

/// One request: a read of holding registers.
#[derive(Clone, Copy, Debug)]
struct Asked {
    transaction: [u8; 2],
    unit: u8,
    start: u16,
    count: u16,
}

impl<'a> Slave<'a> {
    fn new(wire: Wire, framing: Framing, book: &'a Book, dice: &'a mut Dice) -> Self {
        Self {
            wire,
            framing,
            book,
            dice,
            received: Vec::new(),
            kept: None,
            overdue: None,
            deaf: 0,
        }
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let request = self.request().await?;
            if let Some(overdue) = self.overdue.take() {
                self.send(&overdue).await?;
                tokio::time::sleep(PAUSE).await;
            }
            let asked = self.read(&request);
            let act = match (self.book.calm.load(Relaxed), self.deaf) {
                (true, _) => Act::Answer,
                (false, 0) => self.dice.act(),
                (false, _) => Act::Nothing,
            };
            self.deaf = self.deaf.saturating_sub(1);
            let block = asked.start / DISTANCE;
            let nth = self.book.note(asked.unit, block, act.may_be_believed());
            let nth = nth.expect("the master asks for what there is");
            self.act(act, asked, value(asked.unit, block, nth), &request)
                .await?;
        }
    }

    /// The next whole request.
    async fn request(&mut self) -> io::Result<Vec<u8>> {
        let length = match self.framing {
            Framing::Tcp => 12,
            Framing::Rtu => 8,
        };
        let mut chunk = [0; 64];
        while self.received.len() < length {
            match self.wire.read(&mut chunk).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.received.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(self.received.drain(..length).collect())
    }

    fn read(&self, request: &[u8]) -> Asked {
        let body = match self.framing {
            Framing::Tcp => &request[6..],
            Framing::Rtu => {
                let (body, check) = request.split_at(6);
                assert_eq!(crc(body), check, "the master sends whole frames");
                body
            }
        };
        assert_eq!(body[1], 3, "it reads holding registers");
        let word = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        Asked {
            transaction: [request[0], request[1]],
            unit: body[0],
            start: word(2),
            count: word(4),
        }
    }

    async fn act(&mut self, act: Act, asked: Asked, value: u32, request: &[u8]) -> io::Result<()> {
        let good = self.answer(asked, asked.unit, 3, asked.count, value);
        match act {
            Act::Answer => self.send(&good).await,
            Act::SlowAnswer => {
                tokio::time::sleep(TIMEOUT / 4).await;
                self.send(&good).await
            }
            Act::ByteByByte => {
                for byte in good {
                    self.wire.write(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Act::Twice => self.send(&[good.clone(), good].concat()).await,
            Act::EchoFirst => self.send(&[request, &good].concat()).await,
            Act::NoiseFirst => {
                let noise = self.noise();
                self.send(&[noise, good].concat()).await
            }
            Act::Nothing => Ok(()),
            Act::Late => {
                tokio::time::sleep(LATE).await;
                self.send(&good).await
            }
            Act::Overdue => {
                self.overdue = Some(good);
                Ok(())
            }
            Act::Corrupt => {
                let bad = self.corrupted(good);
                self.send(&bad).await
            }
            Act::Cut => {
                let length = 1 + self.dice.below(good.len() - 1);
                self.send(&good[..length]).await
            }
            Act::OtherUnit => {
                let other = asked.unit + UNITS;
                let bad = self.answer(asked, other, 3, asked.count, value);
                self.send(&bad).await
            }
            Act::OtherFunction => {
                let bad = self.answer(asked, asked.unit, 4, asked.count, value);
                self.send(&bad).await
            }
            Act::OtherCount => {
                let bad = self.answer(asked, asked.unit, 3, asked.count + 1, value);
                self.send(&bad).await
            }
            Act::Exception => {
                let code = [1, 4, 5, 6, 10, 11][self.dice.below(6)];
                let refusal = self.framed(asked, &[asked.unit, 0x83, code]);
                self.send(&refusal).await
            }
            Act::Echo => self.send(request).await,
            Act::Noise => {
                let noise = self.noise();
                self.send(&noise).await
            }
            Act::Merge => {
                self.kept = Some((good, true));
                Ok(())
            }
            Act::Swap => {
                self.kept = Some((good, false));
                Ok(())
            }
            Act::Deaf => {
                self.deaf = 1 + self.dice.below(4);
                Ok(())
            }
            Act::Reset => match &self.wire {
                Wire::Tcp(_) => Err(io::ErrorKind::ConnectionReset.into()),
                Wire::Pty(_) => Ok(()),
            },
        }
    }

    /// Sends bytes in one piece, with those that were kept back.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = match self.kept.take() {
            Some((kept, true)) => [&kept, bytes].concat(),
            Some((kept, false)) => [bytes, &kept].concat(),
            None => bytes.to_vec(),
        };
        self.wire.write(&bytes).await
    }

    fn answer(&self, asked: Asked, unit: u8, function: u8, count: u16, value: u32) -> Vec<u8> {
        let mut body = vec![unit, function, (2 * count) as u8];
        let words = value.to_be_bytes();
        body.extend(words.iter().cycle().take(2 * usize::from(count)));
        self.framed(asked, &body)
    }

    fn framed(&self, asked: Asked, body: &[u8]) -> Vec<u8> {
        match self.framing {
            Framing::Tcp => {
                let length = (body.len() as u16).to_be_bytes();
                [&asked.transaction[..], &[0, 0], &length, body].concat()
            }
            Framing::Rtu => [body, &crc(body)].concat(),
        }
    }

    /// One bit is wrong; on TCP in what comes before the data, but for the low byte of the transaction number: of an answer that the machine made late,
    /// that could make the one to the next request, which no master can tell.
    fn corrupted(&mut self, mut frame: Vec<u8>) -> Vec<u8> {
        let end = match self.framing {
            Framing::Tcp => 9,
            Framing::Rtu => frame.len(),
        };
        let at = match (self.framing, self.dice.below(end)) {
            (Framing::Tcp, 1) => 0,
            (_, at) => at,
        };
        frame[at] ^= 1 << self.dice.below(8);
        frame
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = 1 + self.dice.below(40);
        (0..length).map(|_| self.dice.next() as u8).collect()
    }
}
