//! The plant of the edge benchmark: ten Modbus TCP units in one process, whose answers can be recognised on MQTT.
//!
//! Register 0 of a unit's answer counts that unit's reads; the others move with it, so that no reading is ever a repetition. The moment
//! each answer left is kept under (unit, count): a message that carries the count gives register-to-MQTT latency.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Units of the benchmark, numbered from 1.
pub const UNITS: u8 = 10;
/// Holding registers of each unit.
pub const REGISTERS: u16 = 100;

/// When each answer left, by unit (position `unit − 1`) and count (position `count − 1`).
type Answers = Arc<Mutex<Vec<Vec<Instant>>>>;

/// A running simulator; its threads end with the process or when the client hangs up.
#[derive(Debug)]
pub struct Simulator {
    pub port: u16,
    answers: Answers,
}

impl Simulator {
    /// Listens on a free loopback port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let answers: Answers = Arc::new(Mutex::new(vec![Vec::new(); usize::from(UNITS)]));
        let shared = answers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = shared.clone();
                std::thread::spawn(move || serve(stream, &answers));
            }
        });
        Ok(Self { port, answers })
    }

    /// When the answer with this count (from 1) left the unit.
    pub fn sent(&self, unit: u8, count: u16) -> Option<Instant> {
        lock(&self.answers).get(usize::from(unit) - 1)?.get(usize::from(count) - 1).copied()
    }

    /// The moments of one unit's answers, in order.
    pub fn answers_of(&self, unit: u8) -> Vec<Instant> {
        lock(&self.answers)[usize::from(unit) - 1].clone()
    }

    /// Forgets everything, for the next candidate.
    pub fn clear(&self) {
        lock(&self.answers).iter_mut().for_each(Vec::clear);
    }
}

/// Answers function 3 alone; anything else gets exception 1.
fn serve(mut stream: TcpStream, answers: &Answers) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut request = [0_u8; 12];
    loop {
        stream.read_exact(&mut request).ok()?;
        let [t1, t2, _, _, _, _, unit, function, a1, a2, n1, n2] = request;
        let (first, count) = (u16::from_be_bytes([a1, a2]), u16::from_be_bytes([n1, n2]));
        let mut answer = vec![t1, t2, 0, 0, 0, 0, unit];
        if function == 3 && (1..=UNITS).contains(&unit) && count <= 125 && first.saturating_add(count) <= REGISTERS {
            let reads = next_count(answers, unit, first);
            answer.extend([3, (count * 2) as u8]);
            answer.extend((first..first + count).flat_map(|register| reads.wrapping_add(register * 7).to_be_bytes()));
        } else {
            answer.extend([function | 0x80, 1]);
        }
        let length = (answer.len() - 6) as u16;
        answer[4..6].copy_from_slice(&length.to_be_bytes());
        stream.write_all(&answer).ok()?;
    }
}

/// Counts a read that begins at register 0; a continued read of the same poll keeps its count.
fn next_count(answers: &Answers, unit: u8, first: u16) -> u16 {
    let mut answers = lock(answers);
    let moments = &mut answers[usize::from(unit) - 1];
    if first == 0 || moments.is_empty() {
        moments.push(Instant::now());
    }
    moments.len() as u16
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
