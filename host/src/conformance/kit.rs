//! A kit as it is read and written, line by line.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::apply::apply;
use super::edit::Edit;
use super::expected::Expected;
use super::json_line::member;
use super::log_text::LogText;
use crate::limits::CONFORMANCE_KIT_BYTES_MAX;
use crate::log::component::{self, Component};
use crate::model::Digest;

/// The format of the kits that this program reads and writes.
pub const FORMAT: &str = "refrain-conformance/1";

/// Why a file is no kit, or a case of it comes to no log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// It could not be read.
    #[error("line {line} could not be read: {source}")]
    Io {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// A line is not what should stand there.
    #[error("line {line} of the kit {problem}; take the kit from its source again")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
    /// The edits of a case do not fit its log.
    #[error(
        "the case {case} of the kit cannot be made: edit {edit}: {problem}; take the kit from its source again"
    )]
    Edit {
        /// The case.
        case: String,
        /// Which of its edits, from 1.
        edit: usize,
        /// What is wrong.
        problem: String,
    },
}

/// A log that cases begin with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub shows: String,
    /// Its lines: the header, and an event each.
    pub lines: Vec<Box<RawValue>>,
}

/// A log, and what an auditor has to say of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name: letters, digits, `_`, `-` and `.`, so that a file can have it.
    pub name: String,
    /// The log that it begins with.
    pub base: String,
    /// What is done to that, in this order.
    pub edits: Vec<Edit>,
    /// What an auditor has to say of it.
    pub expected: Expected,
}

/// A conformance kit.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The digest of the scheduler that its logs name, unless they are about another one.
    pub guest: Digest,
    /// Other schedulers that its logs name.
    pub components: Vec<Component>,
    /// The logs.
    pub bases: Vec<Base>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A line of a kit.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Kit(Beginning),
    Component(Box<RawValue>),
    Base(Base),
    Case(Case),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beginning {
    format: String,
    guest: Digest,
}

impl Kit {
    /// A kit of nothing yet, for logs of this scheduler.
    #[must_use]
    pub fn new(guest: Digest) -> Self {
        Self {
            guest,
            components: Vec::new(),
            bases: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// The kit of this file.
    ///
    /// # Errors
    /// [`KitError`] with the line that is wrong. That the cases come to logs,
    /// [`Kit::log`] says.
    pub fn read(file: impl BufRead) -> Result<Self, KitError> {
        let mut kit: Option<Self> = None;
        let mut names = Names::default();
        let lines = file.take(CONFORMANCE_KIT_BYTES_MAX as u64 + 1).lines();
        let mut bytes = 0;
        for (line, text) in (1..).zip(lines) {
            let text = text.map_err(|source| KitError::Io { line, source })?;
            bytes += text.len() + 1;
            let read = match bytes > CONFORMANCE_KIT_BYTES_MAX {
                true => Err(format!(
                    "is beyond the {CONFORMANCE_KIT_BYTES_MAX} bytes that a kit may have"
                )),
                false => take(&mut kit, &mut names, &text),
            };
            read.map_err(|problem| KitError::Line { line, problem })?;
        }
        kit.ok_or_else(|| KitError::Line {
            line: 1,
            problem: "is missing: the file is empty".to_owned(),
        })
    }

    /// The log of one of its cases, as a file holds it.
    ///
    /// # Errors
    /// [`KitError::Edit`] if an edit does not fit.
    pub fn log(&self, case: &Case) -> Result<Vec<u8>, KitError> {
        let failed = |edit, problem| KitError::Edit {
            case: case.name.clone(),
            edit,
            problem,
        };
        let base = self.bases.iter().find(|base| base.name == case.base);
        let base = base.ok_or_else(|| failed(0, format!("there is no log {:?}", case.base)))?;
        let mut log = LogText::new(base.lines.iter().map(|line| line.get()));
        let find = |digest: &str| {
            let found = self.components.iter().find(|it| it.digest == digest);
            found.map(component::write)
        };
        for (number, edit) in (1..).zip(&case.edits) {
            apply(&mut log, edit, find).map_err(|problem| failed(number, problem))?;
        }
        Ok(log.into_bytes())
    }

    /// Writes the kit.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        let beginning = Line::Kit(Beginning {
            format: FORMAT.to_owned(),
            guest: self.guest,
        });
        put(&mut to, &beginning)?;
        for component in &self.components {
            let line = RawValue::from_string(component::write(component))?;
            put(&mut to, &Line::Component(line))?;
        }
        for base in &self.bases {
            put(&mut to, &Line::Base(base.clone()))?;
        }
        for case in &self.cases {
            put(&mut to, &Line::Case(case.clone()))?;
        }
        to.flush()
    }
}

/// The names that there are already.
#[derive(Default)]
struct Names {
    bases: BTreeSet<String>,
    cases: BTreeSet<String>,
}

/// Takes one line into the kit. What is wrong with it is the end of a sentence.
fn take(kit: &mut Option<Kit>, names: &mut Names, text: &str) -> Result<(), String> {
    let line: Line =
        serde_json::from_str(text).map_err(|error| format!("is no line of one: {error}"))?;
    let Some(kit) = kit else {
        let Line::Kit(Beginning { format, guest }) = line else {
            return Err("should say of which format the kit is".to_owned());
        };
        if format != FORMAT {
            return Err(format!(
                "says that its format is {format:?}, and this program reads {FORMAT}"
            ));
        }
        *kit = Some(Kit::new(guest));
        return Ok(());
    };
    match line {
        Line::Kit(_) => return Err("begins a second kit".to_owned()),
        Line::Component(line) => kit.components.push(component_of(line.get())?),
        Line::Base(base) => {
            if base.lines.iter().any(|line| line.get().contains('\n')) {
                return Err("has a log with a line of several lines".to_owned());
            }
            if !names.bases.insert(base.name.clone()) {
                return Err(format!("names a second log {:?}", base.name));
            }
            kit.bases.push(base);
        }
        Line::Case(case) => {
            if !is_name(&case.name) {
                return Err(format!(
                    "names a case {:?}, and a file cannot be called so",
                    case.name
                ));
            }
            if !names.bases.contains(&case.base) {
                return Err(format!(
                    "is about the log {:?}, which is not before it",
                    case.base
                ));
            }
            if !names.cases.insert(case.name.clone()) {
                return Err(format!("names a second case {:?}", case.name));
            }
            kit.cases.push(case);
        }
    }
    Ok(())
}

fn component_of(line: &str) -> Result<Component, String> {
    let named = member(line, "component")?.unwrap_or("\"\"");
    let named: String =
        serde_json::from_str(named).map_err(|error| format!("names no component: {error}"))?;
    component::read(line, &named).map_err(|error| format!("is no component: {error}"))
}

fn is_name(name: &str) -> bool {
    const BYTES_MAX: usize = 120;
    let may_stand = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.');
    (1..=BYTES_MAX).contains(&name.len())
        && name.bytes().all(may_stand)
        && name.starts_with(|it: char| it.is_ascii_alphanumeric())
}

fn put(to: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}
