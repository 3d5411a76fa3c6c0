//! Counting what goes over the wire, at the socket: every byte of HTTP both ways, and how many calls were made.

use std::future::Future;
use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vestibule_core::sync::{Answer, Call, HttpTransport, Transport, TransportError};

/// What has gone over the wire so far.
#[derive(Debug, Default)]
pub struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    messages: AtomicU64,
    calls: AtomicU64,
}

/// What went over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes both ways, headers included.
    pub bytes: u64,
    /// Bytes of the messages alone, as CBOR, before compression.
    pub messages: u64,
    /// Calls: round trips.
    pub calls: u64,
}

impl Counts {
    /// What went over the wire while something was done.
    pub fn during(&self, work: impl FnOnce()) -> Traffic {
        let before = self.now();
        work();
        let after = self.now();
        Traffic {
            bytes: after.bytes - before.bytes,
            messages: after.messages - before.messages,
            calls: after.calls - before.calls,
        }
    }

    fn now(&self) -> Traffic {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Traffic {
            bytes: read(&self.sent) + read(&self.received),
            messages: read(&self.messages),
            calls: read(&self.calls),
        }
    }
}

/// A transport that counts its calls.
pub struct Counting {
    inner: HttpTransport,
    counts: Arc<Counts>,
}

impl Transport for Counting {
    fn call<'a>(&'a self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>> {
        self.counts.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            let asked = call.body.len();
            let answer = self.inner.call(call).await?;
            self.counts.messages.fetch_add((asked + answer.body.len()) as u64, Ordering::SeqCst);
            Ok(answer)
        })
    }
}

/// Puts a counter before a hub: gives the address to use, the transport, and the counts.
pub fn count(hub: &str) -> (String, Box<dyn Transport>, Arc<Counts>) {
    let hub: SocketAddr = hub.trim_start_matches("http://").parse().expect("the address of a hub here");
    let counts = Arc::new(Counts::default());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let counted = Arc::clone(&counts);
    std::thread::spawn(move || {
        for phone in listener.incoming().flatten() {
            let hub = TcpStream::connect(hub).expect("the hub listens");
            let (phone_back, hub_back) = (phone.try_clone().expect("a socket"), hub.try_clone().expect("a socket"));
            let (up, down) = (Arc::clone(&counted), Arc::clone(&counted));
            std::thread::spawn(move || copy(phone, hub, &up.sent));
            std::thread::spawn(move || copy(hub_back, phone_back, &down.received));
        }
    });
    let inner = HttpTransport::new();
    (url, Box::new(Counting { inner, counts: Arc::clone(&counts) }), counts)
}

/// Copies until one end closes; an end that is gone ends the copy.
fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer)
        && read > 0
    {
        // Counted before it is passed on: whoever has the answer finds it counted.
        count.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
