//! Relays, their feedback, the key, and what every other pin is (docs/node-stm32g474.md has them in a table).
//!
//! Relay n is bit n of PC6 to PC9, high drives its coil. Its feedback is a contact to ground, low while the coil is driven: PA6, PA7, PC4, PC5. The key is PC12, low
//! while pressed.

use crate::{flash, front_end, machine, uart};
use davy_wire::node::ResetCause;
use embassy_stm32::gpio::{AfType, AnyPin, Flex, Level, Output, OutputType, Pull, Speed};
use embassy_stm32::pac::{GPIOA, GPIOC, RCC, gpio::regs::Bsrr};
use embassy_stm32::{Peri, Peripherals};

const FIRST_RELAY: u32 = 6;
const RELAYS: u32 = 0xf;
const FIRST_FEEDBACK_A: u32 = 6;
const FIRST_FEEDBACK_C: u32 = 4;
const KEY: u32 = 1 << 12;
/// USART2 and USART3 on all their pins used here (data sheet DS12288, alternate functions).
const OF_USARTS: u8 = 7;

/// Brings the clock up, lets it reach what is used, and makes pins what they are; what the log says of it.
pub(crate) fn start() -> &'static [u8] {
    let crystal = machine::clocks_on();
    RCC.ahb1enr().modify(|on| {
        on.set_dma1en(true);
        on.set_dmamux1en(true);
    });
    RCC.ahb2enr().modify(|on| {
        on.set_adc12en(true);
        on.set_gpioaen(true);
        on.set_gpioben(true);
        on.set_gpiocen(true);
    });
    RCC.apb1enr1().modify(|on| {
        on.set_usart2en(true);
        on.set_usart3en(true);
    });
    // SAFETY: nobody else takes any, and this is called once; the pins' clocks are on, which `init` would see to.
    pins(unsafe { Peripherals::steal() });
    match (crystal, flash::is_as_laid_out()) {
        (true, true) => b"node started\n",
        (false, true) => b"node started; no crystal, its clock may be 2 % off\n",
        (_, false) => b"node started; flash is not two banks of 256 kB, it takes nothing (DBANK)\n",
    }
}

/// Loops and reference stay analog, as they are after a reset. A pin that is forgotten keeps what it was made: its driver would give it back.
fn pins(all: Peripherals) {
    let low =
        |pin: Peri<'static, AnyPin>| core::mem::forget(Output::new(pin, Level::Low, Speed::Low));
    let pulled_up = |pin: Peri<'static, AnyPin>| {
        let mut pin = Flex::new(pin);
        pin.set_as_input(Pull::Up);
        core::mem::forget(pin);
    };
    let sends = |pin| of_usart(pin, AfType::output(OutputType::PushPull, Speed::Low));
    // A receiver that is shut off while its driver is on lets its output float.
    let hears = |pin| of_usart(pin, AfType::input(Pull::Up));
    let relays = [
        all.PC6.into(),
        all.PC7.into(),
        all.PC8.into(),
        all.PC9.into(),
    ];
    relays.into_iter().for_each(low);
    let feedback = [
        all.PA6.into(),
        all.PA7.into(),
        all.PC4.into(),
        all.PC5.into(),
    ];
    feedback.into_iter().for_each(pulled_up);
    pulled_up(all.PC12.into());
    // Modbus: TX, DE and RX; the log: TX and RX.
    let out = [all.PC10.into(), all.PB14.into(), all.PA2.into()];
    out.into_iter().for_each(sends);
    [all.PC11.into(), all.PA3.into()]
        .into_iter()
        .for_each(hears);
}

fn of_usart(pin: Peri<'static, AnyPin>, kind: AfType) {
    let mut pin = Flex::new(pin);
    pin.set_as_af_unchecked(OF_USARTS, kind);
    core::mem::forget(pin);
}

/// Bit n drives relay n's coil; all four change at once. By the register: a panic has no pins in its hands.
pub(crate) fn drive(coils: u8) {
    let on = u32::from(coils) & RELAYS;
    let off = !on & RELAYS;
    let changes = on << FIRST_RELAY | off << (FIRST_RELAY + 16);
    GPIOC.bsrr().write_value(Bsrr(changes));
}

pub(crate) fn feedback() -> u8 {
    let low = |port: u32, first: u32| !(port >> first) & 0b11;
    let (a, c) = (GPIOA.idr().read().0, GPIOC.idr().read().0);
    (low(a, FIRST_FEEDBACK_A) | low(c, FIRST_FEEDBACK_C) << 2) as u8
}

pub(crate) fn key() -> bool {
    GPIOC.idr().read().0 & KEY == 0
}

/// Why an exception that cannot be masked ends this run; `None`: it does not. A torn place of flash that somebody reads who expects one is no fault (`flash`).
pub(crate) fn cannot_be_masked() -> Option<ResetCause> {
    if flash::note_torn() && flash::was_expected() {
        None
    } else {
        Some(ResetCause::Fault)
    }
}

/// Whether the DMA works on the word at an address: such words are passed over by the test of the RAM. What comes through them has sums of its own, and the references.
pub(crate) fn is_written_by_hardware(address: u32) -> bool {
    uart::holds(address) || front_end::holds(address)
}
