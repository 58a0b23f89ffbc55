//! A gateway that has no site file yet: it serves the commissioning pages and monitors nothing. Its first person is let in by a code that the terminal or
//! the log shows, so that whoever commissions it is somebody who can see its console (docs/decisions/0013).

use super::tree;
use super::workbook::Workbook;
use crate::message;
use davy_config::Language;
use davy_config::site::{Person, Site};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Figures of a code; with the throttle of log-ins nobody guesses it.
const FIGURES: usize = 8;
/// What a gateway is called until its site has a name.
const ID: &str = "new-gateway";

/// The code that lets the first person in, once.
#[derive(Debug)]
pub(crate) struct Code(Mutex<Option<String>>);

impl Code {
    /// A new one; none where somebody is known already.
    pub(crate) fn new(is_needed: bool) -> Self {
        let figure = |_| char::from(b'0' + rand::random_range(0..10_u8));
        Self(Mutex::new(
            is_needed.then(|| (0..FIGURES).map(figure).collect()),
        ))
    }

    /// As it is printed: `1234-5678`.
    pub(crate) fn printed(&self) -> Option<String> {
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = code.as_ref()?.split_at(FIGURES / 2);
        Some(format!("{first}-{second}"))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Whether `typed` is the code, however it is spaced.
    pub(crate) fn fits(&self, typed: &str) -> bool {
        let typed: String = typed.chars().filter(char::is_ascii_digit).collect();
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        code.as_ref().is_some_and(|code| *code == typed)
    }

    /// The first person is in: the code lets nobody in any more.
    pub(crate) fn spend(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The file that a draft begins from where there is none.
pub(crate) fn beginning(listen: SocketAddr) -> Value {
    json!({
        "schema": 1,
        "site": { "id": "", "name": { "zh": "", "en": "" } },
        "screen": { "listen": listen.to_string() },
        "person": [], "area": [], "bus": [], "device": [], "point": [], "output": [], "effect": [],
    })
}

/// A site of nothing but its screen and the draft's people, so that they can log in.
pub(crate) fn site(listen: SocketAddr, draft: Option<&Value>) -> Site {
    let mut people = draft
        .and_then(|draft| draft["person"].as_array().cloned())
        .unwrap_or_default();
    // A person that is half written must not keep the others out.
    people.retain(|person| read(listen, &json!([person])).is_some());
    let all = read(listen, &people.into());
    all.or_else(|| read(listen, &json!([])))
        .expect("a site of nothing but a screen is valid: a test reads it")
}

fn read(listen: SocketAddr, people: &Value) -> Option<Site> {
    let name = |language| message::text("commission-blank", language);
    let tree = json!({
        "schema": 1,
        "site": { "id": ID, "name": { "zh": name(Language::Zh), "en": name(Language::En) } },
        "screen": { "listen": listen.to_string() },
        "person": people,
    });
    davy_config::blank(&tree::write(&tree, "")).ok()
}

/// The same on the draft that is kept in `data`.
///
/// # Errors
/// The data directory cannot be read.
pub(crate) fn kept_site(listen: SocketAddr, data: &Path) -> io::Result<Site> {
    let draft = Workbook::open(data)?.draft();
    Ok(site(listen, draft.as_ref().map(|draft| &draft.site)))
}

/// Whether somebody of a site may commission it.
pub(crate) fn has_installer(people: &[Person]) -> bool {
    let role = davy_config::site::Role::Maintenance;
    people.iter().any(|person| person.role == role)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$QteEZA9Ftswnsnur11oFXA$5m0w9rEd6ILjU1jf2pXyytUa5mCqEs1sVR4RBXv1sXw";

    fn listen() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 8080))
    }

    #[test]
    fn a_blank_gateway_is_a_site_of_nothing_but_its_screen() {
        let site = site(listen(), None);
        assert_eq!(
            (site.buses.len(), site.points.len(), site.people.len()),
            (0, 0, 0)
        );
        assert_eq!(site.http, listen());
    }

    #[test]
    fn the_drafts_people_may_log_in_and_one_who_is_half_written_keeps_nobody_out() {
        let draft = json!({ "person": [
            { "id": "li", "name": "李敏", "role": "maintenance", "pin": HASH },
            { "id": "wang", "name": "", "role": "operator", "pin": "kept" },
        ] });
        let site = site(listen(), Some(&draft));
        assert_eq!(site.people.len(), 1);
        assert!(has_installer(&site.people));
    }

    #[test]
    fn a_code_fits_however_it_is_spaced_and_only_until_it_is_spent() {
        let code = Code::new(true);
        let printed = code.printed().unwrap();
        assert_eq!(printed.len(), FIGURES + 1);
        assert!(code.fits(&printed) && code.fits(&printed.replace('-', " ")));
        assert!(!code.fits("") && !code.fits("1"));
        code.spend();
        assert!(!code.fits(&printed) && !code.is_open());
        assert!(!Code::new(false).fits(""));
    }
}
