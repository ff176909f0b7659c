//! All of it at its place.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::app::{App, Pane};
use super::{events_pane, footer, graph_pane, node_pane, queue_pane, state_pane};
use crate::cli::text::{Text, text};
use crate::cli::time::{span, stamp};

/// Columns from which three parts stand side by side.
const WIDE: u16 = 120;

/// Columns and rows below which one part has the screen for itself.
const NARROW: (u16, u16) = (50, 16);

/// Draws the screen.
pub(super) fn draw(app: &mut App<'_>, frame: &mut Frame<'_>) {
    let area = frame.area();
    let below = footer::shown(app, usize::from(area.width));
    let rows = u16::try_from(below.lines.len()).unwrap_or(u16::MAX);
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(rows.min(area.height / 2).max(1)),
    ])
    .areas(area);
    frame.render_widget(header(app), head);
    for (pane, area) in places(app, body) {
        draw_pane(app, pane, frame, area);
    }
    frame.render_widget(Paragraph::new(below.lines), foot);
    draw_page(app, frame, body);
    if let Some(typed) = below.typed {
        let column = u16::try_from(typed).unwrap_or(u16::MAX);
        frame.set_cursor_position((foot.x + column.min(foot.width.saturating_sub(1)), foot.y));
    }
}

/// Which parts are shown, and where.
fn places(app: &App<'_>, body: Rect) -> Vec<(Pane, Rect)> {
    let (columns, rows) = NARROW;
    if app.is_zoomed || body.width < columns || body.height < rows {
        return vec![(app.pane, body)];
    }
    let fill = Constraint::Fill;
    if body.width < WIDE {
        let [left, right] = Layout::horizontal([fill(1), fill(1)]).areas(body);
        let [graph, state] = Layout::vertical([fill(3), fill(2)]).areas(left);
        let [events, below] = Layout::vertical([fill(3), fill(2)]).areas(right);
        let below_pane = match app.pane {
            Pane::Queue => Pane::Queue,
            _ => Pane::Node,
        };
        return vec![
            (Pane::Graph, graph),
            (Pane::Events, events),
            (Pane::State, state),
            (below_pane, below),
        ];
    }
    let [left, middle, right] = Layout::horizontal([fill(4), fill(4), fill(4)]).areas(body);
    let [graph, queue] = Layout::vertical([fill(3), fill(1)]).areas(left);
    let [state, node] = Layout::vertical([fill(1), fill(1)]).areas(right);
    vec![
        (Pane::Graph, graph),
        (Pane::Queue, queue),
        (Pane::Events, middle),
        (Pane::State, state),
        (Pane::Node, node),
    ]
}

fn draw_pane(app: &mut App<'_>, pane: Pane, frame: &mut Frame<'_>, area: Rect) {
    let styles = app.styles;
    let has_focus = app.pane == pane;
    let (columns, rows) = (
        usize::from(area.width.saturating_sub(2)),
        usize::from(area.height.saturating_sub(2)),
    );
    let scroll = app.scroll;
    let level = app.level_mut();
    let mut wraps = false;
    let (title, lines, top) = match pane {
        Pane::Graph => {
            let shown = graph_pane::shown(level, styles, columns);
            (shown.title, shown.lines, top(shown.chosen, rows))
        }
        Pane::Events => {
            let (title, lines) = events_pane::shown(level, styles, rows);
            (title, lines, 0)
        }
        Pane::State => {
            let (title, lines, chosen) = state_pane::shown(level, styles, has_focus);
            (title, lines, top(chosen, rows))
        }
        Pane::Node => {
            wraps = true;
            let (title, lines) = node_pane::shown(level, styles);
            (title, lines, if has_focus { scroll } else { 0 })
        }
        Pane::Queue => {
            let lines = queue_pane::shown(level, styles, rows.max(1) + scroll);
            let top = if has_focus { scroll } else { 0 };
            ("queue, workers, timers".to_owned(), lines, top)
        }
    };
    let block = Block::bordered()
        .title(format!(" {title} "))
        .border_style(styles.frame(has_focus));
    let top = u16::try_from(top.min(lines.len().saturating_sub(1))).unwrap_or(u16::MAX);
    let mut paragraph = Paragraph::new(lines).block(block).scroll((top, 0));
    if wraps {
        paragraph = paragraph.wrap(Wrap { trim: false });
    }
    frame.render_widget(paragraph, area);
}

/// The first line that is shown, so that the chosen one is.
fn top(chosen: usize, rows: usize) -> usize {
    (chosen + 1).saturating_sub(rows)
}

/// What is looked at, and where in it.
fn header(app: &mut App<'_>) -> Line<'static> {
    let styles = app.styles;
    let depth = app.depth();
    let level = app.level_mut();
    let (sequence, last) = (level.sequence(), level.last());
    let (standing, paint) = level.standing();
    let name = Text::word(&level.name);
    let place = match sequence {
        0 => text!("before event 1 of {}", last),
        _ => text!(
            "event {} of {}  {} (+{})",
            sequence,
            last,
            stamp(level.at()),
            span(level.since_beginning())
        ),
    };
    let mut spans = vec![Span::raw(format!("{}  ", name.as_str()))];
    if depth > 0 {
        spans.insert(
            0,
            Span::styled(format!("child {depth} deep: "), styles.faint()),
        );
    }
    spans.push(Span::styled(
        standing.as_str().to_owned(),
        styles.paint(paint),
    ));
    spans.push(Span::raw(format!("  {}", place.as_str())));
    spans.push(Span::styled(format!("  {}", level.id), styles.faint()));
    Line::from(spans)
}

/// The text that lies over the screen, if one does.
fn draw_page(app: &mut App<'_>, frame: &mut Frame<'_>, body: Rect) {
    let Some(page) = &mut app.page else {
        return;
    };
    let within = usize::from(body.width.saturating_sub(2));
    let lines: Vec<Line<'_>> = page.rows(within).into_iter().map(Line::raw).collect();
    let rows = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let area = Rect {
        height: rows.clamp(3, body.height.max(3)).min(body.height),
        ..body
    };
    let title = Text::word(&page.title);
    let block = Block::bordered().title(format!(" {} ", title.as_str()));
    let scroll = u16::try_from(page.scroll).unwrap_or(u16::MAX);
    let paragraph = Paragraph::new(lines).block(block).scroll((scroll, 0));
    frame.render_widget(Clear, area);
    frame.render_widget(paragraph, area);
}
