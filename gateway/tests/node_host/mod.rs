//! The node's own firmware core on this machine: sampled every 20 ms, its serial line a socket that carries RTU frames.
#![allow(clippy::unwrap_used)]

use davy_alarm::Instant;
use davy_node::{
    Bank, Boot, Flash, FlashFailed, Kept, Node, PAGE_BYTES, Relays, SAMPLE_MS, Sample,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Timer};

/// Flash of six pages.
struct Pages([[u8; PAGE_BYTES]; 6]);

impl Flash for Pages {
    fn read(&self, bank: Bank, offset: usize) -> [u8; 8] {
        let page = &self.0[usize::from(bank.number())];
        page[offset..offset + 8].try_into().unwrap()
    }

    fn erase(&mut self, bank: Bank) -> Result<(), FlashFailed> {
        self.0[usize::from(bank.number())].fill(0xff);
        Ok(())
    }

    fn program(&mut self, bank: Bank, offset: usize, bytes: [u8; 8]) -> Result<(), FlashFailed> {
        let page = &mut self.0[usize::from(bank.number())];
        page[offset..offset + 8].copy_from_slice(&bytes);
        Ok(())
    }
}

/// What stands around the node: its transmitters, its key, its relays.
#[derive(Clone)]
pub(crate) struct Around(Arc<Mutex<(Sample, Relays)>>);

impl Around {
    pub(crate) fn sample(&self, change: impl FnOnce(&mut Sample)) {
        change(&mut self.0.lock().unwrap().0);
    }

    pub(crate) fn coils(&self) -> u8 {
        self.0.lock().unwrap().1.coils
    }

    /// Holds the key until the configuration is unlocked.
    pub(crate) fn unlock(&self) {
        self.sample(|sample| sample.key = true);
        std::thread::sleep(Duration::from_millis(davy_node::UNLOCK_HOLD_MS + 300));
        self.sample(|sample| sample.key = false);
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Starts a node that never ends; answers the port of its line, and what stands around it.
pub(crate) fn start() -> (u16, Around) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let sample = Sample {
        currents_ua: Some([4_000; 8]),
        reference_ua: Some(davy_node::REFERENCE_UA),
        feedback: 0,
        key: false,
    };
    let relays = Relays {
        coils: 0,
        when_failed: 0,
    };
    let around = Around(Arc::new(Mutex::new((sample, relays))));
    let own = around.clone();
    std::thread::spawn(move || live(&listener, &own));
    (port, around)
}

fn live(listener: &TcpListener, around: &Around) {
    let began = Timer::now();
    let now = || Instant(began.elapsed().as_millis() as u64);
    let mut kept = Kept::NEW;
    let boot = Boot {
        now: now(),
        firmware: [0, 1, 0],
        room: davy_node::Room::NONE,
        started: None,
    };
    let mut slot = std::mem::MaybeUninit::uninit();
    let pages = Pages([[0xff; PAGE_BYTES]; 6]);
    let node = Node::start(&mut slot, &mut kept, pages, boot);
    let (mut line, mut sampled): (Option<TcpStream>, u64) = (None, 0);
    loop {
        if now().0 >= sampled + SAMPLE_MS {
            sampled = now().0;
            let mut around = around.0.lock().unwrap();
            around.0.feedback = around.1.coils;
            around.1 = node.round(&around.0, now());
            node.store();
        }
        if let Ok((socket, _)) = listener.accept() {
            socket
                .set_read_timeout(Some(Duration::from_millis(2)))
                .unwrap();
            socket.set_nodelay(true).unwrap();
            line = Some(socket);
        }
        let Some(socket) = &mut line else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        let mut bytes = [0; 256];
        match socket.read(&mut bytes) {
            Ok(0) => line = None,
            Ok(count) => {
                for byte in &bytes[..count] {
                    let answer = node.byte(*byte, now()).map(<[u8]>::to_vec);
                    answer
                        .into_iter()
                        .for_each(|answer| socket.write_all(&answer).unwrap_or(()));
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let answer = node.quiet(now()).map(<[u8]>::to_vec);
                answer
                    .into_iter()
                    .for_each(|answer| socket.write_all(&answer).unwrap_or(()));
            }
            Err(_) => line = None,
        }
    }
}
