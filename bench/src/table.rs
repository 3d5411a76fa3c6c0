//! The table: a line for each thing measured, beside its floor and its target.

use std::fmt;

use serde::Deserialize;

/// What a line is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// At most so many times the floor.
    Times(f64),
    /// At least so large a part of the floor, where more is better.
    Part(f64),
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Nothing was promised.
    None,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What was measured.
    pub name: String,
    /// In which unit.
    pub unit: String,
    /// Ours.
    pub ours: f64,
    /// The floor's, or the peer's, in the same run.
    pub floor: Option<f64>,
    /// What it is to reach.
    pub target: Target,
}

impl Line {
    /// A line without a floor.
    pub fn alone(name: impl Into<String>, unit: &str, ours: f64, target: Target) -> Self {
        Self { name: name.into(), unit: unit.to_owned(), ours, floor: None, target }
    }

    /// A line beside its floor.
    pub fn beside(name: impl Into<String>, unit: &str, ours: f64, floor: f64, target: Target) -> Self {
        Self { floor: Some(floor), ..Self::alone(name, unit, ours, target) }
    }

    /// Ours by the floor's.
    pub fn ratio(&self) -> Option<f64> {
        self.floor.filter(|floor| *floor > 0.0).map(|floor| self.ours / floor)
    }

    /// Whether the target is met; none where there is none.
    pub fn is_met(&self) -> Option<bool> {
        // A ratio that is printed as the target's is the target's.
        let ratio = || self.ratio().map(|ratio| (ratio * 100.0).round() / 100.0);
        match self.target {
            Target::Times(most) => ratio().map(|ratio| ratio <= most),
            Target::Part(least) => ratio().map(|ratio| ratio >= least),
            Target::AtMost(most) => Some(self.ours <= most),
            Target::AtLeast(least) => Some(self.ours >= least),
            Target::None => None,
        }
    }
}

/// A line as another program prints it, one JSON object a line; `docs/performance.md` explains it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    row: String,
    ours: f64,
    peer: Option<f64>,
    unit: Option<String>,
    times: Option<f64>,
    at_most: Option<f64>,
}

/// Reads the lines of another program.
///
/// # Errors
/// A line that is not of the form, with its number.
pub fn read_lines(text: &str) -> Result<Vec<Line>, String> {
    let read = |(number, line): (usize, &str)| {
        let line: Foreign = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let target = match (line.times, line.at_most) {
            (Some(times), _) => Target::Times(times),
            (None, Some(most)) => Target::AtMost(most),
            (None, None) => Target::None,
        };
        let unit = line.unit.unwrap_or_else(|| "µs".to_owned());
        Ok(Line { name: line.row, unit, ours: line.ours, floor: line.peer, target })
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(read).collect()
}

/// Some lines under a title.
#[derive(Debug, Default)]
pub struct Table(Vec<(&'static str, Vec<Line>)>);

impl Table {
    /// Adds a section, and prints it: whoever stops the run has what was measured by then.
    pub fn print(&mut self, title: &'static str, lines: Vec<Line>) {
        if !lines.is_empty() {
            print!("{}", Section(title, &lines));
            self.0.push((title, lines));
        }
    }

    /// How many lines there are, and how many of them miss their target.
    pub fn missed(&self) -> (usize, usize) {
        let lines = || self.0.iter().flat_map(|(_, lines)| lines);
        (lines().count(), lines().filter(|line| line.is_met() == Some(false)).count())
    }
}

/// A section, in Markdown.
struct Section<'a>(&'a str, &'a [Line]);

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(title, lines) = self;
        writeln!(f, "### {title}\n\n| | ours | floor | ratio | target | met |\n|---|--:|--:|--:|--:|:-:|")?;
        for line in *lines {
            let figure = |value: f64| format!("{} {}", number(value), line.unit);
            let target = match line.target {
                Target::Times(most) => format!("≤ {most} ×"),
                Target::Part(least) => format!("≥ {least} ×"),
                Target::AtMost(most) => format!("≤ {}", figure(most)),
                Target::AtLeast(least) => format!("≥ {}", figure(least)),
                Target::None => String::new(),
            };
            let met = match line.is_met() {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            let floor = line.floor.map(figure).unwrap_or_default();
            let ratio = line.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            writeln!(f, "| {} | {} | {floor} | {ratio} | {target} | {met} |", line.name, figure(line.ours))?;
        }
        writeln!(f)
    }
}

/// Three digits are all that is meant.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => {
            let whole = format!("{value:.0}");
            let mut text = String::new();
            for (place, digit) in whole.chars().enumerate() {
                if place > 0 && (whole.len() - place) % 3 == 0 && !text.ends_with('-') {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_or_not() {
        let line = |ours, target| Line::beside("a", "µs", ours, 100.0, target).is_met();
        assert_eq!(line(150.4, Target::Times(1.5)), Some(true), "printed as 1.50");
        assert_eq!(line(151.0, Target::Times(1.5)), Some(false));
        assert_eq!(line(79.0, Target::Part(0.8)), Some(false));
        assert_eq!(line(79.0, Target::AtMost(80.0)), Some(true));
        assert_eq!(line(79.0, Target::AtLeast(80.0)), Some(false));
        assert_eq!(line(79.0, Target::None), None);
    }

    #[test]
    fn other_programs_lines_are_read_and_bad_ones_named() {
        let lines = read_lines("{\"row\":\"page of 50\",\"ours\":3,\"peer\":1.5,\"times\":3}\n\n").expect("reads");
        assert_eq!(lines, [Line::beside("page of 50", "µs", 3.0, 1.5, Target::Times(3.0))]);
        assert!(read_lines("{\"row\":\"a\",\"ours\":1}\n{}").expect_err("no row").starts_with("line 2"));
    }

    #[test]
    fn figures_have_three_digits() {
        let shown = [0.0123, 0.5, 12.34, 123.4, 1_234_567.0].map(number);
        assert_eq!(shown, ["0.0123", "0.50", "12.3", "123", "1,234,567"]);
    }
}
