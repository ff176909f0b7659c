//! The entrance of the audit: it takes a log and answers a verdict.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use super::anchor::Anchors;
use super::asked_guest::Stop;
use super::change::Change;
use super::child_links;
use super::divergence::Divergence;
use super::erased;
use super::guests::{Guests, Reuse, fetch_guest};
use super::integrity::{self, Finding};
use super::kept_events::Unreadable;
use super::link;
use super::parent_link;
use super::signature;
use super::source::{self, LastWorkflow, Reading, Recording};
use super::verdict::{Audit, AuditError, Verdict};
use super::walk::Walk;
use crate::guest::{Library, NoPorts};
use crate::id::ExecutionId;
use crate::model::{Digest, Fault};
use crate::signing::PublicKey;
use crate::store::{Reader, StoreError, at_one_moment};

/// Audits logs with the guests they name, or with another.
pub struct Auditor<'a> {
    guests: Guests<'a>,
    /// The workflow of the last log, because the next log is often of the same one.
    workflow: LastWorkflow,
    /// The guest to ask instead of those that the logs name.
    other: Option<String>,
    anchors: Anchors,
    /// Logs that forks under audit may name as their origins.
    origins: HashMap<ExecutionId, Reading>,
    trusted: BTreeSet<PublicKey>,
    /// What is to be otherwise from event 1 on.
    change: Change,
    /// The changed workflow that a guest has accepted last: the guest, and the text.
    accepted: Option<(String, Arc<str>)>,
}

impl fmt::Debug for Auditor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor")
            .field("other", &self.other)
            .finish_non_exhaustive()
    }
}

impl<'a> Auditor<'a> {
    /// An auditor that runs the guests that the logs name.
    pub fn new(library: &'a mut Library) -> Self {
        Self {
            guests: Guests::new(library),
            workflow: LastWorkflow::default(),
            other: None,
            anchors: Anchors::default(),
            origins: HashMap::new(),
            trusted: BTreeSet::new(),
            change: Change::default(),
            accepted: None,
        }
    }

    /// An auditor that asks the library's guest with this digest, whatever guests the
    /// logs name: what would it have decided?
    #[must_use]
    pub fn with_guest(mut self, digest: String) -> Self {
        self.other = Some(digest);
        self
    }

    /// An auditor that replays each log with another beginning: what would its guest have
    /// decided then? The log as it was recorded is held against the laws before.
    #[must_use]
    pub fn with_change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    /// An auditor that compares each log with the head that was noted of it (law 4).
    #[must_use]
    pub fn with_anchors(mut self, anchors: Anchors) -> Self {
        self.anchors = anchors;
        self
    }

    /// An auditor that compares forks of this log with it (law 11). Forks in a store are
    /// compared with what the store has, without this.
    #[must_use]
    pub fn with_origin(mut self, origin: Recording) -> Self {
        self.origins.insert(origin.execution_id, Ok(origin));
        self
    }

    /// An auditor that trusts these keys, too, with what they have signed: of erased logs
    /// ([`Audit::signature`]), and of the heads that logs had ([`Audit::anchor`]).
    #[must_use]
    pub fn with_trusted(mut self, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        self.trusted.extend(keys);
        self
    }

    /// Audits one execution of a store: its log, and the rows that the store keeps
    /// next to it. `None` if there is no such execution, and no head of it was noted.
    ///
    /// # Errors
    /// [`AuditError`] if the audit itself cannot be done.
    pub fn audit_stored(
        &mut self,
        store: &mut dyn Reader,
        id: ExecutionId,
    ) -> Result<Option<Audit>, AuditError> {
        // The look ends before the guests decide, so that it holds up no checkpoint.
        let (reading, owed, heads) = at_one_moment(store, |store| {
            let reading = self.read(store, id)?;
            let heads = match &reading {
                Some((Ok(recording), _)) => child_links::check_heads(recording, store)?,
                _ => Ok(()),
            };
            Ok::<_, AuditError>((reading, owed_children(store, id)?, heads))
        })?;
        match reading {
            Some((reading, origin)) => {
                let mut audit = self.audit(reading, origin.as_ref())?;
                audit.owed_children = owed;
                if let (Err(finding), None) = (heads, &audit.divergence) {
                    audit.conclude(finding, false);
                }
                Ok(Some(audit))
            }
            None => Ok(self.anchors.missing(id).map(|finding| gone(id, finding))),
        }
    }

    /// Audits an export. The library must have its guests, unless the export brings
    /// them.
    ///
    /// # Errors
    /// [`AuditError`] if the audit itself cannot be done.
    pub fn audit_export(&mut self, export: impl BufRead, place: &str) -> Result<Audit, AuditError> {
        let reading = source::from_export(export, place)?;
        if let Ok(recording) = &reading
            && self.other.is_none()
            && !recording.is_erased()
        {
            self.take_guests(recording)?;
        }
        self.audit(reading, None)
    }

    /// Takes the guests that the log names, and the export brings, into the library.
    fn take_guests(&mut self, recording: &Recording) -> Result<(), AuditError> {
        for digest in recording.guests() {
            let brought = recording.components.iter().find(|it| it.digest == digest);
            if let Some(component) = brought
                && self.guests.library.bytes(&digest).is_none()
            {
                let added = self.guests.library.add_copy(component.bytes.clone());
                added.map_err(|reason| AuditError::Brought { digest, reason })?;
            }
        }
        Ok(())
    }

    /// Audits a log that was read. A fault of the log is the answer, not an error.
    /// `origin` is the log that it was forked from, if the store has it.
    fn audit(&mut self, reading: Reading, origin: Option<&Reading>) -> Result<Audit, AuditError> {
        let recording = match reading {
            Ok(recording) => Arc::new(recording),
            Err(found) => return Ok(unreadable(found)),
        };
        let mut audit = clean(&recording);
        audit.signature = signature::check(&recording, &self.trusted);
        audit.anchor = self.anchors.told_of(&recording, &self.trusted);
        let whole = integrity::check(&recording).and_then(|()| self.anchors.check(&recording));
        let whole = whole.and_then(|()| self.check_link(&recording, origin, &mut audit));
        let judged = match whole {
            Err(finding) => Err(Stop::Found(finding)),
            Ok(()) if recording.is_erased() => {
                audit.verdict = Verdict::Erased;
                signature::holds(&recording, audit.signature.as_ref())
                    .and_then(|()| erased::compare_with_store(&recording))
                    .map_err(Stop::Found)
            }
            Ok(()) if self.change.is_none() => self.replay(&recording, &mut audit),
            Ok(()) => {
                let changed = Arc::new(self.changed(&recording)?);
                self.replay(&changed, &mut audit)
            }
        };
        match judged {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Found(finding)) => audit.conclude(finding, self.asks_what_if()),
        }
        Ok(audit)
    }

    /// Whether something else is asked about than what the log is of.
    fn asks_what_if(&self) -> bool {
        self.other.is_some() || !self.change.is_none()
    }

    /// The log with its other beginning, whose workflow its guest accepts.
    fn changed(&mut self, recording: &Recording) -> Result<Recording, AuditError> {
        let unchanged = |problem: String| AuditError::Change {
            execution: recording.execution_id.to_string(),
            problem,
        };
        let changed = self.change.made_in(recording).map_err(unchanged)?;
        let guest = self.other.clone().or_else(|| recording.first_guest());
        let accepted = (guest.unwrap_or_default(), Arc::clone(&changed.workflow));
        if self.change.is_of_workflow() && self.accepted.as_ref() != Some(&accepted) {
            let mut instance = self.guests.library.instance::<NoPorts>(&accepted.0)?;
            match instance.validate(&accepted.1) {
                Err(error) => return Err(unchanged(error.to_string())),
                Ok(Err(faults)) => return Err(unchanged(told(&faults))),
                Ok(Ok(_)) => self.accepted = Some(accepted),
            }
        }
        Ok(changed)
    }

    /// Compares a fork with its origin, and a child with its parent.
    fn check_link(
        &self,
        recording: &Recording,
        origin: Option<&Reading>,
        audit: &mut Audit,
    ) -> Result<(), Finding> {
        child_links::check_ids(recording)?;
        if let Some(named) = parent_link::named(recording) {
            let known = named.execution_id.parse().ok();
            let known = known.and_then(|id: ExecutionId| self.origins.get(&id));
            let (link, compared) = parent_link::check(recording, named, origin.or(known));
            audit.child_of = Some(link);
            return compared;
        }
        let Some(named) = link::named(recording) else {
            return Ok(());
        };
        let known = named.execution_id.parse().ok();
        let known = known.and_then(|id: ExecutionId| self.origins.get(&id));
        let (link, compared) = link::check(recording, named, origin.or(known));
        audit.forked_from = Some(link);
        compared
    }

    /// Replays the log. A fault that was found by an instance which has played other
    /// logs must be found by a fresh one, too.
    fn replay(&mut self, recording: &Arc<Recording>, audit: &mut Audit) -> Result<(), Stop> {
        match self.walk(recording, Reuse::Allowed, audit) {
            (Err(Stop::Found(_)), true) => self.walk(recording, Reuse::Forbidden, audit).0,
            (walked, _) => walked,
        }
    }

    /// Walks along the log. Says also whether a guest took part that had played others.
    fn walk(
        &mut self,
        recording: &Arc<Recording>,
        reuse: Reuse,
        audit: &mut Audit,
    ) -> (Result<(), Stop>, bool) {
        let (other, recording) = (self.other.clone(), Arc::clone(recording));
        let mut walk = match Walk::start(&mut self.guests, other, recording, reuse) {
            Ok(walk) => walk,
            Err(stop) => return (Err(stop), false),
        };
        let walked = walk.replay_all();
        audit.decisions = walk.decisions();
        audit.owed_a_step = walk.owed_a_step();
        let reused = walk.is_reused();
        if walked.is_ok() {
            walk.over();
        }
        (walked, reused)
    }

    /// Reads a log and the guests that it names; and of a fork the log of its origin, if
    /// the store has that.
    fn read(
        &mut self,
        store: &mut dyn Reader,
        id: ExecutionId,
    ) -> Result<Option<(Reading, Option<Reading>)>, AuditError> {
        let Some(reading) = source::read(store, id, &mut self.workflow)? else {
            return Ok(None);
        };
        let mut origin = None;
        if let Ok(recording) = &reading {
            self.fetch_guests(store, recording)?;
            let parent = parent_link::named(recording).map(|named| &named.execution_id);
            let named = link::named(recording).map(|named| &named.execution_id);
            let named = named.or(parent).map(|id| id.parse());
            if let Some(Ok(id)) = named {
                origin = source::read(store, id, &mut self.workflow)?;
            }
        }
        Ok(Some((reading, origin)))
    }

    /// Takes the guests that a log names from the store into the library.
    fn fetch_guests(
        &mut self,
        store: &mut dyn Reader,
        recording: &Recording,
    ) -> Result<(), AuditError> {
        if self.other.is_some() || recording.is_erased() {
            return Ok(());
        }
        for digest in recording.guests() {
            fetch_guest(self.guests.library, store, &digest)?;
        }
        Ok(())
    }
}

/// The faults of a workflow in one line.
fn told(faults: &[Fault]) -> String {
    let each = faults
        .iter()
        .map(|it| format!("{} {}", it.pointer, it.message));
    each.collect::<Vec<_>>().join("; ")
}

/// The children of which something is owed, to this execution or by it.
fn owed_children(store: &mut dyn Reader, id: ExecutionId) -> Result<Vec<String>, StoreError> {
    if !store.has_children()? {
        return Ok(Vec::new());
    }
    let owed = store.owed_children(usize::MAX)?.into_iter();
    let owed = owed.filter(|record| record.parent == id || record.child == id);
    Ok(owed.map(|record| record.child.to_string()).collect())
}

/// The audit of a log in which nothing is wrong.
fn clean(recording: &Recording) -> Audit {
    let events = recording.plain().count() as u64;
    Audit {
        head: recording.plain().last().map(|(_, head)| Digest(head.hash)),
        erased: recording.claimed.attestation().cloned(),
        ..empty(Some(recording.execution_id.to_string()), events)
    }
}

/// The audit of an execution that is no longer there.
fn gone(id: ExecutionId, finding: Finding) -> Audit {
    let mut audit = empty(Some(id.to_string()), 0);
    audit.conclude(finding, false);
    audit
}

/// The audit of a log that cannot be read.
fn unreadable(unreadable: Unreadable) -> Audit {
    let id = unreadable.execution_id.map(|id| id.to_string());
    let mut audit = empty(id, unreadable.sequence.saturating_sub(1));
    let divergence = Divergence::plain(unreadable.sequence, unreadable.message);
    let verdict = integrity::verdict_of(unreadable.cause);
    audit.conclude((verdict, divergence.into()), false);
    audit
}

/// An audit in which nothing was found yet.
fn empty(execution_id: Option<String>, events: u64) -> Audit {
    Audit {
        execution_id,
        verdict: Verdict::Clean,
        events,
        head: None,
        decisions: 0,
        owed_a_step: false,
        forked_from: None,
        owed_children: Vec::new(),
        child_of: None,
        erased: None,
        signature: None,
        anchor: None,
        divergence: None,
    }
}
