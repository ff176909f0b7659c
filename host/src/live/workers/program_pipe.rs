//! Our end of a pipe that a program writes to.
//!
//! What stands in it is read at once. The pipe is registered with the Tokio runtime only
//! when there is nothing in it and more may come: many a program has said all that it has to
//! say, and has ended, by the time that its start returns.

use std::io;
use std::mem::replace;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, ioctl_fionbio, retry_on_intr};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::task::coop;

/// The end of a pipe that is read.
pub(super) enum ProgramPipe {
    /// Nobody has had to wait for it.
    Unregistered(OwnedFd),
    /// The runtime tells when there is something in it.
    Registered(Receiver),
    /// The runtime could not take it.
    Failed,
}

impl ProgramPipe {
    /// Of a pipe that nobody has read.
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Self::Unregistered(pipe))
    }

    /// Reads what comes next, and waits for it. Answers how many bytes that are; 0: nobody
    /// writes to the pipe any more. It is cancel safe.
    pub(super) async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if let Self::Unregistered(pipe) = self {
            // Who writes without end must not keep all else from its turn.
            coop::consume_budget().await;
            match retry_on_intr(|| rustix::io::read(&*pipe, &mut *chunk)) {
                Err(Errno::AGAIN) => self.register()?,
                read => return Ok(read?),
            }
        }
        match self {
            Self::Registered(pipe) => pipe.read(chunk).await,
            Self::Unregistered(_) | Self::Failed => {
                Err(io::Error::other("it cannot be waited for"))
            }
        }
    }

    fn register(&mut self) -> io::Result<()> {
        if let Self::Unregistered(pipe) = replace(self, Self::Failed) {
            *self = Self::Registered(Receiver::from_owned_fd_unchecked(pipe)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::io::{Write, pipe};

    use super::*;

    #[tokio::test]
    async fn a_reader_that_always_finds_something_leaves_others_their_turn() {
        const BYTES: usize = 4_096;
        let (ours, mut theirs) = pipe().expect("a pipe");
        theirs.write_all(&[0; BYTES]).expect("there is room");
        let mut pipe = ProgramPipe::new(ours.into()).expect("a pipe");
        let read_all = async {
            for _ in 0..BYTES {
                assert_eq!(pipe.read(&mut [0]).await.ok(), Some(1));
            }
        };
        tokio::select! {
            biased;
            () = read_all => panic!("nobody else had a turn"),
            () = ready(()) => {}
        }
        let mut rest = Vec::with_capacity(BYTES);
        drop(theirs);
        loop {
            let mut chunk = [0; 100];
            match pipe.read(&mut chunk).await.expect("it can be read") {
                0 => break,
                count => rest.extend_from_slice(&chunk[..count]),
            }
        }
        assert!(!rest.is_empty() && rest.len() < BYTES, "{}", rest.len());
    }
}
