//! A guest that plays a recording: it sees the log's first events, and
//! whatever it does is compared with the rest.

use std::fmt;
use std::sync::Arc;

use super::ports::ReplayPorts;
use super::source::Recording;
use crate::guest::{CallError, Instance, Library, LibraryError};
use crate::model::{Explanation, Inspection, Outcome};
use crate::order_rules::OrderRules;
use crate::store::Timestamp;

/// A guest, and one log that it sees the first events of.
///
/// What it is asked changes neither the log nor anything else: this is how
/// to look at an execution without taking part in it.
pub struct Player {
    guest: Instance<ReplayPorts>,
    recording: Arc<Recording>,
    /// Taken out for the time of a call only.
    ports: Option<ReplayPorts>,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player").finish_non_exhaustive()
    }
}

impl Player {
    /// The guest with this digest, before it has seen any event.
    ///
    /// # Errors
    /// [`LibraryError`] if the library has no such guest, or it does not run.
    pub fn new(
        library: &mut Library,
        digest: &str,
        recording: Arc<Recording>,
    ) -> Result<Self, LibraryError> {
        Ok(Self::with(library.instance(digest)?, recording))
    }

    /// This instance, which has seen nothing of this log.
    pub(super) fn with(guest: Instance<ReplayPorts>, recording: Arc<Recording>) -> Self {
        let ports = Some(ReplayPorts::new(Arc::clone(&recording)));
        Self {
            guest,
            recording,
            ports,
        }
    }

    /// What the workflow lets be ordered is at hand from another log.
    pub(super) fn knowing(mut self, rules: Arc<OrderRules>) -> Self {
        self.ports_mut().know_rules(rules);
        self
    }

    /// The instance, which has forgotten this log; none if it cannot.
    pub(super) fn done(mut self) -> Option<Instance<ReplayPorts>> {
        let forgotten = self.guest.forget(self.recording.execution_id);
        forgotten.is_ok().then_some(self.guest)
    }

    /// Show the guest all events.
    pub fn reveal_all(&mut self) {
        self.show_first(self.recording.events.len());
    }

    /// Why is this node where it is, after the events revealed?
    ///
    /// # Errors
    /// [`CallError`] if the guest refuses or fails.
    pub fn explain(&mut self, node_id: &str) -> Result<Explanation, CallError> {
        let now = self.last_at();
        let id = self.recording.execution_id;
        self.call(now, |guest, ports| guest.explain(ports, id, node_id))
    }

    /// The state after the events revealed.
    ///
    /// # Errors
    /// [`CallError`] if the guest refuses or fails.
    pub fn inspect(&mut self) -> Result<Inspection, CallError> {
        let now = self.last_at();
        let id = self.recording.execution_id;
        self.call(now, |guest, ports| guest.inspect(ports, id))
    }

    /// Show the guest the first `events` events.
    pub(super) fn show_first(&mut self, events: usize) {
        self.ports_mut().show_first(events);
    }

    /// Let the guest decide, with the clock at `now`. What it decided is in
    /// the ports. It has seen the facts in the log, so it is offered none.
    pub(super) fn step(&mut self, now: Timestamp) -> Result<Outcome, CallError> {
        let id = self.recording.execution_id;
        let last = self.ports().revealed() as u64;
        let answer = self.call(now, |guest, ports| guest.step(ports, id, last, &[]));
        if answer.is_ok() && self.ports().mismatch().is_none() {
            self.ports_mut().check_orders();
        }
        answer
    }

    /// What the last call did.
    pub(super) fn ports(&self) -> &ReplayPorts {
        self.ports
            .as_ref()
            .expect("the ports are back after every call")
    }

    fn ports_mut(&mut self) -> &mut ReplayPorts {
        self.ports
            .as_mut()
            .expect("the ports are back after every call")
    }

    /// The `at` of the last event revealed.
    fn last_at(&self) -> Timestamp {
        let revealed = self.ports().revealed();
        self.recording.events[..revealed]
            .last()
            .map_or(0, |stored| stored.event.at)
    }

    fn call<T>(
        &mut self,
        now: Timestamp,
        call: impl FnOnce(
            &mut Instance<ReplayPorts>,
            ReplayPorts,
        ) -> (ReplayPorts, Result<T, CallError>),
    ) -> Result<T, CallError> {
        let mut ports = self
            .ports
            .take()
            .expect("the ports are back after every call");
        ports.begin(now);
        let (ports, answer) = call(&mut self.guest, ports);
        self.ports = Some(ports);
        answer
    }
}
