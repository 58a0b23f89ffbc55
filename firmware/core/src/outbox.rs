//! What waits to be sent over a line that takes a byte when it can: nobody ever waits for it.

/// Bytes that may wait: the longest answer, whole.
const BYTES: usize = 256;
const _: () = assert!(BYTES >= crate::frames::MOST_BYTES);

/// What waits. What does not fit is dropped whole: for a log that is all right, and a master asks again.
#[derive(Clone, Copy, Debug)]
pub struct Outbox {
    bytes: [u8; BYTES],
    sent: usize,
    length: usize,
}

impl Outbox {
    pub const fn empty() -> Self {
        Self {
            bytes: [0; BYTES],
            sent: 0,
            length: 0,
        }
    }

    /// Puts bytes behind those that wait; all or none.
    pub fn put(&mut self, bytes: &[u8]) {
        if self.sent == self.length {
            (self.sent, self.length) = (0, 0);
        }
        let end = self.length + bytes.len();
        if let Some(places) = self.bytes.get_mut(self.length..end) {
            places.copy_from_slice(bytes);
            self.length = end;
        }
    }

    /// Sends what waits, for as long as the line `takes` a byte.
    pub fn drain(&mut self, takes: impl Fn() -> bool, mut send: impl FnMut(u8)) {
        while self.sent < self.length && takes() {
            send(self.bytes.get(self.sent).copied().unwrap_or(0));
            self.sent += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn sent(outbox: &mut Outbox, most: usize) -> Vec<u8> {
        let (mut sent, left) = (Vec::new(), core::cell::Cell::new(most));
        outbox.drain(
            || left.get() > 0,
            |byte| {
                left.set(left.get() - 1);
                sent.push(byte);
            },
        );
        sent
    }

    #[test]
    fn bytes_are_sent_once_in_their_order() {
        let mut outbox = Outbox::empty();
        assert_eq!(sent(&mut outbox, 9), []);
        outbox.put(&[1, 2]);
        assert_eq!(sent(&mut outbox, 1), [1]);
        outbox.put(&[3]);
        assert_eq!(sent(&mut outbox, 9), [2, 3]);
    }

    #[test]
    fn what_does_not_fit_is_dropped_whole_and_room_comes_back() {
        let mut outbox = Outbox::empty();
        outbox.put(&[1; BYTES - 1]);
        outbox.put(&[2, 2]);
        assert_eq!(sent(&mut outbox, BYTES), [1; BYTES - 1]);
        outbox.put(&[3; BYTES]);
        assert_eq!(sent(&mut outbox, BYTES), [3; BYTES]);
    }
}
