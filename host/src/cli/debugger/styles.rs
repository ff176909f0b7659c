//! Colours, and what stands for them where there are none.

use ratatui::style::{Color, Modifier, Style};
use refrain::model::NodeState;

use crate::cli::output::Paint;

/// How things are painted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Styles {
    /// Whether colours are wanted.
    pub(super) colours: bool,
}

impl Styles {
    pub(super) fn paint(self, paint: Paint) -> Style {
        let style = Style::new();
        match paint {
            Paint::Dim => style.add_modifier(Modifier::DIM),
            _ if !self.colours => style,
            Paint::Green => style.fg(Color::Green),
            Paint::Red => style.fg(Color::Red),
            Paint::Yellow => style.fg(Color::Yellow),
            Paint::Blue => style.fg(Color::Blue),
            Paint::Plain => style,
        }
    }

    /// A node in this state; what has not happened yet is faint.
    pub(super) fn of_node(self, state: NodeState) -> Style {
        self.paint(Paint::of_node(state))
    }

    pub(super) fn faint(self) -> Style {
        self.paint(Paint::Dim)
    }

    /// What has just changed.
    pub(super) fn changed(self) -> Style {
        self.paint(Paint::Yellow).add_modifier(Modifier::BOLD)
    }

    /// What is chosen.
    pub(super) fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The frame of the part that keys go to.
    pub(super) fn frame(self, has_focus: bool) -> Style {
        match has_focus {
            true => Style::new().add_modifier(Modifier::BOLD),
            false => self.faint(),
        }
    }
}
