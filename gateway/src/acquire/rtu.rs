//! Modbus RTU over a serial line, or over a converter that passes its frames on (Modbus over serial line 1.02 §2.5.1).
//!
//! RTU has no transaction number, so an answer is believed only if unit, function, byte count, length and CRC are those of the request, if nothing
//! follows it, and if the line was silent before the request was sent. What a unit says late is read away before the next request; that it cannot be
//! taken for the answer to an equal later request is the bus's part (`station`: after a silence the next request is of another shape).
//!
//! Two things may stand in front of an answer and are taken off, for what is left must hold as strictly as ever: the request itself, which adapters hear
//! that listen while they send, and a byte or two that a driver puts on the line as it switches on.

use super::pdu::{Fault, Request, Words, crc, data_length};
use super::quiet::Quiet;
use super::tcp::SILENT_MAX;
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// The longest frame.
const FRAME_MAX: usize = 256;
/// A read's request: unit, function, address, count and check.
const READ_REQUEST: usize = 8;
/// Most bytes that a driver puts on the line as it switches on: idle levels, read as 0x00 or 0xff.
const GLITCH_MAX: usize = 2;
/// The most that is received at once: a read's request heard back, a glitch, and the longest frame. What a write hears is shorter: its request is a frame at
/// most ([`Words::MOST`] registers), and its answer as long as a read's request.
const HEARD_MAX: usize = READ_REQUEST + GLITCH_MAX + FRAME_MAX;
const _: () = assert!(9 + 2 * Words::MOST + GLITCH_MAX + READ_REQUEST <= HEARD_MAX);

/// A line, and when it may be spoken on.
#[derive(Debug)]
pub(crate) struct Rtu<S> {
    stream: S,
    /// A silence this long ends a frame.
    silence: Duration,
    /// What one byte takes on the line; nothing where its speed is not known.
    byte: Duration,
    quiet: Quiet,
    /// When the last byte passed.
    heard: Instant,
    /// Frames that nobody had asked for.
    strays: u64,
    /// Requests in a row without any byte.
    silent: u8,
    /// The last request went out.
    sent: bool,
    frame: Vec<u8>,
    /// Whether the adapter hears what it sends: seen at the latest clean answer that could tell.
    echoes: Option<bool>,
}

/// 3.5 characters at the line's speed; above 19,200 baud a fixed 1.75 ms (§2.5.1.1).
pub(super) fn silence(baud: u32, bits_per_character: u32) -> Duration {
    if baud > 19_200 {
        Duration::from_micros(1750)
    } else {
        Duration::from_secs_f64(3.5 * f64::from(bits_per_character) / f64::from(baud.max(1)))
    }
}

/// What a character of so many bits takes on the line.
pub(super) fn byte(baud: u32, bits_per_character: u32) -> Duration {
    Duration::from_secs_f64(f64::from(bits_per_character) / f64::from(baud.max(1)))
}

/// What the bytes so far are, read against a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Incomplete,
    /// Of another unit, or of a function that was not asked for.
    Stray,
    /// Of the right unit and function, and yet not an answer to this request.
    Wrong,
    Complete,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Rtu<S> {
    /// A line that must be silent for `silence` between an answer and the next request.
    pub(super) fn new(stream: S, silence: Duration) -> Self {
        Self {
            stream,
            silence,
            byte: Duration::ZERO,
            quiet: Quiet::new(),
            heard: Instant::now(),
            strays: 0,
            silent: 0,
            sent: false,
            frame: Vec::with_capacity(16),
            echoes: None,
        }
    }

    /// The same where a byte takes so long on the line.
    pub(super) fn with_byte(self, byte: Duration) -> Self {
        Self { byte, ..self }
    }

    /// Whether nothing at all was heard for so long that a connection is taken for half open.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent >= SILENT_MAX
    }

    /// Whether the last request went out, if not its answer came: who had hung up before never saw it.
    pub(super) const fn has_sent(&self) -> bool {
        self.sent
    }

    /// Frames that nobody had asked for since this was last called.
    pub(super) fn take_strays(&mut self) -> u64 {
        std::mem::take(&mut self.strays)
    }

    /// Sends a request once the line is silent and reads its answer into `words`; both within `limit` each.
    pub(super) async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        limit: Duration,
        words: &mut Vec<u16>,
    ) -> Result<(), Fault> {
        self.sent = false;
        self.settle(Instant::now() + limit).await?;
        self.frame.clear();
        self.frame.push(unit);
        request.encode(&mut self.frame);
        let check = crc(&self.frame).to_le_bytes();
        self.frame.extend(check);
        (self.silent, self.sent) = (self.silent.saturating_add(1), true);
        // It is never flushed: a serial port's flush holds the thread until the last bit is out, and judgement and all other buses with it.
        match timeout_at(Instant::now() + limit, self.stream.write_all(&self.frame)).await {
            // Who takes no bytes has a full window, or an adapter that hangs.
            Err(_) | Ok(Err(_)) => return Err(Fault::LinkDown),
            Ok(Ok(())) => {}
        }
        self.heard = Instant::now() + self.byte * self.frame.len() as u32;
        let mut heard = [0; HEARD_MAX];
        let answer = self
            .answer(&mut heard, unit, request, self.heard + limit)
            .await?;
        request.decode(&heard[answer.start + 1..answer.end - 2], words)
    }

    /// Reads a frame of the right unit, function, byte count and CRC, and tells where it stands in `heard`. A stray frame is read away and the timer
    /// runs on.
    async fn answer(
        &mut self,
        heard: &mut [u8; HEARD_MAX],
        unit: u8,
        request: &Request,
        end: Instant,
    ) -> Result<Range<usize>, Fault> {
        let (mut start, mut length) = (0, 0);
        let (mut echo_due, mut at_rest) = (true, GLITCH_MAX);
        let is_own_answer = self.is_own_answer(unit, request);
        // What could be either is taken for the answer only where an echo is known not to come, or for a write, which is read back.
        let is_taken = is_own_answer
            && !self
                .echoes
                .unwrap_or(matches!(request, Request::Read { .. }));
        let mut clean = !is_own_answer;
        loop {
            match self.read(&mut heard[length..], end).await? {
                None if length == start => return Err(Fault::Timeout),
                None => return Err(Fault::BadFrame),
                Some(read) => length += read,
            }
            if echo_due && !is_taken {
                match echo(&heard[..length], &self.frame) {
                    Echo::Begun => continue,
                    Echo::Whole => start = self.frame.len(),
                    Echo::None => {}
                }
                echo_due = false;
            }
            let glitch = glitch(&heard[start..length], unit, at_rest);
            (start, at_rest) = (start + glitch, at_rest - glitch);
            match shape(&heard[start..length], unit, request) {
                Shape::Incomplete => {}
                Shape::Complete => {
                    if clean {
                        self.echoes = Some(heard[..length].starts_with(&self.frame));
                    }
                    return Ok(start..length);
                }
                Shape::Wrong => return Err(Fault::BadFrame),
                Shape::Stray => {
                    self.strays += 1;
                    self.settle(end).await.map_err(|fault| {
                        if fault == Fault::BadFrame {
                            Fault::Timeout
                        } else {
                            fault
                        }
                    })?;
                    (start, length, clean) = (0, 0, false);
                }
            }
        }
    }

    /// Whether the request that was sent reads like the answer to itself: that of a write, and of a read whose address says how many bytes follow. With a right
    /// check and as many bytes as were asked for, its echo would be taken for a value that no unit ever said.
    fn is_own_answer(&self, unit: u8, request: &Request) -> bool {
        shape(&self.frame, unit, request) == Shape::Complete
    }

    /// Reads away whatever is on the line until it is silent; a line that babbles until `end` is of no use to a request.
    async fn settle(&mut self, end: Instant) -> Result<(), Fault> {
        let mut waste = [0; FRAME_MAX];
        let mut stray = false;
        while self.read_before_quiet(&mut waste).await? {
            stray = true;
            if self.heard >= end {
                return Err(Fault::BadFrame);
            }
        }
        self.strays += u64::from(stray);
        Ok(())
    }

    /// Whether bytes came before the line had been silent for long enough.
    async fn read_before_quiet(&mut self, into: &mut [u8]) -> Result<bool, Fault> {
        tokio::select! {
            biased;
            read = self.stream.read(into) => match read {
                Ok(0) | Err(_) => Err(Fault::LinkDown),
                Ok(_) => {
                    (self.heard, self.silent) = (Instant::now(), 0);
                    Ok(true)
                }
            },
            () = self.quiet.until(self.heard + self.silence) => Ok(false),
        }
    }

    /// Bytes, or nothing until `end`.
    async fn read(&mut self, into: &mut [u8], end: Instant) -> Result<Option<usize>, Fault> {
        match timeout_at(end, self.stream.read(into)).await {
            Err(_) => Ok(None),
            Ok(Ok(0) | Err(_)) => Err(Fault::LinkDown),
            Ok(Ok(read)) => {
                (self.heard, self.silent) = (Instant::now(), 0);
                Ok(Some(read))
            }
        }
    }
}

/// How much of the request the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// Part of it; the rest may follow.
    Begun,
    Whole,
    None,
}

/// The request in front of the answer.
fn echo(bytes: &[u8], sent: &[u8]) -> Echo {
    if bytes.starts_with(sent) {
        Echo::Whole
    } else if sent.starts_with(bytes) {
        Echo::Begun
    } else {
        Echo::None
    }
}

/// Bytes of a line at rest in front of an answer, at `most`.
fn glitch(bytes: &[u8], unit: u8, most: usize) -> usize {
    let at_rest = |byte: &&u8| **byte != unit && matches!(**byte, 0x00 | 0xff);
    bytes.iter().take(most).take_while(at_rest).count()
}

fn shape(bytes: &[u8], unit: u8, request: &Request) -> Shape {
    let length = match *bytes {
        [] => return Shape::Incomplete,
        [from, ..] if from != unit => return Shape::Stray,
        [_] => return Shape::Incomplete,
        [_, function, ..] if function == request.function() | 0x80 => 5,
        [_, function, ..] if function != request.function() => return Shape::Stray,
        [_, _, ref rest @ ..] => {
            if let (Request::Read { table, count, .. }, Some(bytes)) = (request, rest.first())
                && usize::from(*bytes) != data_length(*table, *count)
            {
                return Shape::Wrong;
            }
            // The unit in front, the check behind.
            match request.answer_length(&bytes[1..]) {
                Some(length) if length + 3 > FRAME_MAX => return Shape::Wrong,
                Some(length) => length + 3,
                None if bytes.len() >= FRAME_MAX => return Shape::Wrong,
                None => return Shape::Incomplete,
            }
        }
    };
    match bytes.len().cmp(&length) {
        std::cmp::Ordering::Less => Shape::Incomplete,
        std::cmp::Ordering::Equal => whole(bytes),
        // Which of two frames was meant cannot be known.
        std::cmp::Ordering::Greater => Shape::Wrong,
    }
}

fn whole(bytes: &[u8]) -> Shape {
    let (body, check) = bytes.split_at(bytes.len() - 2);
    if crc(body).to_le_bytes() == check {
        Shape::Complete
    } else {
        Shape::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::site::Table;
    use proptest::prelude::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio::io::{DuplexStream, ReadBuf, duplex};

    const READ: Request = Request::Read {
        table: Table::Holding,
        start: 8,
        count: 2,
    };
    const GOOD: [u8; 9] = [0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0xd1, 0x3a, 0x6f];
    const LIMIT: Duration = Duration::from_millis(60);

    fn line() -> (Rtu<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1024);
        (Rtu::new(ours, Duration::from_millis(2)), theirs)
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        [body, &crc(body).to_le_bytes()].concat()
    }

    /// Sends `chunks` once a request has come, and returns what the master made of them.
    async fn answered(
        line: &mut Rtu<DuplexStream>,
        slave: &mut DuplexStream,
        chunks: &[&[u8]],
    ) -> Result<Vec<u16>, Fault> {
        let talk = async {
            let mut request = [0; 8];
            slave
                .read_exact(&mut request)
                .await
                .expect("the master sends");
            for chunk in chunks {
                slave.write_all(chunk).await.expect("the master listens");
                tokio::task::yield_now().await;
            }
        };
        let mut words = Vec::new();
        let (outcome, ()) = tokio::join!(line.exchange(1, &READ, LIMIT, &mut words), talk);
        outcome.map(|()| words)
    }

    async fn once(chunks: &[&[u8]]) -> Result<Vec<u16>, Fault> {
        let (mut line, mut slave) = line();
        answered(&mut line, &mut slave, chunks).await
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_or_byte_by_byte() {
        assert_eq!(once(&[&GOOD]).await, Ok(vec![0, 0xd1]));
        let bytes: Vec<&[u8]> = GOOD.chunks(1).collect();
        assert_eq!(once(&bytes).await, Ok(vec![0, 0xd1]));
    }

    #[tokio::test]
    async fn a_corrupted_truncated_or_doubled_answer_is_no_value() {
        let mut corrupted = GOOD;
        corrupted[6] ^= 1;
        assert_eq!(once(&[&corrupted]).await, Err(Fault::BadFrame));
        assert_eq!(once(&[&GOOD[..7]]).await, Err(Fault::BadFrame));
        assert_eq!(once(&[&[GOOD, GOOD].concat()]).await, Err(Fault::BadFrame));
        assert_eq!(once(&[]).await, Err(Fault::Timeout));
    }

    /// What serial ports do when they are flushed: the whole thread waits until the last bit is out.
    #[derive(Debug)]
    struct NeverFlushed(DuplexStream);

    impl AsyncRead for NeverFlushed {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_read(context, into)
        }
    }

    impl AsyncWrite for NeverFlushed {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(context, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            panic!("it was flushed")
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            panic!("it was shut down")
        }
    }

    /// Eight bytes of 10 ms, and then the unit has its whole time.
    #[tokio::test]
    async fn a_request_takes_its_time_on_the_line_and_nobody_waits_for_it() {
        let (ours, mut theirs) = duplex(1024);
        let silence = Duration::from_millis(2);
        let mut line = Rtu::new(NeverFlushed(ours), silence).with_byte(Duration::from_millis(10));
        let talk = async {
            theirs.read_exact(&mut [0; 8]).await.expect("it sends");
            tokio::time::sleep(Duration::from_millis(80) + LIMIT / 2).await;
            theirs.write_all(&GOOD).await.expect("it listens");
        };
        let mut words = Vec::new();
        let (outcome, ()) = tokio::join!(line.exchange(1, &READ, LIMIT, &mut words), talk);
        assert_eq!((outcome, words), (Ok(()), vec![0, 0xd1]));
    }

    #[tokio::test]
    async fn a_line_that_takes_no_bytes_is_down_within_the_limit() {
        let (ours, _theirs) = duplex(4);
        let mut line = Rtu::new(ours, Duration::from_millis(2));
        let outcome = line.exchange(1, &READ, LIMIT, &mut Vec::new()).await;
        assert_eq!(outcome, Err(Fault::LinkDown));
    }

    #[tokio::test]
    async fn a_line_is_silent_after_three_requests_without_a_byte() {
        let (mut line, mut slave) = line();
        for nth in 0..3 {
            assert!(!line.is_silent(), "{nth}");
            assert_eq!(
                answered(&mut line, &mut slave, &[]).await,
                Err(Fault::Timeout)
            );
        }
        assert!(line.is_silent());
        assert_eq!(
            answered(&mut line, &mut slave, &[&GOOD[..2]]).await,
            Err(Fault::BadFrame)
        );
        assert!(!line.is_silent(), "somebody is there");
    }

    #[tokio::test]
    async fn another_units_answer_leaves_the_timer_running() {
        let (mut line, mut slave) = line();
        let other = framed(&[2, 3, 4, 0, 1, 0, 2]);
        let talk = async {
            let mut request = [0; 8];
            slave
                .read_exact(&mut request)
                .await
                .expect("the master sends");
            slave.write_all(&other).await.expect("the master listens");
            tokio::time::sleep(Duration::from_millis(10)).await;
            slave.write_all(&GOOD).await.expect("the master listens");
        };
        let mut words = Vec::new();
        let (outcome, ()) = tokio::join!(line.exchange(1, &READ, LIMIT, &mut words), talk);
        assert_eq!((outcome, words), (Ok(()), vec![0, 0xd1]));
        assert_eq!(line.take_strays(), 1);
    }

    #[tokio::test]
    async fn what_came_late_is_read_away_before_the_next_request() {
        let (mut line, mut slave) = line();
        assert_eq!(
            answered(&mut line, &mut slave, &[]).await,
            Err(Fault::Timeout)
        );
        slave
            .write_all(&framed(&[1, 3, 4, 0, 7, 0, 7]))
            .await
            .expect("the line is open");
        assert_eq!(
            answered(&mut line, &mut slave, &[&GOOD]).await,
            Ok(vec![0, 0xd1])
        );
        assert_eq!(line.take_strays(), 1);
    }

    /// Heard in pieces as in one: an adapter that hears itself, with what a driver adds.
    #[tokio::test]
    async fn the_request_in_front_of_its_answer_is_taken_off() {
        let sent = framed(&[1, 3, 0, 8, 0, 2]);
        let all = [&sent[..], &[0x00], &GOOD].concat();
        for cut in 1..all.len() {
            let (first, second) = all.split_at(cut);
            assert_eq!(once(&[first, second]).await, Ok(vec![0, 0xd1]), "{cut}");
        }
        assert_eq!(once(&[&sent]).await, Err(Fault::Timeout), "nobody answers");
        assert_eq!(
            once(&[&sent, &sent, &GOOD]).await,
            Err(Fault::BadFrame),
            "an adapter hears it once"
        );
    }

    #[tokio::test]
    async fn a_write_is_answered_by_its_echo_only_where_the_line_has_none() {
        let write = Request::WriteCoil {
            address: 4,
            on: true,
            multiple: false,
        };
        let frame = framed(&[1, 5, 0, 4, 0xff, 0]);
        for (hears_itself, expected) in [(false, Ok(())), (true, Err(Fault::Timeout))] {
            let (mut line, mut slave) = line();
            line.echoes = Some(hears_itself);
            let talk = async {
                slave.read_exact(&mut [0; 8]).await.expect("it sends");
                slave.write_all(&frame).await.expect("it listens");
            };
            let mut words = Vec::new();
            let (outcome, ()) = tokio::join!(line.exchange(1, &write, LIMIT, &mut words), talk);
            assert_eq!(outcome, expected);
        }
    }

    /// Address 0x0300 reads like three bytes of bits that follow: the request has the shape of its own answer.
    #[tokio::test]
    async fn the_echo_of_a_read_of_bits_is_its_answer_only_on_a_line_that_is_known_to_have_none() {
        let read = Request::Read {
            table: Table::Coil,
            start: 0x0300,
            count: 24,
        };
        let sent = framed(&[1, 1, 0x03, 0x00, 0x00, 0x18]);
        assert_eq!(shape(&sent, 1, &read), Shape::Complete);
        let answer = framed(&[1, 1, 3, 0b101, 0, 0]);
        let heard = [&sent[..], &answer].concat();
        let cases = [
            (None, &sent, Err(Fault::Timeout)),
            (Some(true), &sent, Err(Fault::Timeout)),
            (Some(false), &sent, Ok(())),
            (None, &heard, Ok(())),
            (Some(true), &heard, Ok(())),
            (None, &answer, Ok(())),
        ];
        for (known, says, expected) in cases {
            let (mut line, mut slave) = line();
            line.echoes = known;
            let talk = async {
                slave.read_exact(&mut [0; 8]).await.expect("it sends");
                slave.write_all(says).await.expect("it listens");
            };
            let mut words = Vec::new();
            let (outcome, ()) = tokio::join!(line.exchange(1, &read, LIMIT, &mut words), talk);
            assert_eq!(outcome, expected, "{known:?} {says:?}");
            assert_eq!(
                line.echoes, known,
                "of what could be either nothing is learned"
            );
        }
    }

    #[tokio::test]
    async fn whether_a_line_echoes_is_learned_from_what_was_clean_alone() {
        let sent = framed(&[1, 3, 0, 8, 0, 2]);
        let other = framed(&[2, 3, 4, 0, 1, 0, 2]);
        let cases: [(&[&[u8]], Option<bool>); 4] = [
            (&[&GOOD], Some(false)),
            (&[&sent, &GOOD], Some(true)),
            (&[&sent], None),
            (&[&sent, &GOOD[..7]], None),
        ];
        for (says, learned) in &cases {
            let (mut line, mut slave) = line();
            let _ = answered(&mut line, &mut slave, says).await;
            assert_eq!(line.echoes, *learned, "{says:?}");
        }
        let (mut line, mut slave) = line();
        let talk = async {
            slave.read_exact(&mut [0; 8]).await.expect("it sends");
            slave.write_all(&other).await.expect("it listens");
            tokio::time::sleep(Duration::from_millis(10)).await;
            slave.write_all(&GOOD).await.expect("it listens");
        };
        let mut words = Vec::new();
        let (outcome, ()) = tokio::join!(line.exchange(1, &READ, LIMIT, &mut words), talk);
        assert_eq!((outcome, line.echoes), (Ok(()), None), "behind a stray");
    }

    #[tokio::test]
    async fn an_exception_is_an_answer() {
        assert_eq!(
            once(&[&framed(&[1, 0x83, 2])]).await,
            Err(Fault::Exception(2))
        );
    }

    #[tokio::test]
    async fn a_line_that_was_closed_is_down() {
        let (mut line, slave) = line();
        drop(slave);
        let outcome = line.exchange(1, &READ, LIMIT, &mut Vec::new()).await;
        assert_eq!(outcome, Err(Fault::LinkDown));
    }

    #[test]
    fn the_silence_between_frames_follows_the_line_speed() {
        assert_eq!(silence(115_200, 11), Duration::from_micros(1750));
        assert_eq!(silence(9_600, 11).as_micros(), 4010);
        assert_eq!(silence(1_200, 10).as_micros(), 29_166);
    }

    proptest! {
        #[test]
        fn only_the_request_decides_how_long_an_answer_is(
            unit in 0_u8..3,
            function in prop_oneof![Just(3), Just(0x83), any::<u8>()],
            rest in proptest::collection::vec(0_u8..6, 0..9),
        ) {
            let bytes = framed(&[&[unit, function][..], &rest].concat());
            if shape(&bytes, 1, &READ) == Shape::Complete {
                prop_assert!(bytes[0] == 1 && (bytes.len() == 9 && bytes[1] == 3 && bytes[2] == 4 || bytes.len() == 5 && bytes[1] == 0x83));
            }
        }

        #[test]
        fn whatever_a_slave_says_a_value_is_that_of_the_one_whole_frame_on_the_line(
            at in 0_usize..9,
            byte: u8,
            before in proptest::collection::vec(prop_oneof![Just(0), Just(0xff), any::<u8>()], 0..4),
            behind in proptest::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut frame = GOOD;
            frame[at] = byte;
            let bytes = [&before[..], &frame, &behind].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.expect("a runtime").block_on(async {
                let (mut line, mut slave) = line();
                let asked = async move {
                    slave.read_exact(&mut [0; 8]).await.expect("the master sends");
                    slave.write_all(&bytes).await.expect("the master listens");
                    // It hangs up, so that nobody waits for more.
                };
                let mut words = Vec::new();
                let (outcome, ()) = tokio::join!(line.exchange(1, &READ, LIMIT, &mut words), asked);
                outcome.map(|()| words)
            });
            let at_rest = before.len() <= GLITCH_MAX && before.iter().all(|byte| matches!(byte, 0 | 0xff));
            let is_good = frame == GOOD && at_rest && behind.is_empty();
            prop_assert_eq!(outcome.is_ok(), is_good);
        }
    }
}
