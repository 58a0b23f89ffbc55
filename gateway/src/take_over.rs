//! `davy-gateway reload`: asks the running gateway to go over to its changed site file, and tells what that changed or why it was refused. A maintenance
//! person does it, with their PIN: the record names them.

use crate::admission;
use crate::caller::Caller;
use crate::check;
use crate::diff::Diff;
use crate::message::{text, text_with};
use crate::status;
use anyhow::{Context as _, Result};
use clap::Args;
use davy_config::{Language, Today};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct TakeOver {
    site: PathBuf,
    #[arg(long)]
    person: String,
    #[arg(long)]
    pin_file: Option<PathBuf>,
    #[arg(long)]
    gateway: Option<String>,
}

impl TakeOver {
    /// Answers whether what the file says runs now.
    pub(crate) fn run(self, language: Language) -> Result<bool> {
        // A file that is wrong is told here, with its lines: the gateway need not be asked.
        if let Err(problems) = admission::load(&self.site, Today::Certain(check::day())) {
            print!("{}", check::text(&problems, language));
            println!("{}", text("reload-refused", language));
            return Ok(false);
        }
        let base = match self.gateway {
            Some(base) => base,
            None => status::address(&self.site)?,
        };
        let mut caller = Caller::new(&base);
        caller.log_in(&self.person, self.pin_file.as_deref(), language)?;
        let (status, answer) = caller.post_any("/api/reload", &json!({}))?;
        if status != 200 {
            println!("{}", refused(&answer, language));
            return Ok(false);
        }
        println!("{}", taken(&answer, language)?);
        Ok(true)
    }
}

fn taken(answer: &Value, language: Language) -> Result<String> {
    if answer["changed"] == false {
        return Ok(text("reload-unchanged", language));
    }
    let diff: Diff = serde_json::from_value(answer.clone()).context("what was changed")?;
    Ok(format!(
        "{}\n{}",
        text("reload-taken", language),
        diff.text(language).trim_end()
    ))
}

fn refused(answer: &Value, language: Language) -> String {
    let names = |key: &str| -> String {
        let names = answer["detail"][key].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        names.join(", ")
    };
    let key = match answer["error"].as_str() {
        Some("needs-restart") => {
            return text_with("reload-restart", &[("keys", names("keys"))], language);
        }
        Some("demanded") => {
            return text_with(
                "reload-demanded",
                &[("outputs", names("outputs"))],
                language,
            );
        }
        Some("not-allowed") => "reload-not-allowed",
        Some("ending") => "reload-busy",
        _ => "reload-refused",
    };
    let message = answer["message"].as_str().unwrap_or_default();
    format!("{} ({message})", text(key, language))
}
