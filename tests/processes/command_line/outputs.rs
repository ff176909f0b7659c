//! What becomes of the output: the exit code is the verdict all the same, and
//! a file replaces only what it may.

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Stdio;

use refrain_tests::binary;

use crate::command_line::desk::{Desk, chain, command};

/// Somewhere to write that takes nothing.
#[derive(Clone, Copy, Debug)]
enum Dead {
    ClosedPipe,
    FullDisk,
    ReadOnly,
}

impl Dead {
    fn stdio(self) -> Stdio {
        match self {
            Self::ClosedPipe => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                drop(reader);
                writer.into()
            }
            Self::FullDisk => {
                let full = File::options().write(true).open("/dev/full");
                full.expect("Linux has it").into()
            }
            Self::ReadOnly => File::open("/dev/null").expect("it is there").into(),
        }
    }
}

/// A folder with a completed execution, its export, and a changed export.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    let good = chain(&[("a", command(&["echo", "done"]))]).to_string();
    desk.file("good.json", &good);
    let failing = good.replace("chain", "fails").replace("\"done\"", "\"x\"");
    desk.file("fails.json", failing.replace("\"echo\"", "\"false\""));
    desk.file("bad.json", good.replace("\"a\":", "\"b\":"));
    assert_eq!(desk.types(&["run", "good.json"]).code, Some(0));
    let id = desk.execution();
    assert_eq!(desk.types(&["export", &id, "-o", "log"]).code, Some(0));
    let log = fs::read_to_string(desk.path().join("log")).expect("a log");
    desk.file("changed", log.replace("\"done\"", "\"gone\""));
    (desk, id)
}

#[test]
fn the_verdict_is_the_exit_code_whatever_becomes_of_the_output() {
    let (desk, id) = desk();
    let bad: [&[&str]; 7] = [
        &["audit", "--file", "changed"],
        &["audit", "--file", "changed", "--json"],
        &["validate", "bad.json"],
        &["validate", "bad.json", "--json"],
        &["run", "bad.json"],
        &["run", "fails.json", "--json"],
        &["guest", "check", "good.json"],
    ];
    // A good verdict that nobody got is not one, unless nobody wanted it.
    let good: [&[&str]; 14] = [
        &["list"],
        &["list", "--json"],
        &["show", &id],
        &["log", &id],
        &["export", &id],
        &["report", &id, "-o", "-"],
        &["explain", &id, "a"],
        &["graph", &id],
        &["graph", "good.json", "--format", "svg"],
        &["audit", "--all"],
        &["validate", "good.json"],
        &["guest"],
        &["--help"],
        &["--version"],
    ];
    for dead in [Dead::ClosedPipe, Dead::FullDisk, Dead::ReadOnly] {
        let heard = !matches!(dead, Dead::ClosedPipe);
        let bad = bad.iter().map(|it| (*it, 1));
        let good = good.iter().map(|it| (*it, if heard { 2 } else { 0 }));
        for (words, code) in bad.chain(good) {
            let mut typed = binary::refrain(desk.path());
            typed.args(words).stdout(dead.stdio());
            let output = typed.output().expect("it starts");
            let err = binary::stderr(&output);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{words:?} {dead:?}: {err}"
            );
            let printed = words[0] != "run" || words.contains(&"--json");
            let told = err.contains("cannot write to stdout");
            assert_eq!(told, heard && printed, "{words:?} {dead:?}: {err}");
            // With nobody to tell it is the same, and no panic.
            typed.stdout(dead.stdio()).stderr(dead.stdio());
            let status = typed.status().expect("it starts");
            assert_eq!(status.code(), Some(code), "{words:?} {dead:?} on both");
        }
    }
}

#[test]
fn an_export_replaces_only_what_it_may() {
    let (desk, id) = desk();
    let at = |name: &str| desk.path().join(name);
    let log = fs::read_to_string(at("log")).expect("a log");

    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(made.expect("mkfifo runs").success());
    let pipe = at("pipe");
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).expect("it is read"));
    assert_eq!(desk.types(&["export", &id, "-o", "pipe"]).code, Some(0));
    assert_eq!(reader.join().expect("it ends"), log);
    let kind = fs::metadata(at("pipe")).expect("it is there").file_type();
    assert!(kind.is_fifo());

    // Whatever stdout is, its name leads there and stays.
    for name in ["/dev/stdout", "/dev/fd/1"] {
        assert_eq!(desk.types(&["export", &id, "-o", name]).out, log, "{name}");
    }

    desk.file("log.part", "mine");
    desk.file("theirs", "theirs");
    symlink(at("theirs"), at("link")).expect("a link");
    symlink(at("refrain.db"), at("link.db")).expect("a link");
    for (words, why) in [
        (
            ["export", &id, "-o", "refrain.db"],
            "it belongs to the database",
        ),
        (
            ["export", &id, "-o", "./refrain.db"],
            "it belongs to the database",
        ),
        (
            ["export", &id, "-o", "link.db"],
            "it belongs to the database",
        ),
        (["export", &id, "-o", "link"], "it is a link"),
        (["guest", "export", "--", "refrain.db"], "it is a database"),
        (["guest", "export", "--", "link"], "it is a link"),
    ] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(why), "{words:?}: {said:?}");
    }
    assert_eq!(desk.types(&["export", &id, "-o", "log"]).code, Some(0));
    for (name, content) in [("log", &*log), ("log.part", "mine"), ("theirs", "theirs")] {
        assert_eq!(fs::read_to_string(at(name)).expect("it is there"), content);
    }
    assert_eq!(desk.types(&["audit", "--all"]).code, Some(0));
}
