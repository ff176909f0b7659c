//! Screens, as they are drawn now; `cargo renew-reference` writes them.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::replay::{Travel, from_export};

use super::app::{App, Pane};
use super::level::Level;
use super::screen;
use super::styles::Styles;

/// What is looked at: a log, keys, and the size of the terminal.
const SCREENS: &[(&str, &str, (u16, u16))] = &[
    ("expanded", "", (80, 24)),
    ("map_retried", "FF", (160, 50)),
    ("map_retried", "ggllllllll", (80, 24)),
    ("compensated", "F", (80, 24)),
    ("compensated", "g", (160, 50)),
    ("repeated", "hhhh", (160, 50)),
    ("retries", "FFs", (80, 24)),
    ("policy_stall", "", (80, 24)),
    ("policy_stall", ":10\nw", (80, 24)),
    ("joins", "gllljjjjw", (40, 12)),
    ("expanded", "?", (80, 24)),
    ("operators", "xfailed\n", (80, 24)),
    ("verbatim", "\t\tj\n", (80, 24)),
    ("map_retried", "gllllllww", (80, 24)),
    ("retries", "gllw", (80, 24)),
    ("retries", "cstate.x >\n", (80, 24)),
    ("retries", "/never\n/", (80, 24)),
    ("expanded", "", (40, 12)),
    ("joins", "z", (40, 12)),
    ("joins", "", (20, 10)),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The log of this name, of those that the built-in scheduler has written.
fn level(name: &str) -> Result<Level> {
    let library = Library::new(Sandbox::new(CallLimits::default())?);
    let folder = root().join("tests/golden").join(&library.built_in()[..12]);
    let path = folder.join(format!("{name}.ndjson"));
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let recording = from_export(BufReader::new(file), name)?;
    let recording = match recording {
        Ok(recording) => recording,
        Err(unreadable) => bail!("{}", unreadable.message),
    };
    let travel = Travel::open(Arc::new(recording), library)?;
    Ok(Level::of(travel, name.to_owned(), None))
}

fn press(app: &mut App<'_>, keys: &str) {
    for pressed in keys.chars() {
        app.ask();
        key(app, pressed);
    }
    app.ask();
}

/// Presses a key, and asks for nothing.
pub(super) fn key(app: &mut App<'_>, key: char) {
    let code = match key {
        '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{8}' => KeyCode::Backspace,
        other => KeyCode::Char(other),
    };
    app.press(KeyEvent::new(code, KeyModifiers::NONE));
}

/// What stands on a screen of this size.
fn drawn(app: &mut App<'_>, (columns, rows): (u16, u16)) -> Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    terminal.draw(|frame| screen::draw(app, frame))?;
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for row in 0..rows {
        let cells = (0..columns).map(|column| buffer[(column, row)].symbol());
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    Ok(text)
}

fn on_screen(name: &str, keys: &str, size: (u16, u16)) -> Result<String> {
    with(name, |app| {
        press(app, keys);
        drawn(app, size)
    })
}

pub(super) fn with<T>(name: &str, ask: impl FnOnce(&mut App<'_>) -> Result<T>) -> Result<T> {
    with_level(level(name)?, ask)
}

pub(super) fn with_level<T>(
    level: Level,
    ask: impl FnOnce(&mut App<'_>) -> Result<T>,
) -> Result<T> {
    let mut open_child = |_| bail!("the logs of children are not in this file");
    let styles = Styles { colours: false };
    ask(&mut App::new(level, styles, &mut open_child))
}

/// Looks at each log that the built-in scheduler has written, by its name. How many there are.
pub(super) fn logs(mut look: impl FnMut(&str) -> Result<()>) -> Result<usize> {
    let library = Library::new(Sandbox::new(CallLimits::default())?);
    let folder = root().join("tests/golden").join(&library.built_in()[..12]);
    let mut logs = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".ndjson") {
            look(name)?;
            logs += 1;
        }
    }
    Ok(logs)
}

/// The file, and what is in it now.
fn drawn_now() -> Result<(PathBuf, String)> {
    let mut all = String::new();
    for (name, keys, size) in SCREENS {
        let (columns, rows) = size;
        all.push_str(&format!("# {name}, {keys:?}, {columns} by {rows}\n\n"));
        all.push_str(&on_screen(name, keys, *size)?);
        all.push('\n');
    }
    Ok((root().join("host/src/cli/debugger/screens.txt"), all))
}

#[test]
fn the_screens_are_drawn_as_before() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    let kept = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        kept == drawn,
        "{} is not what is drawn now:\n{drawn}\nif this is as it should be, type `cargo renew-reference`",
        path.display()
    );
    Ok(())
}

#[test]
#[ignore = "it writes the file: `cargo renew-reference`"]
fn renew_the_reference_of_screens() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    fs::write(&path, drawn).with_context(|| path.display().to_string())
}

#[test]
fn every_place_of_every_log_is_drawn_in_every_size() -> Result<()> {
    let count = logs(|name| {
        with(name, |app| {
            for sequence in 0..=app.level().last() {
                app.level_mut().go(sequence);
                app.level_mut().choose_node_of_event();
                app.ask();
                let size = [(80, 24), (160, 50), (20, 10), (1, 1)][sequence as usize % 4];
                drawn(app, size).with_context(|| format!("{name}, {sequence}"))?;
            }
            Ok(())
        })
    })?;
    ensure!(count > 30, "{count} logs");
    Ok(())
}

#[test]
fn keys_lead_where_the_log_says() -> Result<()> {
    with("retries", |app| {
        let at = |app: &App<'_>| app.level().sequence();
        let last = app.level().last();
        assert_eq!(at(app), last);
        press(app, "g");
        assert_eq!(at(app), 0);
        press(app, "hl");
        assert_eq!(at(app), 1);
        press(app, ":7\n");
        assert_eq!(at(app), 7);
        press(app, ":700\n");
        assert_eq!(at(app), 7);
        assert!(app.message.as_deref().is_some_and(|it| it.contains("700")));
        press(app, "gf");
        let failed = app.level().event(at(app)).map(|it| it.kind);
        assert!(failed.is_some_and(|kind| refrain::replay::is_failure(&kind)));
        press(app, "gd");
        let decided = app.level().event(at(app)).map(|it| it.origin);
        assert_eq!(decided, Some(refrain::model::Origin::Decision));
        press(app, "g/node_completed\n");
        let first = at(app);
        press(app, "tT");
        assert_eq!(at(app), first);
        // What is typed stands in the place of the text before, or behind it.
        press(app, "/nothing of the kind\n/node_started\n");
        assert!(app.message.is_none(), "{:?}", app.message);
        press(app, "g/\u{8}D\n");
        assert!(app.message.is_none(), "{:?}", app.message);
        press(app, "q");
        assert!(app.is_over);
        Ok(())
    })
}

#[test]
fn a_map_is_entered_and_left_and_a_value_is_read() -> Result<()> {
    with("expanded", |app| {
        let maps = app
            .level_mut()
            .nodes()
            .iter()
            .find(|it| it.instances.is_some());
        let map = maps.map(|it| it.id.clone()).context("a map")?;
        app.level_mut().node = Some(map.clone());
        press(app, "\n");
        assert_eq!(app.level().node, Some(format!("{map}[0]")));
        press(app, "jj");
        assert_eq!(app.level().node, Some(format!("{map}[2]")));
        press(app, "\u{8}");
        assert_eq!(app.level().node, Some(map));
        app.pane = Pane::State;
        press(app, "j\n");
        assert!(app.page.is_some(), "{:?}", app.message);
        press(app, "q");
        assert!(app.page.is_none() && !app.is_over);
        Ok(())
    })
}

#[test]
fn the_origin_of_a_value_is_the_event_that_gave_it() -> Result<()> {
    with("completed", |app| {
        app.pane = Pane::State;
        press(app, "j");
        let key = app.level().key.clone().context("a key")?;
        press(app, "o");
        let changed = app
            .level()
            .state()
            .0
            .and_then(|it| it.as_ref().ok().cloned());
        let changed = changed.context("a state")?;
        let changed = changed.iter().find(|it| it.key == key);
        assert!(
            changed.is_some_and(|it| it.is_changed),
            "{key}: {:?}",
            app.message
        );
        Ok(())
    })
}

#[test]
fn going_back_shows_what_going_on_shows() -> Result<()> {
    let mut places = 0;
    logs(|name| {
        for keys in ["h", "kh", "hhz"] {
            let mut back = Vec::new();
            with(name, |app| {
                while app.level().sequence() > 1 {
                    press(app, keys);
                    let level = app.level();
                    back.push((level.sequence(), level.node.clone(), said(level)));
                }
                Ok(())
            })?;
            places += back.len();
            let mut forth = level(name)?;
            for (sequence, node, expected) in back.into_iter().rev() {
                forth.go(sequence);
                forth.node = node;
                forth.ask(false);
                ensure!(said(&forth) == expected, "{name}, {keys}, {sequence}");
            }
        }
        Ok(())
    })?;
    ensure!(places > 1000, "only {places} places");
    Ok(())
}

/// What the guest has said at the place of a log.
pub(super) fn said(level: &Level) -> String {
    let (state, is_fresh) = level.state();
    format!("{is_fresh} {state:?} {:?}", level.explanation())
}
