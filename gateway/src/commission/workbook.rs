//! What the installer has written so far: the draft of a site file as a tree, kept in `<data>/commission/draft.json` over a reload of the page and a restart
//! of the gateway.
//!
//! Two people may have it open. Each change names the revision that it changes; of two, the later one is refused and loses nothing unseen.

use super::kept;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a page sees in place of a PIN's hash, and sends back where the PIN stays.
const KEPT: &str = "kept";

/// A draft as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// Rises with each change; 0 was never kept.
    pub(crate) revision: u64,
    /// The site file as a tree (see [`super::tree`]).
    pub(crate) site: Value,
    /// Who changed it last.
    pub(crate) by: String,
    pub(crate) changed_ms: i64,
}

impl Draft {
    /// As a page sees it: whoever may look at the screen must not see a PIN's hash.
    pub(crate) fn shown(&self) -> Self {
        let mut shown = self.clone();
        for pin in pins(&mut shown.site) {
            *pin = KEPT.into();
        }
        shown
    }
}

/// Why a change was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("somebody else changed it meanwhile")]
    Changed,
    #[error("it cannot be written: {0}")]
    Disk(#[from] io::Error),
}

/// The draft and its file. Its one owner; whoever asks gets a copy.
#[derive(Debug)]
pub(crate) struct Workbook {
    file: PathBuf,
    draft: Mutex<Option<Draft>>,
}

impl Workbook {
    /// Reads what was kept. A file that is no draft is put aside and named: the installer begins anew, and the gateway goes on.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("commission");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("draft.json");
        let draft = match std::fs::read(&file) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(draft) => Some(draft),
                Err(error) => {
                    let aside = kept::beside(&file, "damaged");
                    tracing::error!(file = %file.display(), %error, aside = %aside.display(), "the draft cannot be read and is put aside");
                    std::fs::rename(&file, aside)?;
                    None
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            file,
            draft: Mutex::new(draft),
        })
    }

    pub(crate) fn draft(&self) -> Option<Draft> {
        self.lock().clone()
    }

    /// Keeps `site` in place of revision `revision`; PINs that a page did not see are those of before.
    pub(crate) fn keep(
        &self,
        revision: u64,
        site: Value,
        by: &str,
        now_ms: i64,
    ) -> Result<Draft, KeepError> {
        let mut held = self.lock();
        let now = held.as_ref().map_or(0, |draft| draft.revision);
        if now != revision {
            return Err(KeepError::Changed);
        }
        let mut site = site;
        if let Some(before) = held.as_ref() {
            take_pins(&mut site, &before.site);
        }
        let draft = Draft {
            revision: now + 1,
            site,
            by: by.to_owned(),
            changed_ms: now_ms,
        };
        kept::replace(
            &self.file,
            &serde_json::to_vec(&draft).map_err(io::Error::from)?,
        )?;
        *held = Some(draft.clone());
        Ok(draft)
    }

    /// Forgets the draft, so that the next one begins from what runs.
    pub(crate) fn clear(&self, revision: u64) -> Result<(), KeepError> {
        let mut held = self.lock();
        if held
            .as_ref()
            .is_some_and(|draft| draft.revision != revision)
        {
            return Err(KeepError::Changed);
        }
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => *held = None,
        }
        Ok(())
    }

    /// A holder that panicked left a whole draft: every change above is one assignment.
    fn lock(&self) -> MutexGuard<'_, Option<Draft>> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every PIN's place in a tree.
fn pins(site: &mut Value) -> impl Iterator<Item = &mut Value> {
    let people = site.get_mut("person").and_then(Value::as_array_mut);
    people
        .into_iter()
        .flatten()
        .filter_map(|person| person.get_mut("pin"))
}

/// Puts the hashes back that a page did not see. Of somebody who was not there before there is none, and `check` names it.
pub(super) fn take_pins(site: &mut Value, before: &Value) {
    let people = before["person"].as_array();
    let known = |id: &Value| {
        let mut people = people.into_iter().flatten();
        people
            .find(|person| person["id"] == *id)
            .map(|person| person["pin"].clone())
    };
    let own = site.get_mut("person").and_then(Value::as_array_mut);
    for person in own.into_iter().flatten() {
        if person["pin"] == KEPT
            && let Some(pin) = known(&person["id"])
        {
            person["pin"] = pin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with_pin(pin: &str) -> Value {
        json!({ "person": [{ "id": "li", "pin": pin }] })
    }

    #[test]
    fn a_draft_is_there_after_a_restart_and_its_revision_rises() {
        let dir = tempfile::tempdir().unwrap();
        let book = Workbook::open(dir.path()).unwrap();
        assert_eq!(book.draft(), None);
        book.keep(0, json!({ "schema": 1 }), "li", 1).unwrap();
        let second = book
            .keep(1, json!({ "schema": 1, "a": 2 }), "wang", 2)
            .unwrap();
        drop(book);
        assert_eq!(Workbook::open(dir.path()).unwrap().draft(), Some(second));
    }

    #[test]
    fn of_two_changes_to_one_revision_the_later_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let book = Workbook::open(dir.path()).unwrap();
        let first = book.keep(0, json!({}), "li", 1).unwrap();
        let refused = book.keep(0, json!({ "other": 1 }), "wang", 2);
        assert!(matches!(refused, Err(KeepError::Changed)));
        assert_eq!(book.draft(), Some(first));
    }

    #[test]
    fn a_hash_never_leaves_and_comes_back_where_the_page_sends_its_stand_in() {
        let dir = tempfile::tempdir().unwrap();
        let book = Workbook::open(dir.path()).unwrap();
        let shown = book
            .keep(0, with_pin("$argon2id$…"), "li", 1)
            .unwrap()
            .shown();
        assert_eq!(shown.site, with_pin(KEPT));
        let again = book.keep(1, shown.site, "li", 2).unwrap();
        assert_eq!(again.site, with_pin("$argon2id$…"));
    }

    #[test]
    fn a_damaged_draft_is_put_aside_and_the_gateway_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("commission");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("draft.json"), "{ half").unwrap();
        assert_eq!(Workbook::open(dir.path()).unwrap().draft(), None);
        let aside = std::fs::read_to_string(folder.join("draft.json.damaged")).unwrap();
        assert_eq!(aside, "{ half");
    }
}
