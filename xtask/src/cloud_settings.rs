//! The demo's cloud: its settings, its people and where its sites lie. People and registry are made by the cloud's own commands.

use crate::ports;
use crate::run;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The demo's one password; the cloud has none of its own.
pub(crate) const PASSWORD: &str = "davy-demo";
const CITY: &str = "东海市";

/// Who may log in at the city's screens: id, name, role and what they answer for.
const PEOPLE: [(&str, &str, &[&str]); 4] = [
    ("admin", "管理员", &["--role", "administrator"]),
    ("city", "市级监管", &["--role", "regulator", "--city", CITY]),
    (
        "town",
        "镇级监管",
        &["--role", "regulator", "--city", CITY, "--town", "城东镇"],
    ),
    (
        "wang",
        "王伟",
        &[
            "--role",
            "operator",
            "--site",
            "tank-farm",
            "--site",
            "cold-store",
        ],
    ),
];

/// Where the sites lie and how dangerous they are: site, town, village, sector, risk class.
const REGISTRY: [[&str; 5]; 4] = [
    ["tank-farm", "城东镇", "化工园区", "chemical", "red"],
    ["dust-workshop", "南湖镇", "铝业村", "dust", "orange"],
    ["cold-store", "城东镇", "北郊村", "ammonia", "orange"],
    [
        "solvent-warehouse",
        "南湖镇",
        "西港村",
        "chemical",
        "yellow",
    ],
];

/// Writes the settings, and makes people and registry where they are missing. Returns the settings' path.
pub(crate) fn write(cloud: &Path, data: &Path, base_port: u16) -> Result<PathBuf> {
    let settings = data.join("cloud.toml");
    let text = format!(
        "listen = \"127.0.0.1:{}\"\ndata = \"cloud\"\n\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:{}\"\n",
        base_port + ports::CITY,
        base_port + ports::BROKER
    );
    std::fs::write(&settings, text)
        .with_context(|| format!("cannot write {}", settings.display()))?;
    let password = data.join("cloud-password");
    std::fs::write(&password, PASSWORD)
        .with_context(|| format!("cannot write {}", password.display()))?;
    for (id, name, rights) in PEOPLE {
        let mut command = Command::new(cloud);
        command.args(["user", "add"]).arg(&settings);
        command
            .args(["--user", id, "--name", name, "--keep", "--password-file"])
            .arg(&password)
            .args(rights);
        run::check(command.stdout(Stdio::null()))?;
    }
    for [site, town, village, sector, risk] in REGISTRY {
        let mut command = Command::new(cloud);
        command.args(["site", "set"]).arg(&settings);
        command.args(["--site", site, "--city", CITY, "--town", town]);
        command.args(["--village", village, "--sector", sector, "--risk", risk]);
        run::check(command.stdout(Stdio::null()))?;
    }
    Ok(settings)
}
