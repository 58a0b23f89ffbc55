//! Passwords: argon2id, and never more than two at work, so that log-ins cannot take the machine (19 MiB and a core each).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Hashes being worked out at once; the next waits.
const AT_WORK: usize = 2;

/// Shortest password, in characters, and longest, in bytes.
const SHORTEST: usize = 8;
const LONGEST_BYTES: usize = 1_024;

/// Works out and checks password hashes.
#[derive(Clone, Debug)]
pub struct Passwords(Arc<Semaphore>);

/// Why a password was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {SHORTEST} characters")]
    Short,
    #[error("a password has at most {LONGEST_BYTES} bytes")]
    Long,
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_WORK)))
    }
}

/// Checked for people who do not exist, so that an answer takes as long as for those who do.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

impl Passwords {
    /// The hash in PHC form, with a salt of its own.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        match password.chars().count() {
            short if short < SHORTEST => return Err(PasswordError::Short),
            _ if password.len() > LONGEST_BYTES => return Err(PasswordError::Long),
            _ => {}
        }
        self.work(move || hash(&password))
            .await
            .unwrap_or_else(|| Err(PasswordError::Hash("no worker".into())))
    }

    /// Whether the password belongs to the hash. Without a hash it works as long, and answers no.
    pub async fn check(&self, password: String, hash: Option<String>) -> bool {
        if password.len() > LONGEST_BYTES {
            return false;
        }
        self.work(move || {
            let known = hash.is_some();
            matches(&password, hash.as_ref().unwrap_or(&NOBODY)) && known
        })
        .await
        .unwrap_or(false)
    }

    async fn work<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _permit = self.0.acquire().await.ok()?;
        tokio::task::spawn_blocking(task).await.ok()
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| PasswordError::Hash(error.to_string()))
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash("correct horse".into())
            .await
            .expect("a hash");
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords
                .check("correct horse".into(), Some(hash.clone()))
                .await
        );
        assert!(!passwords.check("correct house".into(), Some(hash)).await);
    }

    #[tokio::test]
    async fn nobody_logs_in_without_a_hash() {
        let passwords = Passwords::default();
        assert!(
            !passwords
                .check("nobody has this password".into(), None)
                .await
        );
    }

    #[tokio::test]
    async fn short_passwords_are_refused() {
        assert!(matches!(
            Passwords::default().hash("1234567".into()).await,
            Err(PasswordError::Short)
        ));
    }
}
