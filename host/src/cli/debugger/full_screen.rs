//! The terminal: keys come in, screens go out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::app::{App, OpenChild};
use super::level::Level;
use super::screen;
use super::styles::Styles;
use crate::cli::output;
use crate::cli::stderr;
use crate::cli::stop_signals::StopSignals;

/// How long to wait for a key before looking for other things.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often to ask whether the log has grown.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// The log that is followed, once more, if it has grown to more events than these.
pub(in crate::cli) type Grown<'a> = dyn FnMut(u64) -> Result<Option<Level>> + 'a;

/// Whether there is a terminal that can show it.
pub(in crate::cli) fn can_be_shown() -> bool {
    output::takes_escapes(&io::stdout())
}

/// Shows a log until the person leaves.
pub(in crate::cli) fn run(
    level: Level,
    open_child: &mut OpenChild<'_>,
    grown: Option<&mut Grown<'_>>,
) -> Result<()> {
    let styles = Styles {
        colours: output::colours(&io::stdout()),
    };
    let stopped = stopped()?;
    let mut app = App::new(level, styles, open_child);
    let kept = stderr::keep();
    let mut terminal = ratatui::try_init().context("cannot take the whole screen")?;
    let shown = show(&mut app, &mut terminal, grown, &stopped);
    let restored = ratatui::try_restore();
    drop(kept);
    shown?;
    restored.context("cannot give the screen back; `reset` does")
}

fn show(
    app: &mut App<'_>,
    terminal: &mut DefaultTerminal,
    mut grown: Option<&mut Grown<'_>>,
    stopped: &AtomicBool,
) -> Result<()> {
    let mut looked = Instant::now();
    let keys = keys();
    let mut is_drawn = false;
    while !app.is_over && !stopped.load(Ordering::Relaxed) {
        if !is_drawn {
            terminal
                .draw(|frame| screen::draw(app, frame))
                .context(NO_TERMINAL)?;
            is_drawn = true;
        }
        // A person who holds a key down sees where that leads; what takes longer comes when they
        // let it go.
        let mut event = keys.try_recv().ok();
        if event.is_none() {
            if app.ask() {
                is_drawn = false;
                continue;
            }
            event = keys.recv_timeout(LOOK_EVERY).ok();
        }
        match event {
            None => drop(terminal.size().context(NO_TERMINAL)?),
            Some(event) => {
                // That may be a new size, too.
                is_drawn = false;
                if let Event::Key(key) = event.context(NO_TERMINAL)?
                    && key.kind != KeyEventKind::Release
                {
                    app.press(key);
                }
            }
        }
        if let Some(grown) = &mut grown
            && looked.elapsed() > FOLLOW_EVERY
        {
            looked = Instant::now();
            if let Some(level) = grown(app.named_last())? {
                app.follow(level);
                is_drawn = false;
            }
        }
    }
    Ok(())
}

const NO_TERMINAL: &str = "the terminal is gone";

/// What comes from the terminal. A thread of its own reads it: a read that finds the terminal
/// closed may never return.
fn keys() -> Receiver<io::Result<Event>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let event = event::read();
            let is_over = event.is_err();
            if send.send(event).is_err() || is_over {
                return;
            }
        }
    });
    receive
}

/// Becomes true when the program is asked to stop.
fn stopped() -> Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopped);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for signals")?;
    let mut signals = {
        let _within = runtime.enter();
        StopSignals::new()?
    };
    thread::spawn(move || {
        runtime.block_on(signals.next());
        told.store(true, Ordering::Relaxed);
    });
    Ok(stopped)
}
