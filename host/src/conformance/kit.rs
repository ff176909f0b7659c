//! A kit as it is read and written, line by line.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::apply::apply;
use super::case::{Base, Case, Together};
use super::json_line::member;
use super::log_text::LogText;
use crate::limits::CONFORMANCE_KIT_BYTES_MAX;
use crate::log::component::{self, Component};
use crate::model::Digest;

/// The format of the kits that this program reads and writes.
pub const FORMAT: &str = "refrain-conformance/2";

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

/// A conformance kit.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The digest of the scheduler that its logs name, unless they are about another one.
    pub guest: Digest,
    /// Other schedulers that its logs name.
    pub components: Vec<Component>,
    /// What no auditor can use for a scheduler, and logs bring all the same.
    pub unusable: Vec<Component>,
    /// The logs.
    pub bases: Vec<Base>,
    /// The cases.
    pub cases: Vec<Case>,
    /// The cases of several logs.
    pub together: Vec<Together>,
}

/// A line of a kit.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Kit(Beginning),
    Component(Box<RawValue>),
    Unusable(Box<RawValue>),
    Base(Base),
    Case(Case),
    Together(Together),
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
            unusable: Vec::new(),
            bases: Vec::new(),
            cases: Vec::new(),
            together: Vec::new(),
        }
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cases.len() + self.together.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            let mut all = self.components.iter().chain(&self.unusable);
            all.find(|it| it.digest == digest).map(component::write)
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
        let line = |component| RawValue::from_string(component::write(component));
        for component in &self.components {
            put(&mut to, &Line::Component(line(component)?))?;
        }
        for component in &self.unusable {
            put(&mut to, &Line::Unusable(line(component)?))?;
        }
        for base in &self.bases {
            put(&mut to, &Line::Base(base.clone()))?;
        }
        for case in &self.cases {
            put(&mut to, &Line::Case(case.clone()))?;
        }
        for together in &self.together {
            put(&mut to, &Line::Together(together.clone()))?;
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

impl Names {
    fn take_case(&mut self, name: &str) -> Result<(), String> {
        if !is_name(name) {
            return Err(format!(
                "names a case {name:?}, and a file cannot be called so"
            ));
        }
        match self.cases.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(format!("names a second case {name:?}")),
        }
    }

    fn find_base(&self, case: &Case) -> Result<(), String> {
        match self.bases.contains(&case.base) {
            true => Ok(()),
            false => Err(format!(
                "is about the log {:?}, which is not before it",
                case.base
            )),
        }
    }
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
        Line::Unusable(line) => kit.unusable.push(component_of(line.get())?),
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
            names.take_case(&case.name)?;
            names.find_base(&case)?;
            kit.cases.push(case);
        }
        Line::Together(together) => {
            names.take_case(&together.name)?;
            let mut within = Names::default();
            for case in &together.logs {
                within.take_case(&case.name)?;
                names.find_base(case)?;
            }
            kit.together.push(together);
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
