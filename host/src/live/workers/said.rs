//! What the program of an attempt writes to its outputs, on its way to the engine.
//!
//! Of a program that runs on, what is new goes there every half second, for others to
//! read; the last of it goes with the attempt's answer. Of an attempt that is stopped, it
//! goes when the program is told to end.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::sleep;

use crate::limits::{
    OUTPUT_BYTES_MAX, OUTPUT_FLUSH_EVERY, OUTPUT_PIECE_BYTES_MAX, OUTPUT_PIECE_COST,
};
use crate::store::{OutputPiece, OutputStream};

use super::attempt::{LastWords, UntilEnd};
use super::deliver::Deliver;
use crate::live::values::work::ClaimId;

/// The output of an attempt's program.
pub(super) struct Said {
    unsent: Mutex<Unsent>,
    deliver: Arc<dyn Deliver>,
    claim: ClaimId,
    last_words: LastWords,
}

/// What the engine has not been given yet.
#[derive(Default)]
struct Unsent {
    pieces: VecDeque<OutputPiece>,
    /// How much they come to, as a store counts them.
    counted: usize,
    /// How many bytes the program has written to each stream.
    written: [u64; 2],
    /// Whether the engine has been given any of stdout.
    has_sent_stdout: bool,
}

impl Said {
    pub(super) fn new(until_end: &UntilEnd) -> Self {
        let (deliver, claim, last_words) = until_end.parts();
        Self {
            unsent: Mutex::default(),
            deliver,
            claim,
            last_words,
        }
    }

    fn unsent(&self) -> MutexGuard<'_, Unsent> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The program has written this.
    pub(super) fn add(&self, stream: OutputStream, chunk: &[u8]) {
        self.unsent().add(stream, chunk);
    }

    /// Gives the engine what is new, now and then, for as long as the program runs.
    pub(super) async fn meanwhile<T>(&self, runs: impl Future<Output = T>) -> T {
        let sends = async {
            loop {
                sleep(OUTPUT_FLUSH_EVERY).await;
                self.send();
            }
        };
        tokio::select! {
            biased;
            ended = runs => ended,
            () = sends => unreachable!("it goes on until it is dropped"),
        }
    }

    fn send(&self) {
        let pieces = self.unsent().send();
        if !pieces.is_empty() {
            self.deliver.said(self.claim.clone(), pieces);
        }
    }

    /// The attempt has come to its answer, with which the last of its output goes. What
    /// is written to stdout is the answer itself, if `answered` in time: it is not kept a
    /// second time, unless a part of it is kept already.
    pub(super) fn end(self, answered: bool) {
        let mut unsent = self.unsent();
        let mut pieces = unsent.take();
        if answered && !unsent.has_sent_stdout {
            pieces.retain(|piece| piece.stream != OutputStream::Stdout);
        }
        drop(unsent);
        let last_words = self.last_words.lock();
        *last_words.unwrap_or_else(PoisonError::into_inner) = pieces.into();
    }
}

impl Unsent {
    fn add(&mut self, stream: OutputStream, chunk: &[u8]) {
        let written = &mut self.written[stream as usize];
        let start = *written;
        *written += chunk.len() as u64;
        self.counted += chunk.len();
        match self.pieces.back_mut() {
            Some(last)
                if last.stream == stream
                    && last.bytes.len() + chunk.len() <= OUTPUT_PIECE_BYTES_MAX =>
            {
                last.bytes.extend_from_slice(chunk);
            }
            _ => {
                self.counted += OUTPUT_PIECE_COST;
                let bytes = chunk.to_vec();
                self.pieces.push_back(OutputPiece {
                    stream,
                    start,
                    bytes,
                });
            }
        }
        // A store would keep no more.
        while self.counted > OUTPUT_BYTES_MAX
            && let Some(oldest) = self.pieces.pop_front()
        {
            self.counted -= oldest.bytes.len() + OUTPUT_PIECE_COST;
        }
    }

    fn take(&mut self) -> Vec<OutputPiece> {
        self.counted = 0;
        std::mem::take(&mut self.pieces).into()
    }

    /// Takes what is to be sent while the program runs.
    fn send(&mut self) -> Arc<[OutputPiece]> {
        let pieces = self.take();
        let is_of_stdout = |piece: &OutputPiece| piece.stream == OutputStream::Stdout;
        self.has_sent_stdout |= pieces.iter().any(is_of_stdout);
        pieces.into()
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.send();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(unsent: &mut Unsent) -> Vec<(OutputStream, u64, usize)> {
        let all = unsent.take().into_iter();
        all.map(|piece| (piece.stream, piece.start, piece.bytes.len()))
            .collect()
    }

    #[test]
    fn what_is_written_comes_in_order_and_says_where_it_stood() {
        use OutputStream::{Stderr, Stdout};
        let mut unsent = Unsent::default();
        unsent.add(Stderr, b"one ");
        unsent.add(Stderr, b"two");
        unsent.add(Stdout, b"three");
        unsent.add(Stderr, b"four");
        assert_eq!(
            pieces(&mut unsent),
            [(Stderr, 0, 7), (Stdout, 0, 5), (Stderr, 7, 4)]
        );
        unsent.add(Stdout, b"five");
        assert_eq!(pieces(&mut unsent), [(Stdout, 5, 4)]);
        assert_eq!(pieces(&mut unsent), []);
    }

    #[test]
    fn the_oldest_of_too_much_is_dropped() {
        let mut unsent = Unsent::default();
        let chunk = vec![b'x'; OUTPUT_PIECE_BYTES_MAX / 4];
        let written = OUTPUT_BYTES_MAX * 3;
        for _ in 0..written / chunk.len() {
            unsent.add(OutputStream::Stderr, &chunk);
        }
        let kept = pieces(&mut unsent);
        let bytes: usize = kept.iter().map(|(_, _, bytes)| bytes).sum();
        assert!((OUTPUT_BYTES_MAX - 2 * OUTPUT_PIECE_BYTES_MAX..OUTPUT_BYTES_MAX).contains(&bytes));
        assert_eq!(kept[0].1, (written - bytes) as u64);
        // As many short ones as there may be.
        for _ in 0..OUTPUT_BYTES_MAX {
            unsent.add(OutputStream::Stderr, b"e");
            unsent.add(OutputStream::Stdout, b"o");
        }
        assert!(pieces(&mut unsent).len() <= OUTPUT_BYTES_MAX / OUTPUT_PIECE_COST);
    }
}
