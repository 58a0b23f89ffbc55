//! Update files for a node under test: the images with drills that were built for it, with another version or flag in their heads, signed by the test key or by
//! a stranger's.

use davy_wire::node::{IMAGE_HEAD, ImageHead, OFFER_BYTES, SIGNATURE_BYTES, Version};
use ed25519_dalek::{Signer as _, SigningKey};
use std::path::{Path, PathBuf};

/// The board that most suites run.
pub const MAIN_BOARD: &str = "lm3s6965evb";

/// A file of a board's firmware that was built with drills.
pub fn made(board: &str, name: &str) -> PathBuf {
    let folder = std::env::var_os("DAVY_FIRMWARE").map(PathBuf::from);
    let folder = folder.expect(
        "DAVY_FIRMWARE names the folder of the nodes' firmware with drills: run `cargo xtask test firmware`",
    );
    folder.join(format!("{board}-drills")).join(name)
}

/// Writes an update file of both slots, with this said in the heads.
pub fn update(path: &Path, key: &SigningKey, change: impl Fn(&mut ImageHead)) {
    update_for(MAIN_BOARD, path, key, change);
}

/// The same for another board.
pub fn update_for(board: &str, path: &Path, key: &SigningKey, change: impl Fn(&mut ImageHead)) {
    let images = ["slot-a.bin", "slot-b.bin"].map(|name| of(&made(board, name), key, &change));
    std::fs::write(path, images.concat()).expect("the directory is writable");
}

/// The image of a slot, changed and signed.
pub fn image(name: &str, key: &SigningKey, change: impl Fn(&mut ImageHead)) -> Vec<u8> {
    of(&made(MAIN_BOARD, name), key, change)
}

fn of(path: &Path, key: &SigningKey, change: impl Fn(&mut ImageHead)) -> Vec<u8> {
    let mut image = std::fs::read(path).expect("it was built");
    let offer = image.first_chunk::<OFFER_BYTES>().expect("it has a head");
    let mut head = ImageHead::read(offer).expect("it is one of ours");
    change(&mut head);
    image[SIGNATURE_BYTES..OFFER_BYTES].copy_from_slice(&head.to_bytes());
    let signature = key.sign(&image[SIGNATURE_BYTES..]).to_bytes();
    image[..SIGNATURE_BYTES].copy_from_slice(&signature);
    assert!(image.len() > IMAGE_HEAD);
    image
}

/// The key in the repository: the bytes of firmware/test-key.seed, which a boot stage for tests believes.
pub fn test_key() -> SigningKey {
    SigningKey::from_bytes(b"davy test-key: not for a plant!!")
}

/// One that the node does not know.
pub fn strangers_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A version that the image gets.
pub fn of_version(version: Version) -> impl Fn(&mut ImageHead) {
    move |head| head.version = version
}
