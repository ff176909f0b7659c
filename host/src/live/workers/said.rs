//! What the program of an attempt writes to its outputs, on its way to the engine.
//!
//! Of a program that runs on, what is new goes there every half second, for others to
//! read; the last of it goes with the attempt's answer. Of an attempt that is stopped, it
//! goes when the program is told to end.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
struct Unsent {
    pieces: VecDeque<OutputPiece>,
    /// How much they come to, as a store counts them.
    counted: usize,
    /// How many bytes the program has written to each stream.
    written: [u64; 2],
    /// Whether the engine has been given any of stdout.
    has_sent_stdout: bool,
    /// What the engine was given last. It is gone when that is stored, or given up.
    sent: Weak<[OutputPiece]>,
}

impl Said {
    pub(super) fn new(until_end: &UntilEnd) -> Self {
        let (deliver, claim, last_words) = until_end.parts();
        Self {
            unsent: Mutex::new(Unsent::new()),
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
                self.send_in_turn();
            }
        };
        tokio::select! {
            biased;
            ended = runs => ended,
            () = sends => unreachable!("it goes on until it is dropped"),
        }
    }

    /// Sends what is new, unless the engine has not stored yet what it was given last:
    /// where a store is slow, no more than that waits for it.
    fn send_in_turn(&self) {
        let is_free = self.unsent().sent.strong_count() == 0;
        if is_free {
            self.send();
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
    fn new() -> Self {
        Self {
            pieces: VecDeque::new(),
            counted: 0,
            written: [0; 2],
            has_sent_stdout: false,
            sent: Weak::<[OutputPiece; 0]>::new(),
        }
    }

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
        let pieces = Arc::from(pieces);
        self.sent = Arc::downgrade(&pieces);
        pieces
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
    use crate::error::WorkError;
    use crate::id::ExecutionId;
    use crate::live::values::work::Answer;

    /// An engine that keeps what it is given.
    #[derive(Default)]
    struct Engine(Mutex<Vec<Arc<[OutputPiece]>>>);

    impl Engine {
        fn given(&self) -> Vec<String> {
            let given = self.0.lock().expect("nobody panics here");
            let text = |pieces: &Arc<[OutputPiece]>| texts(pieces);
            given.iter().map(text).collect()
        }

        fn stores(&self) {
            self.0.lock().expect("nobody panics here").clear();
        }
    }

    impl Deliver for Engine {
        fn deliver(&self, _: ClaimId, _: Result<Answer, WorkError>, _: Arc<[OutputPiece]>) {
            unreachable!("no attempt is made here")
        }

        fn said(&self, _: ClaimId, pieces: Arc<[OutputPiece]>) {
            self.0.lock().expect("nobody panics here").push(pieces);
        }

        fn dropped(&self, _: ClaimId) {
            unreachable!("no attempt is made here")
        }
    }

    fn texts(pieces: &[OutputPiece]) -> String {
        let text = |piece: &OutputPiece| String::from_utf8_lossy(&piece.bytes).into_owned();
        pieces.iter().map(text).collect::<Vec<_>>().join("|")
    }

    /// The output of a program that has written `out` and `err`.
    fn said(engine: &Arc<Engine>, last_words: &LastWords) -> Said {
        let claim = ClaimId {
            execution: ExecutionId::from_bytes([1; 16]),
            node_id: "a".to_owned(),
            attempt: 1,
            fence: 3,
        };
        let said = Said {
            unsent: Mutex::new(Unsent::new()),
            deliver: Arc::clone(engine) as Arc<dyn Deliver>,
            claim,
            last_words: Arc::clone(last_words),
        };
        said.add(OutputStream::Stdout, b"out");
        said.add(OutputStream::Stderr, b"err");
        said
    }

    fn last(last_words: &LastWords) -> String {
        texts(&last_words.lock().expect("nobody panics here"))
    }

    #[test]
    fn what_a_quick_program_writes_goes_with_its_answer_alone() {
        for (answered, expected) in [(true, "err"), (false, "out|err")] {
            let (engine, last_words) = (Arc::<Engine>::default(), LastWords::default());
            said(&engine, &last_words).end(answered);
            assert_eq!(last(&last_words), expected);
            assert_eq!(engine.given(), [""; 0]);
        }
    }

    #[test]
    fn nobody_sees_half_of_what_was_written_to_stdout() {
        let (engine, last_words) = (Arc::<Engine>::default(), LastWords::default());
        let said = said(&engine, &last_words);
        said.send_in_turn();
        said.add(OutputStream::Stdout, b"rest");
        said.end(true);
        assert_eq!(engine.given(), ["out|err"]);
        assert_eq!(last(&last_words), "rest");
    }

    #[test]
    fn an_engine_that_has_not_stored_the_last_is_given_no_more() {
        let (engine, last_words) = (Arc::<Engine>::default(), LastWords::default());
        let said = said(&engine, &last_words);
        for text in ["one", "two"] {
            said.send_in_turn();
            said.add(OutputStream::Stderr, text.as_bytes());
        }
        assert_eq!(engine.given(), ["out|err"]);
        engine.stores();
        said.send_in_turn();
        assert_eq!(engine.given(), ["onetwo"]);
        // The end of a program that is stopped waits for nobody.
        said.add(OutputStream::Stderr, b"end");
        drop(said);
        assert_eq!(engine.given(), ["onetwo", "end"]);
        assert_eq!(last(&last_words), "");
    }

    fn pieces(unsent: &mut Unsent) -> Vec<(OutputStream, u64, usize)> {
        let all = unsent.take().into_iter();
        all.map(|piece| (piece.stream, piece.start, piece.bytes.len()))
            .collect()
    }

    #[test]
    fn what_is_written_comes_in_order_and_says_where_it_stood() {
        use OutputStream::{Stderr, Stdout};
        let mut unsent = Unsent::new();
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
        let mut unsent = Unsent::new();
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
