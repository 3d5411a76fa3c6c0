//! The words of a search: what is indexed of a text, and what a search asks for.
//!
//! Both go the same way: the [`search_key`] is cut into words where neither letter, number nor mark stands; words that an
//! apostrophe or a hyphen joins are found one by one and as one (`O'Connor`: `connor`, `oconnor`); of a script that is
//! written without spaces every part up to the end of a word is indexed.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::{alike, compare_key, search_key};

/// The longest part of a word without spaces that is indexed on its own, in characters.
const PART: usize = 16;
/// The most words that are also searched and indexed as one.
const JOINED: usize = 4;

/// What is indexed of a text. A search matches the beginning of any of its words.
///
/// ```
/// use vestibule_core::text::index_words;
/// assert_eq!(index_words("Zoë O'Neil"), "zoe o oneil neil");
/// assert_eq!(index_words("김민수"), "김민수 민수 수");
/// assert_eq!(index_words("Müller"), "muller mueller");
/// ```
pub fn index_words(text: &str) -> String {
    let mut words = Words::default();
    words.add_text(text);
    words.0
}

/// What is indexed of a name. Beside its words, those of each part as one (`Anne Marie`: `annemarie`), and a name of a
/// script without spaces in both orders.
///
/// ```
/// use vestibule_core::text::index_name;
/// assert!(index_name(Some("美咲"), Some("佐藤")).split(' ').any(|word| word == "佐藤美咲"));
/// assert!(index_name(Some("Anne Marie"), None).ends_with("annemarie"));
/// ```
pub fn index_name(first: Option<&str>, last: Option<&str>) -> String {
    let mut words = Words::default();
    for part in [first, last].into_iter().flatten() {
        words.add_text(part);
        let key = search_key(part);
        let spaced: Vec<&str> = key.split(' ').take(JOINED + 1).collect();
        if (2..=JOINED).contains(&spaced.len()) {
            for at in 0..spaced.len() - 1 {
                words.add(&spaced[at..].concat().chars().filter(|c| is_of_word(*c)).collect::<String>());
            }
        }
    }
    if let (Some(first), Some(last)) = (first, last)
        && is_unspaced_name(first)
        && is_unspaced_name(last)
    {
        let [first, last] = [first, last].map(|name| search_key(name).replace(' ', ""));
        words.add_parts(&format!("{last}{first}"));
        words.add(&format!("{first}{last}"));
    }
    words.0
}

/// The expression that finds what has words beginning with those of `text`, for the full-text index; none where there is
/// nothing to search for.
///
/// ```
/// use vestibule_core::text::search_expression;
/// assert_eq!(search_expression("Zo"), Some(r#""zo"*"#.to_owned()));
/// assert_eq!(search_expression(" - "), None);
/// ```
pub fn search_expression(text: &str) -> Option<String> {
    let plain = expression(&search_key(text))?;
    Some(match spelled_out(text).and_then(|spelled| expression(&search_key(&spelled))) {
        Some(spelled) => format!("({plain}) OR ({spelled})"),
        None => plain,
    })
}

fn expression(key: &str) -> Option<String> {
    let clusters = clusters(key);
    let all = |words: &[&str]| words.iter().map(|word| begins(word)).collect::<Vec<_>>().join(" AND ");
    let each: Vec<String> = clusters
        .iter()
        .map(|parts| match parts.as_slice() {
            [word] => begins(word),
            parts => format!("(({}) OR {})", all(parts), begins(&parts.concat())),
        })
        .collect();
    let together = each.join(" AND ");
    match clusters.len() {
        0 => None,
        2..=JOINED => Some(format!("({together}) OR {}", begins(&clusters.concat().concat()))),
        _ => Some(together),
    }
}

/// Matches words that begin so. What is indexed of a word without spaces is no longer than a part.
fn begins(word: &str) -> String {
    let word = if word.starts_with(is_unspaced) { cut(word) } else { word };
    format!("\"{word}\"*")
}

/// Words for the index, with a space between them.
#[derive(Default)]
struct Words(String);

impl Words {
    fn add(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(word);
    }

    fn add_text(&mut self, text: &str) {
        let key = search_key(text);
        self.add_key(&key);
        if let Some(spelled) = spelled_out(text) {
            let spelled = search_key(&spelled);
            for word in spelled.split(' ').filter(|word| !key.split(' ').any(|other| other == *word)) {
                self.add_key(word);
            }
        }
    }

    fn add_key(&mut self, key: &str) {
        for parts in clusters(key) {
            for (at, part) in parts.iter().enumerate() {
                self.add_parts(part);
                if at + 1 < parts.len() {
                    self.add(&parts[at..].concat());
                }
            }
        }
    }

    /// A word, and of a script without spaces its parts.
    fn add_parts(&mut self, word: &str) {
        self.add(if word.starts_with(is_unspaced) { cut(word) } else { word });
        for (at, _) in word.char_indices().skip(1).filter(|(_, c)| is_unspaced(*c)) {
            self.add(cut(&word[at..]));
        }
    }
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(PART).map_or(word, |(end, _)| &word[..end])
}

/// The words of a key, those that are joined together.
fn clusters(key: &str) -> Vec<Vec<&str>> {
    let mut clusters: Vec<Vec<&str>> = Vec::new();
    let mut end = 0;
    for word in key.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty()) {
        let begin = word.as_ptr() as usize - key.as_ptr() as usize;
        let between = &key[end..begin];
        match clusters.last_mut() {
            Some(parts) if joins(between, parts.last().copied().unwrap_or_default(), word) => parts.push(word),
            _ => clusters.push(vec![word]),
        }
        end = begin + word.len();
    }
    clusters
}

/// Whether what stands between two words makes one name of them: an apostrophe, a hyphen, or the dot of an initial.
fn joins(between: &str, before: &str, after: &str) -> bool {
    let mut chars = between.chars();
    let (Some(c), None) = (chars.next(), chars.next()) else { return false };
    let is_initial = |word: &str| word.chars().count() == 1;
    is_joiner(c) || c == '.' && is_initial(before) && is_initial(after)
}

fn is_joiner(c: char) -> bool {
    is_apostrophe(c) || get_general_category(c) == GeneralCategory::DashPunctuation
}

/// Apostrophes and what is typed or printed in their place, Hebrew geresh among them; those that Unicode calls letters too.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '`' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{5f3}' | '\u{5f4}'
        | '\u{a78b}' | '\u{a78c}')
}

fn is_of_word(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
    (c.is_alphanumeric() && !is_apostrophe(c))
        || matches!(get_general_category(c), NonspacingMark | SpacingMark | EnclosingMark)
}

/// The text with every umlaut spelled out; none where there is none.
fn spelled_out(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let key = compare_key(text);
    key.contains(|c| alike::spelled_out(c).is_some()).then(|| {
        let mut spelled = String::with_capacity(key.len() + 4);
        for c in key.chars() {
            match alike::spelled_out(c) {
                Some(letters) => spelled.push_str(letters),
                None => spelled.push(c),
            }
        }
        spelled
    })
}

/// Whether a name is of a script that is written without spaces, and with the family name first: Han, kana, hangul.
pub fn is_unspaced_name(name: &str) -> bool {
    let mut chars = name.chars().filter(|c| !c.is_whitespace() && !super::is_invisible(*c)).peekable();
    chars.peek().is_some()
        && chars.all(|c| is_unspaced(c) || matches!(c, '・' | '･' | 'ｦ'..='ﾟ') || super::is_invisible(c))
}

/// Whether a character is of a script whose names are written without spaces: Han, kana, bopomofo, hangul.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{312f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a search for `typed` would find `name`, as the index does it: every word begins one that is indexed.
    fn finds(typed: &str, (first, last): (&str, &str)) -> bool {
        let index = index_name(Some(first), Some(last));
        let expression = search_expression(typed).expect("something to search for");
        holds(&expression, &|word| index.split(' ').any(|indexed| indexed.starts_with(word)))
    }

    /// Reads an expression of this module: `"word"*`, AND, OR and brackets.
    fn holds(expression: &str, has: &dyn Fn(&str) -> bool) -> bool {
        fn split<'e>(text: &'e str, word: &str) -> Vec<&'e str> {
            let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
            for (at, c) in text.char_indices() {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ if depth == 0 && text[at..].starts_with(word) && at >= from => {
                        parts.push(&text[from..at]);
                        from = at + word.len();
                    }
                    _ => {}
                }
            }
            parts.push(&text[from..]);
            parts
        }
        let or = split(expression, " OR ");
        if or.len() > 1 {
            return or.iter().any(|part| holds(part, has));
        }
        let and = split(expression, " AND ");
        if and.len() > 1 {
            return and.iter().all(|part| holds(part, has));
        }
        match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => holds(inner, has),
            None => has(expression.trim_matches(['"', '*'])),
        }
    }

    #[test]
    fn names_are_found_as_readers_write_them() {
        let found = [
            ("oconnor", ("Sinéad", "O'Connor")),
            ("o'connor", ("Sinéad", "OConnor")),
            ("O’Connor", ("Sinéad", "O'Connor")),
            ("connor", ("Sinéad", "O'Connor")),
            ("saidi", ("Amina", "Saʿidi")),
            ("annemarie", ("Anne-Marie", "Roux")),
            ("anne-marie", ("Annemarie", "Roux")),
            ("annemarie", ("Anne Marie", "Roux")),
            ("anne marie", ("Annemarie", "Roux")),
            ("marielou", ("Anne-Marie-Louise", "Roux")),
            ("delacruz", ("Ana", "de la Cruz")),
            ("de la cruz", ("Ana", "Delacruz")),
            ("jp morgan", ("J.P.", "Morgan")),
            ("mueller", ("Jörg", "Müller")),
            ("müller", ("Jörg", "Mueller")),
            ("muller", ("Jörg", "Müller")),
            ("joerg mueller", ("Jo\u{308}rg", "Müller")),
            ("aaberg", ("Nils", "Åberg")),
            ("soeren", ("Søren", "Kierkegaard")),
            ("strasse", ("Eva", "Straße")),
            ("佐藤美咲", ("美咲", "佐藤")),
            ("佐藤 美咲", ("美咲", "佐藤")),
            ("美咲佐藤", ("美咲", "佐藤")),
            ("藤美", ("美咲", "佐藤")),
            ("さとうみさき", ("ミサキ", "サトウ")),
            ("ｻﾄｳ", ("ミサキ", "サトウ")),
            ("つしま", ("Ken", "っしま")),
            ("김민수", ("민수", "김")),
            ("高橋", ("太郎", "髙橋")),
            ("渡邊", ("太郎", "渡辺")),
            ("渡邉", ("太郎", "渡辺")),
            ("佐佐木", ("花", "佐々木")),
            ("张伟", ("偉", "張")),
            ("احمد", ("أحمد", "علي")),
            ("فاطمه", ("فاطمة", "علي")),
            ("علی", ("أحمد", "علي")),
            ("موسي", ("موسى", "علي")),
            ("محمد", ("مـحـمـد", "مُحَمَّد")),
            ("שלומ", ("שלום", "כהן")),
            ("αθηνα", ("Αθηνά", "Παππάς")),
            ("Федор", ("Фёдор", "Чехов")),
        ];
        for (typed, name) in found {
            assert!(
                finds(typed, name),
                "{typed} in {name:?}: {} in {}",
                search_expression(typed).unwrap_or_default(),
                index_name(Some(name.0), Some(name.1))
            );
        }
        for (typed, name) in
            [("か", ("がく", "山")), ("connoro", ("Sinéad", "O'Connor")), ("rouxanne", ("Anne", "Roux"))]
        {
            assert!(!finds(typed, name), "{typed} in {name:?}");
        }
    }

    #[test]
    fn nothing_to_search_for_is_no_expression() {
        for nothing in ["", "  ", "'", "-", "\u{200b}", "ـ"] {
            assert_eq!(search_expression(nothing), None, "{nothing:?}");
        }
    }
}
