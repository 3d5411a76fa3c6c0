//! What a phone takes of the memory: in a process of its own, above what the process took before it opened the file.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::Uri;
use tokio::net::TcpListener;
use vestibule_core::store::ListFilter;
use vestibule_core::sync::HttpTransport;
use vestibule_core::visit::Tab;

use crate::local::grouped;
use crate::paper::Paper;
use crate::phone::{Offline, Phone, open};
use crate::table::{Line, Target};

/// A phone that shows its lists, and a phone during its first sync, over loopback HTTP from a hub on paper.
pub fn lines(paper: &Arc<Paper>, phone: &Path, visits: usize) -> Vec<Line> {
    let of = grouped(visits);
    let url = serve(Arc::clone(paper));
    vec![
        Line::alone(
            format!("memory of an open phone with {of} visits, lists shown and searched"),
            "MB",
            child(&["memory-idle", phone.to_str().expect("a path in UTF-8")]),
            Target::AtMost(20.0),
        ),
        Line::alone(
            format!("memory of a phone during its first sync of {of}, at its highest"),
            "MB",
            child(&["memory-sync", &url]),
            Target::AtMost(64.0),
        ),
    ]
}

/// Runs this program for one measurement; it prints kilobytes.
fn child(arguments: &[&str]) -> f64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).args(arguments).output().expect("this program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let kilobytes: f64 = text.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    kilobytes * 1024.0 / 1e6
}

/// In the child: opens, lists, searches, counts; how much more memory is resident then.
pub fn idle(path: &Path) {
    let before = resident("VmRSS");
    let client = open(path, 40, Box::new(Offline));
    for tab in [Tab::Upcoming, Tab::Past, Tab::Pending] {
        client.list(ListFilter::Tab(tab), 50, None).expect("lists");
    }
    client.search("mar", 50).expect("searches");
    client.counts().expect("counts");
    println!("{}", resident("VmRSS") - before);
}

/// In the child: signs in and syncs; how much more memory was resident at the highest.
pub fn sync(url: &str) {
    let before = resident("VmRSS");
    let phone = Phone::sign_in(url, "token", 41, Box::new(HttpTransport::new()));
    phone.sync();
    println!("{}", resident("VmHWM") - before);
}

/// A figure of Linux's `/proc/self/status`, in kilobytes.
fn resident(name: &str) -> i64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("a line of that name");
    line.trim().trim_end_matches(" kB").parse().expect("kilobytes")
}

/// Serves a hub on paper over HTTP, until this program ends.
fn serve(paper: Arc<Paper>) -> String {
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            told.send(format!("http://{}", listener.local_addr().expect("an address"))).expect("somebody waits");
            let answer =
                |State(paper): State<Arc<Paper>>, uri: Uri, body: Bytes| async move { paper.answer(uri.path(), &body) };
            let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(paper);
            axum::serve(listener, router).await.expect("serves");
        });
    });
    heard.recv().expect("the server says where it is")
}
