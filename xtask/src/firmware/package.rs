//! From linked images to what is flashed and sent: flat bytes with a head (`wire/src/node/image.rs`), signed.

use super::image::Image;
use anyhow::{Context as _, Result, bail, ensure};
use davy_wire::node::{Board, IMAGE_HEAD, ImageHead, OFFER_BYTES, Version, crc32, image_flag};
use ed25519_dalek::{Signer as _, SigningKey};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

/// The key in the repository, for tests.
const TEST_KEY: &str = include_str!("../../../firmware/test-key.seed");

/// Whose signature images bear, if anybody's.
pub(crate) enum Signing {
    /// No key: images that can be flashed by wire, and a boot stage that takes no update.
    Nobody,
    Installer(SigningKey),
    Test(SigningKey),
}

impl Signing {
    pub(crate) fn test() -> Result<Self> {
        Ok(Self::Test(
            seed(TEST_KEY).context("firmware/test-key.seed")?,
        ))
    }

    /// The installer's own key.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(name)?;
        let key = seed(&text).with_context(name)?;
        let test = seed(TEST_KEY)?;
        ensure!(
            key.to_bytes() != test.to_bytes(),
            "{}: this is the key that lies in the repository: whoever has that could sign for the node",
            path.display()
        );
        Ok(Self::Installer(key))
    }

    fn key(&self) -> Option<&SigningKey> {
        match self {
            Self::Nobody => None,
            Self::Installer(key) | Self::Test(key) => Some(key),
        }
    }

    /// The public part, 64 hexadecimal digits; empty for nobody's.
    pub(crate) fn public(&self) -> String {
        self.key()
            .map(|key| hexadecimal(&key.verifying_key().to_bytes()))
            .unwrap_or_default()
    }
}

/// Makes a key of the system's randomness, in a file that only its owner reads; returns the public part.
pub(crate) fn new_key(path: &Path) -> Result<String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut random = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let key = SigningKey::from_bytes(&random);
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| path.display().to_string())?;
    std::io::Write::write_all(&mut file, format!("{}\n", hexadecimal(&random)).as_bytes())?;
    Ok(hexadecimal(&key.verifying_key().to_bytes()))
}

/// The image of one slot: head, signature and code.
pub(crate) fn package(
    elf: &[u8],
    board: Board,
    version: Version,
    drills: bool,
    signing: &Signing,
) -> Result<Vec<u8>> {
    let (begin, mut body) = Image::flat(elf)?;
    body.resize(body.len().next_multiple_of(8), 0xff);
    let address = begin.checked_sub(IMAGE_HEAD as u32);
    let head = ImageHead {
        board: board.id(),
        version,
        flags: if drills { image_flag::DRILLS } else { 0 },
        address: address.context("the image leaves no room for its head")?,
        length: u32::try_from(IMAGE_HEAD + body.len())?,
        crc: crc32(body.iter().copied()),
    };
    let mut signed = head.to_bytes().to_vec();
    signed.resize(IMAGE_HEAD - (OFFER_BYTES - signed.len()), 0xff);
    signed.extend(body);
    let signature = match signing.key() {
        Some(key) => key.sign(&signed).to_bytes(),
        None => [0; 64],
    };
    Ok([&signature[..], &signed].concat())
}

fn seed(text: &str) -> Result<SigningKey> {
    let line = text.lines().find(|line| !line.starts_with('#'));
    let digits = line.unwrap_or_default().trim();
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map_while(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect();
    match bytes.try_into() {
        Ok(seed) if digits.len() == 64 => Ok(SigningKey::from_bytes(&seed)),
        _ => bail!(
            "a key is 64 hexadecimal digits in a line: make one by `cargo xtask firmware --new-key FILE`"
        ),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_test_key_in_the_repository_is_that_of_its_seed() -> Result<()> {
        let public = include_str!("../../../firmware/test-key.public");
        assert_eq!(Signing::test()?.public(), public.trim());
        Ok(())
    }

    #[test]
    fn an_installers_key_is_never_the_one_in_the_repository() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        let public = new_key(&path)?;
        assert_eq!(Signing::from_file(&path)?.public(), public);
        assert!(new_key(&path).is_err(), "a key is never written over");
        std::fs::write(&path, TEST_KEY)?;
        assert!(Signing::from_file(&path).is_err());
        std::fs::write(&path, "abc")?;
        assert!(Signing::from_file(&path).is_err());
        Ok(())
    }
}
