//! Modbus TCP: the MBAP header (Modbus messaging on TCP/IP 1.0b §3.1.3) around a PDU.
//!
//! The transaction number tells a late answer from the one that is awaited, so a unit's silence does not cost the connection: behind a gateway it is
//! the other units' connection too. A header that makes no sense, also behind the awaited answer, or [`SILENT_MAX`] time-outs in a row without a byte,
//! spoils it.

use super::pdu::{Fault, Request};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// Requests in a row without any byte after which the connection is taken for half open.
pub(super) const SILENT_MAX: u8 = 3;
/// Transaction, protocol, length and unit.
const HEADER: usize = 7;
/// The longest frame: header and 253 bytes of PDU.
const FRAME_MAX: usize = HEADER + 253;

/// A connection to a server or gateway.
#[derive(Debug)]
pub(crate) struct Tcp<S> {
    stream: S,
    transaction: u16,
    frame: Vec<u8>,
    /// Bytes received and not yet read as frames: never more than two of the longest.
    received: Vec<u8>,
    silent: u8,
    strays: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tcp<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            transaction: 0,
            frame: Vec::with_capacity(16),
            received: Vec::with_capacity(2 * FRAME_MAX),
            silent: 0,
            strays: 0,
        }
    }

    /// Whether the connection must be made anew.
    pub(super) const fn is_spent(&self) -> bool {
        self.silent >= SILENT_MAX
    }

    /// Answers to earlier requests since this was last called.
    pub(super) fn take_strays(&mut self) -> u64 {
        std::mem::take(&mut self.strays)
    }

    /// Sends a request and reads its answer into `words`, within `limit`.
    pub(super) async fn exchange(
        &mut self,
        unit: u8,
        request: &Request,
        limit: Duration,
        words: &mut Vec<u16>,
    ) -> Result<(), Fault> {
        let (end, strays) = (Instant::now() + limit, self.strays);
        self.transaction = self.transaction.wrapping_add(1);
        self.encode(unit, request);
        match timeout_at(end, self.stream.write_all(&self.frame)).await {
            // A peer that takes no bytes has a full window: it is gone, or as good as gone.
            Err(_) | Ok(Err(_)) => return Err(Fault::LinkDown),
            Ok(Ok(())) => {}
        }
        let mut silence = Fault::Timeout;
        loop {
            while let Some(length) = self.frame_length()? {
                let frame = &self.received[..length];
                let is_own = frame[..2] == self.transaction.to_be_bytes();
                let outcome =
                    (is_own && frame[6] == unit).then(|| request.decode(&frame[HEADER..], words));
                self.received.drain(..length);
                if let Some(outcome) = outcome {
                    // What follows shows whether the frame ended where it said: one that lost bytes borrows the next one's.
                    return self.frame_length().and(outcome);
                }
                self.strays += 1;
                if is_own {
                    // In another unit's name: the right one may still come.
                    silence = Fault::BadFrame;
                }
            }
            // Who never stops answering older requests keeps nobody beyond the limit.
            if self.strays > strays && Instant::now() >= end || !self.receive(end).await? {
                return Err(silence);
            }
        }
    }

    fn encode(&mut self, unit: u8, request: &Request) {
        self.frame.clear();
        self.frame.extend(self.transaction.to_be_bytes());
        self.frame.extend([0, 0, 0, 0, unit]);
        request.encode(&mut self.frame);
        let length = (self.frame.len() - 6) as u16;
        self.frame[4..6].copy_from_slice(&length.to_be_bytes());
    }

    /// Length of the first whole frame received, if there is one.
    fn frame_length(&self) -> Result<Option<usize>, Fault> {
        let [_, _, p1, p2, l1, l2, ..] = self.received[..] else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        if (p1, p2) != (0, 0) || !(3..=254).contains(&length) {
            return Err(Fault::LinkDown);
        }
        Ok(Some(6 + length).filter(|whole| self.received.len() >= *whole))
    }

    /// Receives some bytes; false if none came until `end`.
    async fn receive(&mut self, end: Instant) -> Result<bool, Fault> {
        let mut chunk = [0; FRAME_MAX];
        match timeout_at(end, self.stream.read(&mut chunk)).await {
            Err(_) => {
                self.silent = self.silent.saturating_add(1);
                Ok(false)
            }
            Ok(Ok(0) | Err(_)) => Err(Fault::LinkDown),
            Ok(Ok(read)) => {
                self.silent = 0;
                self.received.extend_from_slice(&chunk[..read]);
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_config::site::Table;
    use proptest::prelude::*;
    use tokio::io::{DuplexStream, duplex};

    const READ: Request = Request::Read {
        table: Table::Holding,
        start: 8,
        count: 1,
    };
    const LIMIT: Duration = Duration::from_millis(40);

    fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let length = (pdu.len() + 1) as u16;
        [
            &transaction.to_be_bytes()[..],
            &[0, 0],
            &length.to_be_bytes(),
            &[unit],
            pdu,
        ]
        .concat()
    }

    async fn ask(tcp: &mut Tcp<DuplexStream>) -> Result<Vec<u16>, Fault> {
        let mut words = Vec::new();
        tcp.exchange(1, &READ, LIMIT, &mut words)
            .await
            .map(|()| words)
    }

    #[tokio::test]
    async fn a_late_answer_is_discarded_and_the_connection_kept() {
        let (ours, mut theirs) = duplex(1024);
        let mut tcp = Tcp::new(ours);
        assert_eq!(ask(&mut tcp).await, Err(Fault::Timeout));
        let late = frame(1, 1, &[3, 2, 0, 7]);
        let good = frame(2, 1, &[3, 2, 0, 8]);
        theirs
            .write_all(&[late, good].concat())
            .await
            .expect("open");
        assert_eq!(ask(&mut tcp).await, Ok(vec![8]));
        assert_eq!(tcp.take_strays(), 1);
        assert!(!tcp.is_spent());
    }

    #[tokio::test]
    async fn an_answer_in_single_bytes_is_read() {
        let (ours, mut theirs) = duplex(1);
        let good = frame(1, 1, &[3, 2, 0, 8]);
        let talk = async move {
            let mut request = [0; 12];
            theirs
                .read_exact(&mut request)
                .await
                .expect("the master sends");
            theirs.write_all(&good).await.expect("the master listens");
        };
        let mut tcp = Tcp::new(ours);
        let (outcome, ()) = tokio::join!(ask(&mut tcp), talk);
        assert_eq!(outcome, Ok(vec![8]));
    }

    #[tokio::test]
    async fn another_units_answer_leaves_the_timer_running() {
        let (ours, mut theirs) = duplex(1024);
        let (other, good) = (frame(1, 2, &[3, 2, 0, 7]), frame(1, 1, &[3, 2, 0, 8]));
        theirs
            .write_all(&[other, good].concat())
            .await
            .expect("open");
        let mut tcp = Tcp::new(ours);
        assert_eq!(ask(&mut tcp).await, Ok(vec![8]));
        assert_eq!(tcp.take_strays(), 1);
    }

    #[tokio::test]
    async fn late_answers_without_an_end_keep_nobody_beyond_the_limit() {
        let (ours, mut theirs) = duplex(1024);
        let flood = tokio::spawn(async move {
            let late = frame(0, 1, &[3, 2, 0, 7]).repeat(20);
            while theirs.write_all(&late).await.is_ok() {}
        });
        let begun = Instant::now();
        assert_eq!(ask(&mut Tcp::new(ours)).await, Err(Fault::Timeout));
        assert!(begun.elapsed() < LIMIT * 20);
        flood.await.expect("it ends with the connection");
    }

    #[tokio::test]
    async fn a_wrong_unit_function_or_count_is_no_value() {
        for (unit, pdu) in [
            (2, &[3, 2, 0, 8][..]),
            (1, &[4, 2, 0, 8]),
            (1, &[3, 4, 0, 8, 0, 9]),
            (1, &[3, 4, 0, 8]),
        ] {
            let (ours, mut theirs) = duplex(1024);
            theirs.write_all(&frame(1, unit, pdu)).await.expect("open");
            assert_eq!(ask(&mut Tcp::new(ours)).await, Err(Fault::BadFrame));
        }
    }

    #[tokio::test]
    async fn an_answer_that_lost_bytes_and_borrowed_the_next_ones_is_no_value() {
        let (cut, next) = (frame(1, 1, &[3, 2, 0, 8]), frame(9, 1, &[3, 2, 0, 9]));
        for length in 8..cut.len() {
            let (ours, mut theirs) = duplex(1024);
            theirs
                .write_all(&[&cut[..length], &next].concat())
                .await
                .expect("open");
            let outcome = ask(&mut Tcp::new(ours)).await;
            assert_eq!(outcome, Err(Fault::LinkDown), "{length} bytes of the first");
        }
    }

    #[tokio::test]
    async fn a_header_that_makes_no_sense_spoils_the_connection() {
        for bytes in [
            [0, 1, 0, 9, 0, 5, 1, 3],
            [0, 1, 0, 0, 1, 5, 1, 3],
            [0, 1, 0, 0, 0, 1, 1, 3],
        ] {
            let (ours, mut theirs) = duplex(1024);
            theirs.write_all(&bytes).await.expect("open");
            assert_eq!(ask(&mut Tcp::new(ours)).await, Err(Fault::LinkDown));
        }
    }

    #[tokio::test]
    async fn three_silences_in_a_row_spoil_the_connection() {
        let (ours, _theirs) = duplex(1024);
        let mut tcp = Tcp::new(ours);
        for spent in [false, false, true] {
            assert_eq!(ask(&mut tcp).await, Err(Fault::Timeout));
            assert_eq!(tcp.is_spent(), spent);
        }
    }

    /// Whole frames of this and other transactions, units and shapes, torn ones, and noise.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let pdu = proptest::sample::select(vec![
            vec![3, 2, 0, 8],
            vec![3, 4, 0, 8, 0, 9],
            vec![4, 2, 0, 8],
            vec![0x83, 2],
            vec![3, 2],
        ]);
        let whole = (0_u16..4, 0_u8..3, pdu).prop_map(|(nth, unit, pdu)| frame(nth, unit, &pdu));
        let torn = (whole.clone(), 0_usize..11).prop_map(|(mut frame, length)| {
            frame.truncate(length);
            frame
        });
        let noise = proptest::collection::vec(any::<u8>(), 0..20);
        prop_oneof![6 => whole, 2 => torn, 1 => noise]
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_a_value_is_that_of_a_whole_frame_to_this_request(
            pieces in proptest::collection::vec(piece(), 0..6),
        ) {
            let bytes = pieces.concat();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = runtime.expect("a runtime").block_on(async {
                let (ours, mut theirs) = duplex(1024);
                theirs.write_all(&bytes).await.expect("open");
                let gone = tokio::spawn(async move {
                    // It hangs up once it was asked, so that nobody waits for more.
                    let _ = theirs.read_exact(&mut [0; 12]).await;
                });
                let outcome = ask(&mut Tcp::new(ours)).await;
                gone.await.expect("it ends");
                outcome
            });
            if let Ok(words) = outcome {
                let [high, low] = words[0].to_be_bytes();
                let own = frame(1, 1, &[3, 2, high, low]);
                prop_assert_eq!(words.len(), 1);
                prop_assert!(bytes.windows(own.len()).any(|window| window == own));
            }
        }
    }
}
