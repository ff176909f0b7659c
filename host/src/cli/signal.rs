//! `refrain signal`: an external event for whoever waits for it.

use refrain::json::Json;

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
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let Arguments {
        target,
        key,
        payload,
    } = arguments;
    let payload = Json::from_text(files::json(&payload, "payload")?)?;
    act::tell(&target, "the event is recorded", |execution| async move {
        execution.signal(&key, payload).await
    })
}
