//! The reading of rows, so that the error of a damaged value names its column.

use rusqlite::types::{FromSql, FromSqlError, Type};
use rusqlite::{Error, Result, Row};

/// The place of a column, where the error is of a row as a whole.
pub(super) const WHOLE: usize = usize::MAX;

/// Reads a row. The error of a value that does not belong into its column names the
/// column, where SQLite's own error has its number.
pub(super) fn read_row<T>(row: &Row<'_>, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
    read(row).map_err(|error| with_name(row, error))
}

/// Reads one column of a row.
pub(super) fn column<T: FromSql>(row: &Row<'_>, column: usize) -> Result<T> {
    read_row(row, |row| row.get(column))
}

/// The error of a value that was taken from this column as it is stored.
pub(super) fn of_column(column: usize, of: Type) -> impl FnOnce(FromSqlError) -> Error {
    move |error| Error::FromSqlConversionFailure(column, of, Box::new(error))
}

/// What is wrong with what was read, in a sentence.
pub(super) fn detail(error: &Error) -> String {
    match error {
        Error::FromSqlConversionFailure(_, _, cause) => cause.to_string(),
        error => error.to_string(),
    }
}

/// The error of a value that does not belong into its column.
#[derive(Debug, thiserror::Error)]
#[error("its column `{column}` cannot be right: {problem}")]
struct ValueError {
    column: String,
    problem: String,
}

fn with_name(row: &Row<'_>, error: Error) -> Error {
    let (column, of, problem) = match &error {
        Error::FromSqlConversionFailure(column, of, cause) => (*column, *of, cause.to_string()),
        Error::IntegralValueOutOfRange(column, value) => {
            (*column, Type::Integer, format!("{value} is out of range"))
        }
        Error::InvalidColumnType(column, _, of) => {
            let found = of.to_string().to_lowercase();
            (*column, *of, format!("it holds a value of type {found}"))
        }
        Error::Utf8Error(column, cause) => (*column, Type::Text, cause.to_string()),
        _ => return error,
    };
    let Ok(name) = row.as_ref().column_name(column) else {
        return error;
    };
    let named = ValueError {
        column: name.to_owned(),
        problem,
    };
    Error::FromSqlConversionFailure(column, of, Box::new(named))
}
