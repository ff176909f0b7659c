//! A child process, and the wait for its end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, WaitOptions, waitpid};

use super::end_watch::EndWatch;
use super::orphans::{Own, start_own};
use super::program_pipe::ProgramPipe;
use super::spawn::Start;

/// A child that was started here.
pub(super) struct Child {
    own: Own,
    /// `None` if its end has not had to be waited for.
    end: Option<EndWatch>,
    status: Option<ExitStatus>,
}

/// Our ends of a child's pipes.
pub(super) struct Pipes {
    /// `None` if all of the input was written before the child began.
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<ProgramPipe>,
    pub(super) stderr: Option<ProgramPipe>,
}

impl Child {
    pub(super) fn start(start: &Start<'_>) -> io::Result<(Self, Pipes)> {
        let (spawned, own) = start_own(|| start.spawn().map(|it| (it.pid, it)))?;
        let child = Self {
            own,
            end: None,
            status: None,
        };
        let pipes = Pipes {
            stdin: spawned.stdin,
            stdout: Some(spawned.stdout),
            stderr: Some(spawned.stderr),
        };
        Ok((child, pipes))
    }

    /// Its process, which leads a group of the same number.
    pub(super) fn pid(&self) -> Pid {
        self.own.pid()
    }

    /// Wait until it has ended. Left half way, it can be waited for again.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.status {
                return Ok(status);
            }
            if let Some((_, status)) = waitpid(Some(self.pid()), WaitOptions::NOHANG)? {
                self.status = Some(ExitStatus::from_raw(status.as_raw()));
                self.own.waited();
            } else if let Some(end) = &mut self.end {
                end.may_have_come().await?;
            } else {
                // It may end before it is watched: its status says so.
                self.end = Some(EndWatch::of(self.pid())?);
            }
        }
    }
}
