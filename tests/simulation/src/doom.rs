//! What becomes of one collector's process at each call of its stores, and the history as that process has it.

use crate::dice::Dice;
use crate::mutant::Mutant;
use crate::weather::Weather;
use davy_alarm::Reading;
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use davy_cloud::records::memory::{Fate, Fortune, Moment};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Decides over one process.
#[derive(Debug)]
pub(crate) struct Doom {
    dead: AtomicBool,
    dice: Dice,
    weather: Weather,
}

impl Doom {
    pub(crate) fn new(dice: Dice, weather: Weather) -> Self {
        Self {
            dead: AtomicBool::new(false),
            dice,
            weather,
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Relaxed)
    }

    /// Whatever of the process is left never does anything again.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Relaxed);
    }
}

impl Fate for Doom {
    fn of(&self, moment: Moment) -> Fortune {
        let weather = self.weather.now();
        if self.is_dead() || self.dice.one_in(weather.collector_dies) {
            self.kill();
            return Fortune::Dies;
        }
        if moment != Moment::Committed && self.dice.one_in(weather.store_fails) {
            return Fortune::Fails;
        }
        Fortune::Good
    }
}

/// The history: the real one, which has a thread; it is waited for on the spot, so that all happens in one order.
pub(crate) struct Shelf {
    pub(crate) history: Arc<Embedded>,
    pub(crate) doom: Arc<Doom>,
    pub(crate) mutant: Option<Mutant>,
}

impl History for Shelf {
    fn commit(&self, readings: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        async move {
            self.meet(Moment::Commit).await?;
            let readings = readings.into_iter().map(|one| spoilt(one, self.mutant));
            futures_util::future::ready(wait(self.history.commit(readings.collect()))).await?;
            self.meet(Moment::Committed).await
        }
        .boxed()
    }

    fn series(&self, query: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        async move { wait(self.history.series(query)) }.boxed()
    }

    fn readings(
        &self,
        site: &str,
        point: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        let found = wait(self.history.readings(site, point, from_ms, to_ms, limit));
        async move { found }.boxed()
    }

    fn latest(&self, site: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        let found = wait(self.history.latest(site));
        async move { found }.boxed()
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        async move { wait(self.history.forget_before(before_ms)) }.boxed()
    }
}

impl Shelf {
    async fn meet(&self, moment: Moment) -> Result<(), HistoryError> {
        match self.doom.of(moment) {
            Fortune::Good => Ok(()),
            Fortune::Fails => Err(HistoryError::Busy),
            Fortune::Dies => std::future::pending().await,
        }
    }
}

/// Waits for the history's own thread, which needs nobody of ours. Out of reach of the runtime's budget: one that is used up is given anew only to a task that
/// goes back to the runtime, and this one does not.
pub(crate) fn wait<T>(answer: impl Future<Output = T>) -> T {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let waker = futures_util::task::waker(Arc::new(Bell(sender)));
    let mut context = std::task::Context::from_waker(&waker);
    let mut answer = std::pin::pin!(tokio::task::unconstrained(answer));
    loop {
        if let std::task::Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
            return answer;
        }
        // A bell that rang twice is one look too many, no more.
        let _rung = receiver.recv();
    }
}

struct Bell(std::sync::mpsc::SyncSender<()>);

impl futures_util::task::ArcWake for Bell {
    fn wake_by_ref(bell: &Arc<Self>) {
        // Full: it rings already.
        let _ = bell.0.try_send(());
    }
}

fn spoilt(one: PointReading, mutant: Option<Mutant>) -> PointReading {
    let reading = match (mutant, one.reading.value()) {
        (Some(Mutant::AltersReadings), Ok(value)) if value > 9.0 => {
            Reading::measured(value + 1.0, one.reading.source_time())
        }
        (Some(Mutant::MakesAbsencesZero), Err(_)) => {
            Reading::measured(0.0, one.reading.source_time())
        }
        _ => one.reading,
    };
    PointReading { reading, ..one }
}
