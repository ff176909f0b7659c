//! The database that a command is about.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use refrain::id::ExecutionId;
use refrain::store::{ExecutionRecord, Reader, SqliteStore, StoreError};
use refrain::{Builder, Engine, EngineError};

use super::coded::refuse;
use super::placed::STDOUT;
use super::text::Text;
use super::to_type;

/// What is meant if none is named.
const DEFAULT: &str = "refrain.db";

/// The variable that names one.
const VARIABLE: &str = "REFRAIN_DB";

/// Where the executions are.
#[derive(Clone, clap::Args)]
pub(super) struct Database {
    /// The database, an SQLite file
    #[arg(
        long = "db",
        env = VARIABLE,
        default_value = DEFAULT,
        value_name = "PATH",
        global = true
    )]
    path: PathBuf,
}

/// The ending of the file next to it in which simulations run.
const SIMULATIONS: &str = ".sim";

/// The database that was opened first: errors name commands that mean it.
static OPENED: OnceLock<Database> = OnceLock::new();

/// A store, and those of some executions that it holds.
pub(super) type Part = (SqliteStore, Vec<ExecutionId>);

impl Database {
    /// The database at this path.
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The one that was opened in this process; the default, if none was.
    pub(super) fn opened() -> Self {
        OPENED.get().cloned().unwrap_or_else(|| Self::at(DEFAULT))
    }

    /// The file of real or of simulated executions.
    fn file(&self, simulated: bool) -> PathBuf {
        match simulated {
            true => file_of_simulations(&self.path),
            false => self.path.clone(),
        }
    }

    /// Open one of the two files for writing; it is made if it is not there.
    pub(super) fn open_or_create(&self, simulated: bool) -> anyhow::Result<SqliteStore> {
        self.note();
        let file = self.file(simulated);
        if simulated && keeps_simulations(&self.path) {
            refuse!(
                "wrong_store",
                "{} keeps simulated executions itself; name the database without its ending {SIMULATIONS}",
                self.path.display()
            );
        }
        let store = SqliteStore::options().simulated(simulated).open(&file)?;
        let file = file.display();
        match (store.is_simulated(), simulated) {
            (true, false) => refuse!(
                "wrong_store",
                "{file} keeps simulated executions, and nothing works on them without `--simulate`; name the database without its ending {SIMULATIONS}, and give `--simulate`"
            ),
            (false, true) => refuse!(
                "wrong_store",
                "{file} keeps executions of real time, and nothing is simulated there; move it to another name"
            ),
            (true, true) | (false, false) => Ok(store),
        }
    }

    /// The same, where the file must be there. One of an older schema is brought up to
    /// date.
    pub(super) fn open_to_go_on(&self, simulated: bool) -> anyhow::Result<SqliteStore> {
        self.is_there(simulated)?;
        self.open_or_create(simulated)
    }

    /// Open those of the two files that are there for reading, first that of real time:
    /// asking about something must not leave an empty database behind, nor change one.
    pub(super) fn open(&self) -> anyhow::Result<Vec<SqliteStore>> {
        let files = self.files()?;
        let stores = files.into_iter().map(SqliteStore::open_read_only);
        Ok(stores.collect::<Result<_, _>>()?)
    }

    /// The store that holds an execution, for reading, and its record.
    pub(super) fn holding(
        &self,
        id: ExecutionId,
    ) -> anyhow::Result<(SqliteStore, ExecutionRecord)> {
        let part = self.parts(&[id])?.into_iter().next();
        let (mut store, _) = part.ok_or_else(|| missing(id))?;
        let record = record(&mut store, id)?;
        Ok((store, record))
    }

    /// The stores that hold these executions, for reading. What none holds is for the
    /// first to miss.
    pub(super) fn parts(&self, ids: &[ExecutionId]) -> anyhow::Result<Vec<Part>> {
        let mut files = self.files()?.into_iter().peekable();
        let (mut parts, mut left) = (Vec::new(), ids.to_vec());
        while let Some(file) = files.next() {
            let mut store = SqliteStore::open_read_only(file)?;
            let mut held = Vec::new();
            let is_last = files.peek().is_none();
            if is_last && parts.is_empty() {
                held = std::mem::take(&mut left);
            }
            for id in std::mem::take(&mut left) {
                match holds(&mut store, id)? {
                    true => held.push(id),
                    false => left.push(id),
                }
            }
            parts.push((store, held));
            if left.is_empty() {
                break;
            }
        }
        if let Some((_, held)) = parts.first_mut() {
            held.append(&mut left);
        }
        parts.retain(|(_, held)| !held.is_empty());
        Ok(parts)
    }

    /// Copy it there; the path that it has.
    pub(super) fn backup_to(&self, to: &Path) -> anyhow::Result<&Path> {
        self.is_there(false)?;
        if to == Path::new(STDOUT) {
            refuse!("usage", "a backup is a file, and no stream; name a file");
        }
        let is_for_simulations = to
            .as_os_str()
            .as_encoded_bytes()
            .ends_with(SIMULATIONS.as_bytes());
        if is_for_simulations && !keeps_simulations(&self.path) {
            refuse!(
                "usage",
                "{} is the name of a file of simulations, and {} keeps executions of real time; choose a name without the ending {SIMULATIONS}",
                to.display(),
                self.path.display()
            );
        }
        folder_is_there(to)?;
        SqliteStore::backup(&self.path, to)?;
        Ok(&self.path)
    }

    /// The file next to it in which simulations run. `None` if there is none.
    pub(super) fn simulations(&self) -> Option<Self> {
        let file = self.file(true);
        file.exists().then(|| Self::at(file))
    }

    /// The path that it has.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Put this backup in its place; the path that it has, and where what stood
    /// there has gone.
    pub(super) fn restore_from(&self, from: &Path) -> anyhow::Result<(&Path, Option<PathBuf>)> {
        if matches!(from.try_exists(), Ok(false)) {
            refuse!(
                "backup_missing",
                "there is no backup {}; check the path",
                from.display()
            );
        }
        folder_is_there(&self.path)?;
        let aside = SqliteStore::restore(from, &self.path)?;
        Ok((&self.path, aside))
    }

    fn note(&self) {
        // All that a command opens is one database.
        let _ = OPENED.set(self.clone());
    }

    /// Those of the two files that are there: one at least.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let simulations = self.file(true);
        // That of real time has to be there only if the other is not.
        let only_simulations = simulations.exists() && !self.path.exists();
        if only_simulations {
            self.note();
            return Ok(vec![simulations]);
        }
        self.is_there(false)?;
        let files = [self.path.clone(), simulations];
        let there = files.into_iter().take_while(|file| file.exists());
        Ok(there.collect())
    }

    fn is_there(&self, simulated: bool) -> anyhow::Result<()> {
        self.note();
        let file = self.file(simulated);
        let path = file.display();
        match file.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) if simulated => refuse!(
                "store_missing",
                "there is no database {path}; name another with --db PATH, or begin one with `refrain run --simulate`"
            ),
            Ok(false) => {
                let place = path.to_string();
                Err(StoreError::Missing { place }.into())
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot look for the database {path}"))
            }
        }
    }

    /// What a person types to have this done with this database.
    pub(super) fn command<W: AsRef<OsStr>>(&self, verb: &'static str, words: &[W]) -> Text {
        to_type::command(verb, words, self.to_name())
    }

    /// What a person types so that a program of theirs works on this queue.
    pub(super) fn command_to_serve(&self, queue: &str) -> Text {
        let worker = format!("{queue}=PROGRAM");
        let option = ("--worker", OsStr::new(&worker));
        to_type::with_option("work", Some(option), &[""; 0], self.to_name())
    }

    /// What a person types so that another execution goes on from before this node began.
    pub(super) fn command_to_fork_from(&self, id: ExecutionId, node: &str) -> Text {
        let option = ("--from", OsStr::new(node));
        to_type::with_option("fork", Some(option), &[id.to_string()], self.to_name())
    }

    /// What a person types so that another execution begins anew with another input.
    pub(super) fn command_to_fork_with_input(&self, id: ExecutionId) -> Text {
        let option = ("--input", OsStr::new("JSON"));
        to_type::with_option("fork", Some(option), &[id.to_string()], self.to_name())
    }

    /// What a person types to get the smallest log on which this scheduler leaves that of an
    /// execution.
    pub(super) fn command_to_minimize(&self, id: &str, guest: &Path) -> Text {
        let option = ("--guest", guest.as_os_str());
        to_type::with_option("minimize", Some(option), &[id], self.to_name())
    }

    /// The path, where it has to be typed for this database to be meant.
    fn to_name(&self) -> Option<&OsStr> {
        // Where the variable names another one, the default has to be named too.
        let is_meant = self.path == Path::new(DEFAULT) && std::env::var_os(VARIABLE).is_none();
        (!is_meant).then_some(self.path.as_os_str())
    }
}

/// The file in which simulations run, next to this database.
pub(super) fn file_of_simulations(path: &Path) -> PathBuf {
    let mut file = path.to_owned().into_os_string();
    file.push(SIMULATIONS);
    file.into()
}

/// Whether this file is one in which simulations run. One that cannot be read does not
/// keep anybody from simulating next to it.
fn keeps_simulations(path: &Path) -> bool {
    path.exists() && SqliteStore::open_read_only(path).is_ok_and(|store| store.is_simulated())
}

/// Refuses a path in a folder that is not there: a file is first written next to its place,
/// under a temporary name.
fn folder_is_there(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(folder) = folder
        && matches!(folder.try_exists(), Ok(false))
    {
        refuse!(
            "folder_missing",
            "{} cannot be written: its folder {} does not exist; create it",
            path.display(),
            folder.display()
        );
    }
    Ok(())
}

/// Whether the variable that names the database is there, and names none.
pub(super) fn variable_is_empty() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|it| it.is_empty())
}

/// The record of an execution that must be there.
pub(super) fn record(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<ExecutionRecord> {
    store.execution(id)?.ok_or_else(|| missing(id))
}

/// The same store, opened for writing. One of an older schema is brought up to date.
pub(super) fn to_write(store: SqliteStore) -> anyhow::Result<SqliteStore> {
    let file = store.path().to_owned();
    drop(store);
    Ok(SqliteStore::open(file)?)
}

/// An engine to be, for the executions that the store keeps.
pub(super) fn engine(store: SqliteStore) -> Builder {
    let simulated = store.is_simulated();
    Engine::builder().store(store).simulated(simulated)
}

/// Whether the store has an execution, be it one that cannot be read.
fn holds(store: &mut SqliteStore, id: ExecutionId) -> anyhow::Result<bool> {
    match store.execution(id) {
        Ok(record) => Ok(record.is_some()),
        Err(error) if error.is_of_one() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The error that there is no such execution.
pub(super) fn missing(id: ExecutionId) -> anyhow::Error {
    EngineError::UnknownExecution(id).into()
}
