//! The entrance of the audit: it takes a log and answers a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use super::anchor::Anchors;
use super::asked_guest::{Stop, found};
use super::blank::{blank, gone, unreadable};
use super::change::Change;
use super::changed::Changed;
use super::child_claims::StoredKin;
use super::child_links;
use super::child_log::ChildLog;
use super::erased;
use super::families::{Asker, Families};
use super::family::{Asked, Inputs};
use super::guests::{Guests, Reuse};
use super::headway::{Headway, InLog};
use super::integrity;
use super::link::{self, OriginLog};
use super::parent_link;
use super::signature;
use super::source::{self, LastWorkflow, Reading, Recording};
use super::together::Together;
use super::verdict::{Audit, AuditError, Verdict, WhatIf};
use super::walk::Walk;
use crate::guest::Library;
use crate::id::ExecutionId;
use crate::signing::PublicKey;
use crate::store::{Reader, at_one_moment};

/// Audits logs with the guests they name, or with another.
pub struct Auditor<'a> {
    guests: Guests<'a>,
    /// The workflow of the last log, because the next log is often of the same one.
    workflow: LastWorkflow,
    /// The guest to ask instead of those that the logs name.
    other: Option<String>,
    anchors: Anchors,
    /// What is at hand besides each log: those that forks and children under audit may name,
    /// or that are of the children of others; and the guests that any export brings.
    others: Together,
    families: Families,
    trusted: BTreeSet<PublicKey>,
    /// What is to be otherwise from event 1 on.
    changed: Changed,
    /// Who watches.
    headway: Option<Arc<Headway>>,
    in_log: InLog,
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
            others: Together::default(),
            families: Families::default(),
            trusted: BTreeSet::new(),
            changed: Changed::default(),
            headway: None,
            in_log: InLog::default(),
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
        self.changed = Changed::by(change);
        self
    }

    /// An auditor that compares each log with the head that was noted of it (law 4).
    #[must_use]
    pub fn with_anchors(mut self, anchors: Anchors) -> Self {
        self.anchors = anchors;
        self
    }

    /// An auditor that compares forks and children of this log, and the log that it is a
    /// child of, with it (law 11). Those in a store are compared with what the store has,
    /// without this.
    #[must_use]
    pub fn with_origin(mut self, origin: Recording) -> Self {
        self.others
            .logs
            .insert(origin.execution_id, Arc::new(origin));
        self
    }

    /// An auditor that has what exports that are audited together may need of each other:
    /// as with [`Auditor::with_origin`] for each of them, and the guests that any of them
    /// brings.
    #[must_use]
    pub fn with_together(mut self, together: &Together) -> Self {
        let logs = together.logs.iter();
        let logs = logs.map(|(id, log)| (*id, Arc::clone(log)));
        self.others.logs.extend(logs);
        self.others.components.clone_from(&together.components);
        self
    }

    /// An auditor that counts how far it has come.
    #[must_use]
    pub fn with_headway(mut self, headway: &Arc<Headway>) -> Self {
        self.headway = Some(Arc::clone(headway));
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
        let read = at_one_moment(store, |store| self.read(store, id))?;
        match read {
            Some((reading, origin, kin)) => self.audit(reading, &origin, kin).map(Some),
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
            self.guests
                .take_brought(recording, &self.others.components)?;
        }
        let named = reading.as_ref().ok().and_then(named);
        let origin = named.and_then(|id| self.others.logs.get(&id)).cloned();
        if let Some(origin) = origin.as_ref().filter(|it| !it.is_erased())
            && self.other.is_none()
        {
            match self.guests.take_brought(origin, &self.others.components) {
                // What it brings is no scheduler: then it cannot be asked what it ordered.
                Ok(()) | Err(AuditError::Brought { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let origin = origin.map_or(OriginLog::Missing, OriginLog::Log);
        self.audit(reading, &origin, None)
    }

    /// Audits a log that was read. A fault of the log is the answer, not an error.
    /// `origin` is the log that it names, and `kin` what a store has of its children.
    fn audit(
        &mut self,
        reading: Reading,
        origin: &OriginLog,
        kin: Option<StoredKin>,
    ) -> Result<Audit, AuditError> {
        match reading {
            Ok(recording) => self.audit_whole(&Arc::new(recording), origin, kin),
            Err(found) => Ok(unreadable(found)),
        }
    }

    /// Audits a log by itself: not its links with others, nor what a store has of its
    /// children.
    pub(super) fn audit_alone(&mut self, recording: &Arc<Recording>) -> Result<Audit, AuditError> {
        self.audit_whole(recording, &OriginLog::Missing, None)
    }

    fn audit_whole(
        &mut self,
        recording: &Arc<Recording>,
        origin: &OriginLog,
        kin: Option<StoredKin>,
    ) -> Result<Audit, AuditError> {
        let mut audit = blank(recording);
        audit.signature = signature::check(recording, &self.trusted);
        audit.anchor = self.anchors.told_of(recording, &self.trusted);
        audit.owed_children = kin.as_ref().map(StoredKin::owed).unwrap_or_default();
        self.in_log = InLog::begin(self.headway.as_ref(), audit.events);
        let judged = self.judged(recording, origin, kin.as_ref(), &mut audit);
        self.in_log.end();
        match judged {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Found(finding)) => audit.conclude(finding, self.what_if()),
        }
        Ok(audit)
    }

    fn judged(
        &mut self,
        recording: &Arc<Recording>,
        origin: &OriginLog,
        kin: Option<&StoredKin>,
        audit: &mut Audit,
    ) -> Result<(), Stop> {
        integrity::check(recording)?;
        self.anchors.check(recording)?;
        child_links::check(recording)?;
        self.check_link(recording, origin, audit)?;
        let asked = match recording.is_erased() {
            true => {
                audit.verdict = Verdict::Erased;
                signature::holds(recording, audit.signature.as_ref())?;
                erased::compare_with_store(recording)?;
                (Asked::Unknown, false)
            }
            false if self.changed.is_nothing() => self.replay(recording, audit)?,
            false => {
                let other = self.other.as_deref();
                let changed = self.changed.log(self.guests.library, recording, other);
                let changed = changed.map_err(Stop::Failed)?;
                self.replay(&Arc::new(changed), audit)?;
                // What is ordered otherwise says nothing of the children that there are.
                (Asked::Unknown, false)
            }
        };
        self.check_children(recording, asked, kin, audit)
    }

    /// What is asked about instead of what the log is of.
    fn what_if(&self) -> WhatIf {
        match (&self.other, self.changed.is_nothing()) {
            (Some(_), _) => WhatIf::OtherGuest,
            (None, false) => WhatIf::OtherBeginning,
            (None, true) => WhatIf::Nothing,
        }
    }

    /// Compares a fork with its origin, and a child with its parent.
    fn check_link(
        &mut self,
        recording: &Recording,
        origin: &OriginLog,
        audit: &mut Audit,
    ) -> Result<(), Stop> {
        if let Some(named) = parent_link::named(recording) {
            let mut asker = Asker {
                guests: &mut self.guests,
                other: self.other.as_ref(),
            };
            let checked = self
                .families
                .check_child(&mut asker, recording, named, origin);
            let (link, compared) = checked.map_err(Stop::Failed)?;
            audit.child_of = Some(link);
            audit.missing.extend(compared?);
        } else if let Some(named) = link::named(recording) {
            let (link, compared) = link::check(recording, named, origin);
            audit.forked_from = Some(link);
            audit.missing.extend(compared?);
        }
        Ok(())
    }

    /// Compares a log with those of its children, and with what a store has of them.
    fn check_children(
        &mut self,
        recording: &Arc<Recording>,
        asked: (Asked, bool),
        kin: Option<&StoredKin>,
        audit: &mut Audit,
    ) -> Result<(), Stop> {
        let given = match kin {
            Some(_) => BTreeMap::new(),
            None => self.others.children_of(recording),
        };
        let logs = kin.map_or(&given, |kin| &kin.logs);
        let mut asker = Asker {
            guests: &mut self.guests,
            other: self.other.as_ref(),
        };
        let checked = self
            .families
            .check_children(&mut asker, recording, asked, |child| logs.get(&child));
        let own = checked.map_err(Stop::Failed)??;
        audit.missing.extend(own.missing);
        let Some((kin, family)) = kin.zip(own.family) else {
            return Ok(());
        };
        match kin.difference(recording, &family) {
            Some(divergence) => found(Verdict::Divergent, divergence),
            None => Ok(()),
        }
    }

    /// Replays the log. A fault that was found by an instance which has played other
    /// logs must be found by a fresh one, too. Answers what the guest ordered for children,
    /// and whether an instance took part that had played others.
    fn replay(
        &mut self,
        recording: &Arc<Recording>,
        audit: &mut Audit,
    ) -> Result<(Asked, bool), Stop> {
        match self.walk(recording, Reuse::Allowed, audit) {
            (Err(Stop::Found(_)), true) => {
                let (walked, _) = self.walk(recording, Reuse::Forbidden, audit);
                Ok((Asked::Agrees(walked?), false))
            }
            (walked, is_reused) => Ok((Asked::Agrees(walked?), is_reused)),
        }
    }

    /// Walks along the log. Says also whether a guest took part that had played others.
    fn walk(
        &mut self,
        recording: &Arc<Recording>,
        reuse: Reuse,
        audit: &mut Audit,
    ) -> (Result<Inputs, Stop>, bool) {
        let (other, recording) = (self.other.clone(), Arc::clone(recording));
        let mut walk = match Walk::start(&mut self.guests, other, recording, reuse) {
            Ok(walk) => walk,
            Err(stop) => return (Err(stop), false),
        };
        let walked = walk.replay_all(|events| self.in_log.reach(events as u64));
        audit.decisions = walk.decisions();
        audit.owed_a_step = walk.owed_a_step();
        let (inputs, reused) = (walk.take_inputs(), walk.is_reused());
        if walked.is_ok() {
            walk.over();
        }
        (walked.map(|()| inputs), reused)
    }

    /// Reads a log and the guests that it names; the log of its origin or its parent, if the
    /// store has that and it is not known; and what the store has of its children.
    fn read(
        &mut self,
        store: &mut dyn Reader,
        id: ExecutionId,
    ) -> Result<Option<(Reading, OriginLog, Option<StoredKin>)>, AuditError> {
        let Some(reading) = source::read(store, id, &mut self.workflow)? else {
            return Ok(None);
        };
        let Ok(recording) = &reading else {
            return Ok(Some((reading, OriginLog::Missing, None)));
        };
        if self.other.is_none() {
            self.guests.fetch(store, recording)?;
        }
        let kin = StoredKin::read(store, recording)?;
        let mut origin = OriginLog::Missing;
        if let Some(named) = named(recording) {
            let child = ChildLog::of(recording).filter(|it| it.started.parent.is_some());
            let is_known = match &child {
                Some(child) => self.families.suffice(store, named, child)?,
                None => false,
            };
            if !is_known {
                origin = OriginLog::of(source::read(store, named, &mut self.workflow)?);
            }
            if let OriginLog::Log(parent) = &origin
                && child.is_some()
                && self.other.is_none()
            {
                self.guests.fetch(store, parent)?;
            }
        }
        Ok(Some((reading, origin, Some(kin))))
    }
}

/// The execution that a log names as its origin, or as its parent.
fn named(recording: &Recording) -> Option<ExecutionId> {
    let parent = parent_link::named(recording).map(|named| &named.execution_id);
    let origin = link::named(recording).map(|named| &named.execution_id);
    parent.or(origin)?.parse().ok()
}
