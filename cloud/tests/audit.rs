//! Whoever alters, takes or puts a row in the database is found, and the row is named.

mod store;

use davy_cloud::audit::head::{self, Head, Keeper};
use davy_cloud::audit::{Audited, Entry, Fault, Verdict};
use davy_cloud::records::Records;
use davy_cloud::settings::Settings;

/// A log of ten rows, after a hand on the database itself.
async fn after(tampering: &str) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = store::settings(folder.path()).await;
    let records = Records::of(&settings, 0).await.expect("records");
    for number in 0..10 {
        records.audit(&entry(number)).await.expect("an entry");
    }
    store::tamper(&settings, tampering).await;
    records.verify_audit().await.expect("a verdict")
}

async fn fault(tampering: &str) -> Option<Fault> {
    after(tampering).await.fault
}

#[tokio::test]
async fn an_untouched_log_is_whole() {
    assert_eq!(
        after("").await,
        Verdict {
            rows: 10,
            signed_to: 0,
            fault: None
        }
    );
}

#[tokio::test]
async fn a_row_changed_in_any_field_is_named() {
    for change in [
        "time_ms = 99",
        "actor = 'li'",
        "action = 'login'",
        "subject = 'x'",
        "detail = '{}'",
        "hash = 'x'",
    ] {
        let tampering = format!("UPDATE audit SET {change} WHERE seq = 4");
        assert_eq!(
            fault(&tampering).await,
            Some(Fault::Altered { seq: 4 }),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_row_taken_out_is_named() {
    assert_eq!(
        fault("DELETE FROM audit WHERE seq = 4").await,
        Some(Fault::Missing { seq: 4 })
    );
    assert_eq!(
        fault("DELETE FROM audit WHERE seq = 1").await,
        Some(Fault::Missing { seq: 1 })
    );
}

#[tokio::test]
async fn rows_taken_from_the_end_are_named() {
    assert_eq!(
        fault("DELETE FROM audit WHERE seq > 7").await,
        Some(Fault::Missing { seq: 8 })
    );
    assert_eq!(
        fault("DELETE FROM audit").await,
        Some(Fault::Missing { seq: 1 })
    );
}

#[tokio::test]
async fn a_row_put_in_is_named() {
    let copied = "INSERT INTO audit SELECT 11, time_ms, actor, action, subject, detail, hash FROM audit WHERE seq = 10";
    assert_eq!(fault(copied).await, Some(Fault::Inserted { seq: 11 }));
    let between = "UPDATE audit SET seq = seq + 100 WHERE seq > 4; UPDATE audit SET seq = seq - 99 WHERE seq > 100;
        INSERT INTO audit VALUES (5, 0, 'x', 'x', 'x', '{}', 'x');";
    assert_eq!(fault(between).await, Some(Fault::Altered { seq: 5 }));
}

/// Ten rows and a signed head over them: the log, and the hand that the tests need.
struct Signed {
    folder: tempfile::TempDir,
    settings: Settings,
    records: Records,
    head: Head,
}

const DAY_MS: i64 = 86_400_000;

impl Signed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = store::settings(folder.path()).await;
        let records = Records::of(&settings, 0).await.expect("records");
        for number in 0..10 {
            records.audit(&entry(number)).await.expect("an entry");
        }
        let head = sign(&settings, &records, 1_000).await;
        Self {
            folder,
            settings,
            records,
            head,
        }
    }

    async fn fault_after(&self, tampering: &str) -> Option<Fault> {
        store::tamper(&self.settings, tampering).await;
        let kept = head::kept(&self.settings).expect("heads");
        let verdict = self.records.verify_audit_against(&kept).await;
        verdict.expect("a verdict").fault
    }

    /// The statements that write the log anew with another actor in a row, every hash as it must be.
    async fn written_anew(&self, seq: i64) -> String {
        let mut rows = self.records.audited(None, 100).await.expect("rows");
        rows.reverse();
        let mut statements = String::new();
        let mut before = String::new();
        for row in &mut rows {
            if row.seq == seq {
                row.actor = "li".into();
            }
            row.hash = hash(&before, row);
            before = row.hash.clone();
            statements += &format!(
                "UPDATE audit SET actor = '{}', hash = '{}' WHERE seq = {};",
                row.actor, row.hash, row.seq
            );
        }
        statements + &format!("UPDATE audit_head SET hash = '{before}'")
    }
}

fn entry(number: i64) -> Entry {
    Entry {
        time_ms: number,
        actor: "wang".into(),
        action: "export",
        subject: "tank-farm".into(),
        detail: serde_json::json!({ "rows": number }),
    }
}

async fn sign(settings: &Settings, records: &Records, now_ms: i64) -> Head {
    let mut keeper = Keeper::open(settings, records.clone()).expect("a key");
    keeper.keep(now_ms).await.expect("a head")
}

/// As `audit/mod.rs` says.
fn hash(before: &str, row: &Audited) -> String {
    let mut bytes = before.as_bytes().to_vec();
    bytes.extend((row.seq as u64).to_le_bytes());
    bytes.extend(row.time_ms.to_le_bytes());
    for field in [&row.actor, &row.action, &row.subject, &row.detail] {
        bytes.extend((field.len() as u32).to_le_bytes());
        bytes.extend(field.as_bytes());
    }
    davy_print::sha256(&bytes)
}

#[tokio::test]
async fn a_log_that_was_written_anew_with_fitting_hashes_is_found_by_its_signed_head() {
    let signed = Signed::new().await;
    // The key's own row is the eleventh.
    assert_eq!(signed.head.seq, 11);
    assert_eq!(signed.fault_after("").await, None);
    let anew = signed.written_anew(4).await;
    let found = signed.fault_after(&anew).await;
    assert_eq!(found, Some(Fault::Rewritten { from: 1, to: 11 }));
}

#[tokio::test]
async fn a_later_days_head_narrows_where_the_log_was_written_anew() {
    let signed = Signed::new().await;
    signed.records.audit(&entry(11)).await.expect("an entry");
    sign(&signed.settings, &signed.records, DAY_MS).await;
    let anew = signed.written_anew(12).await;
    let found = signed.fault_after(&anew).await;
    assert_eq!(found, Some(Fault::Rewritten { from: 12, to: 12 }));
}

#[tokio::test]
async fn rows_taken_from_the_end_with_the_chains_end_and_its_heads_are_named() {
    let signed = Signed::new().await;
    let cut = "DELETE FROM audit WHERE seq > 7; DELETE FROM audit_heads; \
        UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit WHERE seq = 7)";
    assert_eq!(
        signed.fault_after(cut).await,
        Some(Fault::Missing { seq: 8 })
    );
}

#[tokio::test]
async fn a_head_that_was_altered_put_in_or_taken_away_is_named() {
    let named = |seq| Fault::Forged {
        seq,
        made_ms: 1_000,
    };
    let altered = Signed::new().await;
    let found = altered.fault_after("UPDATE audit_heads SET seq = 5").await;
    assert_eq!(found, Some(named(5)));

    let gone = Signed::new().await;
    let found = gone.fault_after("DELETE FROM audit_heads").await;
    let seq = 11;
    let made_ms = 1_000;
    assert_eq!(found, Some(Fault::HeadGone { seq, made_ms }));

    // Another's key signs what fits, but the chain never knew it.
    let put_in = Signed::new().await;
    let elsewhere = Signed::new().await;
    let row = elsewhere.head;
    let forger = davy_print::Key::open(&elsewhere.folder.path().join("data/key")).expect("a key");
    let body = format!(
        "davy audit head 1\nkey {}\nseq {}\nhash {}\nmade_ms 1000\n",
        row.public, put_in.head.seq, put_in.head.hash
    );
    let signature = forger.sign(body.as_bytes());
    let forged = format!(
        "INSERT INTO audit_heads (public_key, day, seq, hash, made_ms, signature) VALUES ('{}', 0, 11, '{}', 1000, '{signature}')",
        row.public, put_in.head.hash
    );
    assert_eq!(put_in.fault_after(&forged).await, Some(named(11)));
}

#[tokio::test]
async fn a_row_altered_under_a_signed_head_is_still_named_alone() {
    let signed = Signed::new().await;
    let found = signed
        .fault_after("UPDATE audit SET detail = '{}' WHERE seq = 9")
        .await;
    assert_eq!(found, Some(Fault::Altered { seq: 9 }));
}

#[tokio::test]
async fn collectors_that_start_again_and_beside_each_other_sign_one_chain() {
    let signed = Signed::new().await;
    let other = tempfile::tempdir().expect("a folder");
    let beside = Settings {
        data: other.path().to_owned(),
        ..signed.settings.clone()
    };
    let first = sign(&beside, &signed.records, 2_000).await;
    assert_ne!(first.public, signed.head.public);
    let again = sign(&signed.settings, &signed.records, 3_000).await;
    assert_eq!(
        (again.public, again.seq),
        (signed.head.public.clone(), first.seq)
    );
    let verdict = signed.records.verify_audit_against(&[first]).await;
    let verdict = verdict.expect("a verdict");
    assert_eq!((verdict.fault, verdict.signed_to), (None, 12));
}

#[tokio::test]
async fn a_head_is_signed_once_a_day_even_where_nothing_happened_and_not_twice_for_the_same() {
    let signed = Signed::new().await;
    let records = signed.records.clone();
    let mut keeper = Keeper::open(&signed.settings, records).expect("a key");
    let first = keeper.keep(2_000).await.expect("a head");
    assert_eq!(keeper.keep(3_000).await.expect("a head"), first);
    let next = keeper.keep(DAY_MS + 5).await.expect("a head");
    assert_eq!((next.seq, next.made_ms), (11, DAY_MS + 5));
    assert_eq!(head::kept(&signed.settings).expect("heads").len(), 2);
}
