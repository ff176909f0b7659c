//! Rule R1 on edges that handle failures, joins, endings, budgets and waits (rules R19, R24,
//! R26 and R28).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{FINALIZER, PLAIN, of_kind, parse, plain, plan, workflow};
use crate::decimal::Decimal;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Budgets, EdgeRule, Join, Kind, On, Plan, Timer};

/// Each fault's pointer and message, in one text.
fn faults(text: &str) -> Vec<String> {
    let Err(faults) = parse(text) else {
        panic!("no fault is found in {text}")
    };
    let told = faults.iter().map(|fault| {
        assert!(!fault.remedy.is_empty(), "{fault:?}");
        format!("{}: {}", fault.pointer, fault.message)
    });
    told.collect()
}

/// A workflow of these nodes, `a` first, and of these edges as JSON.
fn with_edges(nodes: &str, edges: &str) -> String {
    let text = workflow(nodes, &[], "");
    text.replace(r#""edges": []"#, &format!(r#""edges": [{edges}]"#))
}

fn edges_of(plan: &Plan) -> Vec<String> {
    let edges = plan.edges.iter().map(|edge| {
        let id = |ix: crate::workflow::plan::NodeIx| plan.nodes[ix.0 as usize].id.as_str();
        let arrow = match &edge.rule {
            EdgeRule::Chosen => "~>",
            EdgeRule::Ordinary(_) => "->",
        };
        let condition = match &edge.rule {
            EdgeRule::Ordinary(Some(condition)) => format!(" if {}", condition.text()),
            _ => String::new(),
        };
        let (from, to) = (id(edge.from), id(edge.to));
        format!("{from}{arrow}{to} {:?}{condition}", edge.on)
    });
    edges.collect()
}

#[test]
fn r26_edges_that_cannot_handle_a_failure_are_refused() {
    let ask = r#", "retry_policies": {"ask": {"max_attempts": 1, "on_exhausted": "pause"}}"#;
    let pausing = r#""a": {"kind": {"type": "tool", "tool_ref": "t"}, "retry_policy": "ask"}"#;
    let b = format!(r#""b": {PLAIN}"#);
    let rows = [
        (
            with_edges(&plain("a b"), r#"{"from": "a", "to": "b", "on": "error"}"#),
            "/edges/0/on: `error` is no `on`",
        ),
        (
            with_edges(&plain("a b"), r#"{"from": "a", "to": "b", "on": 1}"#),
            "/edges/0/on: expected a text, found a number",
        ),
        (
            with_edges(
                &plain("a b"),
                r#"{"from": "a", "to": "b", "condition": "error.class == \"x\""}"#,
            ),
            "/edges/0/condition: `error.class == \"x\"` does not parse: unknown word `error`; it can be read only by the condition of an edge with `on`: \"failure\" or \"always\" (column 1)",
        ),
        (
            with_edges(
                &format!(r#""a": {{"kind": {{"type": "parallel"}}}}, {b}"#),
                r#"{"from": "a", "to": "b", "on": "always"}"#,
            ),
            "/edges/0/on: `a` is settled by the scheduler and never fails, so there is no failure to handle",
        ),
        (
            with_edges(
                &format!(r#"{}, "f": {FINALIZER}"#, plain("a")),
                r#"{"from": "a", "to": "f", "on": "failure"}"#,
            ),
            "/edges/0/on: `f` is a finalizer and runs at the end, whatever leads to it: it handles no failure",
        ),
        (
            with_edges(
                &plain("a b"),
                r#"{"from": "a", "to": "b"}, {"from": "b", "to": "a", "on": "failure"}"#,
            ),
            "/edges/1: the nodes go round in a cycle: a -> b -> a",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(faults(&text), [expected], "{text}");
    }
    let text = with_edges(
        &format!("{pausing}, {b}"),
        r#"{"from": "a", "to": "b", "on": "failure"}, {"from": "a", "to": "end", "on": "always"}"#,
    );
    let text = text.replace(r#""edges""#, &format!("{}, \"edges\"", &ask[2..]));
    assert_eq!(
        faults(&text),
        [
            "/nodes/a/retry_policy: the policy of `a` asks for a person when its attempts are spent (`on_exhausted`: \"pause\"), so it never fails for good"
        ],
        "told once"
    );
    // What is not attempted fails whatever its policy says.
    let asks = text.replace(
        r#""type": "tool", "tool_ref": "t""#,
        r#""type": "human_approval", "description": "?""#,
    );
    assert_eq!(
        plan(&asks).ignored,
        ["/nodes/a/retry_policy", "/retry_policies/ask"]
    );
}

#[test]
fn r26_what_is_one_edge_and_what_is_not() {
    let nodes = format!(
        r#""a": {{"kind": {{"type": "human_approval", "description": "?", "fallback_node": "b"}}}}, {}, "j": {{"kind": {{"type": "join", "wait_for": ["b", "c"]}}}}"#,
        plain("b c")
    );
    let plan = plan(&with_edges(
        &nodes,
        r#"{"from": "a", "to": "b"}, {"from": "a", "to": "b", "on": "always", "condition": "error.attempts > 0"},
           {"from": "a", "to": "c"}, {"from": "a", "to": "c", "on": "success"}, {"from": "a", "to": "c", "on": "failure"},
           {"from": "a", "to": "c", "on": "failure"}, {"from": "b", "to": "j", "on": "always"},
           {"from": "c", "to": "end", "on": "failure"}, {"from": "c", "to": "end"}"#,
    ));
    assert_eq!(
        edges_of(&plan),
        [
            "a~>b Success",
            "a->b Failure if error.attempts > 0",
            "a->c Success",
            "a->c Failure",
            "b->j Always",
            "c->j Success",
        ]
    );
    let ends: Vec<(bool, usize)> = plan
        .nodes
        .iter()
        .map(|node| (node.leads_to_end, node.failure_ends.len()))
        .collect();
    assert_eq!(ends, [(false, 0), (false, 0), (true, 1), (false, 0)]);
    assert!(On::Always.judges_success() && On::Always.judges_failure());
}

#[test]
fn r24_joins() {
    let joined = |kind: &str| {
        let nodes = format!(r#"{}, "j": {{"kind": {kind}}}"#, plain("a b c"));
        workflow(&nodes, &["a b", "a c", "b j", "c j"], "")
    };
    let join = |kind: &str| {
        let plan = plan(&joined(kind));
        let ix = plan.find("j").expect("a node");
        match plan.nodes[ix.0 as usize].kind {
            Kind::Join(join) => join,
            ref other => panic!("{other:?}"),
        }
    };
    #[rustfmt::skip]
    let rows = [
        (r#"{"type": "join", "merge_strategy": {"count": 2}}"#,                       Join::Count { edges: 2, cancel_rest: false }),
        (r#"{"type": "join", "merge_strategy": {"count": 1}, "cancel_rest": true}"#,  Join::Count { edges: 1, cancel_rest: true }),
        (r#"{"type": "join", "merge_strategy": "first", "cancel_rest": true}"#,       Join::First { cancel_rest: true }),
        (r#"{"type": "join", "cancel_rest": false}"#,                                 Join::Collect),
    ];
    for (kind, expected) in rows {
        assert_eq!(join(kind), expected, "{kind}");
    }
    const NO_EFFECT: &str = "/nodes/j/kind/cancel_rest: `cancel_rest` has an effect with \"first\" and {\"count\": n} alone: other joins need each edge";
    #[rustfmt::skip]
    let rows = [
        (r#"{"type": "join", "merge_strategy": {"count": 3}}"#,    "/nodes/j/kind/merge_strategy: `j` waits for 3 live edges, and 2 lead to it"),
        (r#"{"type": "join", "merge_strategy": {"count": 0}}"#,    "/nodes/j/kind/merge_strategy/count: a join that waits for no edge would be ready before anything has happened"),
        (r#"{"type": "join", "merge_strategy": {"count": "2"}}"#,  "/nodes/j/kind/merge_strategy/count: expected a whole number from 0 to 4294967295, found a text"),
        (r#"{"type": "join", "merge_strategy": "some"}"#,          "/nodes/j/kind/merge_strategy: this is no merge strategy"),
        (r#"{"type": "join", "merge_strategy": {"count": 1, "custom": {"function_ref": "f"}}}"#, "/nodes/j/kind/merge_strategy: this is no merge strategy"),
        (r#"{"type": "join", "cancel_rest": true}"#,               NO_EFFECT),
        (r#"{"type": "join", "cancel_rest": true, "merge_strategy": {"custom": {"function_ref": "f"}}}"#, NO_EFFECT),
    ];
    for (kind, expected) in rows {
        assert_eq!(faults(&joined(kind)), [expected], "{kind}");
    }
}

#[test]
fn r24_nothing_follows_a_terminate() {
    let ends = r#"{"type": "terminate", "status": "failed", "reason": "no stock"}"#;
    let nodes = format!(r#"{}, "t": {{"kind": {ends}}}"#, plain("a b"));
    let planned = plan(&workflow(&nodes, &["a b", "a t"], ""));
    let ix = planned.find("t").expect("a node");
    assert!(
        matches!(&planned.nodes[ix.0 as usize].kind, Kind::Terminate(it) if it.fails && it.reason.as_deref() == Some("no stock"))
    );
    let message = "`t` ends the execution: nothing follows it";
    for to in ["b", "end"] {
        let edges = format!("t {to}");
        let text = workflow(&nodes, &["a t", "a b", &edges], "");
        assert_eq!(faults(&text), [format!("/edges/2: {message}")]);
    }
    let waits = format!(r#"{nodes}, "j": {{"kind": {{"type": "join", "wait_for": ["t"]}}}}"#);
    assert_eq!(
        faults(&workflow(&waits, &["a t", "a b"], "")),
        [format!("/nodes/j/kind/wait_for/0: {message}")]
    );
    assert_eq!(
        faults(&workflow(
            r#""a": {"kind": {"type": "terminate", "status": "ended"}}"#,
            &[],
            ""
        )),
        ["/nodes/a/kind/status: `ended` is no `status`"]
    );
}

#[test]
fn r28_budgets() {
    let budgets = |more: &str| {
        let text = workflow(&plain("a"), &[], &format!(", {more}"));
        parse(&text).map(|plan| (plan.budgets, plan.ignored))
    };
    let cost = |text| Decimal::parse(text);
    #[rustfmt::skip]
    let rows = [
        (r#""token_budget": 10"#, Budgets { total_tokens: Some(10), ..Budgets::default() }),
        (r#""token_budget": {"input_tokens": 1, "output_tokens": 2, "total_tokens": null}, "on_budget_exceeded": "fail""#,
            Budgets { input_tokens: Some(1), output_tokens: Some(2), ..Budgets::default() }),
        (r#""cost_budget_usd": 0.50, "on_budget_exceeded": "pause""#,
            Budgets { cost_usd: cost("0.5"), pauses: true, ..Budgets::default() }),
        (r#""cost_budget_usd": 0"#, Budgets { cost_usd: cost("0"), ..Budgets::default() }),
    ];
    for (more, expected) in rows {
        let (budgets, ignored) = budgets(more).expect(more);
        assert_eq!((budgets, ignored), (Some(expected), Vec::new()), "{more}");
    }
    let (none, ignored) = budgets(
        r#""token_budget": null, "cost_budget_usd": null, "on_budget_exceeded": "escalate""#,
    )
    .expect("there is no budget");
    assert_eq!(
        (none, &*ignored),
        (None, &["/on_budget_exceeded".to_string()][..])
    );
    #[rustfmt::skip]
    let rows = [
        (r#""token_budget": -1"#, "/token_budget: expected a whole number, not negative, found a negative number"),
        (r#""token_budget": {"tokens": 1}"#, "/token_budget/tokens: unknown field `tokens`"),
        (r#""cost_budget_usd": "1""#, "/cost_budget_usd: a budget of money is a number of US dollars, not negative, and of no more than some hundred digits"),
        (r#""cost_budget_usd": -0.5"#, "/cost_budget_usd: a budget of money is a number of US dollars, not negative, and of no more than some hundred digits"),
        (r#""token_budget": 1, "on_budget_exceeded": "warn""#, "/on_budget_exceeded: `warn` is nothing that can be done about a budget"),
    ];
    for (more, expected) in rows {
        let text = workflow(&plain("a"), &[], &format!(", {more}"));
        assert_eq!(faults(&text), [expected], "{more}");
    }
}

#[test]
fn r19_waits() {
    let wait = |fields: &str| {
        let plan = plan(&of_kind(&format!(r#"{{"type": "wait", {fields}}}"#)));
        let keys: Vec<String> = plan.transient_keys.iter().cloned().collect();
        match &plan.nodes[0].kind {
            Kind::Wait(wait) => (format!("{:?}", wait.timer), wait.takes_kept, keys.join(" ")),
            other => panic!("{other:?}"),
        }
    };
    let none = String::new;
    #[rustfmt::skip]
    let rows = [
        (r#""condition": "timer", "until": "1970-01-01T00:00:01Z""#, (format!("{:?}", Some(Timer::At(Timestamp(1000)))), true, none())),
        (r#""condition": "timer", "timeout_secs": 1"#,               (format!("{:?}", Some(Timer::After(Millis(1000)))), true, none())),
        (r#""condition": "external_event", "correlation_key": "k", "keep": false"#, ("None".to_string(), false, "k".to_string())),
        (r#""condition": "external_event", "correlation_key": "k", "keep": true"#,  ("None".to_string(), true, none())),
    ];
    for (fields, expected) in rows {
        assert_eq!(wait(fields), expected, "{fields}");
    }
    #[rustfmt::skip]
    let rows = [
        (r#""condition": "timer", "until": "tomorrow""#, "/until: `tomorrow` is no time: it is not of the form YYYY-MM-DDThh:mm:ssZ"),
        (r#""condition": "timer", "until": "2200-01-01T00:00:00Z""#, "/until: `2200-01-01T00:00:00Z` is too far ahead: no wait ends after 2126-01-01T00:00:00Z"),
        (r#""condition": "timer", "until": "2030-01-01T00:00:00Z", "timeout_secs": 1"#, "/until: a wait ends after `timeout_secs`, or at `until`: it cannot have both"),
        (r#""condition": "timer", "timeout_secs": 1, "correlation_key": "k""#, "/correlation_key: `correlation_key` has no effect: this waits for a time alone"),
        (r#""condition": "timer", "timeout_secs": 1, "keep": false"#, "/keep: `keep` has no effect: this waits for no event"),
        (r#""condition": "timer""#, ": a wait for `timer` needs `timeout_secs`"),
    ];
    for (fields, expected) in rows {
        let text = of_kind(&format!(r#"{{"type": "wait", {fields}}}"#));
        assert_eq!(faults(&text), [format!("/nodes/a/kind{expected}")]);
    }
}

/// A key is transient only if none of its waits takes what came before.
#[test]
fn r19_one_wait_that_keeps_is_enough() {
    let wait = |keep: bool| {
        format!(
            r#"{{"kind": {{"type": "wait", "condition": "external_event", "correlation_key": "k", "keep": {keep}}}}}"#
        )
    };
    for (keeps, expected) in [(true, 0), (false, 1)] {
        let nodes = format!(r#""a": {}, "b": {}"#, wait(false), wait(keeps));
        let plan = plan(&workflow(&nodes, &["a b"], ""));
        assert_eq!(plan.transient_keys.len(), expected);
    }
}
