//! What undoes a node: the field `compensate` (rule R27).

use alloc::borrow::Cow;

use super::fields::Fields;
use super::kind::inner::{self, Place};
use super::kind::{Does, KindSource, SUBGRAPH};
use super::plan::{Body, Compensation, Gives, Kind, Subgraph, Work};
use super::typed::Object;
use crate::condition::Roots;
use crate::time::Millis;

/// The field of a node that says it.
pub(super) const COMPENSATE: &str = "compensate";

/// Why nothing of a node of this kind is ever undone, if that is so.
fn why_never_undone(kind: &KindSource<'_>) -> Option<&'static str> {
    const NOBODY: &str = "no worker and no child completes this node";
    const DETACHED: &str = "nobody waits for a detached child, so it completes nothing here";
    let of_child = |child: &Subgraph| (child.gives == Gives::Detached).then_some(DETACHED);
    match &kind.does {
        Does::Plainly(Kind::Work(Work {
            finalizer: Some(_), ..
        })) => Some("a finalizer runs when the compensations are over"),
        Does::Plainly(Kind::Work(_)) => None,
        Does::Plainly(Kind::Subgraph(child)) => of_child(child),
        Does::Plainly(Kind::Map(map)) => match &map.body {
            Body::Work(_) => None,
            Body::Child(child) => of_child(child),
        },
        Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => Some(NOBODY),
    }
}

/// Read what undoes a node of this kind. None if nothing does, or after a fault.
///
/// `timeout` is how long an attempt may take. Its work items are as urgent as the node's, and on the node's queue, where it names one
/// and the compensation does not.
pub(super) fn read(
    node: &Fields<'_, '_>,
    kind: Option<&KindSource<'_>>,
    timeout: Option<Millis>,
) -> Option<Compensation> {
    let Object(json) = node.get(COMPENSATE)?;
    let kind = kind?;
    if let Some(why) = why_never_undone(kind) {
        let message = alloc::format!("`{COMPENSATE}` has no effect: {why}");
        node.fault(COMPENSATE, message, "leave it out");
        return None;
    }
    let place = node.place.key(COMPENSATE);
    let fields = Fields::read(&place, json, node.faults)?;
    let place = Place {
        what: "a compensation",
        no_target: (
            "a compensation leads nowhere: it cannot choose a target",
            "leave it out",
        ),
        at: "/compensate",
        roots: match kind.is_map() {
            true => Roots::OF_UNDONE_INSTANCES,
            false => Roots::OF_COMPENSATIONS,
        },
    };
    let form = inner::form(&fields, &place, |name| name != SUBGRAPH)?;
    let mut work = inner::work(&fields, form, &place)?;
    if matches!(work.queue, Cow::Borrowed(_))
        && let Some(queue) = node.get::<Cow<'_, str>>("queue")
    {
        work.queue = Cow::Owned(queue.into_owned());
    }
    work.priority = node.get("priority");
    Some(Compensation {
        work,
        json: inner::verbatim(json),
        timeout,
    })
}
