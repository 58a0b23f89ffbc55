//! A gateway's lives: started on what its disk holds, killed, cut from the power, ended in order; the works are the real ones.

use crate::births::Births;
use crate::broker::{Broker, Connecting, Look};
use crate::dice::Dice;
use crate::file::File;
use crate::liar::Liar;
use crate::mutant::Mutant;
use crate::plant::Plant;
use crate::weather::Weather;
use crate::witness::Witness;
use davy_alarm::WallMs;
use davy_config::site::Site;
use davy_gateway::clock::{Clock, Hand};
use davy_gateway::journal::faulty::FaultyDisk;
use davy_gateway::journal::{Disk, Journal, Reloaded, Restored};
use davy_gateway::judgement::{Change, Changed};
use davy_gateway::uplink::{Dial, Line, Numbers, Scene};
use davy_gateway::works::{Outside, Part, Works};
use davy_wire::{Ack, DataType, Metric, Payload, Value, name};
use futures_util::StreamExt as _;
use rumqttc::{AsyncClient, Publish};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long buses that a change of the file ends may take.
const GRACE: Duration = Duration::from_secs(4);
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
    pub(crate) births: Births,
    file: File,
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
    /// Of those, what the city has not committed and nobody has told as lost, and since when.
    pub(crate) doubted: Vec<(u64, Instant)>,
    /// Since when a relay has differed from what is asked of it.
    pub(crate) disagrees: Option<Instant>,
    writer: JoinHandle<()>,
}

/// What came of another site file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Over,
    /// It would switch something off.
    Refused,
}

impl Alive {
    async fn judge_by(&self, site: &Arc<Site>, record: Reloaded) -> Option<Changed> {
        let (reply, answer) = oneshot::channel();
        let site = site.clone();
        let change = Change {
            site,
            record,
            reply,
        };
        self.works.changes.send(change).await.ok()?;
        answer.await.ok()?.ok()
    }

    /// Buses and uplink go over to what is judged already.
    async fn follow(&mut self, site: &Arc<Site>, changed: Changed, mutant: Option<Mutant>) {
        let works = &mut self.works;
        let _late = works.acquiring.1.follow(GRACE).await;
        works.desk = works.desk.of(site.clone());
        works.live = changed.live;
        if mutant != Some(Mutant::ReloadsWithoutBirths) {
            works.uplink.follow(Scene {
                site: site.clone(),
                live: works.live.clone(),
                desk: works.desk.clone(),
            });
        }
    }
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
        let file = File::first(&around.dice);
        Self {
            site: file.site(&name),
            births: Births::default(),
            file,
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
            gone: restored.gone.clone(),
            nodes: restored.nodes.clone(),
            ..restored
        };
        let outside = Outside {
            lines: self.plant.lines(),
            line: self.line(&journal),
        };
        self.plant.forget_runs();
        self.births.begin();
        self.births.know(&self.site);
        let pipeline = Handle::current();
        let works = Works::start(&self.site, clock, (&journal, restored), outside, &pipeline);
        self.alive = Some(Alive {
            works,
            settled: journal.stats().acknowledged_offset,
            doubted: Vec::new(),
            journal,
            since: Instant::now(),
            disagrees: None,
            writer,
        });
        told
    }

    /// The site file becomes another one. A running gateway takes it over, or refuses it; one that is down finds it.
    pub(crate) async fn take_over(&mut self) -> Taken {
        let file = self.file.changed(&self.around.dice);
        if self.around.mutant == Some(Mutant::ForgetsAlarmsOnReload) {
            // Not in one step: an alarm is taken out and put in again.
            self.go_over(self.file.without_level_low()).await;
        }
        self.go_over(file).await
    }

    async fn go_over(&mut self, file: File) -> Taken {
        let site = file.site(&self.name);
        self.births.know(&site);
        if let Some(alive) = &mut self.alive {
            let record = Reloaded {
                actor: "wang".into(),
                from: self.site.digest.as_str().into(),
                to: site.digest.as_str().into(),
                changes: "[]".into(),
                time: self.hand.now(),
            };
            match alive.judge_by(&site, record).await {
                Some(changed) => alive.follow(&site, changed, self.around.mutant).await,
                None => return Taken::Refused,
            }
        }
        // What ran of a delay may begin anew.
        self.plant.forget_runs();
        (self.site, self.file) = (site, file);
        Taken::Over
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

    /// Who looks at what the gateway publishes: a mutant does its mischief first.
    fn look(&self, journal: &Journal) -> Look {
        let (births, mutant) = (self.births.clone(), self.mischief(journal));
        Arc::new(move |publish| {
            if let Some(mutant) = &mutant {
                mutant(publish);
            }
            births.sees(publish);
        })
    }

    fn mischief(&self, journal: &Journal) -> Option<Look> {
        let (journal, broker) = (journal.clone(), self.around.broker.clone());
        let topic = format!("spBv1.0/330282/NCMD/{}", self.name);
        let look: Look = match self.around.mutant? {
            Mutant::ForgetsWhatItPublishes => Arc::new(move |publish| {
                if let Some(offset) = offset(publish) {
                    journal.acknowledge(&[offset..=offset]);
                }
            }),
            Mutant::AcknowledgesBeforeCommit => Arc::new(move |publish| {
                if let Some(offset) = offset(publish) {
                    broker.publish(&topic, acknowledgement(journal.stream(), offset));
                }
            }),
            Mutant::OmitsAPointFromBirths => Arc::new(|publish| {
                if let Ok(mut payload) = Payload::from_bytes(&publish.payload)
                    && publish.topic.contains("/DBIRTH/")
                {
                    payload.metrics.pop();
                    publish.payload = payload.to_bytes().into();
                }
            }),
            _ => return None,
        };
        Some(look)
    }
}

/// The batch that a message carries.
fn offset(publish: &Publish) -> Option<u64> {
    let payload = Payload::from_bytes(&publish.payload).ok()?;
    let offset = payload.metric(name::OFFSET)?;
    offset.value(Some(DataType::UInt64 as u32))?.as_u64()
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

fn dial(broker: Broker, look: Look) -> Dial {
    Arc::new(move |options, queue| {
        let (sender, requests) = flume::bounded(queue);
        let events = broker.connect(Connecting {
            name: options.client_id(),
            will: options.last_will(),
            requests,
            look: Some(look.clone()),
        });
        let events = futures_util::stream::unfold(events, |mut events| async move {
            let event = events.recv().await?;
            Some((event, events))
        });
        (AsyncClient::from_senders(sender), events.boxed())
    })
}
