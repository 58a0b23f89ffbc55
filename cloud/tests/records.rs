//! The records on a real store: idempotent commits, derived occurrences, gaps, pages.

mod store;

use davy_alarm::{Cause, Priority, Shown};
use davy_cloud::records::{
    Batch, BornAlarm, DeviceBirth, GapFilter, Line, NodeBirth, Occurrence, OccurrenceFilter,
    Offset, Records, Sample, Scope, Text,
};
use proptest::prelude::*;

const ALL_GAPS: GapFilter<'static> = GapFilter {
    scope: &Scope::All,
    site: None,
    town: None,
    from_ms: 0,
    to_ms: i64::MAX,
    after: None,
};

const STREAM: u64 = 0xfeed_0000_0000_0001;

async fn records() -> (tempfile::TempDir, Records) {
    let folder = tempfile::tempdir().expect("a folder");
    let records = store::records(folder.path(), 0).await;
    (folder, records)
}

async fn born(records: &Records, edge: &str, at_ms: i64) -> String {
    let model = r#"{"points":[{"id":"GT-101","name":{"zh":"一号罐","en":"Tank 1"},"area":"tank-1","device":"GD-01","unit":"%LEL"}]}"#;
    let birth = NodeBirth {
        group: "davy".into(),
        edge: edge.into(),
        received_ms: at_ms,
        bd_seq: Some(1),
        name: Text {
            zh: "罐区".into(),
            en: "Tank farm".into(),
        },
        version: "0.1.0".into(),
        digest: "d".into(),
        model: Some(model.into()),
        stream: Some(STREAM),
        payload: vec![1, 2, 3],
    };
    records.node_born(&birth).await.expect("a birth")
}

fn line(seq: u64, alarm: &str, occurrence: u32, states: (Shown, Shown), cause: Cause) -> Line {
    Line {
        seq,
        alarm: alarm.into(),
        occurrence,
        from: states.0,
        to: states.1,
        cause,
        time_ms: seq as i64 * 1_000,
        value: Some(50.0 + seq as f64),
        value_cause: None,
        limit: Some(50.0),
        priority: Priority::P1,
        actor: (cause == Cause::Acknowledge).then(|| "wang".to_owned()),
        reason: None,
        shelved_until_ms: None,
        command: None,
    }
}

/// Two occurrences of one alarm: raised, acknowledged, cleared; raised, and re-alarmed after its acknowledgement.
fn tale() -> Vec<Line> {
    use Shown::{Acknowledged as Acked, Normal as Norm, Unacknowledged as Unack};
    let alarm = "GT-101.HH";
    vec![
        line(1, alarm, 1, (Norm, Unack), Cause::Active),
        line(2, alarm, 1, (Unack, Acked), Cause::Acknowledge),
        line(3, alarm, 1, (Acked, Norm), Cause::Clear),
        line(4, alarm, 2, (Norm, Unack), Cause::Active),
        line(5, alarm, 2, (Unack, Acked), Cause::Acknowledge),
        line(6, alarm, 3, (Acked, Unack), Cause::ReAlarm),
    ]
}

fn batch(site: &str, offset: u64, lines: Vec<Line>) -> Batch {
    Batch {
        site: site.into(),
        offset: Offset::new(STREAM, offset),
        received_ms: 100_000,
        newest_ms: lines.iter().map(|line| line.time_ms).max().unwrap_or(0),
        lines,
        late_after_ms: 95_000,
        samples: vec![],
        entries: vec![],
        aside: None,
        again: false,
    }
}

fn every(limit: u32) -> OccurrenceFilter {
    OccurrenceFilter {
        scope: Scope::All,
        site: None,
        town: None,
        conditions: vec![],
        priorities: vec![],
        from_ms: 0,
        to_ms: i64::MAX,
        unacknowledged_over_ms: None,
        now_ms: 200_000,
        after: None,
        limit,
    }
}

async fn occurrences(records: &Records) -> Vec<Occurrence> {
    records.occurrences(&every(100)).await.expect("an answer")
}

#[tokio::test]
async fn an_occurrence_is_told_by_its_transitions() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    records
        .commit(&[batch(&site, 1, tale())])
        .await
        .expect("a commit");
    let told = occurrences(&records).await;
    let story = |at: usize| {
        let one: &Occurrence = &told[at];
        (
            one.occurrence,
            one.raised_ms,
            one.acknowledged_ms,
            one.cleared_ms,
            one.peak,
        )
    };
    assert_eq!(story(2), (1, 1_000, Some(2_000), Some(3_000), Some(53.0)));
    assert_eq!(
        story(1),
        (2, 4_000, Some(5_000), Some(6_000), Some(55.0)),
        "a re-alarm ends the one before"
    );
    assert_eq!(story(0), (3, 6_000, None, None, Some(56.0)));
    assert_eq!(told[0].subject.name.zh, "一号罐");
    assert_eq!(told[2].acknowledged_by.as_deref(), Some("wang"));
    assert_eq!(
        (told[2].late, told[0].late),
        (true, false),
        "99 s and 94 s on the way"
    );
}

#[tokio::test]
async fn a_batch_committed_again_changes_nothing_and_says_so() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let first = records
        .commit(&[batch(&site, 7, tale())])
        .await
        .expect("a commit");
    let before = occurrences(&records).await;
    let again = records
        .commit(&[batch(&site, 7, tale())])
        .await
        .expect("a commit");
    assert_eq!((first[0].duplicate, first[0].transitions.len()), (false, 6));
    assert_eq!((again[0].duplicate, again[0].transitions.len()), (true, 0));
    assert_eq!(occurrences(&records).await, before);
}

#[tokio::test]
async fn a_line_that_comes_in_two_batches_is_kept_once() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let commits = [batch(&site, 1, tale()), batch(&site, 2, tale())];
    let outcomes = records.commit(&commits).await.expect("a commit");
    assert_eq!(
        (outcomes[0].transitions.len(), outcomes[1].transitions.len()),
        (6, 0)
    );
}

#[tokio::test]
async fn the_present_alarm_is_what_the_newest_line_says() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let outcome = records
        .commit(&[batch(&site, 1, tale())])
        .await
        .expect("a commit");
    let alarm = &outcome[0].alarms[0];
    assert_eq!(
        (alarm.state, alarm.active, alarm.occurrence),
        (Shown::Unacknowledged, true, 3)
    );
    assert_eq!(
        (alarm.raised_ms, alarm.value_then, alarm.seq),
        (Some(6_000), Some(56.0), 6)
    );
    assert_eq!(
        records
            .standing_alarms(&Scope::All)
            .await
            .expect("an answer")
            .len(),
        1
    );
}

#[tokio::test]
async fn an_older_line_that_arrives_late_does_not_move_the_present_state() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let mut tale = tale();
    let newest = tale.split_off(3);
    records
        .commit(&[batch(&site, 2, newest)])
        .await
        .expect("a commit");
    records
        .commit(&[batch(&site, 1, tale)])
        .await
        .expect("a commit");
    let alarm = records
        .alarm(&site, "GT-101.HH")
        .await
        .expect("an answer")
        .expect("the alarm");
    assert_eq!(
        (alarm.state, alarm.seq, alarm.occurrence),
        (Shown::Unacknowledged, 6, 3)
    );
}

#[tokio::test]
async fn readings_while_it_was_active_raise_the_peak_and_others_do_not() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let sample = |time_ms, value| Sample {
        point: "GT-101".into(),
        time_ms,
        value,
    };
    let mut one = batch(&site, 1, tale()[..3].to_vec());
    one.samples = vec![sample(500, 99.0), sample(2_500, 61.0), sample(3_500, 98.0)];
    records.commit(&[one]).await.expect("a commit");
    assert_eq!(occurrences(&records).await[0].peak, Some(61.0));
}

#[tokio::test]
async fn a_birth_brings_a_state_that_no_line_told_and_an_old_one_does_not() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let birth = |state, seq, changed_ms| DeviceBirth {
        site: site.clone(),
        device: "GD-01".into(),
        received_ms: 1_000,
        stream: Some(STREAM),
        alarms: vec![BornAlarm {
            alarm: "GT-101.HH".into(),
            state,
            changed_ms,
            seq: Some(seq),
            occurrence: Some(4),
            value: None,
            value_cause: None,
            limit: Some(50.0),
            priority: Priority::P1,
        }],
        payload: vec![],
    };
    records
        .commit(&[batch(&site, 1, tale())])
        .await
        .expect("a commit");
    let older = records
        .device_born(&birth(Shown::Acknowledged, 5, 5_000))
        .await
        .expect("a birth");
    assert_eq!(older, []);
    let newer = records
        .device_born(&birth(Shown::Acknowledged, 9, 9_000))
        .await
        .expect("a birth");
    assert_eq!(
        (newer[0].state, newer[0].occurrence),
        (Shown::Acknowledged, 4)
    );
}

#[tokio::test]
async fn an_outage_is_a_gap_until_everything_before_its_end_has_arrived() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    records
        .commit(&[batch(&site, 1, vec![])])
        .await
        .expect("a commit");
    assert!(
        records
            .node_died(&site, Some(1), 110_000)
            .await
            .expect("a death")
    );
    let gaps = async || records.gaps(&ALL_GAPS).await.expect("an answer").gaps;
    assert_eq!(gaps().await[0].to_ms, None);
    let after = |offset, newest_ms| Batch {
        received_ms: 200_000,
        newest_ms,
        ..batch(&site, offset, vec![])
    };
    records
        .commit(&[after(9, 199_000)])
        .await
        .expect("a live batch first");
    assert_eq!(
        (gaps().await[0].from_ms, gaps().await[0].to_ms),
        (100_000, Some(200_000))
    );
    records
        .commit(&[after(10, 201_000)])
        .await
        .expect("a live batch");
    assert_eq!(gaps().await.len(), 1, "offsets 2 to 8 are still missing");
    let backlog: Vec<_> = (2..=8).map(|offset| after(offset, 150_000)).collect();
    records.commit(&backlog).await.expect("the backlog");
    records
        .commit(&[after(11, 202_000)])
        .await
        .expect("a live batch");
    assert_eq!(gaps().await, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn batches_committed_together_end_as_batches_committed_one_by_one(
        offsets in prop::collection::vec((0..2_usize, 1..12_u64, any::<bool>()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (together, apart) = runtime.block_on(both_ways(&offsets));
        prop_assert_eq!(together, apart);
    }
}

/// The outcomes and gaps of the same batches committed together, and one by one: of two sites that were away, some with a line.
async fn both_ways(offsets: &[(usize, u64, bool)]) -> (String, String) {
    let mut told = Vec::new();
    for most_together in [offsets.len(), 1] {
        let (_folder, records) = records().await;
        let mut sites = Vec::new();
        for edge in ["tank-farm", "cold-store"] {
            sites.push(born(&records, edge, 0).await);
            records
                .node_died(&sites[sites.len() - 1], Some(1), 5_000)
                .await
                .expect("a death");
        }
        let batches: Vec<Batch> = (1..)
            .zip(offsets)
            .map(|(seq, (site, offset, has_line))| {
                let (active, from) = (Cause::Active, Shown::Normal);
                let raised = line(
                    seq,
                    "GT-101.HH",
                    seq as u32,
                    (from, Shown::Unacknowledged),
                    active,
                );
                let sample = Sample {
                    point: "GT-101".into(),
                    time_ms: seq as i64 * 1_000,
                    value: 60.0 + *offset as f64,
                };
                Batch {
                    received_ms: 100_000 + seq as i64,
                    newest_ms: 90_000 + *offset as i64 * 1_000,
                    samples: vec![sample],
                    ..batch(
                        &sites[*site],
                        *offset,
                        if *has_line { vec![raised] } else { vec![] },
                    )
                }
            })
            .collect();
        let mut outcomes = Vec::new();
        for some in batches.chunks(most_together) {
            outcomes.extend(records.commit(some).await.expect("a commit"));
        }
        let flags = outcomes
            .iter()
            .map(|one| (one.duplicate, one.back, one.transitions.len()));
        let gaps = records.gaps(&ALL_GAPS).await.expect("an answer").gaps;
        told.push(format!(
            "{:?} {gaps:?} {:?}",
            flags.collect::<Vec<_>>(),
            occurrences(&records).await
        ));
    }
    let apart = told.pop().unwrap_or_default();
    (told.pop().unwrap_or_default(), apart)
}

#[tokio::test]
async fn a_death_of_an_older_session_is_no_death() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    assert!(
        !records
            .node_died(&site, Some(0), 1_000)
            .await
            .expect("a death")
    );
    assert!(
        records
            .node_died(&site, Some(1), 1_000)
            .await
            .expect("a death")
    );
    assert!(
        !records
            .node_died(&site, Some(1), 2_000)
            .await
            .expect("a second death")
    );
}

#[tokio::test]
async fn two_groups_with_one_edge_name_are_two_sites() {
    let (_folder, records) = records().await;
    let ours = born(&records, "tank-farm", 0).await;
    let mut birth = NodeBirth {
        group: "other".into(),
        edge: "tank-farm".into(),
        received_ms: 1,
        bd_seq: None,
        name: Text::default(),
        version: String::new(),
        digest: String::new(),
        model: None,
        stream: None,
        payload: vec![],
    };
    let theirs = records.node_born(&birth).await.expect("a birth");
    assert_eq!(
        (ours.as_str(), theirs.as_str()),
        ("tank-farm", "other.tank-farm")
    );
    birth.received_ms = 2;
    assert_eq!(
        records.node_born(&birth).await.expect("a birth again"),
        theirs
    );
    assert_eq!(
        records.births("other", "tank-farm").await.expect("births")[0].received_ms,
        2
    );
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_rows_arrive() {
    let (_folder, records) = records().await;
    let site = born(&records, "tank-farm", 0).await;
    let raise = |seq| {
        line(
            seq,
            &format!("P-{seq}.H"),
            1,
            (Shown::Normal, Shown::Unacknowledged),
            Cause::Active,
        )
    };
    let lines = (1..=50).map(raise).collect();
    records
        .commit(&[batch(&site, 1, lines)])
        .await
        .expect("a commit");
    let mut seen = Vec::new();
    let mut filter = every(7);
    for offset in 2.. {
        let page = records.occurrences(&filter).await.expect("a page");
        let Some(last) = page.last() else { break };
        filter.after = Some(last.key());
        seen.extend(page.iter().map(|one| one.raised_ms));
        records
            .commit(&[batch(&site, offset, vec![raise(100 + offset)])])
            .await
            .expect("a commit meanwhile");
    }
    let expected: Vec<_> = (1..=50).rev().map(|seq| seq * 1_000).collect();
    assert_eq!(seen, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn occurrences_are_the_same_in_whatever_order_and_however_often_lines_come(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        doubled in proptest::collection::vec(any::<bool>(), 6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (_folder, records) = records().await;
            let site = born(&records, "tank-farm", 0).await;
            let (_other_folder, straight) = self::records().await;
            born(&straight, "tank-farm", 0).await;
            straight.commit(&[batch(&site, 1, tale())]).await.expect("a commit");
            for (at, which) in order.iter().enumerate() {
                let one = vec![tale()[*which].clone()];
                records.commit(&[batch(&site, 2 * at as u64, one.clone())]).await.expect("a commit");
                if doubled[at] {
                    records.commit(&[batch(&site, 2 * at as u64 + 1, one)]).await.expect("a commit");
                }
            }
            assert_eq!(occurrences(&records).await, occurrences(&straight).await);
            let standing = async |records: &Records| records.standing_alarms(&Scope::All).await.expect("alarms");
            assert_eq!(standing(&records).await, standing(&straight).await);
        });
    }
}
