//! The text of a commit acknowledgement: `<stream>:1200-1207,1210`.

use std::fmt;
use std::ops::RangeInclusive;

/// Ranges that one acknowledgement may hold; a longer text is refused unread.
const RANGES_MAX: usize = 4096;

/// Which offsets of which stream are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    pub stream: u64,
    /// Rising and apart from each other.
    pub ranges: Vec<RangeInclusive<u64>>,
}

/// A text that is no acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an acknowledgement: {0}")]
pub struct AckError(&'static str);

impl Ack {
    /// Gathers offsets, in any order and doubled, into ranges.
    pub fn of(stream: u64, offsets: &[u64]) -> Self {
        let mut sorted = offsets.to_vec();
        sorted.sort_unstable();
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for offset in sorted {
            match ranges.last_mut() {
                Some(last) if offset <= last.end().saturating_add(1) => {
                    *last = *last.start()..=offset.max(*last.end())
                }
                _ => ranges.push(offset..=offset),
            }
        }
        Self { stream, ranges }
    }

    /// Reads the text.
    ///
    /// # Errors
    /// Anything but the form above, a range that falls, or too many of them.
    pub fn parse(text: &str) -> Result<Self, AckError> {
        let (stream, list) = text.split_once(':').ok_or(AckError("no colon"))?;
        let stream = stream
            .parse()
            .map_err(|_| AckError("the stream is no number"))?;
        if list.split(',').count() > RANGES_MAX {
            return Err(AckError("too many ranges"));
        }
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                text.parse::<u64>()
                    .map_err(|_| AckError("an offset is no number"))
            };
            let (first, last) = (number(first)?, number(last)?);
            if first <= last {
                Ok(first..=last)
            } else {
                Err(AckError("a range falls"))
            }
        };
        Ok(Self {
            stream,
            ranges: list.split(',').map(range).collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.stream)?;
        for (position, range) in self.ranges.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            if range.start() == range.end() {
                write!(formatter, "{comma}{}", range.start())?;
            } else {
                write!(formatter, "{comma}{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_of_the_documentation() {
        let ack = Ack::of(
            7,
            &[1210, 1203, 1200, 1201, 1202, 1202, 1204, 1207, 1205, 1206],
        );
        assert_eq!(ack.to_string(), "7:1200-1207,1210");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(stream: u64, offsets in proptest::collection::vec(0_u64..500, 1..80)) {
            let ack = Ack::of(stream, &offsets);
            prop_assert_eq!(Ack::parse(&ack.to_string()), Ok(ack.clone()));
            for offset in 0..500 {
                prop_assert_eq!(ack.ranges.iter().any(|range| range.contains(&offset)), offsets.contains(&offset));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            let _ = Ack::parse(&text);
        }
    }
}
