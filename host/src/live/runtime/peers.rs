//! Between turns: what others did, and whom it concerns. Nothing here writes.

use crate::error::EngineError;
use crate::store::{StoreError, Timestamp, ended};

use super::observers::Observers;
use super::schedule::Schedule;
use crate::live::execution::claimed::holds;
use crate::live::turn::child_rows;
use crate::live::turn::core::Core;
use crate::live::turn::report;

/// Have others committed? Then what they did may concern us. The error says why
/// the next turn could not be planned.
pub(in crate::live) fn notice_others(
    core: &mut Core,
    observers: &Observers,
    schedule: &mut Schedule,
) -> Result<(), EngineError> {
    let version = match core.store.get().version() {
        Ok(version) => version,
        Err(error) => {
            let text = format!("the store's version cannot be read: {error}");
            report::error(core, "version", &text);
            let error = EngineError::from(error);
            if error.is_store_gone() {
                store_is_gone(core, observers, &error);
            }
            return Ok(());
        }
    };
    observers.store_is_there();
    report::over(core, "version");
    if core.version == Some(version) {
        return Ok(());
    }
    // What was known is of another version.
    core.known.as_of(version);
    match core.store.get().changed_since(core.seen_up_to) {
        Ok((Some(changed), seen_up_to)) => {
            core.seen_up_to = seen_up_to;
            observers.others_committed(&changed);
        }
        Ok((None, seen_up_to)) => {
            core.seen_up_to = seen_up_to;
            observers.any_committed();
        }
        Err(error) => {
            let text = format!("whose logs others have appended to cannot be read: {error}");
            report::error(core, "changes", &text);
            observers.any_committed();
        }
    }
    match look_around(core, observers, version) {
        Ok((now, has_work)) => {
            core.version = Some(version);
            schedule.looked();
            if has_work {
                schedule.ask();
            }
            let planned = schedule.plan(core, now);
            report::over(core, "others");
            planned?;
        }
        Err(error) => {
            let text = format!("others' commits cannot be read: {error}");
            report::error(core, "others", &text);
            // The version does not count as seen: nobody tells of these commits again.
            schedule.look_again();
        }
    }
    Ok(())
}

/// What was opened is no longer there: nobody waits for what cannot come,
/// and nobody works for a result that cannot be kept.
pub(in crate::live) fn store_is_gone(core: &mut Core, observers: &Observers, error: &EngineError) {
    observers.store_is_gone(error);
    core.waiting_claims.fail(error);
    core.pool.stop_all();
}

/// Was the process of a lease's holder killed? Then a turn is due that ends its
/// claims.
pub(in crate::live) fn notice_gone_workers(core: &mut Core, schedule: &mut Schedule) {
    match look_for_gone_workers(core) {
        Ok(news) => {
            report::over(core, "holders");
            if news {
                schedule.ask();
            }
        }
        Err(error) => {
            let text = format!("who holds leases cannot be read: {error}");
            report::error(core, "holders", &text);
        }
    }
}

/// After others' commits: own claims that no longer hold are stopped, and watchers
/// told of executions that ended. Answers what time it is, and whether a turn would
/// find something to do.
fn look_around(
    core: &mut Core,
    observers: &Observers,
    version: u64,
) -> Result<(Timestamp, bool), StoreError> {
    for claim in core.pool.running_claims() {
        let item = core.store.get().item(claim.execution, &claim.node_id);
        let item = core
            .set_aside
            .others_go_on(claim.execution, item)?
            .flatten();
        if !item.is_some_and(|record| holds(&record, &claim)) {
            core.pool.stop(&claim);
        }
    }
    for id in observers.watched() {
        let record = core.store.get().execution(id);
        let record = core.set_aside.others_go_on(id, record)?.flatten();
        if record.is_some_and(|record| ended(record.status)) {
            observers.ended(id, None);
        }
    }
    core.set_aside.as_of(version);
    child_rows::look(core, version)?;
    core.time.look(core.store.get())?;
    let now = core.now();
    Ok((now, has_work(core, now)?))
}

/// Whether a turn would find something to do. Asked without the write lock, so
/// that idle engines do not stand in each other's way.
fn has_work(core: &mut Core, now: Timestamp) -> Result<bool, StoreError> {
    let simulated = core.settings.simulated;
    let leases_until = core.ends_leases_until(now);
    let queues = core.free_queues();
    let tenant = core.settings.tenant.clone();
    let mut agenda = core.agenda();
    if simulated
        || !agenda.due(now, None, 1)?.found.is_empty()
        || !agenda.expired(leases_until, 1)?.found.is_empty()
    {
        return Ok(true);
    }
    for queue in queues {
        let claimable = agenda.claimable(&tenant, &queue, now, 1, |_| false)?;
        if !claimable.found.is_empty() {
            return Ok(true);
        }
    }
    child_rows::is_any_owed(core)
}

/// At the start and at each fallback poll: is there a holder of a lease whose
/// process is gone, and of whom that was not known?
fn look_for_gone_workers(core: &mut Core) -> Result<bool, StoreError> {
    let now = core.time.monotonic();
    let every = core.settings.fallback_poll;
    if core.settings.simulated || !core.gone_workers.look_is_due(now, every) {
        return Ok(false);
    }
    let holders = core.agenda().lease_holders()?;
    let holders = core.set_aside.named(holders);
    Ok(core.gone_workers.look(holders))
}
