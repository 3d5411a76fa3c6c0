//! Lists in a terminal: columns as wide as what stands in them, in whatever script.

use unicode_width::UnicodeWidthStr as _;

/// Lays rows out under their headings, two spaces between columns, nothing behind the last.
pub fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].width()).chain([headings[column].width()]).max().unwrap_or_default()
    });
    let mut text = String::new();
    let mut lay = |cells: [&str; N]| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    lay(headings);
    for row in rows {
        lay(std::array::from_fn(|column| row[column].as_str()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        let rows =
            [["ada".to_owned(), "山田".to_owned(), "x".to_owned()], ["b".to_owned(), "Zoë".to_owned(), String::new()]];
        assert_eq!(table(["ID", "NAME", ""], &rows), "ID   NAME\nada  山田  x\nb    Zoë\n");
    }
}
