//! The way in: connections are taken, watched while they last, and closed when they only take up room.
//!
//! ```text
//! accept ──▶ table: is there room? ──yes──▶ served by the router, its activity noted
//!                    │ the longest silent one makes room        │
//!                    └─no──▶ side door: /healthz, or 503      └──▶ swept every second: too slow, too long idle
//! ```
//!
//! A connection costs a file, and files are few: without limits, as many clients as there are files, each with half a
//! request line, would lock everybody else out for ever. So a client has ten seconds for the head of its request, a
//! connection may be idle for a little more than a minute, and one that does not take its answer is cut off. Where there
//! is no room, the one whose client has sent nothing for longest makes some, be it between requests or in the middle of a
//! body; one whose request the hub is working on never has to. How long a body may take is seen to where it is read
//! ([`super::body`]).

mod activity;
mod client;
mod files;
mod table;
mod watched;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::problem::Refused;
use super::router::HEALTH;
use crate::config::Config;
pub use activity::{Activity, Waiting};
pub use client::{Client, Proxies};
use files::most;
pub use files::raise_limit;
use table::{Entry, Room, Table};
use watched::{Counted, Watched};

/// How often connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long to wait before the next connection is taken where the system has no files left.
const BREATH: Duration = Duration::from_millis(50);
/// How many connections may stand at the side door at a time, and for how long.
const SIDE_DOOR: usize = 64;
/// How long a client may stay at the side door.
const AT_THE_SIDE_DOOR: Duration = Duration::from_secs(2);
/// When to come back where there was no room, in seconds.
const COME_BACK: u64 = 5;
/// The largest head of a request, in bytes: a token and what proxies add are under 4 KB.
const HEAD_BYTES: usize = 32 << 10;
/// How many requests one HTTP/2 connection may have under way.
const STREAMS: u32 = 64;

/// Takes connections until `stopped`, then waits until those with a request under way are done.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: &Config,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let room = Room { total: most(config.limits.connections), per_address: config.limits.connections_per_address };
    let door = Arc::new(Door {
        table: Mutex::new(Table::new(room)),
        proxies: Proxies::new(&config.trusted_proxies),
        router: TowerToHyperService::new(router),
        stopped: stopped.clone(),
    });
    let (mut served, mut turned_away) = (JoinSet::new(), JoinSet::new());
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            // A door that is stormed still closes, and still puts out who only stands in it.
            biased;
            () = over(&mut stopped) => break,
            _ = sweep.tick() => {
                door.table().sweep(Instant::now());
                while served.try_join_next().is_some() {}
                while turned_away.try_join_next().is_some() {}
            }
            taken = listener.accept() => match taken {
                Ok((stream, peer)) => match door.enter(peer) {
                    Some(seat) => { served.spawn(Arc::clone(&door).serve(stream, seat)); }
                    None if turned_away.len() < SIDE_DOOR => { turned_away.spawn(side_door(stream)); }
                    // Dropped, and so closed: there is not even room to say why.
                    None => {}
                },
                // The client has gone again.
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    // No files or no memory: one that does nothing is closed, and the next is taken a moment later.
                    tracing::warn!(%error, "a connection could not be taken");
                    door.table().close_longest_waiting();
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    door.table().close_idle();
    while served.join_next().await.is_some() {}
    Ok(())
}

/// Over when the hub stops.
async fn over(stopped: &mut watch::Receiver<bool>) {
    // An error says that the other end is gone: the hub stops as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// What every connection is served with.
struct Door {
    table: Mutex<Table>,
    proxies: Proxies,
    router: TowerToHyperService<Router>,
    stopped: watch::Receiver<bool>,
}

/// A connection's place in the table, free again when it is dropped.
struct Seat {
    door: Arc<Door>,
    id: u64,
    peer: IpAddr,
    activity: Arc<Activity>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.door.table().leave(self.id);
    }
}

impl Door {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, peer: SocketAddr) -> Option<Seat> {
        let peer = peer.ip().to_canonical();
        // Everybody who comes through a proxy comes from its address.
        let counted = (!self.proxies.trust(peer)).then_some(peer);
        let (entry, activity) = self.table().enter(counted, Instant::now());
        match entry {
            Entry::Taken(id) => Some(Seat { door: Arc::clone(self), id, peer, activity }),
            Entry::Full => None,
        }
    }

    /// Serves a connection until it ends, is swept, or the hub stops.
    async fn serve(self: Arc<Self>, stream: TcpStream, seat: Seat) {
        let activity = Arc::clone(&seat.activity);
        let peer = seat.peer;
        let answer = {
            let (door, activity) = (Arc::clone(&self), Arc::clone(&activity));
            move |request: Request<Incoming>| {
                let under_way = activity.begin(request.version() == Version::HTTP_2);
                let mut request = request.map(Body::new);
                let client = door.proxies.client(peer, request.headers());
                request.extensions_mut().insert(client);
                // Where its body is read, it is noted that it is waited for.
                request.extensions_mut().insert(Arc::clone(&activity));
                let answered = door.router.call(request);
                async move { answered.await.map(|response| response.map(|body| Counted::new(body, under_way))) }
            }
        };
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS).max_header_list_size(16 << 10);
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service_fn(answer)));
        let mut stopped = self.stopped.clone();
        let mut stopping = false;
        loop {
            tokio::select! {
                // What went wrong is the client's: it went away, or spoke no HTTP.
                _ = connection.as_mut() => break,
                () = activity.closed() => break,
                () = over(&mut stopped), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
        drop(seat);
    }
}

/// Says to a client for which there is no room that there is none; only who asks whether the hub lives is answered.
async fn side_door(stream: TcpStream) {
    let answer = |request: Request<Incoming>| async move {
        let mut response: Response = if request.uri().path() == HEALTH {
            super::router::health().await.into_response()
        } else {
            Refused::busy("The hub has as many connections as it can have.", COME_BACK).into_response()
        };
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok::<_, std::convert::Infallible>(response)
    };
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().keep_alive(false).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service_fn(answer));
    // Whether it took the answer or not: it had its time.
    let _ = tokio::time::timeout(AT_THE_SIDE_DOOR, connection).await;
}
