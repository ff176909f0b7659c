//! Lines of characters that join, and that cross without joining.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// The ways out of a cell.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// What a line of an edge belongs to: lines join where they have the same source or the same
/// target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Whether the edge is drawn with dashes.
    pub(crate) is_dashed: bool,
}

#[derive(Clone, Default)]
struct Cell {
    ways: u8,
    owners: Vec<Owner>,
}

/// The room between two layers.
pub(crate) struct Channel {
    columns: usize,
    cells: Vec<Cell>,
}

impl Channel {
    /// So many rows of so many columns.
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            cells: vec![Cell::default(); columns * rows],
        }
    }

    /// A line straight down through these rows.
    pub(crate) fn down(&mut self, owner: Owner, column: usize, rows: Range<usize>) {
        for row in rows {
            self.add(owner, column, row, UP | DOWN);
        }
    }

    /// A line down into this row, along it, and down out of it.
    pub(crate) fn along(&mut self, owner: Owner, from: usize, to: usize, row: usize) {
        let (first, last) = (from.min(to), from.max(to));
        for column in first + 1..last {
            self.add(owner, column, row, LEFT | RIGHT);
        }
        let (on, back) = if from < to {
            (RIGHT, LEFT)
        } else {
            (LEFT, RIGHT)
        };
        self.add(owner, from, row, UP | on);
        self.add(owner, to, row, DOWN | back);
    }

    fn add(&mut self, owner: Owner, column: usize, row: usize, ways: u8) {
        let cell = &mut self.cells[row * self.columns + column];
        let joins = |it: &Owner| it.from == owner.from || it.to == owner.to;
        let crosses = !cell.owners.is_empty() && !cell.owners.iter().any(joins);
        match (crosses, ways, cell.ways) {
            // What goes down is drawn over what goes along.
            (true, _, was) if ways == LEFT | RIGHT && was == UP | DOWN => {}
            (true, _, was) if ways == UP | DOWN && was == LEFT | RIGHT => {
                *cell = Cell {
                    ways,
                    owners: vec![owner],
                };
            }
            _ => {
                cell.ways |= ways;
                if !cell.owners.contains(&owner) {
                    cell.owners.push(owner);
                }
            }
        }
    }

    /// A row as text.
    pub(crate) fn row(&self, row: usize) -> String {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        cells.iter().map(Cell::character).collect()
    }
}

impl Cell {
    fn character(&self) -> char {
        let is_dashed = self.owners.iter().all(|it| it.is_dashed);
        match self.ways {
            0 => ' ',
            it if it == UP | DOWN => {
                if is_dashed {
                    '╎'
                } else {
                    '│'
                }
            }
            it if it == LEFT | RIGHT => {
                if is_dashed {
                    '╌'
                } else {
                    '─'
                }
            }
            it if it == UP | RIGHT => '╰',
            it if it == UP | LEFT => '╯',
            it if it == DOWN | RIGHT => '╭',
            it if it == DOWN | LEFT => '╮',
            it if it == UP | DOWN | RIGHT => '├',
            it if it == UP | DOWN | LEFT => '┤',
            it if it == UP | LEFT | RIGHT => '┴',
            it if it == DOWN | LEFT | RIGHT => '┬',
            _ => '┼',
        }
    }
}

/// Lines along a channel that need a row each: where each comes from and goes to, by columns.
pub(crate) struct Along {
    pub(crate) from: usize,
    pub(crate) to: Vec<usize>,
}

impl Along {
    fn joins(&self, other: &Self) -> bool {
        let place = self.to.first();
        let mut all = self.to.iter().chain(&other.to);
        all.all(|to| Some(to) == place)
    }

    fn span(&self) -> (usize, usize) {
        let all = || self.to.iter().copied().chain([self.from]);
        (all().min().unwrap_or(0), all().max().unwrap_or(0))
    }
}

/// The row of each, such that no two lie on each other: a line that comes from a column that
/// another one leads to is above it, as long as there is no circle of these.
pub(crate) fn rows(lines: &[Along]) -> Vec<usize> {
    let is_before =
        |one: usize, other: usize| one != other && lines[other].to.contains(&lines[one].from);
    let count = lines.len();
    let mut rows: Vec<Option<usize>> = vec![None; count];
    for _ in 0..count {
        let is_free = |it: &usize| {
            rows[*it].is_none()
                && (0..count).all(|other| rows[other].is_some() || !is_before(other, *it))
        };
        let first_left = || (0..count).find(|it| rows[*it].is_none());
        let Some(next) = (0..count).find(is_free).or_else(first_left) else {
            break;
        };
        let (left, right) = lines[next].span();
        let mut row = 0;
        for other in (0..count).filter(|it| *it != next) {
            if let Some(above) = rows[other].filter(|_| is_before(other, next)) {
                row = row.max(above + 1);
            }
        }
        let is_taken = |row: usize| {
            (0..count).any(|other| {
                let (from, to) = lines[other].span();
                let is_over = from <= right + 1 && left <= to + 1;
                // Two that lead to one place, and nowhere else, join on their way.
                rows[other] == Some(row) && is_over && !lines[next].joins(&lines[other])
            })
        };
        while is_taken(row) {
            row += 1;
        }
        rows[next] = Some(row);
    }
    rows.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_edge_join_and_others_cross() {
        let owner = |from, to| Owner {
            from,
            to,
            is_dashed: false,
        };
        let mut channel = Channel::new(7, 2);
        channel.along(owner(0, 1), 0, 6, 0);
        channel.along(owner(0, 2), 0, 3, 0);
        channel.down(owner(0, 1), 6, 1..2);
        channel.down(owner(0, 2), 3, 1..2);
        channel.down(owner(4, 5), 5, 0..2);
        assert_eq!(channel.row(0), "╰──┬─│╮");
        assert_eq!(channel.row(1), "   │ ││");
    }

    #[test]
    fn no_two_lines_lie_on_each_other() {
        let along = |from, to: &[usize]| Along {
            from,
            to: to.to_vec(),
        };
        // The second comes from where the first leads to: it is above.
        assert_eq!(rows(&[along(0, &[4]), along(4, &[8])]), [1, 0]);
        assert_eq!(rows(&[along(0, &[2]), along(6, &[8])]), [0, 0]);
        assert_eq!(rows(&[along(0, &[4]), along(8, &[4])]), [0, 0]);
        // A circle.
        assert_eq!(rows(&[along(0, &[4]), along(4, &[0])]), [0, 1]);
    }
}
