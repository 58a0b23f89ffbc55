//! Who the site is, where it is shown, where it reports to, what it may keep, and who may act.

use super::names::{good_id, host_port, id, name};
use crate::problem::Code;
use crate::section::{At, Section};
use crate::site::{Area, Delivered, Journal, Person, Role, Text, Uplink};
use crate::today::Today;
use std::net::SocketAddr;
use std::path::Path;

pub(super) struct Identity {
    pub(super) id: String,
    pub(super) name: Text,
    /// Somebody answers for the set-points: presets may arm.
    pub(super) signed_off: bool,
}

pub(super) fn identity(section: Section<'_, '_>, today: Today) -> Option<Identity> {
    let id = id(&section);
    let name = name(&section);
    // A sign-off with a problem of its own does not make every preset a problem too.
    let signed = section.section("sign_off");
    let signed_off = signed.map(|section| sign_off(section, today)).is_some();
    section.finish();
    Some(Identity {
        id: id?,
        name: name?,
        signed_off,
    })
}

fn sign_off(section: Section<'_, '_>, today: Today) {
    section.need_text("by");
    if let Some(date) = section.need_date("date")
        && today.is_before(&date.value)
    {
        let code = match today {
            Today::Doubtful(_) => Code::SignOffAhead,
            Today::Certain(_) | Today::Unknown => Code::SignOffInFuture,
        };
        section.at(&date, code, vec![("value", date.value.as_str().into())]);
    }
    section.text("note");
    section.finish();
}

pub(super) fn screen(section: Section<'_, '_>) -> Option<SocketAddr> {
    let listen = section.need_text("listen");
    let address = listen.and_then(|listen| {
        let found = listen.value.parse().ok();
        if found.is_none() {
            let args = vec![("value", listen.value.as_str().into())];
            section.at(&listen, Code::Address, args);
        }
        found
    });
    section.finish();
    address
}

const ACKNOWLEDGEMENTS: &[(&str, Delivered)] =
    &[("commit", Delivered::Committed), ("none", Delivered::Sent)];

pub(super) fn uplink(section: Section<'_, '_>, base: &Path) -> Option<Uplink> {
    let broker = section
        .need_text("broker")
        .and_then(|broker| host_port(&section, &broker));
    let group = section
        .need_text("group")
        .and_then(|group| good_id(&section, group));
    let username = section.text("username").map(|at| at.value);
    let password_file = section.text("password_file").map(|at| base.join(at.value));
    let window = section.whole("window", 1..=1000).map(|at| at.value as u16);
    let backups = section.texts("backup_brokers");
    let backups = backups.iter().filter_map(|at| host_port(&section, at));
    let backups = backups.collect();
    let primary_host = section.text("primary_host");
    let primary_host = primary_host.and_then(|host| good_id(&section, host));
    let backfill_bytes_s = section
        .whole("backfill_bytes_s", 1_000..=1_000_000_000)
        .map(|at| at.value as u32);
    let delivered = section
        .one_of("ack", ACKNOWLEDGEMENTS)
        .map_or(Delivered::Committed, |at| at.value);
    section.finish();
    let (host, port) = broker?;
    Some(Uplink {
        host,
        port,
        group: group?,
        username,
        password_file,
        window,
        backups,
        primary_host,
        delivered,
        backfill_bytes_s,
    })
}

pub(super) fn journal(section: Section<'_, '_>) -> Option<Journal> {
    let max = section
        .whole("max_mb", 16..=1_000_000)
        .map_or(512, |at| at.value);
    // Telemetry keeps at least half, or a flood of transitions would end all history.
    let reserve = section
        .whole("alarm_reserve_mb", 1..=max / 2)
        .map_or(max / 8, |at| at.value);
    section.finish();
    Some(Journal {
        max_bytes: (max as u64) << 20,
        alarm_reserve_bytes: (reserve as u64) << 20,
    })
}

pub(super) fn person(section: &Section<'_, '_>) -> Option<Person> {
    let id = id(section);
    let name = section.need_text("name");
    let role = section.need_one_of(
        "role",
        &[
            ("operator", Role::Operator),
            ("maintenance", Role::Maintenance),
        ],
    );
    let pin = section
        .need_text("pin")
        .filter(|pin| good_pin(section, pin));
    Some(Person {
        id: id?,
        name: name?.value,
        role: role?.value,
        pin_hash: pin?.value,
    })
}

fn good_pin(section: &Section<'_, '_>, pin: &At<String>) -> bool {
    let good = is_argon2id(&pin.value);
    if !good {
        section.at(pin, Code::PinHash, vec![]);
    }
    good
}

/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, salt and hash in base64 without padding, of at least 8 and 16 bytes.
fn is_argon2id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, hash] = parts.as_slice() else {
        return false;
    };
    let costs: Vec<&str> = costs.split(',').collect();
    let cost = |text: &str, name: &str| {
        let number = text
            .strip_prefix(name)
            .and_then(|text| text.strip_prefix('='));
        number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
    };
    let base64 = |text: &str, least: usize| {
        let good = |char: char| char.is_ascii_alphanumeric() || char == '+' || char == '/';
        text.len() >= least && text.chars().all(good)
    };
    let costs =
        matches!(costs.as_slice(), [m, t, p] if cost(m, "m") && cost(t, "t") && cost(p, "p"));
    costs && base64(salt, 11) && base64(hash, 22)
}

pub(super) fn area(section: &Section<'_, '_>) -> Option<Area> {
    let id = id(section);
    let name = name(section);
    Some(Area {
        id: id?,
        name: name?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_argon2id_hash_is_a_pin() {
        let costs = "$argon2id$v=19$m=19456,t=2,p=1";
        let good =
            format!("{costs}$QteEZA9Ftswnsnur11oFXA$5m0w9rEd6ILjU1jf2pXyytUa5mCqEs1sVR4RBXv1sXw");
        assert!(is_argon2id(&good));
        for bad in [
            "2468".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("t=2", "t=0"),
            good.replace("m=19456,", ""),
            format!("{costs}$short$5m0w9rEd6ILjU1jf2pXyytUa5mCqEs1sVR4RBXv1sXw"),
            format!("{costs}$QteEZA9Ftswnsnur11oFXA$…"),
            format!("{good}$more"),
        ] {
            assert!(!is_argon2id(&bad), "{bad}");
        }
    }
}
