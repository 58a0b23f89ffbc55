//! So many bytes a second, with one second's worth at most saved up. Pure: `now` is an argument.

use davy_alarm::Instant;

/// What backlog may take of a link that it shares, by the site file. What was begun is sent whole, and paid for afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget(Option<Limit>);

#[derive(Clone, Copy, Debug)]
struct Limit {
    bytes_s: i64,
    /// Thousandths of bytes at `at`; below 0 what is owed.
    saved: i64,
    at: Instant,
}

impl Budget {
    /// `None` is no limit.
    pub(super) fn new(bytes_s: Option<u32>) -> Self {
        Self(bytes_s.map(|bytes_s| Limit {
            bytes_s: i64::from(bytes_s.max(1)),
            saved: i64::from(bytes_s) * 1000,
            at: Instant(0),
        }))
    }

    /// Whether something may be sent now.
    pub(super) fn has_room(&self, now: Instant) -> bool {
        self.0.is_none_or(|limit| limit.saved_at(now) > 0)
    }

    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        if let Some(limit) = &mut self.0 {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 1000);
            limit.saved = limit
                .saved_at(now)
                .saturating_sub(bytes.saturating_mul(1000));
            limit.at = now;
        }
    }

    /// When there is room again, if there was none when something was last sent.
    pub(super) fn due(&self) -> Option<Instant> {
        let limit = self.0.filter(|limit| limit.saved <= 0)?;
        let owed = u64::try_from(-limit.saved).unwrap_or_default();
        Some(limit.at.after(owed / limit.bytes_s.unsigned_abs() + 1))
    }
}

impl Limit {
    fn saved_at(&self, now: Instant) -> i64 {
        let passed = i64::try_from(now.since(self.at)).unwrap_or(i64::MAX);
        let earned = passed.saturating_mul(self.bytes_s);
        self.saved.saturating_add(earned).min(self.bytes_s * 1000)
    }
}
