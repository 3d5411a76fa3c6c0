//! `cargo xtask requirements`: the numbers of `docs/requirements.md`, the tests that name them, and those without one.
//!
//! A test names a number in the comment above it, or in its own name's line: `S1.26`, `S1.6–8`, `S2.8, S2.11–13`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::built::Built;
use crate::shell::output;

/// A section and a number within it.
type Number = (u32, u32);

/// Prints the list. A test that names a number there is not is an error.
pub fn list() -> Result<(), String> {
    let tree = Built::places()?.tree;
    let text = fs::read_to_string(tree.join("docs/requirements.md")).map_err(|error| error.to_string())?;
    let titles = titles(&text);
    let mut tests: BTreeMap<Number, Vec<String>> = BTreeMap::new();
    let listed =
        output(std::process::Command::new("git").args(["ls-files", "*.rs", "*.kt", "*.swift"]).current_dir(&tree))?;
    for file in listed.lines() {
        let text = fs::read_to_string(tree.join(file)).map_err(|error| format!("{file}: {error}"))?;
        for (number, test) in named(&text, Path::new(file).extension().is_some_and(|end| end == "rs")) {
            tests.entry(number).or_default().push(format!("{file}: {test}"));
        }
    }
    let unknown: Vec<String> = tests
        .iter()
        .filter(|(number, _)| !titles.contains_key(number))
        .map(|(n, at)| format!("S{}.{} ({})", n.0, n.1, at.join("; ")))
        .collect();
    if !unknown.is_empty() {
        return Err(format!("tests name requirements that there are not: {}", unknown.join(", ")));
    }
    let mut open = Vec::new();
    for (number, title) in &titles {
        let name = format!("S{}.{}", number.0, number.1);
        match tests.get(number) {
            Some(tests) => {
                println!("{name:<6} {title}");
                for test in tests {
                    println!("         {test}");
                }
            }
            None => open.push(format!("{name:<6} {title}")),
        }
    }
    println!("\n{} of {} are shown by a test. Those without one:", titles.len() - open.len(), titles.len());
    for line in open {
        println!("{line}");
    }
    Ok(())
}

/// The numbered lines under `## S1 …`.
fn titles(text: &str) -> BTreeMap<Number, String> {
    let mut section = 0;
    let mut titles = BTreeMap::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## S") {
            section = title.split(' ').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        } else if let Some((digits, title)) = line.split_once(". ")
            && let Ok(number) = digits.parse()
        {
            titles.insert((section, number), title.to_owned());
        }
    }
    titles
}

/// The tests of a file with the numbers that stand in the comment above each.
fn named(text: &str, is_rust: bool) -> Vec<(Number, String)> {
    let mut found = Vec::new();
    let mut comment = String::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") || line.starts_with('*') || line.starts_with("/*") {
            comment.push_str(line);
            comment.push('\n');
        } else if line.starts_with("#[") || line.starts_with('@') {
            is_test |= ["#[test]", "#[tokio::test", "@Test"].iter().any(|mark| line.starts_with(mark));
        } else {
            let name = test_name(line, is_rust, is_test);
            if let Some(name) = name {
                found.extend(numbers(&comment).into_iter().map(|number| (number, name.clone())));
            }
            // A macro of property tests stands between the comment and nothing.
            if !line.is_empty() {
                comment.clear();
                is_test = false;
            }
        }
    }
    found
}

/// The name of the test that begins on this line: marked before it, or in Swift called so.
fn test_name(line: &str, is_rust: bool, is_test: bool) -> Option<String> {
    let after = |word: &str| line.split_once(word).map(|(_, rest)| rest);
    let rest = if is_rust { after("fn ") } else { after("fun ").or_else(|| after("func ")) }?;
    let name: String = if let Some(quoted) = rest.strip_prefix('`') {
        quoted.split('`').next()?.to_owned()
    } else {
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    (is_test || (!is_rust && line.contains("func test"))).then_some(name)
}

/// The numbers in a comment; a range names all between.
fn numbers(comment: &str) -> Vec<Number> {
    let mut all = Vec::new();
    let mut rest = comment;
    while let Some(at) = rest.find('S') {
        rest = &rest[at + 1..];
        let Some((section, behind)) = digits(rest) else { continue };
        let Some((first, behind)) = behind.strip_prefix('.').and_then(digits) else { continue };
        let to = behind.strip_prefix('–').map(|to| to.strip_prefix(&format!("S{section}.")).unwrap_or(to));
        let (last, behind) = to.and_then(digits).unwrap_or((first, behind));
        all.extend((first..=last).map(|number| (section, number)));
        rest = behind;
    }
    all
}

fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists_are_read() {
        assert_eq!(numbers("S1.26, S2.8–9 and S4.30–S4.31: it works"), [(1, 26), (2, 8), (2, 9), (4, 30), (4, 31)]);
        assert_eq!(numbers("SHA-256, S3, S.1"), []);
    }

    #[test]
    fn only_tests_count() {
        let text = "/// S1.1\npub fn made() {}\n/// S1.2: shown.\n#[test]\nfn shown() {\n// S1.3\n}\n";
        assert_eq!(named(text, true), [((1, 2), "shown".to_owned())]);
        let kotlin = "/** S4.1 */\n@Test\nfun `it opens`() {\n";
        assert_eq!(named(kotlin, false), [((4, 1), "it opens".to_owned())]);
    }
}
