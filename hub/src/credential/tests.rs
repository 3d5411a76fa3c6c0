//! PINs, windows, and what uses a credential up.

use std::collections::HashSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use vestibule_core::id::ChainHash;

use super::*;
use crate::delivery::testing::{Hub, instant, invitation};
use crate::store::credentials;
use crate::store::organisations::{self, OrganisationRecord};

fn mint_one(hub: &mut Hub, invitation: &Invitation) -> Minted {
    let window = Window::of(invitation, hub.now).expect("a window");
    hub.write(|tx, context, moment| mint(tx, context, moment, invitation, window))
}

/// The visit of that number at the same site.
fn another(number: u8) -> Invitation {
    Invitation { visit: VisitId::from_parts(u64::from(number), [number; 10]), ..invitation() }
}

fn try_spend(hub: &mut Hub, desk: &str, presented: &Presented) -> Result<Spent, SpendRefusal> {
    let now = hub.now;
    let site = SiteId::new("zrh").expect("a code");
    hub.write(|tx, context, _| Ok(spend(tx, context, now, &site, desk, presented)))
}

fn pin(text: &str) -> Presented {
    Presented::Pin(Pin::read(text).expect("digits"))
}

fn code<T>(outcome: Result<T, SpendRefusal>) -> &'static str {
    outcome.err().map_or("ok", |refusal| refusal.code())
}

/// S4.25, S4.26: a PIN works once, in its window, and then never again, nor does the QR code of the same credential.
#[test]
fn a_pin_works_once() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    let typed = minted.pin.as_str().to_owned();
    assert_eq!(code(try_spend(&mut hub, "door", &pin(&typed))), "outside_window", "nine days early");
    hub.now = instant("2027-02-10T20:30:00Z");
    let spent = try_spend(&mut hub, "door", &pin(&format!("{} {}", &typed[..3], &typed[3..]))).expect("let in");
    assert_eq!((spent.visit, spent.credential), (invitation.visit, minted.credential.id));
    assert_eq!(code(try_spend(&mut hub, "door", &pin(&typed))), "unknown");
    assert_eq!(code(try_spend(&mut hub, "desk", &Presented::Qr(minted.credential.id))), "already_used");
}

/// The other way round: the QR code first, and the PIN is dead.
#[test]
fn a_qr_code_uses_the_pin_up() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    hub.now = instant("2027-02-11T00:59:59Z");
    assert_eq!(code(try_spend(&mut hub, "desk", &Presented::Qr(minted.credential.id))), "ok");
    assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), "unknown");
}

/// S1.30, S4.19: at another site the same PIN and code are unknown.
#[test]
fn a_credential_is_good_at_its_site_only() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    hub.now = instant("2027-02-10T21:00:00Z");
    let (now, site) = (hub.now, SiteId::new("gva").expect("a code"));
    for presented in [pin(minted.pin.as_str()), Presented::Qr(minted.credential.id)] {
        let outcome = hub.write(|tx, context, _| Ok(spend(tx, context, now, &site, "door", &presented)));
        assert_eq!(code(outcome), "unknown");
    }
}

/// Invariant 2: suspended or void, it opens nothing; S4.35: at once.
#[test]
fn a_dead_credential_opens_nothing() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    hub.now = instant("2027-02-10T21:00:00Z");
    let visit = invitation.visit;
    hub.write(|tx, context, _| suspend(tx, &context.organisation, visit));
    assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), "not_valid_now");
    hub.write(|tx, context, _| revive(tx, &context.organisation, visit));
    let now = hub.now;
    hub.write(|tx, context, _| void(tx, &context.organisation, visit, now));
    assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), "unknown");
    assert_eq!(code(try_spend(&mut hub, "desk", &Presented::Qr(minted.credential.id))), "not_valid_now");
}

/// Five wrong PINs close a desk for a while, and no other; a right one does not count.
#[test]
fn guessing_is_limited() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    hub.now = instant("2027-02-10T21:00:00Z");
    let wrong = if minted.pin.as_str() == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(code(try_spend(&mut hub, "door", &pin(wrong))), "unknown");
    }
    assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), "too_many_guesses");
    assert_eq!(code(try_spend(&mut hub, "lobby", &pin(wrong))), "unknown", "another desk is open");
    hub.pass(TimeDelta::minutes(11));
    assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), "ok");
    // Whoever moves from desk to desk meets the site's limit.
    let tried = (0..60).find(|n| code(try_spend(&mut hub, &format!("d{n}"), &pin(wrong))) == "too_many_guesses");
    assert_eq!(tried, Some(44), "50 an hour, six of them before");
}

/// Invariant 2: the database itself refuses a second live credential of a visit.
#[test]
fn a_visit_has_one_live_credential() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    mint_one(&mut hub, &invitation);
    let window = Window::of(&invitation, hub.now).expect("a window");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let context = &hub.context;
    let mut moment = Moment::new(hub.now, &mut rng);
    let second: Result<Minted, StoreError> = hub.store.write(|tx| mint(tx, context, &mut moment, &invitation, window));
    assert!(second.is_err());
}

/// 6 digits, and 8 from the hundredth live PIN of the site on; PINs whose window has passed do not count.
#[test]
fn pins_grow_with_their_number() {
    let mut hub = Hub::new();
    let lengths: Vec<usize> = (0..103).map(|n| mint_one(&mut hub, &another(n)).pin.as_str().len()).collect();
    assert_eq!(lengths.iter().filter(|length| **length == 6).count(), 100);
    assert_eq!(lengths[100..], [8, 8, 8]);
    hub.now = instant("2027-02-20T00:00:00Z");
    let mut later = another(200);
    later.values.schedule = Some("2027-03-01T09:00".parse().expect("a schedule"));
    assert_eq!(mint_one(&mut hub, &later).pin.as_str().len(), 6);
}

/// Where the margin and the policy windows lie.
#[test]
fn windows() {
    let mut invitation = invitation();
    let now = instant("2027-02-01T09:00:00.5Z");
    let of = |invitation: &Invitation, now| {
        Window::of(invitation, now).map(|window| (window.not_before.to_rfc3339(), window.expires.to_rfc3339()))
    };
    let pair = |a: &str, b: &str| Some((format!("{a}+00:00"), format!("{b}+00:00")));
    assert_eq!(of(&invitation, now), pair("2027-02-10T20:30:00", "2027-02-11T01:00:00"));
    assert_eq!(of(&invitation, instant("2027-02-11T01:00:00Z")), None, "over");
    invitation.values.schedule = Some("2027-02-10T09:00".parse().expect("an arrival"));
    assert_eq!(of(&invitation, now), pair("2027-02-10T07:30:00", "2027-02-10T10:00:00"));
    invitation.values.schedule = None;
    assert_eq!(of(&invitation, now), pair("2027-02-01T09:00:00", "2027-02-15T18:00:00"));
    assert_eq!(Window::of(&invitation, now).and_then(|window| window.hours), Some((420, 1140)));
    invitation.site.closes = 0;
    assert_eq!(of(&invitation, now), pair("2027-02-01T09:00:00", "2027-02-15T23:00:00"), "midnight of the site");
}

/// Days are counted on the site's calendar: late in the evening before the clocks go forward, the same number
/// of UTC days ends after midnight, on the day after.
#[test]
fn the_days_of_an_unscheduled_credential_are_the_sites() {
    let mut invitation = invitation();
    invitation.values.schedule = None;
    let now = instant("2027-03-26T22:30:00Z");
    let window = Window::of(&invitation, now).expect("a window");
    assert_eq!(window.expires, instant("2027-04-09T17:00:00Z"), "14 days on, 19:00 in Zürich");
}

/// Without a schedule the credential opens in the site's hours only.
#[test]
fn an_unscheduled_credential_keeps_the_hours_of_the_site() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.values.schedule = None;
    // The hours are those of the site's clock, whose rules stand in its row.
    hub.write(|tx, context, _| {
        let record = OrganisationRecord {
            organisation: invitation.organisation.clone(),
            number: 1,
            version: 1,
            security_address: None,
            log_head: ChainHash::ORIGIN,
        };
        organisations::insert(tx, &record)?;
        organisations::insert_site(tx, &context.organisation, &invitation.site, 2)
    });
    let minted = mint_one(&mut hub, &invitation);
    for (at, expected) in [
        ("2027-02-03T05:59:00Z", "outside_window"),
        ("2027-02-03T18:00:00Z", "outside_window"),
        ("2027-02-03T06:00:00Z", "ok"),
    ] {
        hub.now = instant(at);
        assert_eq!(code(try_spend(&mut hub, "door", &pin(minted.pin.as_str()))), expected, "{at}");
    }
}

/// The QR token is the row's, the same each time, and checks out with the organisation's key.
#[test]
fn the_token_is_made_of_the_row() {
    use vestibule_core::qr::{QrKey, QrKeys};
    let (mut hub, invitation) = (Hub::new(), invitation());
    let minted = mint_one(&mut hub, &invitation);
    let stored = hub.read(|tx, context| {
        credentials::by_id(tx, &context.organisation, &minted.credential.site, minted.credential.id)
    });
    assert_eq!(stored.as_ref(), Some(&minted.credential));
    let token = minted.credential.qr_token(&hub.context);
    let now = instant("2027-02-10T21:00:00Z");
    let key = QrKey::new(hub.context.keys.qr.key().verifying_key(), hub.now, now + TimeDelta::days(1));
    let keys = QrKeys::new(hub.context.organisation.clone(), vec![key], hub.now, vec![]);
    assert_eq!(keys.verify(&token, None, now).map(|claims| claims.credential), Ok(minted.credential.id));
}

/// Every digit comes at every place about as often as every other (five sigma of 20,000 draws).
#[test]
fn pins_are_uniform() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut counts = [[0_u32; 10]; 6];
    for _ in 0..20_000 {
        for (place, digit) in Pin::draw(6, &mut rng).as_str().bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
    }
    assert!(counts.iter().flatten().all(|&count| (1_788..=2_212).contains(&count)), "{counts:?}");
}

proptest! {
    /// One guess hits with at most one in ten thousand, however many PINs live, up to where 12 digits end.
    #[test]
    fn a_guess_is_hopeless(live in 0_u64..100_000_000) {
        let digits = Pin::digits(live);
        prop_assert!(live * 10_000 <= 10_u64.pow(digits));
        prop_assert!(digits == 6 || live * 10_000 >= 10_u64.pow(digits - 2));
    }

    /// What is drawn is read back, and its hash depends on organisation, site, PIN and pepper.
    #[test]
    fn a_pin_is_read_back(seed: u64, length in prop::sample::select(vec![6_u32, 8, 10, 12])) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let drawn = Pin::draw(length, &mut rng);
        prop_assert_eq!(drawn.as_str().len(), length as usize);
        let read = Pin::read(&format!(" {} ", drawn.as_str())).expect("it is one");
        let (a, b) = ("a".parse::<OrganisationId>().expect("a code"), "b".parse().expect("a code"));
        let (s, t) = (SiteId::new("s").expect("a code"), SiteId::new("t").expect("a code"));
        let (pepper, other) = (zeroize::Zeroizing::new([1; 32]), zeroize::Zeroizing::new([2; 32]));
        prop_assert_eq!(drawn.hash(&pepper, &a, &s), read.hash(&pepper, &a, &s));
        let different: HashSet<[u8; 32]> = [
            drawn.hash(&pepper, &a, &s), drawn.hash(&pepper, &b, &s), drawn.hash(&pepper, &a, &t),
            drawn.hash(&other, &a, &s),
        ].map(|hash| hash.0).into();
        prop_assert_eq!(different.len(), 4);
    }

    /// Nothing typed at a door panics, and only digits are a PIN.
    #[test]
    fn anything_may_be_typed(typed in "\\PC{0,20}") {
        if let Some(pin) = Pin::read(&typed) {
            prop_assert!(pin.as_str().bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
}
