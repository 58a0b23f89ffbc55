//! The world: everything of one seed, turned a step at a time. Each step lets virtual time pass, does what chance asks for, and holds every invariant.

use crate::broker::Broker;
use crate::chronicle::Chronicle;
use crate::city::City;
use crate::dice::Dice;
use crate::gateway::{Around, Gateway, Taken};
use crate::invariants::{self, Broken};
use crate::mutant::Mutant;
use crate::people::People;
use crate::standing::Standing;
use crate::weather::{Climate, Weather};
use anyhow::{Result, anyhow};
use davy_gateway::journal::Restored;
use std::cell::Cell;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long everything may take to come together after all is healed.
const HEALED_WITHIN: Duration = Duration::from_secs(4 * 3600);
/// Between two comparisons of all that is stored.
const COMPARED_EVERY: Duration = Duration::from_secs(3 * 3600);
/// Virtual time of the epilogue's last part, in which nothing may change any more.
const CALM: Duration = Duration::from_secs(120);

/// What a run is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub days: f64,
    pub mutant: Option<Mutant>,
}

/// What a run was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub steps: u64,
    pub events: u64,
    pub hash: String,
    /// Batches that gateways had on disk, readings and transitions in them, and batches told of as lost.
    pub batches: u64,
    pub readings: u64,
    pub transitions: u64,
    pub lost: u64,
    pub restarts: u64,
    /// Site files that were taken over, by running gateways and by such as were down.
    pub reloads: u64,
    /// Faults of links, devices, disks, clocks and processes, and acts of people; those of single messages, answers and calls are not counted.
    pub happened: u64,
}

pub(crate) struct World {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) city: City,
    pub(crate) chronicle: Chronicle,
    dice: Dice,
    weather: Weather,
    broker: Broker,
    broker_due: Option<Instant>,
    people: People,
    mutant: Option<Mutant>,
    steps: u64,
    restarts: u64,
    reloads: u64,
    happened: Cell<u64>,
    compared: Instant,
}

impl World {
    pub(crate) async fn make(plan: &Plan) -> Result<Self> {
        let dice = Dice::new(plan.seed);
        let chronicle = Chronicle::new();
        let weather = Weather::new(Climate::of(&dice.of("climate")));
        let broker = Broker::new(dice.of("broker"), weather.clone(), chronicle.clone());
        let around = Around {
            dice: dice.of("gateways"),
            weather: weather.clone(),
            broker: broker.clone(),
            mutant: plan.mutant,
        };
        let city = City::found(
            dice.of("city"),
            weather.clone(),
            broker.clone(),
            chronicle.clone(),
            plan.mutant,
        )
        .await?;
        let count = usize::try_from(dice.between(1, 3))?;
        Ok(Self {
            gateways: (0..count)
                .map(|number| Gateway::new(number, around.clone()))
                .collect(),
            city,
            people: People::new(dice.of("people")),
            dice: dice.of("world"),
            chronicle,
            weather,
            broker,
            broker_due: None,
            mutant: plan.mutant,
            steps: 0,
            restarts: 0,
            reloads: 0,
            happened: Cell::new(0),
            compared: Instant::now(),
        })
    }

    /// Lives for so many days, heals, and is held against everything.
    ///
    /// # Errors
    /// The first invariant that was broken.
    pub(crate) async fn live(mut self, days: f64) -> Result<Account, Broken> {
        let end = Instant::now() + Duration::from_secs_f64(days * 86_400.0);
        while Instant::now() < end {
            let step = self.dice.between(200, 2000);
            self.step(step).await?;
        }
        self.heal().await?;
        let by = Instant::now() + HEALED_WITHIN;
        while !self.is_delivered() {
            if Instant::now() > by {
                return Err(self.broken("not everything reaches the city after all is healed"));
            }
            self.step(1000).await?;
        }
        let calm = Instant::now() + CALM;
        while Instant::now() < calm {
            self.step(1000).await?;
        }
        invariants::compare(&mut self.gateways, &self.city, true).await?;
        invariants::born(&self.gateways)?;
        self.people.settled(&self.city).await?;
        Ok(self.account())
    }

    /// A step of so many milliseconds.
    async fn step(&mut self, ms: u64) -> Result<(), Broken> {
        self.steps += 1;
        sleep(Duration::from_millis(ms)).await;
        self.misfortunes(ms).await?;
        self.city
            .turn()
            .await
            .map_err(|error| Broken::new(format!("the city does not start: {error:#}")))?;
        self.rise().await?;
        self.acts(ms).await;
        self.change_files(ms).await?;
        self.mischief().await;
        for gateway in &mut self.gateways {
            invariants::look(gateway, &self.city).await?;
        }
        if self.compared.elapsed() >= COMPARED_EVERY {
            self.compared = Instant::now();
            invariants::compare(&mut self.gateways, &self.city, false).await?;
        }
        Ok(())
    }

    /// Whether something that happens once in so many seconds happens in this step.
    fn happens(&self, seconds: u64, ms: u64) -> bool {
        let happens = seconds > 0 && self.dice.below(seconds * 1000) < ms;
        self.happened.set(self.happened.get() + u64::from(happens));
        happens
    }

    async fn misfortunes(&mut self, ms: u64) -> Result<(), Broken> {
        let climate = self.weather.now();
        if self.broker_due.is_some_and(|due| due <= Instant::now()) {
            self.broker_due = None;
            self.broker.start();
        }
        if self.happens(climate.broker_restart, ms) {
            self.chronicle.tell("broker stops", &[]);
            self.broker.stop();
            self.broker_due = Some(Instant::now() + self.dice.ms(500, 600_000));
        }
        for collector in &self.city.collectors {
            self.on_link(&collector.name, ms);
        }
        for place in 0..self.gateways.len() {
            self.on_link(&self.gateways[place].client(), ms);
            self.on_plant(place, ms);
            self.on_disk(place, ms);
            self.on_life(place, ms).await?;
        }
        Ok(())
    }

    fn on_link(&self, name: &str, ms: u64) {
        let climate = self.weather.now();
        if self.happens(climate.cut, ms) {
            self.chronicle.tell("link cut", name.as_bytes());
            self.broker.cut(name, self.long());
        }
        if self.happens(climate.silence, ms) {
            self.chronicle.tell("link silent", name.as_bytes());
            self.broker.silence(name, self.long());
        }
    }

    /// Mostly moments, now and then hours.
    fn long(&self) -> Duration {
        match self.dice.below(10) {
            0 => self.dice.ms(600_000, 6 * 3_600_000),
            1..=3 => self.dice.ms(30_000, 600_000),
            _ => self.dice.ms(100, 30_000),
        }
    }

    fn on_plant(&self, place: usize, ms: u64) {
        let (climate, gateway) = (self.weather.now(), &self.gateways[place]);
        if self.happens(climate.device_dies, ms) {
            gateway.plant.unit_dies(self.long());
        }
        if self.happens(climate.device_dies * 2, ms) {
            gateway.plant.line_breaks(self.long());
        }
        if self.happens(climate.clock_jump, ms) {
            let jump = i64::try_from(self.dice.below(7_200_000)).unwrap_or_default() - 3_600_000;
            self.chronicle.tell("clock jumps", &jump.to_le_bytes());
            gateway.hand.move_by(jump);
            let (now, wall) = (Instant::now(), gateway.hand.now());
            gateway
                .plant
                .with_truth(|truth| truth.clock_moved(now, wall));
        }
    }

    fn on_disk(&self, place: usize, ms: u64) {
        let (climate, gateway) = (self.weather.now(), &self.gateways[place]);
        // Troubles of a disk end as they begin.
        if self.happens(300, ms) {
            gateway.disk_heals();
            gateway.disk.fail_syncs(climate.sync_fails);
        }
        if self.happens(climate.disk_breaks, ms) {
            self.chronicle.tell("disk breaks", gateway.name.as_bytes());
            let kinds = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::Other];
            gateway.disk.breaks(self.dice.one_of(&kinds).copied());
        }
        if self.happens(climate.disk_fills, ms) {
            self.chronicle.tell("disk fills", gateway.name.as_bytes());
            let used = gateway.disk.bytes();
            gateway.disk.quota(Some(
                used + usize::try_from(self.dice.below(4096)).unwrap_or_default(),
            ));
        }
        if self.happens(climate.disk_stalls, ms) {
            gateway.disk_stalls(self.dice.ms(1000, 60_000));
        }
    }

    async fn on_life(&mut self, place: usize, ms: u64) -> Result<(), Broken> {
        let climate = self.weather.now();
        if self.gateways[place].alive.is_none() {
            return Ok(());
        }
        if self.happens(climate.power_cut, ms) || self.gateways[place].disk.is_cut() {
            self.power_cut(place).await;
        } else if self.happens(climate.power_cut, ms) {
            // The power goes while the disk writes; noticed at the next step.
            self.gateways[place].disk.cut_after(self.dice.below(12));
        } else if self.happens(climate.killed, ms) {
            self.chronicle
                .tell("gateway killed", self.gateways[place].name.as_bytes());
            self.gateways[place].die().await;
            self.away(place);
        } else if self.happens(climate.restarted, ms) {
            self.chronicle
                .tell("gateway ends", self.gateways[place].name.as_bytes());
            self.gateways[place].end().await;
            self.away(place);
        }
        Ok(())
    }

    async fn power_cut(&mut self, place: usize) {
        let gateway = &mut self.gateways[place];
        self.chronicle.tell("power cut", gateway.name.as_bytes());
        gateway.die().await;
        gateway.disk.power_on();
        gateway.disk_heals();
        self.away(place);
    }

    fn away(&mut self, place: usize) {
        self.gateways[place].due = Some(Instant::now() + self.dice.ms(1000, 120_000));
    }

    /// Gateways whose time has come start.
    async fn rise(&mut self) -> Result<(), Broken> {
        for gateway in &mut self.gateways {
            let is_due = gateway.due.is_none_or(|due| due <= Instant::now());
            if gateway.alive.is_none() && is_due {
                self.chronicle
                    .tell("gateway starts", gateway.name.as_bytes());
                self.restarts += 1;
                let restored: Restored = gateway.start();
                invariants::restored(gateway, &restored).await?;
            }
        }
        Ok(())
    }

    async fn acts(&mut self, ms: u64) {
        let climate = self.weather.now();
        for place in 0..self.gateways.len() {
            if self.happens(climate.plant_act, ms) {
                self.people.act_at(&self.gateways[place]).await;
            }
            if self.happens(climate.city_act, ms) {
                self.people
                    .act_from_afar(&self.gateways[place], &mut self.city)
                    .await;
            }
            if self.happens(climate.forged_act, ms) {
                self.people.forge(&self.gateways[place], &self.broker);
            }
        }
    }

    /// The site file becomes another one, also of a gateway that is down.
    async fn change_files(&mut self, ms: u64) -> Result<(), Broken> {
        let climate = self.weather.now();
        for place in 0..self.gateways.len() {
            if !self.happens(climate.site_change, ms) {
                continue;
            }
            let gateway = &mut self.gateways[place];
            let before = Standing::of(gateway);
            let taken = gateway.take_over().await;
            let told = if taken == Taken::Over {
                self.reloads += 1;
                "site file changes"
            } else {
                "site file refused"
            };
            let gateway = &self.gateways[place];
            self.chronicle.tell(told, gateway.name.as_bytes());
            before.goes_on(gateway)?;
        }
        Ok(())
    }

    /// What a mutant does that sits in no seam.
    async fn mischief(&self) {
        let sql = match self.mutant {
            Some(Mutant::ForgetsOffsets) if self.steps.is_multiple_of(100) => "DELETE FROM offsets",
            Some(Mutant::AltersAudit) if self.steps.is_multiple_of(100) => {
                "UPDATE audit SET actor = 'nobody' WHERE seq = 1"
            }
            _ => return,
        };
        // Whether it works is what the invariants tell.
        let _rows = self.city.database.examine(sql).await;
    }

    async fn heal(&mut self) -> Result<(), Broken> {
        self.chronicle.tell("all is healed", &[]);
        self.weather.turns(Climate::calm());
        self.broker.heal();
        self.broker_due = None;
        self.city.heal();
        for place in 0..self.gateways.len() {
            if self.gateways[place].disk.is_cut() {
                self.power_cut(place).await;
            }
            let gateway = &mut self.gateways[place];
            gateway.plant.heal();
            gateway.disk_heals();
            gateway.due = None;
        }
        self.rise().await
    }

    fn is_delivered(&self) -> bool {
        let delivered = |gateway: &Gateway| {
            gateway.alive.as_ref().is_some_and(|alive| {
                let stats = alive.journal.stats();
                // The newest are always on their way.
                stats.synced && alive.journal.backlog() <= 8
            })
        };
        self.gateways.iter().all(delivered)
    }

    fn broken(&self, what: &str) -> Broken {
        let told = self.gateways.iter().map(|gateway| {
            let stats = gateway.alive.as_ref().map(|alive| alive.journal.stats());
            format!("{}: {stats:?}", gateway.name)
        });
        Broken::new(format!("{what}: {}", told.collect::<Vec<_>>().join("; ")))
    }

    fn account(&self) -> Account {
        let sum = |of: fn(&Gateway) -> u64| -> u64 { self.gateways.iter().map(of).sum() };
        Account {
            steps: self.steps,
            events: self.chronicle.events(),
            hash: self.chronicle.hash(),
            batches: sum(|gateway| gateway.witness.batches() as u64),
            readings: sum(|gateway| {
                let ledgers = gateway.witness.readings.values();
                ledgers.map(|ledger| ledger.count).sum()
            }),
            transitions: sum(|gateway| gateway.witness.lines.len() as u64),
            lost: sum(|gateway| gateway.witness.batches_lost()),
            restarts: self.restarts,
            reloads: self.reloads,
            happened: self.happened.get(),
        }
    }
}

/// Runs one seed on a runtime of its own, whose time is virtual: it passes when nobody has anything to do.
///
/// # Errors
/// The first invariant that was broken, with what replays it.
pub fn run(plan: &Plan) -> Result<Account> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let lived = runtime.block_on(async {
        let world = World::make(plan).await?;
        let chronicle = world.chronicle.clone();
        let began = Instant::now();
        world.live(plan.days).await.map_err(|broken| {
            let (seed, days) = (plan.seed, plan.days);
            let at = began.elapsed().as_millis();
            let hash = chronicle.hash();
            anyhow!(
                "seed {seed}: {broken}\n  after {at} ms of virtual time, story {hash}\n  replay: cargo xtask simulate --seed {seed} --days {days}"
            )
        })
    });
    runtime.shutdown_background();
    lived
}
