//! A kind as written: what it does, and where it leads.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::common::TargetSource;
use super::subgraph::BODY;
use crate::condition::Expression;
use crate::time::Millis;
use crate::workflow::plan::{Body, Kind, PlanText, Subgraph, Work};

/// A kind as written.
pub(in crate::workflow) struct KindSource<'a> {
    pub(in crate::workflow) does: Does<'a>,
    /// The nodes that it names: edges that nobody need write a second time.
    pub(in crate::workflow) targets: Vec<TargetSource<'a>>,
}

/// What it does.
pub(in crate::workflow) enum Does<'a> {
    /// This, whatever other nodes there are.
    Plainly(Kind),
    /// Takes its first true branch.
    Condition(Vec<BranchSource<'a>>),
    /// Waits for a person.
    HumanApproval {
        description: PlanText,
        timeout: Option<Millis>,
        fallback: Option<Cow<'a, str>>,
    },
}

/// A branch as written.
pub(in crate::workflow) struct BranchSource<'a> {
    pub(in crate::workflow) condition: Option<Expression>,
    pub(in crate::workflow) target: Cow<'a, str>,
}

impl KindSource<'_> {
    pub(in crate::workflow) fn is_finalizer(&self) -> bool {
        matches!(
            &self.does,
            Does::Plainly(Kind::Work(Work {
                finalizer: Some(_),
                ..
            }))
        )
    }

    pub(in crate::workflow) fn is_map(&self) -> bool {
        matches!(&self.does, Does::Plainly(Kind::Map(_)))
    }

    /// Whether it, or each instance of it, starts a child.
    pub(in crate::workflow) fn starts_children(&self) -> bool {
        match &self.does {
            Does::Plainly(Kind::Subgraph(_)) => true,
            Does::Plainly(Kind::Map(map)) => matches!(map.body, Body::Child(_)),
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => false,
        }
    }

    /// Whether a worker does it, or a child, and so in attempts.
    pub(in crate::workflow) fn is_attempted(&self) -> bool {
        let is_work = matches!(&self.does, Does::Plainly(Kind::Work(_)));
        is_work || self.is_map() || self.starts_children()
    }

    /// Whether it waits for a time, an event or a person.
    pub(in crate::workflow) fn waits(&self) -> bool {
        matches!(
            &self.does,
            Does::Plainly(Kind::Wait(_)) | Does::HumanApproval { .. }
        )
    }

    /// The child, if it, or each instance of it, starts one whose workflow is written in
    /// place; and where that stands in the kind.
    pub(in crate::workflow) fn in_place_mut(
        &mut self,
    ) -> Option<(&mut Subgraph, &'static [&'static str])> {
        let (subgraph, path): (_, &[&str]) = match &mut self.does {
            Does::Plainly(Kind::Subgraph(subgraph)) => (&mut **subgraph, &[BODY]),
            Does::Plainly(Kind::Map(map)) => match &mut map.body {
                Body::Work(_) => return None,
                Body::Child(subgraph) => (subgraph, &[BODY, BODY]),
            },
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => return None,
        };
        subgraph.workflow.is_none().then_some((subgraph, path))
    }

    /// The work, if this is a node for a worker; of a map, that of each instance.
    pub(in crate::workflow) fn work_mut(&mut self) -> Option<&mut Work> {
        match &mut self.does {
            Does::Plainly(Kind::Work(work)) => Some(work),
            Does::Plainly(Kind::Map(map)) => match &mut map.body {
                Body::Work(work) => Some(work),
                Body::Child(_) => None,
            },
            Does::Plainly(_) | Does::Condition(_) | Does::HumanApproval { .. } => None,
        }
    }
}
