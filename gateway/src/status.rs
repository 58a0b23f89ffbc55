//! `davy-gateway status`: how the running gateway does, in an installer's words. It asks over the plant interface, needs no log-in and changes nothing.

use crate::caller::Caller;
use crate::message::{text, text_with};
use anyhow::{Result, bail};
use clap::Args;
use davy_config::Language;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Alarms that are named one by one; the others are counted.
const NAMED_MAX: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Status {
    site: Option<PathBuf>,
    #[arg(long, conflicts_with = "site")]
    gateway: Option<String>,
}

/// How it does, the exit code of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Well = 0,
    /// Somebody should look: an alarm, a silent device, a link, the record, a proof.
    Look = 1,
    /// It cannot be reached, or does not judge alarms.
    Down = 2,
}

impl Status {
    pub(crate) fn run(self, language: Language) -> ExitCode {
        let base = match (self.gateway, self.site) {
            (Some(base), _) => base,
            (None, None) => format!("http://{}", SocketAddr::from(HERE)),
            (None, Some(site)) => match address(&site) {
                Ok(base) => base,
                // Whether it runs is another question than whether its changed file is well.
                Err(error) => {
                    eprintln!("davy-gateway: {error:#}");
                    println!("{}", text("status-no-address", language));
                    return ExitCode::from(Verdict::Down as u8);
                }
            },
        };
        let told = Picture::ask(&Caller::new(&base));
        let verdict = match told {
            Ok(picture) => {
                let (lines, verdict) = picture.told(language);
                println!("{}", lines.join("\n"));
                verdict
            }
            Err(error) => {
                eprintln!("davy-gateway: {error:#}");
                println!("{}", text("status-down", language));
                Verdict::Down
            }
        };
        ExitCode::from(verdict as u8)
    }
}

/// Where a gateway serves its screen unless its file says otherwise.
const HERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 8080);

/// Where the gateway of a site file is reached from its own machine.
pub(crate) fn address(site: &Path) -> Result<String> {
    let loaded = match davy_config::load(site) {
        Ok(loaded) => loaded,
        Err(problems) => bail!("{problems}"),
    };
    let mut at = loaded.site.http;
    if at.ip().is_unspecified() {
        at.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok(format!("http://{at}"))
}

/// What a gateway says of itself.
struct Picture {
    site: Value,
    health: Value,
    live: Value,
    system: Value,
    proofs: Value,
}

impl Picture {
    fn ask(caller: &Caller) -> Result<Self> {
        Ok(Self {
            site: caller.get("/api/site")?,
            // 503 is an answer too: alarms are not judged.
            health: caller.get_any("/healthz")?.1,
            live: caller.get("/api/live")?,
            system: caller.get("/api/system")?,
            proofs: caller.get("/api/prove")?,
        })
    }

    fn told(&self, language: Language) -> (Vec<String>, Verdict) {
        let parts = [
            self.head(language),
            self.alarms(language),
            self.devices(language),
            self.links(language),
            self.journal(language),
            self.proofs(language),
        ];
        let verdict = parts.iter().map(|(_, verdict)| *verdict).max();
        let lines = parts.into_iter().flat_map(|(lines, _)| lines).collect();
        (lines, verdict.unwrap_or(Verdict::Well))
    }

    fn head(&self, language: Language) -> (Vec<String>, Verdict) {
        let (key, verdict) = match self.health["status"].as_str() {
            Some("ok") => ("status-ok", Verdict::Well),
            Some("degraded") => ("status-degraded", Verdict::Look),
            _ => ("status-failed", Verdict::Down),
        };
        let values = [
            ("site", said(&self.site["id"])),
            ("name", named(&self.site["name"], language)),
            ("version", said(&self.system["version"])),
        ];
        let mut lines = vec![
            text_with("status-site", &values, language),
            text(key, language),
        ];
        let all = self.health["parts"].as_array().into_iter().flatten();
        let ill = all.filter(|part| part["status"] != "ok");
        lines.extend(
            ill.map(|part| format!("  {}: {}", said(&part["name"]), said(&part["detail"]))),
        );
        (lines, verdict)
    }

    fn alarms(&self, language: Language) -> (Vec<String>, Verdict) {
        let all: Vec<&Value> = self.live["alarms"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let count = |is: &dyn Fn(&Value) -> bool| all.iter().filter(|alarm| is(alarm)).count();
        let suppressed = |alarm: &Value| {
            alarm["suppressed"]
                .as_array()
                .is_some_and(|list| !list.is_empty())
        };
        let values = [
            (
                "active",
                count(&|alarm| alarm["active"] == true && !suppressed(alarm)).to_string(),
            ),
            (
                "open",
                count(&|alarm| alarm["acknowledged"] == false && !suppressed(alarm)).to_string(),
            ),
            ("suppressed", count(&suppressed).to_string()),
        ];
        let mut lines = vec![text_with("status-alarms", &values, language)];
        for alarm in all.iter().take(NAMED_MAX) {
            let name = named(&alarm["name"], language);
            lines.push(format!(
                "  P{} {}  {}  {name}",
                alarm["priority"],
                said(&alarm["id"]),
                said(&alarm["state"])
            ));
        }
        if all.len() > NAMED_MAX {
            let more = [("count", (all.len() - NAMED_MAX).to_string())];
            lines.push(text_with("status-more", &more, language));
        }
        (lines, look(!all.is_empty()))
    }

    fn devices(&self, language: Language) -> (Vec<String>, Verdict) {
        let all: Vec<&Value> = self.system["devices"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let silent: Vec<String> = (all.iter().filter(|device| device["state"] != "up"))
            .map(|device| said(&device["id"]))
            .collect();
        let values = [
            ("count", all.len().to_string()),
            ("silent", silent.join(", ")),
        ];
        let key = if silent.is_empty() {
            "status-devices"
        } else {
            "status-silent"
        };
        (
            vec![text_with(key, &values, language)],
            look(!silent.is_empty()),
        )
    }

    fn links(&self, language: Language) -> (Vec<String>, Verdict) {
        let links = &self.live["links"];
        let state = |link: &str| {
            let state = said(&links[link]["state"]);
            text(&format!("status-link-{state}"), language)
        };
        let values = [
            ("broker", state("broker")),
            ("cloud", state("cloud")),
            ("backlog", links["cloud"]["backlog_batches"].to_string()),
        ];
        let is_down = ["broker", "cloud"]
            .iter()
            .any(|link| ["down", "behind"].contains(&&*said(&links[link]["state"])));
        (
            vec![text_with("status-links", &values, language)],
            look(is_down),
        )
    }

    fn journal(&self, language: Language) -> (Vec<String>, Verdict) {
        let journal = &self.system["journal"];
        let mb = |key: &str| (journal[key].as_u64().unwrap_or(0) >> 20).to_string();
        let lost = journal["lost_batches"].as_u64().unwrap_or(0);
        let failed = journal["failed"].as_str();
        let values = [
            ("used", mb("bytes")),
            ("max", mb("max_bytes")),
            ("lost", lost.to_string()),
            ("failed", failed.unwrap_or_default().to_owned()),
        ];
        let key = match (failed, lost) {
            (Some(_), _) => "status-journal-failed",
            (None, 0) => "status-journal",
            (None, _) => "status-journal-lost",
        };
        let bad = failed.is_some() || lost > 0;
        (vec![text_with(key, &values, language)], look(bad))
    }

    fn proofs(&self, language: Language) -> (Vec<String>, Verdict) {
        let all = self.proofs["subjects"].as_array();
        let of = |states: &[&str]| -> Vec<String> {
            let rows = all.into_iter().flatten();
            rows.filter(|row| states.contains(&row["state"].as_str().unwrap_or_default()))
                .map(|row| said(&row["id"]))
                .collect()
        };
        let (due, never) = (of(&["overdue", "failed", "changed"]), of(&["unproved"]));
        let values = [
            ("due", due.len().to_string()),
            ("ids", due.join(", ")),
            ("never", never.len().to_string()),
        ];
        let key = if due.is_empty() {
            "status-proofs"
        } else {
            "status-proofs-due"
        };
        (
            vec![text_with(key, &values, language)],
            look(!due.is_empty()),
        )
    }
}

const fn look(is_needed: bool) -> Verdict {
    if is_needed {
        Verdict::Look
    } else {
        Verdict::Well
    }
}

fn said(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn named(value: &Value, language: Language) -> String {
    said(match language {
        Language::Zh => &value["zh"],
        Language::En => &value["en"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn well() -> Picture {
        Picture {
            site: json!({ "id": "s", "name": { "zh": "站", "en": "Site" } }),
            health: json!({ "status": "ok", "parts": [{ "name": "judgement", "status": "ok", "detail": "" }] }),
            live: json!({ "alarms": [], "links": { "broker": { "state": "off" }, "cloud": { "state": "off", "backlog_batches": 0 } } }),
            system: json!({ "version": "1", "devices": [{ "id": "d", "state": "up" }], "journal": { "bytes": 0, "max_bytes": 1, "failed": null, "lost_batches": 0 } }),
            proofs: json!({ "subjects": [{ "id": "p", "state": "proved" }, { "id": "q", "state": "unproved" }] }),
        }
    }

    fn verdict(change: impl FnOnce(&mut Picture)) -> (String, Verdict) {
        let mut picture = well();
        change(&mut picture);
        let (lines, verdict) = picture.told(Language::En);
        for language in [Language::Zh, Language::En] {
            let (lines, _) = picture.told(language);
            assert!(
                !lines.iter().any(|line| line.starts_with("status-")),
                "{lines:?}"
            );
        }
        (lines.join("\n"), verdict)
    }

    #[test]
    fn what_is_well_is_0_what_wants_a_look_1_and_what_does_not_judge_2() {
        assert_eq!(verdict(|_| {}).1, Verdict::Well);
        let alarm = json!([{ "id": "G.HH", "priority": 1, "state": "UNACK", "active": true, "acknowledged": false, "suppressed": [], "name": { "zh": "气", "en": "Gas" } }]);
        let (told, found) = verdict(|picture| picture.live["alarms"] = alarm);
        assert!(
            told.contains("P1 G.HH  UNACK  Gas") && found == Verdict::Look,
            "{told}"
        );
        let (told, found) =
            verdict(|picture| picture.system["devices"][0]["state"] = json!("down"));
        assert!(told.contains('d') && found == Verdict::Look, "{told}");
        assert_eq!(
            verdict(|picture| picture.live["links"]["cloud"]["state"] = json!("behind")).1,
            Verdict::Look
        );
        assert_eq!(
            verdict(|picture| picture.system["journal"]["failed"] = json!("disk")).1,
            Verdict::Look
        );
        assert_eq!(
            verdict(|picture| picture.proofs["subjects"][0]["state"] = json!("overdue")).1,
            Verdict::Look
        );
        assert_eq!(
            verdict(|picture| picture.health["status"] = json!("failed")).1,
            Verdict::Down
        );
    }
}
