//! What both daemons hand out on paper: `page` lays out, `pdf` writes with the type of `font`, `key` signs, `list` says what was signed; `whole` keeps the files of
//! either so that a power cut leaves the old one or the new one.
//!
//! Knows no site, no proof, no incident, and no text for people: whoever prints brings what stands on the pages.

mod font;
mod key;
mod list;
mod page;
mod pdf;
mod whole;

pub use font::{Type, packed};
pub use key::{Key, KeyError, fingerprint_of, is_signed, sha256, text_of};
pub use list::{SignedList, signed};
pub use page::{BLACK, Column, Foot, Mark, Page, Pen, SMALL, TEXT, WIDTH};
pub use pdf::{Sheet, write};
pub use whole::{beside, folder_of, replace, replace_secret};

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("this program was built without the type of reports (npm run build in web)")]
    NoFont,
    #[error("the type of reports cannot be read: {0}")]
    Font(String),
}
