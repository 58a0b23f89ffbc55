//! Whoever alters, takes or puts a row in the database is found, and the row is named.

mod store;

use davy_cloud::audit::{Entry, Fault, Verdict};
use davy_cloud::records::Records;

/// A log of ten rows, after a hand on the database itself.
async fn after(tampering: &str) -> Verdict {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = store::settings(folder.path()).await;
    let records = Records::of(&settings, 0).await.expect("records");
    for number in 0..10 {
        let entry = Entry {
            time_ms: number,
            actor: "wang".into(),
            action: "export",
            subject: "tank-farm".into(),
            detail: serde_json::json!({ "rows": number }),
        };
        records.audit(&entry).await.expect("an entry");
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
