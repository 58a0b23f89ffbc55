//! Modbus requests and the strict reading of their answers (Modbus application protocol 1.1b3 §6). Pure.

use davy_config::site::Table;

/// One request to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Functions 1 to 4.
    Read {
        table: Table,
        start: u16,
        count: u16,
    },
    /// Function 43, code 14: the basic identification (§6.21).
    Identify,
    /// Functions 5 or 15.
    WriteCoil {
        address: u16,
        on: bool,
        multiple: bool,
    },
    /// Functions 6 or 16.
    WriteRegister {
        address: u16,
        value: u16,
        multiple: bool,
    },
    /// Function 16, of several registers.
    WriteRegisters { address: u16, words: Words },
}

/// The registers of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    count: u8,
    words: [u16; Self::MOST],
}

impl Words {
    /// Most registers of one write: a block of a node's firmware. What a running gateway writes is four registers or fewer.
    pub(crate) const MOST: usize = davy_wire::node::BLOCK_REGISTERS;

    /// All of them: more than [`Words::MOST`] do not compile.
    pub(crate) const fn of<const N: usize>(words: &[u16; N]) -> Self {
        const { assert!(N <= Self::MOST) };
        let mut own = [0; Self::MOST];
        let (first, _) = own.split_at_mut(N);
        first.copy_from_slice(words);
        Self {
            count: N as u8,
            words: own,
        }
    }

    fn as_slice(&self) -> &[u16] {
        &self.words[..usize::from(self.count)]
    }
}

/// Why an answer was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("no answer in time")]
    Timeout,
    #[error("the answer failed its checks")]
    BadFrame,
    #[error("the link is down")]
    LinkDown,
    #[error("Modbus exception {0}")]
    Exception(u8),
}

impl Request {
    pub(crate) const fn function(&self) -> u8 {
        match self {
            Self::Read {
                table: Table::Coil, ..
            } => 1,
            Self::Read {
                table: Table::DiscreteInput,
                ..
            } => 2,
            Self::Read {
                table: Table::Holding,
                ..
            } => 3,
            Self::Read {
                table: Table::Input,
                ..
            } => 4,
            Self::WriteCoil {
                multiple: false, ..
            } => 5,
            Self::WriteRegister {
                multiple: false, ..
            } => 6,
            Self::Identify => 43,
            Self::WriteCoil { multiple: true, .. } => 15,
            Self::WriteRegister { multiple: true, .. } | Self::WriteRegisters { .. } => 16,
        }
    }

    /// Appends the request, function first.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.function());
        match *self {
            Self::Read { start, count, .. } => words(out, &[start, count]),
            Self::Identify => out.extend([14, 1, 0]),
            Self::WriteCoil {
                address,
                on,
                multiple: false,
            } => words(out, &[address, if on { 0xff00 } else { 0 }]),
            Self::WriteCoil {
                address,
                on,
                multiple: true,
            } => {
                words(out, &[address, 1]);
                out.extend([1, u8::from(on)]);
            }
            Self::WriteRegister {
                address,
                value,
                multiple: false,
            } => words(out, &[address, value]),
            Self::WriteRegister {
                address,
                value,
                multiple: true,
            } => {
                words(out, &[address, 1]);
                out.push(2);
                words(out, &[value]);
            }
            Self::WriteRegisters {
                address,
                words: values,
            } => {
                words(out, &[address, u16::from(values.count)]);
                out.push(values.count * 2);
                words(out, values.as_slice());
            }
        }
    }

    /// Length of a normal answer, function first, as far as its first bytes tell; `None` while they do not.
    pub(super) fn answer_length(&self, answer: &[u8]) -> Option<usize> {
        match self {
            Self::Read { table, count, .. } => Some(2 + data_length(*table, *count)),
            Self::WriteCoil { .. } | Self::WriteRegister { .. } | Self::WriteRegisters { .. } => {
                Some(5)
            }
            Self::Identify => identity_length(answer),
        }
    }

    /// Checks an answer (function first) to this request and puts its words into `words`, bits as 0 or 1, an identification's bytes each by itself; a
    /// write's answer must echo it and gives none. Nothing is put there unless every check holds.
    pub(super) fn decode(&self, answer: &[u8], words: &mut Vec<u16>) -> Result<(), Fault> {
        words.clear();
        match answer {
            [function, code] if *function == self.function() | 0x80 => Err(Fault::Exception(*code)),
            [function, rest @ ..]
                if *function == self.function()
                    && Some(answer.len()) == self.answer_length(answer) =>
            {
                self.decode_body(rest, words)
            }
            _ => Err(Fault::BadFrame),
        }
    }

    fn decode_body(&self, body: &[u8], words: &mut Vec<u16>) -> Result<(), Fault> {
        let echoes = match *self {
            Self::Read { table, count, .. } => return read_words(table, count, body, words),
            Self::Identify => return read_identity(body, words),
            Self::WriteCoil {
                address,
                on,
                multiple: false,
            } => echo(address, if on { 0xff00 } else { 0 }),
            Self::WriteRegister {
                address,
                value,
                multiple: false,
            } => echo(address, value),
            Self::WriteCoil {
                address,
                multiple: true,
                ..
            }
            | Self::WriteRegister {
                address,
                multiple: true,
                ..
            } => echo(address, 1),
            Self::WriteRegisters { address, words } => echo(address, u16::from(words.count)),
        };
        if body == echoes {
            Ok(())
        } else {
            Err(Fault::BadFrame)
        }
    }
}

/// Code, conformity, more, next, number of objects, then each as id, length and bytes.
fn identity_length(answer: &[u8]) -> Option<usize> {
    let objects = *answer.get(6)?;
    (0..objects).try_fold(7, |at, _| Some(at + 2 + usize::from(*answer.get(at + 1)?)))
}

fn read_identity(body: &[u8], words: &mut Vec<u16>) -> Result<(), Fault> {
    if body[..2] != [14, 1] {
        return Err(Fault::BadFrame);
    }
    words.extend(body.iter().map(|byte| u16::from(*byte)));
    Ok(())
}

const fn echo(address: u16, value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (address.to_be_bytes(), value.to_be_bytes());
    [a, b, c, d]
}

/// Bytes of data in the answer to a read.
pub(super) fn data_length(table: Table, count: u16) -> usize {
    match table {
        Table::Coil | Table::DiscreteInput => usize::from(count).div_ceil(8),
        Table::Holding | Table::Input => usize::from(count) * 2,
    }
}

fn read_words(table: Table, count: u16, body: &[u8], words: &mut Vec<u16>) -> Result<(), Fault> {
    let (&length, data) = body.split_first().ok_or(Fault::BadFrame)?;
    if usize::from(length) != data_length(table, count) || data.len() != usize::from(length) {
        return Err(Fault::BadFrame);
    }
    match table {
        Table::Coil | Table::DiscreteInput => {
            words.extend(
                (0..count).map(|bit| u16::from(data[usize::from(bit / 8)] >> (bit % 8) & 1)),
            );
        }
        Table::Holding | Table::Input => {
            words.extend(
                data.chunks_exact(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]])),
            );
        }
    }
    Ok(())
}

fn words(out: &mut Vec<u8>, words: &[u16]) {
    words.iter().for_each(|word| out.extend(word.to_be_bytes()));
}

/// CRC-16/MODBUS: polynomial 0xA001 reflected, start 0xFFFF; sent low byte first.
pub(super) fn crc(bytes: &[u8]) -> u16 {
    let step = |crc: u16, _| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xa001
        } else {
            crc >> 1
        }
    };
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(request: &Request, answer: &[u8]) -> Result<Vec<u16>, Fault> {
        let mut words = vec![7; 3];
        request.decode(answer, &mut words).map(|()| words)
    }

    const READ: Request = Request::Read {
        table: Table::Holding,
        start: 8,
        count: 2,
    };

    #[test]
    fn the_frames_that_a_makers_manual_prints() {
        let mut frame = vec![1];
        READ.encode(&mut frame);
        frame.extend(crc(&frame).to_le_bytes());
        assert_eq!(frame, [0x01, 0x03, 0x00, 0x08, 0x00, 0x02, 0x45, 0xc9]);
        assert_eq!(
            decoded(&READ, &[0x03, 0x04, 0x00, 0x00, 0x00, 0xd1]),
            Ok(vec![0, 0xd1])
        );
        assert_eq!(
            crc(&[0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0xd1]).to_le_bytes(),
            [0x3a, 0x6f]
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_no_answer() {
        for answer in [
            &[0x04, 4, 0, 0, 0, 0][..],
            &[0x03, 2, 0, 0],
            &[0x03, 4, 0, 0, 0],
            &[0x03, 6, 0, 0, 0, 0],
            &[],
            &[0x83],
            &[0x83, 2, 0],
        ] {
            assert_eq!(decoded(&READ, answer), Err(Fault::BadFrame), "{answer:?}");
        }
        assert_eq!(decoded(&READ, &[0x83, 2]), Err(Fault::Exception(2)));
    }

    #[test]
    fn a_write_is_believed_only_when_its_echo_is_exact() {
        let coil = Request::WriteCoil {
            address: 3,
            on: true,
            multiple: false,
        };
        assert_eq!(decoded(&coil, &[5, 0, 3, 0, 0]), Err(Fault::BadFrame));
        assert_eq!(decoded(&coil, &[5, 0, 3, 0xff, 0]), Ok(vec![]));
        let registers = Request::WriteRegister {
            address: 3,
            value: 9,
            multiple: true,
        };
        assert_eq!(decoded(&registers, &[16, 0, 3, 0, 9]), Err(Fault::BadFrame));
        assert_eq!(decoded(&registers, &[16, 0, 3, 0, 1]), Ok(vec![]));
    }

    #[test]
    fn bits_are_read_least_significant_first() {
        let request = Request::Read {
            table: Table::Coil,
            start: 0,
            count: 10,
        };
        assert_eq!(
            decoded(&request, &[1, 2, 0b1000_0001, 0b10]),
            Ok(vec![1, 0, 0, 0, 0, 0, 0, 1, 0, 1])
        );
    }

    #[test]
    fn an_identification_is_as_long_as_its_objects_say() {
        let answer = [
            43, 14, 1, 1, 0, 0, 2, 0, 3, b'R', b'K', b'I', 1, 2, b'M', b'2',
        ];
        let words = decoded(&Request::Identify, &answer).expect("a whole answer");
        assert_eq!(words.len(), answer.len() - 1);
        for length in 1..answer.len() {
            let outcome = decoded(&Request::Identify, &answer[..length]);
            assert_eq!(outcome, Err(Fault::BadFrame), "{length} bytes");
        }
        assert_eq!(Request::Identify.answer_length(&answer[..8]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_an_identification_panic(bytes in proptest::collection::vec(any::<u8>(), 0..260)) {
            let _whole = decoded(&Request::Identify, &bytes);
        }

        #[test]
        fn hostile_bytes_give_a_whole_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..260), count in 1_u16..125) {
            for table in [Table::Input, Table::Coil] {
                let request = Request::Read { table, start: 0, count };
                if let Ok(words) = decoded(&request, &bytes) {
                    prop_assert_eq!(words.len(), usize::from(count));
                }
            }
        }
    }
}
