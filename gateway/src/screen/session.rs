//! Who stands at the screen: PIN log-in, sessions, throttling. Reading needs no session; acting does.
//!
//! Sessions live in memory alone: a restart of the gateway logs everybody out, and no secret reaches the disk.

use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};
use davy_config::site::Person;
use davy_throttle::{Bounds, Throttle};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The cookie that carries a session's token at `site`. Browsers keep one jar for all ports of a host: two gateways on one machine need two names.
pub(super) fn cookie(site: &str) -> String {
    format!("davy_plant_session_{site}")
}

/// A session ends after this long without use: one shift.
const IDLE: Duration = Duration::from_secs(12 * 3600);
/// Sessions at one time; the one unused for longest makes room.
const SESSIONS_MAX: usize = 256;
/// Tries of PINs: a plant has few screens and few people.
const PINS: Bounds = Bounds {
    strangers: 30,
    pairs: 2_000,
};

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
    people: Mutex<Vec<Person>>,
    open: Mutex<HashMap<String, Session>>,
    throttle: Arc<Throttle>,
    /// The throttle counts from here.
    began: Instant,
}

#[derive(Debug)]
struct Session {
    person: Person,
    last_use: Instant,
}

impl Sessions {
    /// Nobody logged in yet.
    pub(super) fn new(people: Vec<Person>) -> Self {
        Self {
            people: Mutex::new(people),
            open: Mutex::default(),
            throttle: Arc::new(Throttle::new(PINS)),
            began: Instant::now(),
        }
    }

    /// Who may log in.
    pub(super) fn people(&self) -> Vec<Person> {
        lock(&self.people).clone()
    }

    /// Others may log in from now on; who is in stays in.
    pub(super) fn set_people(&self, people: Vec<Person>) {
        *lock(&self.people) = people;
    }

    /// Whether what was typed fits, of a secret that belongs to nobody; guessing it is slowed as that of a PIN.
    pub(super) fn admits(
        &self,
        address: IpAddr,
        now: Instant,
        fits: impl FnOnce() -> bool,
    ) -> Result<(), LoginError> {
        let now_ms = self.since_began(now);
        if !self.throttle.admit(address, "", now_ms) {
            return Err(LoginError::TooMany);
        }
        if !fits() {
            return Err(LoginError::Wrong);
        }
        self.throttle.forgive(address, "", now_ms);
        Ok(())
    }

    fn since_began(&self, now: Instant) -> i64 {
        let now_ms = now.saturating_duration_since(self.began).as_millis();
        i64::try_from(now_ms).unwrap_or(i64::MAX)
    }

    /// The sessions of another list of people: whoever is in it as before stays logged in, and who guessed too often stays slowed.
    pub(super) fn under(&self, people: Vec<Person>) -> Self {
        let open = lock(&self.open);
        let kept = open.iter().filter_map(|(token, session)| {
            let session = Session {
                person: people
                    .iter()
                    .find(|known| **known == session.person)?
                    .clone(),
                last_use: session.last_use,
            };
            Some((token.clone(), session))
        });
        Self {
            open: Mutex::new(kept.collect()),
            throttle: self.throttle.clone(),
            began: self.began,
            people: Mutex::new(people),
        }
    }

    /// Checks a PIN. Costs tens of milliseconds by design (argon2id): call it off the async threads.
    pub(super) fn verify(
        &self,
        address: IpAddr,
        person: &str,
        pin: &str,
        now: Instant,
    ) -> Result<Person, LoginError> {
        let now_ms = self.since_began(now);
        let counted = self.counted_as(person);
        if !self.throttle.admit(address, counted, now_ms) {
            return Err(LoginError::TooMany);
        }
        // A copy: the hash takes long, and others look meanwhile.
        let people = self.people();
        let found = people.into_iter().find(|candidate| candidate.id == person);
        let found = found.filter(|candidate| matches(pin, &candidate.pin_hash));
        let person = found.ok_or(LoginError::Wrong)?;
        self.throttle.forgive(address, counted, now_ms);
        Ok(person)
    }

    /// Opens a session for a person whose PIN was verified, and returns its token.
    pub(super) fn open(&self, person: &Person, now: Instant) -> String {
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
                person: person.clone(),
                last_use: now,
            },
        );
        token
    }

    /// The person behind a token, if the session is still open; counts as use.
    pub(super) fn person(&self, token: &str, now: Instant) -> Option<Person> {
        let mut open = lock(&self.open);
        let session = open
            .get_mut(token)
            .filter(|session| now.duration_since(session.last_use) < IDLE)?;
        session.last_use = now;
        Some(session.person.clone())
    }

    /// Ends a session; an unknown token is no error.
    pub(super) fn close(&self, token: &str) {
        lock(&self.open).remove(token);
    }

    /// Names nobody has are counted, and refused, under one entry, so that guessing names cannot grow the table.
    fn counted_as<'a>(&self, person: &'a str) -> &'a str {
        let known = lock(&self.people)
            .iter()
            .any(|candidate| candidate.id == person);
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
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

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
        let person = sessions.verify(HERE, "wang", "2468", now).unwrap();
        let token = sessions.open(&person, now);
        assert_eq!(sessions.person(&token, now).unwrap().id, "wang");
        sessions.close(&token);
        assert!(sessions.person(&token, now).is_none());
    }

    #[test]
    fn a_session_ends_after_a_shift_without_use() {
        let (sessions, now) = (sessions(), Instant::now());
        let token = sessions.open(&sessions.people()[0], now);
        assert!(sessions.person(&token, now + IDLE / 2).is_some());
        assert!(sessions.person(&token, now + IDLE / 2 + IDLE).is_none());
    }

    #[test]
    fn five_wrong_pins_hold_the_screen_that_typed_them_and_not_the_person() {
        let (sessions, now) = (sessions(), Instant::now());
        for _ in 0..5 {
            let error = sessions.verify(HERE, "wang", "0000", now).unwrap_err();
            assert_eq!(error, LoginError::Wrong);
        }
        let error = sessions.verify(HERE, "wang", "2468", now).unwrap_err();
        assert_eq!(error, LoginError::TooMany);
        assert!(sessions.verify(THERE, "wang", "2468", now).is_ok());
        let later = now + Duration::from_secs(60);
        assert!(sessions.verify(HERE, "wang", "2468", later).is_ok());
    }

    #[test]
    fn names_nobody_has_are_refused_unread_after_five() {
        let (sessions, now) = (sessions(), Instant::now());
        for try_number in 0..5 {
            let name = format!("nobody-{try_number}");
            let error = sessions.verify(HERE, &name, "0000", now).unwrap_err();
            assert_eq!(error, LoginError::Wrong);
        }
        let error = sessions.verify(HERE, "another", "0000", now).unwrap_err();
        assert_eq!(error, LoginError::TooMany);
        assert!(sessions.verify(HERE, "wang", "2468", now).is_ok());
    }

    #[test]
    fn an_unknown_person_is_told_no_more_than_a_wrong_pin() {
        assert_eq!(
            sessions()
                .verify(HERE, "nobody", "2468", Instant::now())
                .unwrap_err(),
            LoginError::Wrong
        );
    }
}
