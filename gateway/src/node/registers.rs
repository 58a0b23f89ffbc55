//! The map's registers by name, as requests. Pure.

use crate::acquire::{Request, Words};
use davy_config::site;
use davy_wire::node::{EVENT_WORDS, EVENTS, Id, REGISTERS, Register, Table};

/// A register of the map.
pub(super) fn register(id: Id) -> Register {
    let known = REGISTERS.iter().find(|register| register.id == id);
    *known.expect("the map has a register for every id")
}

/// Reads `count` addresses from one that lies `offset` behind a register's first.
pub(super) fn read(id: Id, offset: u16, count: u16) -> Request {
    let register = register(id);
    Request::Read {
        table: match register.table {
            Table::Coil => site::Table::Coil,
            Table::DiscreteInput => site::Table::DiscreteInput,
            Table::Holding => site::Table::Holding,
            Table::Input => site::Table::Input,
        },
        start: register.address + offset,
        count,
    }
}

/// Writes words from one that lies `offset` behind a holding register's first.
pub(super) fn write<const N: usize>(id: Id, offset: u16, words: &[u16; N]) -> Request {
    Request::WriteRegisters {
        address: register(id).address + offset,
        words: Words::of(words),
    }
}

/// Reads events by their numbers, as many as stand together in the ring and in one answer.
pub(super) fn read_events(from: u32, count: u16) -> Request {
    let slot = from % EVENTS as u32;
    let width = EVENT_WORDS as u16;
    let offset = u16::try_from(slot).unwrap_or_default() * width;
    read(Id::Event, offset, count * width)
}

/// How many events from this number on stand together, at most `most`.
pub(super) fn together(from: u32, to: u32, most: u16) -> u16 {
    let to_end = EVENTS as u32 - from % EVENTS as u32;
    let count = (to - from).min(to_end).min(u32::from(most));
    u16::try_from(count).unwrap_or(most)
}

/// The number that an event's slot bears; 0 if it never held one.
pub(super) fn number_of(slot: &[u16; EVENT_WORDS]) -> u32 {
    u32::from(slot[0]) << 16 | u32::from(slot[1])
}
