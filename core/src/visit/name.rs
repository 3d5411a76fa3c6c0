//! A person's name as it is shown: in the order of its script.

use crate::text::is_unspaced_name;

/// Both names, or the one there is; empty where there is none. The given name comes first, but in Han, kana and hangul the
/// family name does (CLDR, person names), without a space where neither is in kana.
///
/// ```
/// use vestibule_core::visit::full_name;
/// assert_eq!(full_name(Some(" Ada "), Some("King")), "Ada King");
/// assert_eq!(full_name(Some("美咲"), Some("佐藤")), "佐藤美咲");
/// assert_eq!(full_name(Some("ミサキ"), Some("サトウ")), "サトウ ミサキ");
/// assert_eq!(full_name(Some("민수"), None), "민수");
/// ```
pub fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    match [first, last].map(|name| name.map_or("", str::trim)) {
        [name, ""] | ["", name] => name.to_owned(),
        [first, last] if is_unspaced_name(first) && is_unspaced_name(last) => {
            let space = if [first, last].into_iter().any(has_kana) { " " } else { "" };
            format!("{last}{space}{first}")
        }
        [first, last] => format!("{first} {last}"),
    }
}

/// Two names in kana read as one word.
fn has_kana(name: &str) -> bool {
    name.contains(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}'))
}

#[cfg(test)]
mod tests {
    use super::full_name;

    /// Only where both names are of such a script does the order change.
    #[test]
    fn the_order_is_that_of_the_script() {
        for (first, last, name) in [
            ("小明", "王", "王小明"),
            ("민수", "김", "김민수"),
            ("みさき", "佐藤", "佐藤 みさき"),
            ("ﾐｻｷ", "ｻﾄｳ", "ｻﾄｳ ﾐｻｷ"),
            ("Misaki", "佐藤", "Misaki 佐藤"),
            ("美咲", "Keller", "美咲 Keller"),
            ("Thị Mai", "Nguyễn", "Thị Mai Nguyễn"),
            ("", "王", "王"),
            ("", "", ""),
        ] {
            assert_eq!(full_name(Some(first), Some(last)), name);
        }
    }
}
