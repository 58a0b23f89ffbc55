//! A report as an independent reader sees it, and what becomes of one that somebody altered.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::prove::due::{Calendar, Due, Standing};
use crate::prove::plan::{Kind, StepKind};
use crate::prove::proof::{Of, Proof, Seen, StepDone, Verdict};
use davy_config::site::{Proving, Text};
use davy_print::Key;
use std::process::Command;

const NOW: i64 = 1_795_500_000_000;

fn seen(value: f64, good: bool) -> Option<Seen> {
    Some(Seen {
        value,
        spread: 0.2,
        readings: 12,
        at_ms: NOW,
        applied: value,
        good,
        on: vec!["GT-1.H".into()],
        came: vec!["GT-1.H".into()],
        went: vec![],
        missing: vec![],
        unexpected: vec![],
    })
}

fn proof() -> Proof {
    let step = |kind, expected, found, left| StepDone {
        kind,
        alarm: (kind == StepKind::Limit).then(|| "GT-1.H".into()),
        expected,
        tolerance: 5.0,
        found,
        left,
        skipped: None,
    };
    Proof {
        number: 3,
        of: Of::Point,
        subject: "GT-1".into(),
        kind: Kind::Loop,
        verdict: Verdict::Pass,
        reason: None,
        by: "li".into(),
        name: "李喆".into(),
        begun_ms: NOW,
        ended_ms: NOW,
        clock: "synchronised".into(),
        gas: Some("甲烷 2.5 %vol，钢瓶 A-17".into()),
        instrument: Some("Fluke 705".into()),
        under_test: true,
        unit: "%LEL".into(),
        basis: "b".into(),
        steps: vec![
            step(StepKind::Zero, 0.0, seen(0.3, true), None),
            step(StepKind::Limit, 30.0, seen(38.0, false), seen(30.4, true)),
        ],
        run: None,
    }
}

fn content(lines: usize) -> Content {
    let mut standing = Standing::default();
    standing.follow(&proof());
    let proving = Proving {
        proof: None,
        calibration: None,
        tolerance: 5.0,
        alarm: None,
    };
    let calendar = Calendar {
        now_ms: NOW,
        newest_ms: None,
    };
    let name = |zh: &str, en: &str| Text {
        zh: zh.into(),
        en: en.into(),
    };
    let line = |at: usize| content::Line {
        id: format!("GT-{at}"),
        name: name(
            "一号罐东侧可燃气体探测器（靠近装车鹤管）",
            "Combustible gas, tank 1 east, near the loading arm",
        ),
        area: name("一号罐", "Tank 1"),
        decimals: 1,
        due: Due::of(&standing, &proving, "b", calendar),
        standing: standing.clone(),
        proofs: vec![proof()],
    };
    Content {
        site: "tank-farm".into(),
        name: name("城东储罐区", "East Tank Farm"),
        site_file: "d".repeat(64),
        lines: (1..=lines).map(line).collect(),
    }
}

/// Needs the type that the screens' build packs (`cargo xtask web`).
fn made(data: &Path, lines: usize) -> (Made, PathBuf) {
    let key = Key::open(&data.join("prove/key")).unwrap();
    let facts = Facts {
        number: 7,
        by: "li".into(),
        name: "李喆".into(),
        made_ms: NOW,
        clock: "synchronised".into(),
        public: key.public(),
    };
    let made = make(data, &content(lines), facts, |bytes| Some(key.sign(bytes)));
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    (made, folder(data, 7))
}

#[test]
fn an_independent_reader_finds_the_chinese_text_and_every_figure() {
    let data = tempfile::tempdir().unwrap();
    let (made, folder) = made(data.path(), 12);
    for (language, wanted) in [
        (
            "zh",
            vec![
                "试验报告",
                "城东储罐区",
                "李喆",
                "回路试验",
                "甲烷",
                "30.4",
                "38",
                "调前",
                "合格",
            ],
        ),
        (
            "en",
            vec![
                "Proof test report",
                "East Tank Farm",
                "loop test",
                "30.4",
                "As found",
                "pass",
            ],
        ),
    ] {
        let file = folder.join(format!("proof-tank-farm-7.{language}.pdf"));
        let read = Command::new("pdftotext").arg(&file).arg("-").output();
        let read = read.expect("poppler-utils, which `cargo xtask test` installs");
        assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
        let text = String::from_utf8(read.stdout).unwrap();
        for wanted in wanted {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
        assert!(text.contains(&made.fingerprint), "the key is on the pages");
        let fonts = Command::new("pdffonts").arg(&file).output().unwrap();
        let fonts = String::from_utf8(fonts.stdout).unwrap();
        assert!(
            fonts.contains("NotoSansSC") && fonts.contains("yes yes yes"),
            "embedded, cut, with text: {fonts}"
        );
    }
}

#[test]
fn a_report_that_was_altered_is_found_by_any_of_its_files() {
    let data = tempfile::tempdir().unwrap();
    let (made, folder) = made(data.path(), 2);
    let path = |name: &str| folder.join(name);
    for name in &made.files {
        let found = verify(&path(name)).unwrap();
        assert!(found.is_good(), "{found:?}");
        assert_eq!(found.fingerprint, made.fingerprint);
    }
    for name in &made.files {
        let whole = std::fs::read(path(name)).unwrap();
        for at in [10, whole.len() / 2, whole.len() - 3] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            std::fs::write(path(name), &altered).unwrap();
            let found = verify(&path(name));
            assert!(!found.is_ok_and(|found| found.is_good()), "{name} at {at}");
        }
        std::fs::write(path(name), whole).unwrap();
    }
    std::fs::rename(path(&made.files[0]), path("proof-tank-farm-8.zh.csv")).unwrap();
    assert!(
        verify(&path("proof-tank-farm-8.zh.csv")).is_err(),
        "it has no list of its own"
    );
    let rest = verify(&path(&made.files[4])).unwrap();
    assert!(
        rest.is_good(),
        "a file that was not sent along is missing, not altered"
    );
    assert_eq!(rest.files[0].1, Found::Missing);
}

#[test]
fn a_list_signed_by_another_key_shows_another_fingerprint() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ((made, _), (_, folder)) = (made(one.path(), 1), made(other.path(), 1));
    let forged = verify(&folder.join("proof-tank-farm-7.sig")).unwrap();
    assert!(forged.is_good() && forged.fingerprint != made.fingerprint);
}

#[test]
fn the_key_is_made_once_and_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let first = Key::open(&data.path().join("prove/key"))
        .unwrap()
        .fingerprint();
    assert_eq!(
        Key::open(&data.path().join("prove/key"))
            .unwrap()
            .fingerprint(),
        first
    );
    let file = data.path().join("prove/key");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(file, "no key").unwrap();
    assert!(
        Key::open(&data.path().join("prove/key")).is_err(),
        "a damaged key is told, never replaced in silence"
    );
}
