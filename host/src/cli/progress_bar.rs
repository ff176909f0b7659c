//! How far audits have come, on the last line of a terminal.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use refrain::replay::Headway;
use refrain::time::rough_span;

use super::output;
use super::terminal::StatusLine;
use super::text::{Text, counted, text};

/// What is done before is not worth a line.
const FIRST_AFTER: Duration = Duration::from_secs(1);

/// How often the line is written anew: as often as people can read it.
const EVERY: Duration = Duration::from_millis(250);

/// What there is to be audited.
#[derive(Clone, Copy)]
pub(super) struct All {
    pub(super) logs: usize,
    /// The events of all logs. `None` if that shows only as they are read.
    pub(super) events: Option<u64>,
}

/// Does this work, and shows meanwhile how far it has come: on a terminal, to somebody who
/// wants to hear of it.
pub(super) fn watched<T>(
    is_silent: bool,
    headway: &Headway,
    all: All,
    work: impl FnOnce() -> T,
) -> T {
    let mut line = StatusLine::new();
    if is_silent || output::is_quiet() || !line.is_shown() {
        return work();
    }
    thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        scope.spawn(move || {
            let begun = Instant::now();
            let mut wait = FIRST_AFTER;
            // The other end is dropped when the work is over, also by a panic.
            while is_over.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                line.show(said(headway, all, begun.elapsed()));
                wait = EVERY;
            }
            line.clear();
        });
        let _over = over;
        work()
    })
}

/// `3 of 20 logs, 120000 of 800000 events, 45000 events/s, 15 s left`
fn said(headway: &Headway, all: All, elapsed: Duration) -> Text {
    let behind = headway.behind();
    let known = match all.events {
        Some(events) => Some(events),
        None if all.logs == 1 => Some(headway.begun()).filter(|events| *events > 0),
        None => None,
    };
    let of = match known {
        Some(events) => text!(" of {}", counted(events.max(behind), "event")),
        None => text!(" events"),
    };
    let logs = counted(all.logs as u64, "log");
    let rate = rate(behind, elapsed);
    let left = known.and_then(|events| left(events.saturating_sub(behind), rate));
    let left = match left {
        Some(left) => text!(", {} left", rough_span(left)),
        None => Text::new(),
    };
    text!(
        "{} of {}, {}{}, {} events/s{}",
        headway.logs(),
        logs,
        behind,
        of,
        rate,
        left
    )
}

/// Events a second.
fn rate(events: u64, elapsed: Duration) -> u64 {
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    events.saturating_mul(1000) / ms.max(1)
}

/// How long so many events take. `None` if nothing is known of that yet.
fn left(events: u64, rate: u64) -> Option<Duration> {
    events.checked_div(rate).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_pace_so_far() {
        assert_eq!(rate(90_000, Duration::from_secs(2)), 45_000);
        assert_eq!(left(90_000, 45_000), Some(Duration::from_secs(2)));
        assert_eq!(left(0, 45_000), Some(Duration::ZERO));
    }

    #[test]
    fn no_time_is_told_before_there_is_a_pace() {
        assert_eq!(rate(5, Duration::ZERO), 5_000);
        assert_eq!(left(90_000, 0), None);
    }

    #[test]
    fn the_line_says_what_is_done_of_how_much() {
        let all = All {
            logs: 20,
            events: Some(800_000),
        };
        let line = said(&Headway::default(), all, Duration::from_secs(1));
        assert_eq!(
            line.as_str(),
            "0 of 20 logs, 0 of 800000 events, 0 events/s"
        );
        let unknown = All {
            logs: 2,
            events: None,
        };
        let line = said(&Headway::default(), unknown, Duration::from_secs(1));
        assert_eq!(line.as_str(), "0 of 2 logs, 0 events, 0 events/s");
    }
}
