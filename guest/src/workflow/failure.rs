//! Edges that handle a failure: whether they can (rules R1 and R26); and those to
//! finalizers, which decide nothing (rule R16).

use alloc::format;

use super::fault::{Faults, Place, quoted};
use super::kind::Does;
use super::plan::Kind;
use super::source::{NodeSource, POLICY};

/// Report an edge with `on`: `"failure"` or `"always"` that would never handle anything.
/// `to` is `None` for `"end"`.
pub(super) fn check(
    nodes: &[NodeSource<'_>],
    from: usize,
    to: Option<usize>,
    edge: &Place<'_>,
    faults: &Faults,
) {
    let source = &nodes[from];
    if !can_fail(source) {
        let message = format!(
            "{} is settled by the scheduler and never fails, so there is no failure to handle",
            quoted(&source.id)
        );
        faults.report(&edge.key("on"), message, "leave out `on`");
    }
    let finalizer = to.filter(|to| nodes[*to].is_finalizer());
    if let Some(to) = finalizer {
        let message = format!(
            "{} is a finalizer and runs at the end, whatever leads to it: it handles no failure",
            quoted(&nodes[to].id)
        );
        let remedy = "let the edge lead to \"end\", or to a node that is no finalizer";
        faults.report(&edge.key("on"), message, remedy);
    }
}

/// Report a condition on an edge that leads to a finalizer: nobody would ask for it
/// (rule R16).
pub(super) fn check_condition(
    nodes: &[NodeSource<'_>],
    to: Option<usize>,
    edge: &Place<'_>,
    faults: &Faults,
) {
    let Some(to) = to.filter(|to| nodes[*to].is_finalizer()) else {
        return;
    };
    let message = format!(
        "{} is a finalizer and runs at the end, whatever leads to it: a condition decides nothing there",
        quoted(&nodes[to].id)
    );
    let remedy = "leave out the edge, and say by `run_on` on which endings it runs; what is to depend on a condition is a node that is no finalizer";
    faults.report(&edge.key("condition"), message, remedy);
}

/// Report that a node whose failure is handled has a policy that never lets it fail.
pub(super) fn check_policy(source: &NodeSource<'_>, faults: &Faults) {
    // What is not attempted fails whatever its policy says.
    if source.is_attempted() && source.retry.pause_when_exhausted {
        let message = format!(
            "the policy of {} asks for a person when its attempts are spent (`on_exhausted`: \"pause\"), so it never fails for good",
            quoted(&source.id)
        );
        let remedy = "name a policy that fails, or remove the edges that handle its failure";
        let nodes = Place::Top.key("nodes");
        faults.report(&nodes.key(&source.id).key(POLICY), message, remedy);
    }
}

/// Whether a node of this kind can fail for good.
fn can_fail(node: &NodeSource<'_>) -> bool {
    match node.kind.as_ref().map(|kind| &kind.does) {
        Some(
            Does::Condition(_) | Does::Plainly(Kind::Parallel | Kind::Join(_) | Kind::Terminate(_)),
        ) => false,
        Some(Does::Plainly(_) | Does::HumanApproval { .. }) | None => true,
    }
}
