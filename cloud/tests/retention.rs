//! What retention takes away, what it leaves, and that each step of it is a record.

mod store;

use davy_alarm::{Cause, Priority, Reading, Shown, WallMs};
use davy_cloud::audit::head::{self, Keeper};
use davy_cloud::audit::{Entry, Fault};
use davy_cloud::history::embedded::Embedded;
use davy_cloud::history::{History, HistoryError, PointReading, Series, SeriesQuery};
use davy_cloud::records::{
    Batch, Hold, Line, NodeBirth, OccurrenceFilter, Offset, Records, Scope, TransitionFilter,
};
use davy_cloud::retention::{Reached, RetentionError, Taken, enforce};
use davy_cloud::settings::{Retention, Settings};
use futures_util::future::BoxFuture;
use std::sync::atomic::Ordering;

/// 2026-11-29T13:00:00Z.
const NOW_MS: i64 = 1_795_957_200_000;
const DAY_MS: i64 = 86_400_000;
/// Some way behind the last whole month that is kept.
const OLD_MS: i64 = NOW_MS - 100 * DAY_MS;

struct City {
    folder: tempfile::TempDir,
    settings: Settings,
    records: Records,
    history: Embedded,
}

impl City {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = store::settings(folder.path()).await;
        let records = Records::of(&settings, 0).await.expect("records");
        let history = Embedded::open(settings.history_folder()).expect("a history");
        let city = Self {
            folder,
            settings,
            records,
            history,
        };
        for site in ["tank-farm", "cold-store"] {
            city.site(site).await;
        }
        city
    }

    async fn site(&self, site: &str) {
        let birth = NodeBirth {
            group: "davy".into(),
            edge: site.into(),
            received_ms: OLD_MS,
            stream: Some(1),
            ..NodeBirth::default()
        };
        self.records.node_born(&birth).await.expect("a birth");
    }

    async fn lines(&self, site: &str, lines: Vec<Line>) {
        let batch = Batch {
            site: site.into(),
            offset: Offset::new(1, lines[0].seq),
            received_ms: NOW_MS,
            newest_ms: NOW_MS,
            lines,
            late_after_ms: i64::MAX,
            samples: vec![],
            entries: vec![],
            aside: None,
            again: false,
        };
        self.records.commit(&[batch]).await.expect("a commit");
    }

    async fn keep(&self, retention: Retention) -> Taken {
        let round = enforce(
            &retention,
            &self.records,
            &self.history,
            &mut Reached::default(),
            NOW_MS,
        )
        .await;
        assert!(round.failed.is_empty(), "{:?}", round.failed);
        round.taken
    }

    /// Alarms of the lines that are left, newest first, and how many occurrences.
    async fn left(&self) -> (Vec<String>, usize) {
        let filter = TransitionFilter {
            scope: Scope::All,
            site: None,
            alarm: None,
            subjects: vec![],
            from_ms: None,
            to_ms: None,
            after: None,
            limit: 100,
        };
        let lines = self.records.transitions(&filter).await.expect("lines");
        let filter = OccurrenceFilter {
            scope: Scope::All,
            site: None,
            town: None,
            conditions: vec![],
            priorities: vec![],
            from_ms: 0,
            to_ms: i64::MAX,
            unacknowledged_over_ms: None,
            now_ms: NOW_MS,
            after: None,
            limit: 100,
        };
        let occurrences = self.records.occurrences(&filter).await;
        let alarms = lines
            .into_iter()
            .map(|line| format!("{}/{}", line.site, line.line.alarm));
        (alarms.collect(), occurrences.expect("occurrences").len())
    }

    async fn last_act(&self) -> (String, serde_json::Value) {
        let rows = self.records.audited(None, 1).await.expect("rows");
        let detail = serde_json::from_str(&rows[0].detail).expect("JSON");
        (rows[0].action.clone(), detail)
    }
}

fn line(seq: u64, alarm: &str, cause: Cause, to: Shown, time_ms: i64) -> Line {
    Line {
        seq,
        alarm: alarm.into(),
        occurrence: 1,
        from: Shown::Normal,
        to,
        cause,
        time_ms,
        value: None,
        value_cause: None,
        limit: None,
        priority: Priority::P2,
        actor: None,
        reason: None,
        shelved_until_ms: None,
        command: None,
    }
}

/// An alarm that came and went.
fn over(seq: u64, alarm: &str, time_ms: i64) -> Vec<Line> {
    let gone = time_ms + 1_000;
    vec![
        line(seq, alarm, Cause::Active, Shown::Unacknowledged, time_ms),
        line(
            seq + 1,
            alarm,
            Cause::Acknowledge,
            Shown::Acknowledged,
            time_ms + 500,
        ),
        line(seq + 2, alarm, Cause::Clear, Shown::Normal, gone),
    ]
}

const ALARMS: Retention = Retention {
    readings_months: None,
    rollups_months: None,
    alarms_months: Some(1),
    audit_months: None,
};

#[tokio::test]
async fn old_alarms_go_and_those_that_stand_or_are_held_or_young_stay() {
    let city = City::new().await;
    city.lines("tank-farm", over(1, "GT-1.H", OLD_MS)).await;
    let stands = line(10, "GT-2.H", Cause::Active, Shown::Unacknowledged, OLD_MS);
    city.lines("tank-farm", vec![stands]).await;
    city.lines("tank-farm", over(20, "GT-3.H", NOW_MS - DAY_MS))
        .await;
    city.lines("cold-store", over(1, "AM-1.H", OLD_MS)).await;
    let hold = Hold {
        id: 0,
        site: "cold-store".into(),
        from_ms: OLD_MS - DAY_MS,
        to_ms: None,
        reason: "leak of August".into(),
        actor: "adm".into(),
        made_ms: NOW_MS,
    };
    let held = city.records.set_hold(&hold).await.expect("a hold");
    let taken = city.keep(ALARMS).await;
    // Three lines and one occurrence of the first.
    assert_eq!(taken.alarm_rows, 4);
    let (lines, occurrences) = city.left().await;
    let count = |alarm: &str| lines.iter().filter(|line| *line == alarm).count();
    assert_eq!(count("tank-farm/GT-1.H"), 0);
    assert_eq!(count("tank-farm/GT-2.H"), 1);
    assert_eq!(count("tank-farm/GT-3.H"), 3);
    assert_eq!(count("cold-store/AM-1.H"), 3);
    assert_eq!(occurrences, 3);
    let (action, detail) = city.last_act().await;
    assert_eq!(
        (action.as_str(), &detail["rows"]["transitions"]),
        ("retention", &3.into())
    );

    // Again there is nothing to take, and so nothing to tell.
    assert_eq!(city.keep(ALARMS).await, Taken::default());
    let lifted = city.records.lift_hold(held, "adm", NOW_MS).await;
    assert!(lifted.expect("a lifting"));
    assert_eq!(city.keep(ALARMS).await.alarm_rows, 4);
}

#[tokio::test]
async fn a_hold_keeps_an_alarm_that_reaches_into_its_time_from_either_side() {
    let city = City::new().await;
    for (seq, alarm, time_ms) in [
        (1, "GT-1.H", OLD_MS - 1_000),
        (10, "GT-2.H", OLD_MS + 500),
        (20, "GT-3.H", OLD_MS + 1_000),
        (30, "GT-4.H", OLD_MS - 1_001),
    ] {
        city.lines("tank-farm", over(seq, alarm, time_ms)).await;
    }
    // The first ends as it begins, the second begins within it, the third as it ends, the fourth ended before.
    let hold = Hold {
        id: 0,
        site: "tank-farm".into(),
        from_ms: OLD_MS,
        to_ms: Some(OLD_MS + 1_000),
        reason: "leak of August".into(),
        actor: "adm".into(),
        made_ms: NOW_MS,
    };
    city.records.set_hold(&hold).await.expect("a hold");
    city.keep(ALARMS).await;
    let (_, occurrences) = city.left().await;
    assert_eq!(occurrences, 2);
}

#[tokio::test]
async fn a_history_that_has_forgotten_is_asked_again_by_another_time_or_a_day_later() {
    let city = City::new().await;
    let old = async || {
        let reading = PointReading {
            site: "tank-farm".into(),
            point: "GT-1".into(),
            reading: Reading::measured(1.0, WallMs(OLD_MS)),
        };
        city.history.commit(vec![reading]).await.expect("a commit");
    };
    let left = async || {
        let read = city.history.readings("tank-farm", "GT-1", 0, NOW_MS, 100);
        read.await.expect("readings").len()
    };
    let retention = Retention {
        readings_months: Some(1),
        ..Retention::default()
    };
    let mut reached = Reached::default();
    let mut round = async |now_ms| {
        let round = enforce(
            &retention,
            &city.records,
            &city.history,
            &mut reached,
            now_ms,
        );
        assert!(round.await.failed.is_empty());
    };
    old().await;
    round(NOW_MS).await;
    assert_eq!(left().await, 0);
    old().await;
    round(NOW_MS + DAY_MS - 1).await;
    assert_eq!(left().await, 1, "what came late waits");
    round(NOW_MS + DAY_MS).await;
    assert_eq!(left().await, 0);
}

#[tokio::test]
async fn months_of_readings_go_whole_but_not_past_the_earliest_hold() {
    let city = City::new().await;
    let reading = |days: i64| PointReading {
        site: "tank-farm".into(),
        point: "GT-1".into(),
        reading: Reading::measured(1.0, WallMs(NOW_MS - days * DAY_MS)),
    };
    let all = [1, 40, 70, 100].map(reading).to_vec();
    city.history.commit(all).await.expect("a commit");
    let left = async || {
        let read = city
            .history
            .readings("tank-farm", "GT-1", 0, NOW_MS, 100)
            .await;
        read.expect("readings").len()
    };
    let retention = Retention {
        readings_months: Some(1),
        ..Retention::default()
    };
    let hold = Hold {
        id: 0,
        site: "cold-store".into(),
        from_ms: NOW_MS - 70 * DAY_MS,
        to_ms: None,
        reason: "r".into(),
        actor: "adm".into(),
        made_ms: NOW_MS,
    };
    let held = city.records.set_hold(&hold).await.expect("a hold");
    city.keep(retention).await;
    assert_eq!(left().await, 3);
    city.records
        .lift_hold(held, "adm", NOW_MS)
        .await
        .expect("a lifting");
    city.keep(retention).await;
    assert_eq!(left().await, 2);
    let (action, detail) = city.last_act().await;
    assert_eq!(
        (action.as_str(), &detail["class"]),
        ("retention", &"readings".into())
    );
}

async fn audited(city: &City) {
    for number in 0..10 {
        let entry = Entry {
            time_ms: if number < 6 { OLD_MS } else { NOW_MS - 1 },
            actor: "wang".into(),
            action: "export",
            subject: "tank-farm".into(),
            detail: serde_json::json!({ "number": number }),
        };
        city.records.audit(&entry).await.expect("an entry");
    }
}

const AUDIT: Retention = Retention {
    readings_months: None,
    rollups_months: None,
    alarms_months: None,
    audit_months: Some(1),
};

#[tokio::test]
async fn a_chain_whose_beginning_went_is_whole_and_says_so_itself() {
    let city = City::new().await;
    // The collector's key is told long ago, and signs before and after.
    let mut keeper = Keeper::open(&city.settings, city.records.clone()).expect("a key");
    keeper.keep(OLD_MS).await.expect("a head");
    audited(&city).await;
    keeper.keep(NOW_MS - 1).await.expect("a head");
    let taken = city.keep(AUDIT).await;
    assert_eq!(taken.audit_rows, 7);
    keeper.keep(NOW_MS).await.expect("a head");
    let kept = head::kept(&city.settings).expect("heads");
    let verdict = city.records.verify_audit_against(&kept).await;
    let verdict = verdict.expect("a verdict");
    assert_eq!((verdict.rows, verdict.fault), (5, None));

    // Who takes more, and sets the beginning to fit, is found: no entry tells of it.
    let more = "UPDATE audit_base SET seq = 9, hash = (SELECT hash FROM audit WHERE seq = 9); DELETE FROM audit WHERE seq <= 9";
    store::tamper(&city.settings, more).await;
    let found = city.records.verify_audit_against(&kept).await;
    assert_eq!(
        found.expect("a verdict").fault,
        Some(Fault::Missing { seq: 9 })
    );
    drop(city.folder);
}

#[tokio::test]
async fn a_hold_keeps_the_audit_log_from_its_beginning_on() {
    let city = City::new().await;
    let hold = Hold {
        id: 0,
        site: String::new(),
        from_ms: OLD_MS - DAY_MS,
        to_ms: None,
        reason: "r".into(),
        actor: "adm".into(),
        made_ms: NOW_MS,
    };
    city.records.set_hold(&hold).await.expect("a hold");
    audited(&city).await;
    assert_eq!(city.keep(AUDIT).await.audit_rows, 0);
}

/// A history that is away the first time that it is asked to forget.
struct Away {
    forgot: std::sync::Mutex<Vec<i64>>,
    is_away: std::sync::atomic::AtomicBool,
}

impl History for Away {
    fn commit(&self, _: Vec<PointReading>) -> BoxFuture<'_, Result<(), HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn series(&self, _: SeriesQuery) -> BoxFuture<'_, Result<Series, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn readings(
        &self,
        _: &str,
        _: &str,
        _: i64,
        _: i64,
        _: usize,
    ) -> BoxFuture<'_, Result<Vec<Reading>, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn latest(&self, _: &str) -> BoxFuture<'_, Result<Vec<(String, Reading)>, HistoryError>> {
        Box::pin(async { Err(HistoryError::Stopped) })
    }

    fn forget_before(&self, before_ms: i64) -> BoxFuture<'_, Result<(), HistoryError>> {
        let is_away = self.is_away.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            if is_away {
                return Err(HistoryError::Busy);
            }
            self.forgot.lock().expect("a lock").push(before_ms);
            Ok(())
        })
    }
}

#[tokio::test]
async fn months_that_a_history_could_not_forget_are_asked_to_go_again_and_told_once() {
    let city = City::new().await;
    let away = Away {
        forgot: std::sync::Mutex::default(),
        is_away: true.into(),
    };
    let retention = Retention {
        readings_months: Some(1),
        ..Retention::default()
    };
    let again = async || {
        enforce(
            &retention,
            &city.records,
            &away,
            &mut Reached::default(),
            NOW_MS,
        )
        .await
    };
    assert!(matches!(
        again().await.failed.as_slice(),
        [(
            "readings_months",
            RetentionError::History(HistoryError::Busy)
        )]
    ));
    assert!(again().await.failed.is_empty());
    // 2026-10-01T00:00:00Z: November and October stay.
    assert_eq!(*away.forgot.lock().expect("a lock"), [1_790_812_800_000]);
    let rows = city.records.audited(None, 100).await.expect("rows");
    let told = rows.iter().filter(|row| row.action == "retention");
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn a_class_that_fails_is_named_and_keeps_no_other_from_its_work() {
    let city = City::new().await;
    city.lines("tank-farm", over(1, "GT-1.H", OLD_MS)).await;
    let away = Away {
        forgot: std::sync::Mutex::default(),
        is_away: true.into(),
    };
    let all = Retention {
        readings_months: Some(1),
        rollups_months: Some(2),
        ..ALARMS
    };
    let round = enforce(&all, &city.records, &away, &mut Reached::default(), NOW_MS).await;
    assert!(
        matches!(round.failed.as_slice(), [("readings_months", _)]),
        "{round:?}"
    );
    assert!(round.taken.rollups_before_ms.is_some(), "{round:?}");
    assert_eq!(round.taken.alarm_rows, 4);
}

#[tokio::test]
async fn what_goes_in_several_transactions_is_told_with_each_of_them() {
    let city = City::new().await;
    let lines = (0..2_000).flat_map(|at| over(1 + at * 3, &format!("GT-{at}.H"), OLD_MS));
    city.lines("tank-farm", lines.collect()).await;
    let taken = city.keep(ALARMS).await;
    // Three lines and an occurrence of each.
    assert_eq!(taken.alarm_rows, 8_000);
    let rows = city.records.audited(None, 100).await.expect("rows");
    let told = rows.iter().filter(|row| row.action == "retention");
    let told: Vec<serde_json::Value> = told
        .map(|row| serde_json::from_str(&row.detail).expect("JSON"))
        .collect();
    let sum = |table: &str| {
        let all = told.iter().map(|one| one["rows"][table].as_u64());
        all.map(Option::unwrap_or_default).sum::<u64>()
    };
    assert_eq!(told.len(), 2);
    assert_eq!((sum("transitions"), sum("occurrences")), (6_000, 2_000));
}

#[tokio::test]
async fn rollups_stay_when_their_readings_go_and_go_at_their_own_time() {
    let city = City::new().await;
    let old_ms = OLD_MS.div_euclid(3_600_000) * 3_600_000;
    let readings = (0..3_600).map(|second| PointReading {
        site: "tank-farm".into(),
        point: "GT-1".into(),
        reading: Reading::measured(
            f64::from(second / 60),
            WallMs(old_ms + i64::from(second) * 1_000),
        ),
    });
    city.history
        .commit(readings.collect())
        .await
        .expect("a commit");
    let left = async || {
        let held = city
            .history
            .readings("tank-farm", "GT-1", 0, NOW_MS, 10_000);
        held.await.expect("readings").len()
    };
    let trend = async || {
        let asked = SeriesQuery {
            site: "tank-farm".into(),
            point: "GT-1".into(),
            from_ms: old_ms,
            to_ms: old_ms + 3_600_000,
            buckets: 60,
        };
        city.history.series(asked).await.expect("a trend")
    };
    let before = trend().await;
    assert_eq!((before.step_ms, before.buckets.len()), (60_000, 60));
    let minutes = async || {
        let held = city
            .history
            .minutes("tank-farm", "GT-1", old_ms, old_ms + 3_600_000);
        held.await.expect("minutes")
    };
    let of_minutes = minutes().await;
    let retention = |rollups_months| Retention {
        readings_months: Some(1),
        rollups_months: Some(rollups_months),
        ..Retention::default()
    };
    let taken = city.keep(retention(12)).await;
    assert!(taken.readings_before_ms.is_some());
    assert_eq!(left().await, 0);
    assert_eq!(trend().await, before);
    assert_eq!(minutes().await, of_minutes);
    assert_eq!(of_minutes.len(), 60);

    // What comes again for such an hour changes nothing that its rollups tell.
    let late = PointReading {
        site: "tank-farm".into(),
        point: "GT-1".into(),
        reading: Reading::measured(9_999.0, WallMs(old_ms + 30_500)),
    };
    city.history.commit(vec![late]).await.expect("a commit");
    city.history.seal().await.expect("a seal");
    assert_eq!(trend().await, before);
    assert_eq!(left().await, 0);

    city.keep(retention(2)).await;
    assert_eq!(trend().await.buckets, []);
    let (action, detail) = city.last_act().await;
    assert_eq!(
        (action.as_str(), &detail["class"]),
        ("retention", &"rollups".into())
    );
}
