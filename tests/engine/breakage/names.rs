//! What a path means: a file, whatever it looks like; one file, by whatever
//! links it is reached; and where it cannot be had, the system's own reason.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::ground::{DATABASE, Ground, Said};

fn on(ground: &Ground, database: &str, words: &[&str]) -> Said {
    let mut command = ground.refrain(words);
    command
        .current_dir(ground.file(""))
        .env_remove("REFRAIN_DB")
        .args(["--db", database]);
    super::ground::said(&mut command)
}

#[test]
fn what_looks_like_a_name_of_sqlites_own_is_a_file() {
    let ground = Ground::new();
    for name in [
        ":memory:",
        "file:some.db",
        "file:some.db?mode=memory",
        "file::memory:?cache=shared",
        "%41.db",
        "a b?c#d.db",
    ] {
        let said = on(&ground, name, &["run", "steps.json"]);
        assert_eq!(said.code, Some(0), "{name}: {said:?}");
        assert!(ground.file(name).is_file(), "{name}");
        let listed = on(&ground, name, &["list"]);
        assert!(listed.out.contains("completed"), "{name}: {listed:?}");
    }
}

#[test]
fn links_lead_to_one_file() {
    let ground = Ground::new();
    fs::create_dir(ground.file("far")).expect("a folder");
    symlink("far/it.db", ground.file("near.db")).expect("a link");
    let run = on(&ground, "near.db", &["run", "steps.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let listed = on(&ground, "far/it.db", &["list"]);
    assert!(listed.out.contains("completed"), "{listed:?}");
    let run = on(&ground, "far/it.db", &["run", "steps.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let listed = on(&ground, "near.db", &["list"]);
    assert_eq!(listed.out.matches("completed").count(), 2, "{listed:?}");
}

#[test]
fn a_second_name_of_the_file_is_refused() {
    let ground = Ground::new();
    fs::hard_link(ground.file(DATABASE), ground.file("second.db")).expect("a link");
    let id = ground.waiting()[0];
    for words in [
        &["run", "steps.json"][..],
        &["list"],
        &["approve", id, "gate"],
        &["audit", "--all"],
    ] {
        ground.types(words).is_refused("hard links");
        let said = on(&ground, "second.db", words);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("hard links"), "{said:?}");
    }
    assert!(fs::read(ground.file(DATABASE)).expect("a file") == ground.bytes());
    fs::remove_file(ground.file("second.db")).expect("it is there");
    ground.goes_on("the second name is gone");
}

#[test]
fn each_cause_is_told_as_what_it_is() {
    let ground = Ground::new();
    symlink("circle.db", ground.file("circle.db")).expect("a link");
    symlink("nowhere/it.db", ground.file("dangling.db")).expect("a link");
    fs::create_dir(ground.file("folder")).expect("a folder");
    let pipe = Command::new("mkfifo").arg(ground.file("pipe")).status();
    assert!(pipe.expect("it starts").success());
    let deep = format!("{}/{}/x.db", "d".repeat(250), "e".repeat(250));
    fs::create_dir_all(ground.file(&deep).parent().expect("a folder")).expect("folders");
    for (database, cause) in [
        (deep.as_str(), "and SQLite takes 504"),
        ("circle.db", "symbolic links"),
        (
            "dangling.db",
            "it is a link, and what it leads to cannot be created",
        ),
        ("folder", "it is a folder"),
        // A process that opened one would wait for somebody at its other end.
        ("pipe", "it is a device, a pipe or a socket"),
        ("/dev/zero", "it is a device, a pipe or a socket"),
        ("steps.json/x.db", "Not a directory"),
        ("no/such/x.db", "does not exist; create it"),
        (&"n".repeat(300), "name too long"),
    ] {
        let said = on(&ground, database, &["run", "steps.json"]);
        assert_eq!(said.code, Some(2), "{database}: {said:?}");
        assert!(
            said.err.to_lowercase().contains(&cause.to_lowercase()),
            "{database}: {said:?}"
        );
        assert!(!said.err.contains("permissions"), "{database}: {said:?}");
    }
}

/// What a limit of the process refuses is neither the disk nor a permission.
#[test]
fn address_space_is_told_from_disk_and_permission() {
    let ground = Ground::new();
    let refrain = ground.refrain(&["run", "steps.json"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -v 1500000; exec \"$0\" \"$@\""]);
    limited.arg(refrain.get_program()).args(refrain.get_args());
    for (name, value) in refrain.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited.current_dir(ground.file("")).output();
    let said = Said::of(&output.expect("it starts"));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("address space") && said.err.contains("ulimit -v"),
        "{said:?}"
    );
    for other in ["permissions", "no room is left", "is damaged", "panicked"] {
        assert!(!said.err.contains(other), "{said:?}");
    }
    ground.goes_on("a limit of the address space");
}
