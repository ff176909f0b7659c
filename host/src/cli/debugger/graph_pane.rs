//! The graph: the nodes by layers, or the instances of a map.

use std::collections::HashMap;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use refrain::model::NodeState;
use refrain::picture::{Picture, sign};
use refrain::replay::nodes::{Node, Nodes};
use unicode_width::UnicodeWidthStr;

use super::level::{Level, View};
use super::styles::Styles;
use crate::cli::output::Paint;
use crate::cli::text::Text;

/// Cells of a strip that shows the instances of a map.
const CELLS: usize = 20;

/// Cells below which such a strip says nothing.
const CELLS_MIN: usize = 4;

/// What stands for several instances of which some have failed.
const SOME_FAILED: &str = "!";

/// Columns of the mark behind a node that an edge joins to the chosen one.
const MARK_COLUMNS: usize = 1;

/// What the part shows, and the line in which the chosen node stands.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) title: String,
    pub(super) lines: Vec<Line<'static>>,
    pub(super) chosen: usize,
}

pub(super) fn shown(level: &mut Level, styles: Styles, columns: usize) -> Shown {
    match level.view.clone() {
        View::Layers => layers(level, styles, columns),
        View::Map(map) => instances(level, &map, styles, columns),
    }
}

/// A row for each layer. Marked are the nodes from which edges lead to the chosen one, and
/// those to which edges lead from it.
fn layers(level: &mut Level, styles: Styles, columns: usize) -> Shown {
    let chosen = level.node.clone();
    let (picture, layers, nodes) = level.drawn();
    let marks = marks(picture, chosen.as_deref());
    let mut shown = Shown {
        title: "graph".to_owned(),
        ..Shown::default()
    };
    let mut rows = Rows::new(columns);
    for layer in layers {
        rows.begin_row();
        for place in layer {
            let node = &picture.nodes[*place];
            let is_chosen = chosen.as_deref() == Some(node.id.as_str());
            let mut chip = if node.is_end() {
                vec![Span::styled("■ end", styles.faint())]
            } else {
                chip(&node.id, nodes, styles, columns)
            };
            if let Some(mark) = marks.get(place) {
                chip.push(Span::styled(*mark, styles.faint()));
            }
            if is_chosen {
                mark_chosen(&mut chip);
            }
            let line = rows.push(chip);
            if is_chosen {
                shown.chosen = line;
            }
        }
    }
    shown.lines = rows.lines;
    shown
}

/// Each instance as one cell.
fn instances(level: &mut Level, map: &str, styles: Styles, columns: usize) -> Shown {
    let chosen = level.node.clone();
    let nodes = level.nodes();
    let count = nodes.named(map).and_then(|it| it.instances).unwrap_or(0);
    let mut rows = Rows::new(columns);
    rows.begin_row();
    let mut chosen_line = 0;
    for index in 0..count {
        let id = format!("{map}[{index}]");
        let state = nodes.named(&id).map_or(NodeState::Pending, |it| it.state);
        let mut cell = vec![Span::styled(sign(state), styles.of_node(state))];
        if chosen.as_deref() == Some(id.as_str()) {
            mark_chosen(&mut cell);
            chosen_line = rows.push_close(cell);
        } else {
            rows.push_close(cell);
        }
    }
    let map = Text::word(map);
    Shown {
        title: format!("{} · {count} instances", map.as_str()),
        lines: rows.lines,
        chosen: chosen_line,
    }
}

/// A node: the sign of its state, its id, and what is special about it at the place, in so
/// many columns.
fn chip(id: &str, nodes: &Nodes, styles: Styles, columns: usize) -> Vec<Span<'static>> {
    let told = nodes.named(id);
    let state = told.map_or(NodeState::Pending, |it| it.state);
    let name = Text::word(id);
    let mut chip = vec![Span::styled(
        format!("{} {}", sign(state), name.as_str()),
        styles.of_node(state),
    )];
    if let Some(undo) = nodes.named(&format!("{id}!undo")) {
        let said = format!(" ↩{}", sign(undo.state));
        chip.push(Span::styled(said, styles.of_node(undo.state)));
    }
    if let Some(map) = told.filter(|it| it.instances.is_some()) {
        let used = width(&chip) + MARK_COLUMNS;
        chip.extend(strip(map, nodes, styles, columns.saturating_sub(used)));
    } else if let Some(node) = told.filter(|it| it.iterations > 1) {
        chip.push(Span::styled(
            format!(" ×{}", node.iterations),
            styles.faint(),
        ));
    } else if let Some(node) = told.filter(|it| it.attempts > 1) {
        chip.push(Span::styled(format!(" #{}", node.attempts), styles.faint()));
    }
    chip
}

/// The instances of a map: a strip of cells, as far as there is room for it in so many
/// columns, and how many of them are done and have failed.
fn strip(map: &Node, nodes: &Nodes, styles: Styles, columns: usize) -> Vec<Span<'static>> {
    let count = map.instances.unwrap_or(0) as usize;
    let of_state = nodes.instances_of(map).unwrap_or_default();
    let number = |state: &str| of_state.get(state).copied().unwrap_or(0);
    let done = number("completed") + number("skipped");
    let mut said = format!(" {done}/{count}");
    if number("failed") > 0 {
        said.push_str(&format!(", {} failed", number("failed")));
    }
    let room = columns.saturating_sub(said.width() + " []".len());
    let cells = count.min(CELLS).min(room);
    let mut spans = Vec::new();
    if cells >= count.min(CELLS_MIN) {
        spans.push(Span::raw(" ["));
        spans.extend((0..cells).map(|cell| {
            let indices = cell * count / cells..(cell + 1) * count / cells;
            let states = indices.map(|index| {
                let told = nodes.named(&format!("{}[{index}]", map.id));
                told.map_or(NodeState::Pending, |it| it.state)
            });
            self::cell(&states.collect::<Vec<_>>(), styles)
        }));
        spans.push(Span::raw("]"));
    }
    spans.push(Span::raw(said));
    spans
}

/// What stands for instances in these states: the sign of those that ask for most attention;
/// where some have failed and others have not, a sign of its own.
fn cell(states: &[NodeState], styles: Styles) -> Span<'static> {
    let has_failed = |it: &NodeState| *it == NodeState::Failed;
    if states.iter().any(has_failed) && !states.iter().all(has_failed) {
        return Span::styled(SOME_FAILED, styles.paint(Paint::Yellow));
    }
    let worst = states.iter().copied().max_by_key(|it| attention(*it));
    let worst = worst.unwrap_or(NodeState::Pending);
    Span::styled(sign(worst), styles.of_node(worst))
}

fn attention(state: NodeState) -> u8 {
    match state {
        NodeState::Failed | NodeState::Failing => 6,
        NodeState::Waiting => 5,
        NodeState::BackingOff => 4,
        NodeState::Running => 3,
        NodeState::Ready | NodeState::Scheduled => 2,
        NodeState::Pending => 1,
        _ => 0,
    }
}

/// The marks of the nodes from which edges lead to the chosen one, or to which from it, by
/// their places in the picture.
fn marks(picture: &Picture, chosen: Option<&str>) -> HashMap<usize, &'static str> {
    let mut marks = HashMap::new();
    let is_chosen = |place: usize| Some(picture.nodes[place].id.as_str()) == chosen;
    for edge in &picture.edges {
        let ends = [
            (is_chosen(edge.to), edge.from, "→"),
            (is_chosen(edge.from), edge.to, "←"),
        ];
        for (is_at_chosen, place, mark) in ends {
            if is_at_chosen {
                let known = marks.entry(place).or_insert(mark);
                if *known != mark {
                    *known = "↔";
                }
            }
        }
    }
    marks
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|it| it.content.width()).sum()
}

fn mark_chosen(spans: &mut [Span<'static>]) {
    for span in spans {
        span.style = span.style.add_modifier(Modifier::REVERSED);
    }
}

/// Rows that are broken where they would be too wide.
struct Rows {
    columns: usize,
    used: usize,
    lines: Vec<Line<'static>>,
}

impl Rows {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            used: 0,
            lines: Vec::new(),
        }
    }

    fn begin_row(&mut self) {
        self.lines.push(Line::default());
        self.used = 0;
    }

    /// Puts something into the row, with space before it. Its line.
    fn push(&mut self, spans: Vec<Span<'static>>) -> usize {
        self.put(spans, 2)
    }

    /// The same without space.
    fn push_close(&mut self, spans: Vec<Span<'static>>) -> usize {
        self.put(spans, 0)
    }

    fn put(&mut self, spans: Vec<Span<'static>>, space: usize) -> usize {
        let width = width(&spans);
        let space = if self.used == 0 { 0 } else { space };
        if self.used > 0 && self.used + space + width > self.columns {
            self.begin_row();
            return self.put(spans, 0);
        }
        if self.lines.is_empty() {
            self.begin_row();
        }
        let line = self.lines.len() - 1;
        self.lines[line].push_span(Span::raw(" ".repeat(space)));
        for span in spans {
            self.lines[line].push_span(span);
        }
        self.used += space + width;
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_of_a_map_yields_to_its_count() {
        let mut map = Node::pending("each");
        let styles = Styles { colours: false };
        for (instances, columns, expected) in [
            (2000, 38, " [····················] 0/2000"),
            (2000, 18, " [········] 0/2000"),
            (2000, 14, " [····] 0/2000"),
            (2000, 13, " 0/2000"),
            (2000, 0, " 0/2000"),
            (2, 9, " [··] 0/2"),
            (2, 8, " 0/2"),
            (0, 9, " [] 0/0"),
        ] {
            map.instances = Some(instances);
            let spans = strip(&map, &Nodes::default(), styles, columns);
            assert_eq!(
                Line::from(spans).to_string(),
                expected,
                "{instances}, {columns}"
            );
        }
    }

    #[test]
    fn one_failure_among_many_instances_is_not_that_of_all() {
        use NodeState::{Completed, Failed, Pending, Running, Skipped};
        let styles = Styles { colours: false };
        for (states, expected) in [
            (&[Completed, Skipped, Completed][..], "✓"),
            (&[Completed, Running, Pending], "▶"),
            (&[Completed, Failed, Completed], "!"),
            (&[Failed, Running, Pending], "!"),
            (&[Failed, Failed], "✗"),
            (&[Failed], "✗"),
            (&[], "·"),
        ] {
            assert_eq!(cell(states, styles).content, expected, "{states:?}");
        }
    }
}
