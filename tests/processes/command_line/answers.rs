//! What of a program's output is the answer of its node.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, chain, command};

/// What a run of a program that writes so comes to: its state, and what was said.
fn run(output: Option<&str>) -> (Value, String) {
    let desk = Desk::new();
    let mut program = command(&["printf", "step 1\\n{\"score\":7}\\n"]);
    if let Some(output) = output {
        program["output"] = json!(output);
    }
    desk.file("w.json", chain(&[("a", program)]).to_string());
    let said = desk.types(&["run", "w.json"]);
    (
        serde_json::from_str(&said.out).unwrap_or_default(),
        said.err,
    )
}

#[test]
fn an_answer_behind_other_lines_is_told_or_taken() {
    let all = "step 1\n{\"score\":7}";
    let rows = [
        (None, json!({ "a": all })),
        (Some("last_line"), json!({ "score": 7 })),
        (Some("text"), json!({ "a": all })),
        (Some("none"), json!({})),
    ];
    for (output, state) in rows {
        let (found, said) = run(output);
        assert_eq!(found, state, "{output:?}: {said}");
        let is_told = said.contains("may be \"last_line\", which takes the object");
        assert_eq!(is_told, output.is_none(), "{output:?}: {said}");
    }
    let (_, said) = run(Some("json"));
    assert!(
        said.contains("what is no JSON, and JSON is asked for"),
        "{said}"
    );
}
