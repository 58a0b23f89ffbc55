//! The watchdog's food: given only when sampling, judging and serving have all made progress since the last time.

/// Who made progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    sampled: bool,
    judged: bool,
    served: bool,
}

impl Progress {
    /// A sample was taken, or its absence found.
    pub const fn sampled(&mut self) {
        self.sampled = true;
    }

    /// A round of judgement ended.
    pub const fn judged(&mut self) {
        self.judged = true;
    }

    /// The server has looked at what came.
    pub const fn served(&mut self) {
        self.served = true;
    }

    /// Whether the watchdog may be fed; begins to count anew if so.
    pub const fn take(&mut self) -> bool {
        let all = self.sampled && self.judged && self.served;
        if all {
            *self = Self {
                sampled: false,
                judged: false,
                served: false,
            };
        }
        all
    }
}
