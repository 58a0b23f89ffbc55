//! The site file, device profiles and hazard presets: text in, a valid [`site::Site`] or every problem out.
//!
//! Invariant: a [`site::Site`] can only be had from here, so whoever holds one holds a whole, valid site. Nothing here opens a port or reads a device.

mod difference;
mod file;
mod nearest;
mod preset;
pub mod problem;
mod profile;
mod read;
mod review;
mod schema;
mod section;
mod sink;
pub mod site;
mod syntax;
mod today;

pub use difference::{Change, Difference, Part, differences, weakens};
pub use preset::{Confidence, Figure, Level, Names, Preset, Presets, Substance};
pub use problem::{Code, Language, Problem, Problems, Severity};
pub use profile::{
    Decode, Example, Expected, Shape, SignalShape, check as check_profile,
    check_file as check_profile_file, examples as profile_examples, names as profile_names,
    shape as profile_shape, text as profile_text, width,
};
pub use read::digest;
pub use review::{Finding, Place, Review};
pub use schema::schema;
pub use today::Today;

use section::Section;
use sink::Sink;
use site::Site;
use std::path::Path;
use toml::de::DeTable;

/// Largest site file that is read, bytes: some 40,000 points. It bounds the number of problems, too.
const SITE_BYTES_MAX: u64 = 16 << 20;

/// A valid site, and what is worth a second look.
#[derive(Debug)]
pub struct Loaded {
    pub site: Site,
    pub warnings: Problems,
}

/// Reads a site file, and the profile files that it names, without touching a device. Knows no day: see [`load_on`].
///
/// # Errors
/// Every problem at once, warnings among them.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    load_on(path, Today::Unknown)
}

/// As [`load`], and holds the day of the sign-off against today's.
///
/// # Errors
/// As [`load`].
pub fn load_on(path: &Path, today: Today) -> Result<Loaded, Problems> {
    load_reviewed(path, today, review::NOTHING)
}

/// As [`load_on`], and holds a file that is valid by itself against what else must be so where it runs.
///
/// # Errors
/// As [`load`].
pub fn load_reviewed(path: &Path, today: Today, review: Review) -> Result<Loaded, Problems> {
    let file = path.display().to_string();
    let text = file::read(path, SITE_BYTES_MAX).map_err(|refusal| {
        let problem = Problem::of_file(refusal.code, &file, refusal.args);
        Problems::new(vec![problem])
    })?;
    let base = path.parent().unwrap_or(Path::new("."));
    parse_reviewed(&file, &text, base, today, review)
}

/// Reads a site file's text. `file` names it in problems; relative paths in it are taken from `base`.
///
/// # Errors
/// As [`load`].
pub fn parse(file: &str, text: &str, base: &Path) -> Result<Loaded, Problems> {
    parse_on(file, text, base, Today::Unknown)
}

/// As [`parse`], and holds the day of the sign-off against today's.
///
/// # Errors
/// As [`load`].
pub fn parse_on(file: &str, text: &str, base: &Path, today: Today) -> Result<Loaded, Problems> {
    parse_reviewed(file, text, base, today, review::NOTHING)
}

/// As [`load_reviewed`], of a text.
///
/// # Errors
/// As [`load`].
pub fn parse_reviewed(
    file: &str,
    text: &str,
    base: &Path,
    today: Today,
    review: Review,
) -> Result<Loaded, Problems> {
    let (site, problems) = read_all(file, text, base, today, review);
    match site {
        Some(site) if !problems.refuse() => Ok(Loaded {
            site,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

/// The site of a gateway that has no site file yet: a screen and its people, nothing to read, nothing to judge, nothing to switch. The one site without a
/// point; no file on a disk can be it.
///
/// # Errors
/// Every problem but that there is no point.
pub fn blank(text: &str) -> Result<Site, Problems> {
    let (site, problems) = read_all("", text, Path::new("."), Today::Unknown, review::NOTHING);
    let has_no_point =
        |problem: &Problem| problem.code == Code::MissingKey && problem.key == "point";
    match site {
        Some(site) if site.devices.is_empty() && problems.iter().all(has_no_point) => Ok(site),
        _ => Err(problems),
    }
}

fn read_all(
    file: &str,
    text: &str,
    base: &Path,
    today: Today,
    review: Review,
) -> (Option<Site>, Problems) {
    let sink = Sink::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    syntax::report(&sink, &errors);
    // After a syntax error the rest of the tree is a guess: only the syntax is reported.
    let site = errors
        .is_empty()
        .then(|| read::site(Section::root(&sink, &table), text, base, today))
        .flatten();
    // Of a file that is refused anyhow, what it would be like to run is a guess.
    if let Some(site) = site.as_ref().filter(|_| !sink.refuses()) {
        review::hold(site, &Section::root(&sink, &table), review);
    }
    (site, Problems::new(sink.take()))
}
