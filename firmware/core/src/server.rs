//! Answers: a request in, an answer out, over whatever has the registers.

use crate::frames::{MOST_BYTES, crc16};
use crate::request::{Exception, Request};
use davy_wire::node::{Place, Table, Version, locate, place_after};

/// What the server asks of the node.
pub(crate) trait Registers {
    /// The word at a place, or the bit as 0 or 1.
    fn read(&self, place: Place) -> u16;
    /// Writes registers, two bytes each, all of them or none.
    fn write(&mut self, place: Place, bytes: &[u8]) -> Result<(), Exception>;
    /// Writes coils, all of them or none.
    fn write_coils(&mut self, first: u16, count: u16, bits: &[u8]) -> Result<(), Exception>;
    /// Object of the device identification: 0 vendor, 1 product, 2 revision.
    fn identity(&self, object: u8) -> Identity;
}

const CONFORMITY: u8 = 0x81;
const OBJECTS: u8 = 3;
const INDIVIDUAL: u8 = 4;

/// The text of one object of the device identification; what does not fit is left out.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    bytes: [u8; LONGEST_VERSION],
    length: usize,
}

const LONGEST_VERSION: usize = "65535.65535.65535".len();

impl Identity {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut identity = Self {
            bytes: [0; LONGEST_VERSION],
            length: 0,
        };
        text.iter().for_each(|byte| identity.put(*byte));
        identity
    }

    /// Major, minor and patch, points between them.
    pub(crate) fn of_version([major, minor, patch]: Version) -> Self {
        let mut identity = Self::of(&[]);
        identity.put_number(major);
        identity.put(b'.');
        identity.put_number(minor);
        identity.put(b'.');
        identity.put_number(patch);
        identity
    }

    fn put_number(&mut self, number: u16) {
        for unit in [10_000, 1_000, 100, 10, 1] {
            if number >= unit || unit == 1 {
                let digit = number.checked_div(unit).unwrap_or(0) % 10;
                self.put(b'0' + digit as u8);
            }
        }
    }

    fn put(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// An answer as it grows. What does not fit is left out: no answer of ours is longer than a frame.
pub(crate) struct Answer {
    bytes: [u8; MOST_BYTES],
    length: usize,
}

impl Answer {
    pub(crate) const fn empty() -> Self {
        Self {
            bytes: [0; MOST_BYTES],
            length: 0,
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = *byte;
                self.length += 1;
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    fn seal(&mut self) {
        let sum = crc16(self.bytes()).to_le_bytes();
        self.put(&sum);
    }
}

/// Carries a request out, and leaves the answer with its sum in `answer`.
pub(crate) fn serve(registers: &mut impl Registers, request: &[u8], answer: &mut Answer) {
    answer.length = 0;
    let [unit, function, ..] = *request else {
        return;
    };
    answer.put(&[unit, function]);
    let pdu = request.get(1..).unwrap_or(&[]);
    if let Err(exception) =
        Request::decode(pdu).and_then(|request| carry_out(registers, &request, pdu, answer))
    {
        answer.length = 0;
        answer.put(&[unit, function | 0x80, exception.code()]);
    }
    answer.seal();
}

fn carry_out(
    registers: &mut impl Registers,
    request: &Request<'_>,
    pdu: &[u8],
    answer: &mut Answer,
) -> Result<(), Exception> {
    match *request {
        Request::Read {
            table: table @ (Table::Coil | Table::DiscreteInput),
            address,
            count,
        } => read_bits(registers, table, address, count, answer),
        Request::Read {
            table,
            address,
            count,
        } => read_words(registers, table, address, count, answer),
        Request::WriteCoils {
            address,
            count,
            bits,
        } => {
            let last = address.saturating_add(count - 1);
            let exist = locate(Table::Coil, address).and(locate(Table::Coil, last));
            exist.ok_or(Exception::Address)?;
            registers.write_coils(address, count, bits)?;
            answer.put(pdu.get(1..5).unwrap_or(&[]));
            Ok(())
        }
        Request::WriteRegisters { address, bytes } => {
            write_words(registers, address, bytes)?;
            answer.put(pdu.get(1..5).unwrap_or(&[]));
            Ok(())
        }
        Request::Identify { code, object } => identify(registers, code, object, answer),
    }
}

fn read_bits(
    registers: &impl Registers,
    table: Table,
    address: u16,
    count: u16,
    answer: &mut Answer,
) -> Result<(), Exception> {
    answer.put(&[count.div_ceil(8) as u8]);
    let mut place = locate(table, address);
    for first in (0..count).step_by(8) {
        let mut byte = 0;
        for bit in 0..8.min(count - first) {
            let here = place.ok_or(Exception::Address)?;
            byte |= u8::from(registers.read(here) != 0) << bit;
            place = place_after(here);
        }
        answer.put(&[byte]);
    }
    Ok(())
}

fn read_words(
    registers: &impl Registers,
    table: Table,
    address: u16,
    count: u16,
    answer: &mut Answer,
) -> Result<(), Exception> {
    answer.put(&[(count * 2) as u8]);
    let mut place = locate(table, address);
    for _ in 0..count {
        let here = place.ok_or(Exception::Address)?;
        answer.put(&registers.read(here).to_be_bytes());
        place = place_after(here);
    }
    Ok(())
}

/// One register of the map at a time: nothing is ever written half.
fn write_words(
    registers: &mut impl Registers,
    address: u16,
    bytes: &[u8],
) -> Result<(), Exception> {
    let last = address.saturating_add((bytes.len() / 2).saturating_sub(1) as u16);
    let place = locate(Table::Holding, address).ok_or(Exception::Address)?;
    match locate(Table::Holding, last) {
        Some(end) if end.id == place.id => registers.write(place, bytes),
        _ => Err(Exception::Address),
    }
}

fn identify(
    registers: &impl Registers,
    code: u8,
    object: u8,
    answer: &mut Answer,
) -> Result<(), Exception> {
    let (first, count) = match code {
        INDIVIDUAL if object < OBJECTS => (object, 1),
        INDIVIDUAL => return Err(Exception::Address),
        // A stream that begins with an object that is none begins with the first (§6.21).
        _ if object < OBJECTS => (object, OBJECTS - object),
        _ => (0, OBJECTS),
    };
    answer.put(&[14, code, CONFORMITY, 0, 0, count]);
    for object in first..first + count {
        let identity = registers.identity(object);
        let text = identity.bytes();
        answer.put(&[object, text.len() as u8]);
        answer.put(text);
    }
    Ok(())
}
