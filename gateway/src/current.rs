//! The text of the site file that runs, kept in the data folder: whoever changes the file in place can still ask what the change is (`check --diff`).

use crate::commission::kept;
use std::io;
use std::path::{Path, PathBuf};

/// Where it is kept.
pub(crate) fn place(data: &Path) -> PathBuf {
    data.join("running.toml")
}

/// Keeps it. A file that was changed since it was read (its digest is another) is not what runs, and is not kept.
pub(crate) async fn keep(data: PathBuf, file: PathBuf, digest: String) {
    let kept = tokio::task::spawn_blocking(move || write(&data, &file, &digest)).await;
    match kept {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what runs is not kept for comparison"),
        Err(error) => tracing::warn!(%error, "what runs is not kept for comparison"),
    }
}

fn write(data: &Path, file: &Path, digest: &str) -> io::Result<()> {
    let text = std::fs::read_to_string(file)?;
    if davy_config::digest(&text) != digest {
        return Err(io::Error::other("the file has changed since it was read"));
    }
    kept::replace(&place(data), text.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_runs_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("site.toml");
        std::fs::write(&file, "abc").unwrap();
        // SHA-256 of "abc", FIPS 180-4.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        write(dir.path(), &file, digest).unwrap();
        assert_eq!(std::fs::read(place(dir.path())).unwrap(), b"abc");
        std::fs::write(&file, "abd").unwrap();
        assert!(write(dir.path(), &file, digest).is_err());
        assert_eq!(std::fs::read(place(dir.path())).unwrap(), b"abc");
    }
}
