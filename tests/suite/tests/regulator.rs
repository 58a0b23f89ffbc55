//! What a regulator gets from the command line of a collector that runs: an answer as a file, a case file, and the verdict on one that somebody touched.

use davy_suite::city::{City, Cloud};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

const SITE: &str = "tank-farm";

struct Desk {
    dir: tempfile::TempDir,
    city: City,
    _cloud: Cloud,
}

impl Desk {
    /// A collector that knows a site, and its administrator.
    fn open() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let city = City::embedded(dir.path());
        let settings = city.settings().display().to_string();
        let (is_set, told) = city.command(&["site", "set", &settings, "--site", SITE]);
        assert!(is_set, "{told}");
        let cloud = city.start();
        Self {
            dir,
            city,
            _cloud: cloud,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn export(&self, question: &str, password: &Path, out: &Path) -> (bool, String) {
        let args = ["export", "--question", question, "--site", SITE];
        self.asked(&args, password, out)
    }

    fn asked(&self, args: &[&str], password: &Path, out: &Path) -> (bool, String) {
        asked(&self.city, self.city.settings(), args, password, out)
    }

    fn case(&self, out: &Path) -> (bool, String) {
        let span = [
            "--from",
            "2026-01-01T00:00:00Z",
            "--to",
            "2026-02-01T00:00:00Z",
        ];
        let args = [&["case", "--site", SITE], &span[..]].concat();
        self.asked(&args, &self.city.password_file(), out)
    }

    fn verify(&self, file: &Path) -> (bool, String) {
        self.city.command(&["verify", &file.display().to_string()])
    }
}

/// Asks as the administrator for a file.
fn asked(
    city: &City,
    settings: &Path,
    args: &[&str],
    password: &Path,
    out: &Path,
) -> (bool, String) {
    let text = |path: &Path| path.display().to_string();
    let (settings, password, out) = (text(settings), text(password), text(out));
    let by = [
        settings.as_str(),
        "--user",
        "admin",
        "--password-file",
        &password,
        "--out",
        &out,
    ];
    city.command(&[args, &by[..]].concat())
}

#[test]
fn an_answer_is_written_whole_and_the_audit_log_knows_who_took_it() {
    let desk = Desk::open();
    let out = desk.file("answer.csv");
    for _ in 0..3 {
        let (is_done, told) = desk.export("audit", &desk.city.password_file(), &out);
        assert!(is_done, "{told}");
        assert!(told.contains("answer.csv"), "{told}");
    }
    let file = std::fs::read_to_string(&out).expect("the file");
    assert!(file.starts_with('\u{feff}'), "{file}");
    let takes = file.lines().filter(|line| line.contains(",admin,export,"));
    let takes = takes.count();
    // Its own taking may bear the very millisecond that the question ends before.
    assert!(
        (2..=3).contains(&takes),
        "the first export and the second:\n{file}"
    );
}

#[test]
fn a_wrong_password_gets_nothing_and_is_told_so() {
    let desk = Desk::open();
    let (wrong, out) = (desk.file("wrong"), desk.file("answer.csv"));
    std::fs::write(&wrong, "battery staple").expect("a file");
    let (is_done, told) = desk.export("alarms", &wrong, &out);
    assert!(!is_done);
    assert!(told.contains("admin was not let in"), "{told}");
    assert!(!out.exists());
}

#[test]
fn an_answer_that_breaks_off_leaves_what_was_there_before() {
    let desk = Desk::open();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let settings = desk.file("elsewhere.toml");
    let text = std::fs::read_to_string(desk.city.settings()).expect("the settings");
    let listen = listener.local_addr().expect("an address");
    // The first line is where the collector serves.
    let (_, rest) = text.split_once('\n').expect("lines");
    std::fs::write(&settings, format!("listen = \"{listen}\"\n{rest}")).expect("a file");
    let cut = std::thread::spawn(move || breaks_off(&listener));
    let out = desk.file("answer.csv");
    std::fs::write(&out, "of yesterday").expect("a file");
    let args = ["export", "--question", "alarms", "--site", SITE];
    let (is_done, told) = asked(
        &desk.city,
        &settings,
        &args,
        &desk.city.password_file(),
        &out,
    );
    assert!(!is_done, "{told}");
    cut.join().expect("the other end");
    assert_eq!(
        std::fs::read_to_string(&out).expect("a file"),
        "of yesterday"
    );
    assert!(!desk.file("answer.csv.part").exists());
}

/// A collector that lets anybody in, and goes in the middle of what it answers.
fn breaks_off(listener: &TcpListener) {
    let answers = [
        "HTTP/1.1 200 OK\r\nset-cookie: davy=1; Path=/\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n6\r\nrecord\r\n",
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
    ];
    for answer in answers {
        let (mut stream, _) = listener.accept().expect("a caller");
        read_request(&mut stream);
        stream.write_all(answer.as_bytes()).expect("a caller");
    }
}

/// Up to the end of its body.
fn read_request(stream: &mut TcpStream) {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece).expect("a request");
        text += &String::from_utf8_lossy(&piece[..length]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let told = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let wanted: usize = told.map_or(0, |told| told.trim().parse().expect("a length"));
        if length == 0 || body.len() >= wanted {
            return;
        }
    }
}

#[test]
fn a_case_is_whole_until_somebody_touches_a_file_of_it_which_is_named() {
    let desk = Desk::open();
    let out = desk.file("case.zip");
    let (is_done, told) = desk.case(&out);
    assert!(is_done, "{told}");
    let (is_whole, told) = desk.verify(&out);
    assert!(is_whole && told.contains("is whole"), "{told}");
    let altered = desk.file("altered.zip");
    alter(&out, &altered, "timeline.csv");
    let (is_whole, told) = desk.verify(&altered);
    assert!(!is_whole);
    assert!(told.contains("Altered: timeline.csv"), "{told}");
    assert!(!told.contains("alarms.csv"), "the others are whole: {told}");
}

#[test]
fn a_file_that_is_cut_short_is_no_case_file() {
    let desk = Desk::open();
    let out = desk.file("case.zip");
    let (is_done, told) = desk.case(&out);
    assert!(is_done, "{told}");
    let bytes = std::fs::read(&out).expect("the file");
    let cut = desk.file("cut.zip");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("a file");
    let (is_whole, told) = desk.verify(&cut);
    assert!(!is_whole);
    assert!(told.contains("cut.zip"), "{told}");
}

/// The same ZIP with another last letter in one of its files.
fn alter(from: &Path, to: &Path, name: &str) {
    let opened = std::fs::File::open(from).expect("the file");
    let mut zip = zip::ZipArchive::new(opened).expect("a ZIP");
    let mut written = zip::ZipWriter::new(std::fs::File::create(to).expect("a file"));
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).expect("an entry");
        let named = entry.name().expect("a name").into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        if named == name {
            bytes.push(b' ');
        }
        let options = zip::write::SimpleFileOptions::default();
        written.start_file(named, options).expect("an entry");
        written.write_all(&bytes).expect("its bytes");
    }
    written.finish().expect("a ZIP");
}
