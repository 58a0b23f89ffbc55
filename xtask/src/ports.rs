//! The demo's ports, all counted from one base, and whether they are free; and any free one.

use anyhow::{Result, bail};
use std::net::{Ipv4Addr, TcpListener};

/// Default base; the example site files are written for it.
pub(crate) const BASE: u16 = 42_000;
/// Highest distance of a demo port from the base.
const REACH: u16 = 320;
/// Distances from the base: plant buses, links to the city, the city's screens, plant screens, broker, plant control.
const OFFSETS: [u16; 16] = [
    100, 101, 102, 103, 104, 200, 201, 202, 203, CITY, SCREEN, 302, 303, 304, BROKER, CONTROL,
];
/// Port of the city's screens, from the base.
pub(crate) const CITY: u16 = 300;
/// Port of the cloud's embedded broker, from the base.
pub(crate) const BROKER: u16 = 310;
pub(crate) const CONTROL: u16 = 320;
/// Port of the first site's screen, from the base; the others follow.
pub(crate) const SCREEN: u16 = 301;

/// Refuses a base whose ports are taken, and names the one that is.
pub(crate) fn check(base: u16) -> Result<()> {
    if !(1024..=u16::MAX - REACH).contains(&base) {
        bail!("--base-port must lie between 1024 and {}", u16::MAX - REACH);
    }
    for port in OFFSETS.map(|offset| base + offset) {
        if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            bail!(
                "port {port} cannot be used ({error}); end what holds it, or move the demo with --base-port"
            );
        }
    }
    Ok(())
}

/// A loopback port that nobody holds.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_a_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let message = check(port - CONTROL).unwrap_err().to_string();
        assert!(message.contains("--base-port"), "{message}");
    }

    #[test]
    fn a_base_that_leaves_no_room_is_refused() {
        assert!(check(u16::MAX).is_err() && check(80).is_err());
    }
}
