//! Who stands at the screen: PIN log-in, sessions, throttling. Reading needs no session; acting does.
//!
//! Sessions live in memory alone: a restart of the gateway logs everybody out, and no secret reaches the disk.

use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};
use davy_config::site::Person;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The cookie that carries a session's token at `site`. Browsers keep one jar for all ports of a host: two gateways on one machine need two names.
pub(super) fn cookie(site: &str) -> String {
    format!("davy_plant_session_{site}")
}
/// A session ends after this long without use: one shift.
const IDLE: Duration = Duration::from_secs(12 * 3600);
/// Sessions at one time; the one unused for longest makes room.
const SESSIONS_MAX: usize = 256;
/// Wrong PINs a person may try in [`WRONG_WINDOW`] before further tries are refused unread.
const WRONG_MAX: usize = 5;
const WRONG_WINDOW: Duration = Duration::from_secs(60);

/// Why a log-in was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LoginError {
    /// Unknown person or wrong PIN; deliberately one answer.
    #[error("unknown person or wrong PIN")]
    Wrong,
    #[error("too many wrong PINs; wait a minute")]
    TooMany,
}

/// The people of the site file and who of them is logged in.
#[derive(Debug)]
pub(super) struct Sessions {
    people: Vec<Person>,
    open: Mutex<HashMap<String, Session>>,
    wrong: Mutex<HashMap<String, Vec<Instant>>>,
}

#[derive(Debug)]
struct Session {
    person: usize,
    last_use: Instant,
}

impl Sessions {
    /// Nobody logged in yet.
    pub(super) fn new(people: Vec<Person>) -> Self {
        Self {
            people,
            open: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// Checks a PIN. Costs tens of milliseconds by design (argon2id): call it off the async threads.
    pub(super) fn verify(
        &self,
        person: &str,
        pin: &str,
        now: Instant,
    ) -> Result<&Person, LoginError> {
        if self.recent_wrong(person, now) >= WRONG_MAX {
            return Err(LoginError::TooMany);
        }
        let found = self.people.iter().find(|candidate| candidate.id == person);
        match found.filter(|candidate| matches(pin, &candidate.pin_hash)) {
            Some(person) => Ok(person),
            None => {
                self.note_wrong(person, now);
                Err(LoginError::Wrong)
            }
        }
    }

    /// Opens a session for a person whose PIN was verified, and returns its token.
    pub(super) fn open(&self, person: &Person, now: Instant) -> String {
        let position = self
            .people
            .iter()
            .position(|candidate| candidate.id == person.id)
            .unwrap_or_default();
        let token = token();
        let mut open = lock(&self.open);
        open.retain(|_, session| now.duration_since(session.last_use) < IDLE);
        if open.len() >= SESSIONS_MAX
            && let Some(oldest) = open
                .iter()
                .min_by_key(|(_, session)| session.last_use)
                .map(|(token, _)| token.clone())
        {
            open.remove(&oldest);
        }
        open.insert(
            token.clone(),
            Session {
                person: position,
                last_use: now,
            },
        );
        token
    }

    /// The person behind a token, if the session is still open; counts as use.
    pub(super) fn person(&self, token: &str, now: Instant) -> Option<&Person> {
        let mut open = lock(&self.open);
        let session = open
            .get_mut(token)
            .filter(|session| now.duration_since(session.last_use) < IDLE)?;
        session.last_use = now;
        self.people.get(session.person)
    }

    /// Ends a session; an unknown token is no error.
    pub(super) fn close(&self, token: &str) {
        lock(&self.open).remove(token);
    }

    fn recent_wrong(&self, person: &str, now: Instant) -> usize {
        let mut wrong = lock(&self.wrong);
        let Some(times) = wrong.get_mut(self.counted_as(person)) else {
            return 0;
        };
        times.retain(|time| now.duration_since(*time) < WRONG_WINDOW);
        times.len()
    }

    fn note_wrong(&self, person: &str, now: Instant) {
        lock(&self.wrong)
            .entry(self.counted_as(person).to_owned())
            .or_default()
            .push(now);
    }

    /// Names nobody has are counted, and refused, under one entry, so that guessing names cannot grow the table.
    fn counted_as<'a>(&self, person: &'a str) -> &'a str {
        let known = self.people.iter().any(|candidate| candidate.id == person);
        if known { person } else { "" }
    }
}

/// A mutex whose holder panicked still holds a whole map: every change above is one insertion or removal.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn matches(pin: &str, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(pin.as_bytes(), &hash)
            .is_ok()
    })
}

fn token() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;
    use davy_config::site::Role;

    fn sessions() -> Sessions {
        let pin_hash = Argon2::default()
            .hash_password(b"2468")
            .unwrap()
            .to_string();
        Sessions::new(vec![Person {
            id: "wang".into(),
            name: "王伟".into(),
            role: Role::Operator,
            pin_hash,
        }])
    }

    #[test]
    fn the_right_pin_opens_a_session_and_closing_ends_it() {
        let (sessions, now) = (sessions(), Instant::now());
        let person = sessions.verify("wang", "2468", now).unwrap();
        let token = sessions.open(person, now);
        assert_eq!(sessions.person(&token, now).unwrap().id, "wang");
        sessions.close(&token);
        assert!(sessions.person(&token, now).is_none());
    }

    #[test]
    fn a_session_ends_after_a_shift_without_use() {
        let (sessions, now) = (sessions(), Instant::now());
        let token = sessions.open(&sessions.people[0], now);
        assert!(sessions.person(&token, now + IDLE / 2).is_some());
        assert!(sessions.person(&token, now + IDLE / 2 + IDLE).is_none());
    }

    #[test]
    fn five_wrong_pins_in_a_minute_refuse_the_sixth_even_if_right() {
        let (sessions, now) = (sessions(), Instant::now());
        for _ in 0..WRONG_MAX {
            assert_eq!(
                sessions.verify("wang", "0000", now).unwrap_err(),
                LoginError::Wrong
            );
        }
        assert_eq!(
            sessions.verify("wang", "2468", now).unwrap_err(),
            LoginError::TooMany
        );
        assert!(sessions.verify("wang", "2468", now + WRONG_WINDOW).is_ok());
    }

    #[test]
    fn names_nobody_has_are_refused_unread_after_five() {
        let (sessions, now) = (sessions(), Instant::now());
        for try_number in 0..WRONG_MAX {
            let name = format!("nobody-{try_number}");
            let error = sessions.verify(&name, "0000", now).unwrap_err();
            assert_eq!(error, LoginError::Wrong);
        }
        assert_eq!(
            sessions.verify("somebody-else", "0000", now).unwrap_err(),
            LoginError::TooMany
        );
        assert!(sessions.verify("wang", "2468", now).is_ok());
    }

    #[test]
    fn an_unknown_person_is_told_no_more_than_a_wrong_pin() {
        assert_eq!(
            sessions()
                .verify("nobody", "2468", Instant::now())
                .unwrap_err(),
            LoginError::Wrong
        );
    }
}
