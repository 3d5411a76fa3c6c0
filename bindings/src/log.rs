//! What the library has to say, for the app's own log. No record holds personal data.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// How many records wait for a slow sink; what comes on top is dropped.
const WAITING: usize = 1_024;

/// How much a record matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What happens, in a few words.
    Info,
    /// For those who look for a mistake.
    Debug,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the library it comes from.
    pub target: String,
    /// What happened, in plain English, with values behind it as `name=value`.
    pub message: String,
}

/// Takes the library's records.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// One record. Called on a thread of its own, one at a time: a sink that is slow holds nothing up, and what it
    /// throws is not heard.
    fn log(&self, record: LogRecord);
}

type Records = SyncSender<LogRecord>;

/// Where the records go now.
static SINK: Mutex<Option<Records>> = Mutex::new(None);

/// Sends the library's records to `sink` from now on, in place of the one before; none sends them nowhere. Where the app
/// has its own subscriber of Rust's `tracing`, that one hears them instead.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>) {
    static LAYER: OnceLock<()> = OnceLock::new();
    LAYER.get_or_init(|| {
        // Somebody else's subscriber stays.
        let _ = tracing_subscriber::registry().with(SinkLayer).try_init();
    });
    let records = sink.and_then(|sink| {
        let (records, waiting) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("vestibule-log".to_owned());
        thread.spawn(move || drain(waiting, sink.as_ref())).is_ok().then_some(records)
    });
    // The old sink's thread ends when it has told what waits.
    *SINK.lock().unwrap_or_else(PoisonError::into_inner) = records;
}

fn drain(waiting: Receiver<LogRecord>, sink: &dyn LogSink) {
    for record in waiting {
        // What it throws cannot be logged.
        let _ = catch_unwind(AssertUnwindSafe(|| sink.log(record)));
    }
}

struct SinkLayer;

impl<S: Subscriber> Layer<S> for SinkLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        // Only our own words: what libraries below say may hold addresses.
        if !metadata.target().starts_with("vestibule") {
            return;
        }
        let level = match *metadata.level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG | Level::TRACE => LogLevel::Debug,
        };
        let Some(records) = SINK.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        let mut message = Message::default();
        event.record(&mut message);
        let record = LogRecord { level, target: metadata.target().to_owned(), message: message.text() };
        // A full queue drops it.
        let _ = records.try_send(record);
    }
}

/// The words of an event, then its values.
#[derive(Default)]
struct Message {
    words: String,
    values: String,
}

impl Message {
    fn text(self) -> String {
        self.words + &self.values
    }
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing into memory does not fail.
        let _ = match field.name() {
            "message" => write!(self.words, "{value:?}"),
            name => write!(self.values, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Writing into memory does not fail.
        let _ = match field.name() {
            "message" => write!(self.words, "{value}"),
            name => write!(self.values, " {name}={value}"),
        };
    }
}
