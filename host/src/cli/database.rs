//! The database that a command is about.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use refrain::id::ExecutionId;
use refrain::store::{ExecutionRecord, SqliteStore, Store};

use super::waiting::quoted;

/// Where the executions are.
#[derive(clap::Args)]
pub(super) struct Database {
    /// The database, an SQLite file
    #[arg(
        long = "db",
        env = "REFRAIN_DB",
        default_value = "refrain.db",
        value_name = "PATH"
    )]
    path: PathBuf,
}

impl Database {
    /// Open the database for writing; it is made if it is not there.
    pub(super) fn open_or_create(&self) -> anyhow::Result<SqliteStore> {
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
        SqliteStore::backup(&self.path, to)?;
        Ok(&self.path)
    }

    /// Put this backup in its place; the path that it has, and where what stood
    /// there has gone.
    pub(super) fn restore_from(&self, from: &Path) -> anyhow::Result<(&Path, Option<PathBuf>)> {
        let aside = SqliteStore::restore(from, &self.path)?;
        Ok((&self.path, aside))
    }

    fn is_there(&self) -> anyhow::Result<()> {
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

    /// What a person types after `refrain` to mean this database again.
    pub(super) fn flag(&self) -> String {
        if self.path == Path::new("refrain.db") {
            String::new()
        } else {
            format!(" --db {}", quoted(&self.path.display().to_string()))
        }
    }
}

/// What the guest says, with the database's flag in the commands that it names:
/// it knows of no database.
pub(super) fn with_flag(text: &str, flag: &str) -> String {
    let mut parts = text.split('`');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A command is behind this backquote; the flag goes before the next.
        let flag = if part.starts_with("refrain ") {
            flag
        } else {
            ""
        };
        whole.push_str(&format!("`{part}{flag}"));
    }
    whole
}

/// The record of an execution that must be there.
pub(super) fn record(store: &mut dyn Store, id: ExecutionId) -> anyhow::Result<ExecutionRecord> {
    match store.execution(id)? {
        Some(record) => Ok(record),
        None => bail!("there is no execution {id}; `refrain list` shows those there are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_database() {
        for (text, expected) in [
            ("plain", "plain"),
            ("`a b` failed", "`a b` failed"),
            (
                "`refrain skip e a` skips",
                "`refrain skip e a --db d` skips",
            ),
            ("`a`: `refrain skip e a`", "`a`: `refrain skip e a --db d`"),
        ] {
            assert_eq!(with_flag(text, " --db d"), expected);
            assert_eq!(with_flag(text, ""), text);
        }
    }

    #[test]
    fn a_path_survives_the_shell() {
        for (path, flag) in [
            ("refrain.db", ""),
            ("other.db", " --db other.db"),
            ("my files/it.db", " --db 'my files/it.db'"),
        ] {
            assert_eq!(Database { path: path.into() }.flag(), flag);
        }
    }
}
