//! Law 8: nothing that was acknowledged is lost, and nothing is invented.

use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, WorkflowStarted};

use super::fenced::is_answer_of;
use super::{Account, Evidence, Law, Receipt, Telling, Violation, in_words};

/// Everything that was told stands in the log: starts with what they were
/// started with, claims at their fence, recorded answers and operators' facts
/// as often as they were acknowledged. The same key starts once.
///
/// # Errors
/// The first acknowledgement that the store does not bear out.
pub fn law8_nothing_lost(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for telling in &evidence.told.tellings {
        match telling {
            Telling::Started { .. } => started(evidence, telling)?,
            Telling::Claimed {
                claim, worker_id, ..
            } => {
                let at_fence = |event: &Event| {
                    event.sequence == claim.fence
                        && matches!(&event.kind, EventKind::NodeStarted(it)
                            if it.node_id == claim.node_id && it.attempt == claim.attempt
                                && it.worker_id == *worker_id)
                };
                let mut log = evidence
                    .account(claim.execution)
                    .into_iter()
                    .flat_map(Account::log);
                if !log.any(at_fence) {
                    let message = format!(
                        "{worker_id} was given attempt {} of node {:?}, and the log does not say so",
                        claim.attempt, claim.node_id
                    );
                    return lost(claim.execution, Some(claim.fence), message);
                }
            }
            Telling::Answered {
                claim,
                offer,
                receipt: Receipt::Recorded | Receipt::AlreadyRecorded,
            } => {
                let same = |kind: &EventKind| is_answer_of(kind, claim) && offer.is(kind);
                if count(evidence, claim.execution, same) == 0 {
                    let message = format!(
                        "the answer for node {:?} with fence {} was acknowledged, and is not in the log",
                        claim.node_id, claim.fence
                    );
                    return lost(claim.execution, None, message);
                }
            }
            _ => {}
        }
    }
    operators_facts(evidence)?;
    keys(evidence)
}

fn lost(execution: ExecutionId, sequence: Option<u64>, message: String) -> Result<(), Violation> {
    Err(Violation {
        sequence,
        ..Violation::of(Law::NothingLost, execution, message)
    })
}

/// How many events of an execution are so. What a fork has in common with its origin
/// was told to others.
fn count(evidence: &Evidence<'_>, id: ExecutionId, is_so: impl Fn(&EventKind) -> bool) -> usize {
    let Some(account) = evidence.account(id) else {
        return 0;
    };
    let own = account.log().filter(|it| it.sequence > account.common());
    own.filter(|event| is_so(&event.kind)).count()
}

/// How many events of an execution are so, with those that a fork has in common with
/// its origin.
fn count_all(
    evidence: &Evidence<'_>,
    id: ExecutionId,
    is_so: impl Fn(&EventKind) -> bool,
) -> usize {
    let events = evidence.account(id).into_iter().flat_map(Account::log);
    events.filter(|event| is_so(&event.kind)).count()
}

fn started(evidence: &Evidence<'_>, telling: &Telling) -> Result<(), Violation> {
    let Telling::Started {
        execution,
        tenant,
        key,
        workflow: (workflow_id, version),
        input,
    } = telling
    else {
        return Ok(());
    };
    let as_told = |it: &WorkflowStarted| {
        (&it.tenant, &it.key) == (tenant, key)
            && (&it.workflow_id, &it.workflow_version) == (workflow_id, version)
            && it.initial_input == *input
    };
    let stands = |kind: &EventKind| matches!(kind, EventKind::WorkflowStarted(it) if as_told(it));
    if count(evidence, *execution, stands) == 1 {
        return Ok(());
    }
    let message = "its start was acknowledged, and is not in the store".to_owned();
    lost(*execution, None, message)
}

/// As often as each was acknowledged, and no more often than it was asked for.
fn operators_facts(evidence: &Evidence<'_>) -> Result<(), Violation> {
    let mut asked: BTreeMap<ExecutionId, Vec<(&EventKind, usize, usize)>> = BTreeMap::new();
    for telling in &evidence.told.tellings {
        let Telling::Acknowledged {
            execution,
            fact,
            sure,
        } = telling
        else {
            continue;
        };
        let facts = asked.entry(*execution).or_default();
        let known = facts.iter_mut().find(|(known, ..)| **known == **fact);
        let (sure, unsure) = (usize::from(*sure), usize::from(!*sure));
        match known {
            Some((_, least, more)) => {
                *least += sure;
                *more += unsure;
            }
            None => facts.push((fact, sure, unsure)),
        }
    }
    for (id, facts) in asked {
        for (fact, least, more) in facts {
            // The same id of an external event counts once (rule R19).
            let most = if has_event_id(fact) { 1 } else { least + more };
            let least = least.min(most);
            let found = match has_event_id(fact) {
                // That it has come before may have been told to the fork's origin.
                true => count_all(evidence, id, |kind| kind == fact),
                false => count(evidence, id, |kind| kind == fact),
            };
            if !(least..=most).contains(&found) {
                let fact = in_words(fact);
                let message = format!(
                    "{fact} was acknowledged {least} times (and {more} times in doubt), and is {found} times in the log"
                );
                return lost(id, None, message);
            }
        }
    }
    Ok(())
}

fn has_event_id(fact: &EventKind) -> bool {
    matches!(fact, EventKind::ExternalEventReceived(it) if it.event_id.is_some())
}

fn keys(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    let mut started: BTreeMap<(String, String), ExecutionId> = BTreeMap::new();
    // Of an erased execution nobody knows the key. Its id is made of it, and stays.
    let kept = |account: &&Account| account.record.erased.is_none();
    for account in evidence.accounts.iter().filter(kept) {
        let Some(EventKind::WorkflowStarted(it)) = account.log().next().map(|event| &event.kind)
        else {
            continue; // That is for law 4 to say.
        };
        let Some(key) = &it.key else {
            continue;
        };
        let (id, key) = (account.record.id, (it.tenant.clone(), key.clone()));
        if id != ExecutionId::of_key(&key.0, &key.1) {
            return lost(
                id,
                None,
                format!("its id is not that of its key {:?}", key.1),
            );
        }
        if account.record.erased.is_none() && it.key != account.record.key {
            let message = format!(
                "the key {:?} started it, and its record says another",
                key.1
            );
            return lost(id, None, message);
        }
        if let Some(other) = started.insert(key.clone(), id) {
            return lost(
                id,
                None,
                format!("the key {:?} started it, and {other} before", key.1),
            );
        }
    }
    Ok(())
}
