//! E-mail addresses: one type for the form, the judge, the mails and the comparison of two addresses, so that what one
//! of them takes the others can use.
//!
//! An [`EmailAddress`] is read from what was typed and kept in the form it goes out in (RFC 5321, 4.1.2; RFC 6531): the
//! domain as A-labels wherever the part before the `@` is ASCII, a quotation only where it is needed. [`key`] is the form
//! two addresses are compared in. A [`Mailbox`] is an address with a name, as settings and headers have it.
//!
//! [`key`]: EmailAddress::key

use std::fmt;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::text::is_invisible;

/// The longest part before the `@`, in octets (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest address, in octets: a path of 256 with its angle brackets (RFC 5321, 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;

/// Why a text is no address mail can go to: a sentence to show beside the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, or nothing on one side of it.
    #[error("Enter an email address like name@example.com.")]
    Incomplete,
    /// The part before the `@` is not one.
    #[error("Check the part before the @ for spaces, commas and dots.")]
    Local,
    /// A quotation with characters that mail programs read in different ways.
    #[error(
        "Ask for another address: mail programs disagree about quotation marks, brackets or a backslash before the @."
    )]
    Quotation,
    /// The domain is not one.
    #[error("Enter a valid domain after the @, as in name@example.com.")]
    Domain,
    /// A number in brackets in place of a domain.
    #[error("Enter a domain, not a number, after the @, as in name@example.com.")]
    Literal,
    /// More octets than a mail server takes.
    #[error("Shorten the email address: at most 64 bytes before the @ and 254 in all.")]
    TooLong,
}

/// An e-mail address, in the form it goes out in.
///
/// ```
/// use vestibule_core::address::EmailAddress;
///
/// let address: EmailAddress = "zoe@Bücher.example".parse()?;
/// assert_eq!(address.to_string(), "zoe@xn--bcher-kva.example");
/// assert_eq!(address.key(), "ZOE@xn--bcher-kva.example".parse::<EmailAddress>()?.key());
/// # Ok::<(), vestibule_core::address::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    /// As it goes out.
    text: String,
    /// Where the `@` is.
    at: usize,
    /// The domain as A-labels.
    domain: String,
}

impl EmailAddress {
    /// Reads an address of a visitor: its domain has at least two labels, as mail over the internet needs.
    ///
    /// # Errors
    /// What is wrong with it, as a person can be told.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let address = Self::parse_local(text)?;
        if address.domain.contains('.') { Ok(address) } else { Err(AddressError::Domain) }
    }

    /// As [`parse`](Self::parse), and takes a domain of one label: a sender or a desk of the operator's own network.
    pub fn parse_local(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Incomplete)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Incomplete);
        }
        let local = local_part(local)?;
        let domain = ascii_domain(domain)?;
        if local.len() > MAX_LOCAL {
            return Err(AddressError::TooLong);
        }
        // RFC 6531, 3.2: whoever takes the one takes the other, and readers prefer it.
        let shown = if local.is_ascii() { domain.clone() } else { unicode_domain(&domain) };
        let text = format!("{local}@{shown}");
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        Ok(Self { text, at: local.len(), domain })
    }

    /// As it goes out, before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// As it goes out, after the `@`.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// As it goes out.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether only a server with SMTPUTF8 (RFC 6531) takes it: a letter beyond ASCII stands before the `@`.
    pub fn needs_utf8(&self) -> bool {
        !self.text.is_ascii()
    }

    /// The form two addresses are compared in: without case, the domain as A-labels. RFC 5321, 2.4 lets a server tell
    /// `Ada` from `ada`; none that matters does, and a guest who is invited as both is one.
    pub fn key(&self) -> String {
        let local: String = self.local().nfkc().flat_map(char::to_lowercase).nfc().collect();
        format!("{local}@{}", self.domain)
    }
}

/// The form in which two texts are compared that are meant as addresses; what is none is compared as a text.
pub fn address_key(text: &str) -> String {
    EmailAddress::parse_local(text.trim()).map_or_else(|_| text.trim().to_lowercase(), |address| address.key())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// The part before the `@` as it goes out: composed (NFC), and quoted only where it must be.
fn local_part(typed: &str) -> Result<String, AddressError> {
    let local: String = typed.nfc().collect();
    let Some(quoted) = local.strip_prefix('"') else {
        return if is_dot_atom(&local) { Ok(local) } else { Err(AddressError::Local) };
    };
    let quoted = quoted.strip_suffix('"').ok_or(AddressError::Local)?;
    let mut content = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        content.push(match c {
            '\\' => chars.next().ok_or(AddressError::Local)?,
            '"' => return Err(AddressError::Local),
            c => c,
        });
    }
    if is_dot_atom(&content) {
        return Ok(content);
    }
    // Mail programs read escapes and brackets within a quotation in different ways (some leave a backslash out, some end
    // the address at the first bracket), and what begins like an encoded word is decoded by some.
    if content.contains(['"', '\\', '<', '>', '(', ')']) || content.contains("=?") {
        return Err(AddressError::Quotation);
    }
    let is_sendable = |c: char| c == ' ' || is_atext(c) || (c.is_ascii_graphic());
    if content.trim().is_empty() || content.trim() != content || !content.chars().all(is_sendable) {
        return Err(AddressError::Local);
    }
    Ok(format!("\"{content}\""))
}

fn is_dot_atom(text: &str) -> bool {
    !text.contains("=?") && text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// RFC 5322, 3.2.3, and RFC 6532, 3.2: any character beyond ASCII that is seen and no white space.
fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control() && !c.is_whitespace() && !is_invisible(c)
    }
}

/// A domain as A-labels (UTS 46, non-transitional): letters, digits and hyphens, with the dots of other scripts taken
/// for dots and the one that may end it left out.
fn ascii_domain(typed: &str) -> Result<String, AddressError> {
    if typed.starts_with('[') {
        return Err(AddressError::Literal);
    }
    if typed.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        return Err(AddressError::Domain);
    }
    let ascii = Uts46::new()
        .to_ascii(typed.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::VerifyAllowRootDot)
        .map_err(|_| AddressError::Domain)?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    match ascii.rsplit('.').next() {
        None | Some("") => Err(AddressError::Domain),
        Some(last) if last.bytes().all(|b| b.is_ascii_digit()) => Err(AddressError::Literal),
        Some(_) => Ok(ascii.to_owned()),
    }
}

fn unicode_domain(ascii: &str) -> String {
    let (unicode, outcome) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    if outcome.is_ok() { unicode.into_owned() } else { ascii.to_owned() }
}

/// An address with the name of whose it is.
///
/// ```
/// use vestibule_core::address::Mailbox;
///
/// let sender: Mailbox = "Example AG <visitors@example.com>".parse()?;
/// assert_eq!((sender.name.as_deref(), sender.email.as_str()), (Some("Example AG"), "visitors@example.com"));
/// # Ok::<(), vestibule_core::address::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; none where there is nothing to see in it.
    pub name: Option<String>,
    /// The address.
    pub email: EmailAddress,
}

impl Mailbox {
    /// An address with a name that somebody typed: control characters and white space in it become single spaces.
    pub fn new(name: &str, email: EmailAddress) -> Self {
        let name = name.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
        let name = name.collect::<Vec<_>>().join(" ");
        Self { name: Some(name).filter(|name| !crate::text::is_blank(name)), email }
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    /// Reads `Name <address>`, `"Name, with marks" <address>`, or an address alone, as settings have it.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(AddressError::Local);
        }
        let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) else {
            return Ok(Self { name: None, email: EmailAddress::parse_local(text)? });
        };
        let name = name.trim();
        let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => name.to_owned(),
        };
        Ok(Self::new(&name, EmailAddress::parse_local(address.trim())?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn out(text: &str) -> Result<String, AddressError> {
        EmailAddress::parse(text).map(|address| address.to_string())
    }

    /// S1.13, S4.5: an address without a domain, or one that is none, is found before a mail fails.
    #[test]
    fn what_is_an_address_and_what_is_not() {
        for good in ["a@b.ch", "ada.king+visit@example.co.uk", "o'neil@example.com", "\"a,b\"@visitors.test"] {
            assert_eq!(out(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example..com",
            "ada@.com",
            "a@b@c.com",
            "Ada <ada@example.com>",
            "<ada@example.com>",
            "ada@[127.0.0.1]",
            "ada@[IPv6:::1]",
            "ada king@example.com",
            "ada@exa mple.com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@exa_mple.com",
            "ada@127.0.0.1",
            "ada@example.com..",
            "ada@example.com,b@c.de",
            "mailto:ada",
            "a(b)@c.de",
            ".a@c.de",
            "a.@c.de",
            "a..b@c.de",
            "\"a@c.de",
            "a\"@c.de",
            "\"\"@c.de",
            "\" \"@c.de",
            "\"a\\\"@c.de",
            "\"a\"b\"@c.de",
            "\"a\r\nb\"@c.de",
            "=?utf-8?q?x?=@c.de",
            "ada\u{200b}@example.com",
            "ada@exam\u{200b}ple.com",
            "ada@xn--a.example",
            "ada\u{0}@example.com",
        ] {
            assert!(out(bad).is_err(), "{bad}");
        }
        assert_eq!(out("\"a\\\"b\"@c.de"), Err(AddressError::Quotation));
    }

    #[test]
    fn lengths_are_those_of_the_address_that_goes_out() {
        let with = |local: usize, domain: &str| out(&format!("{}@{domain}", "a".repeat(local)));
        assert!(with(64, "example.com").is_ok());
        assert_eq!(with(65, "example.com"), Err(AddressError::TooLong));
        let label = "b".repeat(63);
        let domain = format!("{label}.{label}.{label}");
        assert!(with(254 - domain.len() - 1, &domain).is_ok());
        assert_eq!(with(255 - domain.len() - 1, &domain), Err(AddressError::TooLong));
        assert_eq!(out(&format!("a@{}.ch", "b".repeat(64))), Err(AddressError::Domain));
        assert_eq!(out(&format!("{}@example.com", "ü".repeat(33))), Err(AddressError::TooLong));
    }

    /// The domain goes out as A-labels; only letters before the `@` need more of a server.
    #[test]
    fn domains_beyond_ascii() {
        assert_eq!(out("zoe@bücher.example").as_deref(), Ok("zoe@xn--bcher-kva.example"));
        assert_eq!(out("ZOE@BÜCHER.example").as_deref(), Ok("ZOE@xn--bcher-kva.example"));
        assert_eq!(out("山@例え。テスト").as_deref(), Ok("山@例え.テスト"));
        assert_eq!(out("\"a b\"@faß.example").as_deref(), Ok("\"a b\"@xn--fa-hia.example"));
        assert!(!"zoe@bücher.example".parse::<EmailAddress>().expect("one").needs_utf8());
        assert!("zoë@bücher.example".parse::<EmailAddress>().expect("one").needs_utf8());
    }

    #[test]
    fn one_address_in_many_spellings() {
        let key = |text: &str| EmailAddress::parse(text).expect(text).key();
        for same in [
            "zoe@xn--bcher-kva.example",
            "Zoe@Bücher.Example",
            "zoe@bu\u{308}cher.example",
            "zoe@bücher.example.",
            "zoe@bücher。example",
            "zoe@bücher．example",
            "zoe@bücher｡example",
            "zoe@ｂücher.example",
            "\"zoe\"@bücher.example",
            "\"z\\oe\"@XN--BCHER-KVA.EXAMPLE",
        ] {
            assert_eq!(key(same), key("zoe@bücher.example"), "{same}");
        }
        assert_ne!(key("zoe@bucher.example"), key("zoe@bücher.example"));
        assert_ne!(key("zoë@bücher.example"), key("zoe@bücher.example"));
        assert_eq!(address_key(" Desk "), "desk", "what is no address is compared as it is");
    }

    #[test]
    fn mailboxes_of_settings() {
        for (text, name, email) in [
            ("visitors@example.ch", None, "visitors@example.ch"),
            ("<visitors@example.ch>", None, "visitors@example.ch"),
            ("Vestibule <visitors@localhost>", Some("Vestibule"), "visitors@localhost"),
            ("\"Müller, Söhne\" <v@bücher.example>", Some("Müller, Söhne"), "v@xn--bcher-kva.example"),
            ("\"The \\\"Desk\\\"\" <\"a,b\"@example.ch>", Some("The \"Desk\""), "\"a,b\"@example.ch"),
        ] {
            let mailbox: Mailbox = text.parse().expect(text);
            assert_eq!((mailbox.name.as_deref(), mailbox.email.as_str()), (name, email), "{text}");
        }
        for bad in ["", "Example AG", "a@b@c", "x <a@example.ch>\r\nBcc: b@example.ch", "x <a@example.ch> y"] {
            assert!(bad.parse::<Mailbox>().is_err(), "{bad}");
        }
    }

    proptest! {
        /// What goes out is read as itself, and is the same address.
        #[test]
        fn what_goes_out_is_an_address(text in r#"("[ -~é]{0,12}"|[ -~üß山]{1,12})@[a-zA-ZüßÖ例。.-]{1,16}\.[a-z]{2,5}\.?"#) {
            if let Ok(address) = EmailAddress::parse(&text) {
                let again = EmailAddress::parse(address.as_str()).expect("it is one");
                prop_assert_eq!(again.as_str(), address.as_str());
                prop_assert_eq!(again.key(), address.key());
                prop_assert!(address.needs_utf8() || address.as_str().is_ascii());
                prop_assert!(!address.as_str().contains(['\r', '\n', '<', '>']));
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = EmailAddress::parse(&text);
            let _ = text.parse::<Mailbox>();
            let _ = address_key(&text);
        }
    }
}
