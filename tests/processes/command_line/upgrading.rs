//! `refrain upgrade`: what it says, and what the other commands then say.

use refrain_tests::component::product::DIVERGENT;
use refrain_tests::twin;
use serde_json::{Value, json};

use crate::command_line::desk::{Desk, approval, chain, command, tool};

/// A desk with components besides the built-in one.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("twin.wasm", twin::bytes());
    desk.file(
        "divergent.wasm",
        DIVERGENT.committed().expect("it is committed"),
    );
    desk
}

fn guest_of(desk: &Desk, id: &str) -> Value {
    let list = desk.document(&["list", "--json"], 0);
    let mut all = list["executions"].as_array().expect("a list").iter();
    let record = all.find(|record| record["execution_id"] == id);
    record.expect("it is listed")["guest"].clone()
}

fn built_in(desk: &Desk) -> Value {
    desk.document(&["guest", "--json"], 0)["digest"].clone()
}

#[test]
fn law10_an_execution_is_upgraded_while_it_runs() {
    let desk = desk();
    let running = desk.runs(&chain(&[
        ("ask", approval()),
        ("act", command(&["echo", "done"])),
    ]));
    let id = desk.execution();
    desk.until_event(&id, "interrupt_raised");
    let before = guest_of(&desk, &id);

    let dry = desk.types(&["upgrade", &id, "--guest", "twin.wasm", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(dry.out.contains("can be upgraded from"), "{dry:?}");
    assert_eq!(guest_of(&desk, &id), before);
    let upgraded = desk.types(&["upgrade", &id, "--guest", "twin.wasm", "--by", "ada"]);
    assert_eq!(upgraded.code, Some(0), "{upgraded:?}");
    let said = format!("{id}  upgraded from ");
    assert!(upgraded.out.starts_with(&said), "{upgraded:?}");
    assert!(
        upgraded.err.contains("type: refrain resume"),
        "{upgraded:?}"
    );
    assert_eq!(guest_of(&desk, &id), twin::digest());
    let show = desk.document(&["show", &id, "--json"], 0);
    assert_eq!(show["guest"], twin::digest());
    let again = desk.types(&["upgrade", &id, "--guest", "twin.wasm"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("already"), "{again:?}");

    // The program that runs it notices.
    assert_eq!(desk.types(&["approve", &id, "ask"]).code, Some(0));
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let events = desk.events(&id);
    let changed: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "guest_changed")
        .collect();
    assert_eq!(changed.len(), 1, "{events:?}");
    assert_eq!(changed[0]["guest_digest"], twin::digest());
    assert_eq!(changed[0]["by"], "ada");
    let audit = desk.document(&["audit", "--all", "--json"], 0);
    assert_eq!(audit["executions"][0]["verdict"], "clean");
    let log = desk.types(&["log", &id]);
    assert!(log.out.contains("guest_changed"), "{log:?}");

    let refused = desk.types(&["upgrade", &id]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .err
            .contains("is completed, and nothing follows on an end"),
        "{refused:?}"
    );
    // All that an auditor needs is in one file.
    let exported = desk.types(&["export", &id, "--with-guest", "-o", "all.ndjson"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let elsewhere = Desk::new();
    let log = std::fs::read(desk.path().join("all.ndjson")).expect("a file");
    elsewhere.file("all.ndjson", log);
    let audited = elsewhere.document(&["audit", "--file", "all.ndjson", "--json"], 0);
    assert_eq!(audited["executions"][0]["verdict"], "clean");
}

/// An execution whose two nodes are dispatched, and nobody works on them.
fn dispatched(desk: &Desk) -> String {
    let forked = json!({
        "workflow_id": "forked", "version": "1.0.0", "start_node": "split",
        "nodes": {
            "split": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
            "left": { "kind": tool() }, "right": { "kind": tool() },
        },
        "edges": [],
    });
    let running = desk.runs(&forked);
    let id = desk.execution();
    desk.until("both are dispatched", || {
        let events = desk.events(&id);
        let scheduled = events.iter().filter(|it| it["type"] == "node_scheduled");
        (scheduled.count() == 2).then_some(())
    });
    running.killed();
    id
}

#[test]
fn law2_who_would_have_decided_otherwise_takes_over_by_force_only() {
    let desk = desk();
    let id = dispatched(&desk);
    let before = built_in(&desk);
    for words in [
        &["upgrade", &id, "--guest", "divergent.wasm"][..],
        &["upgrade", "--all", "--guest", "divergent.wasm", "--dry-run"],
    ] {
        let left = desk.types(words);
        assert_eq!(left.code, Some(1), "{left:?}");
        let at_the_third = "event 3: the guest decides otherwise";
        assert!(left.out.contains(at_the_third), "{left:?}");
        assert!(left.err.contains("give --force"), "{left:?}");
        assert_eq!(guest_of(&desk, &id), before);
    }
    // Both sides say whose they are.
    let audited = desk.types(&["audit", &id, "--guest", "divergent.wasm"]);
    for said in [
        "    the guest decides  {",
        "    the log has        {",
        "    at \"/node_id\": the guest decides \"right\", the log has \"left\"",
    ] {
        assert!(audited.out.contains(said), "{said:?}: {audited:?}");
    }
    let audited = desk.document(&["audit", &id, "--guest", "divergent.wasm", "--json"], 1);
    let divergence = &audited["executions"][0]["divergence"];
    assert_eq!(divergence["compared"], "guest_with_log");
    let words = ["upgrade", &id, "--guest", "divergent.wasm", "--force"];
    let forced = desk.types(&words);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert!(
        forced.out.contains("which would have decided otherwise"),
        "{forced:?}"
    );
    let divergent = desk.document(&["guest", "check", "divergent.wasm", "--json"], 0);
    assert_eq!(guest_of(&desk, &id), divergent["digest"]);
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));

    // And back: the other has decided nothing yet.
    let all = desk.document(&["upgrade", "--all", "--json"], 0);
    let mut keys: Vec<&String> = all.as_object().expect("an object").keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["damaged", "executions", "guest"]);
    let each = &all["executions"][0];
    let mut keys: Vec<&String> = each.as_object().expect("an object").keys().collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "audit",
            "ended",
            "error",
            "execution_id",
            "from",
            "upgraded"
        ]
    );
    assert_eq!(
        (&each["upgraded"], &each["from"], &each["audit"]["verdict"]),
        (&json!(true), &divergent["digest"], &json!("clean"))
    );
    assert_eq!(guest_of(&desk, &id), before);
    let nothing = desk.types(&["upgrade", "--all"]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.err.contains("nothing to upgrade"), "{nothing:?}");
    assert_eq!(desk.types(&["audit", &id]).code, Some(0));
}

#[test]
fn what_cannot_be_upgraded_is_named_and_the_others_are() {
    let desk = desk();
    let id = dispatched(&desk);
    let nobody = format!("exec_{}", "0".repeat(32));
    let some = desk.types(&["upgrade", &nobody, &id, "--guest", "twin.wasm"]);
    assert_eq!(some.code, Some(2), "{some:?}");
    for said in [
        "there is no execution exec_0",
        "1 of 2 executions could not be upgraded",
    ] {
        assert!(some.err.contains(said), "{some:?}");
    }
    assert_eq!(guest_of(&desk, &id), twin::digest());
    for (words, says) in [
        (&["upgrade"][..], "required"),
        (&["upgrade", "--all", &id][..], "cannot be used with"),
        (
            &["upgrade", &id, "--guest", "running.json"][..],
            "is not a scheduler component",
        ),
        (&["upgrade", &id, "--by", ""][..], "--by <WHO>"),
    ] {
        let refused = desk.types(words);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(says), "{words:?}: {refused:?}");
    }
    assert_eq!(guest_of(&desk, &id), twin::digest());
    // Nobody hears of the one that was told before one that cannot be.
    assert!(
        some.out.contains(&format!("{id}  upgraded from")),
        "{some:?}"
    );
    // Neither end nor erasure leads anywhere.
    assert_eq!(desk.types(&["cancel", &id]).code, Some(0));
    let erased = desk.types(&["erase", &id]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    let refused = desk.types(&["upgrade", &id]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("is erased"), "{refused:?}");
}
