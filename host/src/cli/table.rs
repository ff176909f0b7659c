//! Columns that line up.

use super::output::Paint;

/// Rows of cells, written with every column as wide as its widest cell.
pub(super) struct Table {
    rows: Vec<Vec<(String, Paint)>>,
}

impl Table {
    /// A table with these headings.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![
                headings
                    .map(|heading| (heading.to_owned(), Paint::Dim))
                    .into(),
            ],
        }
    }

    /// Add a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [(String, Paint); N]) {
        self.rows.push(cells.into());
    }

    /// The table as text, each line behind `indent`.
    pub(super) fn text(&self, indent: &str, colours: bool) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for ((cell, paint), width) in row.iter().zip(&widths) {
                line.push_str(&paint.on(cell, colours));
                line.extend(std::iter::repeat_n(' ', width - width_of(cell) + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for ((cell, _), width) in row.iter().zip(&mut widths) {
                *width = width_of(cell).max(*width);
            }
        }
        widths
    }
}

/// A plain cell.
pub(super) fn plain(text: impl Into<String>) -> (String, Paint) {
    (text.into(), Paint::Plain)
}

fn width_of(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let mut table = Table::new(["NODE", "STATE"]);
        table.row([plain("a"), plain("completed")]);
        table.row([plain("größer"), plain("")]);
        assert_eq!(
            table.text("  ", false),
            "  NODE    STATE\n  a       completed\n  größer\n"
        );
    }
}
