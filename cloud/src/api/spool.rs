//! Where files lie while they are made and fetched, and how many are at once: an export takes memory, two cores and disk, and live pages come first.

use super::error::ApiError;
use crate::run::TAKES_NOTHING;
use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Files that are made at once. Who comes next is told when to come again: a queue would only hide how long it is.
const MOST_MADE: usize = 2;
/// Files on disk that are made or not wholly fetched yet.
const MOST_HELD: usize = 12;
/// Bytes that leave at once: what a slow reader must take within [`TAKES_NOTHING`].
const PIECE: usize = 64 * 1024;
/// Pieces that wait for a slow reader.
const PIECES: usize = 2;

/// The folder, and the turns.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    made: Arc<Semaphore>,
    held: Arc<Semaphore>,
}

/// A turn to make a file; it ends when this goes.
#[derive(Debug)]
pub(super) struct Turn {
    _made: OwnedSemaphorePermit,
    held: OwnedSemaphorePermit,
}

/// What becomes of a stream, until it has ended well.
pub(super) type Pieces = mpsc::Sender<Result<Option<Bytes>, Broken>>;

/// Why a stream breaks off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("its reader has gone")]
    Gone,
    #[error(transparent)]
    Failed(#[from] ApiError),
}

impl Spool {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            made: Arc::new(Semaphore::new(MOST_MADE)),
            held: Arc::new(Semaphore::new(MOST_HELD)),
        }
    }

    /// A turn, at once or not at all.
    pub(super) fn turn(&self) -> Result<Turn, ApiError> {
        let one = |of: &Arc<Semaphore>| of.clone().try_acquire_owned();
        match (one(&self.made), one(&self.held)) {
            (Ok(made), Ok(held)) => Ok(Turn { _made: made, held }),
            _ => Err(ApiError::NotReady("export")),
        }
    }

    /// The folder in which files without a name are made: of the collector's own data, which has room for a year where a system's temporary folder lies in memory.
    pub(super) fn folder(&self) -> Result<&Path, ApiError> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| ApiError::Table(format!("{}: {error}", self.folder.display())))?;
        Ok(&self.folder)
    }
}

impl Turn {
    /// The file is made: the next one's turn begins, and this one is held until it is fetched.
    pub(super) fn fetched(self, file: File) -> Body {
        let held = self.held;
        streamed(async move |pieces| of_file(file, &pieces, held).await)
    }

    /// What is made while it is fetched, with the turn until its end.
    pub(super) fn streamed<F>(self, make: impl FnOnce(Pieces) -> F + Send + 'static) -> Body
    where
        F: Future<Output = Result<(), Broken>> + Send + 'static,
    {
        streamed(move |pieces| {
            let made = make(pieces);
            async move {
                let _turn = self;
                made.await
            }
        })
    }
}

/// Gives bytes away, a piece at a time, so that a reader who is slow with many is not taken for one who has gone.
pub(super) async fn give(pieces: &Pieces, mut bytes: Bytes) -> Result<(), Broken> {
    while !bytes.is_empty() {
        let piece = bytes.split_to(PIECE.min(bytes.len()));
        let given = tokio::time::timeout(TAKES_NOTHING, pieces.send(Ok(Some(piece)))).await;
        let Ok(Ok(())) = given else {
            return Err(Broken::Gone);
        };
    }
    Ok(())
}

/// The bytes of what a task makes. A stream that did not end well breaks off, so that nobody takes a part for the whole.
fn streamed<F>(make: impl FnOnce(Pieces) -> F + Send + 'static) -> Body
where
    F: Future<Output = Result<(), Broken>> + Send + 'static,
{
    let (pieces, taken) = mpsc::channel(PIECES);
    let made = make(pieces.clone());
    tokio::spawn(async move {
        let last = match made.await {
            Ok(()) => Ok(None),
            // The answer has begun: nobody else is told why it breaks off.
            Err(broken) => {
                match &broken {
                    Broken::Gone => tracing::info!("an export broke off: {broken}"),
                    Broken::Failed(error) => tracing::error!(%error, "an export broke off"),
                }
                Err(broken)
            }
        };
        // Whoever has gone does not need the end.
        let _given = tokio::time::timeout(TAKES_NOTHING, pieces.send(last)).await;
    });
    Body::from_stream(try_unfold(taken, async |mut taken| {
        match taken.recv().await {
            Some(Ok(Some(piece))) => Ok(Some((piece, taken))),
            Some(Ok(None)) => Ok(None),
            Some(Err(broken)) => Err(io::Error::other(broken)),
            None => Err(io::Error::other("the export's task has gone")),
        }
    }))
}

/// The bytes of a file from its beginning, a piece at a time.
async fn of_file(
    mut file: File,
    pieces: &Pieces,
    _held: OwnedSemaphorePermit,
) -> Result<(), Broken> {
    let failed = |error: io::Error| ApiError::Table(error.to_string());
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, rest) = read
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(failed)?;
        file = rest;
        if piece.is_empty() {
            return Ok(());
        }
        give(pieces, piece.into()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::time::Duration;

    const PAGE: usize = 5 * PIECE;

    /// What a reader gets of four pages, who takes so long for each piece's worth of bytes.
    async fn read(a_piece: Duration) -> (usize, bool) {
        let mut body = streamed(async move |pieces| {
            for _ in 0..4 {
                give(&pieces, vec![7; PAGE].into()).await?;
            }
            Ok(())
        });
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return (read, false);
            };
            let length = frame.data_ref().map_or(0, Bytes::len);
            read += length;
            tokio::time::sleep(a_piece * length.div_ceil(PIECE) as u32).await;
        }
        (read, true)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_a_piece_in_time_is_slow_and_one_who_takes_none_has_gone() {
        let shortly = TAKES_NOTHING - Duration::from_secs(1);
        assert_eq!(read(shortly).await, (4 * PAGE, true));
        let (_, is_whole) = read(TAKES_NOTHING + Duration::from_secs(1)).await;
        assert!(!is_whole);
    }
}
