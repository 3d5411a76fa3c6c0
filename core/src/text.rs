//! Text as a person typed it: what is refused, and what is normalised only to compare and to search.
//!
//! Text is stored exactly as typed. Refused is only what no keyboard types and what misleads a reader: control
//! characters, the marks that turn the direction of a line (a name must not make a mail read backwards), and code
//! points that are not characters. Joiners, combining marks and emoji are a part of people's names and stay.

/// Whether `c` may not stand in a value: category Cc (a line feed is allowed where `multiline`), the bidirectional
/// embeddings, overrides and isolates (U+202A–202E, U+2066–2069), and the noncharacters (U+FDD0–FDEF and the last two
/// code points of each plane).
///
/// ```
/// use vestibule_core::text::refused_char;
///
/// assert!(refused_char('\u{202E}', true), "an override turns a line around");
/// assert!(refused_char('\n', false) && !refused_char('\n', true));
/// assert!(!refused_char('\u{200D}', false), "a joiner is a part of a family emoji");
/// ```
pub fn refused_char(c: char, multiline: bool) -> bool {
    match c {
        '\n' => !multiline,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FDD0}'..='\u{FDEF}' => true,
        _ => c.is_control() || u32::from(c) & 0xFFFE == 0xFFFE,
    }
}

#[cfg(test)]
mod refused_char_tests {
    use super::refused_char;

    /// What `formats.md` refuses, at both ends of each range, and what it lets through next to them.
    #[test]
    fn the_ranges_are_exact() {
        let refused = "\0\t\r\u{1F}\u{7F}\u{85}\u{9F}\u{202A}\u{202E}\u{2066}\u{2069}\u{FDD0}\u{FDEF}\u{FFFE}\u{FFFF}\u{10FFFF}";
        for c in refused.chars() {
            assert!(refused_char(c, true), "{c:?} passes");
        }
        let fine = " ~\u{A0}\u{AD}\u{2029}\u{202F}\u{2065}\u{206A}\u{FDCF}\u{FDF0}\u{FFFD}\u{200C}\u{200D}\u{301}😀é漢";
        for c in fine.chars() {
            assert!(!refused_char(c, false), "{c:?} is refused");
        }
    }
}
