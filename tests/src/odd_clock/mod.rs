//! Programs that see another wall clock than this machine's.
//!
//! The program has no way to be lied to about the time, and needs none: a
//! library that is preloaded (`clock.c`) answers for the system's. Monotonic
//! time is left as it is: what differs is what people set. The library is
//! compiled where there is a C compiler for Linux; elsewhere no clock is set,
//! and the caller is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::{fs, io};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

const SOURCE: &str = include_str!("clock.c");

/// From now to before the year 1900, in seconds.
pub const BEFORE_1970: i64 = -4_000_000_000;

/// The wall clock of some programs, which can be set while they run.
#[derive(Debug)]
pub struct OddClock {
    /// Holds how far it is from the real one, in milliseconds.
    offset: PathBuf,
    /// `None` where it could not be compiled.
    library: Option<PathBuf>,
}

impl OddClock {
    /// A clock that is right for now, and whose files are in this folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or the C compiler that is there fails.
    pub fn new(folder: &Path) -> Result<Self> {
        let offset = folder.join("clock");
        fs::write(&offset, 0_i64.to_ne_bytes())?;
        Ok(Self {
            offset,
            library: compiled(folder)?,
        })
    }

    /// Whether it can be set here.
    #[must_use]
    pub fn can_be_set(&self) -> bool {
        self.library.is_some()
    }

    /// This program goes by it.
    pub fn rules(&self, command: &mut Command) {
        if let Some(library) = &self.library {
            command.env("LD_PRELOAD", library);
            command.env("REFRAIN_TEST_CLOCK", &self.offset);
        }
    }

    /// Set it so many milliseconds ahead of the real one, or behind.
    ///
    /// # Errors
    ///
    /// If its file cannot be written.
    pub fn set(&self, offset_ms: i64) -> Result<()> {
        // Written in place: the programs have the file mapped.
        let file = fs::OpenOptions::new().write(true).open(&self.offset)?;
        std::os::unix::fs::FileExt::write_all_at(&file, &offset_ms.to_ne_bytes(), 0)
            .context("the clock cannot be set")
    }
}

/// Let the command see a wall clock that is so many seconds ahead, or behind.
/// Says whether this machine can do that; a test that needs it is left out
/// otherwise, aloud.
///
/// # Panics
///
/// If the C compiler that is there fails, or no file can be written.
#[must_use]
pub fn ahead_by(command: &mut Command, seconds: i64) -> bool {
    static CLOCKS: Mutex<BTreeMap<i64, (TempDir, OddClock)>> = Mutex::new(BTreeMap::new());
    let mut clocks = CLOCKS.lock().expect("no test has failed in here");
    let (_, clock) = clocks.entry(seconds).or_insert_with(|| {
        let folder = tempfile::tempdir().expect("a folder for a clock");
        let clock = OddClock::new(folder.path()).expect("a clock");
        clock.set(seconds * 1000).expect("a clock that can be set");
        (folder, clock)
    });
    clock.rules(command);
    if !clock.can_be_set() {
        eprintln!("NOT DONE: there is no C compiler for Linux here, so that the clock is not set");
    }
    clock.can_be_set()
}

/// `None` where there is no C compiler for Linux; one that is there must do it.
fn compiled(folder: &Path) -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        return Ok(None);
    }
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    fs::write(&source, SOURCE)?;
    let done = Command::new("cc")
        .args([
            "-std=c11", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o",
        ])
        .args([&library, &source])
        .status();
    match done {
        Ok(status) => {
            ensure!(status.success(), "clock.c does not compile");
            Ok(Some(library))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("the C compiler cannot be started"),
    }
}
