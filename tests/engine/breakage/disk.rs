//! No room is left on the disk: at every point of a run it is an error that
//! says so, nothing is lost, and with room everything goes on.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use refrain::limits::STOP_PATIENCE;
use rustix::process::{Pid, Signal, kill_process};

use super::ground::{Ground, Said};

const FULL: &str = "no room is left on the disk of";

/// A few megabytes: quickly filled.
const TINY_DISK: &str = "mount -t tmpfs -o size=4m tmpfs \"$0\"";

/// From none at all to enough, in bytes.
const ROOM: [u64; 10] = [
    0,
    4 << 10,
    16 << 10,
    32 << 10,
    40 << 10,
    64 << 10,
    96 << 10,
    128 << 10,
    256 << 10,
    2 << 20,
];

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let disk = match Ground::mounting(TINY_DISK) {
        Ok(disk) => disk,
        Err(reason) => {
            println!("NOT DONE on a real disk: no small one can be mounted here ({reason})");
            println!("what is left is SQLite's own limit: `a_full_disk_loses_nothing` of the host");
            return;
        }
    };
    println!("done on a tmpfs of 4 MiB, in a namespace of its own");
    let mut outcomes = [0; 3];
    for room in ROOM {
        disk.reset();
        fill(&disk, room);
        let signal = ["signal", disk.waiting()[0], "early"];
        let told = disk.types(&signal);
        let outcome = Outcome::of_told(&told);
        outcomes[outcome as usize] += 1;
        outcomes[run(&disk, room) as usize] += 1;
        // Looking is possible, or it says why it is not.
        let listed = disk.types(&["list"]);
        assert!(
            listed.code == Some(0) || {
                listed.is_refused(FULL);
                true
            },
            "{listed:?}"
        );
        free(&disk);
        let received = disk.types(&["log", disk.waiting()[0]]);
        assert_eq!(
            received.out.matches("external_event_received").count(),
            usize::from(outcome == Outcome::Done),
            "what was said of it is what is there: {told:?}, {received:?}"
        );
        disk.goes_on(&format!("a disk with {room} bytes of room"));
    }
    println!("done, refused, went on with room: {outcomes:?}");
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

/// Nothing can be written any more, and that does not keep it from ending.
#[test]
fn a_run_on_a_full_disk_ends_when_it_is_told_to() {
    let disk = match Ground::mounting(TINY_DISK) {
        Ok(disk) => disk,
        Err(reason) => {
            println!("NOT DONE: no small disk can be mounted here ({reason})");
            return;
        }
    };
    let mut told = 0;
    for room in ROOM {
        disk.reset();
        fill(&disk, room);
        told += usize::from(ends_when_told_to(&disk, room));
        free(&disk);
        disk.goes_on(&format!(
            "a run was ended on a disk with {room} bytes of room"
        ));
    }
    assert!(told > 0, "no run came to wait for room");
}

/// Whether a run came to wait for room; then it is told to end, and does.
fn ends_when_told_to(disk: &Ground, room: u64) -> bool {
    let mut run = disk.refrain(&["run", "steps.json"]);
    let to = tempfile::NamedTempFile::new().expect("a file");
    run.stdout(Stdio::null())
        .stderr(to.reopen().expect("a file"));
    let mut run = run.spawn().expect("it starts");
    let said = || fs::read_to_string(to.path()).expect("a file");
    let mut deadline = Instant::now() + Duration::from_secs(30);
    let mut is_told = false;
    while run.try_wait().expect("a child").is_none() {
        if !is_told && said().contains(FULL) {
            let pid = Pid::from_child(&run);
            kill_process(pid, Signal::TERM).expect("it runs");
            is_told = true;
            deadline = Instant::now() + 2 * STOP_PATIENCE;
        }
        if Instant::now() > deadline {
            run.kill().expect("it runs");
            panic!("with {room} bytes of room it never ended: {}", said());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    is_told
}

/// What came of a command on a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// There was room enough.
    Done,
    Refused,
    /// It waited for room, and said so.
    WentOn,
}

impl Outcome {
    fn of_told(said: &Said) -> Self {
        match said.code {
            Some(0) => Self::Done,
            _ => {
                said.is_refused(FULL);
                Self::Refused
            }
        }
    }
}

/// A run that has begun does not give up: it says what it waits for, and goes
/// on as soon as there is room.
fn run(disk: &Ground, room: u64) -> Outcome {
    let mut run = disk.refrain(&["run", "steps.json"]);
    let to = tempfile::NamedTempFile::new().expect("a file");
    run.stdout(Stdio::null())
        .stderr(to.reopen().expect("a file"));
    let mut run = run.spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut outcome = Outcome::Done;
    let status = loop {
        if let Some(status) = run.try_wait().expect("a child") {
            break status;
        }
        let said = fs::read_to_string(to.path()).expect("a file");
        // It is told once; one that gives up says it too, and will not go on.
        if outcome == Outcome::Done && said.contains(FULL) {
            outcome = Outcome::WentOn;
            free(disk);
        }
        assert!(
            Instant::now() < deadline,
            "with {room} bytes of room it never ended: {said}"
        );
        std::thread::sleep(Duration::from_millis(20));
    };
    let err = fs::read_to_string(to.path()).expect("a file");
    let said = Said {
        code: status.code(),
        out: String::new(),
        err,
    };
    match (status.code(), outcome) {
        (Some(0), outcome) => outcome,
        _ => Outcome::of_told(&said),
    }
}

/// Leave so much room.
fn fill(disk: &Ground, room: u64) {
    let mut ballast = File::create(disk.file("ballast")).expect("a file");
    let full = loop {
        match ballast.write_all(&[0; 4096]) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
    let filled = ballast.metadata().expect("a file").len();
    ballast
        .set_len(filled.saturating_sub(room))
        .expect("a file");
}

fn free(disk: &Ground) {
    // A run may have made it go already.
    let _ = fs::remove_file(disk.file("ballast"));
}
