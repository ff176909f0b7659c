//! The processor time of one thread, read by another: how long it has worked,
//! whatever else the machine was busy with meanwhile.

use std::time::Duration;

pub(super) use system::ThreadClock;

#[cfg(not(target_vendor = "apple"))]
mod system {
    use super::Duration;

    /// The clock of the thread that made it.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct ThreadClock(libc::clockid_t);

    impl ThreadClock {
        /// The clock of the thread that asks; `None` where the system has none.
        #[expect(
            unsafe_code,
            reason = "the safe interface reads only the clock of the thread that asks"
        )]
        pub(in super::super) fn of_this_thread() -> Option<Self> {
            let mut clock = 0;
            // SAFETY: the calling thread lives, and the call fills in the number
            // that it is handed a pointer to.
            let answer =
                unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
            (answer == 0).then_some(Self(clock))
        }

        /// How long the thread has worked; `None` once it has ended.
        #[expect(
            unsafe_code,
            reason = "the safe interface knows no clocks of other threads"
        )]
        pub(in super::super) fn read(self) -> Option<Duration> {
            // SAFETY: all zeros is a value of this plain structure; the call fills
            // it in, or answers that there is no such clock any longer.
            let (answer, time) = unsafe {
                let mut time: libc::timespec = std::mem::zeroed();
                let answer = libc::clock_gettime(self.0, &raw mut time);
                (answer, time)
            };
            let seconds = u64::try_from(time.tv_sec).ok()?;
            let nanos = u32::try_from(time.tv_nsec).ok()?;
            (answer == 0).then(|| Duration::new(seconds, nanos))
        }
    }
}

/// This system does not say how long another thread has worked. So the time
/// that has passed stands for it, which is never less.
#[cfg(target_vendor = "apple")]
mod system {
    use super::Duration;
    use std::time::Instant;

    /// A clock that begins with its thread.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct ThreadClock(Instant);

    impl ThreadClock {
        /// A clock that begins now.
        pub(in super::super) fn of_this_thread() -> Option<Self> {
            Some(Self(Instant::now()))
        }

        /// How long ago that was.
        pub(in super::super) fn read(self) -> Option<Duration> {
            Some(self.0.elapsed())
        }
    }
}
