//! The life of the link: connect, be born, send, hear, lose it, wait, again; and what outlives a connection.

use super::command::{Act, Done, No};
use super::connection::Connection;
use super::encode::Encoder;
use super::line::{Dial, Line, Numbers};
use super::links::{LinkState, Links};
use super::{Batches, Parts, Scene};
use crate::desk::DeskError;
use davy_config::site::{Delivered, Uplink};
use rumqttc::{ClientError, ConnectionError, LastWill, MqttOptions, QoS};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Largest message sent, bytes: far above any birth or batch.
const SENT_MAX: usize = 16 << 20;
/// Largest message taken, bytes; an acknowledgement of a whole window is less than a tenth of it.
const TAKEN_MAX: usize = 256 << 10;
/// Acts that may be with judgement at once; more are refused as `busy`.
const ACTS_MAX: usize = 64;
/// Refusals that may wait to be sent; beyond it the oldest is dropped, and its asker's own time-out tells.
const REFUSALS_MAX: usize = 64;
/// A broker that answers nothing for two of these is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Where a ping's answer is what tells that batches were delivered.
const KEEP_ALIVE_SENT: Duration = Duration::from_secs(2);
/// A connection that lived this long was a good one: the next try comes soon.
const GOOD: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Longest that the farewell may take.
pub(super) const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// Runs the link until `shutdown`.
pub(super) async fn run<B: Batches>(
    parts: Parts<B>,
    uplink: Uplink,
    line: Line,
    told: watch::Sender<Links>,
    scenes: watch::Receiver<Option<Scene>>,
    shutdown: CancellationToken,
) {
    let Line {
        mut numbers,
        dial,
        spread,
    } = line;
    let mut link = Link::new(parts, uplink, dial, told, scenes);
    let mut pause = PAUSE_MIN;
    let mut unused = None;
    let mut trouble = Trouble::default();
    loop {
        let bd_seq;
        (numbers, bd_seq) = next_number(numbers, unused.take()).await;
        let began = Instant::now();
        link.follow();
        let end = tokio::select! {
            biased;
            end = link.connect(bd_seq, &shutdown) => end,
            // Only before the connection stands: from then on it sees the shutdown itself, first.
            () = gone_long(&shutdown) => return,
        };
        link.tell(false, LinkState::Down);
        match end {
            End::Shutdown => return,
            End::Unreached(error) => {
                unused = Some(bd_seq);
                trouble.tell(&error);
                link.turn_over();
            }
            End::Lost(error) => {
                trouble.tell(&error);
                link.turn_over();
            }
        }
        pause = if began.elapsed() >= GOOD {
            trouble = Trouble::default();
            PAUSE_MIN
        } else {
            (pause * 2).min(PAUSE_MAX)
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(pause.mul_f64(0.5 + spread() / 2.0)) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// The next connection's number, on disk; one that never reached a broker is used again.
async fn next_number(numbers: Numbers, unused: Option<u8>) -> (Numbers, u8) {
    match unused {
        Some(number) => (numbers, number),
        None => numbers.next().await,
    }
}

async fn gone_long(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(FAREWELL_LIMIT + Duration::from_secs(1)).await;
}

/// What was last told of the link's trouble: weeks without a broker are not to fill the log.
#[derive(Default)]
struct Trouble(Option<String>);

impl Trouble {
    fn tell(&mut self, error: &LinkError) {
        let text = error.to_string();
        if self.0.as_ref() == Some(&text) {
            tracing::debug!(%error, "still no link to the broker");
        } else {
            tracing::warn!(%error, "no link to the broker; trying again until there is");
            self.0 = Some(text);
        }
    }
}

/// How a connection ended.
enum End {
    Shutdown,
    /// The broker never heard of it.
    Unreached(LinkError),
    Lost(LinkError),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error(transparent)]
    Connection(#[from] Box<ConnectionError>),
    #[error("the client's queue is full or closed")]
    Queue,
    #[error("the broker does not answer the subscription")]
    Subscription,
    #[error("the primary host went offline, or is not at this broker")]
    HostOffline,
    #[error("cannot read the password file {0}: {1}")]
    Password(String, std::io::Error),
}

impl From<ClientError> for LinkError {
    fn from(_: ClientError) -> Self {
        Self::Queue
    }
}

/// What outlives a connection.
pub(super) struct Link<B> {
    pub(super) parts: Parts<B>,
    pub(super) uplink: Uplink,
    pub(super) encoder: Encoder,
    pub(super) dial: Dial,
    told: watch::Sender<Links>,
    pub(super) scenes: watch::Receiver<Option<Scene>>,
    done: Done,
    pub(super) acts: JoinSet<Option<No>>,
    pub(super) refusals: VecDeque<No>,
    /// Which of the brokers is tried next: 0 is the first of the site file, then its backups.
    turn: usize,
}

impl<B: Batches> Link<B> {
    fn new(
        parts: Parts<B>,
        uplink: Uplink,
        dial: Dial,
        told: watch::Sender<Links>,
        scenes: watch::Receiver<Option<Scene>>,
    ) -> Self {
        Self {
            encoder: Encoder::new(parts.site.clone(), &uplink.group, &parts.version),
            parts,
            uplink,
            dial,
            told,
            scenes,
            done: Done::default(),
            acts: JoinSet::new(),
            refusals: VecDeque::new(),
            turn: 0,
        }
    }

    /// Takes the newest site over, if there is a newer one. Returns whether there was.
    pub(super) fn follow(&mut self) -> bool {
        let newest = self.scenes.borrow_and_update();
        let newest = newest.as_ref();
        let Some(scene) = newest.filter(|scene| !Arc::ptr_eq(&scene.site, &self.parts.site)) else {
            return false;
        };
        self.encoder.follow(scene.site.clone());
        self.parts.site = scene.site.clone();
        self.parts.live = scene.live.clone();
        self.parts.desk = scene.desk.clone();
        true
    }

    /// The broker whose turn it is.
    fn broker(&self) -> (&str, u16) {
        let backup = self.turn.checked_sub(1);
        match backup.and_then(|backup| self.uplink.backups.get(backup)) {
            Some((host, port)) => (host, *port),
            None => (&self.uplink.host, self.uplink.port),
        }
    }

    /// This one cannot be had: the next one's turn.
    fn turn_over(&mut self) {
        self.turn = (self.turn + 1) % (1 + self.uplink.backups.len());
    }

    pub(super) fn tell(&self, broker: bool, cloud: LinkState) {
        let now = self.parts.clock.wall();
        self.told
            .send_if_modified(|links| links.set(broker, cloud, now));
    }

    async fn connect(&mut self, bd_seq: u8, shutdown: &CancellationToken) -> End {
        let options = match self.options(bd_seq).await {
            Ok(options) => options,
            Err(error) => return End::Unreached(error),
        };
        let mut connection = Connection::new(self, options, bd_seq);
        match connection.run(shutdown).await {
            Ok(()) => End::Shutdown,
            Err(error) if unreached(&error) => End::Unreached(error),
            Err(error) => End::Lost(error),
        }
    }

    async fn options(&self, bd_seq: u8) -> Result<MqttOptions, LinkError> {
        let ((host, port), group) = (self.broker(), &self.uplink.group);
        let client = format!("davy-{group}-{}", self.parts.site.id);
        let mut options = MqttOptions::new(client, host, port);
        let death = self.encoder.death(bd_seq, self.parts.clock.wall());
        options
            .set_clean_session(true)
            .set_keep_alive(match self.uplink.delivered {
                Delivered::Committed => KEEP_ALIVE,
                Delivered::Sent => KEEP_ALIVE_SENT,
            })
            .set_max_packet_size(TAKEN_MAX, SENT_MAX)
            .set_last_will(LastWill::new(
                death.topic,
                death.payload,
                QoS::AtLeastOnce,
                false,
            ));
        if let Some(user) = &self.uplink.username {
            options.set_credentials(user, self.password().await?);
        }
        Ok(options)
    }

    /// Read at each connection, so that a changed password needs no restart.
    async fn password(&self) -> Result<String, LinkError> {
        let Some(file) = &self.uplink.password_file else {
            return Ok(String::new());
        };
        let text = tokio::fs::read_to_string(file).await;
        let text = text.map_err(|error| LinkError::Password(file.display().to_string(), error))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Hands an act to judgement, once.
    pub(super) fn act(&mut self, act: Act) {
        if !self.done.begin(&act.command) {
            let answered = self.done.answer(&act.command).cloned();
            return answered.into_iter().for_each(|no| self.refuse(no));
        }
        let no = |why| No {
            command: act.command.to_string(),
            alarm: act.alarm.clone(),
            why,
        };
        if self.acts.len() >= ACTS_MAX {
            return self.refuse(no("busy"));
        }
        let desk = self.parts.desk.clone();
        let Act {
            command,
            alarm,
            ask,
        } = act;
        self.acts.spawn(async move {
            let command = command.to_string();
            let why = match desk.ask(ask, Some(command.clone())).await {
                Ok(()) => return None,
                Err(DeskError::Refused(refusal)) => refusal.why(),
                Err(DeskError::NoAnswer) => "no-answer",
            };
            Some(No {
                command,
                alarm,
                why,
            })
        });
    }

    pub(super) fn refuse(&mut self, no: No) {
        tracing::info!(
            command = no.command,
            alarm = no.alarm,
            why = no.why,
            "command refused"
        );
        self.done.refused(&no);
        if self.refusals.len() == REFUSALS_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(no);
    }
}

/// Whether no byte of the attempt can have reached a broker.
fn unreached(error: &LinkError) -> bool {
    let LinkError::Connection(error) = error else {
        return false;
    };
    let ConnectionError::Io(error) = &**error else {
        return false;
    };
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
    )
}
