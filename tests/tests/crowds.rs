//! Many clients, and slow ones: nobody locks the others out.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use vestibule_tests::http::Http;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;

/// As many as lock out a hub that closes nothing, at the usual limit of 1,024 files.
const CROWD: usize = 2_000;

/// This test's own limit, for its ends of the connections.
fn raise_the_limit_of_files() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("the limit of open files is raised");
}

/// A client that has sent half a request line, and waits.
fn half_open(hub: &Hub) -> TcpStream {
    let mut stream = TcpStream::connect(hub.address()).expect("connects");
    stream.write_all(b"POST /v1/sy").expect("sends");
    stream
}

/// Whether the hub has closed it: waits until it has, and not for ever.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("takes a time");
    match stream.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Two thousand connections with half a request each, at a hub that may have 1,024 files: phones sync, the hub says that
/// it lives, and those who only stand in the door are put out.
#[test]
fn two_thousand_half_requests_lock_nobody_out() {
    raise_the_limit_of_files();
    let home = tempfile::tempdir().expect("a directory");
    let mut hub = Hub::create(home.path().join("hub"), "127.0.0.1:9".parse().expect("an address"));
    hub.start_with_files(1_024);
    let phone = Phone::new(home.path().join("ada.db"));
    phone.sign_in(&hub, "ada");
    let http = Http::new(hub.url());

    let mut crowd: Vec<TcpStream> = Vec::with_capacity(CROWD);
    for n in 0..CROWD {
        crowd.push(half_open(&hub));
        if n % 500 == 499 {
            let name = format!("Guest{n}");
            let invited = phone.run(&["invite", "--first", &name, "--email", "g@example.org", "--site", "zrh"]);
            assert!(invited.status.success());
            let synced = phone.run(&["sync"]);
            assert!(synced.status.success(), "{n}: {}", String::from_utf8_lossy(&synced.stderr));
            assert_eq!(http.get("/healthz").status, 200);
        }
    }
    assert_eq!(hub.visits().len(), CROWD / 500);
    assert!(is_closed(&mut crowd[0]), "the first made room");
    assert!(is_closed(crowd.last_mut().expect("a crowd")), "the last had its time");
    assert!(hub.ended().is_none(), "the hub lives");
    assert!(hub.stop().success(), "it stops with the rest of the crowd in its door");
}

/// The same with half a body each: what was begun is no place for ever.
#[test]
fn half_bodies_lock_nobody_out() {
    raise_the_limit_of_files();
    let home = tempfile::tempdir().expect("a directory");
    let mut hub = Hub::create(home.path().join("hub"), "127.0.0.1:9".parse().expect("an address"));
    hub.start_with_files(600);
    let phone = Phone::new(home.path().join("ada.db"));
    phone.sign_in(&hub, "ada");
    let head = "POST /v1/token HTTP/1.1\r\nhost: hub\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let crowd: Vec<TcpStream> = (0..900)
        .map(|_| {
            let mut stream = TcpStream::connect(hub.address()).expect("connects");
            // A hub that has put this one out already takes no more of it.
            let _ = stream.write_all(format!("{head}content-length: 100\r\n\r\nassertion=").as_bytes());
            stream
        })
        .collect();
    let synced = phone.run(&["sync"]);
    assert!(synced.status.success(), "{}", String::from_utf8_lossy(&synced.stderr));
    assert_eq!(Http::new(hub.url()).get("/readyz").status, 200);
    drop(crowd);
    assert!(hub.stop().success());
}

/// A hub told to stop does not wait for clients that say nothing.
#[test]
fn a_crowd_does_not_keep_the_hub_from_stopping() {
    let home = tempfile::tempdir().expect("a directory");
    let mut hub = Hub::create(home.path().join("hub"), "127.0.0.1:9".parse().expect("an address"));
    hub.start();
    let mut crowd: Vec<TcpStream> = (0..50).map(|_| half_open(&hub)).collect();
    assert_eq!(Http::new(hub.url()).get("/healthz").status, 200);
    assert!(hub.stop().success());
    assert!(crowd.iter_mut().all(is_closed));
    assert!(!hub.log().contains("cut off"), "{}", hub.log());
}
