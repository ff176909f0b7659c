//! Law 9: what `explain` says of a node is what becomes of it next.

use proptest::prelude::*;
use refrain_guest::apply::apply;
use refrain_guest::contract::{Event, EventKind, Explanation, ReasonTopic};
use refrain_guest::decide::decide;
use refrain_guest::explain::explain;
use refrain_guest::machine::Machine;
use refrain_guest::strategies::{History, Workflow};
use refrain_guest::time::Timestamp;

use crate::properties::ledger::subject;
use crate::properties::machines::begun;
use crate::properties::{holds, lives};

/// At each event: what is decided next was told of its node.
#[test]
fn law9_what_is_decided_next_was_explained() {
    holds(120, lives(), |history| {
        at_each_event(&history, |machine, event| {
            let decision = decide(machine, Timestamp(event.at), u32::MAX);
            let Some(decision) = decision.map(|decision| decision.event) else {
                return Ok(());
            };
            if let Some(node) = subject(&decision.kind) {
                let explanation = explain(machine, node).expect("a node");
                prop_assert!(
                    foretells(&explanation, &decision.kind),
                    "{decision:?} was not foretold at {}: {explanation:?}",
                    event.sequence
                );
            }
            Ok(())
        })
    });
}

/// At each event after which nothing is decided: nothing is foretold.
#[test]
fn law9_nothing_is_foretold_where_nothing_is_decided() {
    holds(120, lives(), |history| {
        at_each_event(&history, |machine, event| {
            if decide(machine, Timestamp(event.at), u32::MAX).is_some() {
                return Ok(());
            }
            for node in &machine.plan().nodes {
                let explanation = explain(machine, &node.id).expect("a node");
                prop_assert!(
                    !is_promised(&explanation),
                    "nothing is decided at {}: {explanation:?}",
                    event.sequence
                );
            }
            Ok(())
        })
    });
}

/// A node's own decision is promised for the next step; what time or an
/// operator or the ending brings is told with that as the reason.
fn foretells(explanation: &Explanation, decision: &EventKind) -> bool {
    let tells = |topics: &[ReasonTopic]| {
        explanation
            .reasons
            .iter()
            .any(|reason| topics.contains(&reason.topic))
    };
    match decision {
        EventKind::NodeTimedOut(_) | EventKind::TimerFired(_) => tells(&[ReasonTopic::Time]),
        EventKind::NodeCancelled(_) => tells(&[ReasonTopic::Execution, ReasonTopic::Operator]),
        _ => is_promised(explanation) || tells(&[ReasonTopic::Time, ReasonTopic::Operator]),
    }
}

fn is_promised(explanation: &Explanation) -> bool {
    let mut messages = explanation.reasons.iter().map(|reason| &reason.message);
    messages.any(|message| message.contains("next step") || message.contains("will be skipped"))
}

fn at_each_event(
    history: &History,
    check: impl Fn(&Machine, &Event) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let workflow: &Workflow = history.workflow();
    let mut machine = begun(workflow, &history.log()[0]);
    check(&machine, &history.log()[0])?;
    for event in &history.log()[1..] {
        apply(&mut machine, event).expect("the log is legal");
        check(&machine, event)?;
    }
    Ok(())
}
