//! An execution's state as bytes, and back: a cache, never a source.
//!
//! The bytes are the SHA-256 of what follows, the version of the form, and the
//! state. The agenda is not among them: it follows from the state. The chain
//! hash of the last event is the host's to fill in and to verify.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::contract::Snapshot;
use crate::machine::Machine;
use crate::state::State;
use crate::workflow::Plan;

/// The version of the form. Another one is refused, and the log read instead.
const VERSION: u32 = 6;

const DIGEST_BYTES: usize = 32;

/// A snapshot, with an empty head.
#[must_use]
pub fn take(machine: &Machine) -> Snapshot {
    let body = postcard::to_allocvec(&(VERSION, &machine.state)).expect("a state can be written");
    let mut bytes: Vec<u8> = Sha256::digest(&body).to_vec();
    bytes.extend(body);
    Snapshot {
        guest_digest: machine.state.guest_digest.clone(),
        sequence: machine.state.sequence,
        head: String::new(),
        state: bytes,
    }
}

/// The machine that a snapshot holds.
///
/// # Errors
/// It is damaged, of another form, or of another workflow.
pub fn restore(
    plan: Arc<Plan>,
    workflow_digest: &str,
    snapshot: &Snapshot,
) -> Result<Machine, String> {
    resume(plan, workflow_digest, snapshot, state(snapshot)?)
}

/// The machine of a snapshot whose state has been read.
pub(crate) fn resume(
    plan: Arc<Plan>,
    workflow_digest: &str,
    snapshot: &Snapshot,
    state: State,
) -> Result<Machine, String> {
    check(&plan, workflow_digest, snapshot, &state)?;
    Ok(Machine::in_state(plan, state))
}

/// The state that a snapshot holds.
///
/// # Errors
/// It is damaged, or of another form.
pub(crate) fn state(snapshot: &Snapshot) -> Result<State, String> {
    let Some((digest, body)) = snapshot.state.split_at_checked(DIGEST_BYTES) else {
        return Err(format!(
            "it has {} bytes, too few to be a snapshot",
            snapshot.state.len()
        ));
    };
    if Sha256::digest(body).as_slice() != digest {
        return Err("its bytes are not those that were written".to_string());
    }
    let (version, rest) =
        postcard::take_from_bytes::<u32>(body).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!(
            "it is of version {version}, and this guest reads version {VERSION}"
        ));
    }
    postcard::from_bytes(rest).map_err(|error| error.to_string())
}

fn check(
    plan: &Plan,
    workflow_digest: &str,
    snapshot: &Snapshot,
    state: &State,
) -> Result<(), String> {
    if (&state.guest_digest, state.sequence) != (&snapshot.guest_digest, snapshot.sequence) {
        return Err(format!(
            "it says to be of guest {} at sequence {}, but holds guest {} at sequence {}",
            snapshot.guest_digest, snapshot.sequence, state.guest_digest, state.sequence
        ));
    }
    if state.started.workflow_digest != workflow_digest {
        return Err("it is of another workflow".to_string());
    }
    if (state.nodes.len(), state.edges.len()) != (plan.nodes.len(), plan.edges.len()) {
        return Err("its nodes and edges are not those of the workflow".to_string());
    }
    Ok(())
}
