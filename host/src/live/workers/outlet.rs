//! Our end of a pipe that a program writes to.
//!
//! What stands in it is read at once. The Tokio runtime hears of the pipe only when there
//! is nothing in it and more may come: many a program has said all that it has to say, and
//! has ended, by the time that its start returns.

use std::io;
use std::mem::replace;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, ioctl_fionbio, retry_on_intr};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// The end of a pipe that is read.
pub(super) enum Outlet {
    /// Nobody has had to wait for it.
    Unwatched(OwnedFd),
    /// The runtime tells when there is something in it.
    Watched(Receiver),
    /// The runtime could not watch it.
    Lost,
}

impl Outlet {
    /// Of a pipe that nobody has read.
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Self::Unwatched(pipe))
    }

    /// Reads what comes next, and waits for it. Answers how many bytes that are; 0: nobody
    /// writes to the pipe any more. Left half way, nothing is lost.
    pub(super) async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if let Self::Unwatched(pipe) = self {
            match retry_on_intr(|| rustix::io::read(&*pipe, &mut *chunk)) {
                Err(Errno::AGAIN) => self.watch()?,
                read => return Ok(read?),
            }
        }
        match self {
            Self::Watched(pipe) => pipe.read(chunk).await,
            Self::Unwatched(_) | Self::Lost => Err(io::Error::other("it cannot be waited for")),
        }
    }

    fn watch(&mut self) -> io::Result<()> {
        if let Self::Unwatched(pipe) = replace(self, Self::Lost) {
            *self = Self::Watched(Receiver::from_owned_fd_unchecked(pipe)?);
        }
        Ok(())
    }
}
