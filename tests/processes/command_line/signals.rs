//! Signals, terminals, and the programs of a `refrain` that ends: none of them
//! is left behind.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use refrain_tests::binary;
use refrain_tests::component::workspace;
use refrain_tests::wat_guest::assembled;
use rusqlite::{Connection, ErrorCode};
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Running, chain, command};

/// A workflow whose program writes its number into a file and goes on for ever.
fn endless(desk: &Desk) -> Value {
    let script = format!(
        "echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.05; done",
        pid_file(desk)
    );
    chain(&[("a", command(&["sh", "-c", &script]))])
}

fn pid_file(desk: &Desk) -> String {
    desk.path().join("pid").display().to_string()
}

/// The number of the program, once it runs.
fn program(desk: &Desk) -> String {
    desk.until("the program runs", || {
        fs::read_to_string(pid_file(desk)).ok()
    })
}

/// Whether there is such a process, and it is no zombie.
fn lives(pid: &str) -> bool {
    let stat = Command::new("ps")
        .args(["-o", "stat=", "-p", pid.trim()])
        .output();
    let stat = stat.expect("ps runs").stdout;
    !stat.is_empty() && !stat.starts_with(b"Z")
}

fn stops_at_the_second(desk: &Desk, mut running: Running, signals: [&str; 2]) {
    let pid = program(desk);
    running.signal(signals[0]);
    running.says("what is at work may finish");
    assert!(lives(&pid));
    running.signal(signals[1]);
    let said = running.ends();
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("to go on with it: refrain resume"),
        "{said:?}"
    );
    assert!(!lives(&pid), "{signals:?}");
}

#[test]
fn each_signal_to_stop_stops_alike_and_leaves_no_program_behind() {
    for signals in [
        ["HUP", "HUP"],
        ["QUIT", "TERM"],
        ["TERM", "QUIT"],
        ["INT", "HUP"],
    ] {
        let desk = Desk::new();
        let running = desk.runs(&endless(&desk));
        stops_at_the_second(&desk, running, signals);
    }
}

/// However long its scheduler takes for a call, and whatever it has in store. A
/// second is what it takes at most; the rest is for a busy machine.
#[test]
fn a_scheduler_that_never_ends_does_not_keep_the_program() {
    let desk = Desk::new();
    let guest = workspace().join("tests/guests/hostile/something_each_time.wat");
    desk.file("endless.wasm", assembled(&guest).expect("a component"));
    let one = json!({ "w": { "kind": { "type": "tool", "tool_ref": "t" } } });
    let workflow = json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "w", "nodes": one, "edges": [] });
    desk.file("w.json", workflow.to_string());
    let mut running = desk.begins(&["run", "w.json", "--guest", "endless.wasm"]);
    running.says("w 1.0.0");
    let id = desk.execution();

    desk.until("it goes on", || (desk.events(&id).len() > 2).then_some(()));
    let asked = Instant::now();
    running.interrupt();
    let said = running.ends();
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}: {said:?}");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("to go on with it: refrain resume"),
        "{said:?}"
    );
    let audit = desk.types(&["audit", "--all"]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    assert!(audit.out.contains("owed a step"), "{audit:?}");
}

/// Not even while a stall is lifted, in a turn of which the guest makes one call
/// that takes all its fuel.
#[test]
fn a_stall_that_is_being_lifted_does_not_keep_the_program() {
    let desk = Desk::new();
    let guest = workspace().join("tests/guests/hostile/infinite_loop.wat");
    desk.file("endless.wasm", assembled(&guest).expect("a component"));
    let one = json!({ "w": { "kind": { "type": "tool", "tool_ref": "t" } } });
    let workflow = json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "w", "nodes": one, "edges": [] });
    desk.file("w.json", workflow.to_string());
    let stalled = desk.types(&["run", "w.json", "--guest", "endless.wasm"]);
    assert_eq!(stalled.code, Some(1), "{stalled:?}");
    let id = desk.execution();

    let running = desk.begins(&["resume", &id]);
    let file = Connection::open(desk.path().join("refrain.db")).expect("the database");
    file.busy_timeout(Duration::ZERO).expect("no patience");
    desk.until("a turn holds the write lock", || {
        let begun = file.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
        begun
            .is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
            .then_some(())
    });
    let asked = Instant::now();
    running.signal("TERM");
    let said = running.ends();
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}: {said:?}");
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn what_was_ignored_at_the_start_stays_ignored() {
    let desk = Desk::new();
    desk.file("w.json", endless(&desk).to_string());
    let mut nohup = Command::new("sh");
    let refrain = binary::path().display();
    let script = format!("trap '' HUP; exec {refrain} run w.json --json");
    nohup
        .args(["-c", &script])
        .current_dir(desk.path())
        .env_remove("REFRAIN_DB");
    let running = desk.begins_with(nohup);
    let pid = program(&desk);
    // Two at the same moment would be heard as one.
    for _ in 0..2 {
        running.signal("HUP");
        std::thread::sleep(Duration::from_millis(300));
        assert!(lives(&pid));
    }
    // It says so only once: the hang-ups went by unheard.
    stops_at_the_second(&desk, running, ["TERM", "TERM"]);
}

#[test]
fn a_run_that_ends_by_an_error_leaves_no_program_behind() {
    let desk = Desk::new();
    let running = desk.runs(&endless(&desk));
    let pid = program(&desk);
    let database = Connection::open(desk.path().join("refrain.db")).expect("it opens");
    database
        .execute_batch("ALTER TABLE executions RENAME TO gone")
        .expect("it is ours");
    let said = running.ends();
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("error: "), "{said:?}");
    assert!(!lives(&pid), "{said:?}");
}

#[test]
fn what_a_run_waits_for_at_its_end_is_said() {
    let desk = Desk::new();
    let script = format!(
        "trap '' TERM; echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.05; done",
        pid_file(&desk)
    );
    let mut running = desk.runs(&chain(&[("a", command(&["sh", "-c", &script]))]));
    let pid = program(&desk);
    let cancelled = desk.types(&["cancel", &desk.execution()]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    running.says("programs that were told to stop");
    let said = running.ends();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!lives(&pid));
}

#[test]
fn a_program_that_asks_the_terminal_fails_at_once() {
    let desk = Desk::new();
    let mut workflow = chain(&[(
        "a",
        command(&["sh", "-c", "read answer </dev/tty || exit 7"]),
    )]);
    workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
    desk.file("w.json", workflow.to_string());
    let typed = format!("{} run w.json", binary::path().display());
    // A terminal of its own, at which nobody types anything.
    let mut terminal = Command::new("script");
    terminal
        .args(["-qec", &typed, "/dev/null"])
        .current_dir(desk.path());
    let said = desk.begins_with(terminal).ends();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("/dev/tty"), "{said:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn orphans_are_reaped_and_no_status_is_stolen() {
    use rustix::process::{getpid, set_child_subreaper};
    let desk = Desk::new();
    let leaves = |name: &str| {
        command(&[
            "sh",
            "-c",
            &format!("sleep 0.2 & (sleep 0.1 &); echo {name}"),
        ])
    };
    let count = "sleep 1; ps -o stat= --ppid $PPID | grep -c Z || true";
    let nodes = [
        ("a", leaves("1")),
        ("b", leaves("2")),
        ("c", leaves("3")),
        ("zombies", command(&["sh", "-c", count])),
    ];
    desk.file("w.json", chain(&nodes).to_string());
    let mut refrain = binary::refrain(desk.path());
    refrain.args(["run", "w.json"]);
    // What its programs leave behind becomes its children, as in a container.
    let adopt = || Ok(set_child_subreaper(Some(getpid()))?);
    #[expect(
        unsafe_code,
        reason = "there is no other way to say something before the program begins"
    )]
    // SAFETY: it makes two system calls and nothing else.
    unsafe {
        refrain.pre_exec(adopt);
    }
    let output = refrain.output().expect("it starts");
    let state: Value = serde_json::from_str(&binary::stdout(&output))
        .unwrap_or_else(|error| panic!("{error}: {}", binary::stderr(&output)));
    assert_eq!(state, json!({ "a": 1, "b": 2, "c": 3, "zombies": 0 }));
}
