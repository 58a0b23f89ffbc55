//! Chattering: one alarm that annunciates so often within so short a time that nobody can answer it.

/// From how many annunciations within how long an alarm chatters. Three in a minute unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatterRule {
    count: usize,
    window_ms: i64,
}

impl Default for ChatterRule {
    fn default() -> Self {
        Self {
            count: 3,
            window_ms: 60_000,
        }
    }
}

impl ChatterRule {
    /// `count` 2 to 60 annunciations within `window_s` 10 to 3,600 seconds; `None` for other numbers.
    pub fn new(count: u32, window_s: u32) -> Option<Self> {
        ((2..=60).contains(&count) && (10..=3_600).contains(&window_s)).then(|| Self {
            count: count as usize,
            window_ms: i64::from(window_s) * 1_000,
        })
    }

    pub(crate) fn count(self) -> u32 {
        self.count as u32
    }

    pub(crate) fn window_s(self) -> u32 {
        (self.window_ms / 1_000) as u32
    }
}

/// How one alarm chattered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chatter {
    pub(crate) episodes: u64,
    /// Most annunciations within the rule's window.
    pub(crate) most: u64,
    /// First and last annunciation of the newest episode.
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

/// The chatter of annunciations at these rising times, if there is any. Windows that share an annunciation are one episode.
pub(crate) fn chatter(times: &[i64], rule: ChatterRule) -> Option<Chatter> {
    let mut found: Option<Chatter> = None;
    let mut first = 0;
    for (place, &now) in times.iter().enumerate() {
        while now - times[first] >= rule.window_ms {
            first += 1;
        }
        let count = place + 1 - first;
        if count < rule.count {
            continue;
        }
        let begins = times[first];
        let chatter = found.get_or_insert(Chatter {
            episodes: 1,
            most: 0,
            from_ms: begins,
            to_ms: now,
        });
        if begins > chatter.to_ms {
            chatter.episodes += 1;
            chatter.from_ms = begins;
        }
        chatter.to_ms = now;
        chatter.most = chatter.most.max(count as u64);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_a_minute_chatter_and_two_do_not() {
        let rule = ChatterRule::default();
        assert_eq!(chatter(&[0, 30_000], rule), None);
        let three = chatter(&[0, 30_000, 59_999], rule).expect("three in a minute");
        assert_eq!((three.episodes, three.most), (1, 3));
        assert_eq!(chatter(&[0, 30_000, 60_000], rule), None);
    }

    #[test]
    fn the_rule_is_a_parameter_within_bounds() {
        let rule = ChatterRule::new(6, 300).expect("more than five in five minutes");
        let times: Vec<i64> = (0..6).map(|n| n * 59_000).collect();
        assert!(chatter(&times, rule).is_some());
        assert_eq!(chatter(&times[..5], rule), None);
        assert_eq!(ChatterRule::new(1, 60), None);
        assert_eq!(ChatterRule::new(3, 9), None);
    }

    #[test]
    fn chatter_that_ends_and_begins_again_is_two_episodes() {
        let times = [0, 1_000, 2_000, 500_000, 501_000, 502_000, 503_000];
        let found = chatter(&times, ChatterRule::default()).expect("chatter");
        assert_eq!((found.episodes, found.most), (2, 4));
        assert_eq!((found.from_ms, found.to_ms), (500_000, 503_000));
    }
}
