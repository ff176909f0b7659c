//! What waits in a child is told where its parent is asked for (law 9).

use serde_json::{Value, json};

use super::desk::{self, Desk};

fn command(argv: &[&str]) -> Value {
    json!({ "kind": desk::command(argv) })
}

/// A node whose child asks a person, and a node behind it.
fn parent() -> Value {
    let ask = json!({ "kind": { "type": "human_approval", "description": "Go?" } });
    let body = json!({
        "start_node": "look",
        "nodes": { "look": command(&["echo", "1"]), "ask": ask },
        "edges": [{ "from": "look", "to": "ask" }],
    });
    json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "sub",
        "nodes": {
            "sub": { "kind": { "type": "subgraph", "body": body } },
            "after": command(&["echo", "2"]),
        },
        "edges": [{ "from": "sub", "to": "after" }],
    })
}

/// A desk with such an execution, whose child waits: the parent's id and the child's.
fn waiting() -> (Desk, String, String) {
    let desk = Desk::new();
    let mut run = desk.runs(&parent());
    run.says("sub/ask waits for an approval (Go?)");
    run.interrupt();
    let said = run.ends();
    assert!(
        said.err.contains("sub/look"),
        "its nodes are told by the way to them: {said:?}"
    );
    let list = desk.document(&["list", "--json"], 0);
    let of = |name: &str| {
        let all = list["executions"].as_array().expect("a list");
        let found = all.iter().find(|it| it["workflow_id"] == name);
        let id = found.expect("it is listed")["execution_id"].as_str();
        id.expect("a text").to_owned()
    };
    let (parent, child) = (of("parent"), of("parent/sub"));
    assert!(
        said.err.contains(&format!("refrain approve {child} ask")),
        "with the command to type: {said:?}"
    );
    (desk, parent, child)
}

#[test]
fn what_waits_in_a_child_is_told_and_left_to_others() {
    let (desk, parent, child) = waiting();
    // It waits for somebody, so that nothing keeps this program.
    let said = desk.types(&["resume", &parent, "--wait", "10ms"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.err.contains("sub/ask waits for an approval"),
        "{said:?}"
    );
    for words in [["show", &parent], ["explain", &parent]] {
        let said = desk.types(&words);
        assert!(
            said.out.contains("ask waits for an approval (Go?)"),
            "{said:?}"
        );
        assert!(
            said.out.contains(&format!("refrain approve {child} ask")),
            "{said:?}"
        );
    }
    let shown = desk.document(&["show", &parent, "--json"], 0);
    let waits = &shown["children"][0]["waiting"][0];
    assert_eq!(waits["for"], "approval", "{shown}");
    assert_eq!(waits["node_id"], "ask", "{shown}");

    assert_eq!(desk.types(&["approve", &child, "ask"]).code, Some(0));
    let said = desk.types(&["resume", &parent]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("after"), "{said:?}");
    let shown = desk.document(&["show", &parent, "--json"], 0);
    assert_eq!(shown["status"], "completed", "{shown}");
    assert!(
        shown["children"][0].get("waiting").is_none(),
        "it has ended: {shown}"
    );
}

/// The parent's events: it begins, asks for the child, starts it, and sees its end.
#[test]
fn a_node_of_a_child_is_looked_at_as_it_was_at_an_event_of_the_parent() {
    let (desk, parent, child) = waiting();
    assert_eq!(desk.types(&["approve", &child, "ask"]).code, Some(0));
    assert_eq!(desk.types(&["resume", &parent]).code, Some(0));
    for (at, state) in [("3", "pending"), ("4", "completed")] {
        let words = ["show", &parent, "--node", "sub/ask", "--at", at, "--json"];
        let shown = desk.document(&words, 0);
        assert_eq!(shown["execution_id"], json!(child), "{shown}");
        assert_eq!(shown["nodes"][0]["state"], state, "{shown}");
        let words = ["explain", &parent, "sub/ask", "--at", at, "--json"];
        let explained = desk.document(&words, 0);
        assert_eq!(explained["execution_id"], json!(child), "{explained}");
        assert_eq!(explained["state"], state, "{explained}");
        assert_eq!(explained["behind"], shown["behind"]);
    }
    for (at, why) in [("1", "sub had no child yet"), ("99", "99 is none of them")] {
        for words in [
            &["explain", &parent, "sub/ask"][..],
            &["show", &parent, "--node", "sub/ask"],
        ] {
            let refused = desk.document(&[words, &["--at", at, "--json"]].concat(), 2);
            assert_eq!(refused["error"]["code"], "no_event", "{refused}");
            let message = refused["error"]["message"].as_str().expect("a text");
            assert!(message.contains(why), "{message}");
        }
    }
}

#[test]
fn r23_the_iterations_of_a_loop_are_told_in_their_order() {
    let desk = Desk::new();
    let mut workflow = parent();
    let kind = &mut workflow["nodes"]["sub"]["kind"];
    kind["repeat"] = json!({ "while": "iteration < 2", "max": 9 });
    kind["body"]["nodes"]["ask"] = command(&["echo", "3"]);
    let said = desk.runs(&workflow).ends();
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines = said.err.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(2);
        let node = words.next()?;
        let is_of_them = node.starts_with("sub") || node == "after";
        is_of_them.then(|| {
            let iteration = line.rsplit_once("iteration ").map(|(_, number)| number);
            format!(
                "{node}{}",
                iteration.map(|it| format!(" {it}")).unwrap_or_default()
            )
        })
    });
    let lines: Vec<String> = lines.collect();
    let each = ["sub/look", "sub/ask", "sub"];
    let expected: Vec<String> = (0..3)
        .flat_map(|round| {
            each.map(|node| match (node, round) {
                ("sub", round) => format!("sub {round}"),
                _ => node.to_owned(),
            })
        })
        .chain(["after".to_owned()])
        .collect();
    assert_eq!(lines, expected, "{}", said.err);
}

/// A node of a child is named by the way to it, and who names it otherwise is told so.
#[test]
fn law9_who_decides_in_a_child_is_told_how_it_is_named_and_that_its_parent_goes_on() {
    let (desk, parent, child) = waiting();
    let wrong = desk.types(&["approve", &parent, "ask"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains(r#"did you mean "sub/ask""#), "{wrong:?}");
    let nobody = desk.types(&["approve", &parent, "aks"]);
    assert!(!nobody.err.contains("did you mean"), "{nobody:?}");

    let approved = desk.types(&["approve", &parent, "sub/ask"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let said =
        format!("{child} is completed; the execution that it is a child of, {parent}, is running");
    assert!(approved.err.contains(&said), "{approved:?}");
    let resume = format!("refrain resume {parent}");
    assert!(approved.err.contains(&resume), "{approved:?}");
}
