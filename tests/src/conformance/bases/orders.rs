//! Logs of hosts that took orders from a scheduler which they should not have taken.

use anyhow::Result;
use refrain::ExecutionId;
use refrain::log::digest::work_item_digest;
use refrain::model::{Digest, Event, EventKind, NodeScheduled, Origin, WorkItem, WorkflowStarted};

use super::super::source::Source;
use crate::chained;
use crate::engines::BEGIN;
use crate::ordering_guest::{
    IMPORTS, KIND, TEMPLATES, WORKFLOW, decision, guest, lawful, of_expressions, of_secrets,
    of_undo, payload, with,
};
use crate::wat_guest::WatGuest;

/// What is ordered in each log. Only the first four are what the workflow holds.
fn ordered() -> Vec<(&'static str, WorkItem)> {
    let command = |text: &str| of_expressions(text);
    vec![
        ("as_the_workflow_has_it", lawful()),
        (
            "with_values_of_expressions",
            command(r#"{"type":"command","argv":["echo","Hi ; rm -rf /!",[1]],"cwd":"/tmp"}"#),
        ),
        (
            "an_undo",
            of_undo("b!undo", r#"{"type":"http","url":"http://h/7"}"#),
        ),
        (
            "with_a_template_for_the_worker",
            of_secrets(
                "http://h/${secret.X}",
                "${secret.KEY} $${secret.X}",
                TEMPLATES,
            ),
        ),
        (
            "of_no_node",
            with(|item| item.node_id = "nowhere".to_owned()),
        ),
        (
            "for_another_queue",
            with(|item| item.queue = "command".to_owned()),
        ),
        ("with_more_attempts", with(|item| item.max_attempts = 1000)),
        ("of_a_later_attempt", with(|item| item.attempt = 2)),
        ("more_urgent", with(|item| item.priority = 9)),
        (
            "of_another_tenant",
            with(|item| item.tenant = "another".to_owned()),
        ),
        (
            "of_another_program",
            with(|item| {
                item.payload = payload("a", r#"{"type":"command","argv":["sh","-c","id"]}"#, "");
            }),
        ),
        (
            "with_a_payload_of_another_node",
            with(|item| item.payload = payload("b", KIND, "")),
        ),
        (
            "with_a_second_kind",
            with(|item| item.payload = payload("a", KIND, r#","\u006bind":{"type":"tool"}"#)),
        ),
        (
            "with_another_literal",
            command(r#"{"type":"command","argv":["echo","Bye Zoë!",{}],"cwd":"/tmp"}"#),
        ),
        (
            "with_a_template_too_many",
            of_secrets(
                "http://h/",
                "${secret.KEY} y",
                r#","templates":["/kind/headers/A","/input"]"#,
            ),
        ),
        (
            "undoing_what_nothing_undoes",
            of_undo("a!undo", r#"{"type":"http","url":"http://h/7"}"#),
        ),
    ]
}

/// The logs, and the schedulers that they name.
pub(super) fn all() -> Result<(Vec<Source>, Vec<Vec<u8>>)> {
    let (mut sources, mut guests) = (Vec::new(), Vec::new());
    for (number, (what, item)) in (0xd0_u8..).zip(ordered()) {
        let component = guest(&item);
        let name = format!("order_{what}");
        sources.push(taken(
            number,
            &name,
            &item,
            work_item_digest(&item),
            &component,
        )?);
        guests.push(component);
    }
    let item = lawful();
    let component = ordering_nothing(&item)?;
    sources.push(taken(
        0xff,
        "order_none",
        &item,
        Digest::default(),
        &component,
    )?);
    guests.push(component);
    Ok((sources, guests))
}

/// A scheduler that decides to schedule this item's node, and orders nothing.
fn ordering_nothing(item: &WorkItem) -> Result<Vec<u8>> {
    let (_, data) = crate::ordering_guest::order(item);
    let step = format!(
        "(if (i64.eq (local.get $last) (i64.const 1)) (then
            {}
            (call $append (i64.const 1) (i32.const 2048) (i32.const 1) (i32.const 784))
            (local.set $last (i64.const 2))))
        (i64.store (i32.const 1040) (local.get $last))
        (i32.const 1024)",
        decision(item)
    );
    let guest = WatGuest {
        imports: IMPORTS,
        step: &step,
        rest: &data,
        ..WatGuest::default()
    };
    guest.component()
}

/// The log of a host that took this order of this scheduler.
fn taken(
    number: u8,
    name: &str,
    item: &WorkItem,
    item_digest: Digest,
    guest: &[u8],
) -> Result<Source> {
    let id = ExecutionId::from_bytes([number; 16]);
    let workflow = ("w", "1.0.0", Digest::of(WORKFLOW.as_bytes()));
    let mut started = WorkflowStarted::new(id.to_string(), workflow, Digest::of(guest));
    started.seed = 7;
    let mut scheduled = NodeScheduled::default();
    scheduled.node_id.clone_from(&item.node_id);
    scheduled.queue.clone_from(&item.queue);
    scheduled.attempt = item.attempt;
    scheduled.item_digest = item_digest;
    let kinds = [
        (Origin::Fact, EventKind::WorkflowStarted(Box::new(started))),
        (Origin::Decision, EventKind::NodeScheduled(scheduled)),
    ];
    let events = (1..).zip(kinds).map(|(sequence, (origin, kind))| Event {
        sequence,
        at: BEGIN,
        origin,
        kind,
    });
    let log = chained::export(WORKFLOW, events)?;
    Source::new(
        name,
        "a host took this order from a scheduler of its own",
        &log,
    )
}
