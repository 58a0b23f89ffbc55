//! Whose turn it is to speak: an answer begins when its request has been followed by the silence that ends a frame (Modbus over Serial Line 1.02, §2.5.1.1), so that it meets
//! no driver that is still on. Its request was known to be whole by its length, and was carried out at once: only the answer waits.

use crate::frames::MOST_BYTES;

/// Silence before an answer, microseconds: 3.5 characters of eleven bits at 19200 baud, which are the standard's; of the ten that most lines use they would be 1823.
pub const ANSWER_GAP_US: u64 = 2_006;
const _: () = assert!(ANSWER_GAP_US * 19_200 >= 1_000_000 * 35 * 11 / 10);
/// Bytes that a driver may leave on the line when it is switched off; after more of them somebody else speaks, and nobody waits for the answer.
const STRAYS: u8 = 2;

/// The answer that waits, if one does.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    answer: [u8; MOST_BYTES],
    length: usize,
    strays: u8,
    /// Since when the line is seen empty.
    quiet_since_us: Option<u64>,
    /// When it was last seen empty.
    empty_us: u64,
    /// The same before the bytes came that ended the request: it ended no earlier.
    asked_us: u64,
    took_us: u64,
}

impl Default for Turn {
    fn default() -> Self {
        Self::nobodys()
    }
}

impl Turn {
    /// Nothing is to be answered.
    pub const fn nobodys() -> Self {
        Self {
            answer: [0; MOST_BYTES],
            length: 0,
            strays: 0,
            quiet_since_us: None,
            empty_us: 0,
            asked_us: 0,
            took_us: 0,
        }
    }

    /// A byte came: to be told before what it completed is answered.
    pub const fn heard(&mut self) {
        self.quiet_since_us = None;
        if self.length == 0 {
            self.asked_us = self.empty_us;
        }
        self.strays = self.strays.saturating_add(1);
        if self.strays > STRAYS {
            self.length = 0;
        }
    }

    /// The answer to what was just completed. It takes the place of one that waits: whoever asks again has given that up.
    pub fn answer(&mut self, answer: &[u8]) {
        let fits = self.answer.get_mut(..answer.len());
        self.length = fits.map_or(0, |place| {
            place.copy_from_slice(answer);
            answer.len()
        });
        self.strays = 0;
    }

    /// The line is empty at `now_us`; the answer, once, when it has been for long enough. Only who looks at an empty line knows of a silence.
    pub fn quiet(&mut self, now_us: u64) -> Option<&[u8]> {
        self.empty_us = now_us;
        let since = *self.quiet_since_us.get_or_insert(now_us);
        if self.length == 0 || now_us.saturating_sub(since) < ANSWER_GAP_US {
            return None;
        }
        let length = core::mem::replace(&mut self.length, 0);
        self.took_us = now_us.saturating_sub(self.asked_us);
        self.answer.get(..length)
    }

    /// Microseconds between the end of a request and the beginning of the answer that [`Self::quiet`] gave last, at most: what a board did between two looks at
    /// the line counts as if the request had ended at the first.
    pub const fn took_us(&self) -> u64 {
        self.took_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: [u8; 3] = [1, 2, 3];

    /// A turn with an answer, whose request ended at 0.
    fn waiting() -> Turn {
        let mut turn = Turn::nobodys();
        for _ in 0..8 {
            turn.heard();
        }
        turn.answer(&ANSWER);
        turn
    }

    #[test]
    fn an_answer_waits_for_three_and_a_half_characters_of_silence_and_no_longer() {
        let mut turn = waiting();
        assert_eq!(turn.quiet(100), None);
        assert_eq!(turn.quiet(100 + ANSWER_GAP_US - 1), None);
        assert_eq!(turn.quiet(100 + ANSWER_GAP_US), Some(&ANSWER[..]));
        assert_eq!(turn.quiet(9_999_999), None, "once");
    }

    #[test]
    fn an_answer_of_a_function_that_a_silence_ended_waits_no_longer_than_that() {
        let mut turn = Turn::nobodys();
        turn.heard();
        assert_eq!(turn.quiet(0), None);
        turn.answer(&ANSWER);
        assert_eq!(turn.quiet(20_000), Some(&ANSWER[..]));
    }

    #[test]
    fn silence_counts_from_when_the_line_was_seen_empty() {
        let mut turn = waiting();
        assert_eq!(turn.quiet(50_000), None, "a reader that was kept busy");
        assert_eq!(turn.quiet(50_000 + ANSWER_GAP_US), Some(&ANSWER[..]));
    }

    #[test]
    fn a_byte_or_two_of_a_driver_that_switches_off_put_the_answer_off() {
        let mut turn = waiting();
        assert_eq!(turn.quiet(0), None);
        turn.heard();
        assert_eq!(turn.quiet(1_000), None);
        turn.heard();
        assert_eq!(turn.quiet(2_000), None);
        assert_eq!(turn.quiet(1_000 + ANSWER_GAP_US), None);
        assert_eq!(turn.quiet(2_000 + ANSWER_GAP_US), Some(&ANSWER[..]));
    }

    #[test]
    fn an_answer_took_what_went_by_since_the_line_was_last_seen_empty_before_its_request_ended() {
        let mut turn = Turn::nobodys();
        assert_eq!(turn.quiet(1_000), None);
        turn.heard();
        assert_eq!(turn.quiet(4_000), None, "half a request is here");
        turn.heard();
        turn.answer(&ANSWER);
        assert_eq!(turn.quiet(4_700), None);
        assert_eq!(turn.quiet(4_700 + ANSWER_GAP_US), Some(&ANSWER[..]));
        assert_eq!(turn.took_us(), 700 + ANSWER_GAP_US);

        turn.heard();
        assert_eq!(turn.quiet(10_000), None);
        turn.answer(&ANSWER);
        assert_eq!(turn.quiet(30_000), Some(&ANSWER[..]));
        assert_eq!(
            turn.took_us(),
            30_000 - 4_700 - ANSWER_GAP_US,
            "one that a silence ended, too"
        );
    }

    #[test]
    fn nobody_waits_for_an_answer_after_somebody_else_speaks() {
        let mut turn = waiting();
        for _ in 0..3 {
            turn.heard();
        }
        assert_eq!(turn.quiet(0), None);
        assert_eq!(turn.quiet(ANSWER_GAP_US), None);
    }

    #[test]
    fn who_asks_again_is_answered_once() {
        let mut turn = waiting();
        for _ in 0..8 {
            turn.heard();
        }
        turn.answer(&[9]);
        assert_eq!(turn.quiet(0), None);
        assert_eq!(turn.quiet(ANSWER_GAP_US), Some(&[9][..]));
        assert_eq!(turn.quiet(2 * ANSWER_GAP_US), None);
    }

    #[test]
    fn the_longest_answer_fits() {
        let mut turn = Turn::nobodys();
        turn.answer(&[7; MOST_BYTES]);
        assert_eq!(turn.quiet(0), None);
        assert_eq!(turn.quiet(ANSWER_GAP_US), Some(&[7; MOST_BYTES][..]));
        turn.answer(&[7; MOST_BYTES + 1]);
        assert_eq!(
            turn.quiet(9 * ANSWER_GAP_US),
            None,
            "and none that is longer"
        );
    }
}
