//! How many logs came to what: the last line of commands that ask schedulers about many.

use super::text::{Text, counted, text};

/// How many logs came to what that every question about a log may come to.
pub(super) struct LogCounts {
    /// How many were asked about.
    pub(super) all: usize,
    pub(super) same: usize,
    pub(super) unsound: usize,
    pub(super) erased: usize,
    pub(super) newer: usize,
    /// The events of all of them.
    pub(super) events: u64,
}

impl LogCounts {
    /// The line that begins with `said`. What only the command's own question may come to, with
    /// its number, stands before what is said of logs that could not be asked about.
    pub(super) fn line(&self, said: &Text, own: Option<(usize, &str)>) -> Text {
        let mut line = text!(
            "{}, {} the same; {} with {} replayed",
            said,
            self.same,
            counted(self.all as u64, "log"),
            counted(self.events, "event")
        );
        let others = [
            (self.unsound, NOT_SOUND),
            (self.erased, "erased, so that no scheduler can be asked"),
            (self.newer, "of a newer program"),
        ];
        for (count, what) in own.into_iter().chain(others) {
            if count > 0 {
                line.push(&text!("; {} {}", count, what));
            }
        }
        line.push(&text!("\n"));
        line
    }
}

/// What is said of a log that is not sound.
pub(super) const NOT_SOUND: &str = "not sound, whoever is asked";
