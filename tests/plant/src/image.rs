//! What a device's registers hold for what it senses, model by model, as the makers' manuals say (register maps: facts of the manuals,
//! each pinned by a test below). Addresses here are zero-based PDU addresses: 40003 is holding 2, 30129 is input 128.

use crate::modbus::Registers;

/// The device models of the simulated plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    HoneywellXnx,
    HoneywellTouchPointPro,
    MsaUltimaX3,
    RkiM2a,
    Sierra5100,
    RaeGuard3,
    Rosemount5300,
    MoxaE1200Ai,
    DongxinSf6O2,
    /// Sixteen relays on coils 0–15 and sixteen contacts on discrete inputs 0–15.
    RelayModule,
    /// Sixteen loops as microamperes on inputs 0–15.
    LoopModule,
}

/// How an instrument is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    Measuring,
    WarmUp,
    Calibration,
    /// Alarm outputs inhibited, as for maintenance.
    Inhibit,
    SensorFault,
    /// The wire of the 4–20 mA loop is broken; an instrument without a loop reports a sensor fault.
    BrokenLoop,
}

/// One channel as it senses now.
#[derive(Clone, Copy, Debug)]
pub struct Sensing {
    /// Channel of the device, from 1.
    pub channel: u16,
    /// Physical value in the point's engineering unit; a contact is 0 or 1.
    pub value: f64,
    /// Measuring range of the channel, low < high.
    pub range: (f64, f64),
    pub state: State,
}

impl Sensing {
    fn over(&self) -> bool {
        self.value > self.range.1 * 1.05
    }

    fn clamped(&self) -> f64 {
        self.value.clamp(self.range.0, self.range.1)
    }

    fn failed(&self) -> bool {
        matches!(self.state, State::SensorFault | State::BrokenLoop)
    }

    /// Loop current in mA: 4–20 over the range, held at 3.8 and 20.5 beyond it; 0 when the loop is broken, 3.0 in fault (below NE43's 3.6).
    fn loop_ma(&self) -> f64 {
        match self.state {
            State::BrokenLoop => 0.0,
            State::SensorFault => 3.0,
            State::WarmUp | State::Calibration | State::Inhibit => 3.3,
            State::Measuring => {
                let (low, high) = self.range;
                (4.0 + 16.0 * (self.value - low) / (high - low)).clamp(3.8, 20.5)
            }
        }
    }
}

/// Writes what the device shows into its registers. Coils belong to whoever writes them and are only created, never changed.
pub fn show(model: Model, base: u16, sensings: &[Sensing], registers: &mut Registers) {
    if model == Model::RelayModule {
        (0..16).for_each(|coil| {
            registers.coils.entry(coil).or_insert(false);
            registers.discretes.entry(coil).or_insert(false);
        });
    }
    for sensing in sensings {
        match model {
            Model::HoneywellXnx => xnx(sensing, registers),
            Model::HoneywellTouchPointPro => touch_point_pro(sensing, registers),
            Model::MsaUltimaX3 => ultima_x3(sensing, base, registers),
            Model::RkiM2a => rki_m2a(sensing, registers),
            Model::Sierra5100 => sierra(sensing, registers),
            Model::RaeGuard3 => rae_guard(sensing, registers),
            Model::Rosemount5300 => rosemount(sensing, registers),
            Model::MoxaE1200Ai => moxa(sensing, registers),
            Model::DongxinSf6O2 => dongxin(sensing, registers),
            Model::RelayModule => contact(sensing, registers),
            Model::LoopModule => loop_module(sensing, registers),
        }
    }
}

/// A float in two registers, most significant word first (ABCD).
fn float(value: f64) -> [(u16, u16); 2] {
    let bits = (value as f32).to_bits();
    [(0, (bits >> 16) as u16), (1, bits as u16)]
}

/// 40003–4 float, 40005 code (1000–1999 fault, 1–999 warning), 40006 bits 0 AL1, 1 AL2, 4 warning, 6 fault.
/// In inhibit, and while it warms up, the transmitter forces its concentration to 0.
fn xnx(sensing: &Sensing, registers: &mut Registers) {
    let span = sensing.range.1 - sensing.range.0;
    let (value, code, mut bits) = match sensing.state {
        State::Measuring => (sensing.value.min(sensing.range.1 * 1.1), 0, 0),
        State::WarmUp => (0.0, 2, 1 << 4),
        State::Calibration | State::Inhibit => (0.0, 5, 1 << 4),
        State::SensorFault | State::BrokenLoop => (0.0, 1002, 1 << 6),
    };
    bits |= u16::from(value >= sensing.range.0 + span * 0.25);
    bits |= u16::from(value >= sensing.range.0 + span * 0.5) << 1;
    for (at, word) in float(value) {
        registers.holdings.insert(2 + at, word);
    }
    registers.holdings.insert(4, code);
    registers.holdings.insert(5, bits);
}

/// Inputs 30129+2(n−1) float, 30065+(n−1) status: 0 OK, 4–6 A1–A3, 7 fault, 8 inhibit, 11 and up no data.
fn touch_point_pro(sensing: &Sensing, registers: &mut Registers) {
    let at = sensing.channel - 1;
    let (status, value) = match sensing.state {
        State::Measuring => (0, sensing.clamped()),
        State::WarmUp | State::Calibration => (11, 0.0),
        State::Inhibit => (8, 0.0),
        State::SensorFault | State::BrokenLoop => (7, 0.0),
    };
    registers.inputs.insert(64 + at, status);
    for (word_at, word) in float(value) {
        registers.inputs.insert(128 + 2 * at + word_at, word);
    }
}

/// base+201 status (0 fault, 1–3 calibration, 4 warm-up, 5, 6, 7 low, mid, high range), +202 faults, +207/209/211 floats.
fn ultima_x3(sensing: &Sensing, base: u16, registers: &mut Registers) {
    let third = (sensing.range.1 - sensing.range.0) / 3.0;
    let measuring = match (sensing.value - sensing.range.0) / third {
        share if share < 1.0 => 5,
        share if share < 2.0 => 6,
        _ => 7,
    };
    let (status, faults) = match sensing.state {
        State::Measuring => (measuring, 0),
        State::WarmUp => (4, 0),
        State::Calibration | State::Inhibit => (1, 0),
        State::SensorFault | State::BrokenLoop => (0, 1),
    };
    registers.holdings.insert(base + 201, status);
    registers.holdings.insert(base + 202, faults);
    for gap in 203..213 {
        registers.holdings.entry(base + gap).or_insert(0);
    }
    for at in [207, 209, 211] {
        for (word_at, word) in float(sensing.clamped()) {
            registers.holdings.insert(base + at + word_at, word);
        }
    }
}

/// R1: bit 15 sign, 14–13 decimals, 12–0 magnitude. R2: 15–12 state (2 normal, 3 warm-up, 4 fail, 5 calibration), 8 fail, 7–6 and 5–4 alarms (3 over-scale).
fn rki_m2a(sensing: &Sensing, registers: &mut Registers) {
    let state = match sensing.state {
        State::Measuring => 2,
        State::WarmUp => 3,
        State::SensorFault | State::BrokenLoop => 4,
        State::Calibration | State::Inhibit => 5,
    };
    let alarms = if sensing.over() { 0b1111 << 4 } else { 0 };
    let fail = u16::from(sensing.failed()) << 8;
    registers
        .holdings
        .insert(1, sign_magnitude(sensing.clamped()));
    registers.holdings.insert(2, state << 12 | fail | alarms);
}

/// One decimal as long as the magnitude fits 13 bits.
fn sign_magnitude(value: f64) -> u16 {
    let tenths = (value.abs() * 10.0).round();
    let (decimals, magnitude) = if tenths <= 8191.0 {
        (1u16, tenths as u16)
    } else {
        (0, value.abs().round().min(8191.0) as u16)
    };
    u16::from(value < 0.0) << 15 | decimals << 13 | magnitude
}

/// 40001 gas, 40002 °C × 10, 40012 trouble, 40013/14 alarms unlatched. Channel 1 is the gas, channel 2 the temperature.
fn sierra(sensing: &Sensing, registers: &mut Registers) {
    for address in 0..22 {
        registers.holdings.entry(address).or_insert(0);
    }
    registers.holdings.insert(21, 1);
    if sensing.channel == 2 {
        let tenths = (sensing.value * 10.0).round() as i16;
        registers.holdings.insert(1, tenths as u16);
        return;
    }
    let value = sensing.clamped();
    let trouble = u16::from(sensing.state != State::Measuring);
    registers.holdings.insert(0, value.round().max(0.0) as u16);
    registers.holdings.insert(11, trouble);
    registers
        .holdings
        .insert(12, u16::from(value >= sensing.range.1 * 0.25));
    registers
        .holdings
        .insert(13, u16::from(value >= sensing.range.1 * 0.5));
}

/// Address 8, two registers: concentration as u32, and nothing else; a failed sensor shows 0.
fn rae_guard(sensing: &Sensing, registers: &mut Registers) {
    let value = if sensing.state == State::Measuring {
        sensing.clamped().round().max(0.0) as u32
    } else {
        0
    };
    registers.holdings.insert(8, (value >> 16) as u16);
    registers.holdings.insert(9, value as u16);
}

/// Inputs 1300 status (bits 0–3 invalid value 1–4, 14 busy), floats 1302, 1304, 1306, 1308.
/// All four answer, whatever is measured.
fn rosemount(sensing: &Sensing, registers: &mut Registers) {
    for address in 1300..1310 {
        registers.inputs.entry(address).or_insert(0);
    }
    let status = registers.inputs.entry(1300).or_insert(0);
    let invalid = 1 << (sensing.channel - 1);
    *status &= !(invalid | 1 << 14);
    *status |= if sensing.failed() { invalid } else { 0 };
    *status |= u16::from(sensing.state == State::WarmUp) << 14;
    for (word_at, word) in float(sensing.clamped()) {
        registers
            .inputs
            .insert(1300 + 2 * sensing.channel + word_at, word);
    }
}

/// Inputs 30001 ff. 0–65535 over 4–20 mA, 30066 ff. status 0 normal, 1 burn-out, 2 over, 3 under. Every channel of the eight answers.
fn moxa(sensing: &Sensing, registers: &mut Registers) {
    for address in 0..73 {
        registers.inputs.entry(address).or_insert(0);
    }
    let ma = sensing.loop_ma();
    let status = match ma {
        ma if ma < 2.0 => 1,
        ma if ma < 3.7 => 3,
        ma if ma > 20.4 => 2,
        _ => 0,
    };
    let raw = ((ma - 4.0) / 16.0 * 65535.0).round().clamp(0.0, 65535.0);
    registers.inputs.insert(sensing.channel - 1, raw as u16);
    registers.inputs.insert(64 + sensing.channel, status);
}

/// Holding 0 SF6 ppm (channel 1), holding 1 O2: high byte the integer, low byte tenths (channel 2; 0x1409 = 20.9).
fn dongxin(sensing: &Sensing, registers: &mut Registers) {
    let word = if sensing.channel == 1 {
        sensing.clamped().round().max(0.0) as u16
    } else {
        let tenths = (sensing.clamped() * 10.0).round() as u16;
        ((tenths / 10) << 8) | (tenths % 10)
    };
    registers.holdings.insert(sensing.channel - 1, word);
}

fn contact(sensing: &Sensing, registers: &mut Registers) {
    registers
        .discretes
        .insert(sensing.channel - 1, sensing.value >= 0.5);
}

fn loop_module(sensing: &Sensing, registers: &mut Registers) {
    let microamperes = (sensing.loop_ma() * 1000.0).round() as u16;
    for address in 0..16 {
        registers.inputs.entry(address).or_insert(0);
    }
    registers.inputs.insert(sensing.channel - 1, microamperes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modbus::{answer, seal_rtu};

    fn shown(model: Model, channel: u16, value: f64, high: f64, state: State) -> Registers {
        let mut registers = Registers::default();
        let range = (0.0, high);
        let sensing = Sensing {
            channel,
            value,
            range,
            state,
        };
        show(model, 0, &[sensing], &mut registers);
        registers
    }

    fn float_at(words: &std::collections::BTreeMap<u16, u16>, at: u16) -> f32 {
        f32::from_bits(u32::from(words[&at]) << 16 | u32::from(words[&(at + 1)]))
    }

    #[test]
    fn a_rae_guard_answers_with_the_frame_of_its_manual() {
        let mut registers = shown(Model::RaeGuard3, 1, 209.0, 300.0, State::Measuring);
        let response = answer(&mut registers, &[3, 0, 8, 0, 2]);
        assert_eq!(
            seal_rtu(1, &response),
            [0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0xD1, 0x3A, 0x6F]
        );
    }

    #[test]
    fn a_dongxin_spells_20_9_percent_oxygen_as_0x1409() {
        let registers = shown(Model::DongxinSf6O2, 2, 20.9, 25.0, State::Measuring);
        assert_eq!(registers.holdings[&1], 0x1409);
    }

    #[test]
    fn an_inhibited_xnx_forces_its_concentration_to_zero_and_says_so() {
        let registers = shown(Model::HoneywellXnx, 1, 62.0, 100.0, State::Inhibit);
        assert_eq!(float_at(&registers.holdings, 2), 0.0);
        assert!((1..1000).contains(&registers.holdings[&4]));
        assert_eq!(registers.holdings[&5], 1 << 4);
        let measuring = shown(Model::HoneywellXnx, 1, 62.0, 100.0, State::Measuring);
        assert_eq!(float_at(&measuring.holdings, 2), 62.0);
        assert_eq!(measuring.holdings[&5], 0b11);
    }

    #[test]
    fn an_xnx_fault_has_a_code_in_the_thousands() {
        let registers = shown(Model::HoneywellXnx, 1, 62.0, 100.0, State::SensorFault);
        assert!((1000..2000).contains(&registers.holdings[&4]));
        assert_eq!(registers.holdings[&5], 1 << 6);
    }

    #[test]
    fn an_ultima_x3_tells_warm_up_fault_and_range_by_its_status() {
        for (value, state, status) in [
            (10.0, State::Measuring, 5),
            (150.0, State::Measuring, 6),
            (250.0, State::Measuring, 7),
            (10.0, State::WarmUp, 4),
            (10.0, State::SensorFault, 0),
        ] {
            let registers = shown(Model::MsaUltimaX3, 1, value, 300.0, state);
            assert_eq!(registers.holdings[&201], status);
        }
    }

    #[test]
    fn an_rki_packs_sign_decimals_and_magnitude() {
        assert_eq!(sign_magnitude(-1.5), 1 << 15 | 1 << 13 | 15);
        assert_eq!(sign_magnitude(5000.0), 5000);
        let over = shown(Model::RkiM2a, 1, 200.0, 100.0, State::Measuring);
        assert_eq!(over.holdings[&2], 2 << 12 | 0b1111 << 4);
        let warming = shown(Model::RkiM2a, 1, 0.0, 100.0, State::WarmUp);
        assert_eq!(warming.holdings[&2], 3 << 12);
    }

    #[test]
    fn a_touch_point_channel_has_its_float_and_status_where_the_manual_puts_them() {
        let registers = shown(
            Model::HoneywellTouchPointPro,
            3,
            12.5,
            100.0,
            State::Measuring,
        );
        assert_eq!(float_at(&registers.inputs, 132), 12.5);
        assert_eq!(registers.inputs[&66], 0);
    }

    #[test]
    fn a_broken_loop_is_a_burn_out_at_the_moxa_and_no_current_at_the_loop_module() {
        let moxa = shown(Model::MoxaE1200Ai, 2, 5.0, 10.0, State::BrokenLoop);
        assert_eq!((moxa.inputs[&1], moxa.inputs[&66]), (0, 1));
        let module = shown(Model::LoopModule, 2, 5.0, 10.0, State::BrokenLoop);
        assert_eq!(module.inputs[&1], 0);
        let half = shown(Model::LoopModule, 2, 5.0, 10.0, State::Measuring);
        assert_eq!(half.inputs[&1], 12_000);
    }

    #[test]
    fn a_rosemount_marks_the_invalid_value_alone() {
        let registers = shown(Model::Rosemount5300, 2, 5.0, 10.0, State::SensorFault);
        assert_eq!(registers.inputs[&1300], 0b10);
        assert_eq!(float_at(&registers.inputs, 1304), 5.0);
        assert_eq!(float_at(&registers.inputs, 1308), 0.0);
    }

    #[test]
    fn a_written_coil_survives_the_next_showing() {
        let mut registers = shown(Model::RelayModule, 1, 1.0, 1.0, State::Measuring);
        registers.coils.insert(4, true);
        show(Model::RelayModule, 0, &[], &mut registers);
        assert!(registers.coils[&4] && registers.discretes[&0]);
    }

    #[test]
    fn a_sierra_shows_whole_gas_and_tenths_of_a_degree() {
        let gas = shown(Model::Sierra5100, 1, 26.4, 100.0, State::Measuring);
        assert_eq!(
            (gas.holdings[&0], gas.holdings[&12], gas.holdings[&13]),
            (26, 1, 0)
        );
        let cold = shown(Model::Sierra5100, 2, -1.5, 100.0, State::Measuring);
        assert_eq!(cold.holdings[&1] as i16, -15);
    }
}
