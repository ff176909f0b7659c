//! Where something stands in a file, and what is wrong there.

use std::fmt;
use std::path::{Path, PathBuf};

/// Characters of a line that a fault repeats.
const LINE_CHARS_MAX: usize = 160;

/// Faults of one file that are named.
const FAULTS_MAX: usize = 100;

/// A place in a text: line and column, from 1. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::testing) struct Place {
    pub(in crate::testing) line: usize,
    pub(in crate::testing) column: usize,
}

impl Place {
    /// Where a text begins.
    pub(in crate::testing) const START: Self = Self { line: 1, column: 1 };
}

/// One thing that keeps a file from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileFault {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1. 0 if it is about the file as a whole.
    pub line: usize,
    /// The column, in characters, from 1. 0 if it is about the file as a whole.
    pub column: usize,
    /// The line itself, cut where it is long.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}; {}", self.message, self.remedy)
    }
}

/// A file of tests cannot be used: everything that is wrong with it, in the order of
/// the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", in_words(.faults))]
pub struct FileError {
    /// What is wrong; one fault at the least.
    pub faults: Vec<FileFault>,
}

fn in_words(faults: &[FileFault]) -> String {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    faults.join("\n")
}

/// The faults of one file, as they are found.
pub(in crate::testing) struct Faults<'a> {
    file: &'a Path,
    text: &'a str,
    found: Vec<(Place, FileFault)>,
    /// Whether there are others.
    more: bool,
}

impl<'a> Faults<'a> {
    /// None found yet.
    pub(in crate::testing) fn new(file: &'a Path, text: &'a str) -> Self {
        Self {
            file,
            text,
            found: Vec::new(),
            more: false,
        }
    }

    /// This is wrong there.
    pub(in crate::testing) fn report(
        &mut self,
        at: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.are_full() {
            self.more = true;
            return;
        }
        let fault = self.fault(at, message, remedy);
        self.found.push((at, fault));
    }

    /// This would be wrong there.
    pub(in crate::testing) fn fault(
        &self,
        at: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> FileFault {
        let source = self.text.lines().nth(at.line - 1).unwrap_or_default();
        FileFault {
            file: self.file.to_path_buf(),
            line: at.line,
            column: at.column,
            source: source.chars().take(LINE_CHARS_MAX).collect(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// Whether no more of them are named.
    pub(in crate::testing) fn are_full(&self) -> bool {
        self.found.len() == FAULTS_MAX
    }

    /// Whether nothing was found.
    pub(in crate::testing) fn are_none(&self) -> bool {
        self.found.is_empty()
    }

    /// What this came to: the value if nothing was wrong.
    pub(in crate::testing) fn or<T>(mut self, value: Option<T>) -> Result<T, FileError> {
        if let (true, Some(value)) = (self.found.is_empty(), value) {
            return Ok(value);
        }
        if self.found.is_empty() {
            self.report(Place::START, "it cannot be read", "correct it");
        }
        self.found.sort_by_key(|(at, _)| *at);
        let more = self.more;
        let mut faults: Vec<FileFault> = self.found.into_iter().map(|(_, fault)| fault).collect();
        if more {
            faults.push(whole(
                self.file,
                "there are more faults",
                "correct these first",
            ));
        }
        Err(FileError { faults })
    }
}

/// A fault of a file as a whole.
pub(in crate::testing) fn whole(
    file: &Path,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> FileFault {
    FileFault {
        file: file.to_path_buf(),
        line: 0,
        column: 0,
        source: String::new(),
        message: message.into(),
        remedy: remedy.into(),
    }
}
