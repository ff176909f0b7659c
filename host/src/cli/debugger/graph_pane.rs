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
use crate::cli::text::Text;

/// Cells of a strip that shows the instances of a map.
const CELLS: usize = 20;

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
                chip(&node.id, nodes, styles)
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

/// A node: the sign of its state, its id, and what is special about it at the place.
fn chip(id: &str, nodes: &Nodes, styles: Styles) -> Vec<Span<'static>> {
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
        chip.extend(strip(map, nodes, styles));
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

/// The instances of a map in so many cells at most. Where a cell stands for several, it
/// shows the one that asks for most attention.
fn strip(map: &Node, nodes: &Nodes, styles: Styles) -> Vec<Span<'static>> {
    let count = map.instances.unwrap_or(0) as usize;
    let cells = count.min(CELLS);
    let worst = (0..cells).map(|cell| {
        let indices = cell * count / cells..(cell + 1) * count / cells;
        let states = indices.map(|index| {
            let told = nodes.named(&format!("{}[{index}]", map.id));
            told.map_or(NodeState::Pending, |it| it.state)
        });
        let worst = states.max_by_key(|it| attention(*it));
        worst.unwrap_or(NodeState::Pending)
    });
    let mut spans = vec![Span::raw(" [")];
    spans.extend(worst.map(|it| Span::styled(sign(it), styles.of_node(it))));
    let of_state = nodes.instances_of(map).unwrap_or_default();
    let done: u32 = ["completed", "skipped"]
        .iter()
        .filter_map(|it| of_state.get(it))
        .sum();
    spans.push(Span::raw(format!("] {done}/{count}")));
    spans
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
        let width: usize = spans.iter().map(|it| it.content.width()).sum();
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
