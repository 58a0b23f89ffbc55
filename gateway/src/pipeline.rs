//! The thread that judgement and buses share: what passes between them wakes no other, and nothing else ever runs there.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct Pipeline {
    handle: Handle,
    end: CancellationToken,
    ended: mpsc::Receiver<()>,
}

impl Pipeline {
    /// # Errors
    /// The system has no thread for it, or no event queue.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (end, (tell, ended)) = (CancellationToken::new(), mpsc::channel());
        let pipeline = Self {
            handle: runtime.handle().clone(),
            end: end.clone(),
            ended,
        };
        let run = move || {
            runtime.block_on(end.cancelled());
            runtime.shutdown_background();
            // Fails if nobody waits any more.
            let _ = tell.send(());
        };
        thread::Builder::new().name("pipeline".into()).spawn(run)?;
        Ok(pipeline)
    }

    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends it, and what still runs there; a task that hangs is waited for no longer than `limit`.
    pub(crate) fn end(self, limit: Duration) {
        self.end.cancel();
        // Its thread goes with the process.
        let _ = self.ended.recv_timeout(limit);
    }
}
