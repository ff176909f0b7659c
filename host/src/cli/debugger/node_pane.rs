//! The chosen node: what it is, and why it is where it is, as the guest says.

use ratatui::text::{Line, Span};
use refrain::model::Explanation;
use refrain::{names, render};

use super::level::Level;
use super::styles::Styles;
use crate::cli::text::Text;
use crate::cli::time::span;

/// The title, and the lines.
pub(super) fn shown(level: &mut Level, styles: Styles) -> (String, Vec<Line<'static>>) {
    let Some(node) = level.node.clone() else {
        return ("node".to_owned(), Vec::new());
    };
    let title = Text::word(&node).as_str().to_owned();
    let mut lines = about(level, &node, styles);
    match level.explanation() {
        None if level.sequence() == 0 => {}
        None => lines.push(Line::styled("asking the scheduler", styles.faint())),
        Some(Err(why)) => lines.push(Line::raw(Text::word(why).as_str().to_owned())),
        Some(Ok(explanation)) => lines.extend(reasons(explanation, styles)),
    }
    let at = level.at();
    let told = level.nodes().named(&node).cloned();
    if let Some(told) = told {
        if let Some(waited) = told.waited_ms(at) {
            let worked = span(told.worked_ms(at));
            lines.push(Line::styled(
                format!("worked on for {worked}, waited {}", span(waited)),
                styles.faint(),
            ));
        }
        if let Some(error) = &told.error {
            let error = Text::lines(error);
            let each = error.as_str().lines();
            lines.extend(each.map(|line| Line::raw(format!("error: {line}"))));
        }
    }
    (title, lines)
}

/// What the workflow says of it.
fn about(level: &Level, node: &str, styles: Styles) -> Vec<Line<'static>> {
    let map = refrain::model::instance_of(node).map(|(map, _)| map);
    let id = map.unwrap_or(node);
    let Some(found) = level.picture.nodes.iter().find(|it| it.id == id) else {
        return Vec::new();
    };
    let kind = Text::word(&found.kind);
    let mut line = vec![Span::styled(kind.as_str().to_owned(), styles.faint())];
    if let Some(detail) = &found.detail {
        let detail = Text::word(detail);
        line.push(Span::styled(
            format!(": {}", detail.as_str()),
            styles.faint(),
        ));
    }
    vec![Line::from(line)]
}

fn reasons(explanation: &Explanation, styles: Styles) -> Vec<Line<'static>> {
    let state = names::node_state(explanation.state);
    let mut lines = vec![Line::from(vec![
        Span::raw("is "),
        Span::styled(state, styles.of_node(explanation.state)),
    ])];
    for reason in &explanation.reasons {
        let sentence = render::sentence(&explanation.node_id, &reason.cause);
        let sentence = Text::part_of_lines(&sentence);
        let each = sentence.as_str().lines();
        lines.extend(each.map(|line| Line::raw(line.to_owned())));
    }
    lines
}
