//! The parents that an audit has met, each read and replayed once for all its children; and
//! the comparison of a child with its parent, from either side (law 11).

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::asked_guest::Stop;
use super::child_log::ChildLog;
use super::family::{Asked, Family};
use super::guests::{Guests, Reuse};
use super::integrity::{self, Finding};
use super::link::OriginLog;
use super::missing::Missing;
use super::parent_link::{self, Contradiction};
use super::source::Recording;
use super::verdict::{AuditError, Link, LinkState, Verdict};
use super::walk::Walk;
use crate::id::ExecutionId;
use crate::model::ParentOrigin;
use crate::store::{Head, Reader, StoreError};

/// The parents that are known.
#[derive(Default)]
pub(super) struct Families {
    known: HashMap<ExecutionId, Parent>,
}

/// A parent, as it was when it was read.
#[derive(Clone)]
struct Parent {
    log: Weak<Recording>,
    head: Head,
    is_erased: bool,
    /// `None` if its log is not whole in itself.
    family: Option<Arc<Family>>,
    /// Whether a guest was asked that had played other logs.
    is_reused: bool,
}

impl Parent {
    fn new(log: &Arc<Recording>, family: Option<Arc<Family>>, is_reused: bool) -> Self {
        Self {
            log: Arc::downgrade(log),
            head: log.head,
            is_erased: log.is_erased(),
            family,
            is_reused,
        }
    }

    /// Whether that is known of this log: it is the same one, or both are whole and have the
    /// same last event. That a log claims this head says nothing of what stands in it.
    fn is_of(&self, log: &Arc<Recording>) -> bool {
        if self.log.as_ptr() == Arc::as_ptr(log) {
            return true;
        }
        let is_same = (self.head, self.is_erased) == (log.head, log.is_erased());
        is_same && self.family.is_some() && integrity::check(log).is_ok()
    }
}

/// A log as a parent.
#[derive(Default)]
pub(super) struct OwnFamily {
    /// What it says of its children. `None` if it begins with no start.
    pub(super) family: Option<Arc<Family>>,
    /// What is missing of their logs.
    pub(super) missing: Vec<Missing>,
}

/// The guests that are asked for what they order.
pub(super) struct Asker<'b, 'a> {
    pub(super) guests: &'b mut Guests<'a>,
    /// The guest to ask instead of those that the logs name.
    pub(super) other: Option<&'b String>,
}

impl Asker<'_, '_> {
    /// What the guest of a log orders for its children. A log that it does not decide again
    /// has none. Says also whether a guest took part that had played others.
    fn asked(
        &mut self,
        recording: &Arc<Recording>,
        reuse: Reuse,
    ) -> Result<(Asked, bool), AuditError> {
        if recording.is_erased() {
            return Ok((Asked::Unknown, false));
        }
        let (other, log) = (self.other.cloned(), Arc::clone(recording));
        let stopped = |stop| match stop {
            Stop::Found(_) => Ok(Asked::Diverges),
            Stop::Failed(AuditError::Store(error)) => Err(AuditError::Store(error)),
            // A guest that is not at hand.
            Stop::Failed(_) => Ok(Asked::Unknown),
        };
        let mut walk = match Walk::start(self.guests, other, log, reuse) {
            Ok(walk) => walk,
            Err(stop) => return Ok((stopped(stop)?, false)),
        };
        let walked = walk.replay_events();
        let (inputs, is_reused) = (walk.take_inputs(), walk.is_reused());
        match walked {
            Ok(_) => {
                walk.over();
                Ok((Asked::Agrees(inputs), is_reused))
            }
            Err(_) if is_reused => self.asked(recording, Reuse::Forbidden),
            Err(stop) => Ok((stopped(stop)?, is_reused)),
        }
    }
}

impl Families {
    /// Whether this child can be compared with what is known of its parent: the store need
    /// not be asked for the parent's log again.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn suffice(
        &self,
        store: &mut dyn Reader,
        parent: ExecutionId,
        child: &ChildLog,
    ) -> Result<bool, StoreError> {
        let Some(known) = self.known.get(&parent) else {
            return Ok(false);
        };
        let agrees = |family: &Arc<Family>| matches!(parent_link::compare(family, child), Ok(None));
        if known.family.as_ref().is_some_and(agrees) {
            return Ok(true);
        }
        let stored = super::child_log::of_one(store.execution(parent))?.flatten();
        let is_same = stored.is_none_or(|stored| stored.head == known.head);
        Ok(is_same && !known.is_reused)
    }

    /// A log of which it is known what its guest orders. `None` if it begins with no start.
    pub(super) fn keep(
        &mut self,
        recording: &Arc<Recording>,
        asked: Asked,
        is_reused: bool,
    ) -> Option<Arc<Family>> {
        let family = Family::of(recording, asked).map(Arc::new);
        let known = Parent::new(recording, family.clone(), is_reused);
        self.known.insert(recording.execution_id, known);
        family
    }

    /// What is known of a parent whose log is at hand.
    fn of(
        &mut self,
        asker: &mut Asker<'_, '_>,
        parent: &Arc<Recording>,
        reuse: Reuse,
    ) -> Result<Parent, AuditError> {
        let id = parent.execution_id;
        if let Some(known) = self.known.get(&id)
            && known.is_of(parent)
            && !(known.is_reused && reuse == Reuse::Forbidden)
        {
            return Ok(known.clone());
        }
        if integrity::check(parent).is_err() {
            let known = Parent::new(parent, None, false);
            self.known.insert(id, known.clone());
            return Ok(known);
        }
        let (asked, is_reused) = asker.asked(parent, reuse)?;
        let family = self.keep(parent, asked, is_reused);
        Ok(Parent::new(parent, family, is_reused))
    }

    /// Compares a child, which is whole in itself, with its parent. Answers what is missing of
    /// one of them.
    ///
    /// # Errors
    /// The parent's guest cannot be asked.
    pub(super) fn check_child(
        &mut self,
        asker: &mut Asker<'_, '_>,
        recording: &Recording,
        named: &ParentOrigin,
        origin: &OriginLog,
    ) -> Result<(Link, Result<Option<Missing>, Finding>), AuditError> {
        let link = |link| Link {
            execution_id: named.execution_id.clone(),
            sequence: named.sequence,
            link,
        };
        let known = match origin {
            OriginLog::Unreadable => return Ok((link(LinkState::OriginUnsound), Ok(None))),
            OriginLog::Log(parent) => Some(self.of(asker, parent, Reuse::Allowed)?),
            OriginLog::Missing => {
                let id = named.execution_id.parse().ok();
                id.and_then(|id: ExecutionId| self.known.get(&id).cloned())
            }
        };
        let Some(known) = known else {
            return Ok((link(LinkState::OriginMissing), Ok(None)));
        };
        let (Some(mut family), Some(child)) = (known.family, ChildLog::of(recording)) else {
            return Ok((link(LinkState::OriginUnsound), Ok(None)));
        };
        let mut compared = parent_link::compare(&family, &child);
        if compared.is_err()
            && known.is_reused
            && let OriginLog::Log(parent) = origin
            && let Some(fresh) = self.of(asker, parent, Reuse::Forbidden)?.family
        {
            compared = parent_link::compare(&fresh, &child);
            family = fresh;
        }
        let state = match (&compared, &family.asked) {
            (Err(_), _) => LinkState::Broken,
            (Ok(_), Asked::Diverges) => LinkState::OriginUnsound,
            (Ok(Some(_)), _) => LinkState::Cut,
            (Ok(None), Asked::Agrees(_)) if !child.is_erased => LinkState::Linked,
            (Ok(None), _) => LinkState::PartlyCompared,
        };
        let compared = compared.map_err(|found| {
            let verdict = asker.verdict(&found);
            (verdict, found.of_child().into())
        });
        Ok((link(state), compared))
    }

    /// Compares a log, which its guest decides again, with those of its children that are at
    /// hand. Answers what it says of them, and what is missing of theirs.
    ///
    /// # Errors
    /// Its guest cannot be asked.
    pub(super) fn check_children<'c>(
        &mut self,
        asker: &mut Asker<'_, '_>,
        recording: &Arc<Recording>,
        (asked, is_reused): (Asked, bool),
        log: impl Fn(ExecutionId) -> Option<&'c ChildLog>,
    ) -> Result<Result<OwnFamily, Finding>, AuditError> {
        let compare = |family: &Family| {
            let mut children: Vec<_> = family.children.iter().collect();
            children.sort_by_key(|(_, told)| told.requested.0);
            let logs = children.into_iter().filter_map(|(child, _)| log(*child));
            let compared = logs.map(|child| parent_link::compare(family, child));
            let missing = compared.filter_map(Result::transpose);
            missing.collect::<Result<Vec<Missing>, Contradiction>>()
        };
        let Some(mut family) = self.keep(recording, asked, is_reused) else {
            return Ok(Ok(OwnFamily::default()));
        };
        let mut compared = compare(&family);
        if compared.is_err() && is_reused {
            let (asked, _) = asker.asked(recording, Reuse::Forbidden)?;
            family = self.keep(recording, asked, false).unwrap_or(family);
            compared = compare(&family);
        }
        Ok(match compared {
            Ok(missing) => Ok(OwnFamily {
                family: Some(family),
                missing,
            }),
            Err(found) => Err((asker.verdict(&found), found.of_parent().into())),
        })
    }
}

impl Asker<'_, '_> {
    /// Another guest that orders something else does not show that anything was changed.
    fn verdict(&self, found: &Contradiction) -> Verdict {
        match found.is_of_guest && self.other.is_some() {
            true => Verdict::Divergent,
            false => Verdict::Tampered,
        }
    }
}
