//! The case file as who receives it meets it: whole, on paper in either language, and what becomes of one that somebody touched.

use crate::city::{City, NOW_MS, raise};
use axum::http::{Method, StatusCode};
use davy_alarm::{Priority, Reading, WallMs};
use davy_cloud::case::{Found, Verified, verify};
use davy_cloud::history::PointReading;
use davy_cloud::records::{Line, Role};
use http_body_util::BodyExt as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

async fn made(language: &str) -> (tempfile::TempDir, PathBuf) {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let reading = |at: i64| PointReading {
        site: "tank-farm".into(),
        point: "GT-101".into(),
        reading: Reading::measured(12.5, WallMs(NOW_MS - at)),
    };
    let readings: Vec<_> = (1..100).rev().map(|at| reading(at * 1_000)).collect();
    city.readings.0.lock().expect("a lock").extend(readings);
    taken(&city, &cookie, &format!("lang={language}")).await
}

/// The case file of the last ten minutes.
async fn taken(city: &City, cookie: &str, rest: &str) -> (tempfile::TempDir, PathBuf) {
    let span = format!("from_ms={}&to_ms={}", NOW_MS - 600_000, NOW_MS + 1);
    let path = format!("/api/sites/tank-farm/case?{span}&{rest}");
    let answer = city.call(Method::GET, &path, Some(cookie), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let bytes = answer.into_body().collect().await.expect("a body");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("case.zip");
    std::fs::write(&file, bytes.to_bytes()).expect("a file");
    (folder, file)
}

/// The files of a ZIP.
fn unpacked(file: &Path) -> Vec<(String, Vec<u8>)> {
    let opened = std::fs::File::open(file).expect("the file");
    let mut zip = zip::ZipArchive::new(opened).expect("a ZIP");
    let mut files = Vec::new();
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).expect("an entry");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        let name = entry.name().expect("a name").into_owned();
        files.push((name, bytes));
    }
    files
}

/// The verdict on a copy of the case that a hand went over.
fn after(file: &Path, touch: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Verified {
    let mut files = unpacked(file);
    touch(&mut files);
    let copy = file.with_file_name("copy.zip");
    let made = std::fs::File::create(&copy).expect("a file");
    let mut zip = zip::ZipWriter::new(made);
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).expect("an entry");
        zip.write_all(&bytes).expect("its bytes");
    }
    zip.finish().expect("a ZIP");
    verify(&copy).expect("a verdict")
}

fn entry<'a>(files: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    let found = files.iter_mut().find(|(known, _)| known == name);
    &mut found.expect("the entry").1
}

#[tokio::test]
async fn a_case_is_whole_as_it_was_made_and_every_file_is_in_its_signed_list() {
    let (_folder, file) = made("zh").await;
    let found = verify(&file).expect("a verdict");
    assert!(found.is_good(), "{found:?}");
    assert_eq!(found.site, "tank-farm");
    let names: Vec<_> = found.files.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "case.pdf",
        "timeline.csv",
        "alarms.csv",
        "readings.csv",
        "readings.parquet",
        "coverage.csv",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let mut files = unpacked(&file);
    let readings = String::from_utf8(entry(&mut files, "readings.csv").clone()).expect("UTF-8");
    assert_eq!(readings.matches("\r\nreading,").count(), 99);
}

#[tokio::test]
async fn what_somebody_altered_took_out_or_put_in_is_named() {
    let (_folder, file) = made("en").await;
    let altered = after(&file, |files| entry(files, "alarms.csv").push(b' '));
    assert!(!altered.is_good() && altered.is_signed);
    assert!(
        altered
            .files
            .contains(&("alarms.csv".to_owned(), Found::Altered))
    );
    let taken = after(&file, |files| {
        files.retain(|(name, _)| name != "timeline.csv")
    });
    assert!(!taken.is_good());
    assert!(
        taken
            .files
            .contains(&("timeline.csv".to_owned(), Found::Missing))
    );
    let put_in = after(&file, |files| files.push(("more.csv".to_owned(), vec![1])));
    assert!(!put_in.is_good());
    assert!(
        put_in
            .files
            .contains(&("more.csv".to_owned(), Found::Added))
    );
    let list = after(&file, |files| {
        let list = entry(files, "case.sig");
        let text = String::from_utf8(list.clone()).expect("UTF-8");
        *list = text
            .replace("site tank-farm", "site cold-store")
            .into_bytes();
    });
    assert!(!list.is_signed && !list.is_good());
}

/// What is read on the printed page.
fn printed(file: &Path) -> String {
    let mut files = unpacked(file);
    let pdf = file.with_file_name("case.pdf");
    std::fs::write(&pdf, entry(&mut files, "case.pdf")).expect("a file");
    let read = Command::new("pdftotext")
        .arg("-layout")
        .arg(&pdf)
        .arg("-")
        .output();
    let read = read.expect("poppler-utils, which `cargo xtask test` installs");
    assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
    String::from_utf8(read.stdout).expect("UTF-8")
}

/// Points that alarmed once, most urgently, before another filled the printed table of alarms.
async fn with_a_chattering_point(count: u64) -> (City, String) {
    let city = City::new().await;
    let cookie = city.login("wang", Role::Operator).await;
    let once = |at: u64| format!("PT-{at}");
    let mut lines: Vec<Line> = (0..count)
        .map(|at| raise(2 + at, &format!("{}.HH", once(at)), NOW_MS - 500_000))
        .collect();
    lines.extend((0..500).map(|at| Line {
        occurrence: 1 + at,
        priority: Priority::P3,
        ..raise(
            2 + count + u64::from(at),
            "GT-101.H",
            NOW_MS - 400_000 + i64::from(at),
        )
    }));
    city.commit("tank-farm", 2, lines).await;
    let held = (0..count).map(|at| PointReading {
        site: "tank-farm".into(),
        point: once(at).into(),
        reading: Reading::measured(12.5, WallMs(NOW_MS - 500_000)),
    });
    city.readings.0.lock().expect("a lock").extend(held);
    (city, cookie)
}

#[tokio::test]
async fn the_most_urgent_points_are_drawn_however_many_alarms_came_after_theirs() {
    let (city, cookie) = with_a_chattering_point(3).await;
    let (_folder, file) = taken(&city, &cookie, "lang=en").await;
    let text = printed(&file);
    for chart in ["PT-0 · ", "PT-2 · ", "GT-101 · "] {
        assert!(text.contains(chart), "{chart} is not in\n{text}");
    }
    assert!(!text.contains("more such points"), "{text}");
    let (city, cookie) = with_a_chattering_point(7).await;
    let (_folder, file) = taken(&city, &cookie, "lang=en").await;
    let text = printed(&file);
    assert!(text.contains("more such points"), "{text}");
    assert!(!text.contains("PT-6 · "), "{text}");
}

#[tokio::test]
async fn charts_of_points_that_were_named_are_not_said_to_be_of_those_that_alarmed() {
    let (city, cookie) = with_a_chattering_point(1).await;
    let (_folder, file) = taken(&city, &cookie, "lang=en&points=GT-101").await;
    let text = printed(&file);
    assert!(text.contains("Readings of the points that were asked for"));
    assert!(!text.contains("Readings of the points that alarmed"));
    assert!(text.contains("GT-101 · ") && !text.contains("PT-0 · "));
}

#[tokio::test]
async fn the_printed_page_is_read_in_both_languages() {
    for (language, words) in [
        (
            "zh",
            [
                "案卷",
                "时间线",
                "GT-101.HH",
                "测量覆盖率",
                "报警测点的读数曲线",
                "P1 HH",
                "HH 50",
            ],
        ),
        (
            "en",
            [
                "Case file",
                "Timeline",
                "GT-101.HH",
                "How much was measured",
                "Readings of the points that alarmed",
                "P1 HH",
                "HH 50",
            ],
        ),
    ] {
        let (_folder, file) = made(language).await;
        let text = printed(&file);
        for word in words {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
    }
}
