//! What the gateways measure: sites of 16 to 1,000 points, every point once in each batch of its gateway.

pub(crate) const GATEWAYS: u64 = 12;
/// Of one gateway; they repeat.
const POINTS: [u64; 6] = [16, 40, 100, 200, 500, 1_000];
/// The times of the readings begin so long ago, so that the hours of most are over and are sealed while others come in.
pub(crate) const AGO_MS: u64 = 86_400_000;
/// Between two batches of a gateway.
const EVERY_MS: u64 = 5_000;
/// The aliases of points begin here.
const FIRST_ALIAS: u64 = 2;

/// Points of a gateway, each in all of its batches.
pub(crate) fn points(gateway: u64) -> u64 {
    POINTS[(gateway % POINTS.len() as u64) as usize]
}

/// Readings of the first so many batches.
pub(crate) fn readings(batches: u64) -> u64 {
    (0..batches).map(|batch| points(batch % GATEWAYS)).sum()
}

/// A batch on the wire, written by hand: the gateways shall not take the processor from who is measured.
pub(crate) fn batch(gateway: u64, offset: u64, begin_ms: u64) -> Vec<u8> {
    let time_ms = time_ms(gateway, offset, begin_ms);
    let mut bytes = vec![0x08];
    varint(&mut bytes, time_ms);
    let mut metric = vec![0x10, 1, 0x58];
    varint(&mut metric, offset);
    nested(&mut bytes, &metric);
    for point in 0..points(gateway) {
        metric.clear();
        metric.push(0x10);
        varint(&mut metric, FIRST_ALIAS + point);
        metric.push(0x18);
        varint(&mut metric, time_ms);
        metric.push(0x69);
        metric.extend(value(gateway, point, offset).to_le_bytes());
        nested(&mut bytes, &metric);
    }
    bytes
}

/// The same readings in InfluxDB's line protocol, as our own engine writes them.
#[allow(dead_code, reason = "for Telegraf")]
pub(crate) fn lines(gateway: u64, offset: u64, begin_ms: u64) -> Vec<u8> {
    let time_ms = time_ms(gateway, offset, begin_ms);
    let line = |point| {
        let value = value(gateway, point, offset);
        format!(
            "reading,point=P-{point},site=site-{gateway} good=1i,value={value:?} {time_ms}000000\n"
        )
    };
    (0..points(gateway))
        .map(line)
        .collect::<String>()
        .into_bytes()
}

/// A poll jitters by some milliseconds.
fn time_ms(gateway: u64, offset: u64, begin_ms: u64) -> u64 {
    begin_ms + offset * EVERY_MS + noise(offset ^ gateway << 32) % 8
}

/// Of four points one is a state that seldom changes, two are slow, and one is a detector of 12 bits with noise of some counts.
fn value(gateway: u64, point: u64, offset: u64) -> f64 {
    let own = noise(gateway << 16 | point);
    match point % 4 {
        0 => ((offset + own % 997) / 500 % 2) as f64,
        1 | 2 => (own % 900 + (offset + own % 97) / 40 % 30) as f64 / 10.0,
        _ => {
            let counts = own % 3_000 + noise(own ^ offset) % 7;
            (counts as f64 / 4_095.0 * 10_000.0).round() / 100.0
        }
    }
}

/// The same for the same number.
fn noise(of: u64) -> u64 {
    let mixed = (of ^ of >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

/// A metric of a payload.
fn nested(bytes: &mut Vec<u8>, metric: &[u8]) {
    bytes.push(0x12);
    varint(bytes, metric.len() as u64);
    bytes.extend_from_slice(metric);
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
