//! Machine code that the clones of a library share: what one of them has compiled, the
//! others need not compile.

#[cfg(feature = "compile")]
use std::sync::Weak;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashlink::LinkedHashMap;
use wasmtime::component::Component;

use super::sandbox::code_bytes;
use crate::limits::CODE_BYTES_MAX;

/// Compiled components by digest. Clones are the same code. It is never locked while
/// something is compiled, so that nobody waits for that.
#[derive(Clone, Default)]
pub(super) struct SharedCode(Arc<Mutex<ByLastUse>>);

/// The same, as long as somebody else uses it.
#[cfg(feature = "compile")]
pub(super) struct WeakSharedCode(Weak<Mutex<ByLastUse>>);

#[cfg(feature = "compile")]
impl WeakSharedCode {
    /// The code, if somebody uses it still.
    pub(super) fn upgrade(&self) -> Option<SharedCode> {
        self.0.upgrade().map(SharedCode)
    }
}

/// The component that was used longest ago comes first.
type ByLastUse = LinkedHashMap<String, Component>;

impl SharedCode {
    /// The code of this component, if one of those who share it has compiled it.
    pub(super) fn get(&self, digest: &str) -> Option<Component> {
        self.components()
            .to_back(digest)
            .map(|component| component.clone())
    }

    /// Shares this code. What was used longest ago is shared no longer, where all is more
    /// than is kept; who uses it has it still.
    pub(super) fn put(&self, digest: &str, component: &Component) {
        keep(&mut self.components(), digest, component);
    }

    /// Shares this code as [`SharedCode::put`] does, unless there is other code of the
    /// component already. Answers what is shared.
    pub(super) fn put_first(&self, digest: &str, component: Component) -> Component {
        let mut components = self.components();
        if let Some(there) = components.get(digest) {
            return there.clone();
        }
        keep(&mut components, digest, &component);
        component
    }

    /// The same code, of which this keeps nothing.
    #[cfg(feature = "compile")]
    pub(super) fn downgrade(&self) -> WeakSharedCode {
        WeakSharedCode(Arc::downgrade(&self.0))
    }

    /// A panic leaves them whole.
    fn components(&self) -> MutexGuard<'_, ByLastUse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(components: &mut ByLastUse, digest: &str, component: &Component) {
    components.insert(digest.to_owned(), component.clone());
    let mut bytes: usize = components.values().map(code_bytes).sum();
    while bytes > CODE_BYTES_MAX
        && let Some((_, dropped)) = components.pop_front()
    {
        bytes -= code_bytes(&dropped);
    }
}

#[cfg(test)]
mod tests {
    use crate::guest::{CallLimits, Library, Sandbox};

    #[test]
    fn what_one_clone_has_compiled_the_others_need_not() {
        let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
        let mut one = Library::new(sandbox);
        let mut other = one.clone();
        let digest = one.built_in().to_owned();
        assert!(!one.is_ready(&digest) && !other.is_ready(&digest));
        one.check(&digest).expect("it is a guest");
        assert!(other.is_ready(&digest));
        other.check(&digest).expect("it is a guest");
        // Bytes that somebody brings to one of them are not at hand in the others.
        let mut brought = one.bytes(&digest).expect("it is there").to_vec();
        brought.extend([0, 2, 1, b'a']);
        let brought = one.add(brought).expect("it is a component");
        assert!(other.bytes(&brought).is_none());
    }
}
