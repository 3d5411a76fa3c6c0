//! Closing, pausing and stopping, at any time and from anywhere.

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use vestibule_ffi::client::HostClient;
use vestibule_ffi::error::{Outcome, VestibuleApiError};
use vestibule_ffi::list::{VisitListListener, VisitListUpdate};
use vestibule_ffi::log::{LogRecord, LogSink, set_log_sink};
use vestibule_ffi::provider::{ProviderError, TokenProvider};
use vestibule_ffi::summary::ListFilter;
use vestibule_ffi::sync::{SyncCancel, SyncListener, SyncProgress};

use super::app::{FOREVER, Mirror, Office, form, wait};

/// In place of the hub somebody who takes calls and never answers. Gives once it has a call.
fn silence(office: &mut Office) -> impl FnOnce() + use<> {
    office.hub.kill();
    let address = office.hub.url().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(address).expect("the hub's address is free");
    move || {
        let (call, _) = listener.accept().expect("the phone calls");
        // Open for as long as the process lives: nobody answers, and nobody hangs up.
        std::mem::forget((listener, call));
    }
}

/// A sync that hangs, stopped by `stop`; gives how it ended.
fn stopped(client: &Arc<HostClient>, called: impl FnOnce(), stop: impl FnOnce()) -> Outcome<()> {
    let run = {
        let syncs = client.sync();
        std::thread::spawn(move || wait(syncs.run(None, None)))
    };
    called();
    stop();
    run.join().expect("the call does not panic").map(drop)
}

/// A running sync ends when the client is closed, from another thread; closing again is nothing; then all is `Closed`.
#[test]
fn closing_stops_a_sync() {
    let mut office = Office::open();
    let visits = office.client.visits();
    let kept = visits.create(form("Grace", None)).expect("invites");
    let mirror = Arc::new(Mirror::default());
    let subscription = visits.observe(ListFilter::All, 10, mirror.clone()).expect("observes");
    mirror.until("the list", |list, _| list.len() == 1);
    let called = silence(&mut office);
    let client = Arc::clone(&office.client);
    assert_eq!(stopped(&client, called, || office.client.close()), Err(VestibuleApiError::Cancelled));
    client.close();
    let closed = VestibuleApiError::Closed;
    assert_eq!(visits.show(kept.clone()), Err(closed.clone()));
    assert_eq!(visits.create(form("Ada", None)), Err(closed.clone()));
    assert_eq!(visits.observe(ListFilter::All, 10, mirror).map(drop), Err(closed.clone()));
    assert_eq!(client.directory().sites(), Err(closed.clone()));
    assert_eq!(client.passes().preview(kept.clone()), Err(closed.clone()));
    assert_eq!(client.sync().state(), Err(closed.clone()));
    assert_eq!(client.sync().trouble(), Err(closed.clone()));
    assert_eq!(client.sync().needs_update(), Err(closed.clone()));
    assert_eq!(wait(client.sync().run(None, None)), Err(closed.clone()));
    assert_eq!(wait(client.sign_in(office.hub.url())).map(drop), Err(closed.clone()));
    assert_eq!((client.pause(), client.resume()), (Err(closed.clone()), Err(closed.clone())));
    assert_eq!(client.identity(), Err(closed));
    subscription.load_more();
    subscription.set_filter(ListFilter::Attention);
    subscription.cancel();
    let again = office.app.open(&office.dir.path().join("ada.db")).expect("opens again");
    assert!(again.visits().show(kept).expect("is kept").queued);
}

/// Many threads that use and close one client at once: each call is done, or says `Closed`.
#[test]
fn closing_while_everything_runs() {
    let office = Office::open();
    office.client.visits().create_all(vec![form("Grace", None); 200]).expect("invites");
    let allowed = |outcome: Outcome<()>| {
        let cut_short = matches!(outcome, Err(VestibuleApiError::Closed | VestibuleApiError::Cancelled));
        assert!(outcome.is_ok() || cut_short, "{outcome:?}");
        outcome.is_ok()
    };
    let (client, begun) = (&office.client, &channel());
    std::thread::scope(|threads| {
        for _ in 0..4 {
            let begun = begun.0.clone();
            threads.spawn(move || {
                let _ = begun.send(());
                while allowed(client.visits().list(ListFilter::All, 1_000, None).map(drop)) {}
            });
            threads.spawn(move || while allowed(client.visits().create(form("Ada", None)).map(drop)) {});
            threads.spawn(move || while allowed(wait(client.sync().run(None, None)).map(drop)) {});
        }
        begun.1.recv_timeout(FOREVER).expect("begins");
        threads.spawn(|| client.close());
        threads.spawn(|| client.close());
    });
}

/// A handle stops a sync; so does a pause, until the client is resumed; and dropping the call.
#[test]
fn a_sync_is_stopped() {
    let mut office = Office::open();
    let client = Arc::clone(&office.client);
    let kept = client.visits().create(form("Grace", None)).expect("invites");
    let before = SyncCancel::new();
    before.cancel();
    assert_eq!(wait(client.sync().run(None, Some(before))), Err(VestibuleApiError::Cancelled));
    let called = silence(&mut office);
    assert_eq!(stopped(&client, called, || client.pause().expect("pauses")), Err(VestibuleApiError::Cancelled));
    assert_eq!(wait(client.sync().run(None, None)), Err(VestibuleApiError::Cancelled));
    client.resume().expect("resumes");
    assert!(client.visits().show(kept.clone()).expect("shows").queued);
    {
        let syncs = client.sync();
        let mut dropped = Box::pin(syncs.run(None, None));
        let first = wait(std::future::poll_fn(|context| std::task::Poll::Ready(dropped.as_mut().poll(context))));
        assert!(first.is_pending(), "nobody answers");
    }
    // The one that was dropped makes room for the next: it is not waited for.
    let handle = SyncCancel::new();
    let (run, stop) = (client.sync(), Arc::clone(&handle));
    let run = std::thread::spawn(move || wait(run.run(None, Some(stop))));
    handle.cancel();
    assert_eq!(run.join().expect("does not panic"), Err(VestibuleApiError::Cancelled));
    client.close();
}

/// Listeners of an app that fail or never return harm no other, no sync and no close.
#[test]
fn listeners_that_fail_or_block() {
    struct Fails;
    impl VisitListListener for Fails {
        fn on_update(&self, _: VisitListUpdate) {
            std::panic::resume_unwind(Box::new("as an exception does"));
        }
    }
    impl SyncListener for Fails {
        fn on_progress(&self, _: SyncProgress) {
            std::panic::resume_unwind(Box::new("as an exception does"));
        }
    }
    struct Blocks(Mutex<std::sync::mpsc::Receiver<()>>);
    impl VisitListListener for Blocks {
        fn on_update(&self, _: VisitListUpdate) {
            let _ = self.0.lock().map(|never| never.recv());
        }
    }
    impl SyncListener for Blocks {
        fn on_progress(&self, _: SyncProgress) {
            let _ = self.0.lock().map(|never| never.recv());
        }
    }

    let office = Office::open();
    let visits = office.client.visits();
    let (open, never) = channel();
    let (open_too, never_too) = channel();
    let blocks = visits.observe(ListFilter::All, 10, Arc::new(Blocks(Mutex::new(never)))).expect("observes");
    let fails = visits.observe(ListFilter::All, 10, Arc::new(Fails)).expect("observes");
    let mirror = Arc::new(Mirror::default());
    let good = visits.observe(ListFilter::All, 10, mirror.clone()).expect("observes");
    visits.create(form("Grace", None)).expect("invites");
    mirror.until("Grace", |list, _| list.len() == 1);
    wait(office.client.sync().run(Some(Arc::new(Fails)), None)).expect("syncs");
    wait(office.client.sync().run(Some(Arc::new(Blocks(Mutex::new(never_too)))), None)).expect("syncs");
    mirror.until("upcoming", |list, _| list.iter().all(|visit| !visit.queued));
    office.client.close();
    drop((blocks, fails, good, open, open_too));
}

/// A provider that panics is an error like another.
#[test]
fn a_panic_is_an_error() {
    struct Panics;
    impl TokenProvider for Panics {
        fn bearer_token(&self, _: String) -> Result<String, ProviderError> {
            std::panic::resume_unwind(Box::new("a mistake"))
        }
    }
    let office = Office::open();
    let path = office.dir.path().join("other.db").to_str().expect("UTF-8").to_owned();
    let client = HostClient::open(path, office.app.clone(), Arc::new(Panics), office.app.clone()).expect("opens");
    let outcome = wait(client.sign_in(office.hub.url()));
    assert!(matches!(outcome, Err(VestibuleApiError::Internal { .. })), "{outcome:?}");
    assert_eq!(client.identity(), Err(VestibuleApiError::NotSignedIn));
}

/// The log says what happens, to the sink that is set, and never who.
#[test]
fn the_log_holds_no_personal_data() {
    #[derive(Default)]
    struct Sink(Mutex<Vec<LogRecord>>);
    impl LogSink for Sink {
        fn log(&self, record: LogRecord) {
            self.0.lock().expect("no test panics with it").push(record);
        }
    }
    let sink = Arc::new(Sink::default());
    set_log_sink(Some(sink.clone()));
    let office = Office::open();
    office.client.visits().create(form("Ludovica", None)).expect("invites");
    office.sync().expect("syncs");
    office.client.close();
    set_log_sink(None);
    let begun = std::time::Instant::now();
    // The sink's thread lets go of it when it has told everything.
    while Arc::strong_count(&sink) > 1 {
        assert!(begun.elapsed() < FOREVER, "the old sink is kept");
        std::thread::yield_now();
    }
    let records = sink.0.lock().expect("as above");
    assert!(records.iter().any(|record| record.message.starts_with("a sync ended")), "{records:?}");
    assert!(records.iter().all(|record| record.target.starts_with("vestibule")));
    let text = format!("{records:?}").to_lowercase();
    for personal in ["ludovica", "guest.example", "ada@", "keller"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
}
