//! `bdSeq`: the number that ties a death to its birth, one more at each connection, kept over restarts in `<data>/bdseq` as decimal text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The counter and its file.
#[derive(Debug)]
pub(super) struct BdSeq {
    file: PathBuf,
    last: Option<u8>,
}

impl BdSeq {
    /// Reads the counter. A missing or damaged file begins at 0: the number need only differ from the last one.
    pub(super) fn open(data: &Path) -> Self {
        let file = data.join("bdseq");
        let last = match fs::read_to_string(&file) {
            Ok(text) => {
                let last = text.trim().parse().ok();
                if last.is_none() {
                    tracing::warn!(file = %file.display(), "bdSeq file is damaged; counting from 0");
                }
                last
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "cannot read bdSeq; counting from 0");
                None
            }
        };
        Self { file, last }
    }

    /// The number of the next connection, on disk before it is used. A disk that refuses it does not keep the gateway from its cloud.
    pub(super) fn advance(&mut self) -> u8 {
        let next = self.last.map_or(0, |last| last.wrapping_add(1));
        self.last = Some(next);
        if let Err(error) = self.write(next) {
            tracing::warn!(file = %self.file.display(), %error, "cannot keep bdSeq");
        }
        next
    }

    fn write(&self, number: u8) -> io::Result<()> {
        davy_print::replace(&self.file, format!("{number}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_by_one_a_connection_over_restarts_and_wraps_at_256() {
        let data = tempfile::tempdir().unwrap();
        for expected in 0..=256_u16 {
            assert_eq!(
                u16::from(BdSeq::open(data.path()).advance()),
                expected % 256
            );
        }
    }

    #[test]
    fn a_damaged_file_or_a_folder_that_is_gone_costs_only_the_count() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("bdseq"), "what").unwrap();
        let mut counter = BdSeq::open(data.path());
        assert_eq!(counter.advance(), 0);
        drop(data);
        assert_eq!(counter.advance(), 1);
    }
}
