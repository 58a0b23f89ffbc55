//! What a site's polls take of a bus: how long a scan of all its devices may last, and which share of the time. Pure; reckoned from the very plan, frames
//! and silences that the bus task works by.
//!
//! - On a serial line an exchange is its characters at the line's speed, 3.5 characters before the answer, or longer if the unit thinks longer (`answer_ms`
//!   of the device, or its profile's), and before the next request again 3.5 and the bus's turnaround.
//! - Behind a converter it is the same at the line's speed behind it (`baud`, 9600 unless said; [`CONVERTER_BITS`] a character), and the network on top.
//! - On TCP nobody knows what a server needs: `exchange_ms`, 5 unless said, or the unit's `answer_ms` if that is longer.
//!
//! Polls are served longest due first (`bus`). As long as the load is at most 1, none is therefore over later than one whole scan after it was due, whatever
//! the periods and phases (a test plays it). A round of errands at each node is part of the scan; a backlog of events waits for idle moments. A unit that falls silent costs one time-out besides: while it is silent it waits for all others.

use super::link::{CONVERTER_SILENCE, bits_per_character};
use super::outputs::{self, REWRITE};
use super::pdu::Request;
use super::plan::Plan;
use super::rtu;
use crate::node;
use davy_config::site::{self, Bus, BusIndex, Device, DeviceIndex, Site};
use std::time::Duration;

/// Assumed of the line behind a converter: with parity, as the standard would have it.
const CONVERTER_BITS: u32 = 11;
/// Speeds that lines are usually set to.
const BAUDS: [u32; 7] = [4_800, 9_600, 19_200, 38_400, 57_600, 76_800, 115_200];

/// What one bus is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) bus: BusIndex,
    /// Its devices, in the order of the site file.
    pub(crate) shares: Vec<Share>,
    /// Writing each of its outputs once and reading it back; done anew every [`REWRITE`].
    pub(crate) outputs: Duration,
    /// One round of errands at each of its nodes; done anew every [`node::ERRAND_EVERY`].
    pub(crate) errands: Duration,
    /// Everything once: every device, every output.
    pub(crate) scan: Duration,
    /// The same while one unit is silent.
    pub(crate) scan_with_silence: Duration,
    /// Share of the line's time; beyond 1 it cannot be carried.
    pub(crate) load: f64,
}

/// One device's part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) device: DeviceIndex,
    /// Requests of one poll.
    pub(crate) reads: usize,
    /// One poll.
    pub(crate) poll: Duration,
    pub(crate) period: Duration,
}

impl Budget {
    /// Of every bus of a site.
    pub(crate) fn of_site(site: &Site) -> Vec<Self> {
        let buses = site.buses.iter().enumerate();
        buses
            .map(|(position, bus)| Self::new(site, BusIndex(position), &Line::of(bus)))
            .collect()
    }

    /// The least usual speed at which the line would carry what is asked; `None` for a network, or where none would.
    pub(crate) fn enough_baud(site: &Site, bus: BusIndex) -> Option<u32> {
        let faster = |baud: u32| {
            let line = Line::at(&site.buses[bus.0], baud)?;
            (Self::new(site, bus, &line).load <= 1.0).then_some(baud)
        };
        BAUDS.into_iter().find_map(faster)
    }

    fn new(site: &Site, bus: BusIndex, line: &Line) -> Self {
        let devices = site.devices.iter().enumerate();
        let shares: Vec<Share> = devices
            .filter(|(_, device)| device.bus == bus)
            .map(|(position, _)| Share::new(site, DeviceIndex(position), line))
            .collect();
        let outputs: Duration = (site.outputs.iter())
            .filter(|output| site.devices[output.device.0].bus == bus)
            .map(|output| {
                let (write, answer) = (
                    outputs::write_request(output, true),
                    answer(&site.devices[output.device.0]),
                );
                line.exchange(&write, answer)
                    + line.exchange(&outputs::read_request(output), answer)
            })
            .sum();
        let errands: Duration = (site.devices.iter())
            .filter(|device| device.bus == bus)
            .flat_map(|device| {
                node::round(device)
                    .into_iter()
                    .zip(std::iter::repeat(answer(device)))
            })
            .map(|(request, answer)| line.exchange(&request, answer))
            .sum();
        let polls = shares.iter().map(|share| share.poll);
        let scan = polls.sum::<Duration>() + outputs + errands;
        let loads = shares.iter().map(Share::load);
        let load = loads.sum::<f64>()
            + outputs.as_secs_f64() / REWRITE.as_secs_f64()
            + errands.as_secs_f64() / node::ERRAND_EVERY.as_secs_f64();
        let timeout = Duration::from_millis(u64::from(site.buses[bus.0].timeout_ms));
        Self {
            bus,
            shares,
            outputs,
            errands,
            scan,
            scan_with_silence: scan + timeout,
            load,
        }
    }
}

impl Share {
    fn new(site: &Site, device: DeviceIndex, line: &Line) -> Self {
        let (_, blocks) = Plan::new(site, device);
        let read = |block: &super::plan::Block| {
            let request = Request::Read {
                table: block.table,
                start: block.start,
                count: block.count,
            };
            line.exchange(&request, answer(&site.devices[device.0]))
        };
        Self {
            device,
            reads: blocks.len(),
            poll: blocks.iter().map(read).sum(),
            period: Duration::from_millis(u64::from(site.devices[device.0].period_ms.max(1))),
        }
    }

    /// Share of the line's time.
    pub(crate) fn load(&self) -> f64 {
        self.poll.as_secs_f64() / self.period.as_secs_f64()
    }
}

/// What an exchange takes on a bus, seconds.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Of each character.
    character: f64,
    /// Before each answer, from the last character of the request.
    before: f64,
    /// Of each exchange besides.
    pause: f64,
}

/// What its file or its profile says that the unit needs.
fn answer(device: &Device) -> Duration {
    Duration::from_millis(device.answer_ms.into())
}

/// How long a unit thought before it answered a request, by how long the whole exchange took; to be said as its `answer_ms`.
pub(crate) fn thinking(bus: &Bus, request: &Request, took: Duration) -> Duration {
    let line = Line::of(bus);
    let besides = line.exchange(request, Duration::ZERO).as_secs_f64() - line.before;
    took.saturating_sub(Duration::from_secs_f64(besides.max(0.0)))
}

impl Line {
    fn of(bus: &Bus) -> Self {
        let baud = match &bus.link {
            site::Link::Rtu { baud, .. } => *baud,
            site::Link::RtuOverTcp { .. } => bus.converter_baud,
            site::Link::Tcp { .. } => 0,
        };
        Self::at(bus, baud).unwrap_or(Self {
            character: 0.0,
            before: network(bus).as_secs_f64(),
            pause: 0.0,
        })
    }

    /// The bus's line at another speed; `None` for one that has none.
    fn at(bus: &Bus, baud: u32) -> Option<Self> {
        let (bits, besides) = match &bus.link {
            site::Link::Tcp { .. } => return None,
            site::Link::RtuOverTcp { .. } => (CONVERTER_BITS, CONVERTER_SILENCE + network(bus)),
            site::Link::Rtu {
                parity, stop_bits, ..
            } => (bits_per_character(*parity, *stop_bits), Duration::ZERO),
        };
        let turnaround = Duration::from_millis(u64::from(bus.turnaround_ms));
        let silence = rtu::silence(baud, bits);
        let pause = silence + turnaround + besides;
        Some(Self {
            character: f64::from(bits) / f64::from(baud.max(1)),
            before: silence.as_secs_f64(),
            pause: pause.as_secs_f64(),
        })
    }

    /// A request, its answer by a unit that thinks so long, and the silences.
    fn exchange(&self, request: &Request, answer: Duration) -> Duration {
        // Unit in front, CRC behind.
        const FRAME: usize = 3;
        let mut asked = Vec::with_capacity(16);
        request.encode(&mut asked);
        let answered = request.answer_length(&[]).unwrap_or(asked.len());
        let characters = asked.len() + answered + 2 * FRAME;
        let before = self.before.max(answer.as_secs_f64());
        Duration::from_secs_f64(characters as f64 * self.character + before + self.pause)
    }
}

fn network(bus: &Bus) -> Duration {
    Duration::from_micros(u64::from(bus.network_us))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;
    use std::path::Path;

    /// `units` slaves of ten registers on a line.
    fn site(link: &str, units: u8, period_ms: u32) -> Site {
        let mut text = format!(
            "schema = 1\n[site]\nid = \"s\"\nname = {{ zh = \"站\", en = \"Site\" }}\n[[area]]\nid = \"a\"\nname = {{ zh = \"区\", en = \"Area\" }}\n[[bus]]\nid = \"b\"\n{link}\n"
        );
        for unit in 1..=units {
            let _ = writeln!(
                text,
                "[[device]]\nid = \"d{unit}\"\nname = {{ zh = \"器\", en = \"Device\" }}\nbus = \"b\"\nunit = {unit}\nperiod_ms = {period_ms}"
            );
            for register in 0..10 {
                let _ = writeln!(
                    text,
                    "[[point]]\nid = \"p{unit}-{register}\"\nname = {{ zh = \"点\", en = \"Point\" }}\narea = \"a\"\ndevice = \"d{unit}\"\nkind = \"other\"\nunit = \"1\"\nrange = [0, 65535]\nregister = {{ table = \"holding\", address = {register} }}"
                );
            }
        }
        let loaded = davy_config::parse("site.toml", &text, Path::new("."));
        loaded.unwrap_or_else(|problems| panic!("{problems}")).site
    }

    const SERIAL: &str = "kind = \"rtu\"\npath = \"/dev/ttyS1\"\nbaud = 9600\nparity = \"none\"\nstop_bits = 1\ntimeout_ms = 300";

    fn budget(link: &str, units: u8, period_ms: u32) -> Budget {
        Budget::of_site(&site(link, units, period_ms)).remove(0)
    }

    #[test]
    fn eight_slaves_of_ten_registers_at_9600_baud_are_polled_24_times_a_second_at_most() {
        let budget = budget(SERIAL, 8, 1000);
        assert!(budget.shares.iter().all(|share| share.reads == 1));
        let rate = 8.0 / budget.scan.as_secs_f64();
        // `bench serial` measures it against the same 24.0.
        assert!((rate - 24.0).abs() < 1e-4, "{rate}");
        assert!((budget.load - 1.0 / 3.0).abs() < 1e-5, "{}", budget.load);
        assert_eq!(
            budget.scan_with_silence - budget.scan,
            Duration::from_millis(300)
        );
    }

    #[test]
    fn turnaround_parity_converter_and_network_have_their_price() {
        let of = |link: &str| budget(link, 1, 1000).scan.as_secs_f64() * 1000.0;
        let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-3, "{found}");
        // 33 characters and twice 3.5, of ten bits.
        close(of(SERIAL), 41.6667);
        close(of(&format!("{SERIAL}\nturnaround_ms = 50")), 91.6667);
        let parity = SERIAL.replace("none", "even");
        close(of(&parity), 45.8333);
        // Above 19,200 baud the silence no longer shrinks.
        let fast = SERIAL.replace("9600", "115200");
        close(of(&fast), 2.8646 + 3.5);
        let converter = "kind = \"rtu-over-tcp\"\naddress = \"127.0.0.1:4001\"";
        close(of(converter), 45.8333 + 2.0 + 5.0);
        close(
            of(&format!("{converter}\nbaud = 19200")),
            22.9167 + 2.0 + 5.0,
        );
        let tcp = "kind = \"tcp\"\naddress = \"127.0.0.1:502\"";
        close(of(tcp), 5.0);
        close(of(&format!("{tcp}\nexchange_ms = 0.2")), 0.2);
    }

    #[test]
    fn a_unit_that_thinks_long_takes_the_line_for_so_long() {
        let of = |link: &str, answer_ms: u32| {
            let mut site = site(link, 2, 1000);
            site.devices[1].answer_ms = answer_ms;
            Budget::of_site(&site)[0].scan.as_secs_f64() * 1000.0
        };
        let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-3, "{found}");
        let plain = of(SERIAL, 0);
        // 3.5 characters are 3.65 ms: a unit that needs no more costs no more.
        close(of(SERIAL, 3), plain);
        close(of(SERIAL, 80), plain + 80.0 - 3.645_833);
        let tcp = "kind = \"tcp\"\naddress = \"127.0.0.1:502\"";
        close(of(tcp, 4), 10.0);
        close(of(tcp, 40), 45.0);
    }

    #[test]
    fn what_a_unit_is_measured_to_think_is_what_it_is_reckoned_with() {
        let request = Request::Read {
            table: site::Table::Holding,
            start: 0,
            count: 10,
        };
        for link in [SERIAL, "kind = \"tcp\"\naddress = \"127.0.0.1:502\""] {
            let bus = &site(link, 1, 1000).buses[0];
            let took = Line::of(bus).exchange(&request, Duration::from_millis(70));
            let thought = thinking(bus, &request, took).as_secs_f64();
            assert!((thought - 0.070).abs() < 1e-6, "{thought}");
            assert_eq!(thinking(bus, &request, Duration::ZERO), Duration::ZERO);
        }
    }

    #[test]
    fn the_speed_that_is_enough_is_the_least_that_carries_it() {
        let bus = BusIndex(0);
        let slow = site(SERIAL, 8, 200);
        assert!(Budget::of_site(&slow)[0].load > 1.0);
        assert_eq!(Budget::enough_baud(&slow, bus), Some(19_200));
        assert_eq!(Budget::enough_baud(&site(SERIAL, 30, 50), bus), None);
        let tcp = site("kind = \"tcp\"\naddress = \"127.0.0.1:502\"", 1, 1000);
        assert_eq!(Budget::enough_baud(&tcp, bus), None);
    }

    /// The latest that any poll ends after it was due, when the longest due is served first and nothing is broken off.
    fn latest(polls: &[(u64, u64, u64)]) -> u64 {
        let mut due: Vec<u64> = polls.iter().map(|(_, _, phase)| *phase).collect();
        let (mut now, mut worst) = (0, 0);
        while now < 20_000 {
            let next = (0..polls.len()).min_by_key(|at| due[*at]).unwrap_or(0);
            let (takes, period, _) = polls[next];
            now = now.max(due[next]) + takes;
            worst = worst.max(now - due[next]);
            due[next] += period;
        }
        worst
    }

    proptest! {
        #[test]
        fn what_a_line_can_carry_is_never_later_than_one_scan(
            polls in proptest::collection::vec((1_u64..200, 50_u64..4000, 0_u64..4000), 1..12)
        ) {
            let scan: u64 = polls.iter().map(|(takes, ..)| takes).sum();
            let load: f64 = polls.iter().map(|(takes, period, _)| *takes as f64 / *period as f64).sum();
            prop_assume!(load <= 1.0);
            prop_assert!(latest(&polls) <= scan);
        }
    }
}
