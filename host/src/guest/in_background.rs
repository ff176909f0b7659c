//! The compilation of the built-in component while it is interpreted already.
//!
//! It has a thread of its own, which nobody waits for: a process may end while it works.
//! There is one such compilation at a time in a process, so that a second library finds
//! what the first one has put into the cache.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use wasmtime::component::Component;

use super::shared_code::{SharedCode, WeakSharedCode};
use super::{ComponentError, Sandbox};

/// The stack of the thread, as deep as that of other compilations.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Held while the built-in component is compiled.
static COMPILES: Mutex<()> = Mutex::new(());

/// Begins to compile it. The machine code is shared when it is ready, if any library is
/// left then that could use it.
pub(super) fn start(
    sandbox: &Sandbox,
    shared: &SharedCode,
    digest: &str,
    bytes: &Arc<Cow<'static, [u8]>>,
) {
    let (sandbox, shared) = (sandbox.clone(), shared.downgrade());
    let (digest, bytes) = (digest.to_owned(), Arc::clone(bytes));
    let spawned = thread::Builder::new()
        .name("refrain-compile".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || compile(&sandbox, &shared, &digest, &bytes));
    if let Err(error) = spawned {
        tracing::warn!(
            "the scheduler component stays interpreted, which is slow: no thread can be started: {error}"
        );
    }
}

fn compile(sandbox: &Sandbox, shared: &WeakSharedCode, digest: &str, bytes: &[u8]) {
    let place = place();
    let is_wanted = shared
        .upgrade()
        .is_some_and(|shared| machine_code(sandbox, &shared, digest).is_none());
    if !is_wanted {
        return;
    }
    let compiled = sandbox.compile_built_in(digest, bytes);
    drop(place);
    match (compiled, shared.upgrade()) {
        (Ok(component), Some(shared)) => {
            shared.put(digest, &component);
            tracing::debug!("the built-in scheduler component runs as machine code from now on");
        }
        (Ok(_), None) => {}
        (Err(error), _) => {
            tracing::warn!("the scheduler component stays interpreted, which is slow: {error}");
        }
    }
}

/// Compiles it in this thread, after a compilation that is at work.
pub(super) fn wait(
    sandbox: &Sandbox,
    shared: &SharedCode,
    digest: &str,
    bytes: &[u8],
) -> Result<Component, ComponentError> {
    let place = place();
    if let Some(component) = machine_code(sandbox, shared, digest) {
        return Ok(component);
    }
    let component = sandbox.compile_built_in(digest, bytes)?;
    drop(place);
    shared.put(digest, &component);
    Ok(component)
}

/// The shared code, unless that is the bytecode.
fn machine_code(sandbox: &Sandbox, shared: &SharedCode, digest: &str) -> Option<Component> {
    let code = shared.get(digest);
    code.filter(|code| !sandbox.is_stopgap(code))
}

/// There is nothing behind the lock that a panic could leave half done.
fn place() -> MutexGuard<'static, ()> {
    COMPILES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::guest::{CallLimits, Library, Sandbox};

    /// A sandbox that keeps code in this folder and nowhere else.
    fn sandbox(folder: &tempfile::TempDir) -> Sandbox {
        let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
        sandbox.keeping_code_in(folder.path().join("code"))
    }

    #[test]
    fn the_built_in_guest_is_interpreted_until_its_machine_code_is_ready() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = sandbox(&folder);
        let mut library = Library::new(sandbox.clone());
        let digest = library.built_in().to_owned();
        library.check(&digest).expect("it is a guest");
        assert!(library.is_interpreting());
        assert_eq!(library.take_over(), None);
        let mut clone = library.clone();

        library.wait_until_compiled(&digest).expect("it is a guest");
        assert!(!library.is_interpreting());
        assert!(clone.is_interpreting());
        assert_eq!(clone.take_over(), Some(&*digest));
        assert!(!clone.is_interpreting());
        assert_eq!(clone.take_over(), None);

        // The next process finds the code, whole and by its name.
        let mut files = fs::read_dir(folder.path().join("code")).expect("the cache");
        let file = files.next().expect("the code").expect("a file");
        assert!(files.next().is_none());
        assert_eq!(file.path().extension(), None);
        let mut later = Library::new(sandbox);
        later.check(&digest).expect("it is a guest");
        assert!(!later.is_interpreting());
    }

    #[test]
    fn what_nobody_uses_any_more_is_not_compiled() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = sandbox(&folder);
        let shared = super::SharedCode::default();
        let unused = shared.downgrade();
        drop(shared);
        // These bytes could not be compiled.
        super::compile(&sandbox, &unused, "0", b"no component");
        let mut files = fs::read_dir(folder.path().join("code")).expect("the cache");
        assert!(files.next().is_none());
    }
}
