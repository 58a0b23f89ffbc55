//! What a change tells the other collectors on the same store: what of it they must look at again. They are told with its commit, and not without it.
//!
//! A letter is JSON, `{"from":…,"of":[…]}`: who wrote it, and notices. PostgreSQL takes no letter of 8,000 bytes or more.

use super::Records;
use super::engine::StoreError;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// Bytes of a letter.
const LONGEST: usize = 7_900;
/// Letters of one change, some ten thousand alarms; beyond it the others are told to look at everything again.
const MOST_LETTERS: usize = 64;

/// One thing to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// The site went up or down, was born anew, or its registry changed.
    Site(String),
    /// Site and alarm.
    Alarm(String, String),
    /// A new line of the journal: site, epoch, and its number.
    Line(String, i64, u64),
    /// A command did not do what it should.
    Refused {
        command: String,
        site: String,
        alarm: String,
        why: String,
    },
    Everything,
}

/// What is heard of the other collectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// From now on it is heard what they commit; what they did before is not known.
    Begun,
    /// In the order of their commits.
    Notices(Vec<Notice>),
}

/// Hears the other collectors on a store.
pub(crate) trait Others: Send {
    /// What comes next.
    ///
    /// # Errors
    /// The connection is lost, and with it what is told meanwhile. The next call makes a new one.
    fn next(&mut self) -> BoxFuture<'_, Result<Heard, StoreError>>;
}

impl Records {
    /// The ear for the other collectors on this store; none where there can be none.
    pub(crate) fn others(&self) -> Option<Box<dyn Others>> {
        self.engine.others()
    }
}

#[derive(Serialize, Deserialize)]
struct Letter {
    from: u64,
    of: Vec<Notice>,
}

/// The letters that carry these notices, in their order.
pub(super) fn letters(from: u64, notices: Vec<Notice>) -> Vec<String> {
    let mut letters = Vec::new();
    let (mut of, mut length) = (Vec::new(), 0);
    for notice in notices {
        let own = written(&notice).len() + 1;
        if length + own > LONGEST - written(&Letter { from, of: vec![] }).len() && !of.is_empty() {
            letters.push(written(&Letter { from, of }));
            (of, length) = (Vec::new(), 0);
        }
        of.push(notice);
        length += own;
    }
    if !of.is_empty() {
        letters.push(written(&Letter { from, of }));
    }
    let is_too_much =
        letters.len() > MOST_LETTERS || letters.iter().any(|letter| letter.len() > LONGEST);
    if is_too_much {
        let of = vec![Notice::Everything];
        letters = vec![written(&Letter { from, of })];
    }
    letters
}

fn written(part: &impl Serialize) -> String {
    serde_json::to_string(part).expect("texts and numbers always serialise")
}

/// The notices of a letter; none of one's own. What cannot be read, of another build, may be about anything.
pub(super) fn read(own: u64, letter: &str) -> Vec<Notice> {
    match serde_json::from_str::<Letter>(letter) {
        Ok(letter) if letter.from == own => vec![],
        Ok(letter) => letter.of,
        Err(_) => vec![Notice::Everything],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarms(count: usize, length: usize) -> Vec<Notice> {
        let alarm = |at| Notice::Alarm("tank-farm".into(), format!("{at:0length$}"));
        (0..count).map(alarm).collect()
    }

    #[test]
    fn what_many_letters_carry_is_what_was_told_in_its_order() {
        let told = alarms(1_000, 40);
        let letters = letters(7, told.clone());
        assert!(letters.len() > 1);
        assert!(letters.iter().all(|letter| letter.len() <= LONGEST));
        let read: Vec<Notice> = letters.iter().flat_map(|one| read(8, one)).collect();
        assert_eq!(read, told);
    }

    #[test]
    fn nobody_hears_his_own_letters() {
        let letters = letters(7, alarms(1, 10));
        assert_eq!(read(7, &letters[0]), []);
    }

    #[test]
    fn what_no_letters_can_carry_makes_the_others_look_at_everything() {
        for told in [alarms(1, LONGEST), alarms(100_000, 40)] {
            let letters = letters(7, told);
            assert_eq!(letters.len(), 1);
            assert_eq!(read(8, &letters[0]), [Notice::Everything]);
        }
    }

    #[test]
    fn a_letter_of_a_build_that_we_do_not_know_makes_us_look_at_everything() {
        let letter = r#"{"from":7,"of":[{"pump":"P-1"}]}"#;
        assert_eq!(read(8, letter), [Notice::Everything]);
    }
}
