//! Another process holds the lock: for a moment it is waited for, beyond that
//! it is an error, and a run that lives goes on when the lock is given up.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::ground::{DATABASE, Ground, Said};

const LOCKED: &str = "is locked by another process";

/// Longer than the five seconds that the lock is waited for.
const BEYOND_THE_WAIT: Duration = Duration::from_millis(6500);

/// As another process holds it: this one is another than the program's.
fn lock(ground: &Ground) -> Connection {
    let other = Connection::open(ground.file(DATABASE)).expect("a database");
    other
        .execute_batch("BEGIN IMMEDIATE")
        .expect("the lock is free");
    other
}

#[test]
fn a_lock_that_is_kept_is_named_and_readers_read() {
    let ground = Ground::new();
    let other = lock(&ground);
    let [one, two] = ground.waiting();
    let told = [
        &["run", "steps.json"][..],
        &["approve", one, "gate"],
        &["signal", two, "early"],
    ];
    // Side by side: each waits for five seconds.
    let told: Vec<_> = told.iter().map(|words| spawn(&ground, words)).collect();
    for words in [
        &["list"][..],
        &["show", one],
        &["log", two],
        &["audit", "--all"],
    ] {
        let begun = Instant::now();
        let said = ground.types(words);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{words:?} waited for the lock"
        );
    }
    for told in told {
        Said::of(&told.wait_with_output().expect("it ends")).is_refused(LOCKED);
    }
    drop(other);
    ground.goes_on("a lock");
}

#[test]
fn a_lock_that_is_given_up_in_time_is_waited_for() {
    let ground = Ground::new();
    let other = lock(&ground);
    let run = spawn(&ground, &["run", "steps.json"]);
    std::thread::sleep(Duration::from_millis(1500));
    drop(other);
    let said = Said::of(&run.wait_with_output().expect("it ends"));
    assert_eq!(
        (said.code, said.err.contains(LOCKED)),
        (Some(0), false),
        "{said:?}"
    );
    ground.goes_on("a lock that was given up");
}

/// The command's answer comes while the lock is held, and longer than it is
/// waited for: it is kept until it can be recorded, and nothing is done twice.
#[test]
fn a_run_that_lives_goes_on_after_a_lock() {
    let ground = Ground::new();
    let slow = serde_json::json!({
        "workflow_id": "slow", "version": "1.0.0", "start_node": "a", "edges": [],
        "nodes": {"a": {"kind": {"type": "command", "argv": ["sh", "-c", "echo >> ran; sleep 1; echo {}"]}}},
    });
    std::fs::write(ground.file("slow_steps.json"), slow.to_string()).expect("a file");
    let run = spawn(&ground, &["run", "slow_steps.json"]);
    let ran = ground.file("ran");
    while !ran.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let other = lock(&ground);
    std::thread::sleep(BEYOND_THE_WAIT);
    drop(other);
    let said = Said::of(&run.wait_with_output().expect("it ends"));
    assert_eq!(
        (said.code, said.err.contains(LOCKED)),
        (Some(0), true),
        "{said:?}"
    );
    assert_eq!(
        std::fs::read_to_string(ran).expect("a file"),
        "\n",
        "it ran once"
    );
    ground.goes_on("a lock that outlived a command");
}

fn spawn(ground: &Ground, words: &[&str]) -> std::process::Child {
    let mut command = ground.refrain(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}
