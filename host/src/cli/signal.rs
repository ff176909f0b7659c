//! `refrain signal`: an external event for the node that waits for it.

use refrain::json::Json;
use refrain::log::KeptEvent;
use refrain::model::EventKind;
use refrain::replay::nodes::{Nodes, Wait};
use refrain::{Execution, Receipt, Signal};

use super::act::{self, Target, TargetArguments};
use super::{Answer, failure, files, log};

/// Deliver an external event; one that comes early is kept
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// The correlation key that a node waits for
    #[arg(value_name = "KEY")]
    key: String,
    /// What the event brings
    #[arg(value_name = "JSON|@FILE", default_value = "{}")]
    payload: String,
    /// The sender's id for the event: with the same id again, it counts no second
    /// time
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    event_id: Option<String>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        key,
        payload,
        event_id,
    } = arguments;
    let target = target.find()?;
    let payload = Json::from_text(files::json(&payload, "payload")?)?;
    let said = payload.to_string();
    let mut signal = Signal::new(key.clone(), payload);
    if let Some(id) = event_id.clone() {
        signal = signal.event_id(id);
    }
    let is_awaited = is_awaited(&target, &key)?;
    let send = |execution: Execution| async move { execution.send(signal).await };
    let (receipt, status) = act::told(&target, send)?;
    let recorded = receipt == Receipt::Recorded;
    let done = match receipt {
        Receipt::Recorded if is_awaited => "the event is recorded",
        Receipt::Recorded => {
            "the event is recorded and kept for later, because no node waits for its key now"
        }
        Receipt::AlreadyRecorded if is_another(&target, event_id.as_deref(), &key, &said)? => {
            "another event with this id is already recorded, with another key or payload; this one is not"
        }
        Receipt::AlreadyRecorded => "an event with this id is already recorded",
    };
    act::say(&target, done, recorded, status, &act::hint(&target, status))
}

/// The log of an execution that can be read; none if not. Who is told something else of
/// it is told that.
fn events(target: &Target) -> anyhow::Result<Vec<KeptEvent>> {
    match log::kept(
        &mut target.database().holding(target.execution())?.0,
        target.execution(),
    ) {
        Err(error) if failure::is_damage(&error) => Ok(Vec::new()),
        events => events,
    }
}

/// Whether a node waits for this key.
fn is_awaited(target: &Target, key: &str) -> anyhow::Result<bool> {
    let events = events(target)?;
    let nodes = Nodes::of(events.iter().map(KeptEvent::event));
    let is_it = |wait: &Wait| matches!(wait, Wait::Event { key: Some(it), .. } if it == key);
    Ok(nodes
        .iter()
        .any(|node| node.wait.as_ref().is_some_and(is_it)))
}

/// Whether the event that is recorded with this id is another one.
fn is_another(
    target: &Target,
    event_id: Option<&str>,
    key: &str,
    payload: &str,
) -> anyhow::Result<bool> {
    let events = events(target)?;
    let recorded = events.iter().find_map(|kept| match &kept.event().kind {
        EventKind::ExternalEventReceived(it) if it.event_id.as_deref() == event_id => Some(it),
        _ => None,
    });
    Ok(recorded.is_some_and(|it| it.correlation_key != key || it.payload != payload))
}
