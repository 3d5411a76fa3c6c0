//! The short way to the keys of letters that stand alone: nothing before or behind them changes what becomes of them.
//!
//! Most names are written with such letters. Their keys are found the long way once for each letter, and remembered.

use std::sync::atomic::{AtomicU64, Ordering};

/// The letters below this that are remembered: Latin, Greek, Cyrillic, Hebrew, Arabic.
const REMEMBERED: usize = 0x0650;
/// In place of a key that does not fit: the long way has to be gone each time.
const LONG: u64 = u64::MAX;

/// The keys of letters as they were found: up to seven bytes, and their number in the last; 0 where it was not asked for.
pub(super) struct Keys {
    letters: [AtomicU64; REMEMBERED],
    /// What becomes of kana, Han and Hangul, one by one.
    eastern: fn(char) -> char,
}

impl Keys {
    pub(super) const fn new(eastern: fn(char) -> char) -> Self {
        Self { letters: [const { AtomicU64::new(0) }; REMEMBERED], eastern }
    }

    /// The key of a text all of whose characters stand alone; none if one does not. `long` is the long way.
    pub(super) fn of(&self, text: &str, long: fn(&str) -> String) -> Option<String> {
        if !text.chars().all(stands_alone) {
            return None;
        }
        let mut key = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                _ if c.is_ascii() => super::push_collapsed(&mut key, c.to_ascii_lowercase()),
                _ if (c as usize) < REMEMBERED => self.push(&mut key, c, long)?,
                _ => key.push((self.eastern)(c)),
            }
        }
        key.truncate(key.trim_end().len());
        Some(key)
    }

    fn push(&self, key: &mut String, c: char, long: fn(&str) -> String) -> Option<()> {
        let place = &self.letters[c as usize];
        let mut held = place.load(Ordering::Relaxed);
        if held == 0 {
            held = pack(&long(c.encode_utf8(&mut [0; 4])));
            place.store(held, Ordering::Relaxed);
        }
        if held == LONG {
            return None;
        }
        let bytes = held.to_le_bytes();
        key.push_str(std::str::from_utf8(&bytes[..usize::from(bytes[7])]).ok()?);
        Some(())
    }
}

fn pack(key: &str) -> u64 {
    let mut bytes = [0; 8];
    let Some(place) = bytes[..7].get_mut(..key.len()).filter(|place| !place.is_empty()) else { return LONG };
    if key.contains(char::is_whitespace) {
        return LONG;
    }
    place.copy_from_slice(key.as_bytes());
    bytes[7] = u8::try_from(key.len()).expect("at most seven");
    u64::from_le_bytes(bytes)
}

/// Letters that no neighbour changes, as long as all of them are of these ranges, which hold no combining mark.
fn stands_alone(c: char) -> bool {
    matches!(c, '\0'..='\u{7f}' | '\u{c0}'..='\u{2af}' | '\u{386}'..='\u{482}' | '\u{48a}'..='\u{52f}'
        | '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{64a}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30f6}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}
