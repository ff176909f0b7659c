//! A first run on a machine, where no machine code of the scheduler is kept yet.

use std::fs;

use refrain_tests::binary;

use crate::command_line::desk::{Desk, chain, command};

/// The scheduler is interpreted until it is compiled, and who has ended before that
/// leaves nothing of it behind.
#[test]
fn a_first_run_waits_for_no_compiler_and_leaves_no_part_of_a_file() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"])), ("b", command(&["true"]))]);
    desk.file("workflow.json", workflow.to_string());
    let cache = desk.path().join("cache");
    let output = binary::refrain(desk.path())
        .env("XDG_CACHE_HOME", &cache)
        .args(["run", "workflow.json"])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", binary::stderr(&output));
    // A compilation takes many times as long as the run.
    let mut kept = fs::read_dir(cache.join("refrain/code")).expect("the folder is made");
    assert!(kept.next().is_none(), "it waited for the compiler");
    let audited = desk.document(&["audit", "--all", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "clean");
}

#[test]
fn without_a_cache_folder_a_run_is_as_good() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["true"]))]);
    desk.file("workflow.json", workflow.to_string());
    let output = binary::refrain(desk.path())
        .env_remove("XDG_CACHE_HOME")
        .env_remove("HOME")
        .args(["run", "workflow.json"])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", binary::stderr(&output));
}
