//! The node's boot stage and image in QEMU: its line on a TCP port, a front end that shows what the test wants, its key and relays over QMP, its flash a file that outlives it.

use crate::daemon::Daemon;
use crate::node_image::{MAIN_BOARD, made};
use crate::wait::{self, free_port};
use davy_wire::node::{Block, EVENT_WORDS, EVENTS, Event, Id, REGISTERS, Settings};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest that QEMU may take to come up, and an answer to come; a busy machine is slow.
const START_LIMIT: Duration = Duration::from_secs(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// A frame that a stalled machine tears is asked again, as every master does.
const TRIES: usize = 5;
const REFERENCE_UA: u16 = 10_000;
/// The board without a port has its relays in its controller's lights, and no key that QEMU presses.
const SECOND_BOARD: &str = "mps2-an386";

/// What the front end shows, microamperes; `None` is silence.
type Currents = Arc<Mutex<Option<[u16; 8]>>>;

/// A node that runs in QEMU.
#[derive(Debug)]
pub struct Node {
    qemu: Option<Daemon>,
    dir: PathBuf,
    has_ports: bool,
    /// Port of its Modbus line: RTU frames over TCP, one master at a time.
    pub port: u16,
    currents: Currents,
}

impl Node {
    /// Starts one whose flash and sockets lie in `dir`: with an empty flash, or as it was left there.
    pub fn start(dir: &Path) -> Self {
        Self::start_on(MAIN_BOARD, dir)
    }

    /// The same on a board of this name, as QEMU has it.
    pub fn start_on(board: &str, dir: &Path) -> Self {
        Self::start_with(board, dir, &[])
    }

    /// One whose time passes by its instructions, each 2^`shift` nanoseconds: what keeps the host busy takes none of it.
    pub fn start_counted(dir: &Path, shift: u8) -> Self {
        let counted = format!("shift={shift},align=off,sleep=on");
        Self::start_with(MAIN_BOARD, dir, &["-icount", &counted])
    }

    fn start_with(board: &str, dir: &Path, more: &[&str]) -> Self {
        let boot = made(board, "boot.elf");
        flash_once(&dir.join("node.flash"), board);
        let port = free_port();
        let socket = |name: &str| {
            format!(
                "socket,id={name},path={},server=on,wait=off",
                dir.join(name).display()
            )
        };
        let mut command = Command::new("qemu-system-arm");
        command
            .current_dir(dir)
            .args(["-M", board, "-display", "none"])
            .args(more)
            .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(boot)
            .args([
                "-chardev",
                &format!("socket,id=line,host=127.0.0.1,port={port},server=on,wait=off,nodelay=on"),
            ])
            .args(["-chardev", &socket("log"), "-chardev", &socket("front")])
            .args([
                "-serial",
                "chardev:line",
                "-serial",
                "chardev:log",
                "-serial",
                "chardev:front",
            ])
            .args([
                "-qmp",
                &format!("unix:{},server=on,wait=off", dir.join("qmp").display()),
            ]);
        for name in ["log", "front", "qmp"] {
            let _stale = std::fs::remove_file(dir.join(name));
        }
        let qemu = Daemon::start_with("qemu", &mut command, dir);
        let node = Self {
            qemu: Some(qemu),
            dir: dir.to_owned(),
            has_ports: board != SECOND_BOARD,
            port,
            currents: Arc::new(Mutex::new(Some([4_000; 8]))),
        };
        node.serve_front_end();
        node
    }

    /// Its flash, as it lies beside QEMU: six pages and room for two, then the slots.
    pub fn flash(&self) -> PathBuf {
        self.dir.join("node.flash")
    }

    fn connect(&self, name: &str) -> UnixStream {
        let path = self.dir.join(name);
        wait::until(&format!("QEMU's socket {name}"), START_LIMIT, || {
            UnixStream::connect(&path).ok()
        })
    }

    /// Answers each question with what is to be shown; ends with QEMU.
    fn serve_front_end(&self) {
        let (mut front, currents) = (self.connect("front"), self.currents.clone());
        std::thread::spawn(move || {
            let mut asked = [0; 1];
            while front.read_exact(&mut asked).is_ok() {
                let shown = *currents.lock().expect("nobody panics with it");
                let Some(shown) = shown else { continue };
                let words: Vec<u8> = shown
                    .into_iter()
                    .chain([REFERENCE_UA])
                    .flat_map(u16::to_be_bytes)
                    .collect();
                let sum = words.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
                let answer = [&[0xa5], &words[..], &[sum]].concat();
                if front.write_all(&answer).is_err() {
                    return;
                }
            }
        });
    }

    /// Shows a current on a channel.
    pub fn show(&self, channel: usize, ua: u16) {
        let mut currents = self.currents.lock().expect("nobody panics with it");
        currents.get_or_insert([4_000; 8])[channel] = ua;
    }

    /// Kills QEMU: the power is gone.
    pub fn kill(&mut self) {
        self.qemu = None;
    }

    /// Sends a drill's bytes.
    pub fn drill(&self, bytes: &[u8]) {
        self.connect("log")
            .write_all(bytes)
            .expect("QEMU takes bytes");
    }

    /// Has the power go at a write of flash to come, four times `units` from now; returns when that is certain.
    pub fn cut_after(&self, units: u8) {
        let mut log = self.connect("log");
        log.write_all(&[b'C', units]).expect("QEMU takes bytes");
        let mut lines = BufReader::new(log).lines();
        lines
            .find(|line| line.as_ref().is_ok_and(|line| line.contains("armed")))
            .expect("the node says so")
            .expect("text");
    }

    /// A master of its own on the line.
    pub fn master(&self) -> Master {
        let address = ("127.0.0.1", self.port);
        let stream = wait::until("the node's line", START_LIMIT, || {
            TcpStream::connect(address).ok()
        });
        stream
            .set_read_timeout(Some(ANSWER_LIMIT))
            .expect("a time-out can be set");
        stream.set_nodelay(true).expect("TCP has it");
        Master {
            stream,
            address: self.port,
        }
    }

    /// Bit n: relay n's coil, read from the port's register.
    pub fn relays(&self) -> u8 {
        let at = if self.has_ports {
            "0x400043fc"
        } else {
            "0x4002f004"
        };
        let line = self.qmp(&[json!({"execute": "human-monitor-command", "arguments": {"command-line": format!("xp /1wx {at}")}})]);
        let text = line["return"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let value = text
            .rsplit("0x")
            .next()
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        value.unwrap_or_else(|| panic!("QMP told {line}")) as u8
    }

    /// Presses the key, or lets it go.
    pub fn key(&self, down: bool) {
        if !self.has_ports {
            return self.drill(if down { b"K" } else { b"k" });
        }
        let key = json!({"type": "qcode", "data": "ctrl"});
        let event = json!({"type": "key", "data": {"down": down, "key": key}});
        self.qmp(&[json!({"execute": "input-send-event", "arguments": {"events": [event]}})]);
    }

    /// The last command's answer.
    fn qmp(&self, commands: &[Value]) -> Value {
        let mut stream = self.connect("qmp");
        let mut lines =
            BufReader::new(stream.try_clone().expect("a socket can be doubled")).lines();
        let mut next = || -> Value {
            loop {
                let line = lines.next().expect("QMP goes on").expect("QMP speaks text");
                let value: Value = serde_json::from_str(&line).expect("QMP speaks JSON");
                if value.get("event").is_none() {
                    return value;
                }
            }
        };
        next();
        let mut answer = Value::Null;
        for command in [json!({"execute": "qmp_capabilities"})]
            .iter()
            .chain(commands)
        {
            writeln!(stream, "{command}").expect("QMP listens");
            answer = next();
        }
        answer
    }

    /// Holds the key until the node says that it is unlocked.
    pub fn unlock(&self, master: &mut Master) {
        let held = master.input(Id::UptimeMs, 0);
        self.key(true);
        wait::until(
            "the key held for three seconds of the node",
            START_LIMIT,
            || (master.input(Id::UptimeMs, 0) > held + 3_500).then_some(()),
        );
        self.key(false);
        wait::until("the node unlocked", START_LIMIT, || {
            (master.input(Id::UnlockedS, 0) > 0).then_some(())
        });
    }
}

/// A board that comes from its maker: the image in slot A, all else erased.
fn flash_once(path: &Path, board: &str) {
    const PAGES: usize = 8 * 1_024;
    const SLOT: usize = 64 * 1_024;
    if path.exists() {
        return;
    }
    let image = std::fs::read(made(board, "slot-a.bin")).expect("it was built");
    let mut flash = vec![0xff; PAGES + 2 * SLOT];
    flash[PAGES..PAGES + image.len()].copy_from_slice(&image);
    std::fs::write(path, flash).expect("the directory is writable");
}

/// A Modbus master that the node's makers wrote, for what the independent ones do not show.
#[derive(Debug)]
pub struct Master {
    stream: TcpStream,
    address: u16,
}

impl Master {
    /// The answer's data, or the exception's code; asked again when nothing comes.
    pub fn ask(&mut self, pdu: &[u8]) -> Result<Vec<u8>, u8> {
        for _ in 0..TRIES {
            self.stream
                .write_all(&framed(1, pdu))
                .expect("the line takes bytes");
            match self.answer() {
                Some(answer) if answer[1] == pdu[0] => {
                    return Ok(answer[2..answer.len() - 2].to_vec());
                }
                Some(answer) if answer[1] == pdu[0] | 0x80 => return Err(answer[2]),
                // Nothing, or a late answer to something else.
                _ => {}
            }
            self.again();
        }
        panic!("no answer to {pdu:?}");
    }

    /// A new connection, so that a late answer is nobody's.
    fn again(&mut self) {
        let address = ("127.0.0.1", self.address);
        let stream = wait::until("the node's line", START_LIMIT, || {
            TcpStream::connect(address).ok()
        });
        stream
            .set_read_timeout(Some(ANSWER_LIMIT))
            .expect("a time-out can be set");
        self.stream = stream;
    }

    fn answer(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut more = [0; 256];
        loop {
            let count = self
                .stream
                .read(&mut more)
                .ok()
                .filter(|count| *count > 0)?;
            bytes.extend_from_slice(&more[..count]);
            let length = match bytes[..] {
                [_, 1..=4, count, ..] => 5 + usize::from(count),
                [_, 0x80..=0xff, ..] => 5,
                _ => 8,
            };
            let whole = bytes.len() == length && sum(&bytes[..length - 2]) == bytes[length - 2..];
            if whole {
                return Some(bytes);
            }
        }
    }

    /// Bytes as they are; nobody waits for an answer.
    pub fn throw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the line takes bytes");
    }

    /// Reads whatever comes away, until nothing has come for so long.
    pub fn drain(&mut self, silence: Duration) {
        let mut waste = [0; 4_096];
        let limit = |stream: &TcpStream, limit| {
            stream
                .set_read_timeout(Some(limit))
                .expect("a time-out can be set");
        };
        limit(&self.stream, silence);
        while self.stream.read(&mut waste).is_ok_and(|count| count > 0) {}
        limit(&self.stream, ANSWER_LIMIT);
    }

    /// Input registers.
    pub fn words(&mut self, address: u16, count: u16) -> Vec<u16> {
        let answer = self.ask(&[&[4], &address.to_be_bytes()[..], &count.to_be_bytes()].concat());
        let answer = answer.unwrap_or_else(|code| panic!("{address} ({count}): exception {code}"));
        let (pairs, _) = answer[1..].as_chunks();
        pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    }

    /// One element of a register of the input table.
    pub fn input(&mut self, id: Id, element: u16) -> u64 {
        let register = REGISTERS
            .iter()
            .find(|register| register.id == id)
            .expect("the map has it");
        let width = register.spelling.width();
        let words = self.words(register.address + element * width, width);
        words
            .into_iter()
            .fold(0, |value, word| value << 16 | u64::from(word))
    }

    /// Writes words of a holding register.
    pub fn write(&mut self, id: Id, first: u16, words: &[u16]) -> Result<(), u8> {
        let register = REGISTERS
            .iter()
            .find(|register| register.id == id)
            .expect("the map has it");
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let count = (words.len() as u16).to_be_bytes();
        let head = [
            &[16],
            &(register.address + first).to_be_bytes()[..],
            &count,
            &[bytes.len() as u8],
        ]
        .concat();
        self.ask(&[head, bytes].concat()).map(|_| ())
    }

    /// Writes a configuration, piece by piece, without its commit.
    pub fn stage(&mut self, settings: &Settings) -> u32 {
        let block = Block::of(settings);
        for (nth, words) in block.0.chunks(100).enumerate() {
            self.write(Id::Staged, nth as u16 * 100, words)
                .expect("the node is unlocked");
        }
        block.crc()
    }

    /// Makes what was staged the configuration.
    pub fn commit(&mut self, crc: u32) -> Result<(), u8> {
        self.write(Id::Commit, 0, &[(crc >> 16) as u16, crc as u16])
    }

    /// The bytes that ask for a commit.
    pub fn commit_frame(crc: u32) -> Vec<u8> {
        let crc = crc.to_be_bytes();
        framed(1, &[&[16, 0, 10, 0, 2, 4], &crc[..]].concat())
    }

    /// Every event that the ring holds.
    pub fn events(&mut self) -> Vec<Event> {
        let (oldest, next) = (
            self.input(Id::EventOldest, 0) as u32,
            self.input(Id::EventNext, 0) as u32,
        );
        let ring = REGISTERS
            .iter()
            .find(|register| register.id == Id::Event)
            .expect("the map has it");
        let event = |number: u32| {
            let element = (number as usize % EVENTS) as u16;
            let words = self.words(
                ring.address + element * EVENT_WORDS as u16,
                EVENT_WORDS as u16,
            );
            Event::from_words(&words.try_into().expect("twelve words")).expect("an event")
        };
        (oldest..next).map(event).collect()
    }
}

/// A frame of a unit.
pub fn framed(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let body = [&[unit], pdu].concat();
    let sum = sum(&body);
    [body, sum.to_vec()].concat()
}

/// Modbus' sum, low byte first, as the plant's units reckon it: not the node's own code.
fn sum(bytes: &[u8]) -> [u8; 2] {
    davy_plant::modbus::crc(bytes).to_le_bytes()
}
