//! `davy-gateway prove`: proof tests at the terminal, against a gateway that runs, and the check of a report.

use super::report::{Found, Verified, verify};
use crate::caller::Caller;
use crate::message::{text, text_with};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use davy_config::Language;
use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often what is seen is looked at while a step waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What is due.
    List {
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        gateway: String,
    },
    /// A guided proof of one point or output.
    Test {
        id: String,
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        gateway: String,
        #[arg(long)]
        person: String,
        #[arg(long)]
        pin_file: Option<PathBuf>,
        /// loop, bump, calibration or output; asked for if there is a choice.
        #[arg(long)]
        kind: Option<String>,
    },
    /// Nobody proves it now, and this is why.
    Skip {
        id: String,
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        gateway: String,
        #[arg(long)]
        person: String,
        #[arg(long)]
        pin_file: Option<PathBuf>,
        #[arg(long)]
        reason: String,
    },
    /// Makes a signed report and fetches its files.
    Report {
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        gateway: String,
        #[arg(long)]
        person: String,
        #[arg(long)]
        pin_file: Option<PathBuf>,
        #[arg(long, default_value = ".")]
        into: PathBuf,
    },
    /// Whether a report is as it was signed.
    Verify {
        file: PathBuf,
        #[arg(long)]
        fingerprint: Option<String>,
    },
}

impl Prove {
    /// Answers whether all is well.
    pub(crate) fn run(self, language: Language) -> Result<bool> {
        match self.what {
            What::List { gateway } => list(&Caller::new(&gateway), language),
            What::Test {
                id,
                gateway,
                person,
                pin_file,
                kind,
            } => {
                let mut caller = Caller::new(&gateway);
                caller.log_in(&person, pin_file.as_deref(), language)?;
                Guide::of(caller, &id, language)?.go(kind)
            }
            What::Skip {
                id,
                gateway,
                person,
                pin_file,
                reason,
            } => {
                let mut caller = Caller::new(&gateway);
                caller.log_in(&person, pin_file.as_deref(), language)?;
                let guide = Guide::of(caller, &id, language)?;
                guide.post("skip", &json!({ "reason": reason }))?;
                println!("{}", text("prove-skipped", language));
                Ok(true)
            }
            What::Report {
                gateway,
                person,
                pin_file,
                into,
            } => {
                let mut caller = Caller::new(&gateway);
                caller.log_in(&person, pin_file.as_deref(), language)?;
                report(&caller, &into, language)
            }
            What::Verify { file, fingerprint } => {
                let found = verify(&file)?;
                print!("{}", told(&found, language));
                Ok(is_trusted(&found, fingerprint.as_deref(), language))
            }
        }
    }
}

fn list(caller: &Caller, language: Language) -> Result<bool> {
    let all = caller.get("/api/prove")?;
    if all["clock_doubtful"] == true {
        println!("{}", text("prove-clock-doubtful", language));
    }
    let rows = all["subjects"].as_array().cloned().unwrap_or_default();
    for row in &rows {
        let state = word("report-state", &row["state"], language);
        let due = match (
            row["proof"]["due"].as_str(),
            row["proof"]["due_ms"].as_i64(),
        ) {
            (_, Some(at)) => super::report::day(at),
            (Some("never"), None) => "–".to_owned(),
            (_, None) => text("report-due-now", language),
        };
        let last = match row["newest"]["ended_ms"].as_i64() {
            Some(at) => format!(
                "{} {}",
                super::report::day(at),
                shown(&row["newest"]["name"])
            ),
            None => String::new(),
        };
        let name = &row["name"][code(language)];
        println!(
            "{:<16} {state}  {due}  {last}  {}",
            shown(&row["id"]),
            shown(name)
        );
    }
    println!(
        "{}",
        text_with(
            "prove-key",
            &[("key", shown(&all["fingerprint"]))],
            language
        )
    );
    let bad = ["unproved", "overdue", "failed", "changed", "clock-doubtful"];
    Ok(!rows
        .iter()
        .any(|row| bad.contains(&row["state"].as_str().unwrap_or_default())))
}

fn report(caller: &Caller, into: &Path, language: Language) -> Result<bool> {
    let made = caller.post("/api/prove/reports", &json!({}))?;
    let number = made["number"].as_u64().unwrap_or_default();
    for file in made["files"].as_array().into_iter().flatten() {
        let name = file.as_str().unwrap_or_default();
        // What a server names is a file here and nowhere else.
        let Some(plain) = Path::new(name).file_name() else {
            continue;
        };
        let bytes = caller.fetch(&format!("/api/prove/reports/{number}/{name}"))?;
        let path = into.join(plain);
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
    }
    println!(
        "{}",
        text_with(
            "prove-key",
            &[("key", shown(&made["fingerprint"]))],
            language
        )
    );
    Ok(true)
}

/// What a check found, for people.
fn told(found: &Verified, language: Language) -> String {
    let mut told = format!("{}  {}\n", found.site, found.made);
    for (name, what) in &found.files {
        let key = match what {
            Found::Whole => "verify-whole",
            Found::Altered => "verify-altered",
            Found::Missing => "verify-missing",
        };
        told += &format!("{}  {name}\n", text(key, language));
    }
    let signed = if found.signature {
        "verify-signed"
    } else {
        "verify-unsigned"
    };
    told += &text_with(signed, &[("key", found.fingerprint.clone())], language);
    told + "\n"
}

/// Whether it is whole, and signed with the key that was asked for.
fn is_trusted(found: &Verified, wanted: Option<&str>, language: Language) -> bool {
    let bare = |text: &str| text.replace([' ', ':'], "").to_lowercase();
    match wanted {
        Some(wanted) if bare(wanted) != bare(&found.fingerprint) => {
            println!("{}", text("verify-other-key", language));
            return false;
        }
        Some(_) => {}
        None => println!("{}", text("verify-compare", language)),
    }
    found.is_good()
}

/// A proof at the terminal.
struct Guide {
    caller: Caller,
    /// Its address.
    path: String,
    whole: Value,
    language: Language,
}

impl Guide {
    fn of(caller: Caller, id: &str, language: Language) -> Result<Self> {
        let all = caller.get("/api/prove")?;
        let mut rows = all["subjects"].as_array().into_iter().flatten();
        let row = rows.find(|row| row["id"] == id);
        let Some(of) = row.and_then(|row| row["of"].as_str()) else {
            bail!(
                "{}",
                text_with("prove-unknown", &[("id", id.to_owned())], language)
            );
        };
        let path = format!("/api/prove/{of}/{id}");
        let whole = caller.get(&path)?;
        Ok(Self {
            caller,
            path,
            whole,
            language,
        })
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value> {
        self.caller.post(&format!("{}/{what}", self.path), body)
    }

    fn go(mut self, kind: Option<String>) -> Result<bool> {
        if self.whole["draft"].is_null() {
            self.whole = self.begin(kind)?;
        } else {
            self.say("prove-goes-on");
        }
        if self.whole["draft"]["run"].is_null() {
            self.steps()?;
        } else {
            self.wait_for_run()?;
        }
        let proof = self.post("finish", &json!({ "reason": null }))?;
        let verdict = word("report-verdict", &proof["verdict"], self.language);
        println!(
            "{}",
            text_with("prove-ended", &[("verdict", verdict)], self.language)
        );
        Ok(proof["verdict"] == "pass")
    }

    fn begin(&self, kind: Option<String>) -> Result<Value> {
        let kinds: Vec<String> = self.whole["kinds"]
            .as_array()
            .into_iter()
            .flatten()
            .map(shown)
            .collect();
        let kind = match (kind, kinds.as_slice()) {
            (Some(kind), _) => kind,
            (None, [only]) => only.clone(),
            (None, _) => self.ask("prove-ask-kind", &[("kinds", kinds.join(", "))])?,
        };
        if kind == "output" {
            let seconds = self.ask("prove-ask-seconds", &[])?.parse().unwrap_or(5);
            let confirm = self.is_yes("prove-ask-confirm")?;
            return self.post(
                "start",
                &json!({ "kind": kind, "seconds": seconds, "confirm": confirm }),
            );
        }
        let gas = self.ask("prove-ask-gas", &[])?;
        let instrument = self.ask("prove-ask-instrument", &[])?;
        let under_test = self.is_yes("prove-ask-under-test")?;
        self.post("start", &json!({ "kind": kind, "gas": gas, "instrument": instrument, "under_test": under_test }))
    }

    fn steps(&mut self) -> Result<()> {
        let count = self.whole["draft"]["steps"].as_array().map_or(0, Vec::len);
        for step in 0..count {
            self.step(step)?;
        }
        Ok(())
    }

    /// One step, until it is taken or left out.
    fn step(&mut self, step: usize) -> Result<()> {
        let planned = self.whole["draft"]["steps"][step].clone();
        if planned["found"].is_object() || planned["skipped"].is_string() {
            return Ok(());
        }
        let word = word("report-step", &planned["kind"], self.language);
        let number = |value: &Value| {
            value
                .as_f64()
                .map_or_else(String::new, |value| value.to_string())
        };
        let facts = [
            ("step", format!("{word} {}", shown(&planned["alarm"]))),
            ("expected", number(&planned["expected"])),
            ("tolerance", number(&planned["tolerance"])),
            ("unit", shown(&self.whole["unit"])),
        ];
        println!("\n{}", text_with("prove-step", &facts, self.language));
        let mut taken = "found";
        loop {
            let typed = self.ask("prove-ask-step", &[])?;
            let done = match typed.strip_prefix('-') {
                Some(reason) => self.post(
                    "skip-step",
                    &json!({ "step": step, "reason": reason.trim() }),
                ),
                None => self.take(step, taken, typed.parse::<f64>().ok()),
            };
            match done {
                Ok(whole) => self.whole = whole,
                Err(error) => {
                    println!("{error:#}");
                    continue;
                }
            }
            let done = self.whole["draft"]["steps"][step].clone();
            let seen = if done["left"].is_object() {
                &done["left"]
            } else {
                &done["found"]
            };
            if !seen.is_object() || seen["good"] == true {
                println!(
                    "{}",
                    text_with(
                        "prove-seen",
                        &[("value", number(&seen["value"]))],
                        self.language
                    )
                );
                return Ok(());
            }
            let facts = [
                ("value", number(&seen["value"])),
                ("missing", joined(&seen["missing"])),
                ("unexpected", joined(&seen["unexpected"])),
            ];
            println!("{}", text_with("prove-off", &facts, self.language));
            if !self.is_yes("prove-ask-adjusted")? {
                return Ok(());
            }
            taken = "left";
        }
    }

    /// Waits until the value stands still, showing it, and takes it.
    fn take(&self, step: usize, taken: &str, applied: Option<f64>) -> Result<Value> {
        for _ in 0..240 {
            let now = self.caller.get(&self.path)?;
            let still = &now["draft"]["seen"]["still"];
            if still.is_object() {
                break;
            }
            print!(".");
            std::io::stdout().flush()?;
            std::thread::sleep(LOOK_EVERY);
        }
        println!();
        self.post(
            "take",
            &json!({ "step": step, "as": taken, "applied": applied }),
        )
    }

    fn wait_for_run(&self) -> Result<()> {
        loop {
            let now = self.caller.get(&self.path)?;
            let run = &now["draft"]["run"];
            if now["draft"]["seen"]["running"] != true {
                let seconds = |value: &Value| {
                    value.as_f64().map_or_else(
                        || text("report-not-seen", self.language),
                        |ms| format!("{:.1} s", ms / 1000.0),
                    )
                };
                let facts = [
                    ("on", seconds(&run["on_after_ms"])),
                    ("off", seconds(&run["off_after_ms"])),
                ];
                println!("\n{}", text_with("prove-run", &facts, self.language));
                return Ok(());
            }
            print!(".");
            std::io::stdout().flush()?;
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn say(&self, key: &str) {
        println!("{}", text(key, self.language));
    }

    fn ask(&self, key: &str, facts: &[(&str, String)]) -> Result<String> {
        print!("{} ", text_with(key, facts, self.language));
        std::io::stdout().flush()?;
        let mut typed = String::new();
        if std::io::stdin().lock().read_line(&mut typed)? == 0 {
            bail!("{}", text("prove-no-more", self.language));
        }
        Ok(typed.trim().to_owned())
    }

    fn is_yes(&self, key: &str) -> Result<bool> {
        let typed = self.ask(key, &[])?.to_lowercase();
        Ok(typed.starts_with('y') || typed.starts_with('是'))
    }
}

fn word(prefix: &str, code: &Value, language: Language) -> String {
    text(&format!("{prefix}-{}", shown(code)), language)
}

fn shown(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn joined(value: &Value) -> String {
    let texts = value.as_array().into_iter().flatten().map(shown);
    texts.collect::<Vec<_>>().join(" ")
}

const fn code(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh",
        Language::En => "en",
    }
}
