//! Does each module of a crate use only what stands below it?
//!
//! The order is the one in which `lib.rs`, and below it each parent, lists its
//! modules: from the bottom up, and a parent stands on its children. So all
//! files of a crate stand in one line, and none may use one that comes later:
//! neither by a path, nor by a method. Methods are held to it by where they may
//! be written: those of a type stand in the type's own file. Then a file that can
//! name a type has all of its methods below, and no circle can hide in them.
//!
//! Tests within the sources may look wherever they like. Arrows that go up for a
//! good reason are [exempt](Exemption), one by one, for as long as they are there.
//!
//! What is not seen: implementations within the body of a function, or made by
//! a macro. From the bottom up; each may use those above it in this list.

mod modules;
mod names;
mod uses;
mod exempt;
mod texts;

pub use exempt::{Exemption, judge};
pub use texts::{Text, texts};

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Something that stands too low for what it uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, from the folder that was read.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// The file of what it uses.
    pub other: PathBuf,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

/// Read the crate whose `lib.rs` stands in this folder: all that uses what
/// stands above it, in the order of files and lines.
pub fn check(src: &Path) -> Result<Vec<Finding>> {
    let modules = modules::read(src)?;
    let mut findings: Vec<Finding> = modules
        .iter()
        .flat_map(|user| uses::of(&modules, user))
        .collect();
    findings.sort();
    findings.dedup();
    Ok(findings)
}
