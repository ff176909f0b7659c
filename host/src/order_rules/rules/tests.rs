//! What may be ordered, and what is wrong with the rest.

use super::*;

const WORKFLOW: &str = r#"{"workflow_id":"w","version":"1.0.0","start_node":"a","edges":[],
    "retry_policies":{"twice":{"max_attempts":2}},
    "nodes":{
        "a":{"kind":{"type":"tool", "tool_ref":"harmless\u0021"}, "retry_policy":"twice"},
        "b":{"kind":{"type":"parallel","branches":["a"]}},
        "c":{"kind":{"type":"condition","branches":[ ]}, "retry_policy": null},
        "d":{"kind":{"type":"task","queue":"gpu","n":1}, "priority":9, "lease_secs":60},
        "e":{"kind":{"type":"tool","tool_ref":"t","queue":7}, "queue":"mail"}
    }}"#;

/// The execution's.
const PRIORITY: u32 = 5;

fn payload(node: &str, kind: &str) -> String {
    format!(r#"{{"node_id":"{node}","kind":{kind},"input":{{}}}}"#)
}

fn item() -> WorkItem {
    WorkItem {
        execution_id: "e".to_owned(),
        node_id: "a".to_owned(),
        attempt: 1,
        max_attempts: 2,
        queue: "tool".to_owned(),
        tenant: "default".to_owned(),
        priority: PRIORITY,
        not_before: 0,
        payload: payload("a", r#"{"type":"tool", "tool_ref":"harmless\u0021"}"#),
    }
}

fn fault(item: &WorkItem, last: u32, budget_after: u32) -> Option<String> {
    let rules = OrderRules::of(WORKFLOW);
    rules.fault(item, PRIORITY, Attempts { last, budget_after })
}

#[test]
fn what_the_workflow_holds_may_be_ordered() {
    assert_eq!(fault(&item(), 0, 0), None);
    let second = WorkItem {
        attempt: 2,
        ..item()
    };
    assert_eq!(fault(&second, 1, 0), None);
    let asked_for = WorkItem {
        attempt: 3,
        max_attempts: 4,
        ..item()
    };
    assert_eq!(fault(&asked_for, 2, 2), None);
    // The order of keys, the space between them and the way in which a
    // string is escaped are a guest's own matter.
    let spelt = r#" {"input":1, "kind": {"type":"tool", "tool_ref":"harmless\u0021"} ,"node_id":"\u0061"} "#;
    let spelt = WorkItem {
        payload: spelt.to_owned(),
        ..item()
    };
    assert_eq!(fault(&spelt, 0, 0), None);
    let branchless = WorkItem {
        node_id: "c".to_owned(),
        max_attempts: 3,
        queue: "general".to_owned(),
        payload: payload("c", r#"{"type":"condition","branches":[ ]}"#),
        ..item()
    };
    assert_eq!(fault(&branchless, 0, 0), None);
}

#[test]
fn what_it_does_not_hold_is_named() {
    let sh = r#"{"type":"command","argv":["sh","-c","id"]}"#;
    let kind = r#"{"type":"tool", "tool_ref":"harmless\u0021"}"#;
    let twice = payload("a", kind).replace(r#","input""#, &format!(r#","kind":{sh},"input""#));
    let escaped = twice.replacen(r#""kind""#, r#""\u006bind""#, 1);
    let trailing = format!("{}1", payload("a", kind));
    let usual = payload("a", kind).replace("{}}", "");
    let more = payload("a", kind).replacen('{', r#"{"argv":[],"#, 1);
    let with = |change: &dyn Fn(&mut WorkItem)| {
        let mut changed = item();
        change(&mut changed);
        changed
    };
    let with_payload = |payload: &str| with(&|item| item.payload = payload.to_owned());
    let table = [
        (
            with(&|item| item.node_id = "z".to_owned()),
            0,
            "does not have",
        ),
        (
            with(&|item| item.node_id = "b".to_owned()),
            0,
            "settles itself",
        ),
        (
            with(&|item| item.queue = "command".to_owned()),
            0,
            "\"command\", and the node belongs on \"tool\"",
        ),
        (with(&|item| item.attempt = 2), 0, "attempt 1, the next one"),
        (item(), 1, "attempt 2, the next one"),
        (with(&|item| item.attempt = 0), 0, "attempt 1, the next one"),
        (
            with(&|item| item.max_attempts = 3),
            0,
            "until attempt 3, and the node's retry policy ends at attempt 2",
        ),
        (
            with(&|item| item.max_attempts = 1),
            0,
            "until attempt 1, and",
        ),
        (with(&|item| item.attempt = 3), 2, "ends at attempt 2"),
        (with_payload(&payload("a", sh)), 0, "`kind`"),
        (
            with_payload(&payload("a", r#"{"type":"tool","tool_ref":"harmless!"}"#)),
            0,
            "`kind`",
        ),
        (with_payload(&payload("c", kind)), 0, "`node_id`"),
        (
            with(&|item| item.priority = 9),
            0,
            "priority 9, and the node's is 5",
        ),
        (with_payload(&twice), 0, "duplicate field `kind`"),
        (with_payload(&escaped), 0, "duplicate field `kind`"),
        (with_payload(&trailing), 0, "trailing characters"),
        (with_payload(&more), 0, "unknown field `argv`"),
        // Spelt as usual up to the input, and then not.
        (
            with_payload(&format!("{usual}1,\"kind\":{sh}}}")),
            0,
            "duplicate field `kind`",
        ),
        (with_payload(&format!("{usual}}}")), 0, "expected value"),
        (with_payload(&format!("{usual}{{}}")), 0, "EOF"),
        (with_payload("{}"), 0, "missing field"),
        (
            with_payload(&format!(r#"["a",{kind},{{}}]"#)),
            0,
            "it is a list",
        ),
    ];
    for (item, last, named) in table {
        let fault = fault(&item, last, 0).unwrap_or_default();
        assert!(fault.contains(named), "{named}: {fault:?} of {item:?}");
    }
}

#[test]
fn r5_queue_priority_and_lease_are_the_nodes_own() {
    let of = |node: &str, queue: &str, priority| WorkItem {
        node_id: node.to_owned(),
        max_attempts: 3,
        queue: queue.to_owned(),
        priority,
        payload: payload(
            node,
            match node {
                "d" => r#"{"type":"task","queue":"gpu","n":1}"#,
                _ => r#"{"type":"tool","tool_ref":"t","queue":7}"#,
            },
        ),
        ..item()
    };
    assert_eq!(fault(&of("d", "gpu", 9), 0, 0), None);
    assert_eq!(fault(&of("e", "mail", PRIORITY), 0, 0), None);
    let table = [
        (of("d", "general", 9), "the node belongs on \"gpu\""),
        (of("d", "gpu", PRIORITY), "priority 5, and the node's is 9"),
        (of("e", "tool", PRIORITY), "the node belongs on \"mail\""),
        (of("e", "mail", 9), "priority 9, and the node's is 5"),
    ];
    for (item, named) in table {
        let fault = fault(&item, 0, 0).unwrap_or_default();
        assert!(fault.contains(named), "{named}: {fault:?} of {item:?}");
    }
    let rules = OrderRules::of(WORKFLOW);
    let leases = ["d", "e", "nobody"].map(|node| rules.lease_ms(node));
    assert_eq!(leases, [Some(60_000), None, None]);
}

#[test]
fn r29_values_may_stand_where_expressions_do_and_nothing_else_may() {
    let workflow = r#"{"nodes":{"a":{"kind":{"type":"command","argv":["echo","Hi ${state.who}!"],"cwd":"/tmp"}}}}"#;
    let rules = OrderRules::of(workflow);
    let fault = |kind: &str| {
        let item = WorkItem {
            queue: "command".to_owned(),
            max_attempts: 3,
            payload: payload("a", kind),
            ..item()
        };
        rules.fault(&item, PRIORITY, Attempts::default())
    };
    let good = r#"{"type":"command","argv":["echo","Hi Zoë!"],"cwd":"/tmp"}"#;
    assert_eq!(fault(good), None);
    for (from, to) in [
        ("Hi Zoë", "Zoë"),
        (r#""echo""#, r#""rm""#),
        ("/tmp", "/"),
        (r#","cwd""#, r#","env":{},"cwd""#),
        (r#"!"]"#, r#"!","-rf"]"#),
    ] {
        let said = fault(&good.replacen(from, to, 1)).unwrap_or_default();
        assert!(said.contains("`kind`"), "{to}: {said}");
    }
    let unresolved = r#"{"type":"command","argv":["echo","Hi ${state.who}!"],"cwd":"/tmp"}"#;
    assert_eq!(
        fault(unresolved),
        None,
        "what a value is, is the guest's word"
    );
}

#[test]
fn r29_the_list_of_templates_must_be_the_workflows() {
    let workflow = r#"{"nodes":{"a":{"kind":{"type":"http","url":"http://h/${state.x}","headers":{"A":"${secret.KEY}"}}}}}"#;
    let rules = OrderRules::of(workflow);
    let fault = |kind: &str, more: &str| {
        let item = WorkItem {
            queue: "http".to_owned(),
            max_attempts: 3,
            payload: format!(r#"{{"node_id":"a","kind":{kind},"input":{{}}{more}}}"#),
            ..item()
        };
        rules.fault(&item, PRIORITY, Attempts::default())
    };
    let kind = r#"{"type":"http","url":"http://h/${secret.KEY}","headers":{"A":"${secret.KEY}"}}"#;
    let listed = r#","templates":["/kind/headers/A"]"#;
    assert_eq!(fault(kind, listed), None, "an unlisted text is none");
    for other in [
        "",
        r#","templates":[]"#,
        r#","templates":["/kind/url"]"#,
        r#","templates":["/kind/headers/A","/kind/url"]"#,
        r#","templates":["/kind/headers/A","/kind/headers/A"]"#,
        r#","templates":["/input"]"#,
        r#","t\u0065mplates":["/kind/headers/A"]"#,
    ] {
        let said = fault(kind, other).unwrap_or_default();
        assert!(said.contains("`templates`"), "{other}: {said}");
    }
    let said = fault(kind, r#","templates":{}"#).unwrap_or_default();
    assert!(said.contains("a payload that is not"), "{said}");
}

#[test]
fn r29_a_kind_that_names_no_secret_has_no_templates() {
    let rules = OrderRules::of(r#"{"nodes":{"a":{"kind":{"type":"tool","tool_ref":"t"}}}}"#);
    let item = WorkItem {
        queue: "tool".to_owned(),
        max_attempts: 3,
        payload: r#"{"node_id":"a","kind":{"type":"tool","tool_ref":"t"},"input":{},"templates":["/kind/tool_ref"]}"#.to_owned(),
        ..item()
    };
    let said = rules.fault(&item, PRIORITY, Attempts::default());
    assert!(said.unwrap_or_default().contains("`templates`"));
}

#[test]
fn r27_what_undoes_a_run_is_what_the_node_says() {
    let workflow = r#"{"nodes":{
        "a":{"kind":{"type":"command","argv":["true"]},"queue":"near","priority":7,"lease_secs":60,"retry_policy":"no_retry",
             "compensate":{"type":"http","url":"http://h/${output.id}","headers":{"A":"${secret.KEY}"}}},
        "m":{"kind":{"type":"map","over":"state.x","body":{"type":"tool","tool_ref":"t"}},
             "compensate":{"type":"task","queue":"far","of":1}},
        "s":{"kind":{"type":"subgraph","workflow_id":"w","version":"1.0.0"},
             "compensate":{"type":"tool","tool_ref":"u"}},
        "b":{"kind":{"type":"tool","tool_ref":"t"},"compensate":null}}}"#;
    let rules = OrderRules::of(workflow);
    let undo = |node_id: &str, queue: &str, kind: &str| WorkItem {
        node_id: node_id.to_owned(),
        queue: queue.to_owned(),
        max_attempts: 3,
        payload: payload(node_id, kind),
        ..item()
    };
    let http = |url: &str| {
        let kind =
            format!(r#"{{"type":"http","url":"{url}","headers":{{"A":"${{secret.KEY}}"}}}}"#);
        let item = undo("a!undo", "near", &kind);
        let payload = item
            .payload
            .strip_suffix('}')
            .expect("an object")
            .to_owned();
        WorkItem {
            max_attempts: 1,
            priority: 7,
            payload: payload + r#","templates":["/kind/headers/A"]}"#,
            ..item
        }
    };
    let far = r#"{"type":"task","queue":"far","of":1}"#;
    let tool = r#"{"type":"tool","tool_ref":"u"}"#;
    for item in [
        http("http://h/7"),
        undo("m[0]!undo", "far", far),
        undo("s!undo", "tool", tool),
    ] {
        assert_eq!(
            rules.fault(&item, PRIORITY, Attempts::default()),
            None,
            "{item:?}"
        );
        assert!(rules.child(&item.node_id).is_none());
    }
    assert_eq!(rules.lease_ms("a!undo"), Some(60_000));
    let changed = |change: fn(&mut WorkItem)| {
        let mut item = http("http://h/7");
        change(&mut item);
        item
    };
    let command = r#"{"type":"command","argv":["true"]}"#;
    for (item, named) in [
        (http("http://other/7"), "`kind`"),
        (
            undo("s!undo", "tool", r#"{"type":"tool","tool_ref":"t"}"#),
            "`kind`",
        ),
        (
            changed(|item| item.queue = "http".to_owned()),
            "the node belongs on \"near\"",
        ),
        (changed(|item| item.priority = 5), "the node's is 7"),
        (changed(|item| item.max_attempts = 3), "until attempt 3"),
        (changed(|item| item.attempt = 2), "should be of attempt 1"),
        (
            undo("a!undo!undo", "near", command),
            "the workflow does not have",
        ),
        (undo("b!undo", "tool", tool), "the workflow does not have"),
        (undo("m!undo", "far", far), "the workflow does not have"),
        (undo("m[0]", "far", far), "the node belongs on \"tool\""),
        (undo("!undo", "near", command), "the workflow does not have"),
    ] {
        let fault = rules.fault(&item, PRIORITY, Attempts::default());
        let fault = fault.unwrap_or_default();
        assert!(fault.contains(named), "{named}: {fault:?} of {item:?}");
    }
}

#[test]
fn r27_r20_a_retry_of_a_node_gives_what_undoes_it_no_attempts() {
    let asked = |node_id: &str| {
        EventKind::RetryRequested(crate::model::NodeRequest {
            node_id: node_id.to_owned(),
            reason: None,
            by: None,
        })
    };
    let spent = Attempts {
        last: 3,
        budget_after: 0,
    };
    let rules = OrderRules::of(
        r#"{"nodes": {"m": {"kind": {"type": "map", "over": "state.x", "body": {"type": "tool", "tool_ref": "t"}}}}}"#,
    );
    let ids = ["m", "m[0]", "m[0]!undo", "m!undo"];
    let mut all = HashMap::from(ids.map(|id| (id.to_owned(), spent)));
    Attempts::follow(&mut all, &rules, &asked("m"));
    let fresh = ids.map(|id| all[id].budget_after);
    assert_eq!(fresh, [3, 3, 0, 0]);
    Attempts::follow(&mut all, &rules, &asked("m[0]!undo"));
    assert_eq!(all["m[0]!undo"].budget_after, 3);
}
