//! The works of a gateway: judgement, buses and uplink around a journal, without the shell (process, port, screen) around them.
//!
//! `run` puts them onto the machine; a simulation onto a world and a clock of its own.

use crate::acquire::{self, Acquisition, Lines, Stats};
use crate::act::{Act, alarm_now};
use crate::clock::Clock;
use crate::desk::Desk;
use crate::journal::{Journal, Record, Restored};
use crate::judge::{Judge, Switched};
use crate::judgement::{Inputs, Judgement, Pulse};
use crate::live::Live;
use crate::uplink::{self, Line, Uplink};
use davy_config::site::{AlarmIndex, Site};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Scans that may wait for judgement: one a device and some air. A full queue makes bus tasks keep the newest scan (see [`acquire`]).
const SCANS_MAX: usize = 64;

/// A part that runs, by the name that is told if it does not stop.
pub type Running = (String, JoinHandle<()>);

/// A stage: its parts, and the token that ends them. Each stage has one of its own, since they end one after the other.
pub type Stage = (CancellationToken, Vec<Running>);

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
    pub pulse: Pulse,
    pub stats: Arc<Stats>,
    pub uplink: Uplink<Journal>,
    /// What judgement asks of each output, by position.
    pub demanded: watch::Receiver<Vec<bool>>,
    pub acquiring: Stage,
    pub judging: Stage,
    pub publishing: Stage,
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
        let (demand, demanded) = watch::channel(judge.demand());
        let (desk, requests) = Desk::new();
        let (scans, scanned) = mpsc::channel(SCANS_MAX);
        let pulse = Pulse::new(clock);
        let act = Act::new(
            site.clone(),
            clock,
            demand,
            journal.clone(),
            live.clone(),
            restored.next_seq,
            restored.alarms.into_iter().map(|(_, story)| story),
        );
        let judgement =
            Judgement::new(site.clone(), clock, judge, act, live.clone(), pulse.clone());
        let judging = CancellationToken::new();
        let inputs = Inputs {
            scans: scanned,
            requests,
        };
        let judgement = pipeline.spawn(judgement.run(inputs, judging.clone()));

        let acquiring = CancellationToken::new();
        let Acquisition { stats, tasks } = {
            let _on = pipeline.enter();
            acquire::spawn_on(&outside.lines, site, clock, &scans, &demanded, &acquiring)
        };

        let publishing = CancellationToken::new();
        let parts = uplink::Parts {
            site: site.clone(),
            journal: Arc::new(journal.clone()),
            live: live.clone(),
            desk: desk.clone(),
            clock,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let (uplink, uplink_task) = Uplink::start_on(parts, outside.line, publishing.clone());
        let uplink_task = uplink_task.map(|task| ("uplink".to_owned(), task));
        Self {
            live,
            desk,
            pulse,
            stats,
            uplink,
            demanded,
            acquiring: (acquiring, tasks),
            judging: (judging, vec![("judgement".into(), judgement)]),
            publishing: (publishing, uplink_task.into_iter().collect()),
        }
    }
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
