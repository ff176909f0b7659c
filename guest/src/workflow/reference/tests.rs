//! What is told of the format is complete, and true.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::page::example;
use super::tables::{kinds, parts, without_text};
use crate::workflow::parse;

/// Each kind and field of the parser's tables has its sentence.
#[test]
fn nothing_is_without_words() {
    let missing = without_text();
    assert!(
        missing.is_empty(),
        "say in guest/src/workflow/reference/texts.rs what these are for: {missing:?}"
    );
    for object in parts().iter().chain(&kinds()) {
        let texts = object.fields.iter().map(|(_, text)| text.about);
        for about in texts.chain([object.text.about]) {
            assert!(about.ends_with('.'), "{}: {about:?}", object.text.name);
        }
    }
}

/// The examples are what the parser accepts.
#[test]
fn r1_examples_are_accepted() {
    let workflow = |kind: &str, more: &str| {
        format!(
            r#"{{"workflow_id": "w", "start_node": "s", "nodes": {{
                "s": {{"kind": {{"type": "command", "argv": ["true"]}}}},
                "a": {{"kind": {{"type": "command", "argv": ["true"]}}}},
                "b": {{"kind": {{"type": "command", "argv": ["true"]}}}},
                "x": {{"kind": {kind}{more}}}}},
               "edges": [{{"from": "s", "to": "x"}}, {{"from": "s", "to": "a"}}, {{"from": "s", "to": "b"}}]}}"#
        )
    };
    let check = |text: String| {
        if let Err(faults) = parse(&text) {
            panic!("{faults:?}\n{text}");
        }
    };
    for kind in kinds() {
        check(workflow(&example(&kind), ""));
        let fields = kind
            .fields
            .iter()
            .map(|(field, text)| (field.required, field.name, text.example));
        // JamJet's own fields, and a key beside a timer.
        let fields: Vec<_> = fields.collect();
        let member = |(_, name, example): &(bool, &str, &str)| format!(r#", "{name}": {example}"#);
        let all: String = fields.iter().map(member).collect();
        let required: String = fields.iter().filter(|it| it.0).map(member).collect();
        let of = |fields: &str| format!(r#"{{"type": "{}"{fields}}}"#, kind.text.name);
        let no_mapping =
            |text: &str| text.replace(r#", "input_mapping": {"claim": "input.claim"}"#, "");
        match kind.text.name {
            "condition" | "join" => check(workflow(&of(&no_mapping(&all)), "")),
            // A timer ends after a span, or at a time.
            "wait" => {
                for other in ["until", "timeout_secs"] {
                    let fields = fields.iter().filter(|it| it.1 != other);
                    let all: String = fields.map(member).collect();
                    check(workflow(&of(&all), ""));
                }
            }
            // A workflow has a name or stands here, and gives its state once or not at all.
            "subgraph" => {
                let named = ["body", "merge", "detached"];
                let merged = ["body", "output_key", "detached"];
                let detached = ["body", "output_key", "merge", "repeat"];
                let in_place = ["workflow_id", "version", "merge", "detached"];
                for without in [&named[..], &merged, &detached, &in_place] {
                    let fields = fields.iter().filter(|it| !without.contains(&it.1));
                    let all: String = fields.map(member).collect();
                    check(workflow(&of(&all), ""));
                }
            }
            _ => {
                check(workflow(&of(&all), ""));
                check(workflow(&of(&required), ""));
            }
        }
    }
    let node = parts().into_iter().find(|part| part.text.name == "node");
    let node = node.expect("there are nodes");
    let more = node
        .fields
        .iter()
        .filter(|(field, _)| !["id", "kind"].contains(&field.name));
    // A finalizer is not undone.
    for without in ["run_on", "compensate"] {
        let more = more.clone().filter(|(field, _)| field.name != without);
        let more: String = more
            .map(|(field, text)| format!(r#", "{}": {}"#, field.name, text.example))
            .collect();
        check(workflow(r#"{"type": "http", "url": "http://h"}"#, &more));
    }
}
