//! A plant: two Modbus servers on one line, values that wander through their limits, and everything that field devices do wrong.

use crate::dice::Dice;
use crate::truth::{Shown, Truth};
use crate::weather::Weather;
use davy_gateway::acquire::{Lines, Plug};
use davy_gateway::clock::Hand;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

pub(crate) const POINTS: [&str; 5] = ["GT-1", "LT-1", "TT-1", "XS-1", "PT-1"];
/// Set-points of the site file.
pub(crate) const GAS_HIGH_HIGH: f64 = 50.0;
pub(crate) const GAS_CLEAR: f64 = 48.0;
/// Functions of Modbus.
const READ_COILS: u8 = 1;
const READ_INPUTS: u8 = 2;
const READ_HOLDING: u8 = 3;
const READ_INPUT: u8 = 4;
const WRITE_COIL: u8 = 5;
/// Registers of the sensor.
const GAS: usize = 0;
const LEVEL: usize = 1;
const PRESSURE: usize = 2;
/// How long the gateway waits for an answer (`timeout_ms` of the site file), and what is too close to it.
const TIMEOUT: Duration = Duration::from_millis(500);
const LAST_MOMENT: Duration = Duration::from_millis(2);
/// The sensor and the relay module.
const SENSOR: u8 = 1;
const MODULE: u8 = 2;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Plant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    dice: Dice,
    weather: Weather,
    hand: &'static Hand,
    /// Connections of an earlier number are cut.
    cut: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    gas: f64,
    gas_aim: f64,
    level: f64,
    pressure: f64,
    temperature: f64,
    spark: bool,
    coils: [bool; 16],
    /// By unit: silent until then.
    dead: [Option<Instant>; 3],
    line_down: Option<Instant>,
    runs: Runs,
    truth: Truth,
}

/// A row of good answers without a fault between, all on one side of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) since: Instant,
    pub(crate) latest: Instant,
    pub(crate) answers: u32,
}

/// What the gateway must have made alarms of by now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    pub(crate) gas_above: Option<Run>,
    pub(crate) gas_below: Option<Run>,
    pub(crate) spark: Option<Run>,
}

impl Plant {
    pub(crate) fn new(dice: Dice, weather: Weather, hand: &'static Hand) -> Self {
        let state = State {
            gas: 3.0,
            gas_aim: 3.0,
            level: 5.0,
            pressure: 500.0,
            temperature: 20.0,
            spark: false,
            coils: [false; 16],
            dead: [None; 3],
            line_down: None,
            runs: Runs::default(),
            truth: Truth::default(),
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            dice,
            weather,
            hand,
            cut: watch::Sender::new(0),
        }))
    }

    /// The gateway's way to its buses.
    pub(crate) fn lines(&self) -> Lines {
        let plant = self.clone();
        let plug: Plug = Arc::new(move |_| {
            let plant = plant.clone();
            Box::pin(async move { plant.open().await })
        });
        Lines::Given(plug)
    }

    /// What holds of the last answers.
    pub(crate) fn runs(&self) -> Runs {
        self.lock().runs
    }

    /// The gateway begins anew and knows nothing of earlier answers.
    pub(crate) fn forget_runs(&self) {
        self.lock().runs = Runs::default();
    }

    /// Whether both servers and the line are there.
    pub(crate) fn is_well(&self) -> bool {
        let state = self.lock();
        let now = Instant::now();
        let is_over = |until: &Option<Instant>| until.is_none_or(|until| until <= now);
        is_over(&state.line_down) && state.dead.iter().all(is_over)
    }

    pub(crate) fn coil(&self, coil: usize) -> bool {
        self.lock().coils[coil]
    }

    /// Whether a recorded reading tells what was shown.
    pub(crate) fn with_truth<T>(&self, ask: impl FnOnce(&mut Truth) -> T) -> T {
        ask(&mut self.lock().truth)
    }

    pub(crate) fn unit_dies(&self, for_time: Duration) {
        let unit = usize::try_from(self.0.dice.between(1, 2)).unwrap_or(1);
        self.lock().dead[unit] = Some(Instant::now() + for_time);
    }

    pub(crate) fn line_breaks(&self, for_time: Duration) {
        // Whoever has no line has no value, also where nobody asked in the meantime.
        self.forget_runs();
        self.lock().line_down = Some(Instant::now() + for_time);
        self.0.cut.send_modify(|number| *number += 1);
    }

    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        (state.dead, state.line_down) = ([None; 3], None);
    }

    async fn open(&self) -> io::Result<DuplexStream> {
        sleep(self.0.dice.ms(1, 20)).await;
        if self
            .lock()
            .line_down
            .is_some_and(|until| until > Instant::now())
        {
            self.forget_runs();
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = tokio::io::duplex(1024);
        let plant = self.clone();
        let cut = self.0.cut.subscribe();
        tokio::spawn(async move { plant.serve(ours, cut).await });
        Ok(theirs)
    }

    async fn serve(self, stream: DuplexStream, mut cut: watch::Receiver<u64>) {
        let (reader, mut writer) = tokio::io::split(stream);
        let (sender, mut requests) = mpsc::channel(8);
        let reading = tokio::spawn(receive(reader, sender));
        loop {
            let (asked, frame) = tokio::select! {
                biased;
                _ = cut.changed() => break,
                request = requests.recv() => match request {
                    Some(request) => request,
                    None => break,
                },
            };
            if !self.answer(&mut writer, asked, frame).await {
                break;
            }
        }
        // The connection is closed once neither half is left.
        reading.abort();
    }

    /// False when the connection breaks.
    async fn answer(&self, stream: &mut Answers, asked: Instant, frame: [u8; 12]) -> bool {
        let unit = frame[6];
        sleep(self.0.dice.ms(1, 15)).await;
        let dead = self.lock().dead.get(usize::from(unit)).copied().flatten();
        if dead.is_some_and(|until| until > Instant::now()) {
            self.forget_runs();
            return true;
        }
        let fault = self.0.dice.one_in(self.0.weather.now().answer_bad);
        if fault {
            self.forget_runs();
            return self.answer_badly(stream, frame).await;
        }
        // It waited behind a late answer: whoever asked has given up, and what it says counts for nothing.
        if asked.elapsed() + LAST_MOMENT >= TIMEOUT {
            self.forget_runs();
            return stream
                .write_all(&enveloped(&frame, &[frame[7] | 0x80, 6]))
                .await
                .is_ok();
        }
        let body = self.good(&frame);
        stream.write_all(&enveloped(&frame, &body)).await.is_ok()
    }

    async fn answer_badly(&self, stream: &mut Answers, mut frame: [u8; 12]) -> bool {
        let exception = [
            frame[7] | 0x80,
            [2, 4, 6, 11][self.0.dice.below(4) as usize],
        ];
        match self.0.dice.below(6) {
            0 => true,
            1 => stream
                .write_all(&enveloped(&frame, &exception))
                .await
                .is_ok(),
            // Too late: what it says is of no instant that counts.
            2 => {
                sleep(Duration::from_millis(900)).await;
                let body = [frame[7], 2, 0xff, 0xff];
                stream.write_all(&enveloped(&frame, &body)).await.is_ok()
            }
            3 => {
                frame[6] ^= 0x10;
                let body = [frame[7], 2, 0, 99];
                stream.write_all(&enveloped(&frame, &body)).await.is_ok()
            }
            4 => stream
                .write_all(&[0xde, 0xad, 0xbe, 0xef, 0, 3, 1, 1, 1])
                .await
                .is_ok(),
            _ => false,
        }
    }

    /// A good answer, noted as true.
    fn good(&self, frame: &[u8; 12]) -> Vec<u8> {
        let (unit, function) = (frame[6], frame[7]);
        let word = |at: usize| usize::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
        let (address, count) = (word(8), word(10));
        let mut state = self.lock();
        match (unit, function) {
            (SENSOR, READ_HOLDING) => {
                self.wander(&mut state);
                let registers = [state.gas, state.level, state.pressure];
                let registers = registers.map(|value| value as u16);
                // A block that was refused is asked for in halves: each shows what is in it alone.
                let asked = address..address + count;
                if asked.contains(&GAS) {
                    self.note_gas(&mut state, f64::from(registers[GAS]));
                }
                if asked.contains(&LEVEL) {
                    self.shows(&mut state, "LT-1", f64::from(registers[LEVEL]) * 0.01);
                }
                if asked.contains(&PRESSURE) {
                    self.shows(&mut state, "PT-1", f64::from(registers[PRESSURE]) * 0.1);
                }
                words(function, &slice(&registers, address, count))
            }
            (SENSOR, READ_INPUT) => {
                let shown = state.temperature as f32;
                let bits = shown.to_bits();
                self.shows(&mut state, "TT-1", f64::from(shown));
                let registers = [bits as u16, (bits >> 16) as u16];
                words(
                    function,
                    &slice(&registers, address.saturating_sub(10), count),
                )
            }
            (SENSOR, READ_INPUTS) => {
                let spark = state.spark;
                self.note_spark(&mut state, spark);
                vec![function, 1, u8::from(spark)]
            }
            (MODULE, READ_COILS) => bits(function, &state.coils, address, count),
            (MODULE, WRITE_COIL) => {
                if let Some(coil) = state.coils.get_mut(address) {
                    *coil = frame[10] == 0xff;
                }
                frame[7..12].to_vec()
            }
            _ => vec![function | 0x80, 1],
        }
    }

    /// The process moves on.
    fn wander(&self, state: &mut State) {
        let dice = &self.0.dice;
        if dice.one_in(150) {
            state.gas_aim = [2.0, 4.0, 15.0, 30.0, 80.0][dice.below(5) as usize];
        }
        state.gas = (state.gas + (state.gas_aim - state.gas) * 0.3 + dice.share() * 2.0 - 1.0)
            .clamp(0.0, 100.0);
        state.level = (state.level + dice.share() * 20.0 - 10.0).clamp(50.0, 990.0);
        state.pressure = (state.pressure + dice.share() * 40.0 - 20.0).clamp(0.0, 990.0);
        state.temperature = (state.temperature + dice.share() - 0.5).clamp(-20.0, 75.0);
        if dice.one_in(if state.spark { 10 } else { 300 }) {
            state.spark = !state.spark;
        }
    }

    fn note_gas(&self, state: &mut State, value: f64) {
        self.shows(state, "GT-1", value);
        state.runs.gas_above = run(state.runs.gas_above, value >= GAS_HIGH_HIGH);
        state.runs.gas_below = run(state.runs.gas_below, value < GAS_CLEAR);
    }

    fn note_spark(&self, state: &mut State, spark: bool) {
        self.shows(state, "XS-1", f64::from(u8::from(spark)));
        state.runs.spark = run(state.runs.spark, spark);
    }

    fn shows(&self, state: &mut State, point: &'static str, value: f64) {
        let (at, wall) = (Instant::now(), self.0.hand.now());
        state.truth.shows(point, Shown { at, wall, value });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The half of a connection that answers go out by.
type Answers = WriteHalf<DuplexStream>;

/// Requests with the instant at which they came. Those of our functions are all of this length; others do not come.
async fn receive(mut stream: ReadHalf<DuplexStream>, requests: mpsc::Sender<(Instant, [u8; 12])>) {
    loop {
        let mut frame = [0; 12];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        if requests.send((Instant::now(), frame)).await.is_err() {
            return;
        }
    }
}

fn run(before: Option<Run>, goes_on: bool) -> Option<Run> {
    let now = Instant::now();
    let fresh = Run {
        since: now,
        latest: now,
        answers: 0,
    };
    goes_on.then(|| {
        let before = before.unwrap_or(fresh);
        Run {
            latest: now,
            answers: before.answers + 1,
            ..before
        }
    })
}

fn enveloped(request: &[u8; 12], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
    let mut frame = request[..4].to_vec();
    frame.extend(length.to_be_bytes());
    frame.push(request[6]);
    frame.extend(body);
    frame
}

fn slice(registers: &[u16], address: usize, count: usize) -> Vec<u16> {
    let at = |place| registers.get(address + place).copied().unwrap_or_default();
    (0..count).map(at).collect()
}

fn words(function: u8, registers: &[u16]) -> Vec<u8> {
    let mut body = vec![
        function,
        u8::try_from(registers.len() * 2).unwrap_or(u8::MAX),
    ];
    body.extend(registers.iter().flat_map(|register| register.to_be_bytes()));
    body
}

fn bits(function: u8, coils: &[bool], address: usize, count: usize) -> Vec<u8> {
    let mut bytes = vec![0_u8; count.div_ceil(8)];
    for place in 0..count {
        if coils.get(address + place).copied().unwrap_or_default() {
            bytes[place / 8] |= 1 << (place % 8);
        }
    }
    let mut body = vec![function, u8::try_from(bytes.len()).unwrap_or(u8::MAX)];
    body.extend(bytes);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::EPOCH;
    use crate::weather::Climate;

    fn plant() -> Plant {
        let hand = Box::leak(Box::new(Hand::new(EPOCH)));
        Plant::new(Dice::new(1), Weather::new(Climate::calm()), hand)
    }

    /// A read of `count` holding registers from `address` on.
    const fn read(address: u8, count: u8) -> [u8; 12] {
        let functions = [SENSOR, READ_HOLDING];
        [
            0,
            1,
            0,
            0,
            0,
            6,
            functions[0],
            functions[1],
            0,
            address,
            0,
            count,
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_block_shows_what_is_in_it_alone() {
        let plant = plant();
        plant.good(&read(1, 1));
        assert!(plant.runs().gas_below.is_none());
        plant.good(&read(0, 1));
        assert_eq!(plant.runs().gas_below.map(|run| run.answers), Some(1));
        plant.good(&read(0, 3));
        assert_eq!(plant.runs().gas_below.map(|run| run.answers), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_breaks_ends_what_ran() {
        let plant = plant();
        plant.good(&read(0, 1));
        plant.line_breaks(Duration::from_millis(1));
        assert!(plant.runs().gas_below.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_whoever_has_given_up_counts_for_nothing() {
        let plant = plant();
        let (stream, mut other) = tokio::io::duplex(1024);
        let (_reader, mut writer) = tokio::io::split(stream);
        assert!(plant.answer(&mut writer, Instant::now(), read(0, 1)).await);
        assert!(plant.runs().gas_below.is_some());
        let asked = Instant::now();
        tokio::time::advance(TIMEOUT).await;
        assert!(plant.answer(&mut writer, asked, read(0, 1)).await);
        assert!(plant.runs().gas_below.is_none());
        let mut answers = [0; 11 + 9];
        other
            .read_exact(&mut answers)
            .await
            .expect("both are answered");
        assert_eq!(answers[11 + 7], READ_HOLDING | 0x80);
    }
}
