//! The figures of a period, each with its target and how it stands against it.

use crate::answer::{Answered, Answers, percentile};
use crate::chatter::{ChatterRule, chatter};
use crate::flood::{self, Flood};
use crate::line::{Held, Line, Period, Record};
use crate::load::Load;
use crate::standing::{standing, worst_day};
use crate::target::{self, Verdict};
use crate::{DAY_MS, INTERVAL_MS};
use davy_alarm::Priority;
use serde::Serialize;

/// Most entries of a list; `total` beside it says how many there were.
const MOST_LISTED: usize = 100;
const TOP_SOURCES: usize = 10;

/// The alarm figures of one period. Shares are 0…1; times UTC milliseconds; null = there is nothing to make the figure of.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Report {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Where the recorded part of the period begins; null = nothing of it is on record.
    pub record_from_ms: Option<i64>,
    /// Days on record.
    pub days: f64,
    /// Whether these are the 30 that the targets are meant for.
    pub enough: bool,
    pub annunciations: u64,
    pub rate: Rate,
    pub intervals: Intervals,
    pub floods: Floods,
    pub sources: Sources,
    pub standing: Standing,
    pub chattering: Chattering,
    /// P1 to P4.
    pub priorities: Vec<PriorityShare>,
    /// P1 to P4.
    pub acknowledgement: Vec<Acknowledgement>,
    /// Most acknowledgements first.
    pub people: Vec<Person>,
}

/// Annunciations in ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Rate {
    pub average: Option<f64>,
    /// The most in one interval, and when that began.
    pub worst: u64,
    pub worst_from_ms: Option<i64>,
    pub target: f64,
    /// The most that is manageable.
    pub most: f64,
    pub verdict: Verdict,
}

/// Intervals of ten minutes from the beginning of the record in the period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Intervals {
    pub total: u64,
    /// Those with more than ten annunciations.
    pub over: u64,
    pub share: Option<f64>,
    /// The share stays below it.
    pub target: f64,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Floods {
    pub total: u64,
    /// Of the time on record.
    pub share: Option<f64>,
    /// The share stays below it.
    pub target: f64,
    pub verdict: Verdict,
    /// The newest first, at most 100.
    pub list: Vec<Flood>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sources {
    /// Alarms that annunciated.
    pub total: u64,
    /// What the ten busiest make of the load.
    pub share: Option<f64>,
    /// The share is at most this.
    pub target: f64,
    /// Not judged below 200 annunciations, where ten alarms of one each would miss it.
    pub verdict: Verdict,
    /// The ten busiest.
    pub list: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Source {
    pub alarm: String,
    pub priority: u8,
    pub annunciations: u64,
    pub share: f64,
}

/// Alarms that were active for more than 24 hours.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Standing {
    pub total: u64,
    /// The most on one day of the period.
    pub worst_day: u64,
    /// `worst_day` stays below it.
    pub target: u64,
    pub verdict: Verdict,
    /// The longest first, at most 100.
    pub list: Vec<StandingAlarm>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StandingAlarm {
    pub alarm: String,
    pub priority: u8,
    /// Active since; null = since before what was read.
    pub since_ms: Option<i64>,
    /// Null = still.
    pub until_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Chattering {
    pub total: u64,
    /// What chattering is: so many annunciations within so many seconds.
    pub count: u32,
    pub window_s: u32,
    pub target: u64,
    pub verdict: Verdict,
    /// The most annunciations first, at most 100.
    pub list: Vec<Chatterer>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Chatterer {
    pub alarm: String,
    pub priority: u8,
    /// In the whole period.
    pub annunciations: u64,
    pub episodes: u64,
    /// Most within the window.
    pub most: u64,
    /// First and last annunciation of the newest episode.
    pub from_ms: i64,
    pub to_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PriorityShare {
    pub priority: u8,
    pub annunciations: u64,
    pub share: Option<f64>,
    /// P1: below it; P2 and P3: about it or less; P4: about it or more.
    pub target: f64,
    pub verdict: Verdict,
}

/// From the annunciation of an occurrence to its acknowledgement, by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    pub priority: u8,
    pub acknowledged: u64,
    /// Annunciated in the period and unacknowledged at its end.
    pub waiting: u64,
    pub median_ms: Option<i64>,
    pub p90_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Person {
    pub actor: String,
    pub acknowledged: u64,
    pub shelved: u64,
    /// How often they silenced the horn (R21).
    pub silenced: u64,
    pub median_ms: Option<i64>,
    pub p90_ms: Option<i64>,
}

/// The figures of a period. Time is that of sorting the lines.
pub fn report(record: &Record<'_>, period: &Period, rule: ChatterRule) -> Report {
    let Record { lines, held, .. } = *record;
    let load = Load::of(lines, period);
    let mut answers = Answers::of(record, period);
    let start = period.start_ms();
    let span_ms = start.map_or(0, |start| period.to_ms.saturating_sub(start));
    let days = span_ms as f64 / DAY_MS as f64;
    let counts = start.map_or_else(Vec::new, |start| load.intervals(start, period.to_ms));
    Report {
        from_ms: period.from_ms,
        to_ms: period.to_ms,
        record_from_ms: start,
        days,
        enough: days >= target::DAYS,
        annunciations: load.count as u64,
        rate: rate(&load, &counts, start, span_ms),
        intervals: intervals(&counts),
        floods: floods(&load, period, start),
        sources: sources(&load),
        standing: stood(lines, held, period, start),
        chattering: chattering(&load, start, rule),
        priorities: PRIORITIES.map(|one| priority_share(&load, one)).into(),
        acknowledgement: PRIORITIES
            .map(|one| acknowledgement(one, &mut answers.priorities[place(one)]))
            .into(),
        people: people(answers),
    }
}

const PRIORITIES: [Priority; 4] = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];

fn place(priority: Priority) -> usize {
    usize::from(priority.number() - 1)
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn below(share: Option<f64>, target: f64) -> Verdict {
    share.map_or(Verdict::Unjudged, |share| Verdict::of(share < target))
}

fn rate(load: &Load<'_>, counts: &[usize], start: Option<i64>, span_ms: i64) -> Rate {
    let average = (span_ms > 0).then(|| load.count as f64 / (span_ms as f64 / INTERVAL_MS as f64));
    // The first of equals.
    let worst = (0_i64..)
        .zip(counts)
        .reduce(|worst, one| if one.1 > worst.1 { one } else { worst });
    let worst = worst.filter(|(_, count)| **count > 0);
    let verdict = average.map_or(Verdict::Unjudged, |average| {
        if average > target::RATE && average <= target::RATE_MOST {
            Verdict::Manageable
        } else {
            Verdict::of(average <= target::RATE)
        }
    });
    Rate {
        average,
        worst: worst.map_or(0, |(_, count)| *count as u64),
        worst_from_ms: worst
            .zip(start)
            .map(|((place, _), start)| start + place * INTERVAL_MS),
        target: target::RATE,
        most: target::RATE_MOST,
        verdict,
    }
}

fn intervals(counts: &[usize]) -> Intervals {
    let over = counts.iter().filter(|count| **count > target::OVER).count();
    let share = share(over, counts.len());
    Intervals {
        total: counts.len() as u64,
        over: over as u64,
        share,
        target: target::SMALL_SHARE,
        verdict: below(share, target::SMALL_SHARE),
    }
}

fn floods(load: &Load<'_>, period: &Period, start: Option<i64>) -> Floods {
    let mut list = flood::floods(&load.times, period.to_ms);
    list.retain(|flood| flood.to_ms.is_none_or(|to| to > period.from_ms));
    let share = start.map(|start| {
        let inside = flood::time_in(&list, start, period.to_ms);
        inside as f64 / (period.to_ms - start) as f64
    });
    let total = list.len() as u64;
    list.reverse();
    list.truncate(MOST_LISTED);
    Floods {
        total,
        share,
        target: target::SMALL_SHARE,
        verdict: below(share, target::SMALL_SHARE),
        list,
    }
}

fn sources(load: &Load<'_>) -> Sources {
    let busiest = load.busiest(TOP_SOURCES);
    let top: usize = busiest.iter().map(|(_, source)| source.times.len()).sum();
    let share_of_top = share(top, load.count);
    let judged = share_of_top.filter(|_| load.count >= target::SOURCES_JUDGED_FROM);
    let source = |(alarm, source): (&str, &crate::load::SourceLoad)| Source {
        alarm: alarm.to_owned(),
        priority: source.priority.number(),
        annunciations: source.times.len() as u64,
        share: share(source.times.len(), load.count).unwrap_or(0.0),
    };
    Sources {
        total: load.sources.len() as u64,
        share: share_of_top,
        target: target::SOURCES_SHARE,
        verdict: judged.map_or(Verdict::Unjudged, |share| {
            Verdict::of(share <= target::SOURCES_SHARE)
        }),
        list: busiest.into_iter().map(source).collect(),
    }
}

fn stood(lines: &[Line<'_>], held: &[Held<'_>], period: &Period, start: Option<i64>) -> Standing {
    let spells = standing(lines, held, period);
    let worst_day = start.map_or(0, |start| worst_day(&spells, period, start));
    let list = spells.iter().take(MOST_LISTED).map(|spell| StandingAlarm {
        alarm: spell.alarm.to_owned(),
        priority: spell.priority.number(),
        since_ms: spell.since_ms,
        until_ms: spell.until_ms,
    });
    Standing {
        total: spells.len() as u64,
        worst_day: worst_day as u64,
        target: target::STANDING_BELOW as u64,
        verdict: start.map_or(Verdict::Unjudged, |_| {
            Verdict::of(worst_day < target::STANDING_BELOW)
        }),
        list: list.collect(),
    }
}

fn chattering(load: &Load<'_>, start: Option<i64>, rule: ChatterRule) -> Chattering {
    let mut list: Vec<Chatterer> = load
        .sources
        .iter()
        .filter_map(|(alarm, source)| {
            chatter(&source.times, rule).map(|found| Chatterer {
                alarm: (*alarm).to_owned(),
                priority: source.priority.number(),
                annunciations: source.times.len() as u64,
                episodes: found.episodes,
                most: found.most,
                from_ms: found.from_ms,
                to_ms: found.to_ms,
            })
        })
        .collect();
    list.sort_by_key(|one| std::cmp::Reverse(one.annunciations));
    let total = list.len() as u64;
    list.truncate(MOST_LISTED);
    Chattering {
        total,
        count: rule.count(),
        window_s: rule.window_s(),
        target: 0,
        verdict: start.map_or(Verdict::Unjudged, |_| Verdict::of(total == 0)),
        list,
    }
}

fn priority_share(load: &Load<'_>, priority: Priority) -> PriorityShare {
    let count = load.priorities[place(priority)];
    let share = share(count, load.count);
    PriorityShare {
        priority: priority.number(),
        annunciations: count as u64,
        share,
        target: target::share(priority),
        verdict: share.map_or(Verdict::Unjudged, |found| {
            target::judge_share(priority, found)
        }),
    }
}

fn acknowledgement(priority: Priority, answered: &mut Answered) -> Acknowledgement {
    Acknowledgement {
        priority: priority.number(),
        acknowledged: answered.acknowledged,
        waiting: answered.waiting,
        median_ms: percentile(&mut answered.times_ms, 50),
        p90_ms: percentile(&mut answered.times_ms, 90),
    }
}

fn people(answers: Answers<'_>) -> Vec<Person> {
    let mut people: Vec<Person> = answers
        .people
        .into_iter()
        .map(|(actor, mut one)| Person {
            actor: actor.to_owned(),
            acknowledged: one.acknowledged,
            shelved: one.shelved,
            silenced: one.silenced,
            median_ms: percentile(&mut one.times_ms, 50),
            p90_ms: percentile(&mut one.times_ms, 90),
        })
        .collect();
    people.sort_by_key(|person| std::cmp::Reverse(person.acknowledged));
    people.truncate(MOST_LISTED);
    people
}
