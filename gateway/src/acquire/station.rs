//! One device as its bus sees it: what to ask it next, and what its answers and silences mean. Reads no clock and does no I/O.
//!
//! - A silence ends the round: a device costs its bus at most one time-out a period, and later one in up to [`PROBE_MAX`]. Where it also drives outputs, every
//!   other one goes to a write instead of a read: a silent device's writes have no time-out of their own.
//! - A block that is silent while others answer is asked last, and ever more rarely.
//! - A block refused with exception 2 or 3 is halved until the bad value stands alone; that one is asked again every [`QUARANTINE`].
//! - Busy (5, 6) is asked again at the round's end, [`BUSY_MAX`] times.
//! - 10 and 11 are a TCP gateway's words for a unit that it cannot reach: the device itself did not answer.
//! - On a link without transaction numbers a silence leaves a doubt, which `doubt` ends.

use super::doubt::{Doubt, Ground};
use super::pdu::{Fault, Request};
use super::plan::{Block, Image, Plan};
use davy_alarm::{NoValue, WallMs};
use davy_config::site::{DeviceIndex, Site};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A silent device or block is asked at least this often, or every period if that is longer.
pub(super) const PROBE_MAX: Duration = Duration::from_secs(10);
/// A value that the device refuses is asked for again after this, and blocks that were halved are asked for whole.
const QUARANTINE: Duration = Duration::from_secs(60);
/// The same of blocks that are refused again and again.
const WHOLE_MAX: Duration = Duration::from_secs(3600);
/// Most halvings in one round: the rest waits for the next.
const SPLITS_MAX: u8 = 16;
/// Most repetitions for a busy device in one round.
const BUSY_MAX: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Good,
    Silent {
        times: u32,
        retry_at: Instant,
        cause: NoValue,
    },
    Refused {
        code: u8,
        retry_at: Instant,
    },
}

#[derive(Debug)]
pub(super) struct Station {
    pub(super) device: DeviceIndex,
    pub(super) unit: u8,
    pub(super) plan: Plan,
    pub(super) image: Image,
    period: Duration,
    due: Instant,
    planned: Vec<Block>,
    blocks: Vec<(Block, Health)>,
    /// Positions in `blocks` still to be asked in this round.
    queue: VecDeque<usize>,
    /// Rounds in a row without an answer.
    silent: u32,
    probe_at: Instant,
    doubt: Doubt,
    /// Most values of a probe, by what the device can: of registers and of bits.
    longest: (u16, u16),
    untagged: bool,
    /// The last attempt to reach a silent device was a write.
    wrote: bool,
    answered: bool,
    /// A probe was answered: it is there. What it has to say it has not said yet.
    probed: bool,
    cause: NoValue,
    /// A value that had been refused was answered.
    recovered: bool,
    /// When halves may be asked for together again that were refused together and are answered.
    whole_at: Instant,
    whole_wait: Duration,
    splits_left: u8,
    busy_left: u8,
}

impl Station {
    pub(super) fn new(site: &Site, device: DeviceIndex, untagged: bool, now: Instant) -> Self {
        let settings = &site.devices[device.0];
        let (plan, planned) = Plan::new(site, device);
        Self {
            device,
            unit: settings.unit,
            image: plan.image(),
            plan,
            period: Duration::from_millis(u64::from(settings.period_ms.max(1))),
            due: now,
            blocks: planned
                .iter()
                .map(|block| (block.clone(), Health::Good))
                .collect(),
            planned,
            queue: VecDeque::new(),
            silent: 0,
            probe_at: now,
            doubt: Doubt::default(),
            longest: (settings.max_block, settings.max_bits),
            untagged,
            wrote: false,
            answered: false,
            probed: false,
            cause: NoValue::NotYetRead,
            recovered: false,
            whole_at: now,
            whole_wait: QUARANTINE,
            splits_left: 0,
            busy_left: 0,
        }
    }

    /// The same device under another site file. What is read of it as before goes on as it was; another unit is another device. The phase stays.
    pub(super) fn follow(
        &mut self,
        site: &Site,
        device: DeviceIndex,
        untagged: bool,
        now: Instant,
    ) {
        let mut other = Self::new(site, device, untagged, now);
        other.due = self.due.min(now + other.period);
        let same = self.unit == other.unit
            && self.planned == other.planned
            && self.plan.reads_as(&other.plan);
        if same {
            (self.device, self.plan) = (device, other.plan);
            (self.period, self.due, self.untagged) = (other.period, other.due, untagged);
        } else {
            if self.unit == other.unit && untagged {
                other.doubt = self.doubt;
            }
            *self = other;
        }
    }

    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Whether it may wait for those that answer: a silent unit will most likely cost a time-out. It waits no longer than [`PROBE_MAX`].
    pub(super) fn gives_way(&self, now: Instant) -> bool {
        self.silent > 0 && now.duration_since(self.due) < PROBE_MAX
    }

    /// Sets the next due time: a whole number of periods after the first, so that polls do not drift. Returns how many periods were missed. One that
    /// another's time-out has made late by up to a period is not: it is made up for at once.
    pub(super) fn advance_due(&mut self, now: Instant) -> u64 {
        self.due += self.period;
        let missed = now.saturating_duration_since(self.due).as_nanos() / self.period.as_nanos();
        self.due += self
            .period
            .saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX));
        u64::try_from(missed).unwrap_or(u64::MAX)
    }

    /// Begins a round; a silent device whose probe is not due gets an empty one.
    pub(super) fn begin(&mut self, now: Instant, at: WallMs) {
        (self.answered, self.probed) = (false, false);
        (self.splits_left, self.busy_left) = (SPLITS_MAX, BUSY_MAX);
        self.queue.clear();
        if self.doubt.rests(now) || self.silent > 0 && now < self.probe_at {
            self.image.forget(self.cause, at);
            return;
        }
        self.doubt.end_of_rest();
        self.image.forget(NoValue::NotYetRead, at);
        self.enqueue_good();
        self.enqueue_refused(now, at);
        self.enqueue_silent(now, at);
        self.enqueue_one();
    }

    /// After a silence another block leads, in case it is a block and not the device that is silent.
    fn enqueue_good(&mut self) {
        let good = self
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, (_, health))| *health == Health::Good);
        self.queue.extend(good.map(|(position, _)| position));
        if !self.queue.is_empty() {
            let lead = self.silent as usize % self.queue.len();
            self.queue.rotate_left(lead);
        }
    }

    fn enqueue_refused(&mut self, now: Instant, at: WallMs) {
        for (position, (block, health)) in self.blocks.iter().enumerate() {
            match *health {
                Health::Refused { retry_at, .. } if retry_at <= now => {
                    self.queue.push_back(position)
                }
                Health::Refused { code, .. } => {
                    self.image.miss(block, NoValue::Exception(code), at)
                }
                Health::Good | Health::Silent { .. } => {}
            }
        }
    }

    /// A device that refuses all that it is asked answers by that: one question a round tells that it is there.
    fn enqueue_one(&mut self) {
        if self.queue.is_empty() {
            let blocks = self.blocks.iter().enumerate();
            let refused = blocks.filter_map(|(position, (_, health))| match health {
                Health::Refused { retry_at, .. } => Some((*retry_at, position)),
                Health::Good | Health::Silent { .. } => None,
            });
            self.queue
                .extend(refused.min().map(|(_, position)| position));
        }
    }

    /// At most one silent block a round, the longest due.
    fn enqueue_silent(&mut self, now: Instant, at: WallMs) {
        let mut retry: Option<(Instant, usize)> = None;
        for (position, (block, health)) in self.blocks.iter().enumerate() {
            if let Health::Silent {
                retry_at, cause, ..
            } = *health
            {
                self.image.miss(block, cause, at);
                if (retry_at <= now || self.queue.is_empty())
                    && retry.is_none_or(|(first, _)| retry_at < first)
                {
                    retry = Some((retry_at, position));
                }
            }
        }
        self.queue.extend(retry.map(|(_, position)| position));
    }

    /// What must be answered before anything else may be asked.
    pub(super) fn probe(&self) -> Option<Request> {
        let is_asking = self.is_suspect() && !self.queue.is_empty();
        is_asking
            .then(|| self.doubt.probe(&self.ground()))
            .flatten()
    }

    fn ground(&self) -> Ground {
        let all = || self.blocks.iter();
        let good = all().filter(|(_, health)| *health == Health::Good);
        Ground {
            good: good.map(|(block, _)| read(block)).collect(),
            blocks: all().map(|(block, _)| read(block)).collect(),
            longest: self.longest,
        }
    }

    /// The outcome of a probe, whose words do not matter. Returns whether the round goes on; no other probe follows in it after its `end`.
    pub(super) fn take_probe(
        &mut self,
        outcome: Result<(), Fault>,
        (now, end): (Instant, Instant),
        at: WallMs,
    ) -> bool {
        let Err(fault) = outcome else {
            self.probed = true;
            self.doubt = Doubt::default();
            return true;
        };
        let ground = self.ground();
        self.doubt.probe_was_vain(&ground, now);
        let cause = match verdict(fault) {
            Verdict::Answer(_) if !self.doubt.rests(now) && now < end => return true,
            Verdict::Answer(code) => NoValue::Exception(code),
            Verdict::Silence(cause) => cause,
        };
        self.give_up(cause, at);
        false
    }

    /// Ends the round: what was not asked has no value.
    pub(super) fn give_up(&mut self, cause: NoValue, at: WallMs) {
        self.cause = cause;
        while let Some(unasked) = self.queue.pop_front() {
            self.image.miss(&self.blocks[unasked].0, cause, at);
        }
    }

    /// Ends a round whose questions are not all asked: none would be known from what is owed.
    pub(super) fn leave(&mut self, at: WallMs) {
        if !self.queue.is_empty() {
            self.give_up(NoValue::Timeout, at);
        }
    }

    /// What an exchange leaves open on a link without transaction numbers: a read without a good answer is owed until the doubt ends. A link that broke may
    /// deliver over the next one what went out over it.
    pub(super) fn note(&mut self, request: &Request, outcome: Result<(), Fault>, was_sent: bool) {
        let is_owed = silence(outcome).is_some() && (was_sent || outcome != Err(Fault::LinkDown));
        let is_read = matches!(request, Request::Read { .. });
        if self.untagged && is_read && is_owed && !self.is_suspect() {
            self.doubt = Doubt::of(*request);
        }
    }

    pub(super) const fn is_suspect(&self) -> bool {
        self.doubt.is_open()
    }

    /// Whether it answered nothing in its latest round.
    pub(super) const fn is_silent(&self) -> bool {
        self.silent > 0
    }

    /// Whether a silent device is to be reached by a write this time, if one is due: every other time.
    pub(super) fn takes_a_write(&mut self) -> bool {
        if self.silent == 0 {
            self.wrote = false;
        } else if !self.queue.is_empty() {
            // Rounds in which nothing may be asked yet are nobody's turn.
            self.wrote = !self.wrote;
            return self.wrote;
        }
        false
    }

    /// The next block to ask for in this round, and its request.
    pub(super) fn next(&mut self) -> Option<(usize, Request)> {
        if self.is_suspect() {
            return None;
        }
        let position = self.queue.pop_front()?;
        Some((position, read(&self.blocks[position].0)))
    }

    /// The outcome of a block's read.
    pub(super) fn take(
        &mut self,
        position: usize,
        outcome: Result<&[u16], Fault>,
        now: Instant,
        at: WallMs,
    ) {
        let fault = match outcome {
            Ok(words) => {
                self.answered = true;
                self.recovered |= matches!(self.blocks[position].1, Health::Refused { .. });
                self.plan
                    .fill(&mut self.image, &self.blocks[position].0, words, at);
                self.blocks[position].1 = Health::Good;
                return;
            }
            Err(fault) => verdict(fault),
        };
        match fault {
            Verdict::Answer(code) => self.take_exception(position, code, now, at),
            Verdict::Silence(cause) => self.take_silence(position, cause, now, at),
        }
    }

    fn take_exception(&mut self, position: usize, code: u8, now: Instant, at: WallMs) {
        self.answered = true;
        self.image
            .miss(&self.blocks[position].0, NoValue::Exception(code), at);
        match code {
            2 | 3 => self.halve(position, code, now),
            5 | 6 if self.busy_left > 0 => {
                self.busy_left -= 1;
                self.queue.push_back(position);
            }
            _ => {}
        }
    }

    fn halve(&mut self, position: usize, code: u8, now: Instant) {
        let Some([left, right]) = self.plan.halves(&self.blocks[position].0) else {
            self.blocks[position].1 = Health::Refused {
                code,
                retry_at: now + QUARANTINE,
            };
            return;
        };
        self.whole_at = now + self.whole_wait;
        self.blocks[position] = (left, Health::Good);
        self.blocks.push((right, Health::Good));
        if self.splits_left > 0 {
            self.splits_left -= 1;
            self.queue.push_front(self.blocks.len() - 1);
            self.queue.push_front(position);
        }
    }

    fn take_silence(&mut self, position: usize, cause: NoValue, now: Instant, at: WallMs) {
        if cause != NoValue::LinkDown && (self.answered || self.probed) {
            let times = match self.blocks[position].1 {
                Health::Silent { times, .. } => times.saturating_add(1),
                Health::Good | Health::Refused { .. } => 1,
            };
            self.blocks[position].1 = Health::Silent {
                times,
                retry_at: now + self.back_off(times),
                cause,
            };
        }
        self.image.miss(&self.blocks[position].0, cause, at);
        self.give_up(cause, at);
    }

    /// Twice as many periods for each silence more; half a period less, so that the period it ends in is not missed.
    fn back_off(&self, times: u32) -> Duration {
        let wait = self
            .period
            .saturating_mul(1 << times.saturating_sub(1).min(16));
        wait.min(PROBE_MAX.max(self.period)) - self.period / 2
    }

    /// Ends a round; tells whether the device answered it.
    pub(super) fn finish(&mut self, now: Instant) -> bool {
        if self.is_suspect() {
            let ground = self.ground();
            self.doubt.end_of_round(&ground, now);
        }
        if self.answered {
            self.silent = 0;
            self.rejoin(now);
        } else if self.cause != NoValue::LinkDown && now >= self.probe_at {
            self.silent = self.silent.saturating_add(1);
            let next = now + self.back_off(self.silent);
            self.probe_at = self.doubt.rest_until().map_or(next, |rest| rest.max(next));
        }
        self.answered
    }

    /// Once what had been refused is answered and all is well, halves are read together again; and now and again where only both together were refused.
    fn rejoin(&mut self, now: Instant) {
        let is_tried = self.blocks.len() > self.planned.len() && now >= self.whole_at;
        if (self.recovered || is_tried)
            && self
                .blocks
                .iter()
                .all(|(_, health)| *health == Health::Good)
        {
            if !self.recovered {
                // Blocks that the device will not have as long as this are asked for ever more rarely.
                self.whole_wait = (self.whole_wait * 2).min(WHOLE_MAX);
            }
            self.recovered = false;
            self.blocks = self
                .planned
                .iter()
                .map(|block| (block.clone(), Health::Good))
                .collect();
        }
    }

    /// The link is down: nothing was asked.
    pub(super) fn link_down(&mut self, at: WallMs) {
        (self.answered, self.cause, self.probe_at) = (false, NoValue::LinkDown, self.due);
        self.queue.clear();
        self.image.forget(NoValue::LinkDown, at);
    }
}

/// The request for a block.
const fn read(block: &Block) -> Request {
    Request::Read {
        table: block.table,
        start: block.start,
        count: block.count,
    }
}

/// What an outcome means that does not come from the device itself; a refusal does.
pub(super) const fn silence(outcome: Result<(), Fault>) -> Option<NoValue> {
    match outcome {
        Ok(()) => None,
        Err(fault) => match verdict(fault) {
            Verdict::Answer(_) => None,
            Verdict::Silence(cause) => Some(cause),
        },
    }
}

/// What a fault says of the device.
enum Verdict {
    /// It is there, and refuses.
    Answer(u8),
    Silence(NoValue),
}

const fn verdict(fault: Fault) -> Verdict {
    match fault {
        Fault::Timeout | Fault::Exception(11) => Verdict::Silence(NoValue::Timeout),
        Fault::BadFrame => Verdict::Silence(NoValue::BadFrame),
        Fault::LinkDown | Fault::Exception(10) => Verdict::Silence(NoValue::LinkDown),
        Fault::Exception(code) => Verdict::Answer(code),
    }
}

#[cfg(test)]
mod tests {
    use super::super::doubt::{PROBES, REST};
    use super::super::pdu::data_length;
    use super::*;
    use std::path::Path;

    fn station() -> Station {
        of(&site(&[("f32", 0)]))
    }

    fn of(site: &Site) -> Station {
        Station::new(site, DeviceIndex(0), true, Instant::now())
    }

    /// One device, and a point for each encoding and address.
    fn site(points: &[(&str, u16)]) -> Site {
        let mut text = String::from(
            r#"
schema = 1
[site]
id = "s"
name = { zh = "站", en = "Site" }
[screen]
listen = "127.0.0.1:8080"
[[area]]
id = "a"
name = { zh = "区", en = "Area" }
[[bus]]
id = "b"
kind = "rtu-over-tcp"
address = "127.0.0.1:4001"
[[device]]
id = "d"
name = { zh = "器", en = "Device" }
bus = "b"
unit = 1
"#,
        );
        for (encoding, address) in points {
            text += &format!(
                r#"
[[point]]
id = "p{address}"
name = {{ zh = "点", en = "Point" }}
area = "a"
device = "d"
register = {{ table = "holding", address = {address}, as = "{encoding}" }}
kind = "other"
unit = "%"
range = [0, 100]
"#
            );
        }
        let loaded = davy_config::parse("site.toml", &text, Path::new("."));
        loaded.unwrap_or_else(|problems| panic!("{problems}")).site
    }

    fn at() -> WallMs {
        WallMs(0)
    }

    /// The lengths of the answers to what is asked, one silence after the other.
    fn silences(station: &mut Station, times: usize) -> Vec<usize> {
        let mut asked = Vec::new();
        let mut now = Instant::now();
        for _ in 0..times {
            now += Duration::from_secs(60);
            station.begin(now, at());
            let request = match station.probe() {
                Some(probe) => {
                    station.take_probe(Err(Fault::Timeout), (now, now), at());
                    probe
                }
                None => {
                    let (position, request) = station.next().expect("a block");
                    station.note(&request, Err(Fault::Timeout), true);
                    station.take(position, Err(Fault::Timeout), now, at());
                    request
                }
            };
            station.finish(now);
            let Request::Read { table, count, .. } = request else {
                panic!("a station reads")
            };
            asked.push(data_length(table, count));
        }
        asked
    }

    #[tokio::test]
    async fn no_two_of_many_unanswered_requests_could_share_an_answer() {
        let mut asked = silences(&mut station(), usize::from(PROBES) + 1);
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), usize::from(PROBES) + 1);
    }

    #[tokio::test]
    async fn a_probe_asks_for_no_more_than_the_device_can() {
        let mut station = station();
        station.longest.0 = 3;
        let asked = silences(&mut station, 20);
        assert!(asked.iter().all(|length| *length <= 6), "{asked:?}");
        assert!(asked.windows(2).all(|two| two[0] != two[1]), "{asked:?}");
    }

    /// A station in doubt after some silences, at the begin of a round and with a second left for it.
    fn doubting(times: usize) -> (Station, (Instant, Instant)) {
        let mut station = station();
        silences(&mut station, times);
        let now = Instant::now() + Duration::from_secs(600);
        station.begin(now, at());
        assert!(station.probe().is_some() && station.is_suspect());
        (station, (now, now + Duration::from_secs(1)))
    }

    #[tokio::test]
    async fn only_an_answer_to_the_probe_itself_ends_the_doubt() {
        let (mut station, time) = doubting(3);
        assert!(station.take_probe(Ok(()), time, at()));
        assert!(station.probe().is_none() && !station.is_suspect());
        assert!(station.next().is_some());
    }

    /// A refusal may be the late answer to an older request.
    #[tokio::test]
    async fn a_refused_probe_leaves_the_doubt_and_is_followed_by_one_of_another_length() {
        let (mut station, time) = doubting(1);
        let refused = station.probe();
        assert!(station.take_probe(Err(Fault::Exception(4)), time, at()));
        assert!(station.is_suspect());
        assert_ne!(station.probe(), refused);
        assert!(station.take_probe(Ok(()), time, at()));
        assert!(!station.is_suspect() && station.next().is_some());
    }

    #[tokio::test]
    async fn refused_probes_end_their_round_with_its_time_and_go_on_with_the_next() {
        let (mut station, (now, end)) = doubting(1);
        let refused = station.probe();
        assert!(!station.take_probe(Err(Fault::Exception(4)), (end, end), at()));
        assert!(station.probe().is_none() && station.next().is_none());
        assert!(!station.finish(end));
        let next = now + Duration::from_secs(600);
        station.begin(next, at());
        assert!(station.is_suspect());
        assert_ne!(station.probe(), refused);
    }

    #[tokio::test]
    async fn a_unit_that_refuses_every_probe_is_believed_after_a_rest() {
        let (mut station, (now, end)) = doubting(1);
        let mut probes = 0;
        while station.probe().is_some() {
            probes += 1;
            station.take_probe(Err(Fault::Exception(2)), (now, end), at());
        }
        assert!(probes >= usize::from(PROBES));
        assert!(!station.finish(now));
        station.begin(now + REST / 2, at());
        assert!(station.next().is_none() && station.is_suspect());
        station.finish(now + REST / 2);
        station.begin(now + REST + station.period, at());
        assert!(station.probe().is_none() && !station.is_suspect());
        assert!(station.next().is_some());
    }

    /// Plays rounds against a unit that answers reads that `knows` finds, and is silent otherwise; answers which of its blocks have a value after each.
    fn rounds(
        station: &mut Station,
        times: usize,
        knows: impl Fn(u16, u16) -> bool,
    ) -> Vec<Vec<bool>> {
        let mut now = Instant::now();
        let mut seen = Vec::new();
        for _ in 0..times {
            now += Duration::from_secs(1);
            station.begin(now, at());
            let end = now + Duration::from_millis(500);
            let heard = |request: &Request| match *request {
                Request::Read { start, count, .. } => knows(start, count),
                _ => false,
            };
            loop {
                let mut goes_on = true;
                while let Some(probe) = station.probe().filter(|_| goes_on) {
                    let outcome = heard(&probe).then_some(()).ok_or(Fault::Timeout);
                    goes_on = station.take_probe(outcome, (now, end), at());
                }
                let Some((block, request)) = station.next() else {
                    break;
                };
                let words = [0; 16];
                let outcome = heard(&request).then_some(&words[..]).ok_or(Fault::Timeout);
                station.note(&request, outcome.map(|_| ()), true);
                station.take(block, outcome, now, at());
            }
            station.finish(now);
            let readings = station.plan.readings(&station.image);
            seen.push(
                readings
                    .iter()
                    .map(|(_, reading)| reading.value().is_ok())
                    .collect(),
            );
        }
        seen
    }

    /// Reads of what a unit does not know may be met with silence instead of a refusal.
    #[tokio::test]
    async fn a_block_that_is_ignored_takes_no_other_with_it() {
        let mut station = of(&site(&[("f32", 0), ("f32", 1000)]));
        let seen = rounds(&mut station, 120, |start, _| start < 1000);
        let read = seen.iter().filter(|round| round[0]).count();
        assert!(read >= 118, "{read} of 120: {:?}", &seen[..8]);
        assert!(seen.iter().all(|round| !round[1]));
    }

    #[tokio::test]
    async fn a_unit_that_can_be_read_at_one_length_alone_is_believed_again() {
        let mut station = station();
        rounds(&mut station, 1, |_, _| false);
        let mut then = rounds(&mut station, 120, |start, count| (start, count) == (0, 2));
        let back = then
            .iter()
            .position(|round| round[0])
            .expect("it is read again");
        assert!(back > 30, "not before all other lengths were tried: {back}");
        assert!(then.split_off(back).iter().all(|round| round[0]));
    }

    #[tokio::test]
    async fn a_device_that_gives_one_value_at_a_time_rests_after_a_silence() {
        let mut station = of(&site(&[("u16", 0)]));
        station.longest.0 = 1;
        rounds(&mut station, 1, |_, _| false);
        assert!(station.is_suspect());
        let seen = rounds(&mut station, 10, |_, _| true);
        let back = seen.iter().position(|round| round[0]);
        assert!(back.is_some_and(|back| back >= 3), "{seen:?}");
        assert!(seen[9][0]);
    }

    /// What was refused while a device started is read as planned once it has.
    #[tokio::test]
    async fn halves_that_both_answer_are_read_together_again() {
        let mut station = of(&site(&[("u16", 0), ("u16", 1)]));
        let now = Instant::now();
        station.begin(now, at());
        let (whole, _) = station.next().expect("a block");
        station.take(whole, Err(Fault::Exception(2)), now, at());
        while let Some((half, _)) = station.next() {
            station.take(half, Ok(&[1]), now, at());
        }
        station.finish(now);
        assert_eq!(station.blocks.len(), 2, "a device may refuse long blocks");
        rounds(&mut station, 59, |_, _| true);
        assert_eq!(station.blocks.len(), 2);
        rounds(&mut station, 61, |_, _| true);
        assert_eq!(station.blocks.len(), 1);
    }

    #[tokio::test]
    async fn another_site_file_does_not_end_the_doubt_of_a_unit() {
        let mut station = station();
        rounds(&mut station, 1, |_, _| false);
        let more = site(&[("f32", 0), ("f32", 1000)]);
        station.follow(&more, DeviceIndex(0), true, Instant::now());
        assert_eq!(station.blocks.len(), 2);
        assert!(station.is_suspect());
    }

    #[tokio::test]
    async fn a_device_that_refuses_all_that_it_is_asked_is_there() {
        let mut station = station();
        let mut now = Instant::now();
        for round in 0..5 {
            now += Duration::from_secs(1);
            station.begin(now, at());
            let mut asked = 0;
            while let Some((block, _)) = station.next() {
                station.take(block, Err(Fault::Exception(2)), now, at());
                asked += 1;
            }
            assert!(station.finish(now), "{round}");
            assert!((1..=3).contains(&asked), "{round}: {asked}");
        }
    }

    /// Noise may let short answers through and no long one.
    #[tokio::test]
    async fn a_unit_that_answers_probes_and_none_of_its_blocks_is_asked_ever_more_rarely() {
        let mut station = of(&site(&[("f32", 0)]));
        let mut asked = 0;
        let mut now = Instant::now();
        for _ in 0..120 {
            now += Duration::from_secs(1);
            station.begin(now, at());
            while let Some(_probe) = station.probe() {
                station.take_probe(Ok(()), (now, now), at());
            }
            if let Some((block, request)) = station.next() {
                station.note(&request, Err(Fault::BadFrame), true);
                station.take(block, Err(Fault::BadFrame), now, at());
                asked += 1;
            }
            assert!(!station.finish(now));
        }
        assert!((10..=20).contains(&asked), "a time-out each: {asked}");
    }

    #[tokio::test]
    async fn a_silent_device_is_written_and_read_by_turns_however_long_it_is_left_alone_between() {
        let mut station = station();
        let mut now = Instant::now();
        let mut turns = Vec::new();
        for _ in 0..90 {
            now += Duration::from_secs(1);
            station.begin(now, at());
            let is_turn = !station.queue.is_empty();
            let writes = station.takes_a_write();
            assert!(is_turn || !writes);
            if is_turn && station.is_silent() {
                turns.push(writes);
            }
            station.give_up(NoValue::Timeout, at());
            station.finish(now);
        }
        assert!(turns.len() > 6, "{turns:?}");
        assert!(turns.windows(2).all(|two| two[0] != two[1]), "{turns:?}");
    }
}
