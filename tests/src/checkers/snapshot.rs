//! Law 10: snapshots are caches, and a cache holds what it caches.

use refrain::guest::Library;
use refrain::replay::fetch_guest;
use refrain::store::Reader;

use crate::memory_ports::MemoryPorts;

use super::atomic::ports;
use super::guest_for_life::snapshot_fits;
use super::{Account, Evidence, Law, Violation};

/// A guest that begins with the stored snapshot knows the same as one that
/// reads the whole log. One that does not fit its log is for law 10, and no
/// host begins with it.
///
/// # Errors
/// The first execution whose snapshot holds something else.
pub fn snapshots_are_what_the_log_says(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in evidence
        .accounts
        .iter()
        .filter(|account| snapshot_fits(account).is_ok())
    {
        holds_the_log(evidence.store, evidence.library, account)
            .map_err(|message| Violation::of(Law::Snapshots, account.record.id, message))?;
    }
    Ok(())
}

fn holds_the_log(
    store: &mut dyn Reader,
    library: &mut Library,
    account: &Account,
) -> Result<(), String> {
    let Some(snapshot) = &account.snapshot else {
        return Ok(());
    };
    fetch_guest(library, store, &snapshot.guest_digest).map_err(|error| error.to_string())?;
    let mut inspect = |ports: MemoryPorts| {
        let mut instance = library
            .instance::<MemoryPorts>(&snapshot.guest_digest)
            .map_err(|error| error.to_string())?;
        let (_, inspection) = instance.inspect(ports, account.record.id);
        inspection.map_err(|error| error.to_string())
    };
    let read = inspect(ports(account))?;
    let restored = inspect(MemoryPorts {
        snapshot: Some(snapshot.clone()),
        ..ports(account)
    })?;
    if read == restored {
        return Ok(());
    }
    Err(format!(
        "a guest that begins with the snapshot of event {} comes to the state {}, and one that reads the log to {}",
        snapshot.sequence, restored.hash, read.hash
    ))
}
