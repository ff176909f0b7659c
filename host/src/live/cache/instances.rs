//! Guests at work: one instance for each digest that executions belong to,
//! and what each of them has cached.
//!
//! A cached execution is an optimisation and must never be more: whatever is
//! doubtful (a failed commit, a log that is another than it was) is forgotten.

use std::collections::HashMap;

use hashlink::LinkedHashMap;

use crate::guest::{CallError, Footprint, Instance, Library, Ports as _};
use crate::id::ExecutionId;
use crate::limits::{CACHE_BYTES_MAX, CACHED_EXECUTIONS_MAX, CACHED_IDLE_MAX, GUESTS_FULL_MAX};
use crate::model::{Digest, Fault, SchedulerError, WorkflowSummary};
use crate::order_rules::{OrderRules, RulesCache};
use crate::store::{ExecutionRecord, Head, Store, StoreError};
use crate::trouble::Troubles;

use crate::live::execution::cached::Activity;
use crate::live::execution::ports::{Orders, TurnPorts};

/// The guests of an engine.
pub(crate) struct Guests {
    library: Library,
    own: String,
    /// The one asked longest ago first.
    live: LinkedHashMap<String, LiveInstance>,
    /// A turn is open, which is no time to compile.
    in_turn: bool,
    /// The guest that the turn needs and that is not compiled.
    wanted: Option<String>,
    rules: RulesCache,
    /// Asked about in this turn, and which guest: what it holds now may never
    /// be committed.
    uncommitted: HashMap<ExecutionId, String>,
    /// What went wrong, and was told.
    pub(crate) troubles: Troubles,
    /// The fuel that calls have burnt since that was last asked for.
    burnt: u64,
}

/// A guest at work.
struct LiveInstance {
    instance: Instance<TurnPorts>,
    /// The executions that it has cached and that have work under way.
    busy: Cached,
    /// Those that have none: they wait for a time or for a person, for long
    /// perhaps.
    idle: Cached,
}

/// Cached executions with the heads of their logs when they were last
/// committed; the ones used longest ago first.
type Cached = LinkedHashMap<ExecutionId, Head>;

/// Why a guest gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It answered that it may not be.
    Refused(SchedulerError),
    /// It failed, in a fresh instance too; or there is none.
    Broken(String),
    /// The store failed, and the guest is not to blame.
    Store(StoreError),
}

impl Guests {
    /// The guests of this library; new executions belong to `own`.
    pub(crate) fn new(library: Library, own: String) -> Self {
        Self {
            library,
            own,
            live: LinkedHashMap::new(),
            in_turn: false,
            wanted: None,
            rules: RulesCache::default(),
            uncommitted: HashMap::new(),
            troubles: Troubles::default(),
            burnt: 0,
        }
    }

    /// The digest of the guest that new executions belong to.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The same, as event 1 has it.
    pub(crate) fn own_digest(&self) -> Digest {
        let digest = self.own.parse();
        digest.expect("a library calls its guests by their digests")
    }

    /// The bytes of a guest.
    pub(crate) fn bytes(&self, digest: &str) -> Option<&[u8]> {
        self.library.bytes(digest)
    }

    /// A turn begins.
    pub(crate) fn begin_turn(&mut self) {
        self.in_turn = true;
        self.wanted = None;
    }

    /// A turn is over, or as good as that: has it needed a guest that is not
    /// compiled? Then nothing of it may be kept.
    pub(crate) fn end_turn(&mut self) -> Option<String> {
        self.in_turn = false;
        self.wanted.take()
    }

    /// Compile a guest, which may take long: nobody must be waiting for a lock
    /// meanwhile. Whether it is one shows when it is asked.
    pub(crate) fn compile(&mut self, digest: &str) {
        if let Err(error) = self.library.check(digest) {
            let kind = format!("compile {digest}");
            if let Some(told) = self.troubles.happens(&kind, &error.to_string()) {
                tracing::warn!(refrain.guest = %digest, "{told}");
            }
        }
    }

    /// A turn that is not written is done anew, and fails anew; so does whoever
    /// asks again and again.
    fn call_failed(&mut self, digest: &str, id: ExecutionId, error: &CallError) {
        let text = format!("a scheduler call failed: {error}");
        if let Some(told) = self.troubles.happens(&format!("call {id}"), &text) {
            tracing::warn!(refrain.guest = %digest, refrain.execution = %id, "{told}");
        }
    }

    /// The fuel that calls have burnt since this was last asked, those that failed
    /// included.
    pub(crate) fn take_burnt(&mut self) -> u64 {
        std::mem::take(&mut self.burnt)
    }

    /// Is this workflow valid?
    pub(crate) fn validate(
        &mut self,
        workflow: &str,
    ) -> Result<Result<WorkflowSummary, Vec<Fault>>, Failure> {
        let own = self.own.clone();
        let instance = &mut self.live(&own)?.instance;
        let answer = instance.validate(workflow);
        let burnt = instance.fuel_burnt();
        self.burnt = self.burnt.saturating_add(burnt);
        answer.map_err(|error| {
            self.live.remove(&own);
            Failure::Broken(error.to_string())
        })
    }

    /// Ask the execution's guest. If it fails, it is asked once more in a
    /// fresh instance; a failure leaves no orders in the ports.
    ///
    /// `may_refuse`: whether a refusal is an answer here, or a failure.
    pub(crate) fn ask<T>(
        &mut self,
        mut ports: TurnPorts,
        may_refuse: bool,
        call: impl Fn(&mut Instance<TurnPorts>, TurnPorts) -> (TurnPorts, Result<T, CallError>),
    ) -> (TurnPorts, Result<T, Failure>) {
        let digest = ports.staged.record.guest_digest.clone();
        let prepared = self.fetch(&digest, ports.store.as_mut());
        if let Err(error) = prepared.and_then(|()| self.lay_down_rules(&mut ports)) {
            return (ports, Err(Failure::Store(error)));
        }
        self.uncommitted
            .entry(ports.staged.record.id)
            .or_insert_with(|| digest.clone());
        let mut last_chance = false;
        loop {
            let guest = match self.live(&digest) {
                Ok(guest) => guest,
                Err(failure) => return (ports, Err(failure)),
            };
            let (returned, answer) = call(&mut guest.instance, ports);
            let burnt = guest.instance.fuel_burnt();
            self.burnt = self.burnt.saturating_add(burnt);
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
                CallError::Scheduler(refusal) if may_refuse => {
                    return (ports, Err(Failure::Refused(refusal)));
                }
                CallError::Store(error) => {
                    self.live.remove(&digest);
                    return (ports, Err(Failure::Store(error)));
                }
                error => {
                    self.live.remove(&digest);
                    let id = ports.staged.record.id;
                    self.call_failed(&digest, id, &error);
                    if last_chance {
                        return (ports, Err(Failure::Broken(error.to_string())));
                    }
                    last_chance = true;
                }
            }
        }
    }

    /// The guest at work, or a fresh instance of it.
    fn live(&mut self, digest: &str) -> Result<&mut LiveInstance, Failure> {
        self.make_room(digest);
        if !self.live.contains_key(digest) {
            if self.in_turn && !self.library.is_ready(digest) {
                self.wanted = Some(digest.to_owned());
                return Err(Failure::Store(StoreError::Io {
                    place: format!("component {digest}"),
                    detail: "it is not compiled yet; the turn is done anew when it is".to_owned(),
                }));
            }
            let instance = self
                .library
                .instance(digest)
                .map_err(|error| Failure::Broken(error.to_string()))?;
            let fresh = LiveInstance {
                instance,
                busy: Cached::new(),
                idle: Cached::new(),
            };
            self.live.insert(digest.to_owned(), fresh);
        }
        self.live
            .get_mut(digest)
            .ok_or_else(|| Failure::Broken("it left while it was called".to_owned()))
    }

    /// Before this guest is called: drop others, those asked longest ago first,
    /// until all would stay within their bound however much it comes to hold.
    /// What they have cached is only a cache.
    fn make_room(&mut self, digest: &str) {
        // The one guest of most engines.
        if self.live.len() <= 1 && self.live.keys().all(|it| it == digest) {
            return;
        }
        self.live.to_back(digest);
        // The others may hold what all may, but for one: that one is about to
        // be called, and may come to hold all that an instance can.
        let room = self.library.limits().memory_bytes_max * (GUESTS_FULL_MAX - 1);
        let mut others = Footprint::default();
        for (other, guest) in &self.live {
            if other != digest {
                others = others.with(&guest.instance);
            }
        }
        while others.is_over(room)
            && let Some((_, dropped)) = self.live.pop_front()
        {
            others = others.without(&dropped.instance);
        }
    }

    /// What the workflow holds, for a call that may order.
    fn lay_down_rules(&mut self, ports: &mut TurnPorts) -> Result<(), StoreError> {
        if !ports.may_order {
            return Ok(());
        }
        let record = &ports.staged.record;
        let name = (&*record.workflow_id, &*record.workflow_version);
        let known = self.rules.known(name);
        ports.order_rules = Some(match known {
            Some(rules) => rules,
            None => {
                let text = ports.load_workflow()?;
                let record = &ports.staged.record;
                let (id, version) = (&*record.workflow_id, &*record.workflow_version);
                let rules = OrderRules::of(id, version, &text);
                self.rules.keep((id, version), rules)
            }
        });
        Ok(())
    }

    /// Have the component at hand, if the store has it.
    fn fetch(&mut self, digest: &str, store: &mut dyn Store) -> Result<(), StoreError> {
        if self.library.bytes(digest).is_some() {
            return Ok(());
        }
        let Some(bytes) = store.component(digest)? else {
            return Ok(());
        };
        match self.library.add_copy(bytes) {
            Ok(found) if found == digest => Ok(()),
            Ok(found) => Err(StoreError::Corrupt {
                place: format!("component {digest}"),
                detail: format!("its bytes have the digest {found}"),
            }),
            Err(error) => Err(StoreError::Corrupt {
                place: format!("component {digest}"),
                detail: error.to_string(),
            }),
        }
    }

    /// The execution is about to be used: is what is cached still a part of
    /// its log? Others may have written to it, which is well, or to another
    /// log of the same name, which is not.
    pub(crate) fn compare(
        &mut self,
        record: &ExecutionRecord,
        store: &mut dyn Store,
    ) -> Result<(), StoreError> {
        let Some(guest) = self.live.get(&record.guest_digest) else {
            return Ok(());
        };
        let cached = guest.busy.get(&record.id);
        let Some(head) = cached.or_else(|| guest.idle.get(&record.id)) else {
            return Ok(());
        };
        if *head == record.head {
            return Ok(());
        }
        let same_past = head.sequence < record.head.sequence
            && match store.events(record.id, head.sequence, 1) {
                Ok(events) => events.first().is_some_and(|stored| stored.head() == *head),
                // What is damaged shows when the guest reads it anew.
                Err(StoreError::Corrupt { .. }) => false,
                Err(error) => return Err(error),
            };
        if !same_past {
            let digest = record.guest_digest.clone();
            self.forget(&digest, record.id);
        }
        Ok(())
    }

    /// The turn was committed: what the guests hold is what is stored.
    pub(crate) fn committed(&mut self, heads: impl Iterator<Item = (ExecutionId, Head, Activity)>) {
        for (id, head, going) in heads {
            let Some(digest) = self.uncommitted.remove(&id) else {
                continue;
            };
            if going == Activity::Ended {
                self.forget(&digest, id);
            } else {
                self.remember(&digest, id, head, going);
            }
        }
        // Starts that were refused.
        self.forget_uncommitted();
        self.library.trim();
    }

    /// The turn was not committed: what the guests hold may be wrong.
    pub(crate) fn not_committed(&mut self) {
        // Workflows that the turn registered are not, and the store may be another.
        self.rules.clear();
        self.forget_uncommitted();
    }

    fn forget_uncommitted(&mut self) {
        for (id, digest) in std::mem::take(&mut self.uncommitted) {
            self.forget(&digest, id);
        }
    }

    /// All instances are dropped: what they hold may be half done.
    pub(crate) fn discard(&mut self) {
        self.live.clear();
        self.uncommitted.clear();
    }

    fn remember(&mut self, digest: &str, id: ExecutionId, head: Head, going: Activity) {
        let Some(guest) = self.live.get_mut(digest) else {
            return;
        };
        let (cached, other, max) = match going {
            Activity::Busy => (&mut guest.busy, &mut guest.idle, CACHED_EXECUTIONS_MAX),
            Activity::Idle | Activity::Ended => (&mut guest.idle, &mut guest.busy, CACHED_IDLE_MAX),
        };
        other.remove(&id);
        cached.insert(id, head);
        // What a guest has freed it keeps; only a fresh one is small again.
        if guest.instance.memory_bytes() > CACHE_BYTES_MAX && cached.len() + other.len() > 1 {
            self.live.remove(digest);
            return;
        }
        if cached.len() > max
            && let Some((oldest, _)) = cached.pop_front()
        {
            self.forget(digest, oldest);
        }
    }

    /// Drop what a guest has cached for an execution.
    pub(crate) fn forget(&mut self, digest: &str, id: ExecutionId) {
        let Some(guest) = self.live.get_mut(digest) else {
            return;
        };
        guest.busy.remove(&id);
        guest.idle.remove(&id);
        // A guest that cannot even forget forgets with its instance.
        if guest.instance.forget(id).is_err() {
            self.live.remove(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::{CallLimits, Sandbox};

    /// Guests that differ in their digest alone: by a section that nobody reads.
    fn some_guests(library: &mut Library, count: u8) -> Vec<String> {
        let built_in = library.bytes(library.built_in()).expect("it is there");
        let built_in = built_in.to_vec();
        let guest = |n| {
            let mut bytes = built_in.clone();
            bytes.extend([0, 2, 1, b'a' + n]);
            library.add(bytes).expect("it is a component")
        };
        (0..count).map(guest).collect()
    }

    fn library(memory_bytes_max: usize) -> Library {
        let limits = CallLimits {
            memory_bytes_max,
            ..CallLimits::default()
        };
        Library::new(Sandbox::new(limits).expect("wasmtime runs here"))
    }

    fn held(guests: &Guests) -> usize {
        let instances = guests.live.values().map(|guest| &guest.instance);
        instances.map(Instance::memory_bytes).sum()
    }

    #[test]
    fn the_memory_of_all_guests_together_is_bounded() {
        let mut one = Guests::new(library(1 << 30), String::new());
        let built_in = one.library.built_in().to_owned();
        one.live(&built_in).expect("it starts");
        let memory = held(&one);

        let mut library = library(2 * memory);
        let digests = some_guests(&mut library, 4);
        let mut guests = Guests::new(library, digests[0].clone());
        for digest in digests.iter().cycle().take(9) {
            guests.live(digest).expect("it starts");
            assert!(guests.live.contains_key(digest));
            // Two that wait, and one that may come to hold what two of them do.
            assert!(held(&guests) <= 3 * memory, "{} bytes", held(&guests));
        }
        assert_eq!(guests.live.len(), 3);
        let last: Vec<_> = guests.live.keys().cloned().collect();
        assert_eq!(
            last,
            [&digests[2], &digests[3], &digests[0]].map(String::clone)
        );
    }

    #[test]
    fn nothing_is_compiled_while_a_turn_is_open() {
        let mut library = library(1 << 30);
        let digest = some_guests(&mut library, 1).remove(0);
        let mut guests = Guests::new(library, digest.clone());
        guests.begin_turn();
        assert!(matches!(guests.live(&digest), Err(Failure::Store(_))));
        assert_eq!(guests.end_turn(), Some(digest.clone()));
        guests.compile(&digest);
        guests.begin_turn();
        assert!(guests.live(&digest).is_ok());
        assert_eq!(guests.end_turn(), None);
    }
}
