//! Asking guests: each execution is asked about in the instance of its guest, and
//! once more in a fresh one where that fails.
//!
//! What a guest keeps of an execution is an optimisation and must never be more.
//! Until a turn is written it may be wrong, so this remembers who was asked. Questions
//! outside of turns have guests of their own, which see what is committed and nothing else.

use std::sync::Arc;

use super::executions::Asked;
use super::instances::{Failure, Instances, MemoryBounds};
use super::lru_shelf::Forget;
use crate::guest::{CallError, Instance, Library, Newer, Ports as _};
use crate::id::ExecutionId;
use crate::live::execution::ports::{CallPorts, Orders};
use crate::model::{Digest, Fault, IllegalEvent, RefusalCode, SchedulerError, WorkflowSummary};
use crate::order_rules::{OrderRules, RulesCache};
use crate::store::StoreError;
use crate::trouble::Troubles;

/// Guests at work: those of an engine's turns, or of questions that are answered next to
/// them.
pub(crate) struct Guests {
    instances: Instances,
    /// The guest that new executions belong to.
    own: Arc<str>,
    rules: RulesCache,
    /// The executions that guests were asked about since the last turn was written:
    /// what the guests know of them now may never be committed.
    asked: Asked,
    /// What went wrong, and was told.
    pub(crate) troubles: Troubles,
    /// The fuel that calls have burnt since that was last asked for.
    burnt: u64,
    /// How many calls about executions there were.
    calls: u64,
}

impl Guests {
    /// The guests of this library; new executions belong to `own`.
    pub(crate) fn new(library: Library, own: Arc<str>, bounds: MemoryBounds) -> Self {
        Self {
            instances: Instances::new(library, bounds),
            own,
            rules: RulesCache::default(),
            asked: Asked::new(),
            troubles: Troubles::default(),
            burnt: 0,
            calls: 0,
        }
    }

    /// The digest of the guest that new executions belong to.
    pub(crate) fn own(&self) -> &Arc<str> {
        &self.own
    }

    /// The same, as event 1 has it.
    pub(crate) fn own_digest(&self) -> Digest {
        let digest = self.own.parse();
        digest.expect("a library calls its guests by their digests")
    }

    /// The bytes of a guest, if they are at hand.
    pub(crate) fn bytes(&self, digest: &str) -> Option<&[u8]> {
        self.instances.bytes(digest)
    }

    /// The guests that are at hand, with the code that is compiled so far.
    pub(crate) fn library(&self) -> Library {
        self.instances.library()
    }

    /// Notes that a turn begins.
    pub(crate) fn begin_turn(&mut self) {
        self.instances.begin_turn();
    }

    /// Notes that a turn is over, or as good as that. Answers the guest that it
    /// needed and that is not compiled, if any: nothing of the turn may be kept then.
    pub(crate) fn end_turn(&mut self) -> Option<String> {
        self.instances.end_turn()
    }

    /// Compiles a guest, which may take long: nobody must be waiting for a lock
    /// meanwhile. Whether it is one shows when it is asked.
    pub(crate) fn compile(&mut self, digest: &str) {
        if let Err(error) = self.instances.compile(digest) {
            let kind = format!("compile {digest}");
            if let Some(told) = self.troubles.happens(&kind, &error.to_string()) {
                tracing::warn!(refrain.guest = %digest, "{told}");
            }
        }
    }

    /// The fuel that calls have burnt since this was last asked, those that failed
    /// included.
    pub(crate) fn take_burnt(&mut self) -> u64 {
        std::mem::take(&mut self.burnt)
    }

    /// How many calls about executions there were since the engine began.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// Asks the own guest whether this workflow is valid.
    pub(crate) fn validate(
        &mut self,
        workflow: &str,
    ) -> Result<Result<WorkflowSummary, Vec<Fault>>, Failure> {
        let instance = &mut self.instances.get(&self.own)?.instance;
        let answer = instance.validate(workflow);
        self.burnt = self.burnt.saturating_add(instance.fuel_burnt());
        answer.map_err(|error| {
            self.instances.discard(&self.own);
            Failure::Broken(error.to_string())
        })
    }

    /// Asks the execution's guest. If it fails, it is asked once more in a
    /// fresh instance; a failure leaves no orders in the ports.
    ///
    /// `is_answer`: whether a refusal is an answer here; otherwise it is a failure.
    pub(crate) fn ask<T>(
        &mut self,
        mut ports: CallPorts,
        is_answer: fn(&SchedulerError) -> bool,
        mut call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>),
    ) -> (CallPorts, Result<T, Failure>) {
        let id = ports.staged.record.id;
        let digest = ports.staged.record.guest_digest.clone();
        let prepared = self.instances.fetch(&digest, ports.store.reader());
        if let Err(error) = prepared.and_then(|()| self.lay_down_rules(&mut ports)) {
            return (ports, Err(Failure::Store(error)));
        }
        if self.instances.lacks_compiler(&digest) {
            let error = StoreError::NoCompiler {
                place: ports.store.reader().place(),
                execution: id,
            };
            return (ports, Err(Failure::Store(error)));
        }
        self.asked.entry(id).or_insert_with(|| Arc::clone(&digest));
        let mut last_chance = false;
        loop {
            let instance = match self.instances.get(&digest) {
                Ok(guest) => guest.about(id),
                Err(failure) => return (ports, Err(failure)),
            };
            let (returned, answer) = call(instance, ports);
            self.calls += 1;
            self.burnt = self.burnt.saturating_add(instance.fuel_burnt());
            ports = returned;
            let error = match answer {
                Ok(answer) => return (ports, Ok(answer)),
                Err(error) => error,
            };
            ports.orders = Orders::default();
            match error {
                // A snapshot is a cache: the log is read instead. Guests of former
                // versions do not do that by themselves.
                CallError::Scheduler(SchedulerError::BadSnapshot(reason))
                    if ports.staged.bad_snapshot.is_none() =>
                {
                    ports.staged.bad_snapshot = Some(reason);
                }
                CallError::Scheduler(refusal) if is_answer(&refusal) => {
                    return (ports, Err(Failure::Refused(refusal)));
                }
                // What the guest knows of the execution is half of something.
                CallError::Store(error) => {
                    self.instances.forget(&digest, id);
                    return (ports, Err(Failure::Store(error)));
                }
                // The guest is not to blame, and a fresh instance could not know it either.
                CallError::Newer(newer) => {
                    self.instances.discard(&digest);
                    let failure = newer_than_guest(&mut ports, newer);
                    return (ports, Err(failure));
                }
                error => {
                    self.instances.discard(&digest);
                    self.call_failed(&digest, id, &error);
                    if last_chance {
                        return (ports, Err(Failure::Broken(error.to_string())));
                    }
                    last_chance = true;
                }
            }
        }
    }

    /// Reports a failed call once, and after that now and then: a turn that is not
    /// written is repeated and fails again, and a caller may ask again and again.
    fn call_failed(&mut self, digest: &str, id: ExecutionId, error: &CallError) {
        let text = format!("a scheduler call failed: {error}");
        if let Some(told) = self.troubles.happens(&format!("call {id}"), &text) {
            tracing::warn!(refrain.guest = %digest, refrain.execution = %id, "{told}");
        }
    }

    /// What the workflow of this id and version lets be ordered, if it is at hand.
    pub(crate) fn known_rules(&self, name: (&str, &str)) -> Option<Arc<OrderRules>> {
        self.rules.known(name)
    }

    /// Keeps what the workflow of this id and version lets be ordered.
    pub(crate) fn keep_rules(&mut self, name: (&str, &str), rules: OrderRules) -> Arc<OrderRules> {
        self.rules.keep(name, rules)
    }

    /// Prepares what the workflow holds, for a call that may order.
    fn lay_down_rules(&mut self, ports: &mut CallPorts) -> Result<(), StoreError> {
        if ports.offer.is_none() {
            return Ok(());
        }
        if ports.staged.rules.is_none() {
            let record = &ports.staged.record;
            let name = (&*record.workflow_id, &*record.workflow_version);
            let rules = match self.rules.known(name) {
                Some(rules) => rules,
                None => {
                    let text = ports.load_workflow()?;
                    let record = &ports.staged.record;
                    let (id, version) = (&*record.workflow_id, &*record.workflow_version);
                    let rules = OrderRules::of(&text);
                    self.rules.keep((id, version), rules)
                }
            };
            ports.staged.rules = Some(rules);
        }
        ports.order_rules.clone_from(&ports.staged.rules);
        Ok(())
    }

    /// The executions that guests were asked about since this was last taken. The
    /// caller caches what the guests know, or has them forget it.
    #[must_use]
    pub(crate) fn take_asked(&mut self) -> Asked {
        std::mem::take(&mut self.asked)
    }

    /// Makes a guest forget an execution. What is cached of the execution need not
    /// know: a guest that has forgotten reads the log anew.
    pub(crate) fn forget(&mut self, digest: &str, id: ExecutionId) {
        self.instances.forget(digest, id);
    }

    /// An execution leaves this guest for another one, within a turn: the guest forgets
    /// it, and counts as not asked.
    pub(crate) fn leave(&mut self, digest: &str, id: ExecutionId) {
        self.forget(digest, id);
        self.asked.remove(&id);
    }

    /// Drops what need not be kept between turns.
    pub(crate) fn trim(&mut self) {
        self.instances.trim();
    }

    /// The turn was not committed: what the guests know may be wrong.
    pub(crate) fn not_committed(&mut self) {
        // Workflows that the turn registered are not, and the store may be another.
        self.rules.clear();
        for (id, digest) in self.take_asked() {
            self.forget(&digest, id);
        }
    }

    /// Drops all instances: what they hold may be half done.
    pub(crate) fn discard(&mut self) {
        self.instances.discard_all();
        self.asked.clear();
    }
}

/// What a guest cannot know stands in the log, or is about to be offered to it.
fn newer_than_guest(ports: &mut CallPorts, newer: Newer) -> Failure {
    match newer.sequence {
        Some(sequence) => Failure::Store(StoreError::NewerThanGuest {
            place: ports.store.reader().place(),
            execution: ports.staged.record.id,
            sequence,
            what: newer.what,
            version: newer.version,
        }),
        None => Failure::Refused(SchedulerError::Illegal(IllegalEvent {
            sequence: ports.staged.record.head.sequence + 1,
            code: RefusalCode::Unsupported,
            reason: newer.to_string(),
        })),
    }
}

impl Forget for Guests {
    fn forget(&mut self, digest: &str, id: ExecutionId) {
        Self::forget(self, digest, id);
    }
}
