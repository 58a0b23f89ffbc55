//! Who a unit is: by what it says of itself (function 43), and by which profiles' registers it answers.

use super::Line;
use crate::acquire::{Fault, Request};
use crate::decode::{holds, number};
use davy_alarm::NoValue;
use davy_config::site::{Register, Table};
use davy_config::{Shape, SignalShape, profile_names, profile_shape, width};
use std::io;

/// Signals of a profile that are tried: of a controller of hundreds of channels the first few tell enough.
const SIGNALS_TRIED: usize = 6;

/// What a unit told of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Identity {
    pub(crate) vendor: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) revision: Option<String>,
}

/// A profile whose registers a unit answers with what they may hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Match {
    pub(super) profile: &'static str,
    /// Registers that were read and held a possible value.
    pub(super) fitting: usize,
    /// Status rules that were seen to be told, which say more than a value.
    pub(super) status: usize,
}

/// What function 43 answers, if the unit knows it.
pub(crate) async fn identity(line: &mut Line, unit: u8) -> io::Result<Option<Identity>> {
    let answer = line.ask(unit, &Request::Identify).await?;
    Ok(answer.ok().map(read))
}

/// The objects behind the head of an answer: code, conformity, more, next, number, then id, length, bytes.
fn read(words: &[u16]) -> Identity {
    let mut identity = Identity::default();
    let mut rest = words.get(6..).unwrap_or_default();
    while let [id, length, after @ ..] = rest {
        let (text, next) = after.split_at(usize::from(*length).min(after.len()));
        let bytes: Vec<u8> = text.iter().map(|word| *word as u8).collect();
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        let place = match id {
            0 => Some(&mut identity.vendor),
            1 => Some(&mut identity.product),
            2 => Some(&mut identity.revision),
            _ => None,
        };
        if let Some(place) = place {
            *place = Some(text).filter(|text| !text.is_empty());
        }
        rest = next;
    }
    identity
}

/// The shipped profiles that fit, best first. A profile fits if the unit answers every register that is tried, and none holds a code that its manual
/// does not know.
pub(super) async fn matches(line: &mut Line, unit: u8) -> io::Result<Vec<Match>> {
    let mut found = Vec::new();
    for profile in profile_names() {
        let Some(shape) = profile_shape(profile) else {
            continue;
        };
        if let Some((fitting, status)) = fits(line, unit, &shape).await? {
            found.push(Match {
                profile,
                fitting,
                status,
            });
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.status, one.fitting)));
    Ok(found)
}

async fn fits(line: &mut Line, unit: u8, shape: &Shape) -> io::Result<Option<(usize, usize)>> {
    let (mut fitting, mut status) = (0, 0);
    for signal in shape.signals.iter().take(SIGNALS_TRIED) {
        let Some(words) = registers(line, unit, signal.register).await? else {
            return Ok(None);
        };
        let raw = number(signal.register.encoding, &words);
        if !raw.is_finite() {
            return Ok(None);
        }
        fitting += 1;
        match rules(line, unit, signal).await? {
            Some(told) => status += told,
            None => return Ok(None),
        }
    }
    Ok(Some((fitting, status)))
}

/// How many status rules the unit answers; none if one holds a code that nobody knows.
async fn rules(line: &mut Line, unit: u8, signal: &SignalShape) -> io::Result<Option<usize>> {
    for rule in &signal.status {
        let Some(words) = registers(line, unit, rule.register).await? else {
            return Ok(None);
        };
        if rule.cause == NoValue::UnknownCode && holds(rule, &words) {
            return Ok(None);
        }
    }
    Ok(Some(signal.status.len()))
}

async fn registers(line: &mut Line, unit: u8, register: Register) -> io::Result<Option<Vec<u16>>> {
    let request = Request::Read {
        table: register.table,
        start: register.address,
        count: width(register.encoding),
    };
    let answer = line.ask(unit, &request).await?;
    Ok(answer.ok().map(<[u16]>::to_vec))
}

/// Whether somebody is there. Some devices have input registers alone, and some of those are silent about all else: of a silent unit these and its
/// identification are asked too where the search `asks_more`.
pub(super) async fn is_there(line: &mut Line, unit: u8, asks_more: bool) -> io::Result<Presence> {
    let first = |table| Request::Read {
        table,
        start: 0,
        count: 1,
    };
    let holding = presence(line, unit, &first(Table::Holding)).await?;
    let others: &[Request] = match holding {
        Presence::Refuses(1..=3) => &[first(Table::Input)],
        Presence::Silent if asks_more => &[first(Table::Input), Request::Identify],
        _ => &[],
    };
    for request in others {
        let other = presence(line, unit, request).await?;
        if other == Presence::Answers || holding == Presence::Silent && other != Presence::Silent {
            return Ok(other);
        }
    }
    Ok(holding)
}

async fn presence(line: &mut Line, unit: u8, request: &Request) -> io::Result<Presence> {
    Ok(match line.ask(unit, request).await? {
        Ok(_) => Presence::Answers,
        // A TCP gateway's words for a unit that it cannot reach.
        Err(Fault::Exception(10 | 11) | Fault::Timeout) => Presence::Silent,
        Err(Fault::Exception(code)) => Presence::Refuses(code),
        Err(Fault::BadFrame) => Presence::Garbled,
        Err(Fault::LinkDown) => Presence::Gone,
    })
}

/// What came of asking a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Answers,
    /// With this exception: it does not know the register, or a gateway speaks for a unit that is not there.
    Refuses(u8),
    Silent,
    /// Something came that is no frame: other settings, two units of one number, or a line that is in use.
    Garbled,
    /// The link broke.
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identification_is_read_as_far_as_it_goes() {
        let words = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| u16::from(*byte))
                .collect::<Vec<_>>()
        };
        let told = read(&words(
            b"\x0e\x01\x01\x00\x00\x03\x00\x03RKI\x01\x02M2\x02\x00",
        ));
        assert_eq!(told.vendor.as_deref(), Some("RKI"));
        assert_eq!(told.product.as_deref(), Some("M2"));
        assert_eq!(told.revision, None);
        assert_eq!(
            read(&words(b"\x0e\x01\x01\x00\x00\x01\x00\x09RKI"))
                .vendor
                .as_deref(),
            Some("RKI")
        );
        assert_eq!(read(&[]), Identity::default());
    }

    proptest::proptest! {
        #[test]
        fn no_identification_makes_its_reader_panic(words in proptest::collection::vec(0_u16..256, 0..80)) {
            let told = read(&words);
            proptest::prop_assert!(told.vendor.is_none_or(|text| !text.is_empty()));
        }
    }
}
