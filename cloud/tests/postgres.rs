//! What PostgreSQL alone can do to the records: another order of texts, characters that it does not keep, connections that it cuts, collectors beside each
//! other. That it holds what SQLite holds is shown by the other suites, which run on both.

mod store;

use davy_cloud::audit::Entry;
use davy_cloud::records::{Records, RecordsError, StoreError};
use davy_cloud::settings::Postgres;

fn entry(actor: &str) -> Entry {
    Entry {
        time_ms: 7,
        actor: actor.to_owned(),
        action: "export",
        subject: "tank-farm".into(),
        detail: serde_json::json!({}),
    }
}

async fn connect(database: &Postgres) -> Records {
    Records::connect(database, 0).await.expect("records")
}

#[tokio::test]
async fn a_database_that_does_not_sort_by_bytes_is_refused() {
    let database = store::database("LOCALE_PROVIDER icu ICU_LOCALE 'en'").await;
    let refused = Records::connect(&database, 0).await;
    assert!(
        matches!(refused, Err(RecordsError::Store(StoreError::Order))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let database = Postgres {
        port: 1,
        ..store::database(store::BYTES).await
    };
    let refused = Records::connect(&database, 0).await.expect_err("no server");
    let said = refused.to_string();
    assert!(
        said.contains(&format!(":1/{}", database.database)),
        "{said}"
    );
}

#[tokio::test]
async fn a_character_that_it_does_not_keep_is_replaced_and_the_chain_stays_whole() {
    let records = connect(&store::database(store::BYTES).await).await;
    records.audit(&entry("wa\0ng")).await.expect("an entry");
    let verdict = records.verify_audit().await.expect("a verdict");
    assert_eq!((verdict.rows, verdict.fault), (1, None));
    let rows = records.audited(None, 1).await.expect("rows");
    assert_eq!(rows[0].actor, "wa\u{2400}ng");
}

#[tokio::test]
async fn collectors_that_start_and_write_at_once_share_one_schema_and_one_chain() {
    const COLLECTORS: usize = 4;
    const ENTRIES: usize = 25;
    let database = store::database(store::BYTES).await;
    let each = (0..COLLECTORS).map(|collector| {
        let database = database.clone();
        tokio::spawn(async move {
            let records = connect(&database).await;
            for _ in 0..ENTRIES {
                let entry = entry(&collector.to_string());
                records.audit(&entry).await.expect("an entry");
            }
        })
    });
    for collector in each.collect::<Vec<_>>() {
        collector.await.expect("a collector");
    }
    let verdict = connect(&database).await.verify_audit().await;
    let verdict = verdict.expect("a verdict");
    let all = (COLLECTORS * ENTRIES) as i64;
    assert_eq!((verdict.rows, verdict.fault), (all, None));
}

#[tokio::test]
async fn connections_that_are_cut_are_made_anew() {
    let database = store::database(store::BYTES).await;
    let records = connect(&database).await;
    records.audit(&entry("before")).await.expect("an entry");
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
        database.database
    );
    store::ask(&store::server(), "postgres", &cut).await;
    records.audit(&entry("after")).await.expect("an entry");
    let verdict = records.verify_audit().await.expect("a verdict");
    assert_eq!((verdict.rows, verdict.fault), (2, None));
}
