//! From a push to the guest's mail, and from its link to page, pass and calendar entry: each station the real one.

use mail_parser::MessageParser;
use vestibule_core::cbor;
use vestibule_core::document::{Replica, Write, actor_id};
use vestibule_core::envelope::{Envelope, Item, SignedEnvelope};
use vestibule_core::id::{ActorSalt, ChainHash, Thumbprint, VisitId};
use vestibule_core::keys::DeviceSigner as _;
use vestibule_core::sync::wire::{PushedEnvelope, SyncAnswer, SyncRequest, VERSION};
use vestibule_core::visit::{Key, Status};
use vestibule_hub::decide::{self, DecideError};
use vestibule_hub::moment::Moment;
use vestibule_hub::store::{deliveries, visits};

use super::running::{Phone, Running};

/// Ada's phone invites a contractor, who needs an approval.
fn invitation(hub: &Running, phone: &Phone, visit: VisitId) -> Vec<u8> {
    let device: Thumbprint = phone.name().parse().expect("a thumbprint");
    let salt = ActorSalt([5; 16]);
    let writes = [
        Write::set(Key::FirstName, "Grace"),
        Write::set(Key::LastName, "Hopper"),
        Write::set(Key::Email, "grace@example.org"),
        Write::set(Key::Site, "zrh"),
        Write::set(Key::Type, "contractor"),
        Write::set(Key::Host, "ada"),
        Write::set(Key::Schedule, "2027-02-10T14:00/2027-02-10T16:00"),
    ];
    let change = Replica::empty(visit)
        .write(actor_id(&device, visit, &salt), &writes, hub.now())
        .expect("fits the profile")
        .expect("says something");
    let organisation: vestibule_core::id::OrganisationId = "example-ag".parse().expect("an id");
    let envelope = Envelope {
        version: vestibule_core::envelope::VERSION,
        organisation: organisation.clone(),
        root: hub.context("example-ag").keys.root.public_key().thumbprint().expect("a good key"),
        member: "ada".parse().expect("an id"),
        on_behalf_of: None,
        device,
        counter: 1,
        previous: ChainHash::ORIGIN,
        claimed_at: hub.now(),
        not_after: hub.now() + 86_400,
        items: vec![Item::Change { visit, hash: change.hash, salt }],
    };
    let signed = SignedEnvelope::sign(envelope, &phone.key).expect("signs");
    let push = vec![PushedEnvelope { envelope: signed.bytes.into(), chunks: vec![change.bytes.clone().into()] }];
    cbor::write(&SyncRequest {
        version: VERSION,
        organisation,
        epoch: None,
        key_set: 0,
        heads: Vec::new(),
        push,
        proof: None,
    })
}

/// S2.8, S2.16, S1.29: approvers are told of what waits, the guest hears nothing before an approval made in another
/// process, and then gets links that open page, pass and calendar entry.
#[tokio::test]
async fn an_approved_guest_gets_a_mail_whose_links_open() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    let visit = VisitId::from_parts(hub.now().unsigned_abs() * 1000, [1; 10]);
    let answer = hub.post_sync(&token, invitation(&hub, &phone, visit), None).await;
    assert_eq!(answer.status(), 200);
    let answer: SyncAnswer = cbor::read_strict(&answer.bytes().await.expect("a body"), "answer").expect("an answer");
    assert!(answer.turned_away.is_empty() && answer.receipts.is_some());

    let told = hub.mails(2).await;
    let texts: Vec<String> = told.iter().map(|mail| text_of(mail)).collect();
    assert!(told.iter().all(|mail| !String::from_utf8_lossy(mail).contains("To: grace@")), "{texts:?}");
    let review = link(&texts[0], "/review/").expect("a link to review");
    let page = hub.client.get(hub.url(&review)).send().await.expect("answers");
    assert_eq!((page.status().as_u16(), page.text().await.expect("text").contains("Hopper")), (200, true));

    // As `vestibule admin approve` does it: in the database, behind the server's back.
    let context = hub.context("example-ag");
    let now = chrono::DateTime::from_timestamp(hub.now(), 0).expect("a time");
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([3; 32]);
    let priya = "priya".parse().expect("an id");
    hub.store()
        .write::<_, DecideError>(|tx| {
            decide::approve(tx, &context, &mut Moment::new(now, &mut rng), visit, &priya, None)
        })
        .expect("approved");
    let mails = hub.mails(4).await;
    let guest =
        mails.iter().map(|mail| text_of(mail)).find(|text| link(text, "/p/").is_some()).expect("a mail to the guest");
    let path = link(&guest, "/p/").expect("a link to the page");
    for (behind, media_type) in
        [("", "text/html"), ("/pass.pkpass", "application/vnd.apple.pkpass"), ("/visit.ics", "text/calendar")]
    {
        let answer = hub.client.get(hub.url(&format!("{path}{behind}"))).send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{behind}");
        assert!(answer.headers()["content-type"].to_str().expect("text").starts_with(media_type));
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    let metrics = hub.client.get(hub.url("/metrics")).send().await.expect("answers").text().await.expect("text");
    assert!(metrics.contains("vestibule_mails_total{outcome=\"sent\"}"), "{metrics}");
}

/// The hub's own clock ends a visit whose window has passed: here, one that nobody decided about.
#[tokio::test]
async fn a_visit_that_is_never_decided_expires_by_itself() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    let visit = VisitId::from_parts(hub.now().unsigned_abs() * 1000, [1; 10]);
    assert_eq!(hub.post_sync(&token, invitation(&hub, &phone, visit), None).await.status(), 200);
    let status = || {
        let organisation = "example-ag".parse().expect("an id");
        let loaded = hub.store().read(|tx| visits::load(tx, &organisation, visit)).expect("reads");
        loaded.expect("accepted").visit.status()
    };
    assert_eq!(status(), Status::Pending);
    hub.pass(60 * 86_400);
    let expires = async {
        while status() != Status::Expired {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(3), expires).await.expect("it expires");
}

/// A device that asks between two changes of one second gets both: each has a tag of its own (`Last-Modified`, in whole
/// seconds), and be it ahead of the clock.
#[tokio::test]
async fn two_changes_of_a_pass_within_a_second_are_two() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    let visit = VisitId::from_parts(hub.now().unsigned_abs() * 1000, [1; 10]);
    assert_eq!(hub.post_sync(&token, invitation(&hub, &phone, visit), None).await.status(), 200);

    let context = hub.context("example-ag");
    let priya = "priya".parse().expect("an id");
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([3; 32]);
    let mut decide = |reopens: bool| {
        let now = chrono::DateTime::from_timestamp(hub.now(), 0).expect("a time");
        let moment = &mut Moment::new(now, &mut rng);
        let decided = hub.store().write::<_, DecideError>(|tx| {
            if reopens {
                decide::reopen(tx, &context, moment, visit, &priya, None)
            } else {
                decide::approve(tx, &context, moment, visit, &priya, None)
            }
        });
        decided.expect("decided");
    };
    decide(false);
    let delivery = hub.store().read(|tx| deliveries::live(tx, &context.organisation, visit)).expect("reads");
    let delivery = delivery.expect("it lives");
    assert_eq!(delivery.serial.len(), 22);
    let pass_type = &context.apple.as_ref().expect("passes are set up").identity().pass_type_identifier;
    let address = hub.url(&format!("/apple/v1/passes/{pass_type}/{}", delivery.serial));
    let pass_token = format!("ApplePass {}", delivery.pass_token(&context));
    let ask = async |since: Option<&str>| {
        let mut request = hub.client.get(&address).header("authorization", &pass_token);
        if let Some(since) = since {
            request = request.header("if-modified-since", since);
        }
        let answer = request.send().await.expect("answers");
        let tag = answer.headers()["last-modified"].to_str().expect("text").to_owned();
        (answer.status().as_u16(), tag)
    };
    let when = |tag: &str| chrono::DateTime::parse_from_rfc2822(tag).expect("an HTTP date");
    let (status, mut tag) = ask(None).await;
    assert_eq!(status, 200);
    for reopens in [true, false, true, false] {
        decide(reopens);
        let (status, next) = ask(Some(&tag)).await;
        assert_eq!(status, 200, "re-opened: {reopens}");
        assert!(when(&next) > when(&tag), "{next} after {tag}");
        assert_eq!(ask(Some(&next)).await, (304, next.clone()));
        tag = next;
    }
    let head = hub.client.head(&address).header("authorization", &pass_token).send().await.expect("answers");
    assert_eq!((head.status().as_u16(), head.headers()["last-modified"].to_str().expect("text")), (200, tag.as_str()));
}

fn text_of(mail: &[u8]) -> String {
    let mail = MessageParser::default().parse(mail).expect("a mail");
    mail.body_text(0).expect("a text").into_owned()
}

/// The path of the first link whose path begins so.
fn link(text: &str, begins: &str) -> Option<String> {
    text.split_whitespace()
        .filter_map(|word| word.trim_matches(['<', '>', '(', ')']).strip_prefix("http://127.0.0.1:8480"))
        .find(|path| path.starts_with(begins))
        .map(|path| path.split(['#', '?']).next().unwrap_or(path).to_owned())
}
