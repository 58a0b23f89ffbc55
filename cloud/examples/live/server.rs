//! The collector in a process of its own, and what it costs.

use crate::process;
use anyhow::{Context as _, Result};
use davy_cloud::auth::Passwords;
use davy_cloud::records::{Person, Place, Records, Role};
use davy_cloud::run::{Service, now_ms};
use davy_cloud::settings::Settings;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) const NAME: &str = "bench";
pub(crate) const PASSWORD: &str = "a good password";

/// Ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) broker: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let mut address =
            || -> Result<SocketAddr> { Ok(lines.next().context("an address")??.parse()?) };
        Ok(Self {
            http: address()?,
            broker: address()?,
            child,
        })
    }

    /// What it has taken of the processor, seconds.
    pub(crate) fn processor_s(&self) -> Result<f64> {
        process::processor_s(&[self.child.id()])
    }

    /// The most memory that it ever held.
    pub(crate) fn memory_kb(&self) -> Result<u64> {
        process::peak_kb(self.child.id())
    }
}

/// Runs until nobody holds its standard input.
pub(crate) async fn serve(folder: &Path) -> Result<()> {
    process::raise_files()?;
    let text =
        "listen = \"127.0.0.1:0\"\n[broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n";
    let settings = Settings::parse(text, folder).map_err(|_| anyhow::anyhow!("the settings"))?;
    let figures = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let service = Service::start(&settings, figures.handle()).await?;
    let records = Records::of(&settings, now_ms()).await?;
    let person = Person {
        id: NAME.into(),
        name: NAME.into(),
        role: Role::Administrator,
        sites: Default::default(),
        jurisdiction: Place::default(),
    };
    let hash = Passwords::default().hash(PASSWORD.into()).await?;
    records.add_person(&person, &hash, now_ms()).await?;
    println!(
        "{}\n{}",
        service.listen,
        service.broker.context("a broker")?
    );
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    service
        .until(async {
            let _gone = ended.await;
        })
        .await
}
