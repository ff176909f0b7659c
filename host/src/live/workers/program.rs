//! A program that runs: what is said to it, what it says, and how it ends with
//! all that it started.

use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::Sender;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::error::WorkError;
use crate::limits::{COMMAND_STDERR_BYTES_MAX, PAYLOAD_BYTES_MAX, PIPE_GRACE, PROGRAM_GRACE};

use crate::secrets::{Masks, StreamMask};
use crate::store::OutputStream;

use super::attempt::UntilEnd;
use super::child::{Child, Pipes};
use super::program_pipe::ProgramPipe;
use super::programs::{Counted, Programs};
use super::said::Said;
use super::spawn::Start;

/// How often to look whether a process group that was told to end has ended:
/// the system tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What is read from a pipe at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// A program, the leader of a process group. If it is dropped before it has
/// ended, the group is told to end, and killed after [`PROGRAM_GRACE`].
pub(super) struct Program {
    running: Option<Running>,
    runtime: Handle,
}

/// How a program ended, and what it said.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// As it was written: secrets are hidden in what it means, where a number can be told
    /// from a part of one.
    pub(super) stdout: Vec<u8>,
    /// The end of it, without secrets.
    pub(super) stderr: Vec<u8>,
}

/// A program that is to be killed if this is dropped.
struct Running {
    child: Child,
    pipes: Pipes,
    /// It has not ended, as far as is known here.
    armed: bool,
    /// Its attempt has not ended before it has.
    _until_end: UntilEnd,
    _counted: Counted,
}

impl Program {
    /// Start a program of an attempt on the current runtime.
    pub(super) fn start(
        start: &Start<'_>,
        programs: &Arc<Programs>,
        until_end: UntilEnd,
    ) -> io::Result<Self> {
        let counted = programs.enter();
        let (child, pipes) = Child::start(start)?;
        Ok(Self {
            running: Some(Running {
                child,
                pipes,
                armed: true,
                _until_end: until_end,
                _counted: counted,
            }),
            runtime: Handle::current(),
        })
    }

    /// Write the input, read the output, wait for the end; all at once, so
    /// that no pipe fills up while another is waited for. `said` is given all output as it
    /// comes.
    pub(super) async fn converse(
        mut self,
        input: &str,
        said: &Said,
        masks: &Masks,
    ) -> Result<Ended, WorkError> {
        let Some(running) = &mut self.running else {
            return Err(WorkError::retryable("the program has ended before"));
        };
        let Running { child, pipes, .. } = running;
        let Pipes {
            stdin,
            stdout,
            stderr,
        } = pipes;
        let stdin = stdin.take();
        let mut out = Heard::new(OutputStream::Stdout, said, masks);
        let mut err = Heard::new(OutputStream::Stderr, said, masks);
        let status = {
            let pipes = async {
                let written = write(stdin, input.as_bytes());
                let read = read_all(stdout, PAYLOAD_BYTES_MAX, &mut out);
                let read_end = read_end(stderr, COMMAND_STDERR_BYTES_MAX, &mut err);
                tokio::try_join!(written, read, read_end).map(drop)
            };
            let mut pipes = std::pin::pin!(pipes);
            tokio::select! {
                said = &mut pipes => {
                    said?;
                    child.wait().await
                }
                status = child.wait() => {
                    // What it said last may still be in the pipe. What it has
                    // started and left behind may hold the pipe open, and is
                    // not waited for.
                    if let Ok(said) = timeout(PIPE_GRACE, &mut pipes).await {
                        said?;
                    }
                    status
                }
            }
        };
        let status = status.map_err(pipe_failed)?;
        // It has ended by itself: there is nothing to stop.
        if let Some(running) = self.running.take() {
            running.has_ended();
        }
        Ok(Ended {
            status,
            stdout: out.end(),
            stderr: err.end(),
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::TERM);
            // Where the runtime is gone, the task is dropped at once, and the
            // program killed.
            self.runtime.spawn(running.end());
        }
    }
}

impl Running {
    /// Wait until all have ended, and kill what has not after a while.
    async fn end(mut self) {
        // Who tidies up may say so: a pipe that nobody reads would end it.
        let (stdout, stderr) = (self.pipes.stdout.take(), self.pipes.stderr.take());
        let listen = async { tokio::join!(discard(stdout), discard(stderr)) };
        let mut ending = std::pin::pin!(self.end_in_time());
        tokio::select! {
            () = &mut ending => {}
            _ = listen => ending.await,
        }
    }

    async fn end_in_time(mut self) {
        let deadline = Instant::now() + PROGRAM_GRACE;
        // Its outcome matters to nobody.
        if timeout_at(deadline, self.child.wait()).await.is_ok() {
            while self.is_there() && Instant::now() < deadline {
                sleep(LOOK_EVERY).await;
            }
            if !self.is_there() {
                return self.has_ended();
            }
        }
        self.signal(Signal::KILL);
        // Only what the system itself holds can outlive that.
        let _ = timeout(PROGRAM_GRACE, self.child.wait()).await;
        self.has_ended();
    }

    /// There is nothing to kill: the number may belong to others by now.
    fn has_ended(mut self) {
        self.armed = false;
    }

    fn group(&self) -> Pid {
        self.child.pid()
    }

    /// Whether any process of the group is left.
    fn is_there(&self) -> bool {
        test_kill_process_group(self.group()).is_ok()
    }

    fn signal(&self, signal: Signal) {
        match kill_process_group(self.group(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => {
                let group = self.group();
                tracing::warn!("process group {group:?} could not be sent {signal:?}: {error}");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.armed {
            self.signal(Signal::KILL);
        }
    }
}

async fn write(pipe: Option<OwnedFd>, input: &[u8]) -> Result<(), WorkError> {
    let Some(pipe) = pipe else {
        return Ok(());
    };
    let mut pipe = Sender::from_owned_fd(pipe).map_err(pipe_failed)?;
    match pipe.write_all(input).await {
        // A program that does not care for its input is free not to read it.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(pipe_failed(error)),
        _ => Ok(()),
    }
}

/// All of the pipe; more than `bytes_max` is a failure. Left half way, what
/// came is in `heard`.
async fn read_all(
    pipe: &mut Option<ProgramPipe>,
    bytes_max: usize,
    heard: &mut Heard<'_>,
) -> Result<(), WorkError> {
    each_chunk(pipe, |chunk| {
        heard.add(chunk);
        if heard.bytes.len() > bytes_max {
            return Err(WorkError::permanent(format!(
                "the program wrote more than {bytes_max} bytes to stdout; write them to a file and print its name"
            )));
        }
        Ok(())
    })
    .await
}

/// The last `bytes_max` bytes of the pipe. Left half way, the last that came
/// are in `heard`.
async fn read_end(
    pipe: &mut Option<ProgramPipe>,
    bytes_max: usize,
    heard: &mut Heard<'_>,
) -> Result<(), WorkError> {
    each_chunk(pipe, |chunk| {
        heard.add(chunk);
        let end = &mut heard.bytes;
        end.drain(..end.len().saturating_sub(bytes_max));
        Ok(())
    })
    .await
}

/// What comes of one of a program's outputs.
struct Heard<'a> {
    stream: OutputStream,
    said: &'a Said,
    mask: StreamMask,
    /// Of stdout as it came, of stderr without secrets: its end is cut.
    bytes: Vec<u8>,
}

impl<'a> Heard<'a> {
    fn new(stream: OutputStream, said: &'a Said, masks: &Masks) -> Self {
        Self {
            stream,
            said,
            mask: StreamMask::new(masks),
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, chunk: &[u8]) {
        if self.stream == OutputStream::Stdout {
            self.bytes.extend_from_slice(chunk);
        }
        let chunk = self.mask.next(chunk);
        self.tell(&chunk);
    }

    fn tell(&mut self, hidden: &[u8]) {
        if !hidden.is_empty() {
            self.said.add(self.stream, hidden);
        }
        if self.stream == OutputStream::Stderr {
            self.bytes.extend_from_slice(hidden);
        }
    }

    /// All of it, or the end: nothing more comes.
    fn end(mut self) -> Vec<u8> {
        let rest = self.mask.end();
        self.tell(&rest);
        self.bytes
    }
}

/// Read what comes until nobody writes any more, and drop it.
async fn discard(mut pipe: Option<ProgramPipe>) {
    // A pipe that cannot be read has nothing to say.
    let _ = each_chunk(&mut pipe, |_| Ok(())).await;
}

async fn each_chunk(
    pipe: &mut Option<ProgramPipe>,
    mut take: impl FnMut(&[u8]) -> Result<(), WorkError>,
) -> Result<(), WorkError> {
    let Some(pipe) = pipe else {
        return Ok(());
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = pipe.read(&mut chunk).await.map_err(pipe_failed)?;
        if count == 0 {
            return Ok(());
        }
        take(&chunk[..count])?;
    }
}

fn pipe_failed(error: io::Error) -> WorkError {
    WorkError::retryable(format!("the program could not be talked to: {error}")).class("io_error")
}
