//! The children of a world: what was asked for, and what became of it.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use crate::contract::{ChildName, ChildOrder, Event, EventKind};
use crate::digest::digest_of_text;

/// A child that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The order.
    pub order: ChildOrder,
    /// Its id, once it was started.
    pub id: Option<String>,
    /// Whether its parent waits for it.
    pub is_open: bool,
}

/// The last child of each node and instance.
pub(super) type Children = BTreeMap<String, Child>;

/// The id of a child, which its name alone decides.
pub(super) fn child_id(name: &ChildName) -> String {
    let name = format!("{}#{}#{}", name.node_id, name.attempt, name.iteration);
    format!("exec_{}", &digest_of_text(&name)[..32])
}

/// Do what follows from a fact that was taken.
pub(super) fn note_fact(children: &mut Children, fact: &EventKind) {
    let (node_id, id) = match fact {
        EventKind::ChildStarted(it) => (&it.node_id, Some(&it.child_id)),
        EventKind::ChildRefused(it) => (&it.node_id, None),
        EventKind::ChildEnded(it) => (&it.node_id, None),
        _ => return,
    };
    if let Some(child) = children.get_mut(node_id) {
        match id {
            Some(id) => child.id = Some(id.clone()),
            None => child.is_open = false,
        }
    }
}

/// Start a child, as one of these decisions asks for it.
pub(super) fn start(
    children: &mut Children,
    order: &ChildOrder,
    decisions: &[Event],
) -> Result<(), String> {
    let is_asked = decisions.iter().any(|event| {
        matches!(&event.kind, EventKind::ChildRequested(it)
            if (&it.node_id, it.attempt, it.iteration)
                == (&order.name.node_id, order.name.attempt, order.name.iteration)
                && it.workflow == order.workflow)
    });
    if !is_asked {
        return Err(format!("no decision of this call asks for {order:?}"));
    }
    let child = Child {
        order: order.clone(),
        id: None,
        is_open: true,
    };
    children.insert(order.name.node_id.to_owned(), child);
    Ok(())
}

/// A child is not waited for any more.
pub(super) fn cancel(children: &mut Children, name: &ChildName) -> Result<(), String> {
    match children.get_mut(&name.node_id) {
        Some(child) if child.is_open && child.order.name == *name => {
            child.is_open = false;
            Ok(())
        }
        _ => Err(format!("there is no child {name:?} to cancel")),
    }
}
