//! `refrain signal`: an external event for the node that waits for it.

use refrain::json::Json;
use refrain::{Receipt, Signal};

use super::act::{self, Target};
use super::{Answer, files};

/// Deliver an external event; one that comes early is kept
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
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
    let payload = Json::from_text(files::json(&payload, "payload")?)?;
    let mut signal = Signal::new(key, payload);
    if let Some(id) = event_id {
        signal = signal.event_id(id);
    }
    act::tell_and_say(&target, |execution| async move {
        Ok(match execution.send(signal).await? {
            Receipt::Recorded => "the event is recorded",
            Receipt::AlreadyRecorded => "an event with this id is already recorded",
        })
    })
}
