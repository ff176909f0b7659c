//! Columns that line up.

use super::output::Paint;
use super::text::{Shown, Text, text};

/// Rows of cells, written with every column as wide as its widest cell.
pub(super) struct Table {
    rows: Vec<Vec<(Text, Paint)>>,
}

impl Table {
    /// A table with these headings.
    pub(super) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self {
            rows: vec![
                headings
                    .map(|heading| (Text::word(heading), Paint::Dim))
                    .into(),
            ],
        }
    }

    /// Add a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [(Text, Paint); N]) {
        self.rows.push(cells.into());
    }

    /// The table as text, each line behind so many spaces.
    pub(super) fn text(&self, indent: usize, colours: bool) -> Text {
        let widths = self.widths();
        let mut text = Text::new();
        for row in &self.rows {
            // No spaces behind the last cell that holds something.
            let cells = row.iter().rposition(|(cell, _)| !cell.is_empty());
            let cells = cells.map_or(0, |last| last + 1);
            let mut line = Text::new().padded(indent);
            for (place, ((cell, paint), width)) in row.iter().zip(&widths).enumerate().take(cells) {
                let gap = if place + 1 < cells {
                    width - cell.width() + 2
                } else {
                    0
                };
                line.push(&cell.clone().painted(*paint, colours));
                line.push(&Text::new().padded(gap));
            }
            text.push(&text!("{}\n", line));
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for ((cell, _), width) in row.iter().zip(&mut widths) {
                *width = cell.width().max(*width);
            }
        }
        widths
    }
}

/// A plain cell.
pub(super) fn plain(text: impl Shown) -> (Text, Paint) {
    (text!("{}", text), Paint::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let mut table = Table::new(["NODE", "STATE"]);
        table.row([plain("a"), plain("completed")]);
        table.row([plain("größer"), plain("")]);
        table.row([plain("漢字"), plain("failed")]);
        assert_eq!(
            table.text(2, false).as_str(),
            "  NODE    STATE\n  a       completed\n  größer\n  漢字    failed\n"
        );
    }
}
