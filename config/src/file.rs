//! Reading a file of bounded size as text.

use crate::problem::{Args, Code};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Why a file was not read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) args: Args,
}

/// The file's text, if it is at most `max` bytes of UTF-8.
pub(crate) fn read(path: &Path, max: u64) -> Result<String, Refusal> {
    let unreadable = |error: std::io::Error| Refusal {
        code: Code::Unreadable,
        args: vec![
            ("value", path.display().to_string().into()),
            ("why", why(error.kind()).into()),
            ("error", error.to_string().into()),
        ],
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    // One byte more than allowed tells a file that is too long from one that just fits.
    file.take(max + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > max {
        let args = vec![
            ("value", path.display().to_string().into()),
            ("high", ((max >> 20) as i64).into()),
        ];
        return Err(Refusal {
            code: Code::TooLarge,
            args,
        });
    }
    Ok(text)
}

const fn why(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not-found",
        ErrorKind::PermissionDenied => "permission",
        ErrorKind::InvalidData => "encoding",
        ErrorKind::IsADirectory => "folder",
        _ => "other",
    }
}
