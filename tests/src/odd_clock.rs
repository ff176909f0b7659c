//! Programs that see another wall clock than this machine's.
//!
//! A few lines of C between the program and the system's clock. Monotonic time
//! is left as it is: what differs is what people set.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *time) {
    int done = syscall(SYS_clock_gettime, id, time);
    const char *by = getenv("REFRAIN_TEST_CLOCK_BY");
    if (done == 0 && by && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        time->tv_sec += atoll(by);
    return done;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    int done = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return done;
}
"#;

/// From now to before the year 1900, in seconds.
pub const BEFORE_1970: i64 = -4_000_000_000;

/// Let the command see a wall clock that is so many seconds ahead, or behind. It
/// says so where this machine cannot do that, and the test is left out.
#[must_use]
pub fn ahead_by(command: &mut Command, seconds: i64) -> bool {
    static SHIM: OnceLock<Option<(TempDir, PathBuf)>> = OnceLock::new();
    let Some((_, shim)) = SHIM.get_or_init(build) else {
        eprintln!("skipped: there is no C compiler, or this is not Linux");
        return false;
    };
    command
        .env("LD_PRELOAD", shim)
        .env("REFRAIN_TEST_CLOCK_BY", seconds.to_string());
    true
}

fn build() -> Option<(TempDir, PathBuf)> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let folder = tempfile::tempdir().ok()?;
    let (source, shim) = (
        folder.path().join("clock.c"),
        folder.path().join("clock.so"),
    );
    std::fs::write(&source, SOURCE).ok()?;
    let compile = |compiler: &Path| {
        let mut compile = Command::new(compiler);
        compile
            .args(["-shared", "-fPIC", "-o"])
            .arg(&shim)
            .arg(&source);
        compile.status().is_ok_and(|status| status.success())
    };
    compile(Path::new("cc")).then_some((folder, shim))
}
