//! The wall clock of all processes of a soak, which somebody sets now and then.
//!
//! The program has no way to be lied to about the time, and needs none: a
//! library that is preloaded answers for the system's. It is compiled where
//! there is a C compiler; elsewhere the clock does not jump, which is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// How far the clock is set at most, to either side.
const JUMP_MS_MAX: u64 = 60 * 60 * 1000;

pub(crate) struct WallClock {
    /// Holds how far it is from the real one, in milliseconds.
    offset: PathBuf,
    /// `None` where it could not be compiled.
    library: Option<PathBuf>,
}

impl WallClock {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let offset = folder.join("clock");
        fs::write(&offset, 0_i64.to_ne_bytes())?;
        let library = compiled(&folder.join("clock.so"));
        if library.is_none() {
            println!("there is no C compiler for Linux here, so that the clock is not set");
        }
        Ok(Self { offset, library })
    }

    /// Whether it can be set.
    pub(crate) fn can_jump(&self) -> bool {
        self.library.is_some()
    }

    /// This program lives by it.
    pub(crate) fn rules(&self, command: &mut Command) {
        if let Some(library) = &self.library {
            command.env("LD_PRELOAD", library);
            command.env("REFRAIN_TEST_CLOCK", &self.offset);
        }
    }

    /// Set it, by a number of which each is as likely.
    pub(crate) fn set(&self, thrown: u64) -> Result<()> {
        let offset_ms = (thrown % (2 * JUMP_MS_MAX)).cast_signed() - JUMP_MS_MAX.cast_signed();
        // Written in place: the processes have the file mapped.
        let file = fs::OpenOptions::new().write(true).open(&self.offset)?;
        std::os::unix::fs::FileExt::write_all_at(&file, &offset_ms.to_ne_bytes(), 0)
            .context("the clock cannot be set")
    }
}

fn compiled(library: &Path) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("soak/clock.c");
    let done = Command::new("cc")
        .args([
            "-std=c11", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o",
        ])
        .args([library, &source])
        .status();
    done.is_ok_and(|status| status.success())
        .then(|| library.to_owned())
}
