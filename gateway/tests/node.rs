//! A node behind a gateway: its heartbeat and clock are fed, and what it saw comes into the record once, in its order, with its own times.
//!
//! The node is simulated by its registers, laid out by the map that the firmware is made from (`davy_wire::node`).
#![allow(clippy::unwrap_used)]

mod node_site;

use davy_alarm::WallMs;
use davy_config::site::Site;
use davy_gateway::clock::Clock;
use davy_gateway::journal::Journal;
use davy_gateway::node::{EventClock, Told, What};
use davy_plant::modbus::Registers;
use davy_plant::serve::{Units, tcp};
use davy_wire::node::{
    EVENTS, Event, Happening, Id, MAP_VERSION, REGISTERS, Register, TimeQuality,
};
use node_site::{Gateway, LIMIT, UNIT, site, told, until};
use std::sync::Arc;
use tokio::net::TcpListener;

fn register(id: Id) -> Register {
    *REGISTERS.iter().find(|register| register.id == id).unwrap()
}

/// A node's registers, and what its ring would hold.
struct Node {
    units: Arc<Units>,
    site: Arc<Site>,
    next: u32,
}

impl Node {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let units = Arc::new(Units::default());
        tokio::spawn(tcp(listener, units.clone()));
        let mut node = Self {
            units,
            site: site("tcp", port),
            next: 1,
        };
        node.hold(|registers| {
            registers.inputs.extend((0..300).map(|at| (at, 0)));
            registers.holdings.extend((0..12).map(|at| (at, 0)));
            let ring = register(Id::Event);
            let ring = ring.address..ring.end();
            registers.inputs.extend(ring.map(|at| (at, 0)));
        });
        node.put(Id::MapVersion, u64::from(MAP_VERSION));
        node.put(Id::BootCount, 2);
        node.put(Id::UptimeMs, 60_000);
        node.put(Id::EventFirst, 1);
        node.bounds(1, 1);
        node
    }

    fn hold<T>(&self, change: impl FnOnce(&mut Registers) -> T) -> T {
        self.units.with(UNIT, |unit| change(&mut unit.registers))
    }

    /// Writes an input register of any width.
    fn put(&self, id: Id, value: u64) {
        let register = register(id);
        let width = register.spelling.width();
        self.hold(|registers| {
            for word in 0..width {
                let bits = value >> (16 * (width - 1 - word));
                registers
                    .inputs
                    .insert(register.address + word, bits as u16);
            }
        });
    }

    fn bounds(&mut self, oldest: u32, next: u32) {
        self.next = next;
        self.put(Id::EventOldest, u64::from(oldest));
        self.put(Id::EventNext, u64::from(next));
    }

    /// Something happens at the node so many times.
    fn see(&mut self, times: u32, event: impl Fn(u32) -> Event) {
        let ring = register(Id::Event);
        for number in self.next..self.next + times {
            let slot = (number % EVENTS as u32) as u16 * ring.spelling.width();
            let words = event(number).to_words();
            self.hold(|registers| {
                let slots = ring.address + slot..;
                registers.inputs.extend(slots.zip(words));
            });
        }
        let next = self.next + times;
        self.bounds(next.saturating_sub(EVENTS as u32).max(1), next);
    }

    fn holding(&self, at: u16) -> u16 {
        self.hold(|registers| registers.holdings[&at])
    }
}

/// A relay that switches, told by the node's own clock.
fn relay(number: u32) -> Event {
    Event {
        number,
        boot: 2,
        quality: TimeQuality::SetByGateway,
        time_ms: 1_700_000_000_000 + i64::from(number) * 1000,
        what: Happening::Relay {
            number: 1,
            demanded: number % 2 == 1,
        },
    }
}

async fn collects_to(gateway: &Gateway, next: u32) {
    let mark = || gateway.nodes.now("node-1").mark.map(|mark| mark.next);
    until(&format!("event {next} is next"), || mark() == Some(next)).await;
}

fn numbers(told: &[Told]) -> Vec<u32> {
    let events = told.iter().filter_map(Told::event);
    events.map(|event| event.number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_saw_while_its_gateway_was_stopped_is_recorded_once_in_order_and_with_its_own_times()
 {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.see(6, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 7).await;
    gateway.stop().await;

    node.see(24, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 31).await;
    node.see(1, relay);
    collects_to(&gateway, 32).await;
    let mark = gateway.nodes.now("node-1").mark.unwrap();
    assert_eq!((mark.collected, mark.missed), (31, 0));
    gateway.stop().await;

    let told = told(dir.path());
    assert_eq!(numbers(&told), (1..=31).collect::<Vec<u32>>());
    for one in &told {
        let event = one.event().unwrap();
        assert_eq!(event, relay(event.number));
        assert_eq!(one.time(), WallMs(event.time_ms));
        assert!(one.collected.0 > event.time_ms);
        assert!(matches!(
            one.what,
            What::Event {
                clock: EventClock::Node,
                ..
            }
        ));
        assert_eq!(&*one.device, "node-1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_that_overran_while_nobody_asked_is_recorded_as_such() {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.see(10, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 11).await;
    gateway.stop().await;

    node.see(200, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 211).await;
    let mark = gateway.nodes.now("node-1").mark.unwrap();
    assert_eq!((mark.collected, mark.missed), (138, 72));
    gateway.stop().await;

    let told = told(dir.path());
    let all: Vec<u32> = (1..=10).chain(83..=210).collect();
    assert_eq!(numbers(&told), all);
    let gap = What::Missed { from: 11, to: 82 };
    assert_eq!(told[10].what, gap, "before what is left, where it belongs");
    let (journal, restored) = Journal::open(dir.path(), &node.site, Clock::start()).unwrap();
    assert_eq!(restored.nodes["node-1"], mark);
    drop(journal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_power_went_loses_what_is_known_to_be_lost_and_nothing_is_counted_besides() {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.see(10, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 11).await;
    gateway.stop().await;

    // Numbers up to 1,024 were reserved; its ring has overrun since it came up again.
    node.put(Id::EventFirst, 1_025);
    node.next = 1_025;
    node.see(130, relay);
    node.put(Id::EventFirst, 1_025);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 1_155).await;
    let mark = gateway.nodes.now("node-1").mark.unwrap();
    assert_eq!((mark.collected, mark.missed), (138, 2));
    gateway.stop().await;

    let told = told(dir.path());
    let anew = What::Renumbered {
        expected: 11,
        from: 1_025,
    };
    let gap = What::Missed {
        from: 1_025,
        to: 1_026,
    };
    assert_eq!([&told[10].what, &told[11].what], [&anew, &gap]);
    assert_eq!(numbers(&told[12..]), (1_027..=1_154).collect::<Vec<u32>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_in_a_nodes_ring_is_recorded_and_what_follows_it_is_collected() {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.see(10, relay);
    let ring = register(Id::Event);
    node.hold(|registers| {
        let slot = |number: u16| {
            let at = ring.address + number * ring.spelling.width();
            at..at + ring.spelling.width()
        };
        let empty = slot(1).chain(slot(6)).map(|at| (at, 0));
        registers.inputs.extend(empty);
    });
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 11).await;
    let mark = gateway.nodes.now("node-1").mark.unwrap();
    assert_eq!((mark.collected, mark.missed), (8, 2));
    gateway.stop().await;
    let told = told(dir.path());
    assert_eq!(numbers(&told), [2, 3, 4, 5, 7, 8, 9, 10]);
    assert_eq!(told[0].what, What::Missed { from: 1, to: 1 });
    assert_eq!(told[5].what, What::Missed { from: 6, to: 6 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_that_was_changed_counts_anew_and_that_is_recorded() {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.see(10, relay);
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 11).await;
    node.next = 1;
    node.see(3, relay);
    collects_to(&gateway, 4).await;
    gateway.stop().await;
    let told = told(dir.path());
    let anew = What::Renumbered {
        expected: 11,
        from: 1,
    };
    assert_eq!(told[10].what, anew);
    assert_eq!(numbers(&told[11..]), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_clock_has_its_times_reckoned_or_bounded_and_its_clock_set_once() {
    let (dir, mut node) = (tempfile::tempdir().unwrap(), Node::start().await);
    let since_start = |number: u32| Event {
        boot: number.min(2) as u16,
        quality: TimeQuality::SinceStart,
        time_ms: 50_000,
        ..relay(number)
    };
    node.see(2, since_start);
    let started = Clock::start().wall();
    let gateway = Gateway::start(dir.path(), &node.site);
    collects_to(&gateway, 3).await;
    let words = || (1..5).map(|at| node.holding(at));
    let set = || words().fold(0_i64, |ms, word| ms << 16 | i64::from(word));
    until("the clock is set", || set() >= started.0).await;
    assert!(set() < started.0 + LIMIT.as_millis() as i64);

    // From now on it tells the time, well enough.
    node.put(Id::TimeQuality, 1);
    node.put(Id::WallMs, set() as u64);
    node.hold(|registers| registers.holdings.extend((1..5).map(|at| (at, 0))));
    let beat = node.holding(0);
    until("the heartbeat changes", || node.holding(0) != beat).await;
    let beat = node.holding(0);
    until("the heartbeat changes again", || node.holding(0) != beat).await;
    assert_eq!(set(), 0, "a clock that is right is left alone");
    gateway.stop().await;

    let told = told(dir.path());
    let clocks: Vec<_> = told
        .iter()
        .map(|one| (&one.what, one.time(), one.collected))
        .collect();
    let [(before, bound, asked), (reckoned, time, _)] = clocks[..] else {
        panic!("{clocks:?}");
    };
    assert!(matches!(
        before,
        What::Event {
            clock: EventClock::Before,
            ..
        }
    ));
    assert!(matches!(
        reckoned,
        What::Event {
            clock: EventClock::Reckoned,
            ..
        }
    ));
    // From when it told its uptime, which was a moment before it was asked for events.
    let looked = bound.0 + 60_000;
    assert!((started.0..=asked.0).contains(&looked));
    assert_eq!(time.0, looked - 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_of_another_map_is_never_written_to() {
    let (dir, node) = (tempfile::tempdir().unwrap(), Node::start().await);
    node.put(Id::MapVersion, 9);
    let gateway = Gateway::start(dir.path(), &node.site);
    until("it is seen to be strange", || {
        gateway.nodes.now("node-1").is_strange
    })
    .await;
    assert!((0..12).all(|at| node.holding(at) == 0));
    assert_eq!(gateway.nodes.now("node-1").mark, None);
    gateway.stop().await;
}
