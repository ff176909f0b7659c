//! Workflows: whatever the text, all its faults have a place and a remedy, or
//! it is a plan in which everything is resolved, and which whitespace and the
//! order of keys do not change.

use refrain_guest::workflow::parse;
use refrain_guest::workflow::plan::{EdgeIx, Kind, NodeIx, Plan};

/// Check one text.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let plan = match parse(text) {
        Ok(plan) => plan,
        Err(faults) => {
            assert!(!faults.is_empty(), "refused, and nobody knows why");
            for fault in faults {
                let rooted = fault.pointer.is_empty() || fault.pointer.starts_with('/');
                assert!(rooted, "{:?} is no JSON pointer", fault.pointer);
                assert!(
                    !fault.message.is_empty() && !fault.remedy.is_empty(),
                    "{fault:?}"
                );
            }
            return;
        }
    };
    is_resolved(&plan);
    // Sorted keys and no whitespace. Texts whose numbers serde_json cannot keep
    // are left out.
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return;
    };
    let other = parse(&value.to_string()).unwrap_or_else(|faults| panic!("{faults:?}: {value}"));
    assert_eq!(outline(&other), outline(&plan), "{value}");
    // A workflow without a version is known by its text (rule R1).
    if value
        .get("version")
        .is_some_and(|version| !version.is_null())
    {
        assert_eq!(other.version, plan.version, "{value}");
    }
}

/// Every index leads somewhere, both ways, and the order is that of rule R2.
fn is_resolved(plan: &Plan) {
    let key = |ix: usize| (plan.nodes[ix].rank, plan.nodes[ix].id.as_bytes());
    for ix in 1..plan.nodes.len() {
        assert!(
            key(ix - 1) < key(ix),
            "nodes {} and {ix} are not in order",
            ix - 1
        );
    }
    assert_eq!(plan.nodes[plan.start.0 as usize].rank, 0);
    let mut edges = 0;
    for (ix, node) in plan.nodes.iter().enumerate() {
        let ix = NodeIx(ix as u32);
        assert_eq!(plan.find(&node.id), Some(ix));
        assert!(node.retry.max_attempts > 0);
        for edge in node.outgoing.clone() {
            edges += 1;
            assert_eq!(plan.edges[edge as usize].from, ix);
        }
        for EdgeIx(edge) in &node.incoming {
            assert_eq!(plan.edges[*edge as usize].to, ix);
        }
    }
    assert_eq!(edges, plan.edges.len());
    for edge in &plan.edges {
        let rank = |ix: NodeIx| plan.nodes[ix.0 as usize].rank;
        assert!(rank(edge.from) < rank(edge.to), "{edge:?} leads back");
    }
}

/// What a kind is. Where its texts hold expressions, its plan has the user's own JSON too.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Work(work) => format!(
            "{} {:?} {} {:?} {:?}",
            work.queue,
            work.priority,
            work.template.is_some(),
            work.input_mapping,
            work.finalizer
        ),
        other => format!("{other:?}"),
    }
}

/// What a plan is, apart from the user's own JSON.
fn outline(plan: &Plan) -> String {
    let nodes: Vec<_> = plan
        .nodes
        .iter()
        .map(|it| {
            (
                &it.id,
                it.rank,
                kind(&it.kind),
                &it.retry,
                it.timeout,
                &it.incoming,
            )
        })
        .collect();
    format!(
        "{} {nodes:?} {:?} {:?} {:?} {:?} {:?}",
        plan.workflow_id,
        plan.edges,
        plan.start,
        plan.workflow_timeout,
        plan.max_concurrent_nodes,
        plan.max_dispatch_per_tick
    )
}
