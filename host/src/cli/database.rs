//! The database that a command is about.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, bail};
use refrain::id::ExecutionId;
use refrain::store::{ExecutionRecord, Reader, SqliteStore};

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
        value_name = "PATH"
    )]
    path: PathBuf,
}

/// The database that was opened first: errors name commands that mean it.
static OPENED: OnceLock<Database> = OnceLock::new();

impl Database {
    /// The database at this path.
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The one that was opened in this process; the default, if none was.
    pub(super) fn opened() -> Self {
        OPENED.get().cloned().unwrap_or_else(|| Self::at(DEFAULT))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Open the database for writing; it is made if it is not there.
    pub(super) fn open_or_create(&self) -> anyhow::Result<SqliteStore> {
        self.note();
        Ok(SqliteStore::open(&self.path)?)
    }

    /// Open the database for reading: asking about something must not leave
    /// an empty database behind, nor change one.
    pub(super) fn open(&self) -> anyhow::Result<SqliteStore> {
        self.is_there()?;
        Ok(SqliteStore::open_read_only(&self.path)?)
    }

    /// Open the database for writing; it must be there. One of an older schema
    /// is brought up to date.
    pub(super) fn open_to_go_on(&self) -> anyhow::Result<SqliteStore> {
        self.is_there()?;
        Ok(SqliteStore::open(&self.path)?)
    }

    /// Copy it there; the path that it has.
    pub(super) fn backup_to(&self, to: &Path) -> anyhow::Result<&Path> {
        self.is_there()?;
        folder_is_there(to)?;
        SqliteStore::backup(&self.path, to)?;
        Ok(&self.path)
    }

    /// Put this backup in its place; the path that it has, and where what stood
    /// there has gone.
    pub(super) fn restore_from(&self, from: &Path) -> anyhow::Result<(&Path, Option<PathBuf>)> {
        if matches!(from.try_exists(), Ok(false)) {
            bail!("there is no backup {}; check the path", from.display());
        }
        folder_is_there(&self.path)?;
        let aside = SqliteStore::restore(from, &self.path)?;
        Ok((&self.path, aside))
    }

    fn note(&self) {
        // All that a command opens is one database.
        let _ = OPENED.set(self.clone());
    }

    fn is_there(&self) -> anyhow::Result<()> {
        self.note();
        let path = self.path.display();
        match self.path.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => bail!(
                "there is no database {path}; name another with --db PATH, or begin one with `refrain run`"
            ),
            Err(error) => {
                Err(error).with_context(|| format!("cannot look for the database {path}"))
            }
        }
    }

    /// What a person types to have this done with this database.
    pub(super) fn command<W: AsRef<OsStr>>(&self, verb: &'static str, words: &[W]) -> Text {
        // Where the variable names another one, the default has to be named too.
        let is_meant = self.path == Path::new(DEFAULT) && std::env::var_os(VARIABLE).is_none();
        let path = (!is_meant).then_some(self.path.as_os_str());
        to_type::command(verb, words, path)
    }
}

/// What is written there stands beside it first, under a name of which nobody knows.
fn folder_is_there(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(folder) = folder
        && matches!(folder.try_exists(), Ok(false))
    {
        bail!(
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
    match store.execution(id)? {
        Some(record) => Ok(record),
        None => bail!("there is no execution {id}; `refrain list` shows those there are"),
    }
}
