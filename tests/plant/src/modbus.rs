//! The server's half of Modbus: one request PDU in, one response PDU out, and the two ways to frame it. Pure.

use std::collections::BTreeMap;

/// Longest PDU of the Modbus application protocol, bytes.
pub const PDU_MAX: usize = 253;

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

/// What one unit holds, by zero-based PDU address. An address that is absent answers with exception 2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    pub coils: BTreeMap<u16, bool>,
    pub discretes: BTreeMap<u16, bool>,
    pub inputs: BTreeMap<u16, u16>,
    pub holdings: BTreeMap<u16, u16>,
}

/// Answers one request as the manuals say; anything that is no valid request gets its exception. Never panics, whatever the bytes.
pub fn answer(registers: &mut Registers, request: &[u8]) -> Vec<u8> {
    let function = request.first().copied().unwrap_or(0);
    execute(registers, function, request.get(1..).unwrap_or(&[]))
        .unwrap_or_else(|exception| vec![function | 0x80, exception])
}

fn execute(registers: &mut Registers, function: u8, body: &[u8]) -> Result<Vec<u8>, u8> {
    match function {
        1 => read_bits(&registers.coils, function, body),
        2 => read_bits(&registers.discretes, function, body),
        3 => read_words(&registers.holdings, function, body),
        4 => read_words(&registers.inputs, function, body),
        5 => write_coil(registers, body),
        6 => write_holding(registers, body),
        15 => write_coils(registers, body),
        16 => write_holdings(registers, body),
        _ => Err(ILLEGAL_FUNCTION),
    }
}

fn pair(body: &[u8]) -> Result<(u16, u16), u8> {
    let [a, b, c, d] = body else {
        return Err(ILLEGAL_VALUE);
    };
    Ok((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
}

/// The addresses `from..from + count`, where `count` is 1 to `most` and the run does not leave the table.
fn span(from: u16, count: u16, most: u16) -> Result<std::ops::Range<u32>, u8> {
    if !(1..=most).contains(&count) {
        return Err(ILLEGAL_VALUE);
    }
    let end = u32::from(from) + u32::from(count);
    if end > 0x1_0000 {
        return Err(ILLEGAL_ADDRESS);
    }
    Ok(u32::from(from)..end)
}

fn held<T: Copy>(table: &BTreeMap<u16, T>, address: u32) -> Result<T, u8> {
    u16::try_from(address)
        .ok()
        .and_then(|address| table.get(&address).copied())
        .ok_or(ILLEGAL_ADDRESS)
}

fn read_bits(table: &BTreeMap<u16, bool>, function: u8, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (from, count) = pair(body)?;
    let mut bytes = vec![0u8; usize::from(count.min(2000)).div_ceil(8)];
    for (at, address) in span(from, count, 2000)?.enumerate() {
        if held(table, address)? {
            bytes[at / 8] |= 1 << (at % 8);
        }
    }
    let mut response = vec![function, bytes.len() as u8];
    response.append(&mut bytes);
    Ok(response)
}

fn read_words(table: &BTreeMap<u16, u16>, function: u8, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (from, count) = pair(body)?;
    let range = span(from, count, 125)?;
    let mut response = vec![function, (count * 2) as u8];
    for address in range {
        response.extend(held(table, address)?.to_be_bytes());
    }
    Ok(response)
}

fn write_coil(registers: &mut Registers, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (address, value) = pair(body)?;
    let on = match value {
        0xFF00 => true,
        0 => false,
        _ => return Err(ILLEGAL_VALUE),
    };
    set(&mut registers.coils, u32::from(address), on)?;
    Ok([&[5], body].concat())
}

fn write_holding(registers: &mut Registers, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (address, value) = pair(body)?;
    set(&mut registers.holdings, u32::from(address), value)?;
    Ok([&[6], body].concat())
}

fn set<T: Copy>(table: &mut BTreeMap<u16, T>, address: u32, value: T) -> Result<(), u8> {
    held(table, address)?;
    table.insert(address as u16, value);
    Ok(())
}

/// Address range and data of a write of many: the byte count must be exactly what the quantity asks for.
fn many(body: &[u8], most: u16, bits: usize) -> Result<(std::ops::Range<u32>, &[u8]), u8> {
    let (head, rest) = body.split_at_checked(4).ok_or(ILLEGAL_VALUE)?;
    let (from, count) = pair(head)?;
    let range = span(from, count, most)?;
    let (length, data) = rest.split_first().ok_or(ILLEGAL_VALUE)?;
    let expected = (usize::from(count) * bits).div_ceil(8);
    if usize::from(*length) != expected || data.len() != expected {
        return Err(ILLEGAL_VALUE);
    }
    Ok((range, data))
}

fn write_coils(registers: &mut Registers, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (range, data) = many(body, 1968, 1)?;
    for address in range.clone() {
        held(&registers.coils, address)?;
    }
    for (at, address) in range.enumerate() {
        set(
            &mut registers.coils,
            address,
            data[at / 8] >> (at % 8) & 1 == 1,
        )?;
    }
    Ok([&[15], &body[..4]].concat())
}

fn write_holdings(registers: &mut Registers, body: &[u8]) -> Result<Vec<u8>, u8> {
    let (range, data) = many(body, 123, 16)?;
    for address in range.clone() {
        held(&registers.holdings, address)?;
    }
    for (word, address) in data.chunks_exact(2).zip(range) {
        set(
            &mut registers.holdings,
            address,
            u16::from_be_bytes([word[0], word[1]]),
        )?;
    }
    Ok([&[16], &body[..4]].concat())
}

/// CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF; sent low byte first.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    })
}

/// Unit and PDU of an RTU frame, if its length and CRC are right.
pub fn open_rtu(frame: &[u8]) -> Option<(u8, &[u8])> {
    let (body, check) = frame.split_at_checked(frame.len().checked_sub(2)?)?;
    let (unit, pdu) = body.split_first()?;
    let right = crc(body).to_le_bytes() == check;
    (right && !pdu.is_empty() && pdu.len() <= PDU_MAX).then_some((*unit, pdu))
}

/// An RTU frame of a unit and a PDU.
pub fn seal_rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = [&[unit], pdu].concat();
    frame.extend(crc(&frame).to_le_bytes());
    frame
}

/// The seven bytes before a PDU on Modbus TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbap {
    pub transaction: u16,
    pub unit: u8,
    /// Length of the PDU that follows, 1 to [`PDU_MAX`].
    pub pdu_length: usize,
}

impl Mbap {
    /// `None` where the protocol is not Modbus or the length cannot be: such a client is hung up on.
    pub fn open(header: [u8; 7]) -> Option<Self> {
        let [t0, t1, p0, p1, l0, l1, unit] = header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let right = [p0, p1] == [0, 0] && (2..=PDU_MAX + 1).contains(&length);
        right.then(|| Self {
            transaction: u16::from_be_bytes([t0, t1]),
            unit,
            pdu_length: length - 1,
        })
    }

    /// The whole answer to this header's request.
    pub fn seal(self, pdu: &[u8]) -> Vec<u8> {
        let [t0, t1] = self.transaction.to_be_bytes();
        let [l0, l1] = (pdu.len() as u16 + 1).to_be_bytes();
        [&[t0, t1, 0, 0, l0, l1, self.unit], pdu].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    fn bank() -> Registers {
        Registers {
            coils: (0..16).map(|address| (address, false)).collect(),
            discretes: (0..16).map(|address| (address, address == 3)).collect(),
            inputs: (0..8).map(|address| (address, address * 2)).collect(),
            holdings: (0..8).map(|address| (address, 0)).collect(),
        }
    }

    #[test]
    fn the_crc_is_the_one_of_the_rae_guard_manual() {
        assert_eq!(
            seal_rtu(1, &[3, 0, 8, 0, 2]),
            [0x01, 0x03, 0x00, 0x08, 0x00, 0x02, 0x45, 0xC9]
        );
    }

    #[test]
    fn a_written_coil_reads_back() {
        let mut bank = bank();
        assert_eq!(answer(&mut bank, &[5, 0, 2, 0xFF, 0]), [5, 0, 2, 0xFF, 0]);
        assert_eq!(answer(&mut bank, &[1, 0, 0, 0, 8]), [1, 1, 0b100]);
        assert_eq!(answer(&mut bank, &[2, 0, 0, 0, 4]), [2, 1, 0b1000]);
    }

    #[test]
    fn a_write_of_many_changes_all_or_nothing() {
        let mut bank = bank();
        assert_eq!(
            answer(&mut bank, &[16, 0, 7, 0, 2, 4, 1, 1, 2, 2]),
            [0x90, 2]
        );
        assert_eq!(bank.holdings[&7], 0);
        assert_eq!(
            answer(&mut bank, &[15, 0, 0, 0, 9, 2, 0xFF, 1]),
            [15, 0, 0, 0, 9]
        );
        assert!(bank.coils[&8] && !bank.coils[&9]);
    }

    #[test]
    fn what_is_not_a_request_gets_its_exception() {
        let mut bank = bank();
        for (request, response) in [
            (&[0x2B, 0x0E][..], [0xAB, 1]),
            (&[3, 0, 0, 0, 9][..], [0x83, 2]),
            (&[3, 0, 0, 0, 126][..], [0x83, 3]),
            (&[4, 0xFF, 0xFF, 0, 2][..], [0x84, 2]),
            (&[5, 0, 0, 1, 0][..], [0x85, 3]),
            (&[15, 0, 0, 0, 9, 1, 0][..], [0x8F, 3]),
            (&[3, 0][..], [0x83, 3]),
        ] {
            assert_eq!(answer(&mut bank, request), response, "{request:?}");
        }
    }

    #[test]
    fn no_bytes_make_the_server_panic() {
        let (mut bank, mut noise) = (bank(), Noise::seeded(7));
        for _ in 0..50_000 {
            let length = (noise.uniform() * 24.0) as usize;
            let mut bytes: Vec<u8> = (0..length)
                .map(|_| (noise.uniform() * 256.0) as u8)
                .collect();
            if let Some(function) = bytes.first_mut() {
                *function %= 24;
            }
            let response = answer(&mut bank, &bytes);
            assert!((2..=PDU_MAX).contains(&response.len()));
            let _ = open_rtu(&bytes);
        }
    }
}
