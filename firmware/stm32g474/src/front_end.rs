//! The analog front end: the chip's first converter goes round eight loops, the reference and the chip's own reference for ever, and the DMA keeps what it read in the
//! last 20 ms. Each current is the mean of that: a period of 50 Hz, whose hum falls out of it.
//!
//! 25 MHz, 247.5 + 12.5 cycles a conversion, 16 conversions a reading, 10 readings a scan, 12 scans: 19.97 ms (RM0440, ADC: channel-wise programmable sampling time,
//! oversampler). By the chip's registers: embassy's driver asks at run time for clocks that it may panic over.

use crate::loops::{current_ua, is_believed, reference_ua};
use crate::machine::HZ;
use core::cell::UnsafeCell;
use davy_alarm::Instant;
use embassy_stm32::pac::adc::regs::{Smpr, Smpr2, Sqr1, Sqr2, Sqr3};
use embassy_stm32::pac::adc::vals::{Adcaldif, Dmacfg, Dmaen, Ovrmod, SampleTime};
use embassy_stm32::pac::adccommon::vals::Ckmode;
use embassy_stm32::pac::bdma::regs::{Cr as Channel, Isr};
use embassy_stm32::pac::bdma::vals::Size;
use embassy_stm32::pac::{ADC1, ADC12_COMMON, DMA1, DMAMUX1, RCC, VREFINTCAL};

/// Inputs of a scan: loops 1 to 8, the reference, VREFINT.
const INPUTS: usize = 10;
const SCANS: usize = 12;
/// The converter's channels in that order: PA0, PA1, PC0, PC1, PC2, PC3, PB0, PB1, PB12 (data sheet DS12288, pin definitions), and VREFINT (RM0440, ADC: connectivity).
const CHANNELS: [u8; INPUTS] = [1, 2, 6, 7, 8, 9, 15, 12, 11, 18];
/// Channel 5 of the DMA, counted from 0 by `DMA1` and DMAMUX; its flag of a whole ring.
const RING: usize = 4;
const RING_IS_ROUND: u32 = 1 << (4 * RING + 1);
const RING_FLAGS: u32 = 0xf << (4 * RING);
/// DMAMUX's request of ADC1.
const REQUEST: u8 = 5;
/// Cycles that the converter's regulator takes to settle: 20 µs and more (data sheet DS12288, ADC characteristics).
const SETTLES: u32 = HZ / 20_000;
/// How often a converter is asked that is not done: calibration takes 116 of its cycles (data sheet DS12288, ADC characteristics), which are two of ours each.
const LOOKS: u32 = 1_000;
/// A ring takes 20 ms; where none came round for so long, the converter stands, and is started anew.
const SILENT_MS: u64 = 100;

struct Readings(UnsafeCell<[[u16; INPUTS]; SCANS]>);

// SAFETY: the DMA writes it, and `FrontEnd` alone reads it, by volatile reads.
unsafe impl Sync for Readings {}

static READINGS: Readings = Readings(UnsafeCell::new([[0; INPUTS]; SCANS]));

/// Whether a word is one that the DMA works on here.
pub(crate) fn holds(address: u32) -> bool {
    let begin = READINGS.0.get() as u32;
    (begin & !3..begin + (INPUTS * SCANS * size_of::<u16>()) as u32).contains(&address)
}

/// The last means.
pub(crate) struct FrontEnd {
    /// Sums of a ring's readings, by input.
    sums: [u32; INPUTS],
    /// When the ring was seen to have come round, last.
    seen: Option<Instant>,
    started: Instant,
}

impl FrontEnd {
    pub(crate) fn start() -> Self {
        start_converter();
        Self {
            sums: [0; INPUTS],
            seen: None,
            started: Instant(0),
        }
    }

    /// Looks whether the ring came round, and starts a converter anew that stands.
    pub(crate) fn poll(&mut self, now: Instant) {
        if DMA1.isr().read().0 & RING_IS_ROUND != 0 {
            DMA1.ifcr().write_value(Isr(RING_FLAGS));
            self.seen = Some(now);
        }
        let since = self
            .seen
            .map_or(self.started, |seen| seen.max(self.started));
        if now.since(since) >= SILENT_MS {
            self.started = now;
            start_converter();
        }
    }

    /// Sums what the ring holds.
    pub(crate) fn ask(&mut self) {
        self.sums = [0; INPUTS];
        let mut reading = READINGS.0.get().cast::<u16>();
        for _ in 0..SCANS {
            for sum in &mut self.sums {
                // SAFETY: within the ring, whose readings lie one after the other, scan by scan; volatile, for the DMA writes it meanwhile, each reading whole.
                *sum += u32::from(unsafe { reading.read_volatile() });
                // SAFETY: to the next, or to the ring's end.
                reading = unsafe { reading.add(1) };
            }
        }
    }

    /// The loops, while the converter goes round and its references agree.
    pub(crate) fn currents(&self, now: Instant) -> Option<[u16; 8]> {
        let is_believed = self.reference(now).is_some_and(is_believed);
        let [loops @ .., reference, _] = self.sums;
        is_believed.then(|| loops.map(|sum| current_ua(sum, reference)))
    }

    /// What the references make of each other, while the converter goes round, however far they are apart.
    pub(crate) fn reference(&self, now: Instant) -> Option<u16> {
        let goes_round = self.seen.is_some_and(|seen| now.since(seen) < SILENT_MS);
        let [.., reference, internal] = self.sums;
        goes_round.then(|| reference_ua(internal, reference, VREFINTCAL.data().read()))
    }
}

/// From reset to going round (RM0440, ADC: deep-power-down, calibration, on-off control). A converter that does not get ready fills no ring: the loops have no
/// value, and it is started anew.
fn start_converter() {
    RCC.ahb2rstr().modify(|reset| reset.set_adc12rst(true));
    RCC.ahb2rstr().modify(|reset| reset.set_adc12rst(false));
    ADC12_COMMON.ccr().write(|common| {
        common.set_ckmode(Ckmode::SYNC_DIV2);
        common.set_vrefen(true);
    });
    ADC1.cr().write(|_| {});
    ADC1.cr().write(|cr| cr.set_advregen(true));
    cortex_m::asm::delay(SETTLES);
    ADC1.cr().modify(|cr| {
        cr.set_adcaldif(Adcaldif::SINGLE_ENDED);
        cr.set_adcal(true);
    });
    let calibrates = || ADC1.cr().read().adcal();
    let _calibrated = (0..LOOKS).any(|_| !calibrates());
    // Four of its cycles and more.
    cortex_m::asm::delay(SETTLES);
    ADC1.cr().modify(|cr| cr.set_aden(true));
    let _ready = (0..LOOKS).any(|_| ADC1.isr().read().adrdy());
    sequence();
    ADC1.cfgr2().write(|cfgr2| {
        // Sixteen conversions are summed and not shifted: 16 bits.
        cfgr2.set_ovsr(3);
        cfgr2.set_rovse(true);
    });
    ADC1.cfgr().write(|cfgr| {
        cfgr.set_cont(true);
        cfgr.set_dmaen(Dmaen::ENABLE);
        cfgr.set_dmacfg(Dmacfg::CIRCULAR);
        cfgr.set_ovrmod(Ovrmod::OVERWRITE);
        cfgr.set_jqdis(true);
    });
    start_ring();
    ADC1.cr().modify(|cr| cr.set_adstart(true));
}

fn sequence() {
    let [a, b, c, d, e, f, g, h, i, j] = CHANNELS;
    ADC1.sqr1().write_value({
        let mut sqr1 = Sqr1(0);
        sqr1.set_l(INPUTS as u8 - 1);
        sqr1.set_sq(0, a);
        sqr1.set_sq(1, b);
        sqr1.set_sq(2, c);
        sqr1.set_sq(3, d);
        sqr1
    });
    ADC1.sqr2().write_value({
        let mut sqr2 = Sqr2(0);
        sqr2.set_sq(0, e);
        sqr2.set_sq(1, f);
        sqr2.set_sq(2, g);
        sqr2.set_sq(3, h);
        sqr2.set_sq(4, i);
        sqr2
    });
    ADC1.sqr3().write_value({
        let mut sqr3 = Sqr3(0);
        sqr3.set_sq(0, j);
        sqr3
    });
    // All the same: three bits a channel, ten and nine of them.
    let every = |channels: u32| {
        (0..channels).fold(0, |bits, channel| {
            bits | u32::from(SampleTime::CYCLES247_5.to_bits()) << (3 * channel)
        })
    };
    ADC1.smpr().write_value(Smpr(every(10)));
    ADC1.smpr2().write_value(Smpr2(every(9)));
}

fn start_ring() {
    let ring = DMA1.ch(RING);
    ring.cr().write_value(Channel(0));
    DMAMUX1.ccr(RING).write(|mux| mux.set_dmareq_id(REQUEST));
    ring.par().write_value(ADC1.dr().as_ptr() as u32);
    ring.mar().write_value(READINGS.0.get() as u32);
    ring.ndtr()
        .write(|left| left.set_ndt((INPUTS * SCANS) as u16));
    DMA1.ifcr().write_value(Isr(RING_FLAGS));
    ring.cr().write(|cr| {
        cr.set_minc(true);
        cr.set_circ(true);
        cr.set_psize(Size::BITS16);
        cr.set_msize(Size::BITS16);
        cr.set_en(true);
    });
}
