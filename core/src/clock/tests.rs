//! A device's clock against the hub's: what is believed after each was set, heard, lost and found.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::{Clock, Heard, HubTime, Surroundings, asked};
use crate::keys::{DeviceSigner as _, KeyEntry, KeySet, KeyUse, SignatureError, SoftwareSigner};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const NOW: i64 = 1_800_000_000_000;

/// A device in a test's hand: its clock shows the real time and what it is wrong by.
#[derive(Default)]
struct Device {
    real: AtomicI64,
    wrong_by: AtomicI64,
}

impl Device {
    fn wrong_by(by: i64) -> Arc<Self> {
        Arc::new(Self { real: AtomicI64::new(NOW), wrong_by: AtomicI64::new(by) })
    }

    fn pass(&self, millis: i64) {
        self.real.fetch_add(millis, Ordering::Relaxed);
    }

    fn set(&self, wrong_by: i64) {
        self.wrong_by.store(wrong_by, Ordering::Relaxed);
    }

    fn real(&self) -> i64 {
        self.real.load(Ordering::Relaxed)
    }
}

impl Surroundings for Device {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.real() + self.wrong_by.load(Ordering::Relaxed)).expect("a time")
    }

    fn fill(&self, _: &mut [u8]) {}

    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.real()).expect("after 1970"))
    }
}

fn clock(device: &Arc<Device>) -> Clock {
    Clock::new(Arc::clone(device) as Arc<dyn Surroundings>)
}

/// An exchange that takes two seconds.
fn hears(clock: &Clock, device: &Device) -> Option<Heard> {
    let asked = clock.elapsed();
    device.pass(1_000);
    let time = device.real().div_euclid(1_000) * 1_000;
    device.pass(1_000);
    clock.hear(time, asked)
}

fn error(clock: &Clock, device: &Device) -> i64 {
    (clock.now().timestamp_millis() - device.real()).abs()
}

#[test]
fn a_wrong_clock_is_set_right_and_a_person_is_told() {
    for wrong_by in [-3650 * DAY, -400 * DAY, -HOUR, -180_000, 180_000, 47 * 60_000, HOUR, 400 * DAY, 3650 * DAY] {
        let device = Device::wrong_by(wrong_by);
        let clock = clock(&device);
        assert_eq!(clock.off_by(), None, "nothing was heard that says so");
        hears(&clock, &device).expect("is worth keeping");
        assert!(error(&clock, &device) <= 3_000, "{wrong_by}");
        let off = clock.off_by().expect("is told").num_milliseconds();
        assert!((off - wrong_by).abs() <= 3_000, "{wrong_by}: {off}");
        device.pass(5 * DAY);
        assert!(error(&clock, &device) <= 3_000, "{wrong_by}, five days later");
    }
}

#[test]
fn a_clock_that_is_right_is_left_alone() {
    let device = Device::wrong_by(1_500);
    let clock = clock(&device);
    assert_eq!(hears(&clock, &device).map(|heard| heard.offset), Some(0));
    assert_eq!(hears(&clock, &device), None, "nothing new to be kept");
    assert_eq!(clock.off_by(), None);
    device.pass(HOUR);
    assert!(hears(&clock, &device).is_some(), "the hub's time is kept now and then");
}

/// Set back while the app runs or was closed, the clock counts on from the hub's last time; set ahead, the next answer
/// sets it right.
#[test]
fn a_clock_that_is_set_again_is_set_right_again() {
    let device = Device::wrong_by(0);
    let clock = clock(&device);
    let heard = hears(&clock, &device).expect("kept");
    device.set(-400 * DAY);
    device.pass(HOUR);
    assert!(error(&clock, &device) <= 3_000, "the monotonic clock counts");
    let next = Clock::new(Arc::clone(&device) as Arc<dyn Surroundings>);
    next.recall(Some(heard));
    assert!(error(&next, &device) <= HOUR + 3_000, "another process knows what was heard last");
    device.set(400 * DAY);
    hears(&next, &device).expect("kept");
    assert!(error(&next, &device) <= 3_000);
}

/// A hub whose time goes back, or jumps ahead and back, leaves nothing behind.
#[test]
fn no_time_of_the_hub_is_a_floor_for_ever() {
    let device = Device::wrong_by(0);
    let clock = clock(&device);
    hears(&clock, &device);
    clock.hear(device.real() + 365 * DAY, clock.elapsed()).expect("kept");
    assert!(error(&clock, &device) >= 364 * DAY);
    hears(&clock, &device).expect("kept");
    assert!(error(&clock, &device) <= 3_000);
    assert_eq!(clock.off_by(), None);
}

#[test]
fn a_signed_time_answers_one_question() {
    let feed = SoftwareSigner::from_seed(&[2; 32]);
    let entry = |not_after| KeyEntry { usage: KeyUse::Feed, key: feed.public_key(), not_before: 0, not_after };
    let set = |not_after| KeySet {
        organisation: "acme".parse().expect("an id"),
        version: 1,
        root: feed.public_key(),
        keys: vec![entry(not_after)],
        issued_at: 0,
        expires_at: not_after,
    };
    let keys = set(NOW / 1_000 + 10);
    let time = HubTime { organisation: keys.organisation.clone(), time: NOW, certain: true, asked: asked("a.b.c") };
    let bytes = time.sign(&feed).expect("signs");
    let verify = |keys: &KeySet, floor, jwt| HubTime::verify(&bytes, keys, floor, jwt);
    assert_eq!(verify(&keys, 0, "a.b.c"), Ok(time));
    assert_eq!(verify(&keys, 0, "a.b.d"), Err(SignatureError::Forged));
    assert_eq!(verify(&set(NOW / 1_000), 0, "a.b.c"), Err(SignatureError::UnknownKey), "out of the key's time");
    assert_eq!(verify(&keys, NOW / 1_000 + 10, "a.b.c"), Err(SignatureError::UnknownKey), "the key has run out since");
    let other = KeySet { organisation: "other".parse().expect("an id"), ..keys };
    assert_eq!(verify(&other, 0, "a.b.c"), Err(SignatureError::Forged));
}

proptest! {
    /// Whatever the clocks show, there is a time and no panic, and after an answer the time is the hub's.
    #[test]
    fn whatever_was_heard_the_last_word_counts(
        offset in any::<i64>(), at in any::<i64>(), wrong_by in -9_000 * DAY..9_000 * DAY, hub in 0..4 * NOW,
    ) {
        let device = Device::wrong_by(wrong_by);
        let clock = clock(&device);
        clock.recall(Some(Heard { offset, at }));
        let _ = (clock.now(), clock.off_by());
        clock.hear(hub, clock.elapsed());
        prop_assert!((clock.now().timestamp_millis() - hub).abs() <= 2_000);
    }
}
