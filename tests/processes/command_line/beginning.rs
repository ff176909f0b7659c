//! `refrain init`: from nothing to a run.

use std::fs;

use refrain_tests::binary;

use crate::command_line::desk::Desk;

#[test]
fn a_folder_is_made_tested_and_run() {
    let desk = Desk::new();
    let init = desk.types(&["init", "mine"]);
    assert_eq!(init.code, Some(0), "{init:?}");
    let made = [
        "mine/workflow.json",
        "mine/workflow.test.yaml",
        "mine/.gitignore",
    ];
    assert_eq!(init.out.lines().collect::<Vec<_>>(), made);
    // What it says to type is typed, there.
    let to_type = init.err.lines().map(str::trim).skip(1);
    let to_type: Vec<&str> = to_type.collect();
    assert_eq!(
        to_type,
        [
            "cd mine",
            "refrain test workflow.test.yaml",
            "refrain run workflow.json"
        ]
    );
    let folder = desk.path().join("mine");
    for line in &to_type[1..] {
        let words = line.split(' ').skip(1);
        let output = binary::refrain(&folder)
            .args(words)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{line}: {output:?}");
    }
    let tested = binary::refrain(&folder)
        .args(["test", "workflow.test.yaml"])
        .output()
        .expect("it starts");
    let out = binary::stdout(&tested);
    assert!(out.contains("edges: 3 of 3 were live"), "{out}");
    let spaced = desk.types(&["init", "-q", "a b"]);
    assert_eq!((spaced.code, spaced.err.as_str()), (Some(0), ""));
    let spaced = desk.types(&["init", "c d"]);
    assert!(spaced.err.contains("\n  cd 'c d'\n"), "{spaced:?}");
    // All that is left behind, git does not see.
    let ignored = fs::read_to_string(folder.join(".gitignore")).expect("a file");
    let ignored: Vec<&str> = ignored
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(ignored, ["refrain.db", "refrain.db-*", "refrain.db.*"]);
    for entry in fs::read_dir(&folder).expect("a folder") {
        let name = entry
            .expect("a file")
            .file_name()
            .to_string_lossy()
            .into_owned();
        let is_ours = made.iter().any(|made| *made == format!("mine/{name}"));
        assert!(
            is_ours || name == "refrain.db" || name.starts_with("refrain.db-"),
            "{name}"
        );
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let desk = Desk::new();
    desk.file("workflow.test.yaml", "mine\n");
    let refused = desk.document(&["init", "--json"], 2);
    assert_eq!(refused["error"]["code"], "file_exists");
    assert_eq!(desk.files(), ["workflow.test.yaml"]);
    assert_eq!(
        fs::read_to_string(desk.path().join("workflow.test.yaml")).expect("a file"),
        "mine\n"
    );
    // In a folder without them, this one serves.
    fs::remove_file(desk.path().join("workflow.test.yaml")).expect("it is there");
    let made = desk.document(&["init", "--json"], 0);
    assert_eq!(made["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(desk.types(&["test", "workflow.test.yaml"]).code, Some(0));
    assert_eq!(desk.types(&["init"]).code, Some(2));
}
