//! Where to look: serial lines with their settings, and TCP addresses that the installer names.

use crate::message;
use davy_config::Language;
use davy_config::site::{Bus, Link, Parity};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Hosts of one range; more would be a search of somebody else's network.
const HOSTS_MAX: usize = 256;
/// Settings that most devices are delivered with, most usual first.
const QUICK: [(u32, Parity, u8); 8] = [
    (9_600, Parity::None, 1),
    (9_600, Parity::Even, 1),
    (19_200, Parity::Even, 1),
    (19_200, Parity::None, 1),
    (38_400, Parity::None, 1),
    (115_200, Parity::None, 1),
    (4_800, Parity::None, 1),
    (2_400, Parity::None, 1),
];
const BAUDS: [u32; 9] = [
    9_600, 19_200, 38_400, 57_600, 115_200, 4_800, 2_400, 1_200, 14_400,
];
const FRAMES: [(Parity, u8); 4] = [
    (Parity::None, 1),
    (Parity::Even, 1),
    (Parity::Odd, 1),
    (Parity::None, 2),
];

/// One place to look at.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Where {
    #[arg(long)]
    pub(crate) serial: Option<PathBuf>,
    #[arg(long)]
    tcp: Option<String>,
    #[arg(long)]
    rtu_over_tcp: Option<String>,
}

impl Where {
    /// The hosts, where it is no serial line.
    pub(crate) fn hosts(&self, timeout_ms: u32) -> Result<Vec<Bus>, TargetError> {
        match (&self.tcp, &self.rtu_over_tcp) {
            (Some(text), _) => tcp(text, false, timeout_ms),
            (_, Some(text)) => tcp(text, true, timeout_ms),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Why a target cannot be looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    Address(String),
    TooMany(String),
}

impl TargetError {
    pub(crate) fn text(&self, language: Language) -> String {
        let (key, at) = match self {
            Self::Address(at) => ("target-address", at),
            Self::TooMany(at) => ("target-too-many", at),
        };
        message::text_with(key, &[("at", at.clone())], language)
    }
}

/// The settings of a serial line that are tried, in this order.
pub(crate) fn serial(path: &Path, baud: Option<u32>, thorough: bool, timeout_ms: u32) -> Vec<Bus> {
    let all = BAUDS
        .iter()
        .flat_map(|baud| FRAMES.map(|(parity, stop_bits)| (*baud, parity, stop_bits)));
    let tried: Vec<(u32, Parity, u8)> = match (thorough, baud) {
        (true, _) => all.collect(),
        (false, None) => QUICK.to_vec(),
        (false, Some(baud)) => FRAMES.map(|(parity, stop)| (baud, parity, stop)).to_vec(),
    };
    let wanted = tried
        .into_iter()
        .filter(|(own, _, _)| baud.is_none_or(|baud| baud == *own));
    wanted
        .map(|(baud, parity, stop_bits)| Bus {
            id: "bus-1".to_owned(),
            link: Link::Rtu {
                path: PathBuf::from(path),
                baud,
                parity,
                stop_bits,
            },
            timeout_ms,
            turnaround_ms: 0,
            converter_baud: 9600,
            network_us: 5000,
        })
        .collect()
}

/// The hosts of an address, a range or a network; `converter` speaks RTU over TCP.
pub(super) fn tcp(text: &str, converter: bool, timeout_ms: u32) -> Result<Vec<Bus>, TargetError> {
    let wrong = || TargetError::Address(text.to_owned());
    let (hosts, port) = match text.rsplit_once(':') {
        Some((hosts, port)) => (hosts, port.parse().map_err(|_| wrong())?),
        None => (text, 502),
    };
    let hosts = hosts_of(hosts).ok_or_else(wrong)?;
    if hosts.len() > HOSTS_MAX {
        return Err(TargetError::TooMany(text.to_owned()));
    }
    let link = |host| match converter {
        true => Link::RtuOverTcp { host, port },
        false => Link::Tcp { host, port },
    };
    let bus = |(number, host)| Bus {
        id: format!("bus-{number}"),
        link: link(host),
        timeout_ms,
        turnaround_ms: 0,
        converter_baud: 9600,
        network_us: 5000,
    };
    Ok((1..).zip(hosts).map(bus).collect())
}

fn hosts_of(text: &str) -> Option<Vec<String>> {
    let all = |first: u32, last: u32| -> Option<Vec<String>> {
        // Counted before they are made: a /0 is four thousand million.
        let addresses = (first <= last).then(|| (first..=last).take(HOSTS_MAX + 1))?;
        Some(addresses.map(|at| Ipv4Addr::from(at).to_string()).collect())
    };
    if let Some((network, bits)) = text.split_once('/') {
        let (network, bits): (Ipv4Addr, u32) = (network.parse().ok()?, bits.parse().ok()?);
        let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
        let first = u32::from(network) & mask;
        return match bits {
            31 | 32 => all(first, first | !mask),
            // Without the network's own address and its broadcast.
            _ => all(first + 1, (first | !mask) - 1),
        };
    }
    if let Some((first, last)) = text.rsplit_once('-')
        && let (Ok(first), Ok(last)) = (first.parse::<Ipv4Addr>(), last.parse::<u8>())
    {
        let (first, [a, b, c, _]) = (u32::from(first), first.octets());
        return all(first, u32::from(Ipv4Addr::new(a, b, c, last)));
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    (!text.is_empty() && text.chars().all(is_name)).then(|| vec![text.to_owned()])
}

/// What a bus runs over, as people write it.
pub(crate) fn spelt(link: &Link) -> String {
    match link {
        Link::Tcp { host, port } => format!("{host}:{port}"),
        Link::RtuOverTcp { host, port } => format!("{host}:{port} (RTU)"),
        Link::Rtu {
            path,
            baud,
            parity,
            stop_bits,
        } => format!("{} {baud} 8{}{stop_bits}", path.display(), letter(*parity)),
    }
}

const fn letter(parity: Parity) -> char {
    match parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    }
}

#[cfg(test)]
/// One host, for the tests of others.
pub(crate) fn host(text: &str) -> Bus {
    tcp(text, false, 200).expect("an address").remove(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Result<Vec<String>, TargetError> {
        let buses = tcp(text, false, 100)?;
        Ok(buses.iter().map(|bus| spelt(&bus.link)).collect())
    }

    #[test]
    fn an_address_a_range_and_a_network_name_their_hosts() {
        assert_eq!(hosts("plc.local"), Ok(vec!["plc.local:502".into()]));
        assert_eq!(
            hosts("10.0.0.9-11:1502"),
            Ok(["10.0.0.9:1502", "10.0.0.10:1502", "10.0.0.11:1502"]
                .map(String::from)
                .to_vec())
        );
        assert_eq!(
            hosts("192.168.1.4/30"),
            Ok(["192.168.1.5:502", "192.168.1.6:502"]
                .map(String::from)
                .to_vec())
        );
        assert_eq!(hosts("192.168.1.4/32"), Ok(vec!["192.168.1.4:502".into()]));
    }

    #[test]
    fn what_is_no_address_or_too_large_is_refused_and_never_searched() {
        for text in [
            "",
            ":502",
            "10.0.0.1:port",
            "10.0.0.9-3",
            "10.0.0.1/33",
            "a b",
        ] {
            let error = Err(TargetError::Address(text.to_owned()));
            assert_eq!(hosts(text), error, "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/23"] {
            assert!(
                matches!(hosts(text), Err(TargetError::TooMany(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_serial_line_is_tried_with_what_is_usual_first_and_thoroughly_with_everything() {
        let quick = serial(Path::new("/dev/ttyS1"), None, false, 100);
        assert_eq!(spelt(&quick[0].link), "/dev/ttyS1 9600 8N1");
        let thorough = serial(Path::new("/dev/ttyS1"), None, true, 100);
        assert_eq!((quick.len(), thorough.len()), (8, 36));
        let one = serial(Path::new("/dev/ttyS1"), Some(14_400), false, 100);
        assert_eq!(
            one.len(),
            4,
            "a speed that is given is tried with every parity"
        );
    }
}
