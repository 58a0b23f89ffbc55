//! The ring of events: 128 of them, in kept memory, each with a sum. The newest replaces the oldest, and the gap in the numbers tells. Numbers go on over a
//! restart: from the ring itself, and after a power cut from above what flash has reserved.

use crate::kept::Kept;
use davy_alarm::{Instant, Transition};
use davy_wire::node::{EVENT_WORDS, EVENTS, Event, Happening, TimeQuality, crc32};

/// Numbers reserved in flash at a time, and the least that must be left of them: more than one round can tell.
///
/// Each reservation since a start reserves twice as many as the one before, up to [`Reserve::MOST`], so that `n` events since a start cost at most 7 + n / 32,768
/// writes of one of two pages: flash of 10,000 cycles a page takes six hundred million, or a hundred events a second for ten weeks. After a power cut the
/// numbers go on above what was reserved; how many of those below were used nobody knows, and `EventFirst` says where the known ones begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserve {
    /// No number above this is used before flash says more.
    pub(crate) to: u32,
    count: u32,
}

impl Reserve {
    const LEAST: u32 = 1_024;
    const MOST: u32 = 65_536;
    const LEFT: u32 = 512;

    /// As flash has it at a start.
    pub(crate) const fn new(to: u32) -> Self {
        Self {
            to,
            count: Self::LEAST,
        }
    }

    pub(crate) const fn runs_out(self, next: u32) -> bool {
        next.saturating_add(Self::LEFT) > self.to
    }

    /// More, from `next` on.
    pub(crate) const fn more(self, next: u32) -> Self {
        let doubled = self.count.saturating_mul(2);
        Self {
            to: next.saturating_add(self.count),
            count: if doubled < Self::MOST {
                doubled
            } else {
                Self::MOST
            },
        }
    }
}

/// Writes events, and finds them again.
#[derive(Debug)]
pub(crate) struct Events {
    next: u32,
    oldest: u32,
    boot: u16,
    /// Wall clock at monotonic 0, milliseconds; `None` until the gateway sets it.
    wall_at_start: Option<i64>,
}

impl Events {
    /// After a start: goes on above what the ring holds, and above `reserved` where it holds nothing. What is not whole is emptied, and what came before that is
    /// no longer offered: whoever collects goes by numbers, and would wait for ever at one that is not there.
    pub(crate) fn resume(kept: &mut Kept, reserved: u32) -> Self {
        for (at, slot) in kept.events.iter_mut().enumerate() {
            if whole(slot).is_none_or(|event| place(event.number) != at) {
                *slot = [0; EVENT_WORDS + 1];
            }
        }
        let numbers = || {
            kept.events
                .iter()
                .filter_map(whole)
                .map(|event| event.number)
        };
        let next = numbers().max().unwrap_or(reserved).saturating_add(1);
        let oldest = (next.saturating_sub(EVENTS as u32).max(1)..next)
            .rev()
            .take_while(|number| is_held(kept, *number))
            .last()
            .unwrap_or(next);
        // What the memory holds was all told since power came.
        if kept.first_event == 0 || kept.first_event > oldest {
            kept.first_event = oldest;
        }
        Self {
            next,
            oldest,
            boot: u16::try_from(kept.boot).unwrap_or(u16::MAX),
            wall_at_start: None,
        }
    }

    /// The oldest number that the ring may still hold; the next one if it holds none.
    pub(crate) fn oldest(&self) -> u32 {
        self.oldest.max(self.next.saturating_sub(EVENTS as u32))
    }

    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    pub(crate) const fn set_wall(&mut self, wall_ms: i64, now: Instant) {
        self.wall_at_start = Some(wall_ms.saturating_sub_unsigned(now.0));
    }

    pub(crate) fn wall_ms(&self, now: Instant) -> Option<i64> {
        self.wall_at_start
            .map(|start| start.saturating_add_unsigned(now.0))
    }

    pub(crate) fn add(&mut self, kept: &mut Kept, what: Happening, at: Instant) {
        let (quality, time_ms) = match self.wall_ms(at) {
            Some(wall) => (TimeQuality::SetByGateway, wall),
            None => (
                TimeQuality::SinceStart,
                i64::try_from(at.0).unwrap_or(i64::MAX),
            ),
        };
        let event = Event {
            number: self.next,
            boot: self.boot,
            quality,
            time_ms,
            what,
        };
        let words = event.to_words();
        if let Some(slot) = kept.events.get_mut(place(self.next)) {
            let (body, sum_place) = slot.split_at_mut(EVENT_WORDS);
            body.copy_from_slice(&words);
            sum_place.iter_mut().for_each(|place| *place = sum(&words));
        }
        self.next = self.next.saturating_add(1);
    }
}

/// One word of a slot; zeros where no event is.
pub(crate) fn word(kept: &Kept, element: u16, word: u16) -> u16 {
    let slot = kept.events.get(usize::from(element));
    slot.and_then(|slot| slot.get(usize::from(word)))
        .copied()
        .unwrap_or(0)
}

fn is_held(kept: &Kept, number: u32) -> bool {
    let slot = kept.events.get(place(number));
    slot.and_then(whole)
        .is_some_and(|event| event.number == number)
}

fn whole(slot: &[u16; EVENT_WORDS + 1]) -> Option<Event> {
    let (words, rest) = slot.split_first_chunk::<EVENT_WORDS>()?;
    Event::from_words(words).filter(|_| rest.first() == Some(&sum(words)))
}

fn sum(words: &[u16; EVENT_WORDS]) -> u16 {
    crc32(words.iter().flat_map(|word| word.to_le_bytes())) as u16
}

const fn place(number: u32) -> usize {
    number as usize % EVENTS
}

/// Takes the transitions of one step of judgement to the ring.
pub(crate) struct Teller<'a> {
    pub(crate) events: &'a mut Events,
    pub(crate) kept: &'a mut Kept,
    /// Whether anything was told.
    pub(crate) any: bool,
}

impl crate::judge::Told for Teller<'_> {
    fn alarm(&mut self, number: u8, transition: Transition, at: Instant) {
        self.any = true;
        self.events
            .add(self.kept, Happening::Alarm { number, transition }, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kept: &mut Kept, count: u32) {
        kept.begin();
        let mut events = Events::resume(kept, 0);
        for _ in 0..count {
            events.add(kept, Happening::ClockSet, Instant(1));
        }
    }

    #[test]
    fn a_hole_in_the_ring_is_where_what_can_be_collected_begins() {
        let mut kept = Kept::NEW;
        told(&mut kept, 200);
        assert_eq!(Events::resume(&mut kept, 0).oldest(), 73);
        // A reset in the midst of a write, or a bit of memory that does not hold.
        kept.events[place(150)][7] ^= 1;
        let events = Events::resume(&mut kept, 0);
        assert_eq!((events.oldest(), events.next()), (151, 201));
        kept.events[place(200)][7] ^= 1;
        let events = Events::resume(&mut kept, 0);
        assert_eq!((events.oldest(), events.next()), (151, 200));
    }

    #[test]
    fn an_event_in_anothers_place_is_none() {
        let mut kept = Kept::NEW;
        told(&mut kept, 10);
        kept.events[place(12)] = kept.events[place(10)];
        kept.events[place(10)] = [0; EVENT_WORDS + 1];
        let events = Events::resume(&mut kept, 0);
        assert_eq!((events.oldest(), events.next()), (1, 10));
        assert_eq!(word(&kept, 12, 1), 0);
    }

    #[test]
    fn a_ring_of_which_nothing_is_left_goes_on_above_what_flash_reserved() {
        let mut kept = Kept::NEW;
        told(&mut kept, 10);
        kept.events = [[7; EVENT_WORDS + 1]; EVENTS];
        let events = Events::resume(&mut kept, 1_024);
        assert_eq!((events.oldest(), events.next()), (1_025, 1_025));
    }
}
