//! Terminals that are narrow, or that know little.

use std::path::Path;
use std::process::Command;

use refrain_tests::binary;
use serde_json::json;

use crate::command_line::desk::{Desk, chain, command};

/// What a terminal of so many columns gets from `refrain run w.json`.
fn shown(folder: &Path, columns: u32, environment: &[(&str, &str)]) -> String {
    let program = binary::path().display();
    let typed = format!("stty cols {columns}; exec '{program}' run w.json");
    let output = Command::new("script")
        .args(["-qec", &typed, "/dev/null"])
        .current_dir(folder)
        .env_remove("REFRAIN_DB")
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(environment.iter().copied())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script, of util-linux, gives it a terminal");
    assert!(output.status.success(), "{output:?}");
    binary::stdout(&output)
}

/// A folder with a workflow that is in many states at once, for a second.
fn desk() -> Desk {
    let desk = Desk::new();
    let mut workflow = chain(&[("all", json!({ "type": "parallel", "branches": [] }))]);
    let kinds = [
        ("runs-漢字漢字漢字漢字", command(&["sleep", "1"])),
        ("is-done", command(&["true"])),
        (
            "waits",
            json!({ "type": "wait", "condition": "timer", "timeout_secs": 1 }),
        ),
        (
            "tries-again",
            command(&["sh", "-c", "[ $REFRAIN_ATTEMPT -ge 2 ]"]),
        ),
    ];
    workflow["retry_policies"]["r"] =
        json!({ "max_attempts": 2, "backoff": "fixed", "initial_delay": 1 });
    for (id, kind) in kinds {
        workflow["nodes"][id]["kind"] = kind;
        let branches = workflow["nodes"]["all"]["kind"]["branches"].as_array_mut();
        branches.expect("a list").push(id.into());
    }
    workflow["nodes"]["tries-again"]["retry_policy"] = "r".into();
    desk.file("w.json", workflow.to_string());
    desk
}

/// The lines of counts, each time that they were painted, without escape
/// sequences.
fn counts(shown: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut chars = shown.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    let lines = plain.split(['\r', '\n']);
    // All others stand behind `completed`, in one column less.
    let counts = lines.filter(|line| line.contains(" waiting") || line.contains(" running"));
    counts.map(str::to_owned).collect()
}

#[test]
fn the_line_of_counts_fits_the_terminal() {
    for columns in [12, 30, 44] {
        let desk = desk();
        let shown = shown(desk.path(), columns, &[]);
        let all = counts(&shown);
        let widest = all.iter().map(|line| line.chars().count()).max();
        if columns > 20 {
            // It is cut, and uses what there is.
            assert_eq!(widest, Some(columns as usize - 1), "{all:#?}");
            assert!(all.iter().any(|line| line.ends_with('…')), "{all:#?}");
        }
        let painted = shown.split("\r\u{1b}[K").skip(1);
        let painted = painted.map(|line| line.split(['\r', '\n']).next().unwrap_or_default());
        for line in painted.filter(|line| line.starts_with("\u{1b}[2m")) {
            let line = line
                .trim_start_matches("\u{1b}[2m")
                .trim_end_matches("\u{1b}[0m");
            assert!(
                line.chars().count() < columns as usize,
                "{columns}: {line:?}"
            );
        }
    }
}

#[test]
fn a_terminal_without_escape_sequences_gets_none() {
    for (environment, counted) in [
        (&[("TERM", "dumb")][..], false),
        (&[("TERM", "")], false),
        (&[("NO_COLOR", "1")], true),
    ] {
        let desk = desk();
        let shown = shown(desk.path(), 60, environment);
        assert!(!shown.contains('\u{1b}'), "{environment:?}: {shown:?}");
        assert!(shown.contains("completed"), "{environment:?}: {shown:?}");
        let lines = counts(&shown);
        assert_eq!(!lines.is_empty(), counted, "{environment:?}: {lines:?}");
    }
    let desk = desk();
    assert!(shown(desk.path(), 60, &[]).contains("\u{1b}[32m"));
}

#[test]
fn columns_of_wide_characters_line_up() {
    let desk = desk();
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let table = desk.types(&["show", &desk.execution()]).out;
    let row = |name: &str| {
        table
            .lines()
            .find(|line| line.contains(name))
            .expect("a row")
    };
    let column = |line: &str| {
        let before = line.split(" completed").next().expect("a part");
        // Each of these takes two columns.
        before
            .chars()
            .map(|c| if c >= '\u{2e80}' { 2 } else { 1 })
            .sum::<usize>()
    };
    let wide = column(row("runs-").trim_end());
    let state = |name: &str| {
        let line = row(name);
        column(line)
    };
    assert_eq!(state("tries-again"), state("is-done"), "{table}");
    assert_eq!(wide, state("is-done"), "{table}");
}
