//! Deterministic CBOR (RFC 8949, section 4.2.1): what is read must be in the one form we write.
//!
//! Bytes come from outside and go through two gates. [`is_in_form`] walks them once, without recursion and without
//! allocating by a number they claim, and lets pass only the subset our messages are made of: definite lengths,
//! shortest heads, maps with ascending unsigned keys, no tags, no floats, no deep nesting. Then `minicbor` reads the
//! value. [`read_strict`] also writes the value again and compares; [`read`] skips fields a newer version has added.

use minicbor::{Decode, Encode};

/// The deepest nesting of arrays and maps. Ours is 7: what is asked in a request in an item of an envelope.
const MAX_DEPTH: usize = 16;
/// The most data items of one message. The largest of ours have 3 a row and some 7 an envelope; without a bound, five
/// megabytes of empty byte strings would become 120 in memory.
const MAX_DATA_ITEMS: usize = 1 << 18;

/// The bytes are not what we would write for any value; completes "failed to read a message: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not the deterministic CBOR of a {0}")]
pub struct NotCanonical(pub &'static str);

/// Writes a value. Types derive their encoding with integer keys in ascending order, which is the deterministic one.
pub fn write<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Most messages fit: growing from nothing would copy each of them several times.
    let mut bytes = Vec::with_capacity(256);
    minicbor::encode(value, &mut bytes).expect("writing to memory does not fail");
    bytes
}

/// Reads a value and refuses trailing bytes, unknown fields and every other encoding of the same value.
pub fn read_strict<'b, T: Encode<()> + Decode<'b, ()>>(bytes: &'b [u8], kind: &'static str) -> Result<T, NotCanonical> {
    let value: T = read(bytes, kind)?;
    if write(&value) == bytes { Ok(value) } else { Err(NotCanonical(kind)) }
}

/// Reads a value a newer hub may have added fields to: unknown fields are skipped; trailing bytes, repeated fields and
/// every form but the deterministic one are refused.
pub fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8], kind: &'static str) -> Result<T, NotCanonical> {
    if !is_in_form(bytes) {
        return Err(NotCanonical(kind));
    }
    minicbor::decode(bytes).map_err(|_| NotCanonical(kind))
}

/// Whether the bytes are exactly one data item in the form our messages have.
pub fn is_in_form(bytes: &[u8]) -> bool {
    walk(bytes).is_some()
}

/// An array or map whose end is not reached yet.
struct Open {
    /// How many elements, or pairs, are still to come.
    left: u64,
    /// In a map, the least the next key may be.
    least_key: Option<u64>,
}

fn walk(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes;
    let mut open: Vec<Open> = Vec::new();
    for _ in 0..MAX_DATA_ITEMS {
        let (major, argument) = head(&mut rest)?;
        match major {
            0 | 1 => {}
            2 | 3 => rest = rest.get(usize::try_from(argument).ok()?..)?,
            4 | 5 if open.len() < MAX_DEPTH => {
                open.push(Open { left: argument, least_key: (major == 5).then_some(0) });
            }
            // false, true, null.
            7 if (20..=22).contains(&argument) => {}
            _ => return None,
        }
        while open.last().is_some_and(|container| container.left == 0) {
            open.pop();
        }
        let Some(container) = open.last_mut() else {
            return rest.is_empty().then_some(());
        };
        container.left -= 1;
        if let Some(least) = &mut container.least_key {
            let (0, key @ 0..=0xffff_ffff) = head(&mut rest)? else { return None };
            if key < *least {
                return None;
            }
            *least = key + 1;
        }
    }
    None
}

/// The next data item's major type and argument, if its length is definite and written in the shortest way.
fn head(rest: &mut &[u8]) -> Option<(u8, u64)> {
    let (&first, tail) = rest.split_first()?;
    let (width, least) = match first & 0x1f {
        short @ 0..=23 => {
            *rest = tail;
            return Some((first >> 5, u64::from(short)));
        }
        24 => (1, 24),
        25 => (2, 1 << 8),
        26 => (4, 1 << 16),
        27 => (8, 1 << 32),
        _ => return None,
    };
    let (digits, tail) = tail.split_at_checked(width)?;
    let argument = digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit));
    *rest = tail;
    (argument >= least).then_some((first >> 5, argument))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Old {
        #[n(0)]
        number: u64,
        #[n(1)]
        list: Vec<String>,
    }

    fn form(hex: &str) -> bool {
        is_in_form(&hex::decode(hex.replace(' ', "")).expect("hexadecimal"))
    }

    #[test]
    fn a_message_has_one_form() {
        for good in ["00", "1818", "20", "40", "6161", "80", "a0", "f6", "820102", "a200010120", "a1 00 a1 18ff 81 f5"]
        {
            assert!(form(good), "{good}");
        }
        for (bad, why) in [
            ("", "nothing"),
            ("0000", "trailing"),
            ("1817", "an over-long head"),
            ("1900ff", "an over-long head"),
            ("1a0000ffff", "an over-long head"),
            ("1b00000000ffffffff", "an over-long head"),
            ("580100", "an over-long length"),
            ("9f00ff", "an indefinite array"),
            ("bf0000ff", "an indefinite map"),
            ("5f4100ff", "an indefinite string"),
            ("a200000000", "a key twice"),
            ("a201000000", "keys out of order"),
            ("a1616100", "a key that is text"),
            ("a12000", "a negative key"),
            ("c000", "a tag"),
            ("f93c00", "a float"),
            ("f7", "undefined"),
            ("f814", "a simple value in two bytes"),
            ("1c", "a reserved head"),
            ("ff", "a break"),
            ("8200", "too short"),
            ("4200", "too short"),
            ("a100", "a key without a value"),
        ] {
            assert!(!form(bad), "{why}: {bad}");
        }
    }

    /// A few bytes that claim much cost nothing, and no depth of nesting reaches the stack.
    #[test]
    fn bombs_are_refused() {
        for major in [0x5b, 0x7b, 0x9b, 0xbb] {
            let mut bomb = vec![major];
            bomb.extend(u64::MAX.to_be_bytes());
            assert!(!is_in_form(&bomb));
            assert!(read::<Vec<String>>(&bomb, "bomb").is_err());
        }
        assert!(!is_in_form(&vec![0x81; 5 << 20]), "deep");
        let mut deep = vec![0x81; MAX_DEPTH];
        deep.push(0);
        assert!(is_in_form(&deep));
        deep.insert(0, 0x81);
        assert!(!is_in_form(&deep));
        let many = u32::try_from(5_usize << 20).expect("fits");
        let mut wide = vec![0x9a];
        wide.extend(many.to_be_bytes());
        wide.resize(5 + (5 << 20), 0x40);
        assert!(!is_in_form(&wide), "many");
        let mut last_key = vec![0xa1, 0x1b];
        last_key.extend(u64::MAX.to_be_bytes());
        last_key.push(0);
        assert!(!is_in_form(&last_key));
    }

    #[test]
    fn a_later_field_is_skipped_where_that_is_allowed() {
        let bytes = hex::decode("a300070181616102a10001").expect("hexadecimal");
        assert_eq!(read::<Old>(&bytes, "old"), Ok(Old { number: 7, list: vec!["a".into()] }));
        assert_eq!(read_strict::<Old>(&bytes, "old"), Err(NotCanonical("old")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            is_in_form(&bytes);
            if let Ok(value) = read_strict::<Old>(&bytes, "old") {
                prop_assert_eq!(write(&value), bytes);
            }
        }

        #[test]
        fn what_we_write_is_in_form(number: u64, list: Vec<String>) {
            let value = Old { number, list };
            let bytes = write(&value);
            prop_assert!(is_in_form(&bytes));
            prop_assert_eq!(read_strict::<Old>(&bytes, "old"), Ok(value));
        }
    }
}
