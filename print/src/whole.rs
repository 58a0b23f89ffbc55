//! Files that are whole at every moment: written beside and renamed, so that a power cut leaves the old one or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Whom a new file is readable for, as the process's mask allows.
const ANYBODY: u32 = 0o666;
const OWNER: u32 = 0o600;

/// Puts `bytes` where `path` is; they are on disk when it returns.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, ANYBODY)
}

/// As [`replace`], for its owner alone.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, OWNER)
}

/// `site.toml` → `site.toml.previous`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Where a file lies.
pub fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = beside(path, "new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        replace_secret(&path, b"old, and longer").expect("a file");
        replace_secret(&path, b"new").expect("a file");
        assert_eq!(fs::read(&path).expect("a file"), b"new");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_without_a_folder_lies_here() {
        assert_eq!(folder_of(Path::new("site.toml")), Path::new("."));
        assert_eq!(
            beside(Path::new("site.toml"), "new"),
            Path::new("site.toml.new")
        );
    }
}
