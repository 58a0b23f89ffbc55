//! A daemon's own key, Ed25519, in a file: made at the first start, read by nobody else, never sent anywhere. What it signs is known by the fingerprint of its
//! public half, which people write down when the daemon is put up.
//!
//! The file is 64 hexadecimal digits of the secret and a newline, mode 0600.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{path} is no key of ours; a new one is made when the file is gone, and signs under another fingerprint"
    )]
    Damaged { path: PathBuf },
}

/// The key, which signs.
#[derive(Debug)]
pub struct Key(SigningKey);

impl Key {
    /// Reads the key in this file, or makes it and the folder that it lies in.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let path = path.to_owned();
        match fs::read_to_string(&path) {
            Ok(text) => match hex(text.trim()) {
                Some(secret) => Ok(Self(SigningKey::from_bytes(&secret))),
                None => Err(KeyError::Damaged { path }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self(SigningKey::from_bytes(&rand::random()));
                let made = key.write(&path);
                made.map(|()| key)
                    .map_err(|source| KeyError::File { path, source })
            }
            Err(source) => Err(KeyError::File { path, source }),
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(crate::folder_of(path))?;
        crate::replace_secret(
            path,
            format!("{}\n", text_of(&self.0.to_bytes())).as_bytes(),
        )
    }

    /// The public half, hexadecimal.
    pub fn public(&self) -> String {
        text_of(self.0.verifying_key().as_bytes())
    }

    pub fn fingerprint(&self) -> String {
        fingerprint(self.0.verifying_key().as_bytes())
    }

    /// A signature of the bytes, hexadecimal.
    pub fn sign(&self, bytes: &[u8]) -> String {
        text_of(&self.0.sign(bytes).to_bytes())
    }
}

/// Whether a signature, under a public key, is of these bytes; all hexadecimal.
pub fn is_signed(public: &str, signature: &str, bytes: &[u8]) -> bool {
    let key = hex(public).and_then(|public| VerifyingKey::from_bytes(&public).ok());
    let signature = hex(signature).map(|bytes: [u8; 64]| Signature::from_bytes(&bytes));
    matches!((key, signature), (Some(key), Some(signature)) if key.verify_strict(bytes, &signature).is_ok())
}

/// The fingerprint of a public key as people compare it: the first 16 bytes of its SHA-256 in groups of four digits.
fn fingerprint(public: &[u8]) -> String {
    let digest = text_of(&Sha256::digest(public)[..16]);
    let groups: Vec<&str> = (0..digest.len())
        .step_by(4)
        .map(|at| &digest[at..at + 4])
        .collect();
    groups.join(" ")
}

/// The fingerprint of a public key written in hexadecimal.
pub fn fingerprint_of(public: &str) -> Option<String> {
    hex::<32>(public).map(|public| fingerprint(&public))
}

/// Lower-case hexadecimal.
pub fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// SHA-256, hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    text_of(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_its_owners_alone_and_stays_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/key");
        let made = Key::open(&path).expect("a key");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Key::open(&path).expect("the key");
        assert_eq!(made.public(), again.public());
        let signature = again.sign(b"bytes");
        assert!(is_signed(&made.public(), &signature, b"bytes"));
        assert!(!is_signed(&made.public(), &signature, b"bytez"));
    }

    #[test]
    fn a_file_that_is_no_key_is_named_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, "not a key").expect("a file");
        let refused = Key::open(&path).expect_err("no key");
        assert!(refused.to_string().contains(&path.display().to_string()));
        assert_eq!(fs::read_to_string(&path).expect("the file"), "not a key");
    }
}
