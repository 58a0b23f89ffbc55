//! What other collectors on the same records commit, told to whoever watches here, as it happens. Where nobody else can write them there is nothing to do.
//!
//! What is heard says only what to look at: states are read from the records, in this collector's turn ([`Live::turn`]), so that an older one never follows a
//! newer one. Whenever something may have been missed, also at the beginning, every watcher gets a snapshot.

use crate::api::{Health, Status};
use crate::collector::{Means, Task};
use crate::live::{Live, Update};
use crate::records::{Heard, Notice, Others, Records, RecordsError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before a lost connection is made anew, doubled while that fails, up to the longest.
const PAUSE: Duration = Duration::from_millis(125);
const LONGEST: Duration = Duration::from_secs(1);

/// The task; none on records that no other collector shares.
pub(crate) fn task(means: &Means) -> Option<Task> {
    let others = means.records.others()?;
    let replicas = Replicas {
        records: means.records.clone(),
        live: means.live.clone(),
        health: means.health.clone(),
    };
    let ending = means.ending.clone();
    Some(Task {
        name: "replicas",
        run: Box::pin(async move {
            replicas.run(others, ending).await;
            Ok(())
        }),
    })
}

struct Replicas {
    records: Records,
    live: Live,
    health: Health,
}

impl Replicas {
    async fn run(self, mut others: Box<dyn Others>, ending: CancellationToken) {
        let mut pause = PAUSE;
        loop {
            let heard = tokio::select! {
                biased;
                () = ending.cancelled() => return,
                heard = others.next() => heard,
            };
            match heard {
                Ok(Heard::Begun) => {
                    pause = PAUSE;
                    self.health.say("replicas", Status::Ok, "");
                    self.live.missed();
                }
                Ok(Heard::Notices(notices)) => self.tell(Changed::of(notices)).await,
                Err(error) => {
                    tracing::warn!(%error, "other collectors are not heard");
                    let detail = format!("what other collectors commit is not shown: {error}");
                    self.health.say("replicas", Status::Degraded, detail);
                    tokio::select! {
                        biased;
                        () = ending.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST);
                }
            }
        }
    }

    async fn tell(&self, changed: Changed) {
        metrics::counter!("davy_live_heard_total").increment(1);
        if changed.is_everything {
            return self.live.missed();
        }
        let _turn = self.live.turn().await;
        for (site, of) in &changed.sites {
            if let Err(error) = self.tell_site(site, of).await {
                tracing::warn!(%error, site, "what another collector committed cannot be read");
                return self.live.missed();
            }
        }
        for refused in changed.refused {
            self.live.tell(refused);
        }
    }

    /// As the worker tells what it committed itself: lines, then states.
    async fn tell_site(&self, site: &str, of: &OfSite) -> Result<(), RecordsError> {
        let lines = self.records.transitions_numbered(site, &of.lines).await?;
        let names: Vec<String> = of.alarms.iter().cloned().collect();
        let alarms = self.records.alarms_named(site, &names).await?;
        if of.itself {
            self.live.tell(Update::Site(site.to_owned()));
        }
        for line in lines {
            self.live.tell(Update::Transition(Box::new(line)));
        }
        for alarm in alarms {
            self.live.tell(Update::Alarm(Box::new(alarm)));
        }
        Ok(())
    }
}

/// What was heard at once, each thing once.
#[derive(Default)]
struct Changed {
    is_everything: bool,
    sites: BTreeMap<String, OfSite>,
    refused: Vec<Update>,
}

#[derive(Default)]
struct OfSite {
    itself: bool,
    alarms: BTreeSet<String>,
    /// By epoch and number.
    lines: BTreeSet<(i64, u64)>,
}

impl Changed {
    fn of(notices: Vec<Notice>) -> Self {
        let mut changed = Self::default();
        notices.into_iter().for_each(|notice| changed.add(notice));
        changed
    }

    fn add(&mut self, notice: Notice) {
        match notice {
            Notice::Everything => self.is_everything = true,
            Notice::Site(site) => self.site(site).itself = true,
            Notice::Alarm(site, alarm) => {
                self.site(site).alarms.insert(alarm);
            }
            Notice::Line(site, epoch, number) => {
                self.site(site).lines.insert((epoch, number));
            }
            Notice::Refused {
                command,
                site,
                alarm,
                why,
            } => self.refused.push(Update::Refused {
                command,
                site,
                alarm,
                why,
            }),
        }
    }

    fn site(&mut self, site: String) -> &mut OfSite {
        self.sites.entry(site).or_default()
    }
}
