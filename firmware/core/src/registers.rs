//! The node as its register map shows it. Every register of the map is served here: the match has no arm for the rest.

use crate::banks::Flash;
use crate::events;
use crate::node::{CONFIG, CONFIG_BYTES, Node, absent};
use crate::request::Exception;
use crate::server::{Identity, Registers};
use davy_alarm::{Action, Actor, Alarm};
use davy_wire::node::{Block, Happening, Id, MAP_VERSION, Place, Refusal, channel_status};

/// Word `word` of `width` words, most significant first.
pub(crate) const fn word_of(value: u64, width: u16, word: u16) -> u16 {
    (value >> (16 * (width - 1 - word))) as u16
}

impl<F: Flash> Registers for Node<'_, F> {
    fn read(&self, place: Place) -> u16 {
        let Place { id, element, word } = place;
        let nth = usize::from(element);
        let bit = |bits: u8| u16::from(bits >> element & 1);
        match id {
            Id::RelayRequest => bit(self.requested),
            Id::AlarmActive => u16::from(self.alarm(element).is_some_and(Alarm::is_active)),
            Id::RelayDemand => bit(self.relaying.demanded),
            Id::RelayEnergised => bit(self.coils),
            Id::RelayFeedback => bit(self.feedback),
            Id::KeyPressed => u16::from(self.key.is_pressed()),
            Id::Heartbeat => self.gateway.heartbeat(),
            Id::ClockSet | Id::WallMs => word_of(
                self.events.wall_ms(self.now).unwrap_or(0).cast_unsigned(),
                4,
                word,
            ),
            Id::Acknowledge => 0,
            Id::Commit | Id::ConfigCrc => word_of(u64::from(self.active_crc), 2, word),
            Id::Staged => self.staged.0.get(usize::from(word)).copied().unwrap_or(0),
            Id::MapVersion => MAP_VERSION,
            Id::FirmwareVersion => self.firmware.get(nth).copied().unwrap_or(0),
            Id::ConfigVersion => self.config_version,
            Id::UptimeMs => word_of(self.now.since(self.started), 4, word),
            Id::BootCount => u16::try_from(self.kept.boot).unwrap_or(u16::MAX),
            Id::ResetCause => self.cause.code(),
            Id::SelfTest => self.health.failed,
            Id::StackFree => self.health.stack_free,
            Id::LoopMaxUs => self.health.loop_max_us,
            Id::AnswerUs => self.health.answer_us,
            Id::AnswerMaxUs => self.health.answer_max_us,
            Id::TimeQuality => u16::from(self.events.wall_ms(self.now).is_some()),
            Id::UnlockedS => self.unlocked_s(),
            Id::GatewaySilentS => self.gateway.silent_s(self.now),
            Id::GatewaySilent => u16::from(self.gateway.silent),
            Id::HeartbeatOut => self.heartbeat,
            Id::Horn => u16::from(self.judge.sounds() != 0),
            Id::Refusal => self.refusal.map_or(0, Refusal::code),
            Id::BadField => self.bad_field,
            Id::Frames => word_of(u64::from(self.answered), 2, word),
            Id::BadFrames => word_of(u64::from(self.frames.thrown_away()), 2, word),
            Id::EventOldest => word_of(u64::from(self.events.oldest()), 2, word),
            Id::EventNext => word_of(u64::from(self.events.next()), 2, word),
            Id::EventFirst => word_of(u64::from(self.kept.first_event), 2, word),
            Id::ChannelValue => {
                let value = self.sensed.get(nth).and_then(|sensed| sensed.value.ok());
                word_of(u64::from(value.unwrap_or(0).cast_unsigned()), 2, word)
            }
            Id::ChannelStatus => self.channel_status(nth),
            Id::ChannelUncertain => {
                let bits = self.sensed.iter().enumerate();
                bits.fold(0, |bits, (nth, sensed)| {
                    bits | u16::from(sensed.uncertain) << nth
                })
            }
            Id::ChannelCurrent => self.sensed.get(nth).map_or(0, |sensed| sensed.current_ua),
            Id::AlarmState => self.alarm(element).map_or(0, alarm_state),
            Id::AlarmOccurrence => self
                .alarm(element)
                .map_or(0, |alarm| alarm.occurrence() as u16),
            Id::Active => self.active.0.get(usize::from(word)).copied().unwrap_or(0),
            Id::Event => events::word(self.kept, element, word),
            Id::UpdateOffer | Id::UpdateBlock => 0,
            Id::UpdateCommit
            | Id::UpdateBoard
            | Id::UpdateTrust
            | Id::UpdateSlot
            | Id::UpdateFree
            | Id::UpdateRoom
            | Id::UpdateNext
            | Id::UpdateCrc
            | Id::UpdateLength
            | Id::SlotStates
            | Id::SlotWhy
            | Id::SlotVersions
            | Id::TrialS
            | Id::SlotCrcs => self.update_word(id, element, word),
        }
    }

    fn write(&mut self, place: Place, bytes: &[u8]) -> Result<(), Exception> {
        self.refusal = None;
        match place.id {
            Id::Heartbeat => {
                let [value] = words(bytes)?;
                self.gateway.beat(value, &self.settings, self.now);
                Ok(())
            }
            Id::ClockSet if place.word == 0 => self.set_clock(words(bytes)?),
            Id::Acknowledge if place.word == 0 => self.acknowledge(words(bytes)?),
            Id::Commit if place.word == 0 => {
                let [high, low] = words(bytes)?;
                self.commit(u32::from(high) << 16 | u32::from(low))
            }
            Id::Staged => self.stage(place.word, bytes),
            Id::UpdateOffer | Id::UpdateBlock | Id::UpdateCommit if place.word == 0 => {
                self.write_update(place.id, bytes)
            }
            _ => Err(Exception::Value),
        }
    }

    fn write_coils(&mut self, first: u16, count: u16, bits: &[u8]) -> Result<(), Exception> {
        for nth in 0..count {
            let byte = bits.get(usize::from(nth / 8)).copied().unwrap_or(0);
            let bit = 1_u8
                .checked_shl(u32::from(first.saturating_add(nth)))
                .unwrap_or(0);
            if byte >> (nth % 8) & 1 != 0 {
                self.requested |= bit;
            } else {
                self.requested &= !bit;
            }
        }
        Ok(())
    }

    fn identity(&self, object: u8) -> Identity {
        match object {
            0 => Identity::of(b"Davy"),
            1 => Identity::of(b"davy-node"),
            _ => Identity::of_version(self.firmware),
        }
    }
}

impl<F: Flash> Node<'_, F> {
    fn alarm(&self, element: u16) -> Option<&Alarm> {
        self.judge.alarm(u8::try_from(element).ok()?)
    }

    fn channel_status(&self, nth: usize) -> u16 {
        let in_use = self.settings.channels.get(nth).is_some_and(Option::is_some);
        match self.sensed.get(nth) {
            Some(sensed) if in_use => channel_status::of(absent(sensed)),
            _ => channel_status::NOT_IN_USE,
        }
    }

    fn unlocked_s(&self) -> u16 {
        let left = self.unlocked_until.map_or(0, |until| until.since(self.now));
        u16::try_from(left.div_ceil(1_000)).unwrap_or(u16::MAX)
    }

    pub(crate) fn refuse(&mut self, why: Refusal, exception: Exception) -> Result<(), Exception> {
        self.refusal = Some(why);
        Err(exception)
    }

    fn set_clock(&mut self, words: [u16; 4]) -> Result<(), Exception> {
        let bits = words
            .iter()
            .fold(0_u64, |bits, word| bits << 16 | u64::from(*word));
        self.events.set_wall(bits.cast_signed(), self.now);
        self.happens(Happening::ClockSet);
        Ok(())
    }

    /// From the wire: it names the occurrence that it saw (R11).
    fn acknowledge(&mut self, [number, occurrence]: [u16; 2]) -> Result<(), Exception> {
        self.fire();
        let Some(alarm) = self.alarm(number) else {
            return self.refuse(Refusal::NoSuchAlarm, Exception::Value);
        };
        let current = alarm.occurrence();
        if current as u16 != occurrence {
            return self.refuse(Refusal::Occurrence, Exception::Value);
        }
        let actor = Actor {
            remote: true,
            maintenance: false,
        };
        let action = Action::Acknowledge {
            occurrence: Some(current),
        };
        match self.act(number as u8, action, actor) {
            Ok(()) => Ok(()),
            Err(davy_alarm::Refusal::UnknownAlarm) => {
                self.refuse(Refusal::NoSuchAlarm, Exception::Value)
            }
            Err(_) => self.refuse(Refusal::NothingToAcknowledge, Exception::Value),
        }
    }

    fn stage(&mut self, first: u16, bytes: &[u8]) -> Result<(), Exception> {
        if self.unlocked_until.is_none() {
            return self.refuse(Refusal::Locked, Exception::Function);
        }
        let places = self.staged.0.iter_mut().skip(usize::from(first));
        for (place, bytes) in places.zip(bytes.as_chunks().0) {
            *place = u16::from_be_bytes(*bytes);
        }
        Ok(())
    }

    /// Makes the staged block the configuration: in flash first, then here.
    fn commit(&mut self, crc: u32) -> Result<(), Exception> {
        if self.unlocked_until.is_none() {
            return self.refuse(Refusal::Locked, Exception::Function);
        }
        if self.staged.crc() != crc {
            return self.refuse(Refusal::Crc, Exception::Value);
        }
        let settings = match self.staged.settings() {
            Ok(settings) => settings,
            Err(wrong) => {
                self.bad_field = wrong.word;
                return self.refuse(Refusal::Block, Exception::Value);
            }
        };
        let Ok(sequence) = CONFIG.store(&mut self.flash, &bytes_of(&self.staged)) else {
            return self.refuse(Refusal::Flash, Exception::Failure);
        };
        self.active = self.staged.clone();
        self.active_crc = crc;
        self.config_version = u16::try_from(sequence).unwrap_or(u16::MAX);
        self.reconfigure(settings);
        self.happens(Happening::Configured {
            version: self.config_version,
        });
        self.lock();
        Ok(())
    }
}

fn bytes_of(block: &Block) -> [u8; CONFIG_BYTES] {
    let mut bytes = [0; CONFIG_BYTES];
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(block.0) {
        *place = word.to_be_bytes();
    }
    bytes
}

pub(crate) fn words<const N: usize>(bytes: &[u8]) -> Result<[u16; N], Exception> {
    let (pairs, rest) = bytes.as_chunks();
    if pairs.len() != N || !rest.is_empty() {
        return Err(Exception::Value);
    }
    let mut words = [0; N];
    words
        .iter_mut()
        .zip(pairs)
        .for_each(|(word, pair)| *word = u16::from_be_bytes(*pair));
    Ok(words)
}

fn alarm_state(alarm: &Alarm) -> u16 {
    u16::from(alarm.shown().code())
        | u16::from(alarm.is_active()) << 8
        | u16::from(alarm.is_latched()) << 9
        | u16::from(alarm.demands()) << 10
}
