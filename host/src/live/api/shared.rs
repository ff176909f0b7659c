//! What all handles on one engine share.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::commits::Commits;
use crate::live::runtime::inbox::{Closing, Inbox, Message};
use crate::live::workers::Programs;

/// What all handles on one engine share. When the last of them is dropped, the
/// engine stops.
pub(in crate::live) struct Shared {
    pub(in crate::live) inbox: Inbox,
    pub(in crate::live) commits: Commits,
    pub(in crate::live) guest_digest: String,
    pub(in crate::live) programs: Arc<Programs>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        // An engine that has come to its end already need not be told.
        let _ = self
            .inbox
            .send(Message::Close(Closing { drain: false, done }));
    }
}
