//! The terminal that stderr may be: a line on it that keeps up.

use std::io;
use std::os::fd::AsRawFd;

use super::output;
use super::stderr;
use super::text::Text;

/// The last line of a terminal, which is replaced again and again. Where
/// stderr is no terminal, or one that cannot replace a line, there is none.
pub(super) struct StatusLine {
    shown: bool,
    /// Columns of what stands there now.
    columns: usize,
    /// Whether escape sequences are wanted.
    escapes: bool,
}

impl StatusLine {
    /// Nothing stands there yet.
    pub(super) fn new() -> Self {
        let stderr = io::stderr();
        Self {
            shown: output::takes_escapes(&stderr),
            columns: 0,
            escapes: output::colours(&stderr),
        }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// Let this stand there, as far as the terminal is wide: what runs over
    /// its end could not be replaced. Never waits.
    pub(super) fn show(&mut self, line: Text) {
        if !self.shown {
            return;
        }
        // The terminal may be another one at each look. In its last column
        // some terminals begin a new line.
        let line = line.cut(columns_of(&io::stderr()).saturating_sub(1));
        let columns = line.width();
        let line = if self.escapes {
            line.painted(output::Paint::Dim, true)
        } else {
            line
        };
        stderr::log(&line.repainting(self.columns, self.escapes));
        self.columns = columns;
    }

    /// Take it away.
    pub(super) fn clear(&mut self) {
        let former = std::mem::take(&mut self.columns);
        if former > 0 {
            stderr::talk(&Text::new().repainting(former, self.escapes));
        }
    }
}

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// How many columns the terminal behind this has now; what is none, and a terminal that does
/// not say it, counts as of a usual width.
pub(super) fn columns_of(stream: &impl AsRawFd) -> usize {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the descriptor is open as long as `stream` lives, and this
    // request writes a `winsize` and nothing else.
    let answered = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    match size.ws_col {
        columns if answered == 0 && columns > 0 => usize::from(columns),
        _ => COLUMNS,
    }
}
