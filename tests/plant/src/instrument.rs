//! From the physical value to what the instrument senses: noise, drift, a stuck or broken sensor, or a value that a test holds.

use crate::image::{Sensing, State};
use crate::layout::Channel;
use crate::noise::Noise;

/// What is wrong with an instrument, or held by hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ailment {
    pub state: State,
    /// Offset in the point's unit.
    pub drift: f64,
    pub stuck: bool,
}

/// One instrument.
#[derive(Debug)]
pub struct Instrument {
    pub channel: Channel,
    /// Value and state that a test or a person set, which overrule process and scenarios.
    pub held: Option<f64>,
    pub held_state: Option<State>,
    last: f64,
}

impl Instrument {
    pub fn new(channel: Channel) -> Self {
        Self {
            channel,
            held: None,
            held_state: None,
            last: 0.0,
        }
    }

    /// What it senses of `physical`, in the point's unit.
    pub fn sense(&mut self, physical: f64, ailment: Ailment, noise: &mut Noise) -> Sensing {
        if !ailment.stuck {
            self.last = physical + ailment.drift + self.channel.noise * noise.bell();
        }
        Sensing {
            channel: self.channel.at,
            value: self.held.unwrap_or(self.last),
            range: self.channel.range,
            state: self.held_state.unwrap_or(ailment.state),
        }
    }

    /// What it last sensed, in the point's unit.
    pub fn value(&self) -> f64 {
        self.held.unwrap_or(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::channel;
    use crate::process::Source;

    #[test]
    fn a_stuck_sensor_repeats_and_a_drifting_one_wanders() {
        let source = Source::Gas(0);
        let mut instrument = Instrument::new(channel(1, "GT", (0.0, 100.0), source));
        let mut noise = Noise::seeded(3);
        let first = instrument.sense(10.0, Ailment::default(), &mut noise).value;
        let stuck = Ailment {
            stuck: true,
            ..Ailment::default()
        };
        assert_eq!(instrument.sense(80.0, stuck, &mut noise).value, first);
        let drift = Ailment {
            drift: 20.0,
            ..Ailment::default()
        };
        assert!((instrument.sense(10.0, drift, &mut noise).value - 30.0).abs() < 1.0);
    }

    #[test]
    fn a_held_value_overrules_the_process_without_noise() {
        let source = Source::Gas(0);
        let mut instrument = Instrument::new(channel(1, "GT", (0.0, 100.0), source));
        instrument.held = Some(55.0);
        let sensing = instrument.sense(0.0, Ailment::default(), &mut Noise::seeded(1));
        assert_eq!(sensing.value, 55.0);
    }
}
