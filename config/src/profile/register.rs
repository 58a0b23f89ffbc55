//! Where a raw value lies and how it is spelt: the manual's way of counting in, a zero-based [`Register`] out.

use super::ORDERS;
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Encoding, Order, Register, Table};
use std::ops::RangeInclusive;

/// How a manual counts registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// From 0, as on the wire.
    Zero,
    /// From 1.
    One,
    /// The table is in the number: 30001, 40001 or 400001.
    Entity,
}

impl Numbering {
    pub(crate) const NAMES: &[(&str, Self)] = &[
        ("zero", Self::Zero),
        ("one", Self::One),
        ("entity", Self::Entity),
    ];

    /// The numbers that mean a register of `table`, from its first; in entity numbering five or six digits.
    fn numbers(self, table: Table, number: i64) -> RangeInclusive<i64> {
        let six = number >= 100_000;
        let leading = match table {
            Table::Coil => 0,
            Table::DiscreteInput => 1,
            Table::Input => 3,
            Table::Holding => 4,
        };
        match self {
            Self::Zero => 0..=65_535,
            Self::One => 1..=65_536,
            Self::Entity if six && leading > 0 => {
                leading * 100_000 + 1..=leading * 100_000 + 65_536
            }
            Self::Entity => leading * 10_000 + 1..=leading * 10_000 + 9_999,
        }
    }
}

/// What holds for every register of a profile, or of a point's own register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Added to every address.
    pub(crate) base: u16,
    /// Overrules the orders that are written.
    pub(crate) order: Option<Order>,
    /// Unless a register says otherwise.
    pub(crate) numbering: Numbering,
    /// Unless a register says otherwise.
    pub(crate) table: Option<Table>,
}

impl Context {
    /// A register that a point names by itself.
    pub(crate) const OWN: Self = Self {
        base: 0,
        order: None,
        numbering: Numbering::Zero,
        table: None,
    };

    /// The zero-based address of one register of a table.
    pub(super) fn address(
        &self,
        section: &Section<'_, '_>,
        table: Table,
        number: &At<i64>,
    ) -> Option<u16> {
        let first = i64::from(self.base) + zero_based(section, self.numbering, table, number)?;
        let fits = u16::try_from(first).ok();
        if fits.is_none() {
            section.at(
                number,
                Code::RegisterRange,
                vec![("value", number.value.into())],
            );
        }
        fits
    }
}

const TABLES: &[(&str, Table)] = &[
    ("coil", Table::Coil),
    ("discrete-input", Table::DiscreteInput),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

/// Reads `table`, `numbering`, `address`, `as`, `order`, `bit` and `width`.
pub(crate) fn read(section: &Section<'_, '_>, context: &Context) -> Option<Register> {
    let table = match context.table {
        Some(table) if !section.has("table") => {
            section.ignore(&["table"]);
            Some(table)
        }
        _ => section.need_one_of("table", TABLES).map(|at| at.value),
    };
    let numbering = section.one_of("numbering", Numbering::NAMES);
    let numbering = numbering.map_or(context.numbering, |at| at.value);
    let address = section.need_whole("address", 0..=465_536);
    let encoding = table.and_then(|table| encoding(section, context, table));
    if table.is_none() {
        section.ignore(&["as", "order", "bit", "width"]);
    }
    let (table, address) = (table?, address?);
    let zero_based = zero_based(section, numbering, table, &address)?;
    let encoding = encoding?;
    let first = i64::from(context.base) + zero_based;
    if first + i64::from(width(encoding)) > 65_536 {
        let args = vec![("value", address.value.into())];
        section.at(&address, Code::RegisterRange, args);
        return None;
    }
    Some(Register {
        table,
        address: first as u16,
        encoding,
    })
}

fn zero_based(
    section: &Section<'_, '_>,
    numbering: Numbering,
    table: Table,
    address: &At<i64>,
) -> Option<i64> {
    let numbers = numbering.numbers(table, address.value);
    if numbers.contains(&address.value) {
        return Some(address.value - numbers.start());
    }
    let args = vec![
        ("value", address.value.into()),
        ("low", (*numbers.start()).into()),
        ("high", (*numbers.end()).into()),
    ];
    section.at(address, Code::RegisterAddress, args);
    None
}

fn encoding(section: &Section<'_, '_>, context: &Context, table: Table) -> Option<Encoding> {
    let bits = matches!(table, Table::Coil | Table::DiscreteInput);
    let kind = section.one_of("as", KINDS);
    if kind.is_none() && section.has("as") {
        section.ignore(&["order", "bit", "width"]);
        return None;
    }
    let chosen = kind
        .as_ref()
        .map_or(if bits { Kind::Bool } else { Kind::U16 }, |at| at.value);
    if bits != (chosen == Kind::Bool) {
        section.at_or_here(kind.as_ref(), Code::Encoding, vec![]);
        section.ignore(&["order", "bit", "width"]);
        return None;
    }
    let order = || {
        let own = section.one_of("order", ORDERS).map(|at| at.value);
        context.order.or(own).unwrap_or(Order::Abcd)
    };
    let bit = || section.whole("bit", 0..=15).map(|at| at.value as u8);
    Some(match chosen {
        Kind::Bool => Encoding::Bool,
        Kind::U16 => Encoding::U16 { order: order() },
        Kind::I16 => Encoding::I16 { order: order() },
        Kind::U32 => Encoding::U32 { order: order() },
        Kind::I32 => Encoding::I32 { order: order() },
        Kind::U64 => Encoding::U64 { order: order() },
        Kind::I64 => Encoding::I64 { order: order() },
        Kind::F32 => Encoding::F32 { order: order() },
        Kind::F64 => Encoding::F64 { order: order() },
        Kind::Bit => Encoding::Bit {
            bit: need_bit(section)?,
        },
        Kind::BitField => {
            let shift = bit().unwrap_or(0);
            let width = section.need_whole("width", 1..=i64::from(16 - shift))?;
            Encoding::BitField {
                shift,
                width: width.value as u8,
            }
        }
        Kind::SignMagnitude => Encoding::SignMagnitude,
        Kind::SplitDecimal => Encoding::SplitDecimal,
        Kind::Bcd16 => Encoding::Bcd16 { order: order() },
        Kind::Bcd32 => Encoding::Bcd32 { order: order() },
    })
}

fn need_bit(section: &Section<'_, '_>) -> Option<u8> {
    section.need_whole("bit", 0..=15).map(|at| at.value as u8)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    Bool,
    Bit,
    BitField,
    SignMagnitude,
    SplitDecimal,
    Bcd16,
    Bcd32,
}

const KINDS: &[(&str, Kind)] = &[
    ("u16", Kind::U16),
    ("i16", Kind::I16),
    ("u32", Kind::U32),
    ("i32", Kind::I32),
    ("u64", Kind::U64),
    ("i64", Kind::I64),
    ("f32", Kind::F32),
    ("f64", Kind::F64),
    ("bool", Kind::Bool),
    ("bit", Kind::Bit),
    ("bit-field", Kind::BitField),
    ("sign-magnitude", Kind::SignMagnitude),
    ("split-decimal", Kind::SplitDecimal),
    ("bcd16", Kind::Bcd16),
    ("bcd32", Kind::Bcd32),
];

/// Registers, or bits, that a value takes.
pub const fn width(encoding: Encoding) -> u16 {
    match encoding {
        Encoding::U32 { .. }
        | Encoding::I32 { .. }
        | Encoding::F32 { .. }
        | Encoding::Bcd32 { .. } => 2,
        Encoding::U64 { .. } | Encoding::I64 { .. } | Encoding::F64 { .. } => 4,
        Encoding::U16 { .. }
        | Encoding::I16 { .. }
        | Encoding::Bool
        | Encoding::Bit { .. }
        | Encoding::BitField { .. }
        | Encoding::SignMagnitude
        | Encoding::SplitDecimal
        | Encoding::Bcd16 { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;
    use toml::de::DeTable;

    fn address(text: &str) -> Result<u16, Vec<Code>> {
        let sink = Sink::new("register", text);
        let table = DeTable::parse(text).unwrap();
        let found = read(&Section::root(&sink, &table), &Context::OWN);
        let codes = sink.take().iter().map(|problem| problem.code).collect();
        found.map(|register| register.address).ok_or(codes)
    }

    #[test]
    fn a_manual_may_count_from_zero_from_one_or_by_table() {
        assert_eq!(address("table = 'holding'\naddress = 8"), Ok(8));
        assert_eq!(
            address("table = 'input'\naddress = 1\nnumbering = 'one'"),
            Ok(0)
        );
        let entity = |table: &str, number: u32| {
            address(&format!(
                "table = '{table}'\naddress = {number}\nnumbering = 'entity'"
            ))
        };
        assert_eq!(entity("holding", 40_003), Ok(2));
        assert_eq!(entity("holding", 400_003), Ok(2));
        assert_eq!(entity("holding", 465_536), Ok(65_535));
        assert_eq!(entity("input", 30_129), Ok(128));
        assert_eq!(entity("discrete-input", 10_001), Ok(0));
        assert_eq!(entity("coil", 17), Ok(16));
        assert_eq!(entity("holding", 30_129), Err(vec![Code::RegisterAddress]));
        assert_eq!(entity("input", 0), Err(vec![Code::RegisterAddress]));
    }

    #[test]
    fn a_wide_value_never_reaches_beyond_the_last_register() {
        let at = |address: u32, kind: &str| {
            self::address(&format!(
                "table = 'input'\naddress = {address}\nas = '{kind}'"
            ))
        };
        assert_eq!(at(65_535, "u16"), Ok(65_535));
        assert_eq!(at(65_534, "f32"), Ok(65_534));
        assert_eq!(at(65_535, "f32"), Err(vec![Code::RegisterRange]));
        assert_eq!(at(65_533, "f64"), Err(vec![Code::RegisterRange]));
    }
}
