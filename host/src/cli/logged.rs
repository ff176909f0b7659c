//! The events of a log that was opened. Where all of it was read already, they are not read
//! once more: a log may be large.

use std::sync::Arc;

use refrain::log::KeptEvent;
use refrain::model::Event;
use refrain::replay::Recording;

use super::log;
use super::log_source::OpenLog;

/// All events of a log.
pub(super) enum Logged {
    Read(Arc<Recording>),
    Kept(Vec<KeptEvent>),
}

impl Logged {
    /// Those of this log.
    pub(super) fn of(open: &mut OpenLog) -> anyhow::Result<Self> {
        Ok(match open.read() {
            Some(recording) => Self::Read(Arc::clone(recording)),
            None => Self::Kept(log::kept(&mut *open.store, open.record.id)?),
        })
    }

    /// None at all.
    pub(super) fn none() -> Self {
        Self::Kept(Vec::new())
    }

    pub(super) fn first(&self) -> Option<&Event> {
        self.events().next()
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        let (read, kept) = match self {
            Self::Read(recording) => (recording.events.as_slice(), [].as_slice()),
            Self::Kept(kept) => ([].as_slice(), kept.as_slice()),
        };
        let read = read.iter().map(|stored| &stored.event);
        read.chain(kept.iter().map(KeptEvent::event))
    }
}
