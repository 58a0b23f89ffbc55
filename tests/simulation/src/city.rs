//! The city: one database and one history, and collectors that die in the middle of a commit and are started again.

use crate::broker::{Broker, Connecting};
use crate::chronicle::Chronicle;
use crate::dice::Dice;
use crate::doom::{Doom, Shelf};
use crate::gateway::EPOCH;
use crate::mutant::Mutant;
use crate::weather::Weather;
use anyhow::Result;
use davy_cloud::api::Health;
use davy_cloud::collector::{self, Connection, Dial, Means};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::live::Live;
use davy_cloud::order::{self, Courier, Order};
use davy_cloud::records::Records;
use davy_cloud::records::memory::Database;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rumqttc::{AsyncClient, ConnectionError, Event, LastWill, QoS, Request};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Lines older than this are late.
const LATE_AFTER_MS: i64 = 60_000;

thread_local! {
    /// When the city's clock said [`EPOCH`].
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The city's clock: right, and the same for all.
fn now_ms() -> i64 {
    let began = BEGAN.get().unwrap_or_else(Instant::now);
    EPOCH.0 + i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}

pub(crate) struct City {
    pub(crate) database: Database,
    pub(crate) history: Arc<Embedded>,
    pub(crate) collectors: Vec<Collector>,
    dice: Dice,
    weather: Weather,
    broker: Broker,
    chronicle: Chronicle,
    share: Option<&'static str>,
    mutant: Option<Mutant>,
    orders: u64,
    _folder: TempDir,
}

/// One replica, alive or not.
pub(crate) struct Collector {
    pub(crate) name: String,
    life: Option<Life>,
    /// When it is started again.
    due: Instant,
}

struct Life {
    doom: Arc<Doom>,
    records: Records,
    courier: Arc<dyn Courier>,
    tasks: Vec<JoinHandle<Result<()>>>,
}

impl City {
    pub(crate) async fn found(
        dice: Dice,
        weather: Weather,
        broker: Broker,
        chronicle: Chronicle,
        mutant: Option<Mutant>,
    ) -> Result<Self> {
        BEGAN.set(Some(Instant::now()));
        let folder = folder()?;
        let count = dice.between(1, 3);
        let is_alone = count == 1 && dice.one_in(2);
        let collector = |number| Collector {
            name: format!("collector-{number}"),
            life: None,
            due: Instant::now(),
        };
        Ok(Self {
            database: Database::make(now_ms()).await?,
            history: Arc::new(Embedded::open(folder.path().to_owned())?),
            collectors: (0..count).map(collector).collect(),
            share: (!is_alone).then_some("davy"),
            dice,
            weather,
            broker,
            chronicle,
            mutant,
            orders: 0,
            _folder: folder,
        })
    }

    /// Buries the dead, and starts those whose time has come.
    pub(crate) async fn turn(&mut self) -> Result<()> {
        for place in 0..self.collectors.len() {
            let is_dead =
                (self.collectors[place].life.as_ref()).is_some_and(|life| life.doom.is_dead());
            if is_dead {
                self.kill(place).await;
            }
        }
        for place in 0..self.collectors.len() {
            let collector = &self.collectors[place];
            if collector.life.is_none() && collector.due <= Instant::now() {
                self.start(place).await?;
            }
        }
        Ok(())
    }

    /// Nobody waits with starting.
    pub(crate) fn heal(&mut self) {
        for collector in &mut self.collectors {
            collector.due = Instant::now();
        }
    }

    /// A person in the city asks something of an alarm, through one of the collectors; answers the order's name.
    pub(crate) fn order(&mut self, make: impl FnOnce(String) -> Order) -> Option<String> {
        let alive: Vec<_> = self
            .collectors
            .iter()
            .filter_map(|one| one.life.as_ref())
            .collect();
        let life = self.dice.one_of(&alive)?;
        let id = format!("order-{}", self.orders);
        let order = make(id.clone());
        let (records, courier) = (life.records.clone(), life.courier.clone());
        // Whoever placed it may die with the collector.
        tokio::spawn(async move { order::place(&records, &*courier, order, now_ms).await });
        self.orders += 1;
        Some(id)
    }

    /// A life ends in the middle of whatever it does.
    async fn kill(&mut self, place: usize) {
        let Some(life) = self.collectors[place].life.take() else {
            return;
        };
        self.chronicle
            .tell("collector dies", self.collectors[place].name.as_bytes());
        life.doom.kill();
        life.tasks.iter().for_each(JoinHandle::abort);
        for task in life.tasks {
            let _cancelled = task.await;
        }
        self.collectors[place].due = Instant::now() + self.dice.ms(500, 90_000);
    }

    async fn start(&mut self, place: usize) -> Result<()> {
        let name = self.collectors[place].name.clone();
        let doom = Arc::new(Doom::new(self.dice.of(&name), self.weather.clone()));
        // A new life throws new dice.
        self.dice = self.dice.of("next");
        let records = self.database.records(doom.clone());
        let means = Means {
            records: records.clone(),
            live: Live::default(),
            health: Health::default(),
            ending: CancellationToken::new(),
            clock: now_ms,
        };
        let history = Arc::new(Shelf {
            history: self.history.clone(),
            doom: doom.clone(),
            mutant: self.mutant,
        });
        let dial = dial(self.broker.clone(), name.clone());
        let assembled =
            collector::assemble_on(dial, (&name, self.share), LATE_AFTER_MS, &means, history);
        // It may die while it starts, or find its store failing: then it is tried again.
        let assembled = tokio::time::timeout(Duration::from_secs(1), assembled).await;
        let Ok(Ok(assembled)) = assembled else {
            doom.kill();
            self.collectors[place].due = Instant::now() + Duration::from_secs(1);
            return Ok(());
        };
        self.chronicle.tell("collector starts", name.as_bytes());
        self.collectors[place].life = Some(Life {
            doom,
            records,
            courier: assembled.courier,
            tasks: (assembled.tasks.into_iter())
                .map(|task| tokio::spawn(task.run))
                .collect(),
        });
        Ok(())
    }
}

/// In memory where the machine has such a place: a sync to a real disk proves nothing here.
fn folder() -> Result<TempDir> {
    let memory = PathBuf::from("/dev/shm");
    Ok(if memory.is_dir() {
        TempDir::new_in(memory)?
    } else {
        TempDir::new()?
    })
}

fn dial(broker: Broker, name: String) -> Dial {
    Arc::new(move |queue| {
        let (sender, requests) = flume::bounded(queue);
        let line = Line {
            broker: broker.clone(),
            name: name.clone(),
            requests,
            will: None,
            events: None,
        };
        (AsyncClient::from_senders(sender), Box::new(line))
    })
}

/// A collector's connection, made again after each loss.
struct Line {
    broker: Broker,
    name: String,
    requests: flume::Receiver<Request>,
    will: Option<LastWill>,
    events: Option<mpsc::UnboundedReceiver<Result<Event, ConnectionError>>>,
}

impl Connection for Line {
    fn set_will(&mut self, topic: String, payload: Vec<u8>) {
        self.will = Some(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
    }

    fn poll(&mut self) -> BoxFuture<'_, Result<Event, String>> {
        async move {
            let (broker, connecting) = (&self.broker, || Connecting {
                name: self.name.clone(),
                will: self.will.clone(),
                requests: self.requests.clone(),
                look: None,
            });
            let events = self
                .events
                .get_or_insert_with(|| broker.connect(connecting()));
            match events.recv().await {
                Some(Ok(event)) => Ok(event),
                Some(Err(error)) => {
                    self.events = None;
                    Err(error.to_string())
                }
                None => {
                    self.events = None;
                    Err("the connection is gone".to_owned())
                }
            }
        }
        .boxed()
    }
}
