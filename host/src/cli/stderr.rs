//! What the program says on stderr: its talk, its progress, its log.
//!
//! Talking never stops work. One thread writes, and nobody waits for it who
//! holds anything: what cannot be written (a full disk, a closed pipe, a
//! terminal that was stopped with Ctrl-S) is dropped, and how much that was is
//! said where it is missing, once there is room again.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::text::{Text, text};

/// Bytes that wait to be written: some ten thousand lines.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// How long a writer that has begun may take, before nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Write this after all that was said before, and do not wait for it. For the
/// engine's thread, and for everyone who holds what others need.
pub(super) fn log(text: &Text) {
    stderr().push(text.as_str().as_bytes());
}

/// Write this after all that was said before. Waits for room as long as what
/// was said before is being read.
pub(super) fn talk(text: &Text) {
    let stderr = stderr();
    let bytes = text.as_str().as_bytes();
    stderr.wait_until(|waiting| waiting.has_room(bytes.len()));
    stderr.push(bytes);
}

/// Wait until all is written, as long as it is being read.
pub(super) fn flush() {
    if let Some(stderr) = STDERR.get() {
        stderr.wait_until(|waiting| waiting.is_empty());
    }
}

/// From now on, until what this returns is dropped, what is said is kept, and nobody waits for
/// it: the whole screen shows something else.
#[must_use]
pub(super) fn keep() -> Kept {
    flush();
    stderr().set_kept(true);
    Kept
}

/// What is said is kept while this is there.
pub(super) struct Kept;

impl Drop for Kept {
    fn drop(&mut self) {
        stderr().set_kept(false);
    }
}

/// Say what a panic says, after all that was kept: the screen is given back by now.
pub(super) fn log_panic(text: &Text) {
    stderr().set_kept(false);
    log(text);
}

/// For the log: what is written to it, a record at a time, is [logged](log) in
/// one line.
pub(super) struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let record = String::from_utf8_lossy(bytes);
        log(&text!("{}\n", record.strip_suffix('\n').unwrap_or(&record)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static STDERR: OnceLock<Talk> = OnceLock::new();

fn stderr() -> &'static Talk {
    STDERR.get_or_init(|| {
        let writer = thread::Builder::new().name("refrain-stderr".to_owned());
        // Without its thread nothing is written; nobody waits for long.
        let _ = writer.spawn(|| STDERR.wait().write_to(&mut io::stderr()));
        Talk::default()
    })
}

/// What waits to be written, and who waits for that.
#[derive(Default)]
struct Talk {
    waiting: Mutex<Waiting>,
    /// There is something to write.
    filled: Condvar,
    /// Something was written.
    written: Condvar,
}

/// What waits to be written.
#[derive(Default)]
struct Waiting {
    texts: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines that were dropped since the last text that waits.
    dropped: u64,
    /// A text has been taken to be written, and is not written yet.
    writing: bool,
    /// How many texts have been written.
    written: u64,
    /// Someone has waited in vain, and nothing was written since.
    stuck: bool,
    /// Nothing is written for the time being.
    kept: bool,
}

impl Talk {
    /// Let this wait, or drop it if too much waits already.
    fn push(&self, bytes: &[u8]) {
        let mut waiting = self.lock();
        waiting.push(bytes);
        drop(waiting);
        self.filled.notify_one();
    }

    fn set_kept(&self, kept: bool) {
        self.lock().kept = kept;
        self.filled.notify_one();
    }

    /// Wait for this as long as the writer gets on.
    fn wait_until(&self, enough: impl Fn(&Waiting) -> bool) {
        let mut waiting = self.lock();
        let mut seen = (waiting.written, Instant::now());
        while !enough(&waiting) && !waiting.stuck && !waiting.kept {
            let patience = PATIENCE.saturating_sub(seen.1.elapsed());
            let woken = self.written.wait_timeout(waiting, patience);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            if waiting.written != seen.0 {
                seen = (waiting.written, Instant::now());
            } else if seen.1.elapsed() >= PATIENCE {
                waiting.stuck = true;
            }
        }
    }

    /// Write all that comes, for ever. What cannot be written is dropped.
    fn write_to(&self, out: &mut impl Write) {
        loop {
            let text = self.next();
            // If nobody reads stderr there is nobody left to tell.
            let _ = out.write_all(&text).and_then(|()| out.flush());
            let mut waiting = self.lock();
            waiting.writing = false;
            waiting.written += 1;
            waiting.stuck = false;
            drop(waiting);
            self.written.notify_all();
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut waiting = self.lock();
        loop {
            if !waiting.kept
                && let Some(text) = waiting.pop()
            {
                return text;
            }
            waiting = self
                .filled
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What is in it is whole even where someone panicked.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn has_room(&self, bytes: usize) -> bool {
        self.texts.is_empty() || self.bytes + bytes <= WAITING_BYTES_MAX
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.dropped == 0 && !self.writing
    }

    fn push(&mut self, bytes: &[u8]) {
        if !self.has_room(bytes.len()) {
            let lines = bytes.split(|byte| *byte == b'\n').count().max(2) - 1;
            self.dropped += lines as u64;
            return;
        }
        self.mark_dropped();
        self.bytes += bytes.len();
        self.texts.push_back(bytes.to_vec());
    }

    /// Say where something is missing.
    fn mark_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let mark =
                format!("… {dropped} lines are missing here: they could not be written in time\n");
            self.bytes += mark.len();
            self.texts.push_back(mark.into_bytes());
        }
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        if self.texts.is_empty() {
            self.mark_dropped();
        }
        let text = self.texts.pop_front()?;
        self.bytes -= text.len();
        self.writing = true;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;

    use super::*;

    /// Writes when it is let.
    struct Gate {
        open: mpsc::Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.open.recv().is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn behind_a_gate() -> (Arc<Talk>, mpsc::Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let (gate, open) = mpsc::channel();
        let (talk, written) = (Arc::<Talk>::default(), Arc::default());
        let (theirs, mut out) = (
            Arc::clone(&talk),
            Gate {
                open,
                written: Arc::clone(&written),
            },
        );
        thread::spawn(move || theirs.write_to(&mut out));
        (talk, gate, written)
    }

    #[test]
    fn what_is_not_read_is_dropped_counted_and_told_of_later() {
        let (talk, gate, written) = behind_a_gate();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let lines = 2 * WAITING_BYTES_MAX / line.len();
        for _ in 0..lines {
            talk.push(&line);
        }
        for _ in 0..lines + 2 {
            gate.send(()).unwrap();
        }
        talk.wait_until(Waiting::is_empty);
        talk.push(b"last\n");
        talk.wait_until(Waiting::is_empty);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let told = text.matches("xxx\n").count();
        assert!((lines / 2..lines).contains(&told), "{told}");
        let marks = text.lines().filter_map(|line| {
            let count = line.strip_prefix("… ")?.split(' ').next()?;
            count.parse::<usize>().ok()
        });
        assert_eq!(told + marks.sum::<usize>(), lines);
        assert!(text.ends_with("last\n"), "{}", &text[text.len() - 200..]);
    }

    #[test]
    fn who_waits_for_a_writer_that_is_stuck_waits_once() {
        let (talk, gate, written) = behind_a_gate();
        let begun = Instant::now();
        for _ in 0..50 {
            talk.push(b"a line\n");
            talk.wait_until(Waiting::is_empty);
        }
        let waited = begun.elapsed();
        assert!((PATIENCE..2 * PATIENCE).contains(&waited), "{waited:?}");
        for _ in 0..51 {
            gate.send(()).unwrap();
        }
        // It gets on again, and is waited for again.
        while talk.lock().stuck {
            thread::yield_now();
        }
        talk.wait_until(Waiting::is_empty);
        assert_eq!(written.lock().unwrap().len(), 50 * b"a line\n".len());
    }

    #[test]
    fn what_is_kept_is_written_later_and_nobody_waits_for_it() {
        let (talk, gate, written) = behind_a_gate();
        talk.set_kept(true);
        gate.send(()).unwrap();
        talk.push(b"a line\n");
        talk.wait_until(Waiting::is_empty);
        assert!(!talk.lock().is_empty() && !talk.lock().stuck);
        assert!(written.lock().unwrap().is_empty());
        talk.set_kept(false);
        talk.wait_until(Waiting::is_empty);
        assert_eq!(*written.lock().unwrap(), b"a line\n");
    }

    #[test]
    fn what_cannot_be_written_is_waited_for_no_longer_than_it_takes_to_fail() {
        let (talk, gate, written) = behind_a_gate();
        drop(gate);
        for _ in 0..1000 {
            talk.push(b"nobody hears this\n");
        }
        talk.wait_until(Waiting::is_empty);
        assert!(written.lock().unwrap().is_empty());
    }
}
