//! From the journal to the cloud: Sparkplug B over MQTT with a commit acknowledgement (docs/wire.md).
//!
//! One task owns sequence numbers, session and order. It reads the journal, never the pipeline: a broker that is slow, gone or hostile holds
//! nothing up but the cloud. What is not acknowledged stays in the journal and is sent again.

mod bdseq;
mod birth;
mod budget;
mod command;
mod connection;
mod directory;
mod encode;
#[cfg(test)]
mod fixture;
mod line;
mod link;
mod links;
mod session;
mod store;
mod told;
mod window;

pub use birth::NodeBirth;
pub use encode::{Encoder, Message, Sending};
pub use line::{Counter, Dial, Events, Line, Numbers};
pub use links::{BrokerLink, CloudLink, LinkState, Links};
pub use session::{Offsets, REBIRTH_MS, RETRY_MAX_MS, RETRY_MS, Session, Step};

use crate::clock::Clock;
use crate::desk::Desk;
use crate::journal::Batch;
use crate::live::Live;
use davy_config::site::Site;
use std::future::Future;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The journal as the uplink sees it: the seam at which tests put one in memory.
pub trait Batches: Offsets + Send + Sync + 'static {
    /// [`Offsets::synced`], as it changes.
    fn watch(&self) -> watch::Receiver<u64>;
    /// A batch by its offset; `None` = lost, removed or unreadable.
    fn batch(&self, offset: u64) -> impl Future<Output = Option<Arc<Batch>>> + Send;
    /// The cloud committed these.
    fn acknowledge(&self, ranges: &[RangeInclusive<u64>]);
    /// Unacknowledged batches.
    fn backlog(&self) -> u64;
    /// Random id of this log incarnation.
    fn stream(&self) -> u64;
    /// Batches lost since the stream began.
    fn lost(&self) -> u64;
}

/// What the uplink works with.
#[derive(Debug)]
pub struct Parts<B> {
    pub site: Arc<Site>,
    pub journal: Arc<B>,
    pub live: Arc<Live>,
    pub desk: Desk,
    pub clock: Clock,
    /// The gateway's version, as births tell it.
    pub version: String,
}

/// A site that takes the place of the one that the uplink speaks of, without a new connection.
#[derive(Clone, Debug)]
pub struct Scene {
    pub site: Arc<Site>,
    pub live: Arc<Live>,
    pub desk: Desk,
}

/// The running uplink.
#[derive(Debug)]
pub struct Uplink<B> {
    journal: Arc<B>,
    links: watch::Receiver<Links>,
    scenes: watch::Sender<Option<Scene>>,
}

impl<B> Clone for Uplink<B> {
    fn clone(&self) -> Self {
        Self {
            journal: self.journal.clone(),
            links: self.links.clone(),
            scenes: self.scenes.clone(),
        }
    }
}

impl<B: Batches> Uplink<B> {
    /// Starts the uplink of a site; without an `[uplink]` table there is nothing to run and both links are off. `data` holds `bdseq`.
    /// The task ends some time (at most three seconds) after `shutdown`, when it has said that the node goes.
    pub fn start(
        parts: Parts<B>,
        data: &Path,
        shutdown: CancellationToken,
    ) -> (Self, Option<JoinHandle<()>>) {
        Self::start_on(parts, Line::of_machine(data), shutdown)
    }

    /// As [`Uplink::start`], over another line than this machine's.
    pub fn start_on(
        parts: Parts<B>,
        line: Line,
        shutdown: CancellationToken,
    ) -> (Self, Option<JoinHandle<()>>) {
        let configured = parts.site.uplink.clone();
        let (told, links) = watch::channel(Links::new(configured.is_some(), parts.clock.wall()));
        let (scenes, scene) = watch::channel(None);
        let uplink = Self {
            journal: parts.journal.clone(),
            links,
            scenes,
        };
        let task = configured.map(|configured| {
            tokio::spawn(link::run(parts, configured, line, told, scene, shutdown))
        });
        (uplink, task)
    }

    /// Speaks of another site from now on, whose `[uplink]` is the same: on a connection that stands everything is born again.
    pub fn follow(&self, scene: Scene) {
        self.scenes.send_replace(Some(scene));
    }

    /// How the links do now.
    pub fn links(&self) -> Links {
        let mut links = *self.links.borrow();
        links.cloud.backlog_batches = self.journal.backlog();
        links
    }

    /// Links as they change; the backlog in them is not kept up.
    pub fn watch(&self) -> watch::Receiver<Links> {
        self.links.clone()
    }
}
