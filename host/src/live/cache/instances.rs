//! Guests at work: one instance for each digest that executions belong to.
//!
//! How much memory all of them hold is bounded, and none is compiled while a turn
//! is open. An instance can be dropped at any time: a fresh one gives the same
//! answers.

use hashlink::LinkedHashMap;

use crate::guest::{Footprint, Instance, Library, LibraryError};
use crate::id::ExecutionId;
use crate::limits::CACHE_BYTES_MAX;
use crate::live::execution::ports::CallPorts;
use crate::model::SchedulerError;
use crate::store::{Reader, StoreError};

/// How much memory instances may hold together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemoryBounds {
    /// While one is called, all others hold at most so many bytes.
    pub(crate) others_bytes_max: usize,
    /// Between calls, an instance of more than [`CACHE_BYTES_MAX`] is kept if it was asked
    /// about a single execution: it would be as large again at once.
    pub(crate) keeps_large: bool,
}

/// Instances, at most one of each guest.
pub(super) struct Instances {
    library: Library,
    bounds: MemoryBounds,
    /// By digest; the one that was asked longest ago comes first.
    live: LinkedHashMap<String, LiveInstance>,
    /// Whether a turn is open, which is no time to compile.
    in_turn: bool,
    /// The guest that the turn needs and that is not compiled.
    wanted: Option<String>,
}

/// A guest at work.
pub(super) struct LiveInstance {
    pub(super) instance: Instance<CallPorts>,
    /// The first execution that it was asked about.
    first: Option<ExecutionId>,
    /// Whether it was asked about others, too.
    asked_about_several: bool,
}

/// Why a guest gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guest answered with a refusal.
    Refused(SchedulerError),
    /// The guest failed, in a fresh instance too; or there is none.
    Broken(String),
    /// The store failed, and the guest is not to blame.
    Store(StoreError),
}

impl LiveInstance {
    /// The instance, to be asked about an execution.
    pub(super) fn about(&mut self, id: ExecutionId) -> &mut Instance<CallPorts> {
        self.asked_about_several |= *self.first.get_or_insert(id) != id;
        &mut self.instance
    }
}

impl Instances {
    /// No instances yet, of the guests of this library.
    pub(super) fn new(library: Library, bounds: MemoryBounds) -> Self {
        Self {
            library,
            bounds,
            live: LinkedHashMap::new(),
            in_turn: false,
            wanted: None,
        }
    }

    /// The guests that are at hand.
    pub(super) fn library(&self) -> Library {
        self.library.clone()
    }

    /// The bytes of a guest, if the library has it.
    pub(super) fn bytes(&self, digest: &str) -> Option<&[u8]> {
        self.library.bytes(digest)
    }

    /// Notes that a turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.in_turn = true;
        self.wanted = None;
    }

    /// Notes that a turn is over, or as good as that. Answers the guest that it
    /// needed and that is not compiled, if any: nothing of the turn may be kept then.
    pub(super) fn end_turn(&mut self) -> Option<String> {
        self.in_turn = false;
        self.wanted.take()
    }

    /// Compiles a guest, which may take long: nobody must be waiting for a lock
    /// meanwhile.
    pub(super) fn compile(&mut self, digest: &str) -> Result<(), LibraryError> {
        self.library.check(digest)
    }

    /// The instance at work, or a fresh one.
    pub(super) fn get(&mut self, digest: &str) -> Result<&mut LiveInstance, Failure> {
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
                first: None,
                asked_about_several: false,
            };
            self.live.insert(digest.to_owned(), fresh);
        }
        self.live
            .get_mut(digest)
            .ok_or_else(|| Failure::Broken("it left while it was called".to_owned()))
    }

    /// Drops the instance of a guest. What it has cached is only a cache.
    pub(super) fn discard(&mut self, digest: &str) {
        self.live.remove(digest);
    }

    /// Drops all instances.
    pub(super) fn discard_all(&mut self) {
        self.live.clear();
    }

    /// Makes a guest forget an execution.
    pub(super) fn forget(&mut self, digest: &str, id: ExecutionId) {
        let Some(guest) = self.live.get_mut(digest) else {
            return;
        };
        // A guest that cannot even forget forgets with its instance.
        if guest.instance.forget(id).is_err() {
            self.live.remove(digest);
        }
    }

    /// Drops what is more than should be kept between turns, or between questions:
    /// instances that have grown large, and machine code that was not needed for long.
    pub(super) fn trim(&mut self) {
        // What a guest has freed it keeps; only a fresh one is small again.
        let keeps_large = self.bounds.keeps_large;
        self.live.retain(|_, guest| {
            guest.instance.memory_bytes() <= CACHE_BYTES_MAX
                || keeps_large && !guest.asked_about_several
        });
        self.library.trim();
        // A fresh instance runs as machine code.
        if let Some(digest) = self.library.take_over() {
            self.live.remove(digest);
        }
    }

    /// Whether this guest cannot run because this build has no compiler.
    pub(super) fn lacks_compiler(&self, digest: &str) -> bool {
        self.library.lacks_compiler(digest)
    }

    /// Before this guest is called: drops others, those that were asked longest ago
    /// first, until all would stay within their bound however much it comes to hold.
    fn make_room(&mut self, digest: &str) {
        // Most engines have one guest.
        if self.live.len() <= 1 && self.live.keys().all(|it| it == digest) {
            return;
        }
        self.live.to_back(digest);
        // The one that is about to be called may come to hold all that an instance can.
        let room = self.bounds.others_bytes_max;
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

    /// Takes over the component from the store, if only the store has it.
    pub(super) fn fetch(&mut self, digest: &str, store: &mut dyn Reader) -> Result<(), StoreError> {
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

    fn instances(library: Library, others_bytes_max: usize) -> Instances {
        let keeps_large = true;
        Instances::new(
            library,
            MemoryBounds {
                others_bytes_max,
                keeps_large,
            },
        )
    }

    fn memory_of_all(instances: &Instances) -> usize {
        let live = instances.live.values().map(|guest| &guest.instance);
        live.map(Instance::memory_bytes).sum()
    }

    #[test]
    fn the_memory_of_all_guests_together_is_bounded() {
        let mut one = instances(library(1 << 30), 0);
        let built_in = one.library.built_in().to_owned();
        one.get(&built_in).expect("it starts");
        let memory = memory_of_all(&one);

        let mut library = library(2 * memory);
        let digests = some_guests(&mut library, 4);
        let mut instances = instances(library, 2 * memory);
        for digest in digests.iter().cycle().take(9) {
            instances.get(digest).expect("it starts");
            assert!(instances.live.contains_key(digest));
            // Two that wait, and one that may come to hold what two of them do.
            let all = memory_of_all(&instances);
            assert!(all <= 3 * memory, "{all} bytes");
        }
        assert_eq!(instances.live.len(), 3);
        let last: Vec<_> = instances.live.keys().cloned().collect();
        assert_eq!(
            last,
            [&digests[2], &digests[3], &digests[0]].map(String::clone)
        );
    }

    #[test]
    fn nothing_is_compiled_while_a_turn_is_open() {
        let mut library = library(1 << 30);
        let digest = some_guests(&mut library, 1).remove(0);
        let mut instances = instances(library, 1 << 30);
        instances.begin_turn();
        assert!(matches!(instances.get(&digest), Err(Failure::Store(_))));
        assert_eq!(instances.end_turn(), Some(digest.clone()));
        instances.compile(&digest).expect("it is a component");
        instances.begin_turn();
        assert!(instances.get(&digest).is_ok());
        assert_eq!(instances.end_turn(), None);
    }

    #[test]
    fn an_instance_that_was_asked_about_one_execution_knows_that() {
        let mut library = library(1 << 30);
        let digest = some_guests(&mut library, 1).remove(0);
        let mut instances = instances(library, 1 << 30);
        let guest = instances.get(&digest).expect("it starts");
        let (one, other) = (ExecutionId::random(), ExecutionId::random());
        for (id, several) in [(one, false), (one, false), (other, true), (one, true)] {
            guest.about(id);
            assert_eq!(guest.asked_about_several, several);
        }
    }
}
