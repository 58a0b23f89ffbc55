//! What must hold after every step, and what must hold of all that is stored.

use crate::city::City;
use crate::doom::wait;
use crate::gateway::{Alive, Gateway};
use crate::ledger::Owed;
use crate::plant::Run;
use crate::witness::Line;
use davy_alarm::Reading;
use davy_cloud::history::History as _;
use davy_cloud::records::memory::Cell;
use davy_gateway::journal::{Batch, Record, Restored};
use davy_gateway::live::{AlarmNow, Picture};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Judgement turns within this.
const TURNS_WITHIN: Duration = Duration::from_secs(5);
/// A device that did not answer is asked again at longest so much later; then its relays follow at once.
const PROBED_WITHIN: Duration = Duration::from_secs(90);
/// Batches read again after a start.
const READ_AGAIN: usize = 64;
/// Readings of one question to the history.
const PAGE: usize = 50_000;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken(String);

impl Broken {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    pub(crate) fn of(gateway: &Gateway, what: impl std::fmt::Display) -> Self {
        Self(format!("{}: {what}", gateway.name))
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(format!("a store cannot be examined: {error}"))
    }
}

/// What a start found: nothing that was on disk is gone or another one, and every alarm stands as its last durable transition left it.
pub(crate) async fn restored(gateway: &mut Gateway, restored: &Restored) -> Result<(), Broken> {
    let Some(alive) = &gateway.alive else {
        return Ok(());
    };
    let (stream, next) = (alive.journal.stream(), alive.journal.stats().next_offset);
    if gateway.witness.batches() == 0 {
        gateway.witness.stream = Some(stream);
    }
    gateway.witness.ends_at(next);
    if gateway.witness.stream != Some(stream) || next < gateway.witness.next {
        let what = format!(
            "after a start the journal ends at {next} of stream {stream:x}, and {:?} were on disk at {}",
            gateway.witness.stream, gateway.witness.next
        );
        return Err(Broken::of(gateway, what));
    }
    read_again(gateway).await?;
    witness(gateway).await?;
    stands(gateway, restored)
}

/// The newest of what was on disk is still there, and the same.
async fn read_again(gateway: &mut Gateway) -> Result<(), Broken> {
    let Some(alive) = &gateway.alive else {
        return Ok(());
    };
    let newest = gateway.witness.unsettled.iter().rev();
    let open: Vec<u64> = newest.take(READ_AGAIN).copied().collect();
    for offset in open {
        match alive.journal.batch(offset).await {
            Some(batch) => gateway
                .witness
                .sees(&batch)
                .map_err(|what| Broken(format!("{}: {what}", gateway.name)))?,
            // It may have been committed, and the cursor was not yet on disk when it was told.
            None if alive.journal.next_unacknowledged(offset) != Some(offset) => {}
            None => {
                gateway.witness.unread.insert(offset);
            }
        }
    }
    Ok(())
}

fn stands(gateway: &Gateway, restored: &Restored) -> Result<(), Broken> {
    let (witness, site) = (&gateway.witness, &gateway.site);
    if restored.next_seq <= witness.newest_seq() {
        let what = format!(
            "the next transition is {}, and {} is on disk",
            restored.next_seq,
            witness.newest_seq()
        );
        return Err(Broken::of(gateway, what));
    }
    if witness.has_holes() {
        return Ok(());
    }
    for (place, (saved, _)) in restored.alarms.iter().enumerate() {
        let id = &site.alarms[place].id;
        if *saved != witness.saved(id) {
            let what = format!(
                "{id} is restored as {saved:?}, and its last durable state was {:?}",
                witness.saved(id)
            );
            return Err(Broken::of(gateway, what));
        }
    }
    for (place, output) in restored.outputs.iter().enumerate() {
        let id = &*site.outputs[place].id;
        let was = witness.outputs.get(id).copied().unwrap_or_default();
        if output.on != was {
            let what = format!("{id} is restored as {}, and was {was}", output.on);
            return Err(Broken::of(gateway, what));
        }
    }
    Ok(())
}

/// After every step.
pub(crate) async fn look(gateway: &mut Gateway, city: &City) -> Result<(), Broken> {
    // One that was started at this very instant has not had its first turn.
    let has_turned = |alive: &Alive| alive.since < Instant::now();
    if !gateway.alive.as_ref().is_some_and(has_turned) {
        return Ok(());
    }
    witness(gateway).await?;
    settled(gateway, city).await?;
    let Some(alive) = &mut gateway.alive else {
        return Ok(());
    };
    let picture = alive.works.live.picture();
    let checked = bounds(alive)
        .and_then(|()| gateway.births.broken())
        .and_then(|()| annunciates(&gateway.site, &picture))
        .and_then(|()| alarms_follow(alive, &gateway.plant.runs(), &gateway.site, &picture))
        .and_then(|()| demand_follows(alive, &gateway.site, &picture))
        .and_then(|()| {
            relays_follow(alive, gateway.plant.is_well(), |coil| {
                gateway.plant.coil(coil)
            })
        });
    checked.map_err(|what| Broken::of(gateway, what))
}

/// More batches than any step makes, whatever the disk did.
const LEAP: u64 = 1_000_000;

/// What has come to be on disk since the last look; each of its readings is true.
async fn witness(gateway: &mut Gateway) -> Result<(), Broken> {
    let Some(alive) = &gateway.alive else {
        return Ok(());
    };
    let next = *alive.journal.synced().borrow();
    if next.saturating_sub(gateway.witness.next) > LEAP {
        let what = format!("the journal leaps from {} to {next}", gateway.witness.next);
        return Err(Broken::of(gateway, what));
    }
    for offset in gateway.witness.next..next {
        let Some(batch) = alive.journal.batch(offset).await else {
            gateway.witness.unread.insert(offset);
            continue;
        };
        is_true(gateway, &batch)?;
        gateway
            .witness
            .sees(&batch)
            .map_err(|what| Broken(format!("{}: {what}", gateway.name)))?;
    }
    gateway.witness.next = gateway.witness.next.max(next);
    Ok(())
}

fn is_true(gateway: &Gateway, batch: &Batch) -> Result<(), Broken> {
    for record in &batch.records {
        if let Record::Reading { point, reading } = record {
            let id = &batch.names.points[*point as usize];
            let held = gateway.plant.with_truth(|truth| truth.holds(id, reading));
            held.map_err(|what| Broken::of(gateway, what))?;
        }
    }
    Ok(())
}

/// What gave way to the disk is told as lost within this, if it can still be had from memory: by a journal that can write.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// What the gateway believes to be in the city is committed there, or told as lost soon after: of what neither holds for, and cannot be read any more,
/// `accounted` asks.
async fn settled(gateway: &mut Gateway, city: &City) -> Result<(), Broken> {
    let Some(alive) = &mut gateway.alive else {
        return Ok(());
    };
    let now = alive.journal.stats().acknowledged_offset;
    let before = alive.settled;
    alive.settled = now.max(before);
    let instant = Instant::now();
    let doubted: Vec<(u64, Instant)> = std::mem::take(&mut alive.doubted)
        .into_iter()
        .chain((before..now).map(|offset| (offset, instant)))
        .collect();
    if doubted.is_empty() {
        return Ok(());
    }
    let committed = committed(city, &gateway.name).await?;
    for (offset, since) in doubted {
        let is_committed = committed
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&offset));
        let is_lost = gateway.witness.is_lost(offset);
        match gateway.witness.has_seen(offset) {
            true if is_committed => {
                gateway.witness.unsettled.remove(&offset);
            }
            true if !is_lost && alive.journal.batch(offset).await.is_some() => {
                if instant.duration_since(since) > TOLD_WITHIN {
                    let what = format!(
                        "batch {offset} counts as acknowledged, and the city has not committed it"
                    );
                    return Err(Broken::of(gateway, what));
                }
                alive.doubted.push((offset, since));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn committed(city: &City, site: &str) -> Result<Vec<(u64, u64)>, Broken> {
    let sql = format!("SELECT first, last FROM offsets WHERE site = '{site}'");
    let rows = city.database.examine(&sql).await?;
    Ok(rows
        .iter()
        .map(|row| (whole(&row[0]), whole(&row[1])))
        .collect())
}

fn bounds(alive: &Alive) -> Result<(), String> {
    let stats = alive.journal.stats();
    if stats.bytes > stats.max_bytes {
        return Err(format!(
            "the journal takes {} of {} bytes",
            stats.bytes, stats.max_bytes
        ));
    }
    let age = alive.works.pulse.age();
    if age > TURNS_WITHIN {
        return Err(format!("judgement has not turned for {age:?}"));
    }
    Ok(())
}

/// An active alarm that nobody acknowledged, shelved or suppressed is annunciated, and then the horn sounds unless somebody silenced it.
fn annunciates(site: &davy_config::site::Site, picture: &Picture) -> Result<(), String> {
    let stands = |alarm: &&AlarmNow| {
        alarm.active
            && !alarm.acknowledged
            && !alarm.shelved
            && !alarm.suppressed_by_design
            && !alarm.out_of_service
    };
    for alarm in picture.alarms.iter().filter(stands) {
        let id = &site.alarms[alarm.alarm.0].id;
        if !alarm.shown.is_annunciated() {
            return Err(format!("{id} is active and shown as {:?}", alarm.shown));
        }
        if !picture.horn.sounding && !picture.horn.silenced {
            return Err(format!(
                "{id} is active, and the horn is still: {alarm:?}, {:?}",
                picture.horn
            ));
        }
    }
    Ok(())
}

/// What the plant showed for long enough, and without a fault between, is an alarm; what it ceased to show is none.
fn alarms_follow(
    alive: &Alive,
    runs: &crate::plant::Runs,
    site: &davy_config::site::Site,
    picture: &Picture,
) -> Result<(), String> {
    let now = Instant::now();
    let held = |run: Option<Run>, delay_s: u64| {
        run.is_some_and(|run| {
            run.answers >= 2
                && run.latest - run.since >= Duration::from_secs(delay_s)
                // Judgement has had the last answer.
                && now > run.latest + Duration::from_millis(50)
                && run.since > alive.since
        })
    };
    let is_active = |id: &str| {
        let place = site.alarms.iter().position(|alarm| alarm.id == id);
        place.is_some_and(|place| picture.alarms[place].active)
    };
    let is_in_service = |id: &str| {
        let place = site.alarms.iter().position(|alarm| alarm.id == id);
        place.is_some_and(|place| !picture.alarms[place].out_of_service)
    };
    let wanted = [
        ("GT-1.HH", held(runs.gas_above, 2), true),
        ("GT-1.H", held(runs.gas_above, 2), true),
        ("GT-1.HH", held(runs.gas_below, 7), false),
        ("XS-1.ON", held(runs.spark, 1), true),
    ];
    for (id, is_held, active) in wanted {
        if is_held && is_in_service(id) && is_active(id) != active {
            return Err(format!(
                "{id} is active: {}, and the plant shows the contrary: {runs:?} at {now:?}",
                !active
            ));
        }
    }
    Ok(())
}

/// The demand of outputs is that of their alarms, whatever disk and network do.
fn demand_follows(
    alive: &Alive,
    site: &davy_config::site::Site,
    picture: &Picture,
) -> Result<(), String> {
    let demanded = alive.works.demanded.borrow().on.clone();
    for effect in &site.effects {
        for cause in &effect.causes {
            let alarm = &picture.alarms[cause.0];
            if !alarm.active || alarm.shelved || alarm.out_of_service || alarm.suppressed_by_design
            {
                continue;
            }
            for output in &effect.outputs {
                if !demanded[output.0] {
                    let (alarm, output) = (&site.alarms[cause.0].id, &site.outputs[output.0].id);
                    return Err(format!("{alarm} is active, and {output} is not demanded"));
                }
            }
        }
    }
    Ok(())
}

/// Relays do what is demanded as long as they can be reached.
fn relays_follow(
    alive: &mut Alive,
    is_well: bool,
    coil: impl Fn(usize) -> bool,
) -> Result<(), String> {
    let demanded = alive.works.demanded.borrow().on.clone();
    let agrees = demanded
        .iter()
        .enumerate()
        .all(|(place, on)| coil(place) == *on);
    if agrees || !is_well {
        alive.disagrees = None;
        return Ok(());
    }
    let since = *alive.disagrees.get_or_insert_with(Instant::now);
    if since.elapsed() > PROBED_WITHIN {
        return Err(format!(
            "relays have not followed {demanded:?} for {:?}",
            since.elapsed()
        ));
    }
    Ok(())
}

/// At the end: the births that the city has are those of the site file in force.
pub(crate) fn born(gateways: &[Gateway]) -> Result<(), Broken> {
    for gateway in gateways {
        let born = gateway.births.are_of(&gateway.site);
        born.map_err(|what| Broken::of(gateway, what))?;
    }
    Ok(())
}

/// All that is stored, against all that was seen. `at_end`: everything that is not lost must be there.
pub(crate) async fn compare(
    gateways: &mut [Gateway],
    city: &City,
    at_end: bool,
) -> Result<(), Broken> {
    let aside = city
        .database
        .examine("SELECT why, topic FROM quarantine")
        .await?;
    if let Some(row) = aside.first() {
        return Err(Broken(format!("a good message is in quarantine: {row:?}")));
    }
    for gateway in &mut *gateways {
        if gateway.alive.is_some() {
            witness(gateway).await?;
            readings(gateway, city, at_end)?;
            transitions(gateway, city, at_end).await?;
        }
        if at_end {
            accounted(gateway, city).await?;
        }
    }
    let verdict = city
        .database
        .records(std::sync::Arc::new(Kind))
        .verify_audit()
        .await?;
    if let Some(fault) = verdict.fault {
        return Err(Broken(format!("the audit log does not verify: {fault:?}")));
    }
    Ok(())
}

struct Kind;

impl davy_cloud::records::memory::Fate for Kind {
    fn of(&self, _: davy_cloud::records::memory::Moment) -> davy_cloud::records::memory::Fortune {
        davy_cloud::records::memory::Fortune::Good
    }
}

/// Whether the city must have this batch by now.
fn owed(gateway: &Gateway, offset: u64, at_end: bool) -> Owed {
    let witness = &gateway.witness;
    let is_on_its_way = || {
        let alive = gateway.alive.as_ref();
        alive.is_some_and(|alive| alive.journal.next_unacknowledged(offset) == Some(offset))
    };
    if witness.is_settled(offset) {
        Owed::Now
    } else if witness.is_lost(offset) {
        Owed::Never
    } else if at_end && !is_on_its_way() {
        Owed::Now
    } else {
        Owed::Later
    }
}

/// What was found before is read again at the end.
fn readings(gateway: &mut Gateway, city: &City, at_end: bool) -> Result<(), Broken> {
    let mut ledgers = std::mem::take(&mut gateway.witness.readings);
    for (point, ledger) in &mut ledgers {
        let Some((from_ms, to_ms)) = ledger.span(at_end) else {
            continue;
        };
        let stored = stored(city, &gateway.name, point, from_ms, to_ms)?;
        let compared = ledger.compare(&stored, (from_ms, to_ms), |offset| {
            owed(gateway, offset, at_end)
        });
        compared.map_err(|what| Broken::of(gateway, format!("{point}: {what}")))?;
    }
    gateway.witness.readings = ledgers;
    Ok(())
}

fn stored(
    city: &City,
    site: &str,
    point: &str,
    from_ms: i64,
    to_ms: i64,
) -> Result<BTreeMap<i64, Reading>, Broken> {
    let mut found = BTreeMap::new();
    let mut from_ms = from_ms;
    loop {
        let page = wait(city.history.readings(site, point, from_ms, to_ms, PAGE))?;
        let last = page.last().map(|reading| reading.source_time().0);
        let is_last = page.len() < PAGE;
        for reading in page {
            if found.insert(reading.source_time().0, reading).is_some() {
                return Err(Broken(format!(
                    "{site}: {point} is twice in the city: {reading:?}"
                )));
            }
        }
        match last {
            Some(last) if !is_last => from_ms = last + 1,
            _ => return Ok(found),
        }
    }
}

/// Every transition in the city is one of the journal's, to the bit, and in its place. Those before the first that was missing are read again at the end.
async fn transitions(gateway: &mut Gateway, city: &City, at_end: bool) -> Result<(), Broken> {
    let from = if at_end {
        0
    } else {
        gateway.witness.found_lines
    };
    let sql = format!(
        "SELECT epoch, seq, alarm, occurrence, from_state, to_state, cause, time_ms, actor, command FROM transitions \
         WHERE site = '{}' AND seq >= {from} ORDER BY epoch, seq",
        gateway.name
    );
    let rows = city.database.examine(&sql).await?;
    let mut found = BTreeSet::new();
    for row in &rows {
        let seq = whole(&row[1]);
        let line = gateway.witness.lines.get(&seq);
        let Some(line) = line.filter(|_| whole(&row[0]) == 1) else {
            return Err(Broken::of(
                gateway,
                format!("the city has a transition that no journal ever had: {row:?}"),
            ));
        };
        if expected(line) != row[2..] {
            let what = format!("transition {seq} is {row:?} in the city, and was {line:?}");
            return Err(Broken::of(gateway, what));
        }
        found.insert(seq);
    }
    let missing = (gateway.witness.lines.range(from..))
        .filter(|(seq, _)| !found.contains(*seq))
        .map(|(seq, line)| (*seq, line.offset, owed(gateway, line.offset, at_end)));
    let mut next = gateway.witness.newest_seq() + 1;
    for (seq, offset, owed) in missing {
        match owed {
            Owed::Now => {
                let what = format!("transition {seq} of batch {offset} is not in the city");
                return Err(Broken::of(gateway, what));
            }
            Owed::Later => next = next.min(seq),
            Owed::Never => {}
        }
    }
    gateway.witness.found_lines = next;
    Ok(())
}

fn expected(of: &Line) -> Vec<Cell> {
    let line = &of.transition;
    let text = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
    let actor = line.person.as_ref().map(|person| &*person.actor);
    vec![
        Cell::Text(of.alarm.to_string()),
        Cell::Int(i64::from(line.occurrence)),
        Cell::Int(i64::from(line.from.code())),
        Cell::Int(i64::from(line.to.code())),
        Cell::Int(i64::from(line.cause.code())),
        Cell::Int(line.time.0),
        text(actor),
        text(line.command.as_deref()),
    ]
}

/// At the end: what never could be read is told of as lost, and losses and acts are in the audit log, once each.
async fn accounted(gateway: &Gateway, city: &City) -> Result<(), Broken> {
    let witness = &gateway.witness;
    if let Some(offset) = witness
        .unread
        .iter()
        .find(|offset| !witness.is_lost(**offset))
    {
        let what = format!("batch {offset} is gone from the journal, and no record says so");
        return Err(Broken::of(gateway, what));
    }
    let counts = [
        ("readings-lost", witness.counts.losses),
        ("plant-silence", witness.counts.silenced),
        ("plant-reset", witness.counts.reset),
        ("plant-reload", witness.counts.reloads),
    ];
    for (action, seen) in counts {
        let sql = format!(
            "SELECT COUNT(*) FROM audit WHERE subject = '{}' AND action = '{action}'",
            gateway.name
        );
        let rows = city.database.examine(&sql).await?;
        let told = rows.first().map_or(0, |row| whole(&row[0]));
        if told != seen {
            let what = format!("the audit log tells of {told} {action}, and the journal of {seen}");
            return Err(Broken::of(gateway, what));
        }
    }
    Ok(())
}

pub(crate) fn whole(cell: &Cell) -> u64 {
    match cell {
        Cell::Int(value) => u64::try_from(*value).unwrap_or_default(),
        Cell::Null | Cell::Real(_) | Cell::Text(_) | Cell::Bytes(_) => 0,
    }
}
