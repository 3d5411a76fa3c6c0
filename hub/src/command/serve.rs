//! `vestibule serve`: runs a hub until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::Utc;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::json_log::JsonLog;
use super::{Failure, print};
use crate::check::{self, Finding, Setup, Severity};
use crate::config::{DataDir, LogFormat};
use crate::server::connections::raise_limit;
use crate::server::{Hub, Surroundings};

/// Run a hub
#[derive(Debug, Args)]
#[command(
    long_about = "Run a hub: phones sync with it, visitors open its pages, mails go out from it.\n\nThe first start \
                  makes the directory with its settings (vestibule.toml, every setting explained) and its database. \
                  SIGTERM or Ctrl-C ends it cleanly: requests under way are answered, mails on their way are given a few \
                  seconds; one that is not taken by then is sent again at the next start.",
    after_help = "\
Examples:
  vestibule serve --dir hub                          listen where hub/vestibule.toml says (127.0.0.1:8480)
  vestibule serve --dir hub --listen 0.0.0.0:8480    let other machines in
  vestibule serve --dir hub --listen 127.0.0.1:0     take any free port and say which

When it is ready it prints one line: Vestibule hub listening on http://…
What is wrong with its settings it says in its log; `vestibule admin check` says more."
)]
pub struct Serve {
    /// The hub's directory: settings, database, keys
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Listen here, whatever the settings say
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT.
    pub fn run(self) -> Result<(), Failure> {
        let dir = DataDir::open_or_create(&self.dir, self.listen).map_err(Failure::bad_input)?;
        let config = dir.config().map_err(Failure::bad_input)?;
        log_to_stderr(config.log);
        raise_limit();
        let _lock = dir.lock().map_err(Failure::failed)?;
        let runtime = crate::server::runtime().map_err(Failure::failed)?;
        runtime.block_on(async {
            // From here on a signal ends the hub cleanly, also while it is still starting.
            let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
            let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
            let address = self.listen.unwrap_or(config.listen);
            let listener = TcpListener::bind(address).await.map_err(|error| {
                Failure::failed(format!("{address} cannot be listened on: {error}. Name a free one with --listen."))
            })?;
            let hub = Hub::open(dir.clone(), config.clone(), Surroundings::system())
                .await
                .map_err(|error| Failure::failed(format!("The hub does not start: {error}")))?;
            let organisations = hub.organisations();
            let setup = Setup { dir: &dir, config: &config, organisations: &organisations, now: Utc::now() };
            for Finding { severity, code, message } in check::setup(&setup) {
                match severity {
                    Severity::Warning => tracing::warn!(code, "{message}"),
                    Severity::Error => tracing::error!(code, "{message}"),
                }
            }
            if hub.is_empty() {
                let dir = self.dir.display();
                eprintln!("This hub has no organisation yet. Make one with: vestibule admin --dir {dir} init --sample");
            }
            let address = listener.local_addr().map_err(Failure::failed)?;
            // A phone's proof names the hub by the address it was given, and the hub takes its own alone.
            print(&format!("Vestibule hub listening on http://{address}\n"));
            let stop = async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("stopping");
            };
            hub.serve(listener, stop).await.map_err(|error| Failure::failed(format!("The hub failed: {error}")))
        })
    }
}

/// The log goes to standard error, as the settings or `VESTIBULE_LOG_FORMAT` say; what a panic says stays out of it, since
/// it may hold what was worked on.
fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_env("VESTIBULE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let asked = std::env::var("VESTIBULE_LOG_FORMAT").ok();
    let unknown = asked.as_deref().is_some_and(|asked| !matches!(asked, "json" | "text"));
    let json = match asked.as_deref() {
        Some("json") => true,
        Some("text") => false,
        _ => format == LogFormat::Json,
    };
    // Only fails if another log was set before.
    let _ = if json {
        subscriber.event_format(JsonLog).fmt_fields(JsonLog).try_init()
    } else {
        subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
    };
    if unknown {
        tracing::warn!("VESTIBULE_LOG_FORMAT is neither json nor text, and is not followed");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
