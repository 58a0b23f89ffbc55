//! Session tokens: 256 random bits. The person's browser holds the token; we hold its SHA-256.

use davy_print::text_of;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

/// A token as the browser holds it: 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// A new one; none if the machine gives no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).ok()?;
        Some(Self(text_of(&bytes)))
    }

    /// What a browser sent, if it has a token's form.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_token = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_token.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> String {
        text_of(&Sha256::digest(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_their_hash_does_not_show_them() {
        let (one, other) = (
            Token::random().expect("randomness"),
            Token::random().expect("randomness"),
        );
        assert!(one != other);
        assert_ne!(one.hash(), one.as_str());
        assert_eq!(Token::from_text(one.as_str()), Some(one));
        assert_eq!(Token::from_text("davy"), None);
    }
}
