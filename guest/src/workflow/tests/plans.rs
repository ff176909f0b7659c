//! What a valid workflow becomes (rules R2, R5, R6, R7, R12, R14).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::kind::queues;
use super::super::plan::{
    Backoff, Edge, EdgeRule, Growth, Join, Kind, Plan, PlanText, RunOn, Target, Timer,
};
use super::{FINALIZER, PLAIN, of_kind, plain, plan, workflow};
use crate::limits::IGNORED_NAMED_MAX;
use crate::time::Millis;

#[test]
fn r2_order_is_rank_then_id() {
    let edges = ["a c", "c b", "b d", "a d", "a é", "a z", "d end", "c f"];
    let nodes = format!(
        r#"{}, "f": {FINALIZER}, "g": {FINALIZER}"#,
        plain("é z d c b a")
    );
    let plan = plan(&workflow(&nodes, &[&edges[..], &["g f"]].concat(), ""));
    let order: Vec<(&str, u32)> = plan
        .nodes
        .iter()
        .map(|node| (&*node.id, node.rank))
        .collect();
    assert_eq!(
        order,
        [
            ("a", 0),
            ("g", 0),
            ("c", 1),
            ("f", 1),
            ("z", 1),
            ("é", 1),
            ("b", 2),
            ("d", 3)
        ]
    );
    assert_eq!(
        edges_of(&plan),
        ["a->c", "a->z", "a->é", "a->d", "g->f", "c->b", "b->d"]
    );
    assert_eq!(plan.find("d").map(|ix| ix.0), Some(7));
    assert_eq!(plan.find("end"), None);
    for (ix, node) in (0..).zip(&plan.nodes) {
        assert!(
            plan.edges[node.outgoing.start as usize..node.outgoing.end as usize]
                .iter()
                .all(|edge| edge.from.0 == ix)
        );
        assert!(
            node.incoming
                .iter()
                .all(|edge| plan.edges[edge.0 as usize].to.0 == ix)
        );
    }
}

/// Each edge; `~>` is a chosen one.
fn edges_of(plan: &Plan) -> Vec<String> {
    let edge = |edge: &Edge| {
        let (from, to) = (
            &plan.nodes[edge.from.0 as usize].id,
            &plan.nodes[edge.to.0 as usize].id,
        );
        match &edge.rule {
            EdgeRule::Chosen => format!("{from}~>{to}"),
            EdgeRule::Ordinary(None) => format!("{from}->{to}"),
            EdgeRule::Ordinary(Some(condition)) => format!("{from}->{to} if {}", condition.text()),
        }
    };
    plan.edges.iter().map(edge).collect()
}

#[test]
fn r7_one_edge_is_one_edge() {
    let approval = r#"{"type": "human_approval", "description": "?", "fallback_node": "b"}"#;
    let branches = r#"{"type": "condition", "branches": [{"condition": "state.x", "target": "b"}, {"target": "end"}]}"#;
    #[rustfmt::skip]
    let rows: [(&str, &[&str], &[&str]); 8] = [
        (r#"{"type": "tool", "tool_ref": "t"}"#, &["a b", "a b", "a b if state.x", "a b if state.y", "a b if state.x"],
                                                                  &["a->b", "a->b if state.x", "a->b if state.y"]),
        (r#"{"type": "parallel", "branches": ["b", "b"]}"#, &[],  &["a->b"]),
        (r#"{"type": "parallel", "branches": ["b"]}"#, &["a b if state.x"], &["a->b if state.x"]),
        (approval, &[],                                           &["a~>b"]),
        (approval, &["a b", "a c"],                               &["a~>b", "a->c"]),
        (branches, &["a b if state.x", "a c", "a end"],           &["a~>b", "a~>c"]),
        (r#"{"type": "condition", "branches": []}"#, &["a b if state.x"], &["a->b if state.x"]),
        (r#"{"type": "policy", "policy_ref": "p", "on_violation": {"branch": {"target": "b"}}}"#, &["a c"], &["a~>b", "a->c"]),
    ];
    for (kind, edges, expected) in rows {
        let mut nodes = format!(r#""a": {{"kind": {kind}}}, "b": {PLAIN}, "f": {FINALIZER}"#);
        if edges.contains(&"a c") {
            nodes += &format!(r#", "c": {PLAIN}"#);
        }
        assert_eq!(
            edges_of(&plan(&workflow(&nodes, edges, ""))),
            expected,
            "{kind} {edges:?}"
        );
    }
    let joined = format!(
        r#"{}, "j": {{"kind": {{"type": "join", "wait_for": ["a", "b"]}}}}"#,
        plain("a b")
    );
    assert_eq!(
        edges_of(&plan(&workflow(&joined, &["a b"], ""))),
        ["a->b", "a->j", "b->j"]
    );
}

#[test]
fn r5_queues() {
    #[rustfmt::skip]
    let expected = [
        ("command", "command"), ("http", "http"), ("model", "model"), ("tool", "tool"), ("python_fn", "python_tool"),
        ("java_fn", "java_tool"), ("memory_retrieval", "retrieval"), ("finalizer", "tool"), ("mcp_tool", "tool"),
        ("a2a_task", "tool"),
    ];
    for (kind, queue) in queues() {
        let wanted = expected
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or("general", |(_, queue)| *queue);
        assert_eq!(queue, wanted, "{kind}");
    }
    assert_eq!(queues().count(), 26);
}

#[test]
fn r6_kinds_as_planned() {
    let kind = |json: &str| {
        let plan = plan(&of_kind(json));
        let at = plan.find("a").unwrap().0 as usize;
        assert_eq!(plan.nodes[at].kind_json.get(), json);
        let b = plan.find("b").unwrap();
        (plan.nodes.into_iter().nth(at).unwrap().kind, b)
    };
    assert!(matches!(kind(r#"{"type": "parallel"}"#).0, Kind::Parallel));
    assert!(matches!(
        kind(r#"{"type": "join", "merge_strategy": "first"}"#).0,
        Kind::Join(Join::First { cancel_rest: false })
    ));
    assert!(matches!(
        kind(r#"{"type": "join"}"#).0,
        Kind::Join(Join::Collect)
    ));
    let (custom, _) =
        kind(r#"{"type": "join", "merge_strategy": {"custom": {"function_ref": "f"}}}"#);
    assert!(matches!(custom, Kind::Work(work) if work.queue == "general"));
    let (Kind::Condition(branches), b) = kind(
        r#"{"type": "condition", "branches": [{"condition": "state.x", "target": "end"}, {"target": "b"}]}"#,
    ) else {
        panic!("a condition with branches")
    };
    assert_eq!(
        (branches[0].target, branches[1].target),
        (Target::End, Target::Node(b))
    );
    assert!(branches[0].condition.is_some() && branches[1].condition.is_none());
    assert!(
        matches!(kind(r#"{"type": "condition", "branches": []}"#).0, Kind::Work(work) if work.queue == "general")
    );
    let (Kind::Wait(wait), _) = kind(
        r#"{"type": "wait", "condition": "external_event", "correlation_key": "k", "timeout_secs": 7}"#,
    ) else {
        panic!("a wait")
    };
    assert_eq!(
        (
            matches!(wait.timer, Some(Timer::After(Millis(7000)))),
            wait.correlation_key.as_ref().and_then(PlanText::literal),
            wait.timer_completes
        ),
        (true, Some("k"), false)
    );
    let (Kind::HumanApproval(approval), _) =
        kind(r#"{"type": "human_approval", "description": "ok?", "fallback_node": "end"}"#)
    else {
        panic!("an approval")
    };
    assert_eq!(
        (
            approval.description.literal(),
            approval.timeout,
            approval.fallback
        ),
        (Some("ok?"), None, Some(Target::End))
    );
    let (Kind::Work(work), _) = kind(
        r#"{"type": "tool", "tool_ref": "t", "input_mapping": {"b": "input", "a": "state.x.0"}}"#,
    ) else {
        panic!("work")
    };
    let mapping = work.input_mapping.unwrap();
    assert_eq!(
        mapping
            .iter()
            .map(|(name, at)| (&**name, at.text()))
            .collect::<Vec<_>>(),
        [("a", "state.x.0"), ("b", "input")]
    );
    assert!(
        matches!(kind(r#"{"type": "tool", "tool_ref": "t", "input_mapping": {}}"#).0, Kind::Work(work) if work.input_mapping.is_none())
    );
}

#[test]
fn r12_r14_policies_and_timeouts() {
    let text = workflow(
        r#""a": {"kind": {"type": "task", "queue": "q"}, "retry_policy": "own", "node_timeout_secs": 9},
           "b": {"kind": {"type": "tool", "tool_ref": "t"}, "retry_policy": "io_default"},
           "c": {"kind": {"type": "tool", "tool_ref": "t"}, "retry_policy": "no_retry"},
           "d": {"kind": {"type": "tool", "tool_ref": "t"}},
           "e": {"kind": {"type": "limit_exceeded"}, "description": "too much", "retry_policy": "llm_default"},
           "f": {"kind": {"type": "finalizer", "tool_ref": "t", "run_on": "failure"}, "retry_policy": null},
           "g": {"kind": {"type": "human_approval", "description": "?"}, "node_timeout_secs": null}"#,
        &["a b", "b c", "c d", "d e", "e g"],
        r#", "timeouts": {"node_timeout": 300, "workflow_timeout": {"secs": 1, "nanos": 500000001}, "heartbeat_interval": 30, "approval_timeout": 60},
            "limits": {"max_concurrent_nodes": 4, "max_dispatch_per_tick": 2},
            "retry_policies": {"no_retry": {"max_attempts": 2},
                "own": {"max_attempts": 7, "backoff": "fixed", "initial_delay": 2, "jitter": false, "retryable_on": ["timeout", {"custom": "x"}], "on_exhausted": "pause"}}"#,
    );
    let plan = plan(&text);
    let node = |id: &str| &plan.nodes[plan.find(id).unwrap().0 as usize];
    assert_eq!(plan.workflow_timeout, Some(Millis(1501)));
    assert_eq!(
        (plan.max_concurrent_nodes, plan.max_dispatch_per_tick),
        (Some(4), Some(2))
    );
    assert_eq!(
        (node("a").timeout, node("b").timeout),
        (Some(Millis(9000)), Some(Millis(300_000)))
    );
    assert!(
        matches!(&node("g").kind, Kind::HumanApproval(approval) if approval.timeout == Some(Millis(60_000)))
    );
    let own = &node("a").retry;
    assert_eq!(
        (
            own.max_attempts,
            own.pause_when_exhausted,
            own.retryable_on.join(" ")
        ),
        (7, true, "timeout x".to_string())
    );
    let fixed = Backoff {
        growth: Growth::Fixed,
        initial: Millis(2000),
        max: Millis(2000),
        jitter: false,
    };
    assert_eq!(own.backoff, Some(fixed));
    let exponential = |initial, max| {
        Some(Backoff {
            growth: Growth::Exponential,
            initial: Millis(initial),
            max: Millis(max),
            jitter: true,
        })
    };
    let policy = |id: &str| (node(id).retry.max_attempts, node(id).retry.backoff.clone());
    assert_eq!(policy("b"), (5, exponential(1000, 30_000)));
    assert_eq!(
        policy("c"),
        (2, None),
        "the workflow's own policy overrides a built-in one"
    );
    assert_eq!(policy("d"), (3, None));
    assert_eq!(policy("e"), (3, exponential(2000, 60_000)));
    assert!(
        matches!(&node("e").kind, Kind::LimitExceeded { description: Some(text) } if text == "too much")
    );
    assert!(matches!(&node("f").kind, Kind::Work(work) if work.finalizer == Some(RunOn::Failure)));
}

/// JamJet writes all its fields, and has some that concern no scheduler.
#[test]
fn jamjets_form_is_accepted_as_it_is() {
    let text = r#"{
        "workflow_id": "claims", "version": "0.1.0", "name": "Claims", "description": null, "state_schema": "schemas.State",
        "start_node": "ask", "retry_policies": {}, "models": {"m": {"provider": "p", "model": "x", "timeout_secs": null}},
        "tools": {}, "mcp_servers": {}, "remote_agents": {}, "labels": {"team": "a"}, "policy": {"blocked_tools": []},
        "timeouts": {"node_timeout": 300, "workflow_timeout": null, "heartbeat_interval": 30, "approval_timeout": null},
        "token_budget": {"total_tokens": 10}, "cost_budget_usd": 0.5, "continue_as_new": false,
        "nodes": {
            "ask": {"id": "ask", "kind": {"type": "model", "model_ref": "m", "prompt_ref": "p", "output_schema": "", "system_prompt": null, "tools": []},
                    "retry_policy": null, "node_timeout_secs": null, "description": null, "labels": {}},
            "pick": {"id": "pick", "kind": {"type": "condition", "branches": [{"condition": "state.ok == true", "target": "work"}, {"condition": null, "target": "end"}]},
                     "retry_policy": null, "node_timeout_secs": null, "description": null, "labels": {}},
            "work": {"id": "work", "kind": {"type": "coordinator", "task": "t", "required_skills": [], "preferred_skills": [], "trust_domain": null,
                     "budget": null, "tiebreaker": null, "strategy": "default", "weights": {"cost_fit": 0.2}, "input_mapping": {}, "output_key": "r"},
                     "retry_policy": "llm_default", "node_timeout_secs": 5, "description": "d", "labels": {}}
        },
        "edges": [
            {"from": "ask", "to": "pick", "condition": null},
            {"from": "pick", "to": "work", "condition": "state.ok == true"},
            {"from": "pick", "to": "end", "condition": null},
            {"from": "work", "to": "end", "condition": null}
        ]
    }"#;
    let plan = plan(text);
    assert_eq!(edges_of(&plan), ["ask->pick", "pick~>work"]);
    assert_eq!(
        plan.ignored,
        [
            "/models",
            "/policy",
            "/state_schema",
            "/timeouts/heartbeat_interval"
        ],
        "what says something and changes nothing is named"
    );
    assert!(plan.unreachable.is_empty());
}

/// Only what is attempted uses a policy; on other nodes it is named as ignored.
#[test]
fn r12_a_policy_without_effect_is_noted() {
    let policy = r#""retry_policy": "mine""#;
    let ask = format!(r#"{{"kind": {{"type": "human_approval", "description": "?"}}, {policy}}}"#);
    let work = format!(r#"{{"kind": {{"type": "tool", "tool_ref": "t"}}, {policy}}}"#);
    let body = |kind: &str| {
        let inner = format!(
            r#"{{"start_node": "ask", "nodes": {{"ask": {ask}}}, "retry_policies": {{"mine": {{"max_attempts": 2}}}}}}"#
        );
        format!(r#"{{"kind": {}, {policy}}}"#, kind.replace("BODY", &inner))
    };
    let sub = body(r#"{"type": "subgraph", "body": BODY}"#);
    let map =
        body(r#"{"type": "map", "over": "state.l", "body": {"type": "subgraph", "body": BODY}}"#);
    let nodes = format!(r#""a": {ask}, "work": {work}, "sub": {sub}, "map": {map}"#);
    let edges = ["a work", "work sub", "sub map"];
    let policies =
        r#", "retry_policies": {"mine": {"max_attempts": 2}, "other": {"max_attempts": 9}}"#;
    let ignored = plan(&workflow(&nodes, &edges, policies)).ignored;
    assert_eq!(
        ignored,
        [
            "/nodes/*/kind/body/body/retry_policies/mine",
            "/nodes/*/kind/body/retry_policies/mine",
            "/nodes/a/retry_policy",
            "/nodes/map/kind/body/body/nodes/ask/retry_policy",
            "/nodes/sub/kind/body/nodes/ask/retry_policy",
            "/retry_policies/other",
        ]
    );
}

#[test]
fn r12_of_many_policies_without_effect_some_are_named() {
    let ask = r#"{"kind": {"type": "human_approval", "description": "?"}, "retry_policy": "mine"}"#;
    let ids: Vec<String> = (0..=IGNORED_NAMED_MAX)
        .map(|id| format!("n{id:02}"))
        .collect();
    let each =
        |text: &dyn Fn(&String) -> String| ids.iter().map(text).collect::<Vec<_>>().join(", ");
    let nodes = each(&|id| format!(r#""{id}": {ask}"#));
    let policies = each(&|id| format!(r#""{id}": {{"max_attempts": 2}}"#));
    let edges: Vec<String> = ids.iter().map(|id| format!("a {id}")).collect();
    let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
    let nodes = format!(r#"{}, {nodes}"#, plain("a"));
    let policies = format!(r#", "retry_policies": {{"mine": {{"max_attempts": 2}}, {policies}}}"#);
    let ignored = plan(&workflow(&nodes, &edges, &policies)).ignored;
    let named = ignored
        .iter()
        .filter(|it| it.starts_with("/nodes/n"))
        .count();
    assert_eq!(named, IGNORED_NAMED_MAX);
    assert_eq!(ignored.len(), IGNORED_NAMED_MAX + 2, "{ignored:?}");
    assert!(ignored.contains(&"/nodes/*/retry_policy".to_owned()));
    assert!(ignored.contains(&"/retry_policies/*".to_owned()));
}

/// What JamJet's compiler of strategies writes: a condition with an expression
/// beside its branches, and a node for limits that nothing may lead to.
#[test]
fn r1_a_limit_that_nothing_leads_to_is_no_mistake() {
    let guard = r#"{"kind": {"type": "condition", "expression": "state.over == true",
        "branches": [{"condition": "state.over", "target": "limit"}, {"condition": null, "target": "b"}]}}"#;
    let limit =
        r#"{"kind": {"type": "limit_exceeded", "description": "too much"}, "description": null}"#;
    let nodes = format!(r#""a": {guard}, "b": {PLAIN}, "limit": {limit}, "unused": {limit}"#);
    let plan = plan(&workflow(
        &nodes,
        &["a b", "limit end", "unused end"],
        r#", "strategy_metadata": {"strategy_name": "critic"}"#,
    ));
    assert_eq!(plan.unreachable, ["unused"]);
    assert_eq!(
        plan.ignored,
        ["/nodes/*/kind/expression", "/strategy_metadata"]
    );
    let unused = plan.find("unused").expect("it is a node");
    let Kind::LimitExceeded { description } = &plan.nodes[unused.0 as usize].kind else {
        panic!("it is a limit")
    };
    assert_eq!(description.as_deref(), Some("too much"));
}

/// Ten thousand nodes and thirty thousand edges plan quickly, and linearly.
#[test]
fn large_graphs_plan_quickly() {
    let nodes: Vec<String> = (0..10_000).map(|n| format!("n{n:05}")).collect();
    let mut edges = Vec::new();
    for n in 1..10_000_usize {
        for back in [1, 7, 100] {
            edges.push(format!(
                "{} {} if state.k{n} == {back}",
                nodes[n.saturating_sub(back)],
                nodes[n]
            ));
        }
    }
    let edges: Vec<&str> = edges.iter().map(|edge| &**edge).collect();
    let text = workflow(&plain(&nodes.join(" ")), &edges, "")
        .replace(r#""start_node": "a""#, r#""start_node": "n00000""#);
    let plan = plan(&text);
    assert_eq!((plan.nodes.len(), plan.edges.len()), (10_000, 29_997));
    assert_eq!(plan.nodes[9_999].rank, 9_999);
}
