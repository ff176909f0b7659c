//! The commands of `docs/your-own-scheduler.md`, typed in their order by somebody who
//! has a scheduler of their own.

use std::fs;

use refrain_tests::component::workspace;

use crate::command_line::desk::{Desk, chain, command};

/// The commands of a page: the lines behind `$ ` in blocks of the kind `console`.
fn commands(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = !inside && kind == "console",
            None if inside => commands.extend(line.strip_prefix("$ ").map(str::to_owned)),
            None => {}
        }
    }
    commands
}

#[test]
fn the_documented_commands_do_what_the_page_says() {
    let page = workspace().join("docs/your-own-scheduler.md");
    let page = fs::read_to_string(page).expect("the page");
    let desk = Desk::new();
    let divergent = workspace().join("tests/guests/divergent.wasm");
    desk.file("mine.wasm", fs::read(divergent).expect("a component"));
    let workflow = chain(&[("a", command(&["true"])), ("b", command(&["true"]))]);
    desk.file("workflow.json", workflow.to_string());
    let commands = commands(&page);
    assert!(commands.len() >= 6, "{commands:?}");
    for typed in &commands {
        let words = typed.strip_prefix("refrain ").expect("a command of ours");
        let id = match words.contains("EXECUTION") {
            true => desk.execution(),
            false => String::new(),
        };
        let words = words.replace("EXECUTION", &id);
        let words: Vec<&str> = words.split(' ').collect();
        let said = desk.types(&words);
        assert_eq!(said.code, Some(0), "{typed}: {said:?}");
        if words[0] == "audit" {
            assert!(said.out.contains("  clean  "), "{typed}: {said:?}");
        }
    }
    // It was this scheduler that decided, and the export brought it along.
    let digest = desk.document(&["guest", "check", "mine.wasm", "--json"], 0);
    let list = desk.document(&["list", "--json"], 0);
    assert_eq!(list["executions"][0]["guest"], digest["digest"]);
    let elsewhere = Desk::new();
    let log = fs::read(desk.path().join("log.ndjson")).expect("a file");
    elsewhere.file("log.ndjson", log);
    let audited = elsewhere.document(&["audit", "--file", "log.ndjson", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "clean");
}
