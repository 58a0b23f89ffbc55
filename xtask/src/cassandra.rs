//! Three Cassandra nodes for the tests, on three loopback addresses: fetched once by Maven, kept outside the repository by their version, run on a small heap in
//! a folder of their own, and ended by their ids when the value goes.

use crate::run::{check, step};
use crate::{machine, ports};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const VERSION: &str = "5.0.5";
const NODES: u8 = 3;
/// Longest that a node may take to join.
const START_LIMIT: Duration = Duration::from_secs(240);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What Java 17 must let Cassandra see of itself.
const EXPORTS: [&str; 6] = [
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
];
const OPENS: [&str; 15] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
];

/// A running cluster.
pub(crate) struct Cluster {
    nodes: Vec<Child>,
    folder: PathBuf,
    native_port: u16,
}

/// The jars, fetched where they are not there yet.
fn jars() -> Result<PathBuf> {
    let home = machine::cache()?.join(format!("cassandra-{VERSION}"));
    let (jars, done) = (home.join("lib"), home.join(".complete"));
    if done.exists() {
        return Ok(jars);
    }
    for program in ["java", "mvn"] {
        let mut asked = Command::new(program);
        check(
            asked
                .arg("-version")
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
        .with_context(|| format!("{program} is missing"))?;
    }
    step(&format!("Cassandra {VERSION}: fetched once"));
    std::fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
    let pom = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>davy</groupId><artifactId>cassandra</artifactId><version>1</version><dependencies><dependency>\
         <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>{VERSION}</version>\
         </dependency></dependencies></project>"
    );
    std::fs::write(home.join("pom.xml"), pom)?;
    check(
        Command::new("mvn")
            .args(["-q", "-B", "dependency:copy-dependencies"])
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .current_dir(&home)
            .stdout(std::io::stderr()),
    )?;
    std::fs::write(&done, "")?;
    Ok(jars)
}

impl Cluster {
    /// Starts the nodes one after the other, as they must join.
    pub(crate) fn start() -> Result<Self> {
        let jars = jars()?;
        let folder = std::env::temp_dir().join(format!("davy-cassandra-{}", std::process::id()));
        let mut started = Self {
            nodes: Vec::new(),
            folder,
            native_port: ports::free()?,
        };
        let storage_port = ports::free()?;
        for number in 1..=NODES {
            started.join(number, storage_port, &jars)?;
        }
        Ok(started)
    }

    fn join(&mut self, number: u8, storage_port: u16, jars: &Path) -> Result<()> {
        let home = self.folder.join(number.to_string());
        std::fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
        let settings = home.join("cassandra.yaml");
        std::fs::write(
            &settings,
            yaml(number, &home, storage_port, self.native_port),
        )?;
        let log = home.join("log");
        let out = File::create(&log)?;
        let mut java = Command::new("java");
        for export in EXPORTS {
            java.arg(format!("--add-exports={export}=ALL-UNNAMED"));
        }
        for open in OPENS {
            java.arg(format!("--add-opens={open}=ALL-UNNAMED"));
        }
        let node = java
            .args([
                "-Xms256m",
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg(format!("-Dcassandra.config=file://{}", settings.display()))
            .arg(format!("-Dcassandra.storagedir={}", home.display()))
            .arg(format!("-Dcassandra.jmx.local.port={}", ports::free()?))
            .arg("-Dcassandra.ring_delay_ms=2000")
            .arg("-cp")
            .arg(format!("{}/*", jars.display()))
            .arg("org.apache.cassandra.service.CassandraDaemon")
            .current_dir(&home)
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()
            .context("cannot start Cassandra")?;
        self.nodes.push(node);
        self.wait(number, &log)
    }

    /// Waits until the node that was started last has joined: then it listens.
    fn wait(&mut self, number: u8, log: &Path) -> Result<()> {
        let address = (Ipv4Addr::new(127, 0, 0, number), self.native_port);
        let node = self.nodes.last_mut().context("a node was started")?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = node.try_wait()? {
                bail!("a Cassandra node ended with {status}: {}", tail(log));
            }
            if began.elapsed() > START_LIMIT {
                bail!("a Cassandra node does not join: {}", tail(log));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// The nodes, for `DAVY_CASSANDRA`.
    pub(crate) fn addresses(&self) -> String {
        let node = |number| format!("127.0.0.{number}:{}", self.native_port);
        (1..=NODES).map(node).collect::<Vec<_>>().join(",")
    }

    /// The process ids of all nodes, with commas between.
    pub(crate) fn processes(&self) -> String {
        let ids = self.nodes.iter().map(|node| node.id().to_string());
        ids.collect::<Vec<_>>().join(",")
    }

    /// The process of the node that a test may kill, for `DAVY_CASSANDRA_VICTIM`: not the seed.
    pub(crate) fn victim(&self) -> String {
        self.nodes
            .last()
            .map_or_else(String::new, |node| node.id().to_string())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn yaml(number: u8, home: &Path, storage_port: u16, native_port: u16) -> String {
    let home = home.display();
    format!(
        "cluster_name: davy\n\
         num_tokens: 4\n\
         partitioner: org.apache.cassandra.dht.Murmur3Partitioner\n\
         commitlog_sync: periodic\n\
         commitlog_sync_period: 1000ms\n\
         commitlog_disk_access_mode: legacy\n\
         endpoint_snitch: SimpleSnitch\n\
         seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n    parameters:\n      - seeds: \"127.0.0.1\"\n\
         storage_port: {storage_port}\n\
         native_transport_port: {native_port}\n\
         listen_address: 127.0.0.{number}\n\
         rpc_address: 127.0.0.{number}\n\
         data_file_directories: [ {home}/data ]\n\
         commitlog_directory: {home}/commitlog\n\
         saved_caches_directory: {home}/saved_caches\n\
         hints_directory: {home}/hints\n\
         cdc_raw_directory: {home}/cdc_raw\n"
    )
}
