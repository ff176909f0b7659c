//! Talk that cannot be written, or that nobody reads: it is dropped, and work
//! goes on.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use refrain_tests::binary;

use crate::command_line::desk::{Desk, chain, command};

/// What no answer here may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A folder with an execution whose worker was killed: that its lease is over
/// is worth a warning.
fn left_by_a_killed_run() -> (Desk, String) {
    let desk = Desk::new();
    let once = "[ $REFRAIN_ATTEMPT -ge 2 ] || exec sleep 30";
    let running = desk.runs(&chain(&[
        ("a", command(&["sh", "-c", once])),
        ("b", command(&["true"])),
    ]));
    let id = desk.execution();
    desk.until_event(&id, "node_started");
    running.killed();
    (desk, id)
}

/// `refrain resume` with this for its stderr: its exit code, if it ends.
fn resume(desk: &Desk, stderr: impl Into<Stdio>) -> Option<i32> {
    let mut resume = binary::refrain(desk.path())
        .args(["resume"])
        .env("RUST_LOG", "info")
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = resume.try_wait().expect("it can be asked") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    resume.kill().expect("it can be killed");
    resume.wait().expect("it ends");
    None
}

#[test]
fn a_log_on_a_full_disk_stops_no_work() {
    let (desk, id) = left_by_a_killed_run();
    let full = File::options().write(true).open("/dev/full");
    assert_eq!(resume(&desk, full.expect("Linux has it")), Some(0));
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn a_log_into_a_closed_pipe_stops_no_work() {
    let (desk, id) = left_by_a_killed_run();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(resume(&desk, writer), Some(0));
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

/// As with Ctrl-S, or in a pager: the pipe is full, and nobody reads it.
#[test]
fn a_log_that_nobody_reads_holds_neither_work_nor_the_database() {
    let (desk, id) = left_by_a_killed_run();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let mut fill = writer.try_clone().expect("the same pipe");
    // More than any pipe holds; the thread ends with the test.
    std::thread::spawn(move || fill.write_all(&vec![b'x'; 1 << 22]));
    let filled = Instant::now();
    while filled.elapsed() < Duration::from_millis(300) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(
        resume(&desk, writer.try_clone().expect("the same pipe")),
        Some(0)
    );
    let told = desk.types(&["signal", &id, "key"]);
    assert!(
        told.err.contains("has ended"),
        "it came to its end: {told:?}"
    );
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
    drop(reader);
    let _ = writer.flush();
}

#[test]
fn a_refusal_that_cannot_be_told_is_a_refusal() {
    let desk = Desk::new();
    let full = File::options().write(true).open("/dev/full");
    let status = binary::refrain(desk.path())
        .args(["list"])
        .stderr(full.expect("Linux has it"))
        .status();
    assert_eq!(
        status.expect("it starts").code(),
        Some(2),
        "there is no database"
    );
}

/// Work is offered to a store that fails, again and again; that is told once.
#[test]
fn a_store_that_fails_for_long_is_told_once_and_when_it_is_over() {
    let desk = Desk::new();
    let go = desk.path().join("go");
    let script = format!("while ! [ -e {} ]; do sleep 0.05; done", go.display());
    let a = command(&["sh", "-c", &script]);
    let workflow = chain(&[("a", a), ("b", command(&["true"]))]);
    desk.file("w.json", workflow.to_string());
    let mut run = binary::refrain_at_a_terminal(desk.path());
    run.args(["run", "w.json"]).env("RUST_LOG", "refrain=debug");
    let mut running = desk.begins_with(run);
    let id = desk.execution();
    desk.until_event(&id, "node_started");
    let database = rusqlite::Connection::open(desk.path().join("refrain.db")).expect("a file");
    // Whatever is appended is too much for it.
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON events
                 BEGIN SELECT abs(-9223372036854775807 - 1); END";
    database.execute_batch(fails).expect("it can be made");
    desk.file("go", "");
    running.says_times("an answer waits for the store", 8);
    database
        .execute_batch("DROP TRIGGER fails")
        .expect("it is there");
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines = |text: &str| ended.err.matches(text).count();
    assert_eq!(lines("ERROR"), 1, "{ended:?}");
    assert_eq!(lines("a turn was not written: "), 2, "{ended:?}");
    assert_eq!(lines("this is over, after "), 1, "{ended:?}");
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}
