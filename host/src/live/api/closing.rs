//! The end of an engine that its users ask for.

use std::time::Duration;

use tokio::sync::oneshot;

use super::shared::Shared;
use crate::live::runtime::inbox::{Closing, Message};

/// How often in its span [`unheard_for`] looks.
const LOOKS: u32 = 10;

/// Tells the engine to close, and waits for its end; `drain`: own workers finish before.
pub(super) async fn close(shared: &Shared, drain: bool) {
    let (done, closed) = oneshot::channel();
    let told = shared.inbox.send(Message::Close(Closing { drain, done }));
    let would_wait_for_itself = drain && shared.inbox.within().is_asked_by_worker();
    if told.is_ok() && !would_wait_for_itself {
        // Either it says so, or it has gone already.
        let _ = closed.await;
    }
    shared.programs.ended().await;
}

/// Waits until the engine was told to close and its thread has not heard of it for so
/// long.
pub(super) async fn unheard_for(shared: &Shared, span: Duration) {
    let closing = shared.inbox.closing();
    let mut unheard = 0;
    while unheard < LOOKS {
        tokio::time::sleep(span / LOOKS).await;
        unheard = if closing.is_asked_for() {
            unheard + 1
        } else {
            0
        };
    }
}
