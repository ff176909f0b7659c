//! The guests of an audit: instances that go from one log to the next.
//!
//! An instance that has played a log to its end, and forgotten it, plays the next
//! one, because what a guest keeps is only a cache. Should a guest keep more than
//! that, a log in which it finds no fault is still what it decides; and a fault is
//! believed only if a fresh instance finds it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::player::Player;
use super::ports::ReplayPorts;
use super::source::Recording;
use super::verdict::AuditError;
use crate::guest::{Footprint, Instance, Library, LibraryError};
use crate::limits::GUESTS_FULL_MAX;
use crate::log::export::Component;
use crate::model::EventKind;
use crate::order_rules::{OrderRules, RulesCache};
use crate::store::{Reader, StoreError};

/// A library, and the instances of its guests that are idle.
pub(super) struct Guests<'a> {
    pub(super) library: &'a mut Library,
    idle: HashMap<String, Instance<ReplayPorts>>,
    /// What workflows let be ordered, by their digests.
    rules: RulesCache,
}

/// The instances that may play a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// An instance that has played other logs, if there is one.
    Allowed,
    /// An instance that has played nothing yet.
    Forbidden,
}

impl<'a> Guests<'a> {
    pub(super) fn new(library: &'a mut Library) -> Self {
        Self {
            library,
            idle: HashMap::new(),
            rules: RulesCache::default(),
        }
    }

    /// A player of the guest with this digest. Says also whether it has played before.
    pub(super) fn player(
        &mut self,
        digest: &str,
        recording: &Arc<Recording>,
        reuse: Reuse,
    ) -> Result<(Player, bool), LibraryError> {
        // A fresh instance runs as machine code.
        if let Some(digest) = self.library.take_over() {
            self.idle.remove(digest);
        }
        let idle = match reuse {
            Reuse::Allowed => self.idle.remove(digest),
            Reuse::Forbidden => None,
        };
        let played = idle.is_some();
        let player = match idle {
            Some(guest) => Player::with(guest, Arc::clone(recording)),
            None => Player::new(self.library, digest, Arc::clone(recording))?,
        };
        let player = match self.rules_of(recording) {
            Some(rules) => player.knowing(rules),
            None => player,
        };
        Ok((player, played))
    }

    /// What the workflow of this log lets be ordered. `None` if no event 1 names
    /// the workflow.
    fn rules_of(&mut self, recording: &Recording) -> Option<Arc<OrderRules>> {
        let EventKind::WorkflowStarted(started) = &recording.events.first()?.event.kind else {
            return None;
        };
        let (id, version) = (&started.workflow_id, &started.workflow_version);
        // The text was compared with this digest; event 1 may name it as it likes.
        let named = format!("{id} {version}");
        let digest = started.workflow_digest.to_string();
        let name = (&*digest, &*named);
        self.rules.known(name).or_else(|| {
            let rules = OrderRules::of(&recording.workflow);
            Some(self.rules.keep(name, rules))
        })
    }

    /// Takes the guests that a log names from the store into the library. An erased log needs
    /// none.
    ///
    /// # Errors
    /// [`AuditError`] if the store fails, or has something else in the place of one.
    pub(super) fn fetch(
        &mut self,
        store: &mut dyn Reader,
        recording: &Recording,
    ) -> Result<(), AuditError> {
        if recording.is_erased() {
            return Ok(());
        }
        let mut named = recording.guests();
        named.try_for_each(|digest| fetch_guest(self.library, store, &digest))
    }

    /// Takes the guests that a log names, and that its export or `others` bring, into the
    /// library.
    ///
    /// # Errors
    /// One of them is no scheduler.
    pub(super) fn take_brought(
        &mut self,
        recording: &Recording,
        others: &BTreeMap<String, Arc<Component>>,
    ) -> Result<(), AuditError> {
        for digest in recording.guests() {
            let own = recording.components.iter().find(|it| it.digest == digest);
            let brought = own.or_else(|| others.get(&digest).map(|it| &**it));
            if let Some(component) = brought
                && self.library.bytes(&digest).is_none()
            {
                let added = self.library.add_copy(component.bytes.clone());
                added.map_err(|reason| AuditError::Brought { digest, reason })?;
            }
        }
        Ok(())
    }

    /// Takes back a player that has come to the end of its part.
    pub(super) fn put_back(&mut self, digest: &str, player: Player) {
        let Some(guest) = player.done() else {
            return;
        };
        // The instance at work comes on top of these. Dropped ones are made anew.
        let room = self.library.limits().memory_bytes_max * (GUESTS_FULL_MAX - 1);
        let idle = self.idle.values();
        let all = idle.fold(Footprint::default().with(&guest), Footprint::with);
        if all.is_over(room) {
            self.idle.clear();
            self.library.trim();
        }
        self.idle.insert(digest.to_owned(), guest);
    }
}

/// Takes a guest from the store into the library, if the library does not have it.
///
/// # Errors
/// [`AuditError`] if the store fails, or has something else under this digest.
pub fn fetch_guest(
    library: &mut Library,
    store: &mut dyn Reader,
    digest: &str,
) -> Result<(), AuditError> {
    if library.bytes(digest).is_some() {
        return Ok(());
    }
    let Some(bytes) = store.component(digest)? else {
        return Ok(());
    };
    let found = library
        .add_copy(bytes)
        .map_err(|reason| AuditError::Component {
            digest: digest.to_owned(),
            reason,
        })?;
    if found != digest {
        let place = format!("the component stored as {digest}");
        return Err(StoreError::Corrupt {
            place,
            detail: format!("its bytes have the digest {found}"),
        }
        .into());
    }
    Ok(())
}
