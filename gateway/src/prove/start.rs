//! How a proof begins, and what goes out of service for it and comes back.

use super::bench::{Bench, BenchError, Shelf, Started, both};
use super::draft::{Draft, kept};
use super::plan::{Kind, Plan};
use super::proof::{Run, StepDone};
use super::subject::{Subject, basis_of, named};
use super::under_way::UnderWay;
use crate::desk::DeskError;
use crate::judge::{Ask, Person};
use davy_alarm::{Action, Actor, Refusal};
use davy_config::site::{AlarmIndex, OutputIndex, PointIndex, Site};

/// Proofs under way at one time: more people than that do not prove one site.
const MOST_UNDER_WAY: usize = 16;
/// How long an output may be tested, seconds.
const TEST_S: std::ops::RangeInclusive<u32> = 1..=60;
/// Whoever reaches the bench is maintenance at the plant: the screen has seen to it.
const MAINTENANCE: Actor = Actor {
    remote: false,
    maintenance: true,
};

impl Bench {
    /// Begins a proof. With `under_test` the point's alarms go out of service first; an output is switched on.
    pub async fn start(
        &self,
        subject: Subject,
        by: &davy_config::site::Person,
        started: Started,
    ) -> Result<(), BenchError> {
        let now_ms = self.0.parts.clock.wall().0;
        let mut draft = self.draft(subject, by, &started, now_ms)?;
        match subject {
            // Kept before the first alarm goes out of service: whatever happens then, its end brings them back.
            Subject::Point(point) => {
                if started.under_test {
                    draft.taken_out = self.in_service(point);
                }
                let taken_out = draft.taken_out.clone();
                self.begin(subject, draft).await?;
                if let Err(error) = self.take_out(&taken_out, &by.id).await {
                    self.bring_back(&taken_out, &by.id).await;
                    self.forget(subject).await?;
                    return Err(error.into());
                }
            }
            // Its time runs from the demand on; a test that cannot be kept ends by itself.
            Subject::Output(output) => {
                self.may_begin(&self.shelf(), subject)?;
                let for_ms = draft.run.as_ref().map_or(0, |run| run.demand_ms);
                let ask = Ask::TestOutput {
                    output,
                    for_ms,
                    actor: MAINTENANCE,
                    person: reasoned(&draft.by, "prove-reason"),
                };
                self.0.parts.desk.ask(ask, None).await?;
                self.begin(subject, draft).await?;
            }
        }
        Ok(())
    }

    fn draft(
        &self,
        subject: Subject,
        by: &davy_config::site::Person,
        started: &Started,
        now_ms: i64,
    ) -> Result<Draft, BenchError> {
        let site = &self.0.parts.site;
        let (of, basis) = basis_of(site, subject);
        let (steps, run) = match subject {
            Subject::Point(point) => {
                let plan = Plan::of(site, &site.points[point.0], started.kind);
                (plan.ok_or(BenchError::Kind)?.steps, None)
            }
            Subject::Output(output) => (Vec::new(), Some(run_of(site, output, started, now_ms)?)),
        };
        let steps = steps.into_iter().map(|step| StepDone {
            kind: step.kind,
            alarm: step.alarm,
            expected: step.expected,
            tolerance: step.tolerance,
            found: None,
            left: None,
            skipped: None,
        });
        Ok(Draft {
            of,
            subject: named(site, subject).0.to_owned(),
            kind: started.kind,
            by: by.id.clone(),
            name: by.name.clone(),
            begun_ms: now_ms,
            touched_ms: now_ms,
            gas: started.gas.as_deref().and_then(kept),
            instrument: started.instrument.as_deref().and_then(kept),
            under_test: started.under_test,
            taken_out: Vec::new(),
            basis,
            steps: steps.collect(),
            run,
        })
    }

    fn may_begin(&self, shelf: &Shelf, subject: Subject) -> Result<(), BenchError> {
        if shelf.under_way.iter().any(|one| one.subject == subject) {
            return Err(BenchError::UnderWay);
        }
        if shelf.under_way.len() >= MOST_UNDER_WAY {
            return Err(BenchError::TooMany);
        }
        Ok(())
    }

    /// Puts a proof under way and keeps it, or does neither.
    async fn begin(&self, subject: Subject, draft: Draft) -> Result<(), BenchError> {
        let now = self.0.parts.clock.now();
        let under_way = UnderWay::new(&self.0.parts.site, draft, subject, now);
        let this = self.clone();
        self.with_shelf(move |shelf| {
            this.may_begin(shelf, subject)?;
            shelf.under_way.push(under_way);
            let kept = shelf.keep();
            if kept.is_err() {
                shelf.under_way.pop();
            }
            kept
        })
        .await?;
        self.0.stirred.notify_one();
        Ok(())
    }

    pub(super) async fn forget(&self, subject: Subject) -> Result<(), BenchError> {
        self.with_shelf(move |shelf| {
            shelf.under_way.retain(|one| one.subject != subject);
            shelf.keep()
        })
        .await
    }

    /// The point's alarms that are in service.
    fn in_service(&self, point: PointIndex) -> Vec<String> {
        let site = &self.0.parts.site;
        let alarms = site.points[point.0].alarms.iter();
        alarms
            .filter(|alarm| !self.0.parts.live.alarm(**alarm).out_of_service)
            .map(|alarm| site.alarms[alarm.0].id.clone())
            .collect()
    }

    /// Puts alarms out of service; the first that cannot be ends it.
    async fn take_out(&self, ids: &[String], by: &str) -> Result<(), DeskError> {
        let site = &self.0.parts.site;
        for id in ids {
            if let Some(alarm) = site.alarms.iter().position(|alarm| alarm.id == *id) {
                let action = Action::OutOfService { reason: true };
                self.ask(AlarmIndex(alarm), action, by).await?;
            }
        }
        Ok(())
    }

    /// Puts alarms back into service; one that cannot be stands in the log, and in the list of what is out of service.
    pub(super) async fn bring_back(&self, ids: &[String], by: &str) {
        for id in ids {
            let mut alarms = self.0.parts.site.alarms.iter();
            let Some(alarm) = alarms.position(|alarm| alarm.id == *id) else {
                continue;
            };
            match self.ask(AlarmIndex(alarm), Action::InService, by).await {
                // One that never went out of service is where it should be.
                Ok(()) | Err(DeskError::Refused(Refusal::NotOutOfService)) => {}
                Err(error) => {
                    tracing::warn!(alarm = id, %error, "does not come back into service after its proof");
                }
            }
        }
    }

    async fn ask(&self, alarm: AlarmIndex, action: Action, by: &str) -> Result<(), DeskError> {
        let ask = Ask::Alarm {
            alarm,
            action,
            actor: MAINTENANCE,
            person: reasoned(by, "prove-reason"),
        };
        self.0.parts.desk.ask(ask, None).await
    }
}

fn run_of(
    site: &Site,
    output: OutputIndex,
    started: &Started,
    now_ms: i64,
) -> Result<Run, BenchError> {
    if started.kind != Kind::Output {
        return Err(BenchError::Kind);
    }
    if !started.confirmed {
        return Err(BenchError::Unconfirmed);
    }
    let seconds = started.seconds.filter(|seconds| TEST_S.contains(seconds));
    let failed = site.outputs[output.0].failed;
    Ok(Run {
        requested_ms: now_ms,
        demand_ms: seconds.ok_or(BenchError::Seconds)? * 1000,
        timeout_ms: site.alarms[failed.0].definition.on_delay_ms,
        on_after_ms: None,
        off_after_ms: None,
    })
}

/// An act of a proof, whose reason stands in the record.
fn reasoned(by: &str, key: &str) -> Person {
    Person {
        actor: by.into(),
        reason: Some(both(key).into()),
        second: None,
    }
}
