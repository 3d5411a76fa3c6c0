//! Text: what is refused, and how it is compared and searched.
//!
//! Text is stored exactly as a person typed it. It is normalised only on its way into a comparison ([`compare_key`]:
//! "is this that host?") or into a search index ([`search_key`]: "zurcher" finds "Zürcher"); neither key is ever shown
//! or stored as the value. A few characters are refused outright ([`refused_char`]), because they make a name read as
//! something it is not, or break a mail header, a log line or a terminal.
//!
//! ```
//! use vestibule_core::text::{compare_key, search_key};
//! assert_eq!(compare_key("  Anna\u{a0} STRASSE "), compare_key("anna straße"));
//! assert_eq!(search_key("Søren Zürcher"), "soren zurcher");
//! ```

mod alike;
mod alone;
mod paste;
mod words;

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

pub use paste::{phone_number, plain_digits, plain_lines, structured};
pub use words::{index_name, index_words, is_unspaced_name, search_expression};

/// Whether a character is refused in a value: category Cc (a line feed is allowed where the value is `multiline`), the
/// bidirectional embeddings, overrides and isolates U+202A–202E and U+2066–2069 (a name that reads backwards), and
/// noncharacters (Unicode 23.7). Joiners, combining marks and emoji are fine; a `char` is never a surrogate.
pub fn refused_char(c: char, multiline: bool) -> bool {
    match c {
        '\n' => !multiline,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fdd0}'..='\u{fdef}' => true,
        _ => c.is_control() || (c as u32) & 0xfffe == 0xfffe,
    }
}

/// The place (counted in characters from 0) of the first refused character of `text`.
pub fn first_refused(text: &str, multiline: bool) -> Option<usize> {
    text.chars().position(|c| refused_char(c, multiline))
}

/// Whether a reader would see nothing: the text is empty, or only white space and invisible characters.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// The form in which two texts are compared: compatibility-composed (NFKC), without case, invisible characters left
/// out, white space collapsed to single spaces and trimmed. Marks count: `Müller` is not `Muller`.
pub fn compare_key(text: &str) -> String {
    static LETTERS: alone::Keys = alone::Keys::new(|c| c);
    LETTERS.of(text, long_compare_key).unwrap_or_else(|| long_compare_key(text))
}

fn long_compare_key(text: &str) -> String {
    until_stable(text, |text| collapse(text.nfkc().filter(|&c| !is_invisible(c)).flat_map(fold_case)).nfkc().collect())
}

/// The form in which text is searched: as [`compare_key`], without accents (`Müller` is found as `muller`), and with
/// every letter as its readers would also write it ([`alike`]: `Łukasz`, `lukasz`; `サトウ`, `さとう`; `髙橋`, `高橋`).
///
/// Only marks whose combining class is 10 or above go: nuktas, viramas and kana voicing marks change the letter
/// (`が` is not `か`), and the letters a Devanagari or Thai vowel sign belongs to are no accents either.
pub fn search_key(text: &str) -> String {
    static LETTERS: alone::Keys = alone::Keys::new(|c| alike::plain(c).next().unwrap_or(c));
    LETTERS.of(text, long_search_key).unwrap_or_else(|| long_search_key(text))
}

fn long_search_key(text: &str) -> String {
    until_stable(&long_compare_key(text), |text| {
        let bare = text.nfkd().filter(|&c| canonical_combining_class(c) < 10 && !is_invisible(c));
        repeated(collapse(bare.flat_map(fold_case).flat_map(alike::plain)).nfkc())
    })
}

/// The text with the mark of repetition, as in `佐々木`, written out.
fn repeated(chars: impl Iterator<Item = char>) -> String {
    let mut last = None;
    chars
        .map(|c| {
            let c = if c == '々' { last.unwrap_or(c) } else { c };
            last = Some(c);
            c
        })
        .collect()
}

/// Characters that are not seen: format characters (Cf: joiners, soft hyphen, marks of direction), variation selectors
/// and the Hangul fillers.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
        || get_general_category(c) == GeneralCategory::Format
}

/// Full case folding by way of capitals, so that `ß` meets `SS` and both small sigmas meet.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// Single spaces between words, none around them.
fn collapse(chars: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    chars.for_each(|c| push_collapsed(&mut out, c));
    out.truncate(out.trim_end().len());
    out
}

/// Adds a character; white space only as one space behind a word.
fn push_collapsed(out: &mut String, c: char) {
    if !c.is_whitespace() {
        out.push(c);
    } else if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Applies `step` until it changes nothing: a decomposition can bring out a letter that folds once more. Three rounds
/// settle every character of Unicode 16; the bound only guarantees an end.
fn until_stable(text: &str, step: impl Fn(&str) -> String) -> String {
    let mut current = step(text);
    for _ in 0..4 {
        let next = step(&current);
        if next == current {
            break;
        }
        current = next;
    }
    current
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Controls, bidirectional overrides and noncharacters are refused; a line feed only where lines are allowed.
    #[test]
    fn refused_characters() {
        for c in ['\0', '\t', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            assert!(refused_char(c, true), "{c:?}");
        }
        for c in ['\u{fdd0}', '\u{fdef}', '\u{fffe}', '\u{ffff}', '\u{1fffe}', '\u{10ffff}'] {
            assert!(refused_char(c, true), "{c:?}");
        }
        assert!(refused_char('\n', false));
        assert!(!refused_char('\n', true));
        for c in ['a', 'ü', '\u{301}', '\u{200d}', '\u{200c}', '\u{200e}', '😀', '\u{fffd}', '\u{a0}', '\u{2028}'] {
            assert!(!refused_char(c, false), "{c:?}");
        }
        assert_eq!(first_refused("ab\u{202e}c", false), Some(2));
    }

    #[test]
    fn comparison_ignores_case_width_and_white_space_but_not_marks() {
        assert_eq!(compare_key("  ＡＮＮＡ \t\u{a0}Müller\u{200b}"), "anna müller");
        assert_eq!(compare_key("mu\u{308}ller"), compare_key("MÜLLER"));
        assert_ne!(compare_key("Müller"), compare_key("Muller"));
        assert_eq!(compare_key("ΟΔΥΣΣΕΥΣ"), compare_key("οδυσσευς"));
        assert_eq!(compare_key("STRASSE"), compare_key("straße"));
    }

    #[test]
    fn search_ignores_accents_but_keeps_what_makes_a_letter() {
        assert_eq!(search_key("Łukasz Ångström-Đorđević"), "lukasz angstrom-dordevic");
        assert_eq!(search_key("Þórr Æsir"), "thorr aesir");
        assert_eq!(search_key("ﬁnance"), "finance");
        assert_ne!(search_key("が"), search_key("か"));
        assert_eq!(search_key("김민수"), "김민수");
        assert_ne!(search_key("कि"), search_key("क"));
    }

    /// The short way is the long way for every letter, before and behind others, and around every space.
    #[test]
    fn the_short_way_leads_to_the_same_keys() {
        for one in '\0'..='\u{3100}' {
            for other in ["a", " ", "\n", "Z", "ß", "İ", "и\u{306}", "か\u{3099}", "가"] {
                let text = format!(" {one}{other}{one}b{other} ");
                assert_eq!(compare_key(&text), long_compare_key(&text), "{text:?}");
                assert_eq!(search_key(&text), long_search_key(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn invisible_text_is_blank() {
        assert!(is_blank(" \u{200b}\u{3164}\u{a0}"));
        assert!(!is_blank(" . "));
    }

    /// Both keys are idempotent for every character of the planes that letters live in.
    #[test]
    fn every_character_settles() {
        for c in '\0'..='\u{1ffff}' {
            let text = c.to_string();
            let (compared, searched) = (compare_key(&text), search_key(&text));
            assert_eq!(compare_key(&compared), compared, "{c:?}");
            assert_eq!(search_key(&searched), searched, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_are_idempotent(text in "\\PC{0,40}|.{0,20}") {
            let (compared, searched) = (compare_key(&text), search_key(&text));
            prop_assert_eq!(compare_key(&compared), compared);
            prop_assert_eq!(search_key(&searched), &*searched);
            prop_assert_eq!(search_key(&compare_key(&text)), searched, "what compares equal is found alike");
        }

        #[test]
        fn the_short_way_is_the_long_one(text in "[ \\t-~À-ʯΆ-ҁҊ-ԯא-תؠ-ي-ヺ一-鿿가-힣]{0,24}") {
            prop_assert_eq!(compare_key(&text), long_compare_key(&text));
            prop_assert_eq!(search_key(&text), long_search_key(&text));
        }
    }
}

#[cfg(test)]
mod refused_char_tests {
    use super::refused_char;

    /// What `formats.md` refuses, at both ends of each range, and what it lets through next to them.
    #[test]
    fn the_ranges_are_exact() {
        let refused =
            "\0\t\r\u{1F}\u{7F}\u{85}\u{9F}\u{202A}\u{202E}\u{2066}\u{2069}\u{FDD0}\u{FDEF}\u{FFFE}\u{FFFF}\u{10FFFF}";
        for c in refused.chars() {
            assert!(refused_char(c, true), "{c:?} passes");
        }
        let fine = " ~\u{A0}\u{AD}\u{2029}\u{202F}\u{2065}\u{206A}\u{FDCF}\u{FDF0}\u{FFFD}\u{200C}\u{200D}\u{301}😀é漢";
        for c in fine.chars() {
            assert!(!refused_char(c, false), "{c:?} is refused");
        }
    }
}
