//! The works of a gateway: judgement, buses and uplink around a journal, without the shell (process, port, screen) around them.
//!
//! `run` puts them onto the machine; a simulation onto a world and a clock of its own.

use crate::acquire::{self, Acquisition, Demand, Lines};
use crate::act::{Act, alarm_now};
use crate::clock::Clock;
use crate::desk::Desk;
use crate::journal::{Journal, Record, Restored};
use crate::judge::{Judge, Switched};
use crate::judgement::{Change, Inputs, Judgement, Pulse};
use crate::live::Live;
use crate::node::Nodes;
use crate::uplink::{self, Line, Uplink};
use davy_config::site::{AlarmIndex, Site};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Scans that may wait for judgement: one a device and some air. A full queue makes bus tasks keep the newest scan (see [`acquire`]).
const SCANS_MAX: usize = 64;

/// A task that runs, by the name that is told if it does not stop.
pub type Running = (String, JoinHandle<()>);

/// What ends together: its tasks, and the token that ends them. Each has one of its own, since they end one after the other.
pub type Part = (CancellationToken, Vec<Running>);

/// What the works touch.
#[derive(Debug)]
pub struct Outside {
    pub lines: Lines,
    pub line: Line,
}

/// Everything that runs, and the handles on it.
#[derive(Debug)]
pub struct Works {
    pub live: Arc<Live>,
    pub desk: Desk,
    /// Other site files, on their way to judgement.
    pub changes: mpsc::Sender<Change>,
    pub pulse: Pulse,
    pub nodes: Nodes,
    pub uplink: Uplink<Journal>,
    /// What judgement asks of the buses.
    pub demanded: watch::Receiver<Demand>,
    pub acquiring: (CancellationToken, Acquisition),
    pub judging: Part,
    pub publishing: Part,
}

impl Works {
    /// Starts a gateway where its journal says that it stood. Judgement and buses run on `pipeline`, the uplink on the runtime that this is called on.
    pub fn start(
        site: &Arc<Site>,
        clock: Clock,
        (journal, restored): (&Journal, Restored),
        outside: Outside,
        pipeline: &Handle,
    ) -> Self {
        journal.append(None, vec![Record::Started { time: clock.wall() }]);
        let judge = judge(site, &restored, clock);
        let live = Arc::new(picture(site, &judge, &restored, clock));
        let (demand, demanded) = watch::channel(Demand::new(site, judge.demand()));
        let (desk, requests) = Desk::new(site.clone());
        let (changes, changed) = mpsc::channel(1);
        let (scans, scanned) = mpsc::channel(SCANS_MAX);
        let pulse = Pulse::new(clock);
        let nodes = Nodes::new(journal.clone(), restored.nodes);
        let act = Act::new(
            site.clone(),
            clock,
            demand,
            journal.clone(),
            live.clone(),
            restored.next_seq,
            restored.alarms.into_iter().map(|(_, story)| story),
        );
        let judgement = Judgement::new(
            site.clone(),
            clock,
            judge,
            act,
            live.clone(),
            pulse.clone(),
            demanded.borrow().stats.clone(),
        );
        let judging = CancellationToken::new();
        let inputs = Inputs {
            scans: scanned,
            requests,
            changes: changed,
        };
        let judgement = pipeline.spawn(judgement.run(inputs, judging.clone()));

        let acquiring = CancellationToken::new();
        let acquisition = {
            let _on = pipeline.enter();
            let around = (&outside.lines, &nodes);
            acquire::spawn_on(around, clock, &scans, &demanded, &acquiring)
        };

        let parts = uplink::Parts {
            site: site.clone(),
            journal: Arc::new(journal.clone()),
            live: live.clone(),
            desk: desk.clone(),
            clock,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let (uplink, publishing) = publish(parts, outside.line);
        Self {
            live,
            desk,
            changes,
            pulse,
            nodes,
            uplink,
            demanded,
            acquiring: (acquiring, acquisition),
            judging: (judging, vec![("judgement".into(), judgement)]),
            publishing,
        }
    }
}

/// The uplink, running if the site has one, with the token that ends it.
pub fn publish(parts: uplink::Parts<Journal>, line: Line) -> (Uplink<Journal>, Part) {
    let token = CancellationToken::new();
    let (uplink, task) = Uplink::start_on(parts, line, token.clone());
    let running = task.map(|task| ("uplink".to_owned(), task));
    (uplink, (token, running.into_iter().collect()))
}

fn judge(site: &Arc<Site>, restored: &Restored, clock: Clock) -> Judge {
    let saved: Vec<_> = restored.alarms.iter().map(|(saved, _)| *saved).collect();
    let mut judge = Judge::new(
        site.clone(),
        &saved,
        &restored.outputs,
        clock.now(),
        clock.wall(),
    );
    judge.remember(restored.gone.clone());
    judge.end_suppressions_without_a_rule();
    // What the restored alarms demand stands before a bus is reached: every output is written once at the start, and must not be written off.
    judge.settle();
    judge
}

fn picture(site: &Site, judge: &Judge, restored: &Restored, clock: Clock) -> Live {
    let alarms = restored.alarms.iter().enumerate();
    let alarms = alarms.map(|(position, (_, story))| {
        let index = AlarmIndex(position);
        alarm_now(index, judge.alarm(index), story)
    });
    let outputs = judge.demand().into_iter().zip(&restored.outputs);
    let outputs = outputs.map(|(on, was)| Switched {
        on,
        since: was.since,
    });
    Live::new(
        site,
        alarms.collect(),
        &outputs.collect::<Vec<_>>(),
        clock.wall(),
    )
}
