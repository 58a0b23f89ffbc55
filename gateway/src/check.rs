//! `davy-gateway check`: what is wrong with a site file or a profile, for people with the line itself, for programs as JSON.

use crate::admission;
use crate::budget;
use crate::current;
use crate::diff::Diff;
use crate::matrix::Matrix;
use crate::message;
use davy_config::{Language, Problem, Problems, Severity, Today};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

/// Reads the file and prints what is wrong with it. Returns whether it may run.
pub(crate) fn people(path: &Path, language: Language) -> bool {
    match admission::load(path, Today::Certain(day())) {
        Ok(loaded) => {
            say(&(text(&loaded.warnings, language) + &sound(path, &loaded, language) + "\n"));
            true
        }
        Err(problems) => {
            say(&(text(&problems, language) + &refused(path, &problems, language) + "\n"));
            false
        }
    }
}

/// The same as JSON on one line, the same in both languages but for the texts, of which it carries both.
pub(crate) fn programs(path: &Path) -> bool {
    let (ok, problems) = match admission::load(path, Today::Certain(day())) {
        Ok(loaded) => (true, loaded.warnings),
        Err(problems) => (false, problems),
    };
    say_rows(path, ok, &problems);
    ok
}

fn say_rows(path: &Path, ok: bool, problems: &Problems) {
    let rows: Vec<_> = problems.iter().map(row).collect();
    let answer = json!({ "ok": ok, "file": path.display().to_string(), "problems": rows });
    say(&format!("{answer}\n"));
}

/// Reads a profile, holds its examples against the decoder and prints what is wrong. Returns whether it may be used.
pub(crate) fn profile(path: &Path, as_json: bool, language: Language) -> bool {
    let problems = davy_config::check_profile_file(path, &crate::decode::example);
    let ok = !problems.refuse();
    if as_json {
        say_rows(path, ok, &problems);
        return ok;
    }
    let key = if ok {
        "check-profile-sound"
    } else {
        "check-profile-refused"
    };
    let (errors, warnings) = count(&problems);
    let values = [
        ("file", path.display().to_string()),
        ("errors", errors),
        ("warnings", warnings),
    ];
    let told = message::text_with(key, &values, language);
    say(&(text(&problems, language) + &told + "\n"));
    ok
}

/// How many errors and warnings.
fn count(problems: &Problems) -> (String, String) {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity() == Severity::Error)
        .count();
    (errors.to_string(), (problems.len() - errors).to_string())
}

/// Reads the file and prints its cause-and-effect table. Returns whether the file may run; if not, what is wrong is printed instead.
pub(crate) fn matrix(path: &Path, as_json: bool, language: Language) -> bool {
    let loaded = match admission::load(path, Today::Certain(day())) {
        Ok(loaded) => loaded,
        Err(_) if as_json => return programs(path),
        Err(_) => return people(path, language),
    };
    let matrix = Matrix::of(&loaded.site);
    if as_json {
        say(&format!("{}\n", json!(matrix)));
    } else {
        say(&(text(&loaded.warnings, language) + &matrix.text(language)));
    }
    true
}

/// Prints what each bus is asked for and can carry, also of a file that is refused for just that; then what is wrong. Returns whether the file may run.
pub(crate) fn budget(path: &Path, as_json: bool, language: Language) -> bool {
    let today = Today::Certain(day());
    let Ok(loaded) = davy_config::load_on(path, today) else {
        return if as_json {
            programs(path)
        } else {
            people(path, language)
        };
    };
    let table = budget::Table::of(&loaded.site);
    let (ok, problems) = match admission::load(path, today) {
        Ok(loaded) => (true, loaded.warnings),
        Err(problems) => (false, problems),
    };
    if as_json {
        let rows: Vec<_> = problems.iter().map(row).collect();
        say(&format!(
            "{}\n",
            json!({ "ok": ok, "budget": table, "problems": rows })
        ));
    } else {
        say(&(table.text(language) + "\n" + &text(&problems, language)));
    }
    ok
}

/// Prints what a file changes of another: of a site file, or, for a gateway's data folder, of the file that it runs. Returns whether the file may run; the other
/// may be one that no longer would.
pub(crate) fn diff(path: &Path, other: &Path, as_json: bool, language: Language) -> bool {
    let after = match admission::load(path, Today::Certain(day())) {
        Ok(loaded) => loaded,
        Err(_) if as_json => return programs(path),
        Err(_) => return people(path, language),
    };
    let before = match before(path, other) {
        Ok(loaded) => loaded.site,
        Err(problems) => {
            say(&(text(&problems, language) + &refused(other, &problems, language) + "\n"));
            return false;
        }
    };
    let diff = Diff::of(davy_config::differences(&before, &after.site));
    if as_json {
        say(&format!("{}\n", json!(diff)));
    } else {
        say(&(text(&after.warnings, language) + &diff.text(language)));
    }
    true
}

/// What a gateway runs lies in its data folder, and names profiles from where the site file lies.
fn before(path: &Path, other: &Path) -> Result<davy_config::Loaded, Problems> {
    if !other.is_dir() {
        return davy_config::load(other);
    }
    let place = current::place(other);
    match std::fs::read_to_string(&place) {
        Ok(text) => {
            let folder = path.parent().unwrap_or(Path::new("."));
            davy_config::parse(&place.display().to_string(), &text, folder)
        }
        // Told as any file that cannot be read.
        Err(_) => davy_config::load(&place),
    }
}

/// Prints the format as a JSON Schema.
pub(crate) fn schema() -> bool {
    say(&format!("{:#}\n", davy_config::schema()));
    true
}

/// Today by the machine's clock, UTC, in days since 1970; 0 for a clock that stands before that.
pub(crate) fn day() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    (since.as_secs() / 86_400).cast_signed()
}

/// Prints. A reader that has gone away (`| head`) is no fault of the file: the exit code still tells.
fn say(text: &str) {
    let _gone = std::io::stdout().write_all(text.as_bytes());
}

/// Every problem with its place, the line, and the way out.
pub(crate) fn text(problems: &Problems, language: Language) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}", paragraph(problem, language));
        text
    })
}

fn paragraph(problem: &Problem, language: Language) -> String {
    let kind = match problem.severity() {
        Severity::Error => message::text("check-error", language),
        Severity::Warning => message::text("check-warning", language),
    };
    let help = message::text("check-help", language);
    let mut text = format!(
        "{kind}[{}]: {}\n  --> {}",
        problem.code.name(),
        problem.message(language),
        problem.place()
    );
    if !problem.key.is_empty() {
        text += &format!("  ({})", problem.key);
    }
    if !problem.excerpt.is_empty() {
        let number = problem.line.to_string();
        let margin = " ".repeat(number.len());
        let before: String = problem
            .excerpt
            .chars()
            .take(problem.column.saturating_sub(1))
            .map(|char| if wide(char) { '\u{3000}' } else { ' ' })
            .collect();
        text += &format!(
            "\n {margin} |\n {number} | {}\n {margin} | {before}{}",
            problem.excerpt,
            "^".repeat(problem.width)
        );
    }
    text + &format!("\n  = {help}: {}\n\n", problem.help(language))
}

/// Characters that a terminal draws two columns wide: the marks under them must be as wide.
pub(crate) const fn wide(char: char) -> bool {
    matches!(char, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}')
}

/// A problem for programs.
pub(crate) fn row(problem: &Problem) -> serde_json::Value {
    json!({
        "severity": match problem.severity() { Severity::Error => "error", Severity::Warning => "warning" },
        "code": problem.code.name(),
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "width": problem.width,
        "key": problem.key,
        "message": { "zh": problem.message(Language::Zh), "en": problem.message(Language::En) },
        "help": { "zh": problem.help(Language::Zh), "en": problem.help(Language::En) },
    })
}

fn sound(path: &Path, loaded: &davy_config::Loaded, language: Language) -> String {
    let site = &loaded.site;
    let values = [
        ("file", path.display().to_string()),
        ("buses", site.buses.len().to_string()),
        ("points", site.points.len().to_string()),
        ("alarms", site.alarms.len().to_string()),
        ("outputs", site.outputs.len().to_string()),
    ];
    let mut text = message::text_with("check-sound", &values, language);
    if !loaded.warnings.is_empty() {
        let count = [("count", loaded.warnings.len().to_string())];
        text += " ";
        text += &message::text_with("check-warnings", &count, language);
    }
    text
}

fn refused(path: &Path, problems: &Problems, language: Language) -> String {
    let (errors, warnings) = count(problems);
    let values = [
        ("file", path.display().to_string()),
        ("errors", errors),
        ("warnings", warnings),
    ];
    message::text_with("check-refused", &values, language)
}
