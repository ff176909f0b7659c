//! How a turn is written, and how the engine goes on when it could not be.
//!
//! ```text
//! written           the guests hold what is stored
//! conflict          the guests forget, and the turn is done anew: without the executions that
//!                   conflict and those that are linked with them, which come into the next
//! failed            the guests forget, and the callers are told
//! outcome unknown   the store is opened anew and its heads compared, before anyone is told
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{CONFLICTS_PER_TURN_MAX, REOPENS_MAX};
use crate::store::{
    CommitError, ExecutionChange, ExecutionRecord, RawEvent, StoreError, Turn, ended,
};

use crate::live::cache::nothing_due::NothingDue;
use crate::live::turn::core::Core;
use crate::live::turn::damaged::damaged_at_commit;
use crate::live::turn::fill::{fill, fill_with_release};
use crate::live::turn::open_turn::Effects;
use crate::live::turn::report;
use crate::live::turn::write::Write;
use crate::live::values::ending::Ending;
use crate::live::values::work::ClaimId;

/// Fills and commits a turn, and does so anew after a conflict. Writes that come
/// meanwhile join `writes`, as long as these are fewer than `writes_max`.
pub(in crate::live) fn run_turn(
    core: &mut Core,
    writes: &mut Vec<Box<dyn Write>>,
    writes_max: usize,
    more: &mut dyn FnMut() -> Option<Box<dyn Write>>,
) -> Result<Effects, EngineError> {
    run(core, &mut |core| fill(core, writes, writes_max, more))
}

/// Writes a turn in which this claim is given back, and nothing else is done.
pub(in crate::live) fn run_release(
    core: &mut Core,
    claim: &ClaimId,
) -> Result<Effects, EngineError> {
    loop {
        match run(core, &mut |core| fill_with_release(core, claim)) {
            Err(error)
                if error.is_contended() && core.conflicts.is_tried_again(claim.execution) => {}
            written => return written,
        }
    }
}

/// Fills a turn; `None` if it is to be done anew.
type Fill<'a> = dyn FnMut(&mut Core) -> Result<Option<(Turn, Effects)>, EngineError> + 'a;

fn run(core: &mut Core, fill: &mut Fill<'_>) -> Result<Effects, EngineError> {
    let now = core.time.monotonic();
    if core.conflicts.begin_turn(now) {
        core.known.nothing_due.invalidate();
    }
    let mut conflicts = 0;
    loop {
        match try_turn(core, fill) {
            Ok(effects) => return Ok(effects),
            // This happens once for each guest: it is compiled then, or known to be
            // none.
            Err(CommitFailure::NotCompiled(digest)) => core.guests.compile(&digest),
            // The turn leaves out what is set aside since, so this comes to an end.
            Err(CommitFailure::Without) => {}
            Err(CommitFailure::ConflictOf(group, detail)) if leave_out(core, &group, &detail) => {}
            Err(CommitFailure::Conflict(detail) | CommitFailure::ConflictOf(_, detail))
                if conflicts < CONFLICTS_PER_TURN_MAX =>
            {
                tracing::debug!("a turn is done anew: {detail}");
                conflicts += 1;
            }
            Err(CommitFailure::Conflict(detail) | CommitFailure::ConflictOf(_, detail)) => {
                return Err(StoreError::Io {
                    place: "the store".to_owned(),
                    detail: format!("a turn conflicts again and again: {detail}"),
                }
                .into());
            }
            Err(CommitFailure::Failed(error)) => return Err(error),
        }
    }
}

/// Leaves a group out of the turn that conflicts. Says whether the turn is another one
/// without it.
fn leave_out(core: &mut Core, group: &BTreeSet<ExecutionId>, detail: &str) -> bool {
    let (place, now) = (core.store.get().place(), core.time.monotonic());
    let error = |execution| StoreError::Contended {
        place: place.clone(),
        execution,
        detail: detail.to_owned(),
    };
    let told = core.conflicts.leave_out(group, now, error);
    tracing::debug!(
        "a turn is done anew without {} executions: {detail}",
        group.len()
    );
    for error in told.iter().flatten() {
        core.set_aside.say(&error.to_string());
    }
    told.is_some()
}

fn try_turn(core: &mut Core, fill: &mut Fill<'_>) -> Result<Effects, CommitFailure> {
    core.begin()?;
    core.guests.begin_turn();
    let filled = fill(core);
    if let Some(digest) = core.guests.end_turn() {
        core.store.get().rollback();
        not_committed(core);
        return Err(CommitFailure::NotCompiled(digest));
    }
    match filled {
        Ok(None) => {
            core.store.get().rollback();
            not_committed(core);
            Err(CommitFailure::Without)
        }
        Ok(Some((turn, mut effects))) if is_empty(&turn) => {
            core.store.get().rollback();
            committed(core, turn, &mut effects);
            Ok(effects)
        }
        Ok(Some((turn, effects))) => commit(core, turn, effects),
        Err(error) => {
            core.store.get().rollback();
            not_committed(core);
            Err(CommitFailure::Failed(error))
        }
    }
}

fn commit(core: &mut Core, turn: Turn, mut effects: Effects) -> Result<Effects, CommitFailure> {
    let written = match core.store.get().commit(&turn) {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict { executions, detail }) => {
            let group = effects.links.linked_with(executions);
            Err(CommitFailure::ConflictOf(group, detail))
        }
        Err(CommitError::Failed(error)) => Err(CommitFailure::from(error)),
        Err(CommitError::Damaged { execution, error }) => without(core, &turn, execution, error),
        Err(CommitError::Unknown(error)) => resolve_unknown_outcome(core, &turn, &error),
    };
    match written {
        Ok(()) => {
            effects.written = true;
            core.scope.written(&turn);
            core.time.wrote(effects.now);
            committed(core, turn, &mut effects);
            Ok(effects)
        }
        Err(CommitFailure::ConflictOf(group, detail)) => {
            conflicting(core, &group);
            Err(CommitFailure::ConflictOf(group, detail))
        }
        Err(trouble) => {
            not_committed(core);
            Err(trouble)
        }
    }
}

/// One execution could not be written. The turn can be written without it, unless
/// the execution only begins in this turn.
fn without(
    core: &mut Core,
    turn: &Turn,
    id: ExecutionId,
    error: StoreError,
) -> Result<(), CommitFailure> {
    let changes = &mut turn.executions.iter();
    let stored = changes.any(|it| it.record.id == id && it.expected.sequence > 0);
    let failed = CommitFailure::Failed(EngineError::Store(Arc::new(StoreError::Unwritable {
        place: core.store.get().place(),
        detail: error.to_string(),
    })));
    if stored && damaged_at_commit(core, id, error) {
        return Err(CommitFailure::Without);
    }
    Err(failed)
}

/// The turn is written: caches hold what is stored now. Executions that have ended
/// leave them.
fn committed(core: &mut Core, mut turn: Turn, effects: &mut Effects) {
    core.children.written(&turn);
    for change in &mut turn.executions {
        let ExecutionRecord { id, status, .. } = change.record;
        effects.changed.push(id);
        if ended(status) {
            let last = change.events.pop().map(|it| it.into_stored().event.kind);
            let ending = last.map(|last| Ending::of(status, Some(last)));
            effects.ended.push((id, ending));
        }
    }
    let unchanged = effects.left.iter().filter_map(|left| left.record.as_ref());
    let ended_before = unchanged.filter(|record| ended(record.status));
    effects
        .ended
        .extend(ended_before.map(|record| (record.id, None)));
    for (id, _) in &effects.ended {
        core.scope.leave(*id);
        core.breakpoints.leave(*id);
    }
    let mut changes = turn.executions.into_iter();
    let left = effects.left.drain(..);
    let executions: Vec<_> = left.filter_map(|left| left.known(&mut changes)).collect();
    core.known.nothing_due.invalidate();
    core.set_aside.marked(|id| core.conflicts.holds(id));
    core.conflicts.committed();
    let asked = core.guests.take_asked();
    core.known.written(executions, asked, &mut core.guests);
    core.guests.trim();
}

/// The turn is not written: caches may be wrong now, and forget.
fn not_committed(core: &mut Core) {
    core.children.forget();
    core.guests.not_committed();
    core.known.forget_all();
}

/// The turn is not written, because of these executions: copies of others hold still.
fn conflicting(core: &mut Core, group: &BTreeSet<ExecutionId>) {
    if group.is_empty() {
        return not_committed(core);
    }
    core.children.forget();
    core.guests.not_committed();
    for id in group {
        core.known.forget(*id);
    }
    core.known.nothing_due = NothingDue::default();
}

/// Finds out whether a turn was written whose commit failed half way: reopens the
/// store and compares heads. A turn is written whole or not at all, so one execution
/// is enough.
fn resolve_unknown_outcome(
    core: &mut Core,
    turn: &Turn,
    error: &StoreError,
) -> Result<(), CommitFailure> {
    let text = format!("whether a turn was written has to be found out: {error}");
    report::warning(core, "unknown", &text);
    reopen(core)?;
    let with_events = |change: &&ExecutionChange| !change.events.is_empty();
    let Some(change) = turn.executions.iter().find(with_events) else {
        let detail = "it held no events, and is done anew".to_owned();
        return Err(CommitFailure::Conflict(detail));
    };
    let ExecutionRecord { id, head, .. } = change.record;
    // Its bytes are not looked at: somebody may have erased it since.
    let stored = core.store.get().raw_events(id, head.sequence, 1)?;
    let is_it = |raw: &RawEvent| raw.sequence == head.sequence && raw.hash == head.hash;
    if stored.first().is_some_and(is_it) {
        return Ok(());
    }
    Err(CommitFailure::Conflict(format!(
        "event {} of {id} was not written",
        head.sequence
    )))
}

/// Opens the store anew. No caller is answered before, so this is tried for a while.
fn reopen(core: &mut Core) -> Result<(), StoreError> {
    core.version = None;
    for _ in 1..REOPENS_MAX {
        match core.store.get().reopen() {
            Ok(()) => {
                report::over(core, "reopen");
                return Ok(());
            }
            Err(error) => {
                let text = format!("the store does not open again yet: {error}");
                report::warning(core, "reopen", &text);
            }
        }
        std::thread::sleep(core.settings.reopen_pause);
    }
    core.store.get().reopen()
}

/// A turn panicked: removes all of it, from the store and from memory.
pub(in crate::live) fn undo_turn(core: &mut Core) {
    core.children.forget();
    core.guests.discard();
    core.known.forget_all();
    if core.store.is_here() {
        core.store.get().rollback();
    }
}

/// Why a turn was not written.
enum CommitFailure {
    /// It conflicts with another turn, and is to be done anew.
    Conflict(String),
    /// These executions conflict, with all that are linked with them, and it is to be
    /// done anew without them.
    ConflictOf(BTreeSet<ExecutionId>, String),
    /// It is to be done anew once this guest is compiled, which takes too long to
    /// hold the write lock meanwhile.
    NotCompiled(String),
    /// It is to be done anew, without what is set aside since.
    Without,
    /// The store failed.
    Failed(EngineError),
}

impl From<StoreError> for CommitFailure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

fn is_empty(turn: &Turn) -> bool {
    turn.workflows.is_empty()
        && turn.components.is_empty()
        && turn.executions.is_empty()
        && turn.snapshots.is_empty()
        && turn.erasures.is_empty()
        && turn.outputs.is_empty()
        && turn.children.is_empty()
}
