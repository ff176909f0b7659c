//! A child process, and the wait for its end.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use super::end_watch::EndWatch;
use super::orphans::{Own, start_own};
use super::spawn::Start;

/// A child that was started here.
pub(super) struct Child {
    own: Own,
    end: EndWatch,
    status: Option<ExitStatus>,
}

/// Our ends of a child's pipes.
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

impl Child {
    pub(super) fn start(start: &Start<'_>) -> io::Result<(Self, Pipes)> {
        let (spawned, own) = start_own(|| start.spawn().map(|it| (it.pid, it)))?;
        let child = Self {
            // It is there until its status is read, also if it has ended already.
            end: EndWatch::of(spawned.pid)?,
            own,
            status: None,
        };
        let pipes = Pipes {
            stdin: Some(ChildStdin::from_std(spawned.stdin.into())?),
            stdout: Some(ChildStdout::from_std(spawned.stdout.into())?),
            stderr: Some(ChildStderr::from_std(spawned.stderr.into())?),
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
            } else {
                self.end.may_have_come().await?;
            }
        }
    }
}
