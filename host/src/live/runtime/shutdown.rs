//! The end of an engine, from when it is asked for, or cannot be avoided.

use tokio::sync::oneshot;

use super::inbox::Closing;
use crate::error::EngineError;

/// Whether an engine comes to its end, and why.
#[derive(Default)]
pub(super) struct Shutdown {
    /// Callers that wait for the end; if there is one, the end is coming.
    waiting: Vec<oneshot::Sender<()>>,
    /// Own workers are to be stopped, after the answers that have come.
    is_stopping: bool,
    /// Why the end comes without having been asked for.
    dying: Option<EngineError>,
}

impl Shutdown {
    /// A caller asks for the end.
    pub(super) fn ask(&mut self, Closing { drain, done }: Closing) {
        self.is_stopping |= !drain;
        self.waiting.push(done);
    }

    /// The engine cannot go on, for this reason.
    pub(super) fn die(&mut self, why: EngineError) {
        self.dying = Some(why);
    }

    /// Whether a caller has asked for the end.
    pub(super) fn is_asked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the engine cannot go on.
    pub(super) fn is_dying(&self) -> bool {
        self.dying.is_some()
    }

    /// Whether the end comes, for whatever reason.
    pub(super) fn is_coming(&self) -> bool {
        self.is_asked() || self.is_dying()
    }

    /// Whether own workers are to be stopped now.
    pub(super) fn take_stopping(&mut self) -> bool {
        std::mem::take(&mut self.is_stopping)
    }

    /// What callers are answered whose messages come too late.
    pub(super) fn why(&self) -> EngineError {
        self.dying.clone().unwrap_or(EngineError::ShutDown)
    }

    /// Answers the callers that wait for the end.
    pub(super) fn answer(self) {
        for done in self.waiting {
            // A caller that has gone away does not want to know.
            let _ = done.send(());
        }
    }
}
