//! Where a log is read from: an execution of the database, or a file; and how much of it,
//! where an execution is looked at as it was behind one of its events.
//!
//! All commands that look at one log come in here. Whatever is opened is read through a
//! store: a file is a store of one execution, and so are the first events of a log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use refrain::ErrorRemedy;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::log::export::Component;
use refrain::replay::{
    LogStore, Recording, Travel, Unreadable, UnreadableCause, fetch_guest, from_export, from_store,
};
use refrain::store::{ExecutionRecord, Reader, Timestamp};
use serde::Serialize;

use super::coded::{OrCoded, coded, refuse};
use super::database::{self, Database};
use super::failure::{curable, curable_by};
use super::files::{self, STDIN};
use super::named::{self, Named};
use super::text::{Text, text};
use super::{damage, guests, output, time, to_type};

/// The log that a command looks at.
#[derive(clap::Args)]
pub(super) struct LogArguments {
    /// The execution
    #[arg(value_name = "EXECUTION", required_unless_present = "file")]
    execution: Option<Named>,
    /// Read a log that `refrain export` wrote, instead of one of the database; `-` is stdin
    #[arg(long, value_name = "LOG.ndjson", conflicts_with = "execution")]
    file: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

/// Schedulers for a log out of a file, for commands that ask them.
#[derive(Default, clap::Args)]
pub(super) struct GuestArguments {
    /// A scheduler component that the file names and does not hold; may be given several
    /// times
    #[arg(
        long,
        value_name = "FILE.wasm",
        requires = "file",
        conflicts_with = "execution"
    )]
    guest: Vec<PathBuf>,
}

/// A log that was opened.
pub(super) struct OpenLog {
    /// What is known of the execution.
    pub(super) store: Box<dyn Reader>,
    /// The execution; where only its log is known, as that says.
    pub(super) record: ExecutionRecord,
    /// Behind which event it is looked at. `None` if behind the last one, as it is now.
    pub(super) place: Option<Place>,
    /// Why the log cannot be read to its end. `None` if it can.
    pub(super) broken_off: Option<anyhow::Error>,
    /// The database that the execution is in. `None` if the log came out of a file.
    database: Option<Database>,
    /// The log, where all of it was read already.
    read: Option<Arc<Recording>>,
}

/// A place in a log.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Place {
    /// The event that the place is behind.
    pub(super) sequence: u64,
    /// The last event of the log.
    pub(super) last: u64,
}

impl LogArguments {
    /// What is meant by an operand: a file where it ends in `.ndjson`, has a `/` in it or is
    /// `-`; else an execution of this database.
    pub(super) fn named(operand: &str, database: &Database) -> anyhow::Result<Self> {
        let is_file = operand.ends_with(".ndjson") || operand.contains('/') || operand == STDIN;
        let execution = match is_file {
            true => None,
            false => Some(operand.parse().or_coded("usage", || {
                format!(
                    "{operand:?} names neither an execution nor a file; a file ends in .ndjson or has a / in it"
                )
            })?),
        };
        Ok(Self {
            execution,
            file: is_file.then(|| operand.into()),
            database: database.clone(),
        })
    }

    /// The log in this file.
    pub(super) fn of_file(file: PathBuf, database: &Database) -> Self {
        Self {
            execution: None,
            file: Some(file),
            database: database.clone(),
        }
    }

    /// The log of an execution of this database.
    pub(super) fn of(execution: Named, database: &Database) -> Self {
        Self {
            execution: Some(execution),
            file: None,
            database: database.clone(),
        }
    }

    /// The file that was named. `None` if an execution was.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The execution of the database that was named. `None` if a file was.
    fn execution(&self) -> anyhow::Result<Option<ExecutionId>> {
        let named = self.execution.as_ref();
        named.map(|named| named.find(&self.database)).transpose()
    }

    /// Opens the log that was named; up to this event, if one is given.
    pub(super) fn open(&self, at: Option<u64>, guests: &GuestArguments) -> anyhow::Result<OpenLog> {
        match (self.execution()?, at) {
            (Some(id), None) => self.open_execution(id),
            (Some(id), Some(sequence)) => self.open_past(id, sequence),
            (None, at) => self.open_file(at, guests),
        }
    }

    /// The same for a command about one node of it, if one is named. A node of a child is one
    /// of that child's log, and is followed there.
    pub(super) fn open_for(
        &self,
        node: Option<&str>,
        at: Option<u64>,
        guests: &GuestArguments,
    ) -> anyhow::Result<(OpenLog, Option<String>)> {
        match (self.execution()?, node, at) {
            (Some(id), Some(node), None) => {
                let (id, node) = named::below(&self.database, id, node)?;
                Ok((self.open_execution(id)?, Some(node)))
            }
            (Some(id), Some(node), Some(at)) => {
                let (id, node, at) = named::below_at(&self.database, id, node, at)?;
                Ok((self.open_past(id, at)?, Some(node)))
            }
            (_, node, at) => Ok((self.open(at, guests)?, node.map(str::to_owned))),
        }
    }

    /// What says what is wrong with the log of this execution, as it was named.
    pub(super) fn to_audit(&self, id: ExecutionId) -> Text {
        let command = match &self.file {
            Some(path) => audit_of_file(path),
            None => self.database.command("audit", &[id.to_string()]),
        };
        text!("`{}` says what is wrong with its log", command)
    }

    /// Opens the log of a child of an execution that was opened. `None` if that came out of a
    /// file.
    pub(super) fn open_child(&self, child: ExecutionId) -> anyhow::Result<Option<OpenLog>> {
        match self.file {
            Some(_) => Ok(None),
            None => self.open_execution(child).map(Some),
        }
    }

    /// Opens the log of an execution of the database, as it is now.
    fn open_execution(&self, id: ExecutionId) -> anyhow::Result<OpenLog> {
        let (store, record) = damage::checked(&self.database, id)?;
        Ok(OpenLog {
            store: Box::new(store),
            record,
            place: None,
            broken_off: None,
            database: Some(self.database.clone()),
            read: None,
        })
    }

    fn open_past(&self, id: ExecutionId, sequence: u64) -> anyhow::Result<OpenLog> {
        let (mut store, _) = self.database.holding(id)?;
        let reading = from_store(&mut store, id)?.ok_or_else(|| database::missing(id))?;
        let mut recording = reading.map_err(|found| unreadable_log(id, &found))?;
        // One that is missing is missed when it is asked.
        recording.fetch_components(&mut store)?;
        let broken_off = recording.broken_off.as_ref();
        let broken_off = broken_off.map(|found| unreadable_log(id, found));
        let place = store.place();
        let mut open = of_recording(recording, place, broken_off, Some(sequence))?;
        open.database = Some(self.database.clone());
        Ok(open)
    }

    fn open_file(&self, at: Option<u64>, guests: &GuestArguments) -> anyhow::Result<OpenLog> {
        let path = self.file.as_deref().unwrap_or(Path::new(STDIN));
        let place = path.display().to_string();
        let reading = from_export(files::log(path)?, &place);
        let reading =
            reading.or_coded("log_unreadable", || format!("cannot read the log {place}"))?;
        let mut recording = reading.map_err(|found| unreadable_file(path, &found))?;
        for guest in &guests.guest {
            recording
                .components
                .push(named_component(&recording, guest)?);
        }
        let broken_off = recording.broken_off.as_ref();
        let broken_off = broken_off.map(|found| unreadable_file(path, found));
        let open = of_recording(recording, place, broken_off, at)?;
        output::say(&text!(
            "{} is a log: leases, work items, the output of programs and the logs of children are not in it",
            path
        ));
        Ok(open)
    }
}

/// What a log is, up to this event if one is given.
fn of_recording(
    recording: Recording,
    place: String,
    broken_off: Option<anyhow::Error>,
    at: Option<u64>,
) -> anyhow::Result<OpenLog> {
    let id = recording.execution_id;
    let read = recording.plain().count() as u64;
    let last = recording.head.sequence.max(read);
    if at.is_some() && recording.is_erased() {
        refuse!(
            "log_erased",
            "the log of {id} is erased: its scheduler cannot be asked about it any more"
        );
    }
    let (recording, broken_off) = match at {
        None => (recording, broken_off),
        Some(sequence) if (1..=read).contains(&sequence) => {
            let first = recording.until(sequence);
            (first.expect("the log has this event"), None)
        }
        Some(sequence) => match broken_off {
            Some(error) if sequence > read => return Err(error),
            _ => refuse!(
                "no_event",
                "the log of {id} has the events 1 to {read}, and {sequence} is none of them; give one of these"
            ),
        },
    };
    let recording = Arc::new(recording);
    let mut store = LogStore::new(Arc::clone(&recording), place.clone());
    let Some(record) = store.execution(id)? else {
        match broken_off {
            Some(error) => return Err(error),
            None => return Err(without_beginning(id, &place)),
        }
    };
    let is_whole = record.tampering.is_none() && !recording.is_erased();
    Ok(OpenLog {
        store: Box::new(store),
        record,
        place: at.map(|sequence| Place { sequence, last }),
        broken_off,
        database: None,
        // What is not whole, its store says of it.
        read: is_whole.then_some(recording),
    })
}

/// That a log begins in the middle.
pub(super) fn without_beginning(id: ExecutionId, place: &str) -> anyhow::Error {
    let message = format!(
        "the log of {id} in {place} does not begin with the start of an execution; `refrain audit` says what is wrong with it, and an untouched export has all of it"
    );
    coded("log_damaged", message)
}

impl OpenLog {
    /// The database in which something can be done about what is seen. `None` if that moment
    /// is past, or the execution is only known from a file.
    pub(super) fn to_act_on(&self) -> Option<&Database> {
        self.database.as_ref().filter(|_| self.place.is_none())
    }

    /// The log, where all of it was read already.
    pub(super) fn read(&self) -> Option<&Arc<Recording>> {
        self.read.as_ref()
    }

    /// Whether all that is known is the log.
    pub(super) fn is_log_alone(&self) -> bool {
        self.to_act_on().is_none()
    }

    /// What time it is for the execution: where only its log is known, that of the last event.
    pub(super) fn now(&mut self) -> anyhow::Result<Timestamp> {
        if self.is_log_alone() {
            return Ok(self.record.last_at);
        }
        let now = time::now(&mut *self.store)?;
        let simulated = self.store.is_simulated();
        Ok(time::of_execution(&self.record, simulated, now))
    }

    /// The log itself. Refused where it cannot be read to its end.
    pub(super) fn recording(&mut self) -> anyhow::Result<Arc<Recording>> {
        if let Some(error) = self.broken_off.take() {
            return Err(error);
        }
        let recording = match self.read.take() {
            Some(recording) => recording,
            None => guests::recording(&mut *self.store, self.record.id)?,
        };
        Ok(Arc::clone(self.read.insert(recording)))
    }

    /// A cursor over the log, behind its last event. Of the log nothing else is held any more.
    pub(super) fn into_travel(mut self) -> anyhow::Result<Travel> {
        let (recording, library) = self.recorded()?;
        drop(self);
        Ok(Travel::open(recording, library)?)
    }

    /// The same, while the log is held too.
    pub(super) fn travel(&mut self) -> anyhow::Result<Travel> {
        let (recording, library) = self.recorded()?;
        Ok(Travel::open(recording, library)?)
    }

    fn recorded(&mut self) -> anyhow::Result<(Arc<Recording>, Library)> {
        let recording = self.recording()?;
        let mut library: Library = guests::library()?;
        for digest in recording.guests() {
            fetch_guest(&mut library, &mut *self.store, &digest)?;
        }
        Ok((recording, library))
    }
}

/// A component of this file that the log names.
fn named_component(recording: &Recording, path: &Path) -> anyhow::Result<Component> {
    let bytes = guests::component(path)?;
    let digest = refrain::log::digest::digest(&bytes);
    if !recording.guests().any(|named| named == digest) {
        let named: Vec<String> = recording.guests().collect();
        refuse!(
            "unnamed_guest",
            "{} is the scheduler component {digest}, and the log does not name it: it names {}",
            path.display(),
            named.join(", ")
        );
    }
    Ok(Component { digest, bytes })
}

/// That the log of an execution of the database cannot be read from some event on.
fn unreadable_log(id: ExecutionId, found: &Unreadable) -> anyhow::Error {
    let (code, message) = unreadable(&format!("the log of {id}"), found);
    match found.cause {
        UnreadableCause::Newer => coded(code, message),
        _ => curable(code, message, ErrorRemedy::Audit(id)),
    }
}

/// The same of a file.
pub(super) fn unreadable_file(path: &Path, found: &Unreadable) -> anyhow::Error {
    let (code, message) = unreadable(&path.display().to_string(), found);
    match found.cause {
        UnreadableCause::Newer => coded(code, message),
        _ => curable_by(
            code,
            message,
            text!("`{}` says what is wrong with it", audit_of_file(path)),
        ),
    }
}

fn audit_of_file(path: &Path) -> Text {
    to_type::with_option("audit", Some(("--file", path.as_os_str())), &[""; 0], None)
}

fn unreadable(what: &str, found: &Unreadable) -> (&'static str, String) {
    let message = format!("{what} cannot be read: {}", found.message);
    match found.cause {
        UnreadableCause::Newer => ("log_newer", message),
        _ => ("log_damaged", message),
    }
}
