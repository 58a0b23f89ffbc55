//! The site file, device profiles and hazard presets: text in, a valid [`site::Site`] or every problem out.
//!
//! Invariant: a [`site::Site`] can only be had from here, so whoever holds one holds a whole, valid site. Nothing here opens a port or reads a device.

mod preset;
pub mod problem;
mod profile;
mod read;
mod section;
pub mod site;

pub use preset::{Confidence, Preset, Presets, Substance};
pub use problem::{Code, Language, Problem, Problems, Severity};
pub use profile::{names as profile_names, width};

use section::{Section, Sink};
use site::Site;
use std::path::Path;
use toml::de::DeTable;

/// A valid site, and what is worth a second look.
#[derive(Debug)]
pub struct Loaded {
    pub site: Site,
    pub warnings: Problems,
}

/// Reads a site file, and the profile files that it names, without touching a device.
///
/// # Errors
/// Every problem at once, warnings among them.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    let file = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| unreadable(&file, &error.to_string()))?;
    parse(&file, &text, path.parent().unwrap_or(Path::new(".")))
}

/// Reads a site file's text. `file` names it in problems; relative paths in it are taken from `base`.
///
/// # Errors
/// As [`load`].
pub fn parse(file: &str, text: &str, base: &Path) -> Result<Loaded, Problems> {
    let sink = Sink::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        sink.add(
            Code::Syntax,
            error.span().unwrap_or(0..0),
            "",
            vec![("error", error.message().to_owned())],
        );
    }
    // After a syntax error the rest of the tree is a guess: only the syntax is reported.
    let site = errors
        .is_empty()
        .then(|| {
            read::site(
                Section::new(&sink, table.get_ref(), table.span(), String::new()),
                text,
                base,
            )
        })
        .flatten();
    let problems = Problems::new(sink.take());
    match site {
        Some(site) if !problems.refuse() => Ok(Loaded {
            site,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

fn unreadable(file: &str, error: &str) -> Problems {
    let args = vec![("error", error.to_owned())];
    Problems::new(vec![Problem {
        code: Code::Unreadable,
        file: file.to_owned(),
        line: 0,
        column: 0,
        key: String::new(),
        args,
    }])
}
