//! A proof under way: what is seen of its subject while it lasts.

use super::draft::{Alarms, Draft};
use super::plan::Plan;
use super::subject::Subject;
use super::window::Window;
use crate::live::Live;
use davy_alarm::{Instant, WallMs};
use davy_config::site::{OutputIndex, PointIndex, Site};

/// A proof under way, and what is seen of its subject.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) draft: Draft,
    pub(super) subject: Subject,
    pub(super) touched: Instant,
    /// Somebody is ending it.
    pub(super) ending: bool,
    pub(super) window: Window,
    /// The source time of the last reading taken.
    last: Option<WallMs>,
    pub(super) alarms: Alarms,
    /// Of an output: since when each is waited for.
    demanded: Option<Instant>,
    ended: Option<Instant>,
}

impl UnderWay {
    pub(super) fn new(site: &Site, draft: Draft, subject: Subject, now: Instant) -> Self {
        let window = match subject {
            Subject::Point(point) => {
                let point = &site.points[point.0];
                let period_ms = site.devices[point.device.0].period_ms;
                Window::new(period_ms, point.proving.tolerance)
            }
            Subject::Output(_) => Window::new(0, 0.0),
        };
        Self {
            demanded: draft.run.is_some().then_some(now),
            draft,
            subject,
            touched: now,
            ending: false,
            window,
            last: None,
            alarms: Alarms::default(),
            ended: None,
        }
    }

    pub(super) fn plan(&self, site: &Site) -> Option<Plan> {
        match self.subject {
            Subject::Point(point) => Plan::of(site, &site.points[point.0], self.draft.kind),
            Subject::Output(_) => None,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        self.demanded.is_some()
    }

    pub(super) fn look_at_point(
        &mut self,
        site: &Site,
        live: &Live,
        point: PointIndex,
        now: Instant,
    ) {
        if let Some(value) = live.value(point)
            && self.last != Some(value.reading.source_time())
        {
            self.last = Some(value.reading.source_time());
            self.window.take(now, value.reading.value());
        }
        for alarm in &site.points[point.0].alarms {
            let id = &site.alarms[alarm.0].id;
            match (live.alarm(*alarm).active, self.alarms.on.contains(id)) {
                (true, false) => {
                    self.alarms.on.insert(id.clone());
                    self.alarms.came.insert(id.clone());
                }
                (false, true) => {
                    self.alarms.on.remove(id);
                    self.alarms.went.insert(id.clone());
                }
                (true, true) | (false, false) => {}
            }
        }
    }

    pub(super) fn look_at_output(
        &mut self,
        site: &Site,
        live: &Live,
        output: OutputIndex,
        now: Instant,
    ) {
        let (Some(run), Some(since)) = (&mut self.draft.run, self.demanded) else {
            return;
        };
        let shown = live.output(output);
        let feedback = match site.outputs[output.0].feedback {
            Some(feedback) => live
                .value(feedback.point)
                .and_then(|value| value.reading.value().ok())
                .map(|value| (value != 0.0) == feedback.when),
            None => shown.feedback,
        };
        let after = |since: Instant| u32::try_from(now.since(since)).unwrap_or(u32::MAX);
        if feedback == Some(true) && run.on_after_ms.is_none() && shown.demand {
            run.on_after_ms = Some(after(since));
        }
        if shown.demand {
            return;
        }
        let ended = *self.ended.get_or_insert(now);
        if feedback == Some(false) {
            run.off_after_ms.get_or_insert(after(ended));
        }
        let waited = now.since(ended) > u64::from(run.timeout_ms);
        if run.off_after_ms.is_some() || waited {
            self.demanded = None;
        }
    }
}
