//! A `refrain` that has nothing to do does nothing, however much waits.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::command_line::desk::{Desk, chain};

/// Executions that wait for an hour to pass: copies of one, row by row, to get there
/// quickly.
const WAITING: i64 = 20_000;

/// Clock ticks of processor time are hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

fn with_many_waiting() -> Desk {
    let desk = Desk::new();
    let rest = json!({ "type": "wait", "condition": "timer", "timeout_secs": 3600 });
    let mut running = desk.runs(&chain(&[("rest", rest)]));
    running.says("waits");
    running.interrupt();
    running.ends();
    let mut database = rusqlite::Connection::open(desk.path().join("refrain.db")).expect("a file");
    let copies = database.transaction().expect("it is free");
    for copy in 0..WAITING {
        copies
            .execute(
                "INSERT INTO executions (id, workflow_id, workflow_version, guest_digest, tenant, status,
                     last_sequence, last_hash, started_at, last_at, next_wake)
                 SELECT ?1, workflow_id, workflow_version, guest_digest, tenant, status,
                     last_sequence, last_hash, started_at, last_at, next_wake
                 FROM executions WHERE key = 1",
                [format!("exec_{copy:032x}")],
            )
            .expect("a copy");
        copies
            .execute(
                "INSERT INTO events SELECT ?1, sequence, plain, erasable, salt, hash FROM events WHERE execution = 1",
                [copies.last_insert_rowid()],
            )
            .expect("its log");
    }
    copies.commit().expect("it is written");
    desk
}

/// The processor time that a process has taken, in ticks.
fn processor_ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    let (_, after_name) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let number = |index: usize| fields[index].parse::<u64>().expect("a number");
    number(11) + number(12)
}

#[test]
#[cfg(target_os = "linux")]
fn processor_time_at_rest_does_not_grow_with_what_waits() {
    let desk = with_many_waiting();
    let resumed = desk.begins(&["resume"]);
    let process = resumed.id();
    // It has read them all when it takes no more time.
    let begun = Instant::now();
    let mut before = 0;
    let at_rest = loop {
        std::thread::sleep(Duration::from_secs(1));
        let ticks = processor_ticks(process);
        if ticks > 20 && ticks - before <= 2 {
            break ticks;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "it never rests");
        before = ticks;
    };
    std::thread::sleep(Duration::from_secs(4));
    let taken = TICK * u32::try_from(processor_ticks(process) - at_rest).expect("a few");
    assert!(
        taken <= Duration::from_millis(40),
        "{taken:?} in 4 seconds at rest"
    );
    resumed.killed();
}
