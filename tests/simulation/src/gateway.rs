//! A gateway's lives: started on what its disk holds, killed, cut from the power, ended in order; the works are the real ones.

use crate::broker::{Broker, Connecting, Look};
use crate::dice::Dice;
use crate::liar::Liar;
use crate::mutant::Mutant;
use crate::plant::Plant;
use crate::weather::Weather;
use crate::witness::Witness;
use davy_alarm::WallMs;
use davy_config::site::Site;
use davy_gateway::clock::{Clock, Hand};
use davy_gateway::journal::faulty::FaultyDisk;
use davy_gateway::journal::{Disk, Journal, Restored};
use davy_gateway::uplink::{Dial, Line, Numbers};
use davy_gateway::works::{Outside, Part, Works};
use davy_wire::{Ack, DataType, Metric, Payload, Value, name};
use futures_util::StreamExt as _;
use rumqttc::AsyncClient;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const TEXT: &str = include_str!("site.toml");
/// 2026-01-01 in UTC milliseconds.
pub(crate) const EPOCH: WallMs = WallMs(1_767_225_600_000);

/// The world around a gateway.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    pub(crate) broker: Broker,
    pub(crate) mutant: Option<Mutant>,
}

pub(crate) struct Gateway {
    pub(crate) name: String,
    pub(crate) site: Arc<Site>,
    pub(crate) plant: Plant,
    pub(crate) hand: &'static Hand,
    pub(crate) disk: FaultyDisk,
    pub(crate) witness: Witness,
    pub(crate) alive: Option<Alive>,
    /// When it is started again.
    pub(crate) due: Option<Instant>,
    around: Around,
    numbers: Arc<Mutex<u8>>,
    stalled: Arc<Mutex<Option<Instant>>>,
}

/// One life.
pub(crate) struct Alive {
    pub(crate) works: Works,
    pub(crate) journal: Journal,
    pub(crate) since: Instant,
    /// All batches below it are in the city, as the gateway believes.
    pub(crate) settled: u64,
    /// Since when a relay has differed from what is asked of it.
    pub(crate) disagrees: Option<Instant>,
    writer: JoinHandle<()>,
}

impl Gateway {
    /// A gateway that was never started.
    pub(crate) fn new(number: usize, around: Around) -> Self {
        let name = format!("plant-{number}");
        let dice = around.dice.of(&name);
        let around = Around { dice, ..around };
        // One clock a gateway and run: so few that nobody misses their memory.
        let hand: &'static Hand = Box::leak(Box::new(Hand::new(EPOCH)));
        let plant = Plant::new(around.dice.of("plant"), around.weather.clone(), hand);
        Self {
            site: Arc::new(site(&name, &around.dice)),
            plant,
            hand,
            disk: FaultyDisk::new(around.dice.any()),
            witness: Witness::default(),
            alive: None,
            due: None,
            numbers: Arc::default(),
            stalled: Arc::default(),
            around,
            name,
        }
    }

    /// The name of its client at the broker.
    pub(crate) fn client(&self) -> String {
        format!("davy-330282-{}", self.name)
    }

    /// Starts it; answers what the journal remembered.
    pub(crate) fn start(&mut self) -> Restored {
        let clock = Clock::by(self.hand);
        let (dice, stalled) = (self.around.dice.of("disk"), self.stalled.clone());
        let pause = move || {
            let stalled = *stalled.lock().unwrap_or_else(PoisonError::into_inner);
            let left = stalled.map(|until| until.saturating_duration_since(Instant::now()));
            left.unwrap_or_default() + dice.ms(1, 8)
        };
        let stream = self.around.dice.any() | 1;
        let disk: Arc<dyn Disk> = match self.around.mutant {
            Some(Mutant::DiskLies) => Arc::new(Liar(self.disk.clone())),
            _ => Arc::new(self.disk.clone()),
        };
        let (journal, restored, writer) = Journal::as_task(disk, &self.site, clock, stream, pause);
        let writer = tokio::spawn(writer);
        let told = Restored {
            alarms: restored.alarms.clone(),
            outputs: restored.outputs.clone(),
            ..restored
        };
        let outside = Outside {
            lines: self.plant.lines(),
            line: self.line(&journal),
        };
        self.plant.forget_runs();
        let pipeline = Handle::current();
        let works = Works::start(&self.site, clock, (&journal, restored), outside, &pipeline);
        self.alive = Some(Alive {
            works,
            settled: journal.stats().acknowledged_offset,
            journal,
            since: Instant::now(),
            disagrees: None,
            writer,
        });
        told
    }

    /// The process is gone from one instant to the next.
    pub(crate) async fn die(&mut self) {
        let Some(alive) = self.alive.take() else {
            return;
        };
        let Works {
            acquiring,
            judging,
            publishing,
            ..
        } = &alive.works;
        alive.writer.abort();
        for tasks in [&acquiring.1.tasks, &judging.1, &publishing.1] {
            tasks.iter().for_each(|(_, task)| task.abort());
        }
        let _cancelled = alive.writer.await;
        for tasks in [
            alive.works.acquiring.1.tasks,
            alive.works.judging.1,
            alive.works.publishing.1,
        ] {
            for (_, task) in tasks {
                let _cancelled = task.await;
            }
        }
    }

    /// It ends as it does on SIGTERM.
    pub(crate) async fn end(&mut self) {
        let Some(alive) = self.alive.take() else {
            return;
        };
        let (token, acquisition) = alive.works.acquiring;
        ended((token, acquisition.tasks)).await;
        ended(alive.works.judging).await;
        let _in_time = alive.journal.close(Duration::from_secs(4)).await;
        alive.writer.abort();
        ended(alive.works.publishing).await;
    }

    pub(crate) fn disk_stalls(&self, for_time: Duration) {
        let until = Some(Instant::now() + for_time);
        *self.stalled.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    pub(crate) fn disk_heals(&self) {
        self.disk.breaks(None);
        self.disk.quota(None);
        self.disk.fail_syncs(0);
        *self.stalled.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn line(&self, journal: &Journal) -> Line {
        let numbers = self.numbers.clone();
        let next = move || {
            let mut number = numbers.lock().unwrap_or_else(PoisonError::into_inner);
            *number = number.wrapping_add(1);
            *number
        };
        let spread = self.around.dice.of("spread");
        Line {
            numbers: Numbers::Given(Box::new(next)),
            dial: dial(self.around.broker.clone(), self.look(journal)),
            spread: Arc::new(move || spread.share()),
        }
    }

    /// What a mutant does where the gateway publishes.
    fn look(&self, journal: &Journal) -> Option<Look> {
        let mutant = self.around.mutant?;
        let (journal, broker) = (journal.clone(), self.around.broker.clone());
        let topic = format!("spBv1.0/330282/NCMD/{}", self.name);
        Some(Arc::new(move |publish| {
            let payload = Payload::from_bytes(&publish.payload).ok();
            let offset = payload
                .as_ref()
                .and_then(|payload| payload.metric(name::OFFSET));
            let offset = offset.and_then(|offset| offset.value(Some(DataType::UInt64 as u32)));
            let Some(offset) = offset.and_then(|offset| offset.as_u64()) else {
                return;
            };
            match mutant {
                Mutant::ForgetsWhatItPublishes => {
                    journal.acknowledge(&[offset..=offset]);
                }
                Mutant::AcknowledgesBeforeCommit => {
                    broker.publish(&topic, acknowledgement(journal.stream(), offset));
                }
                _ => {}
            }
        }))
    }
}

fn acknowledgement(stream: u64, offset: u64) -> Vec<u8> {
    let text = Value::Text(Ack::of(stream, &[offset]).to_string());
    let metric = Metric::named(name::ACK, DataType::Text, Some(text));
    Payload {
        timestamp: Some(1),
        metrics: vec![metric],
        seq: None,
    }
    .to_bytes()
}

async fn ended((token, tasks): Part) {
    token.cancel();
    for (_, task) in tasks {
        let abort = task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(4), task)
            .await
            .is_err()
        {
            abort.abort();
        }
    }
}

fn dial(broker: Broker, look: Option<Look>) -> Dial {
    Arc::new(move |options, queue| {
        let (sender, requests) = flume::bounded(queue);
        let events = broker.connect(Connecting {
            name: options.client_id(),
            will: options.last_will(),
            requests,
            look: look.clone(),
        });
        let events = futures_util::stream::unfold(events, |mut events| async move {
            let event = events.recv().await?;
            Some((event, events))
        });
        (AsyncClient::from_senders(sender), events.boxed())
    })
}

fn site(name: &str, dice: &Dice) -> Site {
    let period_ms = [2000, 5000, 10_000][dice.below(3) as usize];
    let window = [1, 4, 32][dice.below(3) as usize];
    let text = TEXT
        .replace("\"NAME\"", &format!("\"{name}\""))
        .replace("PERIOD", &period_ms.to_string())
        .replace("WINDOW", &window.to_string());
    let loaded = davy_config::parse("site.toml", &text, Path::new("."));
    let mut site = loaded
        .expect("the site file of the simulation is valid")
        .site;
    // Small enough that a long outage fills it.
    site.journal.max_bytes = [60_000, 400_000, 4_000_000][dice.below(3) as usize];
    site.journal.alarm_reserve_bytes = site.journal.max_bytes / 4;
    site
}
