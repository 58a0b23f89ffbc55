//! A signed list: text, one fact a line as `<key> <value>`, files by their hashes as `sha256 <64 hexadecimal digits> <name>`, and at the end
//! `signature <128 hexadecimal digits>`, which is Ed25519 over every byte before that line. The first line is the list's title; `key` tells the public key.
//! Any program that knows Ed25519 and SHA-256 can check it.

use super::key::{fingerprint_of, is_signed};

/// A list's text with its signature.
pub fn signed(list: &str, signature: &str) -> String {
    format!("{list}signature {signature}\n")
}

/// A list that was read.
#[derive(Clone, Debug)]
pub struct SignedList<'a> {
    body: &'a str,
    /// Of the key that it names: whose that is, the reader must know.
    pub fingerprint: String,
    /// Of the same key, hexadecimal.
    pub public: &'a str,
    /// Every byte is as it was signed, under this title.
    pub is_signed: bool,
}

impl<'a> SignedList<'a> {
    /// Reads a list; none if the text is no list at all.
    pub fn read(text: &'a str, title: &str) -> Option<Self> {
        let (body, signature) = text.rsplit_once("signature ")?;
        let public = fact(body, "key")?;
        Some(Self {
            body,
            public,
            fingerprint: fingerprint_of(public)?,
            is_signed: body.lines().next() == Some(title)
                && body.ends_with('\n')
                && signature.ends_with('\n')
                && is_signed(public, signature.trim_end(), body.as_bytes()),
        })
    }

    /// The value of the first line with this key.
    pub fn fact(&self, key: &str) -> Option<&'a str> {
        fact(self.body, key)
    }

    /// Hashes and names of the files.
    pub fn hashes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.body
            .lines()
            .filter_map(|line| line.strip_prefix("sha256 ")?.split_once(' '))
    }
}

fn fact<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    body.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn a_list_is_whole_under_its_own_title_until_a_byte_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::open(&folder.path().join("key")).expect("a key");
        let body = format!("a list 1\nkey {}\nsha256 ab x y.csv\n", key.public());
        let text = signed(&body, &key.sign(body.as_bytes()));
        let read = SignedList::read(&text, "a list 1").expect("a list");
        assert!(read.is_signed);
        assert_eq!(read.fingerprint, key.fingerprint());
        assert_eq!(read.hashes().collect::<Vec<_>>(), [("ab", "x y.csv")]);
        let other = SignedList::read(&text, "a list 2").expect("a list");
        assert!(!other.is_signed);
        let altered = text.replace("sha256 ab", "sha256 ac");
        let altered = SignedList::read(&altered, "a list 1").expect("a list");
        assert!(!altered.is_signed);
        assert!(SignedList::read("nothing", "a list 1").is_none());
    }
}
