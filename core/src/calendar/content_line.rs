//! Content lines (RFC 5545, 3.1): escaped, folded at 75 octets, ended by CRLF.
//!
//! Our own, as `icalendar` 0.17 lets the last of a folded line grow to 76 octets, folds in quadratic time, and writes a
//! CR of a text and a quotation mark of a parameter as they are, so that a host's words could leave their property.

use std::fmt::Write;

/// The most octets of a line, without its CRLF.
const LIMIT: usize = 75;

/// Writes content lines into a text.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
}

impl Writer {
    /// A property whose value is no TEXT: written as it is, less any control character.
    pub(super) fn line(&mut self, name: &str, value: &str) {
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        self.fold(&format!("{name}:{value}"));
    }

    /// A property of value type TEXT (3.3.11).
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.fold(&format!("{name}:{}", escape(value)));
    }

    /// A calendar user address: a `mailto:` URI (RFC 6068) with parameters; an empty one is left out.
    pub(super) fn address(&mut self, name: &str, params: &[(&str, &str)], email: &str) {
        let mut line = name.to_owned();
        for (key, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
            line.extend([";", key, "=", &parameter(value)]);
        }
        line.push(':');
        line.push_str(&mailto_uri(email));
        self.fold(&line);
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Folds between characters, so that each line is UTF-8 of its own; the space that begins a folded line counts.
    fn fold(&mut self, line: &str) {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > LIMIT {
                self.out.push_str("\r\n ");
                octets = 1;
            }
            self.out.push(c);
            octets += c.len_utf8();
        }
        self.out.push_str("\r\n");
    }
}

/// A TEXT value: `\`, `;`, `,` and line ends are escaped, other control characters dropped.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' | '\r' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A parameter value: quoted where it must be, with `^`, quotation marks and line feeds as RFC 6868 writes them.
fn parameter(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    if out.contains([':', ';', ',']) { format!("\"{out}\"") } else { out }
}

/// A `mailto:` URI.
pub(super) fn mailto_uri(email: &str) -> String {
    format!("mailto:{}", mailto(email))
}

/// The path of a `mailto:` URI: what RFC 6068, 2 does not allow as it is goes in percent signs; only the last `@` is one.
fn mailto(email: &str) -> String {
    let mut out = String::with_capacity(email.len());
    let at = email.rfind('@');
    for (place, byte) in email.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b".-_~+!$'*".contains(&byte) || Some(place) == at {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_cannot_leave_their_line() {
        assert_eq!(escape("a\r\nb;c,d\\e\u{7}"), "a\\nb\\;c\\,d\\\\e");
        assert_eq!(parameter("Ada \"Countess\"; King^\r\nX"), "\"Ada ^'Countess^'; King^^^nX\"");
        assert_eq!(mailto("a?b%c d@é.ch"), "a%3Fb%25c%20d@%C3%A9.ch");
        assert_eq!(mailto("\"a@b,c\"@d.ch"), "%22a%40b%2Cc%22@d.ch");
    }

    proptest! {
        #[test]
        fn lines_are_short_and_whole(text in ".{0,300}") {
            let mut out = Writer::default();
            out.text("DESCRIPTION", &text);
            let folded = out.finish();
            prop_assert!(folded.ends_with("\r\n"));
            let unfolded = folded.replace("\r\n ", "");
            let expected = format!("DESCRIPTION:{}\r\n", escape(&text));
            prop_assert_eq!(&unfolded, &expected);
            prop_assert!(folded.split("\r\n").all(|line| line.len() <= LIMIT && !line.contains(['\r', '\n'])));
        }
    }
}
