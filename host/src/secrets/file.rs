//! Secrets that stand in a file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::source::{Secrets, value_fault};
use crate::error::WorkError;
use crate::json::{JsonError, TextError, check, text_of};
use crate::limits::SECRETS_FILE_BYTES_MAX;
use crate::templates::is_name;

/// The rights of others, and of a group, to a file.
const OTHERS: u32 = 0o077;

/// Secrets from a file, for one tenant: JSON, an object of names and values, or a line
/// `NAME=VALUE` for each. It is read once.
///
/// In lines, the value is all that stands behind the first `=`, quotes and spaces too;
/// empty lines and those that begin with `#` say nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretsFile {
    tenant: String,
    values: BTreeMap<String, String>,
}

/// Why a file of secrets cannot be used. No text of it holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsFileError {
    /// It cannot be read.
    #[error("the secrets file {0:?} cannot be read: {1}")]
    Unreadable(
        /// The file.
        PathBuf,
        /// Why.
        #[source]
        io::Error,
    ),
    /// Others than its owner have rights to it.
    #[error(
        "the secrets file {path:?} can be used by others than its owner (mode {mode:03o}); take their rights away: chmod 600 {}",
        .path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// It is larger than one may be.
    #[error("the secrets file {0:?} has more than {SECRETS_FILE_BYTES_MAX} bytes")]
    TooLarge(
        /// The file.
        PathBuf,
    ),
    /// It is not of a form that is read.
    #[error("the secrets file {path:?} {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
}

impl fmt::Debug for SecretsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFile")
            .field("tenant", &self.tenant)
            .field("names", &self.values.keys())
            .finish_non_exhaustive()
    }
}

impl SecretsFile {
    /// Read the file. Its secrets are this tenant's, and no other's.
    ///
    /// # Errors
    /// It cannot be read, others than its owner have rights to it, it is no UTF-8, or
    /// something in it is no secret.
    pub fn read(
        path: impl AsRef<Path>,
        tenant: impl Into<String>,
    ) -> Result<Self, SecretsFileError> {
        let path = path.as_ref();
        let bytes = bytes(path)?;
        let read = text_of(bytes).map_err(|error: TextError| error.to_string());
        let values = read.and_then(|text| match text.trim_start().starts_with('{') {
            true => of_json(&text),
            false => of_lines(&text),
        });
        match values {
            Ok(values) => Ok(Self {
                tenant: tenant.into(),
                values,
            }),
            Err(problem) => Err(SecretsFileError::Malformed {
                path: path.to_owned(),
                problem,
            }),
        }
    }
}

impl Secrets for SecretsFile {
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError> {
        let value = self.values.get(name).filter(|_| tenant == self.tenant);
        Ok(value.cloned())
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, SecretsFileError> {
    let unreadable = |error| SecretsFileError::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(unreadable)?;
    // Asked of what was opened: the name may lead elsewhere by now.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(SecretsFileError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Vec::new();
    let most = SECRETS_FILE_BYTES_MAX as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > SECRETS_FILE_BYTES_MAX {
        return Err(SecretsFileError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

fn of_json(text: &str) -> Result<BTreeMap<String, String>, String> {
    // What `serde_json` says of a type may repeat the value.
    check(text, SECRETS_FILE_BYTES_MAX).map_err(
        |JsonError {
             pointer, problem, ..
         }| { format!("is not accepted: at {pointer:?}, {problem}") },
    )?;
    let values: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
        .map_err(|_| "is no JSON object of names and texts".to_owned())?;
    let secret = |(name, value)| match value {
        serde_json::Value::String(value) => secret(name, value, ""),
        _ => Err(format!(
            "has a value of {name:?} that is no text; write it in quotes"
        )),
    };
    values.into_iter().map(secret).collect()
}

fn of_lines(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("in line {}, ", index + 1);
        // The line may be a value, or a part of one.
        let Some((name, value)) = line.split_once('=') else {
            return Err(format!(
                "has a line that is none of NAME=VALUE, line {}",
                index + 1
            ));
        };
        let (name, value) = secret(name.to_owned(), value.to_owned(), &place)?;
        if values.insert(name.clone(), value).is_some() {
            return Err(format!(
                "has the name {name} twice, the second time in line {}",
                index + 1
            ));
        }
    }
    Ok(values)
}

/// A name and a value that can be those of a secret.
fn secret(name: String, value: String, place: &str) -> Result<(String, String), String> {
    if !is_name(&name) {
        return Err(format!(
            "has, {place}a name that is none of a secret; use letters, digits and `_`, no digit first"
        ));
    }
    match value_fault(&name, &value) {
        Some(fault) => Err(format!(
            "has, {place}a value that is none of a secret: {fault}"
        )),
        None => Ok((name, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
        match text.starts_with('{') {
            true => of_json(text),
            false => of_lines(text),
        }
    }

    #[test]
    fn r29_both_forms_are_read() {
        for text in [
            "{\"KEY\": \"a=b \\\"c\", \"_2\": \"other\"}",
            "# both\n\nKEY=a=b \"c\r\n_2=other\n",
        ] {
            let values = read(text).unwrap();
            assert_eq!(values["KEY"], "a=b \"c");
            assert_eq!(values["_2"], "other");
        }
    }

    #[test]
    fn r29_what_is_no_secret_is_told_without_its_value() {
        for (text, told) in [
            ("KEY", "line 1"),
            ("\nhunter2", "line 2"),
            ("KEY=hunter2\nKEY=hunter3", "twice"),
            ("1KEY=hunter2", "a name"),
            ("KEY=", "KEY is empty"),
            ("KEY=abc", "fewer than 4 bytes"),
            ("{\"KEY\": 7}", "no text"),
            ("{\"KEY\": \"hunter2\", \"KEY\": \"hunter2\"}", "twice"),
            ("{\"KEY\": \"hunter2\"", "not JSON"),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(told), "{text}: {said}");
            assert!(!said.contains("hunter"), "{said}");
        }
    }
}
