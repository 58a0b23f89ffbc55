//! InfluxDB's failures, played by a server that answers as it is told: what may pass is tried again, a refusal is told at once, and what waits is bounded.

use super::measured;
use davy_cloud::history::influx::Influx;
use davy_cloud::history::{History, HistoryError};
use davy_cloud::settings;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Connections that get no answer until this is cleared.
type Silent = Arc<Mutex<Vec<TcpStream>>>;

/// Answers one request after the other with these; what was asked comes out. After the last it answers no more.
fn server(answers: Vec<&'static str>) -> (String, Receiver<String>, Silent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    let silent = Silent::default();
    let held = silent.clone();
    std::thread::spawn(move || {
        let mut left = answers.into_iter();
        for stream in listener.incoming().map_while(Result::ok) {
            let asked = request(&stream);
            match left.next() {
                Some(answer) => reply(stream, answer),
                None => held.lock().unwrap().push(stream),
            }
            if tell.send(asked).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/base"), told, silent)
}

fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    first + std::str::from_utf8(&body).unwrap()
}

fn reply(mut stream: TcpStream, answer: &str) {
    let (status, body) = answer.split_once('|').unwrap_or((answer, ""));
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
}

fn influx(url: &str) -> Influx {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "secret\n").unwrap();
    Influx::new(&settings::Influx {
        url: url.to_owned(),
        org: "the city".to_owned(),
        bucket: "readings".to_owned(),
        token_file,
    })
    .unwrap()
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again_with_the_same_lines() {
    let (url, told, _) = server(vec![
        "503 Service Unavailable",
        "429 Too Many Requests",
        "204 No Content",
    ]);
    let batch = vec![measured("GD-101", 1_769_900_400_000, 1.5)];
    influx(&url).commit(batch).await.unwrap();
    let asked: Vec<String> = told.try_iter().collect();
    let expected = "POST /base/api/v2/write?org=the%20city&bucket=readings&precision=ms HTTP/1.1\r\n\
        reading,point=GD-101,site=plant-1 good=1i,value=1.5 1769900400000\n";
    assert_eq!(asked, [expected; 3]);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words_and_not_tried_again() {
    let (url, told, _) = server(vec!["404 Not Found|bucket \"readings\" not found"]);
    let refused = influx(&url).commit(vec![measured("p", 1, 1.5)]).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("bucket readings"), "{said}");
    assert!(
        said.contains("404 Not Found: bucket \"readings\" not found"),
        "{said}"
    );
    assert_eq!(told.try_iter().count(), 1);
}

#[tokio::test]
async fn what_waits_for_a_server_that_hangs_is_bounded() {
    let (url, told, silent) = server(vec![]);
    let history = Arc::new(influx(&url));
    let reading = measured("p", 1, 1.5);
    let many = vec![reading.clone(); 1_000_000];
    let waiting = tokio::spawn({
        let history = history.clone();
        async move { history.commit(many).await }
    });
    let heard = tokio::task::spawn_blocking(move || (told.recv(), told));
    let (first, _told) = heard.await.unwrap();
    assert!(first.unwrap().starts_with("POST /base/api/v2/write"));
    let refused = history.commit(vec![reading.clone()]).await;
    assert!(matches!(refused, Err(HistoryError::Busy)), "{refused:?}");
    // Who goes away makes room.
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let next = tokio::time::timeout(
        std::time::Duration::from_millis(50),
        history.commit(vec![reading]),
    );
    assert!(next.await.is_err(), "it waits for its turn");
    // Threads that block on an answer would keep the test.
    silent.lock().unwrap().clear();
}

#[test]
fn a_token_that_cannot_be_read_is_named_by_its_file() {
    let address = settings::Influx {
        url: "http://127.0.0.1:1".to_owned(),
        org: "o".to_owned(),
        bucket: "b".to_owned(),
        token_file: "/nowhere/token".into(),
    };
    let said = Influx::new(&address).unwrap_err().to_string();
    assert!(said.contains("/nowhere/token"), "{said}");
}
