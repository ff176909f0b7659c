//! What is said to who has typed almost the right thing.

use crate::command_line::desk::{Desk, chain, command};

#[test]
fn who_types_something_else_for_an_id_is_told_what_helps() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let id = desk.execution();
    for (words, tip) in [
        (
            &["explain", "a", &id][..],
            "the id of the execution comes before all else",
        ),
        (&["explain", "a", "b"], "`refrain list` shows the ids"),
        (&["show", &id[..5]], "`refrain list` shows the ids"),
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        let tips: Vec<&str> = said
            .err
            .lines()
            .filter(|line| line.contains("tip:"))
            .collect();
        assert_eq!(tips.len(), 1, "{words:?}: {said:?}");
        assert!(tips[0].contains(tip), "{words:?}: {said:?}");
    }
    let (status, show) = (desk.types(&["status", &id]), desk.types(&["show", &id]));
    assert_eq!((status.code, &status.out), (Some(0), &show.out));
}

#[test]
fn a_dash_is_stdin_where_a_file_is_read() {
    let desk = Desk::new();
    let workflow = chain(&[("a", command(&["cat"]))]).to_string();
    desk.file("w.json", &workflow);
    let typed = |words: &[&str], stdin: &str| {
        let piped = desk.pipes(words, stdin);
        assert_eq!(piped.code, Some(0), "{words:?}: {piped:?}");
        piped.out
    };
    assert!(typed(&["validate", "-"], &workflow).contains("is valid"));
    assert_eq!(
        typed(&["run", "-"], &workflow),
        "{\n  \"input\": {},\n  \"state\": {}\n}\n"
    );
    let said = typed(&["run", "w.json", "--input", "@-"], "{\"n\": 1}");
    assert!(said.contains("\"n\": 1"), "{said}");
    let log = desk.types(&["export", "@last"]).out;
    assert!(typed(&["audit", "--file", "-"], &log).contains("clean"));
    let twice = desk.pipes(&["audit", "--file", "-", "--file", "-"], &log);
    assert_eq!(twice.code, Some(2), "{twice:?}");
}

#[test]
fn a_fault_of_a_text_is_named_by_its_line() {
    let desk = Desk::new();
    desk.file("w.json", "{\n  \"workflow_id\": \"w\",\n  oops\n}");
    for words in [&["validate", "w.json"][..], &["run", "w.json"]] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(1), "{words:?}: {said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains(" at line 3, column 3 (byte "), "{said:?}");
    }
}

#[test]
fn a_dash_is_the_stdout_of_an_export() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let id = desk.execution();
    let (plain, dash) = (
        desk.types(&["export", &id]),
        desk.types(&["export", &id, "-o", "-"]),
    );
    assert_eq!((dash.code, &dash.out), (Some(0), &plain.out));
    assert!(!desk.files().contains(&"-".to_owned()));
}

#[test]
fn what_cannot_be_written_is_named_as_it_was_typed() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    assert_eq!(desk.types(&["backup", "b.db"]).code, Some(0));
    for words in [
        &["backup", "none/there.db"][..],
        &["restore", "b.db", "--db", "none/there.db"],
    ] {
        let said = desk.types(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        let expected =
            "error: none/there.db cannot be written: its folder none does not exist; create it\n";
        assert_eq!(said.err, expected, "{words:?}");
    }
    let empty = refrain_tests::binary::refrain(desk.path())
        .arg("list")
        .env("REFRAIN_DB", "")
        .output()
        .expect("it starts");
    let said = refrain_tests::binary::stderr(&empty);
    assert!(said.contains("tip: REFRAIN_DB is set, and empty"), "{said}");
}
