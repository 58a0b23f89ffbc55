//! Where the tests keep their records: a file in the test's folder or, with `DAVY_TEST_RECORDS=postgresql`, a database of its own on the server that
//! `DAVY_POSTGRES` names (`127.0.0.1:port`, user `davy`, no password). `cargo xtask test` starts one and runs the same tests on both.

#![allow(dead_code, reason = "each test takes what it needs")]

use davy_cloud::records::Records;
use davy_cloud::settings::{Postgres, Settings, Store};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static MADE: AtomicU32 = AtomicU32::new(0);

/// Address and port of the server.
pub(crate) fn server() -> String {
    std::env::var("DAVY_POSTGRES")
        .expect("DAVY_POSTGRES names a PostgreSQL server: run `cargo xtask test`")
}

/// The order that Davy asks for.
pub(crate) const BYTES: &str = "LC_COLLATE 'C' LC_CTYPE 'C'";

/// A new, empty database of this order.
pub(crate) async fn database(order: &str) -> Postgres {
    let server = server();
    let (host, port) = server.rsplit_once(':').expect("address:port");
    let database = format!("t{}_{}", std::process::id(), MADE.fetch_add(1, Relaxed));
    let make = format!("CREATE DATABASE {database} TEMPLATE template0 {order} ENCODING 'UTF8'");
    ask(&server, "postgres", &make).await;
    Postgres {
        host: host.to_owned(),
        port: port.parse().expect("a port"),
        database,
        username: "davy".to_owned(),
        password_file: None,
    }
}

/// The table `[records]` of a new, empty store; empty for the embedded one.
pub(crate) async fn table() -> String {
    if std::env::var("DAVY_TEST_RECORDS").is_err() {
        return String::new();
    }
    table_of(&database(BYTES).await)
}

/// The table `[records]` of this database.
pub(crate) fn table_of(database: &Postgres) -> String {
    let Postgres {
        host,
        port,
        database,
        ..
    } = database;
    format!(
        "[records]\nkind = \"postgresql\"\nhost = \"{host}\"\nport = {port}\ndatabase = \"{database}\"\n"
    )
}

/// Settings with such a store in this folder.
pub(crate) async fn settings(folder: &Path) -> Settings {
    let records = table().await;
    let text = format!(
        "listen = \"127.0.0.1:0\"\n{records}[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::create_dir_all(folder.join("data")).expect("a folder");
    Settings::parse(&text, folder).expect("valid settings")
}

/// Records in a store of their own.
pub(crate) async fn records(folder: &Path, now_ms: i64) -> Records {
    let settings = settings(folder).await;
    Records::of(&settings, now_ms).await.expect("records")
}

/// A hand on the database itself, past Davy: statements parted by `;`.
pub(crate) async fn tamper(settings: &Settings, statements: &str) {
    match &settings.records {
        Store::Embedded => {
            let hand = rusqlite::Connection::open(settings.records_file()).expect("the file");
            hand.execute_batch(statements).expect("a tampering");
        }
        Store::Postgres(Postgres {
            host,
            port,
            database,
            ..
        }) => ask(&format!("{host}:{port}"), database, statements).await,
    }
}

/// Runs statements in a database, past Davy.
pub(crate) async fn ask(server: &str, database: &str, statements: &str) {
    use sqlx::Connection as _;
    let url = format!("postgresql://davy@{server}/{database}");
    let mut hand = sqlx::PgConnection::connect(&url).await.expect("the server");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
        .execute(&mut hand)
        .await
        .expect("statements");
    hand.close().await.expect("an end");
}
