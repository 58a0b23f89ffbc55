//! Modbus requests and the strict reading of their answers (Modbus application protocol 1.1b3 §6). Pure.

use davy_config::site::Table;

/// One request to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Functions 1 to 4.
    Read {
        table: Table,
        start: u16,
        count: u16,
    },
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
}

/// Why an answer was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
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
    pub(super) const fn function(&self) -> u8 {
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
            Self::WriteCoil { multiple: true, .. } => 15,
            Self::WriteRegister { multiple: true, .. } => 16,
        }
    }

    /// Appends the request, function first.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.function());
        match *self {
            Self::Read { start, count, .. } => words(out, &[start, count]),
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
        }
    }

    /// Length of a normal answer, function first.
    pub(super) fn answer_length(&self) -> usize {
        match self {
            Self::Read { table, count, .. } => 2 + data_length(*table, *count),
            Self::WriteCoil { .. } | Self::WriteRegister { .. } => 5,
        }
    }

    /// Checks an answer (function first) to this request and reads its words; a write's answer must echo it and gives none.
    pub(super) fn decode(&self, answer: &[u8]) -> Result<Vec<u16>, Fault> {
        let (&function, rest) = answer.split_first().ok_or(Fault::BadFrame)?;
        if function == self.function() | 0x80 {
            return Err(rest
                .first()
                .filter(|_| rest.len() == 1)
                .map_or(Fault::BadFrame, |code| Fault::Exception(*code)));
        }
        if function != self.function() || answer.len() != self.answer_length() {
            return Err(Fault::BadFrame);
        }
        match *self {
            Self::Read { table, count, .. } => read_words(table, count, rest),
            Self::WriteCoil {
                multiple: false, ..
            }
            | Self::WriteRegister {
                multiple: false, ..
            } => {
                let mut sent = Vec::with_capacity(5);
                self.encode(&mut sent);
                if answer == sent {
                    Ok(Vec::new())
                } else {
                    Err(Fault::BadFrame)
                }
            }
            Self::WriteCoil { address, .. } | Self::WriteRegister { address, .. } => {
                let mut expected = Vec::with_capacity(4);
                words(&mut expected, &[address, 1]);
                if rest == expected {
                    Ok(Vec::new())
                } else {
                    Err(Fault::BadFrame)
                }
            }
        }
    }
}

fn data_length(table: Table, count: u16) -> usize {
    match table {
        Table::Coil | Table::DiscreteInput => usize::from(count).div_ceil(8),
        Table::Holding | Table::Input => usize::from(count) * 2,
    }
}

fn read_words(table: Table, count: u16, rest: &[u8]) -> Result<Vec<u16>, Fault> {
    let (&length, data) = rest.split_first().ok_or(Fault::BadFrame)?;
    if usize::from(length) != data_length(table, count) || data.len() != usize::from(length) {
        return Err(Fault::BadFrame);
    }
    Ok(match table {
        Table::Coil | Table::DiscreteInput => (0..count)
            .map(|bit| u16::from(data[usize::from(bit / 8)] >> (bit % 8) & 1))
            .collect(),
        Table::Holding | Table::Input => data
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect(),
    })
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

    #[test]
    fn the_frames_that_a_makers_manual_prints() {
        let request = Request::Read {
            table: Table::Holding,
            start: 8,
            count: 2,
        };
        let mut frame = vec![1];
        request.encode(&mut frame);
        let crc_bytes = crc(&frame).to_le_bytes();
        frame.extend(crc_bytes);
        assert_eq!(frame, [0x01, 0x03, 0x00, 0x08, 0x00, 0x02, 0x45, 0xc9]);
        assert_eq!(
            request.decode(&[0x03, 0x04, 0x00, 0x00, 0x00, 0xd1]),
            Ok(vec![0, 0xd1])
        );
        assert_eq!(
            crc(&[0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0xd1]).to_le_bytes(),
            [0x3a, 0x6f]
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_no_answer() {
        let request = Request::Read {
            table: Table::Holding,
            start: 0,
            count: 2,
        };
        for answer in [
            &[0x04, 4, 0, 0, 0, 0][..],
            &[0x03, 2, 0, 0],
            &[0x03, 4, 0, 0, 0],
            &[0x03, 6, 0, 0, 0, 0],
            &[],
            &[0x83],
            &[0x83, 2, 0],
        ] {
            assert_eq!(request.decode(answer), Err(Fault::BadFrame), "{answer:?}");
        }
        assert_eq!(request.decode(&[0x83, 2]), Err(Fault::Exception(2)));
        let write = Request::WriteCoil {
            address: 3,
            on: true,
            multiple: false,
        };
        assert_eq!(write.decode(&[5, 0, 3, 0, 0]), Err(Fault::BadFrame));
        assert_eq!(write.decode(&[5, 0, 3, 0xff, 0]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..260), count in 1_u16..125) {
            let _ = Request::Read { table: Table::Input, start: 0, count }.decode(&bytes);
            let _ = Request::Read { table: Table::Coil, start: 0, count }.decode(&bytes);
        }
    }
}
