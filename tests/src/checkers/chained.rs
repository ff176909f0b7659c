//! Law 4: the hash chain, and what event 1 binds.

use refrain::model::{Event, EventKind};
use sha2::{Digest, Sha256};

use super::{Account, Evidence, Law, Violation};

/// Every event's hash is SHA-256(hash before ‖ its plain bytes as they are stored
/// ‖ commitment), the commitment SHA-256(salt ‖ its erasable bytes), and the
/// first hash before that of the format's name (of an erased log the commitment stands in
/// the place of the salt, of all events); the record's head is the last, and event 1 binds what the store says of the
/// execution.
///
/// # Errors
/// The first event that is not what was written.
pub fn law4_chained(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    let simulated = evidence.store.is_simulated();
    for account in &evidence.accounts {
        chain(account)?;
        bound(account, simulated)?;
    }
    Ok(())
}

fn chain(account: &Account) -> Result<(), Violation> {
    let id = account.record.id;
    let broken = |sequence, message| Err(Violation::at(Law::Chained, id, sequence, message));
    let mut previous: [u8; 32] = Sha256::digest("refrain-log/2").into();
    for raw in &account.raw {
        let commitment = match (raw.salt.len(), account.record.erased.is_some()) {
            (16, false) => Sha256::new()
                .chain_update(&raw.salt)
                .chain_update(&raw.erasable)
                .finalize()
                .to_vec(),
            (32, true) if raw.erasable.is_empty() => raw.salt.clone(),
            _ => {
                let message = "its salt is no salt, or it is erased and the log is not";
                return broken(raw.sequence, message.to_owned());
            }
        };
        let hash = Sha256::new()
            .chain_update(previous)
            .chain_update(&raw.plain)
            .chain_update(commitment)
            .finalize();
        if raw.hash != hash.as_slice() {
            return broken(
                raw.sequence,
                "its hash is not that of its bytes and of the hash before it".to_owned(),
            );
        }
        previous = hash.into();
    }
    if let Some((sequence, why)) = &account.unreadable {
        return broken(*sequence, format!("its bytes are no event: {why}"));
    }
    if account.record.head.hash != previous {
        return broken(
            account.record.head.sequence,
            "the recorded head has another hash than the chain".to_owned(),
        );
    }
    Ok(())
}

fn bound(account: &Account, simulated: bool) -> Result<(), Violation> {
    let record = &account.record;
    let differs = |what: &str| {
        let message = format!("it binds another {what} than the store holds");
        Err(Violation::at(Law::Chained, record.id, 1, message))
    };
    let Some(Event {
        at,
        kind: EventKind::WorkflowStarted(it),
        ..
    }) = account.log().next()
    else {
        let message = "event 1 is no workflow_started";
        return Err(Violation::at(Law::Chained, record.id, 1, message));
    };
    let text = account
        .workflow
        .as_ref()
        .map(|workflow| hex(&Sha256::digest(&workflow.text)));
    if text.is_none_or(|text| it.workflow_digest != text) {
        return differs("workflow");
    }
    let said = (
        &it.execution_id,
        &it.workflow_id,
        &it.workflow_version,
        &it.tenant,
        &it.key,
        it.simulated,
        *at,
    );
    let id = record.id.to_string();
    // The key of an erased execution starts another one.
    let key = match record.erased {
        None => &record.key,
        Some(_) => &it.key,
    };
    if record.erased.is_some() && record.key.is_some() {
        return differs("key, though it is erased,");
    }
    let held = (
        &id,
        &record.workflow_id,
        &record.workflow_version,
        &record.tenant,
        key,
        simulated,
        record.started_at,
    );
    if said == held {
        Ok(())
    } else {
        differs("beginning")
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
