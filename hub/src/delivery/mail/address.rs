//! Mailboxes in headers and in the envelope. The library's own writer reads its headers again to find the recipient, and
//! does not take every address it has written; so an address is written here, from the one type that also the form and
//! the judge read it with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_core::address::{EmailAddress, Mailbox};

/// The most bytes of UTF-8 in an encoded word: 60 characters of Base64, in a word of at most 75 (RFC 2047, 2).
const WORD_BYTES: usize = 45;
/// The longest name that stands in one line as it is.
const LINE_NAME: usize = 60;

/// A mailbox of a name that somebody typed and an address; `None` if the address is none.
pub(in crate::delivery) fn mailbox(name: &str, address: &str) -> Option<Mailbox> {
    Some(Mailbox::new(name, EmailAddress::parse_local(address.trim()).ok()?))
}

/// The address in an SMTP envelope: of its grammar we are surer than the library.
pub(in crate::delivery) fn in_envelope(address: &EmailAddress) -> lettre::Address {
    lettre::Address::new_dangerous(address.local(), address.domain())
}

/// The value of an address header: `"Name" <address>`, the name in encoded words where it is not plain ASCII. Without a
/// name an address stands alone, but for one that a reader could take for a name.
pub(super) fn in_header(mailbox: &Mailbox) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    match &mailbox.name {
        None if mailbox.email.local().chars().all(is_plain) => mailbox.email.to_string(),
        None => format!("<{}>", mailbox.email),
        Some(name) => format!("{} <{}>", phrase(name), mailbox.email),
    }
}

/// A display name (RFC 5322, 3.2.5). What looks like an encoded word, or holds what a quotation has to escape, is encoded
/// too: readers differ in it.
fn phrase(name: &str) -> String {
    let is_plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, '"' | '\\');
    if name.len() <= LINE_NAME && name.chars().all(is_plain) && !name.contains("=?") && !name.contains("  ") {
        return format!("\"{name}\"");
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in name.chars() {
        if word.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    /// What another program reads of a header with this mailbox in it.
    fn read_back(mailbox: &Mailbox) -> (Option<String>, Option<String>) {
        let mail = format!("To: {}\r\nSubject: x\r\n\r\nx\r\n", in_header(mailbox));
        assert!(mail.lines().all(|line| line.len() <= 400), "no line is too long for a server");
        let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        assert_eq!(parsed.subject(), Some("x"), "the header ends where it should");
        let to = parsed.to().and_then(|to| to.first()).expect("a recipient");
        assert_eq!(parsed.to().map(|to| to.iter().count()), Some(1), "one recipient");
        (to.name.as_ref().map(ToString::to_string), to.address.as_ref().map(ToString::to_string))
    }

    fn check(name: &str, address: &str) {
        let Ok(email) = EmailAddress::parse(address) else { return };
        let mailbox = Mailbox::new(name, email);
        let (name, address) = read_back(&mailbox);
        assert_eq!((name, address.as_deref()), (mailbox.name.clone(), Some(mailbox.email.as_str())));
        let envelope = in_envelope(&mailbox.email);
        assert_eq!(envelope.to_string(), mailbox.email.as_str());
        // As the outbox keeps it and the sender reads it.
        assert_eq!(EmailAddress::parse_local(envelope.as_ref()), Ok(mailbox.email));
    }

    #[test]
    fn what_the_form_takes_is_written_and_read_back() {
        for address in [
            "\"a,b\"@visitors.test",
            "\"a b\"@visitors.test",
            "\"a@b\"@visitors.test",
            "\"a;b:c\"@visitors.test",
            "\"..\"@visitors.test",
            "zoe@bücher.example",
            "zoë@bücher.example",
            "!#$%&'*+-/?=^_`{|}~@visitors.test",
        ] {
            assert!(EmailAddress::parse(address).is_ok(), "{address}");
            for name in
                ["", "Ada", "King, Ada", "O'Brien", "Ada \"Countess\" King", "a\\", "(a)", "<a>", "=?utf-8?q?x?="]
            {
                check(name, address);
            }
        }
        for name in [
            "👩‍🚀 Ada",
            "\u{202e}ada",
            "مرحبا بالعالم",
            "a\r\nBcc: x@y.z",
            "a\u{0}b",
            "  a  b  ",
            "山".repeat(200).as_str(),
        ] {
            check(name, "ada@visitors.test");
        }
    }

    proptest! {
        /// Over the grammar of RFC 5321 and 6531, and over names of any characters: validators and writers agree.
        #[test]
        fn validators_and_writers_agree(
            local in prop_oneof![
                "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9+]{1,8}){0,3}",
                "[a-zäöüß山дλع]{1,16}",
                "\"[ -~]{1,30}\"",
                "\"(\\\\[ -~]|[ -~é]){1,20}\"",
                "[ -~]{1,64}",
            ],
            domain in prop_oneof![
                "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]{2,10}){1,3}",
                "[a-zäöüßéñ山川例え]{1,12}[.。．｡](example|test|テスト)\\.?",
                "\\[[0-9.]{7,15}\\]",
                "[ -~]{1,30}",
            ],
            name in prop_oneof!["\\PC{0,40}", "[ -~]{0,80}", ".{0,200}", "[\"\\\\(),;:<>@=? a-z]{0,40}"],
        ) {
            check(&name, &format!("{local}@{domain}"));
        }
    }
}
