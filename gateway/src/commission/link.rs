//! Where the pages look: a port, a host or a range that the installer names. A link that a bus of the running site holds is left to it.

use super::target::{self, TargetError};
use davy_config::site::{Bus, Link, Parity, Site};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A place, as a page names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    kind: Kind,
    /// A port's path; or a host, `host:port`, or a range of hosts.
    at: String,
    /// Of a serial line alone; a search tries every usual one where it is not given.
    baud: Option<u32>,
    parity: Option<ParityName>,
    stop_bits: Option<u8>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Tcp,
    RtuOverTcp,
    Rtu,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ParityName {
    None,
    Even,
    Odd,
}

impl Target {
    /// Everything that a search tries there.
    pub(super) fn buses(&self, thorough: bool, timeout_ms: u32) -> Result<Vec<Bus>, TargetError> {
        match self.kind {
            Kind::Tcp => target::tcp(&self.at, false, timeout_ms),
            Kind::RtuOverTcp => target::tcp(&self.at, true, timeout_ms),
            Kind::Rtu => {
                self.port()?;
                let path = Path::new(&self.at);
                Ok(target::serial(path, self.baud, thorough, timeout_ms))
            }
        }
    }

    /// The one link that a probe reads over.
    pub(super) fn bus(&self, timeout_ms: u32) -> Result<Bus, TargetError> {
        let mut buses = match self.kind {
            Kind::Tcp | Kind::RtuOverTcp => self.buses(false, timeout_ms)?,
            Kind::Rtu => vec![self.line(timeout_ms)?],
        };
        match buses.len() {
            1 => Ok(buses.remove(0)),
            _ => Err(TargetError::TooMany(self.at.clone())),
        }
    }

    fn line(&self, timeout_ms: u32) -> Result<Bus, TargetError> {
        self.port()?;
        let stop_bits = self.stop_bits.unwrap_or(1);
        if !(1..=2).contains(&stop_bits) {
            return Err(TargetError::Address(stop_bits.to_string()));
        }
        Ok(Bus {
            id: "bus".to_owned(),
            link: Link::Rtu {
                path: PathBuf::from(&self.at),
                baud: self.baud.unwrap_or(9_600),
                parity: match self.parity {
                    None | Some(ParityName::None) => Parity::None,
                    Some(ParityName::Even) => Parity::Even,
                    Some(ParityName::Odd) => Parity::Odd,
                },
                stop_bits,
            },
            timeout_ms,
            turnaround_ms: 0,
            converter_baud: 9600,
            network_us: 5000,
        })
    }

    /// A page may open devices alone, never any file of the machine.
    fn port(&self) -> Result<(), TargetError> {
        let path = Path::new(&self.at);
        let plain = !path.components().any(|part| part.as_os_str() == "..");
        match path.starts_with("/dev") && plain {
            true => Ok(()),
            false => Err(TargetError::Address(self.at.clone())),
        }
    }
}

/// The bus of the running site that holds a link.
pub(super) fn holder<'s>(site: &'s Site, link: &Link) -> Option<&'s str> {
    let same = |own: &Link| match (own, link) {
        (Link::Rtu { path: own, .. }, Link::Rtu { path, .. }) => real(own) == real(path),
        (
            Link::Tcp {
                host: own,
                port: own_port,
            }
            | Link::RtuOverTcp {
                host: own,
                port: own_port,
            },
            Link::Tcp { host, port } | Link::RtuOverTcp { host, port },
        ) => own == host && own_port == port,
        _ => false,
    };
    let holder = site.buses.iter().find(|bus| same(&bus.link));
    holder.map(|bus| bus.id.as_str())
}

/// One port has many names: a stable one is a link to another.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The keys of a `[[bus]]`.
pub(super) fn tree(link: &Link) -> Value {
    match link {
        Link::Tcp { host, port } => json!({ "kind": "tcp", "address": format!("{host}:{port}") }),
        Link::RtuOverTcp { host, port } => {
            json!({ "kind": "rtu-over-tcp", "address": format!("{host}:{port}") })
        }
        Link::Rtu {
            path,
            baud,
            parity,
            stop_bits,
        } => {
            let parity = match parity {
                Parity::None => "none",
                Parity::Even => "even",
                Parity::Odd => "odd",
            };
            json!({ "kind": "rtu", "path": path, "baud": baud, "parity": parity, "stop_bits": stop_bits })
        }
    }
}

/// The machine's serial ports, those with a stable name first.
pub(super) fn ports(site: &Site) -> Value {
    let stable = named("/dev/serial/by-id", |_| true);
    let known: Vec<PathBuf> = stable.iter().map(|path| real(path)).collect();
    let others = named("/dev", |name| {
        ["ttyUSB", "ttyACM", "ttyAMA", "ttymxc"]
            .iter()
            .any(|kind| name.starts_with(kind))
            || name.starts_with("ttyS") && is_built_in(name)
    });
    let others = others.into_iter().filter(|path| !known.contains(path));
    let port = |path: PathBuf, is_stable: bool| {
        let held = site.buses.iter().find(
            |bus| matches!(&bus.link, Link::Rtu { path: own, .. } if real(own) == real(&path)),
        );
        json!({ "path": path, "stable": is_stable, "held": held.map(|bus| &bus.id) })
    };
    let stable = stable.into_iter().map(|path| port(path, true));
    stable.chain(others.map(|path| port(path, false))).collect()
}

fn named(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_str().is_some_and(&wanted));
    let mut paths: Vec<PathBuf> = wanted.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// A machine has nodes for many built-in ports and the chips for few.
fn is_built_in(name: &str) -> bool {
    let kind = std::fs::read_to_string(format!("/sys/class/tty/{name}/type"));
    kind.is_ok_and(|kind| kind.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: &str, at: &str) -> Target {
        serde_json::from_value(json!({ "kind": kind, "at": at })).unwrap()
    }

    #[test]
    fn a_page_may_open_devices_and_no_other_file() {
        assert!(target("rtu", "/dev/ttyUSB0").bus(200).is_ok());
        for at in ["/etc/passwd", "/dev/../etc/passwd", "site.toml", ""] {
            assert!(target("rtu", at).bus(200).is_err(), "{at}");
            assert!(target("rtu", at).buses(false, 200).is_err(), "{at}");
        }
    }

    #[test]
    fn a_probe_reads_one_host_and_a_search_at_most_256() {
        assert!(target("tcp", "10.0.0.1:1502").bus(200).is_ok());
        assert!(target("tcp", "10.0.0.1-9").bus(200).is_err());
        assert_eq!(
            target("tcp", "10.0.0.1-9").buses(false, 200).unwrap().len(),
            9
        );
        assert!(
            target("rtu-over-tcp", "10.0.0.0/16")
                .buses(false, 200)
                .is_err()
        );
    }

    #[test]
    fn a_link_that_a_bus_holds_is_told_by_its_bus() {
        let text = include_str!("../../../config/examples/tank-farm.toml");
        let site = davy_config::parse("tank-farm.toml", text, Path::new("."))
            .unwrap()
            .site;
        let link = |at: &str| target("tcp", at).bus(200).unwrap().link;
        assert_eq!(holder(&site, &link("127.0.0.1:42100")), Some("gas"));
        assert_eq!(holder(&site, &link("127.0.0.1:42999")), None);
    }
}
