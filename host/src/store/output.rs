//! What programs have written to their outputs, kept for people. It is no part of any log.

use std::sync::Arc;

use crate::id::ExecutionId;
use crate::limits::{OUTPUT_BYTES_MAX, OUTPUT_PIECE_COST};

/// Which of its outputs a program has written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputStream {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

impl OutputStream {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// The one of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Stdout, Self::Stderr]
            .into_iter()
            .find(|stream| stream.name() == name)
    }
}

/// Bytes that an attempt's program has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPiece {
    /// Where to.
    pub stream: OutputStream,
    /// How many bytes the attempt had written there before. A gap between two pieces is
    /// what was dropped.
    pub start: u64,
    /// The bytes, as they came.
    pub bytes: Vec<u8>,
}

impl OutputPiece {
    /// How many bytes the attempt had written there with this piece.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// What a turn keeps of an attempt's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChange {
    /// The execution. It must not be erased.
    pub execution: ExecutionId,
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What is added, in the order in which it came.
    pub pieces: Arc<[OutputPiece]>,
}

/// A piece of output as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOutput {
    /// Its place in the output of the execution. Places grow.
    pub place: u64,
    /// The attempt that it is of, from 1.
    pub attempt: u32,
    /// What was written.
    pub piece: OutputPiece,
}

/// The place of a piece of so many bytes, behind the one at `last`, or 0 if there is none:
/// all that was ever kept of the execution's output counts in it.
pub(super) fn place_after(last: u64, bytes: usize) -> u64 {
    last + (bytes + OUTPUT_PIECE_COST) as u64
}

/// The place up to which pieces are dropped when the newest is at `last`. A piece that
/// begins before it is dropped, too.
pub(super) fn dropped_up_to(last: u64) -> u64 {
    last.saturating_sub(OUTPUT_BYTES_MAX as u64)
}
