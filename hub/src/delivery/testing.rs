//! One organisation with its keys, one visit, and a hub's database, for tests of what a guest gets.

use std::cell::RefCell;
use std::sync::{Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use lettre::address::Envelope;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rusqlite::Transaction;
use tempfile::TempDir;
use vestibule_core::decision::Fact;
use vestibule_core::directory::{Member, Organisation, PrivacyMode, Site, Space, VisitorType};
use vestibule_core::id::VisitId;
use vestibule_core::visit::{Key, Value, VisitValues};

use super::sender::{self, MailTransport, TransportError};
use super::{Delivery, Invitation, carry_out};
use crate::context::Context;
use crate::credential::{self, Credential};
use crate::effect::Effect;
use crate::handover::{self, Noted};
use crate::keys::OrganisationKeys;
use crate::moment::Moment;
use crate::record::RecordError;
use crate::store::{HubStore, StoreError, deliveries, outbox};
use crate::wallet::{GoogleIssuer, PassIdentity, PassSigner};

/// Keys take a second to make: once per process.
fn wallet_directory() -> &'static TempDir {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| tempfile::tempdir().expect("a directory"))
}

/// The first test of the process makes the keys, behind a lock.
static MAKING_KEYS: Mutex<()> = Mutex::new(());

/// A hub with one organisation at a fixed time with fixed randomness.
pub(crate) struct Hub {
    pub(crate) directory: TempDir,
    pub(crate) store: HubStore,
    pub(crate) context: Context,
    pub(crate) now: DateTime<Utc>,
    rng: ChaCha20Rng,
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

impl Hub {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let keys = OrganisationKeys::create(&directory.path().join("keys"), &mut rng).expect("keys");
        let organisation = "example-ag".parse().expect("a code");
        let now = instant("2027-02-01T09:00:00Z");
        let identity = PassIdentity {
            organisation: "example-ag".parse().expect("a code"),
            pass_type_identifier: "pass.ch.example.visit".into(),
            team_identifier: "A1B2C3D4E5".into(),
        };
        let locked = MAKING_KEYS.lock().expect("no test dies here");
        let mut key_rng = ChaCha20Rng::seed_from_u64(8);
        let wallet = wallet_directory().path();
        let apple = PassSigner::open_or_create(wallet, &identity, now, &mut key_rng).expect("a signer");
        let google = GoogleIssuer::open_or_create(wallet, &identity.organisation, "3388000000022", &mut key_rng)
            .expect("an issuer");
        drop(locked);
        let context = Context {
            organisation,
            keys,
            public_url: "https://visit.example.ch".parse().expect("a URL"),
            mail_from: "Example AG <visitors@example.ch>".into(),
            apple: Some(apple),
            google: Some(google),
        };
        let store = HubStore::open(&directory.path().join("hub.db")).expect("a database");
        Self { directory, store, context, now, rng }
    }

    /// Carries an effect out in a transaction of its own.
    pub(crate) fn carry_out(&mut self, invitation: &Invitation, effect: &Effect) -> Vec<Fact> {
        let mut moment = Moment::new(self.now, &mut self.rng);
        let context = &self.context;
        self.store.write(|tx| carry_out(tx, context, &mut moment, invitation, effect)).expect("carried out")
    }

    pub(crate) fn read<T>(&mut self, work: impl FnOnce(&Transaction<'_>, &Context) -> Result<T, StoreError>) -> T {
        let context = &self.context;
        self.store.read(|tx| work(tx, context)).expect("read")
    }

    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Context, &mut Moment<'_>) -> Result<T, StoreError>,
    ) -> T {
        let mut moment = Moment::new(self.now, &mut self.rng);
        let context = &self.context;
        self.store.write(|tx| work(tx, context, &mut moment)).expect("written")
    }

    pub(crate) fn credential(&mut self, invitation: &Invitation) -> Option<Credential> {
        self.read(|tx, context| credential::latest(tx, &context.organisation, invitation.visit))
    }

    pub(crate) fn delivery(&mut self, invitation: &Invitation) -> Option<Delivery> {
        self.read(|tx, context| deliveries::live(tx, &context.organisation, invitation.visit))
    }

    /// Sends everything that is due now, and gives what the server got.
    pub(crate) fn send_all(&mut self) -> Vec<Sent> {
        let server = Server::default();
        while !matches!(self.send(&server), SendOutcome::Idle { .. }) {}
        server.taken.into_inner()
    }

    pub(crate) fn send(&mut self, server: &impl MailTransport) -> SendOutcome {
        send_next(&mut self.store, &self.context, &mut Moment::new(self.now, &mut self.rng), server)
    }

    pub(crate) fn pass(&mut self, time: TimeDelta) {
        self.now += time;
    }
}

/// Sends the mail that is next, if one is due.
pub(crate) fn send_next(
    store: &mut HubStore,
    context: &Context,
    moment: &mut Moment<'_>,
    server: &impl MailTransport,
) -> SendOutcome {
    let now = moment.now;
    let claimed = store.write(|tx| sender::claim(tx, context, now, &[])).expect("the database works");
    let Some(mail) = claimed else {
        let next = store.write(|tx| {
            sender::forget(tx, context, now)?;
            outbox::next_due(tx, &context.organisation)
        });
        return SendOutcome::Idle { next: next.expect("the database works") };
    };
    let said = sender::hand_over(server, context, &mail);
    let noted = store.write::<_, RecordError>(|tx| handover::note(tx, context, moment, &mail, said));
    SendOutcome::Done { kind: mail.kind, noted: noted.expect("the database works") }
}

/// What became of the mail that was next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// No mail is due; when the next one is.
    Idle { next: Option<DateTime<Utc>> },
    /// One was.
    Done { kind: String, noted: Noted },
}

impl SendOutcome {
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self, Self::Done { noted: Noted::Sent, .. })
    }
}

/// What a server says to a mail.
pub(crate) fn answered(reach: sender::Reach, class: sender::Class, code: u16) -> TransportError {
    TransportError { reach, class, code: Some(code) }
}

/// A mail a server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sent {
    pub(crate) fn text(&self) -> String {
        self.parsed().body_text(0).expect("a text").replace("\r\n", "\n")
    }

    pub(crate) fn html(&self) -> String {
        self.parsed().body_html(0).expect("HTML").replace("\r\n", "\n")
    }

    pub(crate) fn subject(&self) -> String {
        self.parsed().subject().expect("a subject").to_owned()
    }

    /// The line `PIN: …`.
    pub(crate) fn pin(&self) -> Option<String> {
        self.text().lines().find_map(|line| line.strip_prefix("PIN: ").map(str::to_owned))
    }

    /// The part of that media type.
    pub(crate) fn part(&self, media: &str) -> Option<Vec<u8>> {
        use mail_parser::MimeHeaders as _;
        let parsed = self.parsed();
        let part = parsed.parts.iter().find(|part| {
            part.content_type().is_some_and(|of| format!("{}/{}", of.ctype(), of.subtype().unwrap_or("")) == media)
        })?;
        Some(part.contents().to_vec())
    }

    pub(crate) fn parsed(&self) -> mail_parser::Message<'_> {
        mail_parser::MessageParser::default().parse(&self.bytes).expect("a message")
    }
}

/// A mail server in memory that answers what it is told to, and takes everything else.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) taken: RefCell<Vec<Sent>>,
    /// Answers to the next mails, first first.
    pub(crate) answers: RefCell<Vec<TransportError>>,
}

impl MailTransport for Server {
    fn deliver(&self, _: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        if !self.answers.borrow().is_empty() {
            return Err(self.answers.borrow_mut().remove(0));
        }
        let to = envelope.to()[0].to_string();
        self.taken.borrow_mut().push(Sent { to, bytes: message.to_vec() });
        Ok(())
    }
}

pub(crate) fn values(pairs: &[(Key, &str)]) -> VisitValues {
    VisitValues::from_pairs(pairs.iter().map(|&(key, text)| (key, Value::Text(text))))
}

/// An evening visit in Zürich.
pub(crate) fn invitation() -> Invitation {
    let id = "0194f0c2-7d3a-7b11-9e52-3f0a6c1d2e4b";
    Invitation {
        visit: id.parse::<VisitId>().expect("a UUID"),
        number: 42,
        values: values(&[
            (Key::Id, id),
            (Key::FirstName, "Ngọc Ánh"),
            (Key::LastName, "Müller-Ōta"),
            (Key::Company, "Acme & Söhne GmbH"),
            (Key::Email, "ngoc@acme.example"),
            (Key::Site, "zrh"),
            (Key::Space, "control-3"),
            (Key::Type, "contractor"),
            (Key::Host, "bea"),
            (Key::Schedule, "2027-02-10T22:00/2027-02-11T02:00"),
            (Key::Message, "Please bring your ID.\nThe plan is at https://plans.example/zrh."),
            (Key::Reason, "Maintenance of the chillers"),
        ]),
        organisation: Organisation {
            id: "example-ag".parse().expect("a code"),
            name: "Example AG".into(),
            privacy: PrivacyMode::Private,
            qr: true,
            wallet: true,
            unscheduled_days: 14,
            arrival_minutes: 120,
        },
        site: Site {
            id: "zrh".parse().expect("a code"),
            number: 1,
            name: "Zürich Headquarters".into(),
            zone: crate::zones::built_in("Europe/Zurich"),
            address: "Bahnhofstrasse 1\n8001 Zürich".into(),
            directions: "Tram 11 to Rennweg, then two minutes on foot.\nAfter 19:00 use the side entrance.".into(),
            latitude: Some(47_371_900),
            longitude: Some(8_538_900),
            opens: 7 * 60,
            closes: 19 * 60,
        },
        space: Some(Space {
            id: "control-3".parse().expect("a code"),
            site: "zrh".parse().expect("a code"),
            name: "Control room 3".into(),
        }),
        visitor_type: Some(VisitorType {
            id: "contractor".parse().expect("a code"),
            name: "Contractor".into(),
            needs_approval: true,
        }),
        host: Member {
            id: "bea".parse().expect("a code"),
            number: 3,
            name: "Beatrice Keller".into(),
            email: "beatrice.keller@example.ch".into(),
            site: None,
        },
        security_address: Some("security@example.ch".into()),
        category_address: Some("contractors@example.ch".into()),
    }
}
