//! The debugger, in a terminal of its own.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use refrain_tests::binary;
use rustix::process::{Pid, Signal, kill_process};

use crate::command_line::desk::{Desk, approval, chain, command};

/// How long a screen is waited for, before it is said that it did not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program in a terminal: keys go in, and what stands on the screen can be read.
struct Session {
    child: Child,
    keys: ChildStdin,
    screen: Arc<(Mutex<vt100::Parser>, Condvar)>,
}

impl Session {
    fn of(desk: &Desk, (columns, rows): (u16, u16), typed: &str) -> Self {
        let size = |number| NonZero::new(number).expect("a terminal has a size");
        let program = binary::path().display();
        let typed =
            format!("stty cols {columns} rows {rows}; '{program}' {typed}; echo left with $?");
        let mut child = Command::new("script")
            .args(["-qec", &typed, "/dev/null"])
            .current_dir(desk.path())
            .env_remove("REFRAIN_DB")
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script, of util-linux, gives it a terminal");
        let keys = child.stdin.take().expect("a pipe");
        let mut shown = child.stdout.take().expect("a pipe");
        let screen = Arc::new((
            Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)),
            Condvar::new(),
        ));
        let drawn = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                let mut parser = drawn.0.lock().expect("a screen");
                parser.process(&bytes[..count]);
                drawn.1.notify_all();
            }
        });
        Self {
            child,
            keys,
            screen,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it takes keys");
        self.keys.flush().expect("it takes keys");
    }

    /// Waits until all of these stand on the screen; then what stands there.
    fn waits_for(&self, texts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.screen.0.lock().expect("a screen");
        loop {
            let contents = parser.screen().contents();
            if texts.iter().all(|text| contents.contains(text)) {
                return contents;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{texts:?} did not come:\n{contents}");
            let waited = self.screen.1.wait_timeout(parser, left);
            parser = waited.expect("a screen").0;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes whose command line ends in these words.
fn processes(words: &[&str]) -> Vec<i32> {
    let mut end: Vec<u8> = Vec::new();
    for word in words {
        end.extend(word.as_bytes());
        end.push(0);
    }
    let entries = fs::read_dir("/proc").expect("the processes");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let has_words = |process: &i32| {
        // It may have ended meanwhile.
        let typed = fs::read(format!("/proc/{process}/cmdline"));
        typed.is_ok_and(|typed| typed.ends_with(&end))
    };
    names.filter(has_words).collect()
}

/// A folder with an execution that has failed at its second node.
fn desk() -> Desk {
    let desk = Desk::new();
    let workflow = chain(&[
        ("fetch", command(&["echo", r#"{"orders": 3}"#])),
        (
            "charge",
            command(&["sh", "-c", "echo the card was declined >&2; exit 1"]),
        ),
    ]);
    desk.file("w.json", workflow.to_string());
    desk.types(&["run", "w.json"]);
    desk
}

#[test]
fn a_person_moves_through_a_log_and_leaves() {
    let desk = desk();
    let mut session = Session::of(&desk, (80, 24), "replay @last");
    let screen = session.waits_for(&["failed", "graph", "events", "state", "quit"]);
    assert!(screen.contains("✗ charge"), "{screen}");
    session.press("g");
    session.waits_for(&["before event 1", "· fetch", "· charge"]);
    session.press("f");
    session.waits_for(&["✗ charge", "declined"]);
    // Back by the arrow, as terminals send it.
    session.press("\u{1b}[D");
    session.waits_for(&["▶ charge"]);
    session.press("?");
    session.waits_for(&["one event back"]);
    session.press("q");
    session.press(":1\r");
    session.waits_for(&["event 1 of"]);
    session.press("q");
    // The screen is given back as it was.
    session.waits_for(&["left with 0"]);
    let parser = session.screen.0.lock().expect("a screen");
    assert!(!parser.screen().alternate_screen() && !parser.screen().hide_cursor());
}

#[test]
fn law4_a_log_that_was_tampered_with_is_never_taken_for_a_sound_one() {
    let desk = desk();
    let exported = desk.types(&["export", "@last"]);
    let lines: Vec<&str> = exported.out.lines().collect();
    let edited = exported.out.replacen(r#""orders": 3"#, r#""orders": 4"#, 1);
    assert_ne!(edited, exported.out);
    let dropped = [&lines[..4], &lines[5..]].concat().join("\n");
    for (log, sequence) in [(edited, 4), (dropped, 4)] {
        desk.file("log.ndjson", log);
        let mut session = Session::of(&desk, (80, 24), "replay --file log.ndjson");
        let verdict = format!("chain 1.0.0  tampered at {sequence}  event ");
        let screen = session.waits_for(&[&verdict, "charge", "quit"]);
        assert!(!screen.contains("is a log"), "{screen}");
        session.press("g");
        session.waits_for(&[&format!("tampered at {sequence}  before event 1")]);
        session.press("q");
        let why = format!("error: its log is tampered with at event {sequence}: ");
        let left = session.waits_for(&[&why, "left with 1"]);
        assert!(left.contains("log.ndjson is a log: "), "{left}");
    }
}

#[test]
fn a_terminal_that_is_small_or_resized_shows_what_fits() {
    let desk = desk();
    let mut session = Session::of(&desk, (20, 10), "replay @last");
    let screen = session.waits_for(&["✗ charge"]);
    assert!(!screen.contains("events"), "{screen}");
    session.press("\t");
    session.waits_for(&["events"]);
    session.press("q");
    session.waits_for(&["left with 0"]);
}

#[test]
fn what_ends_the_program_gives_the_screen_back() {
    let desk = desk();
    // No other test types this.
    let session = Session::of(&desk, (80, 24), "replay @last --at 1");
    session.waits_for(&["quit"]);
    let typed = ["replay", "@last", "--at", "1"];
    let [process] = processes(&typed)[..] else {
        panic!("one process has {typed:?}");
    };
    let process = Pid::from_raw(process).expect("a process has a number");
    kill_process(process, Signal::TERM).expect("it is ours");
    session.waits_for(&["left with"]);
    let parser = session.screen.0.lock().expect("a screen");
    assert!(!parser.screen().alternate_screen() && !parser.screen().hide_cursor());
}

#[test]
fn what_goes_on_is_kept_up_with() {
    let desk = Desk::new();
    let workflow = chain(&[("ask", approval()), ("then", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    desk.types(&["start", "w.json"]);
    desk.types(&["resume", "@last", "--wait", "0s"]);
    let session = Session::of(&desk, (80, 24), "replay @last --follow");
    session.waits_for(&["◔ ask"]);
    desk.types(&["approve", "@last", "ask"]);
    desk.types(&["resume", "@last"]);
    session.waits_for(&["✓ then", "completed"]);
}

#[test]
fn without_a_terminal_a_timeline_is_printed() {
    let desk = desk();
    let said = desk.types(&["replay", "@last"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains("charge") && !said.out.contains('\u{1b}'),
        "{said:?}"
    );
}

#[test]
fn a_place_that_is_not_there_is_refused() {
    let desk = desk();
    let mut session = Session::of(&desk, (80, 24), "replay @last --at 900");
    session.waits_for(&["900 is none of them", "left with 2"]);
    session.press("q");
}

#[test]
fn a_closed_terminal_ends_it() {
    let desk = desk();
    let session = Session::of(&desk, (80, 24), "replay @last --at 2");
    session.waits_for(&["quit"]);
    let is_there = || !processes(&["replay", "@last", "--at", "2"]).is_empty();
    assert!(is_there());
    // The terminal goes with the program that gave it.
    drop(session);
    desk.until("its end", || (!is_there()).then_some(()));
}
