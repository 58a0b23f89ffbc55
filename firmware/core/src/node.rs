//! The whole node: what a board gives samples, bytes and time, and asks for coils and answers.

use crate::banks::{Bank, Banks, Flash};
use crate::events::{Events, Reserve, Teller};
use crate::frames::{Frames, Heard};
use crate::judge::Judge;
use crate::kept::{Kept, STORED_BYTES, State, stored_bytes, stored_of};
use crate::key::{Key, Pressed};
use crate::life::Gateway;
use crate::progress::Progress;
use crate::relays::{Causes, Relaying, coils, failed_coils};
use crate::sampling::{Sampler, Sensed};
use crate::selftest::reference_holds;
use crate::server::{Answer, serve};
use crate::update::{Room, Started, Update};
use core::mem::MaybeUninit;
use davy_alarm::{Action, Actor, Alarm, Instant, NoValue, Shown};
use davy_wire::node::{
    ALARMS, AlarmId, BLOCK_WORDS, Block, CHANNELS, Happening, Refusal, ResetCause, SelfTest,
    Settings,
};

/// How often a board samples, milliseconds.
pub const SAMPLE_MS: u64 = 20;
/// How long the key's unlocking lasts, seconds.
pub const UNLOCKED_S: u64 = 600;
/// Bytes of the configuration block in flash.
pub(crate) const CONFIG_BYTES: usize = 2 * BLOCK_WORDS;

/// What a board saw in one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Loop currents, microamperes; `None` while the analog front end is silent.
    pub currents_ua: Option<[u16; CHANNELS]>,
    /// The front end's reference, microamperes; `None` while it does not speak. One that is far off may leave the loops without a value and is told all the same.
    pub reference_ua: Option<u16>,
    /// Bit n: relay n's feedback contact.
    pub feedback: u8,
    pub key: bool,
}

/// What a board must do with its relays. Bit n is relay n's coil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relays {
    pub coils: u8,
    /// What a panic or fault must leave.
    pub when_failed: u8,
}

/// How the board came up.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    pub now: Instant,
    /// Major, minor, patch.
    pub firmware: [u16; 3],
    pub room: Room,
    /// By the boot stage; `None` without one.
    pub started: Option<Started>,
}

/// What a board measures of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Health {
    pub(crate) failed: u16,
    pub(crate) stack_free: u16,
    pub(crate) loop_max_us: u16,
    pub(crate) answer_us: u16,
    pub(crate) answer_max_us: u16,
}

/// One node.
pub struct Node<'k, F> {
    pub(crate) kept: &'k mut Kept,
    pub(crate) flash: F,
    pub(crate) now: Instant,
    pub(crate) started: Instant,
    pub(crate) firmware: [u16; 3],
    pub(crate) cause: ResetCause,
    pub(crate) settings: Settings,
    pub(crate) active: Block,
    pub(crate) active_crc: u32,
    pub(crate) staged: Block,
    pub(crate) config_version: u16,
    samplers: [Sampler; CHANNELS],
    pub(crate) sensed: [Sensed; CHANNELS],
    pub(crate) judge: Judge,
    pub(crate) relaying: Relaying,
    pub(crate) coils: u8,
    pub(crate) feedback: u8,
    pub(crate) requested: u8,
    pub(crate) events: Events,
    pub(crate) gateway: Gateway,
    pub(crate) key: Key,
    pub(crate) unlocked_until: Option<Instant>,
    pub(crate) heartbeat: u16,
    pub(crate) health: Health,
    pub(crate) front_end_speaks: bool,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) bad_field: u16,
    pub(crate) answered: u32,
    pub(crate) frames: Frames,
    pub(crate) update: Update,
    answer: Answer,
    /// What flash holds of the alarms' states.
    stored: [State; ALARMS],
    reserve: Reserve,
    progress: Progress,
}

impl<F> core::fmt::Debug for Node<'_, F> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Node").finish_non_exhaustive()
    }
}

pub(crate) const CONFIG: Banks<CONFIG_BYTES> = Banks::new([Bank::Config0, Bank::Config1]);
const STATE: Banks<STORED_BYTES> = Banks::new([Bank::State0, Bank::State1]);

impl<'k, F: Flash> Node<'k, F> {
    /// Comes up, in `slot`: configuration and alarm states as they were, outputs as they demand. Never inlined: what it takes of the stack is given back before the work
    /// begins.
    #[inline(never)]
    pub fn start<'s>(
        slot: &'s mut MaybeUninit<Self>,
        kept: &'k mut Kept,
        flash: F,
        boot: Boot,
    ) -> &'s mut Self {
        let was_kept = kept.begin();
        let cause = reset_cause(kept.take_cause(), was_kept);
        let (config_version, active, readable) = configuration(&flash);
        let settings = active.settings().unwrap_or(Settings::EMPTY);
        let in_flash = STATE.load(&flash).map(|(_, bytes)| stored_of(&bytes));
        let (stored, reserved) = in_flash.unwrap_or(([State::NONE; ALARMS], 0));
        let states = kept.states().filter(|_| was_kept);
        let states = states.unwrap_or(stored.map(State::only_latched));
        let (requested, was_silent) = kept.line();
        let node = slot.write(Self {
            now: boot.now,
            started: boot.now,
            firmware: boot.firmware,
            cause,
            settings,
            active_crc: active.crc(),
            active,
            staged: Block::ZERO,
            config_version,
            samplers: [Sampler::default(); CHANNELS],
            sensed: [Sensed::NOT_YET; CHANNELS],
            judge: Judge::empty(),
            relaying: Relaying::default(),
            coils: 0,
            feedback: 0,
            requested,
            events: Events::resume(kept, reserved),
            gateway: Gateway::new(boot.now, was_silent),
            key: Key::default(),
            unlocked_until: None,
            heartbeat: 0,
            health: Health::default(),
            front_end_speaks: false,
            refusal: None,
            bad_field: 0,
            answered: 0,
            frames: Frames::new(),
            update: Update::start(&flash, boot.room, boot.started, boot.now),
            answer: Answer::empty(),
            stored,
            reserve: Reserve::new(reserved),
            progress: Progress::default(),
            kept,
            flash,
        });
        node.tell_test(SelfTest::ConfigBanks, readable);
        node.judge.configure(&node.settings, &states, boot.now);
        node.happens(Happening::Started {
            cause: cause.code(),
        });
        // Before the first sample: what is latched holds its relays from the first moment.
        node.drive();
        if let Some(verdict) = boot.started.and_then(|started| started.verdict) {
            node.tell_update(verdict);
        }
        node
    }

    /// One round: samples, judges, decides over the relays. Carry the result out, then call [`Self::store`].
    pub fn round(&mut self, sample: &Sample, now: Instant) -> Relays {
        self.now = now;
        self.sense(sample);
        self.progress.sampled();
        self.look_at_people(sample.key);
        self.judge_all(sample.feedback);
        self.drive();
        self.heartbeat = self.heartbeat.wrapping_add(1);
        self.progress.judged();
        self.look_at_update();
        self.relays()
    }

    /// What the relays should be now.
    pub fn relays(&self) -> Relays {
        Relays {
            coils: self.coils,
            when_failed: failed_coils(&self.settings),
        }
    }

    /// Keeps in flash what must outlive a power cut: latches, and numbers for events ahead. Takes as long as flash takes, after the relays were driven; latches
    /// are set and reset at most as often as people act, which bounds the wear.
    pub fn store(&mut self) {
        let states = self.judge.states();
        let next = self.events.next();
        let runs_out = self.reserve.runs_out(next);
        if !runs_out
            && !states
                .iter()
                .zip(&self.stored)
                .any(|(now, then)| now.latch() != then.latch())
        {
            return;
        }
        let reserve = if runs_out {
            self.reserve.more(next)
        } else {
            self.reserve
        };
        let bytes = stored_bytes(&states, reserve.to);
        let stored = STATE.store(&mut self.flash, &bytes).is_ok();
        // Not tried again before something changes: flash that fails is not mended by wearing it out.
        (self.stored, self.reserve) = (states, reserve);
        self.tell_test(SelfTest::StateBanks, stored);
    }

    /// A byte from the line; the answer, if one is to be sent.
    pub fn byte(&mut self, byte: u8, now: Instant) -> Option<&[u8]> {
        self.now = now;
        self.progress.served();
        let heard = self.frames.byte(byte, self.settings.unit);
        self.answer(heard)
    }

    /// The line is empty; the answer, if one is to be sent. Call it whenever the last byte was taken.
    pub fn quiet(&mut self, now: Instant) -> Option<&[u8]> {
        self.now = now;
        self.progress.served();
        let heard = self.frames.idle(self.settings.unit, now);
        self.answer(heard)
    }

    /// Whether the watchdog may be fed.
    pub const fn made_progress(&mut self) -> bool {
        self.progress.take()
    }

    /// The result of a test that the board ran.
    pub const fn tell_test(&mut self, test: SelfTest, holds: bool) {
        let bit = 1 << test as u16;
        if holds {
            self.health.failed &= !bit;
        } else {
            self.health.failed |= bit;
        }
    }

    /// Bytes of stack that were never used, and how long the longest round of the main loop took.
    pub fn tell_health(&mut self, stack_free: u16, loop_max_us: u16) {
        (self.health.stack_free, self.health.loop_max_us) = (stack_free, loop_max_us);
    }

    /// How long after its request the answer began that the board has just sent.
    pub fn tell_answer(&mut self, took_us: u64) {
        let took_us = u16::try_from(took_us).unwrap_or(u16::MAX);
        self.health.answer_us = took_us;
        self.health.answer_max_us = self.health.answer_max_us.max(took_us);
    }

    fn sense(&mut self, sample: &Sample) {
        let since_start_ms = self.now.since(self.started);
        let channels = self
            .settings
            .channels
            .iter()
            .zip(&mut self.samplers)
            .zip(&mut self.sensed);
        for (nth, ((channel, sampler), sensed)) in channels.enumerate() {
            let current = sample
                .currents_ua
                .and_then(|currents| currents.get(nth).copied());
            *sensed = match channel {
                Some(channel) => sampler.sample(channel, current, self.now, since_start_ms),
                None => Sensed::NOT_YET,
            };
        }
        let silent_or_right = sample.reference_ua.is_none_or(reference_holds);
        self.tell_test(SelfTest::AnalogReference, silent_or_right);
        self.front_end_speaks = sample.currents_ua.is_some();
    }

    fn look_at_people(&mut self, key: bool) {
        match self.key.look(key, self.now) {
            Some(Pressed::Unlock) => {
                self.unlocked_until = Some(self.now.after(UNLOCKED_S * 1_000));
                self.happens(Happening::Unlocked(true));
            }
            Some(Pressed::AcknowledgeOrReset) => self.acknowledge_or_reset(),
            None => {}
        }
        if self.unlocked_until.is_some_and(|until| self.now >= until) {
            self.lock();
        }
        if self.gateway.look(&self.settings, self.now) {
            self.happens(Happening::GatewaySilent(self.gateway.silent));
        }
    }

    pub(crate) fn lock(&mut self) {
        self.unlocked_until = None;
        self.happens(Happening::Unlocked(false));
    }

    /// The local button means the current occurrence (R11); with nothing to acknowledge it resets what may be reset (R10).
    fn acknowledge_or_reset(&mut self) {
        self.fire();
        let sounds = self.judge.sounds();
        let action = if sounds == 0 {
            Action::Reset
        } else {
            Action::Acknowledge { occurrence: None }
        };
        for number in 0..ALARMS as u8 {
            let latched = |alarm: &Alarm| alarm.shown() == Shown::LatchedAcknowledged;
            let meant = if sounds == 0 {
                self.judge.alarm(number).is_some_and(latched)
            } else {
                sounds >> number & 1 != 0
            };
            if meant {
                // What is refused stays as it is, and its state shows it.
                let _refused = self.act(number, action, Actor::default());
            }
        }
    }

    /// What is due by now, before whoever acts now: to be called before one looks at what to act upon (R2).
    pub(crate) fn fire(&mut self) {
        let mut teller = Teller {
            events: &mut self.events,
            kept: self.kept,
            any: false,
        };
        self.judge.fire(&self.settings, self.now, &mut teller);
        if teller.any {
            self.keep();
        }
    }

    /// After [`Self::fire`].
    pub(crate) fn act(
        &mut self,
        number: u8,
        action: Action,
        actor: Actor,
    ) -> Result<(), davy_alarm::Refusal> {
        let mut teller = Teller {
            events: &mut self.events,
            kept: self.kept,
            any: false,
        };
        let acted = self.judge.act(number, action, actor, self.now, &mut teller);
        if teller.any {
            self.keep();
        }
        acted
    }

    fn judge_all(&mut self, feedback: u8) {
        self.feedback = feedback;
        let mut teller = Teller {
            events: &mut self.events,
            kept: self.kept,
            any: false,
        };
        self.judge
            .step(&self.settings, &self.sensed, self.now, &mut teller);
        let used = self.settings.relays.iter().enumerate();
        let used = used.fold(0, |bits, (nth, relay)| {
            bits | u8::from(relay.is_in_use()) << nth
        });
        self.judge
            .feedback((feedback ^ self.coils) & used, self.now, &mut teller);
        if teller.any {
            self.keep();
        }
        let failed = |relay| {
            self.judge
                .alarm(AlarmId::RelayFailed { relay }.number())
                .is_some_and(Alarm::is_active)
        };
        let holds = !(0..4).any(failed);
        self.tell_test(SelfTest::RelayFeedback, holds);
    }

    /// Decides over the relays by what is known at this moment.
    pub(crate) fn drive(&mut self) {
        self.kept.note_line(self.requested, self.gateway.silent);
        let causes = Causes {
            alarms: self.judge.demands(),
            horn: self.judge.sounds() != 0,
            requested: self.requested,
            gateway_silent: self.gateway.silent,
        };
        let changed = self.relaying.decide(&self.settings, causes, self.now);
        self.coils = coils(&self.settings, self.relaying.demanded);
        for number in (0..4_u8).filter(|number| changed >> number & 1 != 0) {
            let demanded = self.relaying.demanded >> number & 1 != 0;
            self.happens(Happening::Relay { number, demanded });
        }
    }

    pub(crate) fn happens(&mut self, what: Happening) {
        self.events.add(self.kept, what, self.now);
    }

    fn keep(&mut self) {
        self.kept.keep(&self.judge.states());
    }

    /// Takes another configuration over: alarms that it has too stay what they are, those that it no longer has end, and say so.
    pub(crate) fn reconfigure(&mut self, settings: Settings) {
        self.fire();
        let mut teller = Teller {
            events: &mut self.events,
            kept: self.kept,
            any: false,
        };
        self.judge.refit(&settings, self.now, &mut teller);
        self.settings = settings;
        self.keep();
    }

    fn answer(&mut self, heard: Heard) -> Option<&[u8]> {
        if heard == Heard::Nothing {
            return None;
        }
        let mut request = [0; crate::frames::MOST_BYTES];
        let asked = self.frames.request();
        let length = asked.len();
        request.get_mut(..length)?.copy_from_slice(asked);
        self.gateway.asked(&self.settings, self.now);
        self.answered = self.answered.saturating_add(1);
        let mut answer = core::mem::replace(&mut self.answer, Answer::empty());
        let request = request.get(..length)?;
        serve(self, request, &mut answer);
        self.answer = answer;
        // To all: carried out, never answered.
        (request.first() != Some(&0)).then(|| self.answer.bytes())
    }
}

fn reset_cause(written: u32, was_kept: bool) -> ResetCause {
    match written {
        _ if !was_kept => ResetCause::Power,
        3 => ResetCause::Panic,
        4 => ResetCause::Fault,
        5 => ResetCause::Asked,
        // Nobody said why: the watchdog did it.
        _ => ResetCause::Watchdog,
    }
}

/// Version and block in flash, and whether what lies there can be read; version 0 and nothing where none was ever committed.
fn configuration(flash: &impl Flash) -> (u16, Block, bool) {
    let Some((sequence, bytes)) = CONFIG.load(flash) else {
        return (0, Block::of(&Settings::EMPTY), true);
    };
    let mut block = Block::ZERO;
    for (word, bytes) in block.0.iter_mut().zip(bytes.as_chunks().0) {
        *word = u16::from_be_bytes(*bytes);
    }
    let readable = block.settings().is_ok();
    (u16::try_from(sequence).unwrap_or(u16::MAX), block, readable)
}

/// What the channel's status register says of it.
pub(crate) fn absent(sensed: &Sensed) -> Option<NoValue> {
    sensed.value.err()
}
