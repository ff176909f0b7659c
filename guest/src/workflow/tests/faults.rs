//! Rule R1: whatever is wrong is found, all of it, and named.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{FINALIZER, of_kind, parse, plain, workflow};
use crate::limits::{EDGES_MAX, NODES_MAX, WORKFLOW_BYTES_MAX};

/// Pointers and messages.
type Told = &'static [(&'static str, &'static str)];

/// Each fault's pointer and message.
pub(super) fn faults(text: &str) -> Vec<(String, String)> {
    let Err(faults) = parse(text) else {
        panic!("no fault is found in {text}")
    };
    assert!(
        faults.iter().all(|fault| !fault.remedy.is_empty()),
        "{faults:?}"
    );
    faults
        .into_iter()
        .map(|fault| (fault.pointer, fault.message))
        .collect()
}

pub(super) fn check(text: &str, expected: &[(&str, &str)]) {
    let faults = faults(text);
    let faults: Vec<(&str, &str)> = faults
        .iter()
        .map(|(pointer, message)| (&**pointer, &**message))
        .collect();
    assert_eq!(faults, expected, "{text}");
}

#[test]
fn r1_text() {
    #[rustfmt::skip]
    let rows: [(&str, Told); 6] = [
        ("",      &[("", "this is no JSON that can be read: expected a JSON value, found the end of the text at byte 0")]),
        ("[]",    &[("", "expected an object, found a list")]),
        (r#"{"nodes": {"a": {"kind": {}, "kind": {}}}}"#,
                  &[("/nodes/a/kind", "this is no JSON that can be read: the key `kind` stands twice in one object at byte 29")]),
        ("{}",    &[("", "the field `workflow_id` is missing"), ("", "the field `start_node` is missing"),
                    ("", "the field `nodes` is missing")]),
        (r#"{"workflow_id": 1, "version": "1.0", "start_node": "a/", "nodes": [], "edges": {}}"#,
                  &[("/workflow_id", "expected a text, found a number"), ("/nodes", "expected an object, found a list"),
                    ("/edges", "expected a list, found an object"), ("/version", "`1.0` is no version of three numbers"),
                    ("/start_node", "there is no node `a/`")]),
        (r#"{"workflow_id": "", "version": "1.0.+1", "start_node": "a", "nodes": {"a": 7}}"#,
                  &[("/workflow_id", "an id may not be empty"), ("/version", "`1.0.+1` is no version of three numbers"),
                    ("/nodes/a", "expected an object, found a number"), ("/start_node", "there is no node `a`")]),
    ];
    for (text, expected) in rows {
        check(text, expected);
    }
}

#[test]
fn r1_graph() {
    let (ab, abc) = (plain("a b"), plain("a b c"));
    let with_finalizers = format!(r#"{ab}, "f": {FINALIZER}, "g": {FINALIZER}"#);
    #[rustfmt::skip]
    let rows: [(&str, &[&str], Told); 13] = [
        (&with_finalizers, &["a b", "b f if state.x"], &[("/edges/1/condition", "`f` is a finalizer and runs at the end, whatever leads to it: a condition decides nothing there")]),
        (&with_finalizers, &["a b", "f g if state.x"], &[("/edges/1/condition", "`g` is a finalizer and runs at the end, whatever leads to it: a condition decides nothing there")]),
        (&ab, &["a b", "b c"],          &[("/edges/1/to", "there is no node `c`")]),
        (&ab, &["a b", "c b"],          &[("/edges/1/from", "there is no node `c`")]),
        (&ab, &["a b", "end b"],        &[("/edges/1/from", "nothing can follow \"end\"")]),
        (&ab, &["a end"],               &[("/nodes/b", "`b` cannot be reached from `a`")]),
        (&ab, &["a b", "b a"],          &[("/edges/1", "the nodes go round in a cycle: a -> b -> a")]),
        (&ab, &["a b", "b b"],          &[("/edges/1", "the nodes go round in a cycle: b -> b")]),
        (&abc, &["c b", "b c", "a a"],  &[("/edges/2", "the nodes go round in a cycle: a -> a"),
                                          ("/edges/0", "the nodes go round in a cycle: b -> c -> b"),
                                          ("/nodes/b", "`b` cannot be reached from `a`"),
                                          ("/nodes/c", "`c` cannot be reached from `a`")]),
        (&ab, &["a b if state. == 1"],  &[("/edges/0/condition", "`state. == 1` does not parse: expected a name after the dot, found `=` (column 8)")]),
        (&with_finalizers, &["a b", "f b"],        &[("/edges/1", "`f` is a finalizer and runs at the end, so `b` cannot follow it")]),
        (&with_finalizers, &["a b", "f g", "g f"], &[("/edges/2", "the nodes go round in a cycle: f -> g -> f")]),
        (r#""a": {"id": "b", "kind": {"type": "limit_exceeded"}}, "end": {"kind": {"type": "limit_exceeded"}}"#, &["a end"],
            &[("/nodes/a/id", "the node's id `b` is not its key `a`"), ("/nodes/end", "`end` is the terminal, not a node")]),
    ];
    for (nodes, edges, expected) in rows {
        check(&workflow(nodes, edges, ""), expected);
    }
    check(
        &workflow(&format!(r#""a": {FINALIZER}"#), &[], ""),
        &[("/start_node", "`a` is a finalizer, which runs at the end")],
    );
}

#[test]
fn r1_a_long_cycle_is_cut_in_print() {
    let ids: Vec<String> = (0..30).map(|n| format!("n{n:02}")).collect();
    let edges: Vec<String> = (0..30)
        .map(|n| format!("{} {}", ids[n], ids[(n + 1) % 30]))
        .collect();
    let edges: Vec<&str> = edges.iter().map(|edge| &**edge).chain(["a n00"]).collect();
    let (_, message) = faults(&workflow(
        &plain(&format!("a {}", ids.join(" "))),
        &edges,
        "",
    ))
    .swap_remove(0);
    assert!(
        message.contains("n09 -> (10 more) -> n20") && message.ends_with("n29 -> n00"),
        "{message}"
    );
}

#[test]
fn r1_targets_in_kinds_are_edges() {
    #[rustfmt::skip]
    let rows = [
        (r#"{"type": "condition", "branches": [{"target": "b"}, {"target": "x"}]}"#,         "/branches/1/target",         "there is no node `x`"),
        (r#"{"type": "parallel", "branches": ["b", "x"]}"#,                                  "/branches/1",                "there is no node `x`"),
        (r#"{"type": "join", "wait_for": ["x"]}"#,                                           "/wait_for/0",                "there is no node `x`"),
        (r#"{"type": "join", "wait_for": ["end"]}"#,                                         "/wait_for/0",                "nothing can follow \"end\""),
        (r#"{"type": "join", "wait_for": ["b"]}"#,                                           "/wait_for/0",                "the nodes go round in a cycle: a -> b -> a"),
        (r#"{"type": "human_approval", "description": "?", "fallback_node": "x"}"#,          "/fallback_node",             "there is no node `x`"),
        (r#"{"type": "human_approval", "description": "?", "fallback_node": "a"}"#,          "/fallback_node",             "the nodes go round in a cycle: a -> a"),
        (r#"{"type": "policy", "policy_ref": "p", "on_violation": {"branch": {"target": "x"}}}"#, "/on_violation/branch/target", "there is no node `x`"),
        (r#"{"type": "a2a_task", "remote_agent": "r", "skill": "s", "on_input_required": "x"}"#,  "/on_input_required",     "there is no node `x`"),
    ];
    for (kind, place, message) in rows {
        check(
            &of_kind(kind),
            &[(&format!("/nodes/a/kind{place}"), message)],
        );
    }
}

#[test]
fn r1_finalizers_are_not_chosen() {
    #[rustfmt::skip]
    let rows = [
        (r#"{"type": "condition", "branches": [{"target": "f"}]}"#,                          "/branches/0/target"),
        (r#"{"type": "human_approval", "description": "?", "fallback_node": "f"}"#,          "/fallback_node"),
        (r#"{"type": "policy", "policy_ref": "p", "on_violation": {"branch": {"target": "f"}}}"#, "/on_violation/branch/target"),
    ];
    for (kind, place) in rows {
        let nodes = format!(r#""a": {{"kind": {kind}}}, "f": {FINALIZER}"#);
        let message = "`f` is a finalizer and runs at the end, so it cannot be chosen";
        check(
            &workflow(&nodes, &["a f"], ""),
            &[(&format!("/nodes/a/kind{place}"), message)],
        );
    }
}

const NUL: &str = "no program can be given a text with the character U+0000 in it";

#[test]
fn r1_kinds() {
    #[rustfmt::skip]
    let rows = [
        (r#"{}"#,                                                    "",                "the field `type` is missing"),
        (r#"{"type": "comand"}"#,                                    "/type",           "unknown kind `comand`"),
        (r#"{"type": "map", "body": {"type": "tool", "tool_ref": "t"}}"#, "",          "the field `over` is missing"),
        (r#"{"type": "map", "over": "state.a"}"#,                    "",                "the field `body` is missing"),
        (r#"{"type": "map", "over": "item", "body": {"type": "tool", "tool_ref": "t"}}"#, "/over", "`item` does not parse: unknown word `item`; it can be read only in the body of a map, and in the compensation of one (column 1)"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "subgraph"}}"#, "/body", "it says of no workflow that it is the child's"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "wait", "condition": "timer"}}"#, "/body/type", "`wait` cannot be the body of a map"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "command", "argv": ["a", "${last}"]}}"#, "/body/argv/1", "`${last}` does not parse: unknown word `last`; it can be read only by a `subgraph` with `repeat` (column 3)"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "tool", "tool_ref": "t"}, "tolerate": {"percent": 101}}"#, "/tolerate/percent", "`percent` cannot be 101"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "tool", "tool_ref": "t"}, "tolerate": {}}"#, "/tolerate", "it says either how many may fail, or how many of a hundred"),
        (r#"{"type": "map", "over": "state.a", "body": {"type": "tool", "tool_ref": "t"}, "max_items": 0}"#, "/max_items", "with a `max_items` of 0 nothing would ever run"),
        (r#"{"type": "terminate"}"#,                                 "",                "the field `status` is missing"),
        (r#"{"type": "task", "n": 1}"#,                              "",                "the field `queue` is missing"),
        (r#"{"type": "task", "queue": ""}"#,                         "/queue",          "an id may not be empty"),
        (r#"{"type": "task", "queue": null}"#,                       "/queue",          "expected a text, found null"),
        (r#"{"type": "task", "queue": "q", "queu": 1}"#,             "/queu",           "unknown field `queu`"),
        (r#"{"type": "command"}"#,                                   "",                "the field `argv` is missing"),
        (r#"{"type": "command", "argv": []}"#,                       "/argv",           "`argv` may not be empty"),
        (r#"{"type": "command", "argv": "ls"}"#,                     "/argv",           "expected a list, found a text"),
        (r#"{"type": "command", "argv": ["ls", 1]}"#,                "/argv/1",         "expected a text, found a number"),
        (r#"{"type": "command", "argv": ["ls"], "env": {"A": 1}}"#,  "/env/A",          "expected a text, found a number"),
        (r#"{"type": "command", "argv": ["ls"], "cwd": ""}"#,        "/cwd",            "`cwd` may not be empty"),
        (r#"{"type": "command", "argv": ["ls"], "output": "lines"}"#, "/output",        "`lines` is no `output`"),
        (r#"{"type": "http"}"#,                                      "",                "the field `url` is missing"),
        (r#"{"type": "command", "argv": [""]}"#,                     "/argv/0",         "the program's name is empty"),
        (r#"{"type": "command", "argv": ["ls", "a\u0000b"]}"#,       "/argv/1",         NUL),
        (r#"{"type": "command", "argv": ["ls"], "cwd": "\u0000"}"#,  "/cwd",            NUL),
        (r#"{"type": "command", "argv": ["ls"], "env": {"A": "\u0000"}}"#, "/env/A",    NUL),
        (r#"{"type": "command", "argv": ["ls"], "env": {"A=": "b"}}"#, "/env/A=",        "no variable can have this name"),
        (r#"{"type": "http", "url": "http://h", "method": "FETCH"}"#, "/method",         "`FETCH` is no `method`"),
        (r#"{"type": "http", "url": "ftp://h/"}"#,                   "/url",            "the request's URL is neither of `http` nor of `https`"),
        (r#"{"type": "http", "url": "localhost:80"}"#,               "/url",            "the request's URL is neither of `http` nor of `https`"),
        (r#"{"type": "http", "url": "http://u:p@:80/"}"#,            "/url",            "the request's URL names no host"),
        (r#"{"type": "http", "url": "http://h/a b"}"#,               "/url",            "no URL can hold the character U+0020"),
        (r#"{"type": "http", "url": "http://h", "headers": {"A B": "c"}}"#, "/headers/A B", "no header can have this name"),
        (r#"{"type": "http", "url": "http://h", "headers": {"A": "b\r\nC: d"}}"#, "/headers/A", "no header can hold control characters"),
        (r#"{"type": "http", "url": "http://h", "follow_redirects": true}"#, "/follow_redirects", "expected a text, found true or false"),
        (r#"{"type": "http", "url": "http://h", "follow_redirects": "always"}"#, "/follow_redirects", "`always` is no `follow_redirects`"),
        (r#"{"type": "tool", "tool_ref": 1}"#,                       "/tool_ref",       "expected a text, found a number"),
        (r#"{"type": "tool", "tool_ref": "t", "tool-ref": "u"}"#,    "/tool-ref",       "unknown field `tool-ref`"),
        (r#"{"type": "tool", "tool_ref": "t", "input_mapping": {"q": "question"}}"#, "/input_mapping/q",
            "`question` does not parse: unknown word `question`; a path begins with state, input, node_id or errors, and a text stands in quotes: \"question\" (column 1)"),
        (r#"{"type": "condition", "branches": [{"condition": "state.x ==", "target": "b"}]}"#, "/branches/0/condition",
            "`state.x ==` does not parse: expected a path such as state.name, a literal, a list or (…), found the end (column 11)"),
        (r#"{"type": "join", "merge_strategy": "last"}"#,            "/merge_strategy", "this is no merge strategy"),
        (r#"{"type": "wait", "condition": "timer"}"#,                "",                "a wait for `timer` needs `timeout_secs`"),
        (r#"{"type": "wait", "condition": "external_event"}"#,       "",                "a wait for `external_event` needs `correlation_key`"),
        (r#"{"type": "wait", "condition": "either", "correlation_key": "k"}"#, "",      "a wait for `either` needs `timeout_secs`"),
        (r#"{"type": "wait", "condition": "either", "timeout_secs": 1}"#, "",           "a wait for `either` needs `correlation_key`"),
        (r#"{"type": "wait", "condition": "timer", "timeout_secs": -1}"#, "/timeout_secs", "expected a whole number, not negative, found a negative number"),
        (r#"{"type": "wait", "condition": "never"}"#,                "/condition",      "`never` is no `condition`"),
        (r#"{"type": "human_approval"}"#,                            "",                "the field `description` is missing"),
        (r#"{"type": "human_approval", "description": "?", "timeout_secs": 0}"#, "/timeout_secs", "nobody can answer within 0 seconds"),
        (r#"{"type": "policy", "policy_ref": "p"}"#,                 "",                "the field `on_violation` is missing"),
        (r#"{"type": "policy", "policy_ref": "p", "on_violation": {"branch": "b"}}"#, "/on_violation", "this is nothing that can be done on a violation"),
        (r#"{"type": "finalizer", "tool_ref": "t", "run_on": "never"}"#, "/run_on",     "`never` is no `run_on`"),
    ];
    for (kind, place, message) in rows {
        check(
            &of_kind(kind),
            &[(&format!("/nodes/a/kind{place}"), message)],
        );
    }
}

#[test]
fn r1_settings() {
    #[rustfmt::skip]
    let rows = [
        (r#""limits": {"max_concurrent_nodes": 0}"#,                   "/limits/max_concurrent_nodes", "`max_concurrent_nodes` cannot be 0"),
        (r#""limits": {"max_dispatch_per_tic": 1}"#,                   "/limits/max_dispatch_per_tic", "unknown field `max_dispatch_per_tic`"),
        (r#""limits": {"max_dispatch_per_tick": 4294967296}"#,         "/limits/max_dispatch_per_tick", "`max_dispatch_per_tick` cannot be 4294967296"),
        (r#""timeouts": {"node_timeout": "5s"}"#,                      "/timeouts/node_timeout", "expected a whole number of seconds (or {\"secs\", \"nanos\"}), found a text"),
        (r#""timeouts": {"workflow_timeout_secs": 2}"#,                "/timeouts/workflow_timeout_secs", "unknown field `workflow_timeout_secs`"),
        (r#""timeouts": {"workflow_timeout": 0}"#,                     "/timeouts/workflow_timeout", "0 seconds would be over at once"),
        (r#""retryPolicies": {}"#,                                     "/retryPolicies", "unknown field `retryPolicies`"),
        (r#""retry_policies": {"p": {}}"#,                             "/retry_policies/p", "the field `max_attempts` is missing"),
        (r#""retry_policies": {"p": {"max_attempts": 0}}"#,            "/retry_policies/p/max_attempts", "`max_attempts` cannot be 0"),
        (r#""retry_policies": {"p": {"max_attempts": 1001}}"#,         "/retry_policies/p/max_attempts", "`max_attempts` cannot be 1001"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "backoff": "often"}}"#, "/retry_policies/p/backoff", "`often` is no `backoff`"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "max_delay": 9}}"#, "/retry_policies/p/max_delay", "`max_delay` without `backoff` has no effect"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "backoff": "linear", "initial_delay": 1}}"#, "/retry_policies/p", "the field `max_delay` is missing"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "on_exhausted": "wait"}}"#, "/retry_policies/p/on_exhausted", "`wait` is no `on_exhausted`"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "retryable_on": [{"custom": 1}]}}"#, "/retry_policies/p/retryable_on/0", "expected a text, found a number"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "retryable_on": ["Some error"]}}"#, "/retry_policies/p/retryable_on/0", "`Some error` is no class of errors"),
        (r#""retry_policies": {"p": {"max_attempts": 2, "retryable_on": [{"custom": ""}]}}"#, "/retry_policies/p/retryable_on/0", "`` is no class of errors"),
        (r#""compensate": {}"#,                                        "/compensate", "unknown field `compensate`"),
    ];
    for (more, pointer, message) in rows {
        let found = faults(&workflow(&plain("a"), &[], &format!(", {more}")));
        assert!(
            found.contains(&(pointer.into(), message.into())),
            "{more}: {found:?}"
        );
    }
    let node = |more: &str| {
        workflow(
            &format!(r#""a": {{"kind": {{"type": "eval", "scorers": []}}, {more}}}"#),
            &[],
            "",
        )
    };
    check(
        &node(r#""retry_policy": "io_defualt""#),
        &[("/nodes/a/retry_policy", "unknown retry policy `io_defualt`")],
    );
    check(
        &node(r#""node_timeout_secs": 1.5"#),
        &[(
            "/nodes/a/node_timeout_secs",
            "expected a whole number of seconds (or {\"secs\", \"nanos\"}), found a number",
        )],
    );
    check(
        &node(r#""node_timeout_sec": 1"#),
        &[(
            "/nodes/a/node_timeout_sec",
            "unknown field `node_timeout_sec`",
        )],
    );
}

/// No field is ignored in silence, wherever it stands.
#[test]
fn r1_fields_that_nobody_reads() {
    let node = |kind: &str, more: &str| format!(r#""a": {{"kind": {{{kind}}}{more}}}"#);
    let command = |more: &str| node(r#""type": "command", "argv": ["true"]"#, more);
    #[rustfmt::skip]
    let rows = [
        (command(r#", "retries": 9"#),      "", "/nodes/a/retries",      "did you mean `retry_policy`? If not, leave it out"),
        (command(r#", "timeout_secs": 1"#), "", "/nodes/a/timeout_secs", "did you mean `node_timeout_secs`? If not, leave it out"),
        (command(r#", "x_internal": 1"#),   "", "/nodes/a/x_internal",
            "use one of `id`, `kind`, `retry_policy`, `node_timeout_secs`, `queue`, `priority`, `lease_secs`, `run_on`, `compensate`, `description`, `labels`, `policy`, `data_policy`, or leave it out"),
        (command(""), r#", "on_error": "x""#,   "/on_error",             "use one of"),
        (command(""), r#", "edges": [{"from": "a", "to": "end", "when": "state.x"}]"#, "/edges/0/when",
            "did you mean `condition`? If not, leave it out"),
        (node(r#""type": "command", "argv": ["true"], "shell": true"#, ""), "", "/nodes/a/kind/shell",
            "use one of `argv`, `cwd`, `env`, `output`, `type`, `input_mapping`, or leave it out"),
        (node(r#""type": "http", "url": "http://h", "timeout": 1"#, ""), "", "/nodes/a/kind/timeout", "did you mean `node_timeout_secs`? It belongs to the node itself, beside its `kind`"),
        (node(r#""type": "parallel", "branches": [], "input_mapping": {"x": "state.y"}"#, ""), "", "/nodes/a/kind/input_mapping", "use one of"),
        (node(r#""type": "join", "wait_for": [], "merge_strategy": "first", "min": 2"#, ""), "", "/nodes/a/kind/min", "use one of"),
        (node(r#""type": "condition", "branches": [{"target": "end", "else": true}]"#, ""), "", "/nodes/a/kind/branches/0/else",
            "use one of `condition`, `target`, or leave it out"),
        (node(r#""type": "condition", "branches": [{"target": "end"}], "default": "end""#, ""), "", "/nodes/a/kind/default", "use one of"),
    ];
    for (nodes, more, pointer, remedy) in rows {
        let text = if more.contains("edges") {
            workflow(&nodes, &[], more).replacen(r#", "edges": []"#, "", 1)
        } else {
            workflow(&nodes, &[], more)
        };
        let Err(found) = parse(&text) else {
            panic!("no fault is found in {text}")
        };
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].pointer, pointer, "{text}");
        assert!(found[0].message.starts_with("unknown field"), "{found:?}");
        assert!(found[0].remedy.starts_with(remedy), "{found:?}");
    }
    let own = node(r#""type": "tool", "tool_ref": "t", "temperature": 0.5"#, "");
    assert!(parse(&workflow(&own, &[], "")).is_ok(), "a worker sees it");
}

/// No span is so long that its end could not be written down.
#[test]
fn r1_spans() {
    const TOO_LONG: &str = "3153600001";
    let kind = |kind: &str| format!(r#""a": {{"kind": {kind}}}"#);
    let text = |nodes: String, more: &str| workflow(&nodes, &[], more);
    #[rustfmt::skip]
    let rows = [
        (text(kind(r#"{"type": "wait", "condition": "timer", "timeout_secs": SPAN}"#), ""),            "/nodes/a/kind/timeout_secs"),
        (text(kind(r#"{"type": "human_approval", "description": "?", "timeout_secs": SPAN}"#), ""),    "/nodes/a/kind/timeout_secs"),
        (text(r#""a": {"kind": {"type": "tool", "tool_ref": "t"}, "node_timeout_secs": SPAN}"#.into(), ""), "/nodes/a/node_timeout_secs"),
        (text(plain("a"), r#", "timeouts": {"node_timeout": SPAN}"#),                                  "/timeouts/node_timeout"),
        (text(plain("a"), r#", "timeouts": {"workflow_timeout": {"secs": SPAN, "nanos": 0}}"#),        "/timeouts/workflow_timeout"),
        (text(plain("a"), r#", "timeouts": {"approval_timeout": SPAN}"#),                              "/timeouts/approval_timeout"),
        (text(plain("a"), r#", "retry_policies": {"p": {"max_attempts": 2, "backoff": "fixed", "initial_delay": SPAN}}"#),
            "/retry_policies/p/initial_delay"),
        (text(plain("a"), r#", "retry_policies": {"p": {"max_attempts": 2, "backoff": "linear", "initial_delay": 1, "max_delay": SPAN}}"#),
            "/retry_policies/p/max_delay"),
    ];
    for (text, pointer) in rows {
        for span in [TOO_LONG, "18446744073709551615"] {
            let found = faults(&text.replace("SPAN", span));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].0, pointer, "{text}");
            assert!(found[0].1.ends_with("a hundred years"), "{found:?}");
        }
        let longest = text.replace("SPAN", "3153600000");
        assert!(parse(&longest).is_ok(), "{longest}");
    }
}

#[test]
fn r1_limits() {
    let too_long = " ".repeat(WORKFLOW_BYTES_MAX + 1);
    assert_eq!(
        faults(&too_long)[0].1,
        "the workflow is 16777217 bytes long, 16777216 are allowed"
    );

    let ids: Vec<String> = (0..=NODES_MAX).map(|n| format!("n{n}")).collect();
    let all = faults(&workflow(&plain(&ids.join(" ")), &[], ""));
    assert_eq!(
        all[0],
        (
            "/nodes".into(),
            "the workflow has 20001 nodes, 20000 are allowed".into()
        )
    );

    let edges = ["a b"; EDGES_MAX + 1];
    check(
        &workflow(&plain("a b"), &edges, ""),
        &[(
            "/edges",
            "the workflow has 100001 edges, 100000 are allowed",
        )],
    );

    let long = "x".repeat(300);
    let all = faults(&workflow(
        &plain(&format!("a {long}")),
        &[&format!("a {long}")],
        "",
    ));
    assert!(
        all[0].1.ends_with("is 300 bytes long, 256 are allowed"),
        "{all:?}"
    );
    let all = faults(&workflow(
        r#""a\u0007": {"kind": {"type": "limit_exceeded"}}"#,
        &[],
        "",
    ));
    assert_eq!(all[0].1, "an id may not hold control characters");
}
