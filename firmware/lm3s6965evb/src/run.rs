//! The node's main loop, the same on every board: a board brings `board` (ports), `uart`, `front_end`, `flash`, `watchdog`, `machine` and its vectors.

use crate::clock::Clock;
#[cfg(feature = "drills")]
use crate::drills;
use crate::flash::BoardFlash;
use crate::front_end::FrontEnd;
use crate::uart::{self, Uart};
use crate::{board, failure, memory, place, watchdog};
use davy_node::{Boot, Node, SAMPLE_MS, Sample, Turn};
use davy_wire::node::{ResetCause, SelfTest};

/// The life of a node.
pub(crate) fn node() -> ! {
    let report = board::start();
    memory::paint_stack();
    let mut clock = Clock::start();
    let (mut line, mut log) = (Uart::start(uart::LINE), Uart::start(uart::LOG));
    let mut front_end = FrontEnd::start();
    let boot = Boot {
        now: clock.now(),
        firmware: memory::head().map_or([0; 3], |head| head.version),
        room: place::ROOM,
        started: failure::started(),
    };
    #[cfg(feature = "drills")]
    drills::on_trial(boot.started);
    let node = memory::start_node(boot);
    carry_out(node.relays());
    log.queue(report);
    watchdog::start();
    let mut turn = Turn::nobodys();

    let (mut next_round, mut longest_us, mut memory_test) = (clock.now(), 0, memory::Walk::start());
    let (mut flash_test, mut depth) = (memory::FlashSum::start(), memory::Depth::start());
    loop {
        let began_us = clock.us();
        serve(node, &mut turn, &mut line, &mut clock);
        front_end.poll(clock.now());
        log.drain();
        let now = clock.now();
        if now >= next_round {
            next_round = now.after(SAMPLE_MS);
            front_end.ask();
            let sample = Sample {
                currents_ua: front_end.currents(now),
                reference_ua: front_end.reference(now),
                feedback: board::feedback(),
                key: key(),
            };
            carry_out(node.round(&sample, now));
            node.store();
            node.tell_test(SelfTest::Ram, memory_test.step());
            node.tell_test(SelfTest::Flash, flash_test.step());
            #[cfg(feature = "drills")]
            if drills::fails_a_test() {
                node.tell_test(SelfTest::Flash, false);
            }
            let free = depth.step();
            node.tell_test(SelfTest::Stack, free >= memory::STACK_RESERVE);
            node.tell_health(free, longest_us);
            if node.restart_is_due() {
                failure::reset(ResetCause::Asked);
            }
        }
        #[cfg(feature = "drills")]
        drills::listen(&mut log);
        if node.made_progress() {
            watchdog::feed();
        }
        let took_us = clock.us().saturating_sub(began_us);
        longest_us = longest_us.max(u16::try_from(took_us).unwrap_or(u16::MAX));
    }
}

/// Bytes of the line in, an answer out when it is the node's turn.
fn serve(node: &mut Node<'_, BoardFlash>, turn: &mut Turn, line: &mut Uart, clock: &mut Clock) {
    line.drain();
    let now = clock.now();
    // As many as the chip's buffer holds: a babbling line keeps nobody from sampling.
    for _ in 0..16 {
        let Some(byte) = line.byte() else {
            if let Some(answer) = node.quiet(now) {
                turn.answer(answer);
            }
            // By the time that it is now: what was asked may have taken long, and the silence begins here at the earliest.
            if let Some(answer) = turn.quiet(clock.us()) {
                line.queue(answer);
                node.tell_answer(turn.took_us());
            }
            break;
        };
        turn.heard();
        if let Some(answer) = node.byte(byte, now) {
            turn.answer(answer);
        }
    }
    line.drain();
}

fn carry_out(relays: davy_node::Relays) {
    failure::leave(relays.when_failed);
    board::drive(relays.coils);
}

#[cfg(feature = "drills")]
fn key() -> bool {
    board::key() || drills::key()
}

#[cfg(not(feature = "drills"))]
fn key() -> bool {
    board::key()
}
