//! What people paste, made into what they mean, before anything of it is checked.
//!
//! Texts keep every character that can be seen; only their line ends and tabs are made plain. Structured values (an
//! address, a number, a code) lose what cannot be seen, and a phone number's digits and dashes become those of ASCII: a
//! contact copied from a phone carries marks of direction, and a number from a Japanese letterhead is full-width.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization as _;

use super::is_invisible;

/// A text with line feeds for every kind of line end (CRLF, CR, the vertical tab and form feed that word processors copy,
/// NEL), and a space for a tab.
///
/// ```
/// use vestibule_core::text::plain_lines;
/// assert_eq!(plain_lines("Gate 3\r\nthen\tleft"), "Gate 3\nthen left");
/// ```
pub fn plain_lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                '\n'
            }
            '\u{b}' | '\u{c}' | '\u{85}' => '\n',
            '\t' => ' ',
            c => c,
        });
    }
    plain
}

/// A structured value without white space around it, and without characters that cannot be seen.
///
/// ```
/// use vestibule_core::text::structured;
/// assert_eq!(structured("\u{feff} zoe@example.com\u{200b}\r\n"), "zoe@example.com");
/// ```
pub fn structured(text: &str) -> String {
    let seen: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    seen.trim().to_owned()
}

/// A phone number in ASCII, as far as it is one: digits of any script, dashes, brackets, dots and spaces of any kind, and
/// without the `tel:` of a link (RFC 3966). What is something else stays, and is for the form to find.
///
/// ```
/// use vestibule_core::text::phone_number;
/// assert_eq!(phone_number("\u{202a}+1 (415) 555\u{2011}2671\u{202c}"), "+1 (415) 555-2671");
/// assert_eq!(phone_number("+٩٧١ ٤ ٥٥٥ ٠١٠٢"), "+971 4 555 0102");
/// assert_eq!(phone_number("０３－１２３４－５６７８"), "03-1234-5678");
/// ```
pub fn phone_number(text: &str) -> String {
    let plain = plain_digits(text);
    let mut number = plain.as_str();
    while let Some((scheme, rest)) = number.split_at_checked(4)
        && scheme.eq_ignore_ascii_case("tel:")
    {
        number = rest.trim_start();
    }
    number.to_owned()
}

/// A structured value with the digits and dashes of any script in ASCII: a date, a time.
///
/// ```
/// use vestibule_core::text::plain_digits;
/// assert_eq!(plain_digits("２０２７－０２－１０"), "2027-02-10");
/// ```
pub fn plain_digits(text: &str) -> String {
    let plain: String = structured(text).nfkc().map(in_ascii).collect();
    plain.trim().to_owned()
}

fn in_ascii(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        // A sign that is used as a dash and is no dash to Unicode: minus, and the lengthening mark of kana.
        '\u{2212}' | '\u{30fc}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2219}' | '\u{22c5}' | '\u{30fb}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        c if c.is_whitespace() => ' ',
        c => match get_general_category(c) {
            GeneralCategory::DashPunctuation => '-',
            GeneralCategory::DecimalNumber => char::from(b'0' + digit(c)),
            _ => c,
        },
    }
}

/// The value of a decimal digit. Unicode (4.6) encodes the ten of a script one after the other; where two scripts' stand side
/// by side, the count from the first of both tells as much.
fn digit(c: char) -> u8 {
    let is_digit = |c: char| get_general_category(c) == GeneralCategory::DecimalNumber;
    let before = (1..=c as u32).map_while(|by| char::from_u32(c as u32 - by)).take_while(|c| is_digit(*c)).count();
    u8::try_from(before % 10).expect("below ten")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_ends_are_line_feeds() {
        assert_eq!(plain_lines("a\r\nb\rc\nd\u{b}e\u{85}f"), "a\nb\nc\nd\ne\nf");
        assert_eq!(plain_lines("\r\r\n\n"), "\n\n\n");
    }

    #[test]
    fn numbers_of_every_script_are_read() {
        for (typed, number) in [
            ("\u{2066}+41 44 123 45 67\u{2069}", "+41 44 123 45 67"),
            ("۰۲۱–۸۸۷۷", "021-8877"),
            ("०२२ १२३४", "022 1234"),
            ("๐๒ ๑๒๓ ๔๕๖๗", "02 123 4567"),
            ("+86\u{3000}10\u{2014}1234", "+86 10-1234"),
            ("０３（１２３４）５６７８", "03(1234)5678"),
            ("03ー1234", "03-1234"),
            ("+41\u{a0}44\u{202f}123", "+41 44 123"),
            ("TEL:+41-44-123", "+41-44-123"),
            ("044·123·45", "044.123.45"),
            ("\u{1e950}\u{1e959}", "09"),
            ("ask Zoë", "ask Zoë"),
        ] {
            assert_eq!(phone_number(typed), number, "{typed:?}");
        }
    }

    proptest! {
        /// Cleaning what is clean changes nothing; nothing visible is lost.
        #[test]
        fn cleaning_is_done_once(text in "\\PC{0,30}|.{0,20}") {
            for clean in [plain_lines, structured, plain_digits, phone_number] {
                let once = clean(&text);
                prop_assert_eq!(clean(&once), once);
            }
            let seen = |text: &str| text.chars().filter(|c| !is_invisible(*c) && !c.is_whitespace()).count();
            prop_assert_eq!(seen(&structured(&text)), seen(&text));
        }
    }
}
