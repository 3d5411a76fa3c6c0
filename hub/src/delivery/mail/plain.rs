//! What people typed, made harmless: mail programs turn bare text into links, and a guest trusts the sender.

/// Zero width non-joiner: invisible, and no part of an address.
const BREAK: char = '\u{200c}';

/// The text with every word that a mail program would make a link of broken invisibly: web and mail addresses.
///
/// ```
/// use vestibule_hub::delivery::unlinked;
/// assert_eq!(unlinked("Bring your badge. Thanks, J."), "Bring your badge. Thanks, J.");
/// assert!(!unlinked("see https://evil.example/x").contains("https://evil"));
/// ```
pub fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        if !is_linkable(word) {
            out.push_str(word);
            continue;
        }
        for c in word.chars() {
            out.push(c);
            if matches!(c, '.' | '/' | ':' | '@') {
                out.push(BREAK);
            }
        }
    }
    out
}

/// Whether a program might see an address in the word: a scheme, a mail address, or letters on both sides of a dot.
fn is_linkable(word: &str) -> bool {
    let word = word.trim_end();
    let dotted = word.split('.').collect::<Vec<_>>().windows(2).any(|pair| {
        pair[0].ends_with(|c: char| c.is_alphanumeric())
            && pair[1].chars().take_while(|c| c.is_alphabetic()).count() >= 2
    });
    dotted || word.contains("://") || word.contains('@') || word.to_ascii_lowercase().contains("mailto:")
}

/// The host's words as a quotation in plain text.
pub(super) fn quoted(text: &str) -> String {
    unlinked(text).lines().map(|line| format!("> {line}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_broken_and_prose_is_not() {
        for prose in ["", "Meet me at 9.30, floor 2.", "Grüße, A. B.", "1.000 €", "3/4 of us", "A\nB\n"] {
            assert_eq!(unlinked(prose), prose);
        }
        for link in ["https://evil.example", "evil.example/x", "www.evil.example", "mailto:a@b", "a@evil.example"] {
            let broken = unlinked(link);
            assert!(!broken.contains(link), "{link}");
            assert_eq!(broken.replace(BREAK, ""), link, "nothing visible changes");
        }
    }

    #[test]
    fn a_quotation_marks_every_line() {
        assert_eq!(quoted("a\n\nb"), "> a\n>\n> b\n");
    }
}
