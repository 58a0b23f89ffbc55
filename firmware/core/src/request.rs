//! What a request asks, decoded strictly and totally: whatever is not exactly a request of the standard is an exception.

use davy_wire::node::Table;

/// Answers that refuse (Modbus Application Protocol 1.1b3, §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// 1: not known, or the node is not in the state for it: locked.
    Function,
    /// 2: there is no such register.
    Address,
    /// 3: what was asked, or written, cannot be.
    Value,
    /// 4: the node failed: its flash did not take it.
    Failure,
}

impl Exception {
    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Function => 1,
            Self::Address => 2,
            Self::Value => 3,
            Self::Failure => 4,
        }
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    Read {
        table: Table,
        address: u16,
        count: u16,
    },
    /// Coils: a bit each, first in bit 0 of the first byte.
    WriteCoils {
        address: u16,
        count: u16,
        bits: &'a [u8],
    },
    /// Registers: two bytes each, high byte first.
    WriteRegisters { address: u16, bytes: &'a [u8] },
    /// Read device identification.
    Identify { code: u8, object: u8 },
}

const MOST_BITS: u16 = 2_000;
const MOST_REGISTERS: u16 = 125;
const MOST_COILS_WRITTEN: u16 = 1_968;
const MOST_REGISTERS_WRITTEN: u16 = 123;
const MEI_IDENTIFICATION: u8 = 14;
const COIL_ON: [u8; 2] = [0xff, 0];
const COIL_OFF: [u8; 2] = [0, 0];

impl<'a> Request<'a> {
    /// Of function and data, as they follow the unit.
    pub fn decode(pdu: &'a [u8]) -> Result<Self, Exception> {
        let (function, data) = pdu.split_first().ok_or(Exception::Function)?;
        match *function {
            1 => read(Table::Coil, data, MOST_BITS),
            2 => read(Table::DiscreteInput, data, MOST_BITS),
            3 => read(Table::Holding, data, MOST_REGISTERS),
            4 => read(Table::Input, data, MOST_REGISTERS),
            5 => write_coil(data),
            6 => write_register(data),
            15 => write_coils(data),
            16 => write_registers(data),
            43 => identify(data),
            _ => Err(Exception::Function),
        }
    }
}

const fn word(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

fn read(table: Table, data: &[u8], most: u16) -> Result<Request<'_>, Exception> {
    let [a1, a0, c1, c0] = *data else {
        return Err(Exception::Value);
    };
    let (address, count) = (word(a1, a0), counted(word(c1, c0), most)?);
    reaches(address, count)?;
    Ok(Request::Read {
        table,
        address,
        count,
    })
}

fn counted(count: u16, most: u16) -> Result<u16, Exception> {
    if (1..=most).contains(&count) {
        Ok(count)
    } else {
        Err(Exception::Value)
    }
}

/// The last address must be one.
const fn reaches(address: u16, count: u16) -> Result<(), Exception> {
    match address.checked_add(count - 1) {
        Some(_) => Ok(()),
        None => Err(Exception::Address),
    }
}

fn write_coil(data: &[u8]) -> Result<Request<'_>, Exception> {
    const ON: &[u8] = &[1];
    const OFF: &[u8] = &[0];
    let [a1, a0, v1, v0] = *data else {
        return Err(Exception::Value);
    };
    let bits = match [v1, v0] {
        COIL_ON => ON,
        COIL_OFF => OFF,
        _ => return Err(Exception::Value),
    };
    Ok(Request::WriteCoils {
        address: word(a1, a0),
        count: 1,
        bits,
    })
}

fn write_register(data: &[u8]) -> Result<Request<'_>, Exception> {
    let ([a1, a0], bytes @ [_, _]) = data.split_first_chunk().ok_or(Exception::Value)? else {
        return Err(Exception::Value);
    };
    Ok(Request::WriteRegisters {
        address: word(*a1, *a0),
        bytes,
    })
}

fn write_coils(data: &[u8]) -> Result<Request<'_>, Exception> {
    let ([a1, a0, c1, c0, bytes], bits) = data.split_first_chunk().ok_or(Exception::Value)?;
    let (address, count) = (word(*a1, *a0), counted(word(*c1, *c0), MOST_COILS_WRITTEN)?);
    if usize::from(*bytes) != bits.len() || bits.len() != usize::from(count.div_ceil(8)) {
        return Err(Exception::Value);
    }
    reaches(address, count)?;
    Ok(Request::WriteCoils {
        address,
        count,
        bits,
    })
}

fn write_registers(data: &[u8]) -> Result<Request<'_>, Exception> {
    let ([a1, a0, c1, c0, length], bytes) = data.split_first_chunk().ok_or(Exception::Value)?;
    let (address, count) = (
        word(*a1, *a0),
        counted(word(*c1, *c0), MOST_REGISTERS_WRITTEN)?,
    );
    if usize::from(*length) != bytes.len() || bytes.len() != usize::from(count) * 2 {
        return Err(Exception::Value);
    }
    reaches(address, count)?;
    Ok(Request::WriteRegisters { address, bytes })
}

const fn identify(data: &[u8]) -> Result<Request<'_>, Exception> {
    match *data {
        [MEI_IDENTIFICATION, code @ 1..=4, object] => Ok(Request::Identify { code, object }),
        [MEI_IDENTIFICATION, _, _] => Err(Exception::Value),
        _ => Err(Exception::Function),
    }
}
