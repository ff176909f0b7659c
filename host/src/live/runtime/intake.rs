//! What comes into an engine's inbox, on its way into a turn.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::error::EngineError;

use super::inbox::{InboxReceiver, Message, Question};
use crate::live::turn::write::{Again, Write};

/// The engine's end of its inbox, with what was taken from it too early.
pub(in crate::live) struct Intake {
    receiver: InboxReceiver,
    /// Messages that came while a turn was filled, and are not for a turn.
    put_off: VecDeque<Message>,
    /// The inbox held more than goes into one turn.
    is_cut: bool,
    /// Writes that are to be done in the next turn.
    again: Vec<Box<dyn Write>>,
}

/// What came in since the last turn.
#[derive(Default)]
pub(in crate::live) struct Gathered {
    pub(in crate::live) writes: Vec<Box<dyn Write>>,
    /// How many of the writes come from earlier turns.
    pub(in crate::live) waiting: usize,
    pub(in crate::live) questions: Vec<Question>,
}

impl Gathered {
    /// Whether so many writes are new. What waits from before takes no room from
    /// what is new: it may wait for an execution that comes after the others.
    pub(in crate::live) fn is_full(&self, max: usize) -> bool {
        self.writes.len() - self.waiting >= max
    }
}

impl Intake {
    pub(in crate::live) fn new(receiver: InboxReceiver) -> Self {
        Self {
            receiver,
            put_off: VecDeque::new(),
            is_cut: false,
            again: Vec::new(),
        }
    }

    /// Waits for a message, for so long at most.
    pub(in crate::live) fn wait(&mut self, pause: Duration) {
        match self.receiver.messages.recv_timeout(pause) {
            Ok(message) => self.put_off.push_back(message),
            // The core holds a sender itself, so this is always a timeout.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    /// Begins to gather: with the writes that are to be done again.
    pub(in crate::live) fn begin(&mut self) -> Gathered {
        self.is_cut = false;
        let writes = std::mem::take(&mut self.again);
        Gathered {
            waiting: writes.len(),
            writes,
            questions: Vec::new(),
        }
    }

    /// The next message, if there is one.
    pub(in crate::live) fn next(&mut self) -> Option<Message> {
        let put_off = self.put_off.pop_front();
        put_off.or_else(|| self.receiver.messages.try_recv().ok())
    }

    /// The next write, unless another message came before it: that one keeps its
    /// place before those that follow it.
    pub(in crate::live) fn next_write(&mut self) -> Option<Box<dyn Write>> {
        while self.put_off.is_empty() {
            match self.receiver.messages.try_recv().ok()? {
                Message::Write(write) => return Some(write),
                message => self.put_off.push_back(message),
            }
        }
        None
    }

    /// There may be more in the inbox, of which nobody will notify the engine again.
    pub(in crate::live) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Keeps a write for the next turn.
    pub(in crate::live) fn again(&mut self, write: Box<dyn Write>) {
        self.again.push(write);
    }

    /// Answers the writes of a turn, but for those that wait for the next one: their
    /// places are `waiting`. Whether any of them asks for that turn at once.
    pub(in crate::live) fn answer(
        &mut self,
        writes: Vec<Box<dyn Write>>,
        waiting: &BTreeSet<usize>,
        failed: Option<&EngineError>,
    ) -> bool {
        let gone = failed.is_some_and(EngineError::is_store_gone);
        let mut is_asked = false;
        for (place, write) in writes.into_iter().enumerate() {
            if waiting.contains(&place) {
                self.again(write);
                continue;
            }
            match write.answer(failed) {
                None => {}
                // There is nothing left into which it could be written.
                Some(_) if gone => {}
                Some(Again::AtOnce(write)) => {
                    self.again(write);
                    is_asked = true;
                }
                Some(Again::Later(write)) => self.again(write),
            }
        }
        is_asked
    }

    /// Whether there are writes for the next turn.
    pub(in crate::live) fn has_waiting(&self) -> bool {
        !self.again.is_empty()
    }

    /// Whether there are, or may be, messages to take.
    pub(in crate::live) fn is_asked(&self) -> bool {
        self.is_cut || !self.put_off.is_empty()
    }

    /// Tells callers that still wait for an answer why none comes.
    pub(in crate::live) fn end(&self, why: EngineError) {
        self.receiver.end.send_replace(Some(why));
    }
}
