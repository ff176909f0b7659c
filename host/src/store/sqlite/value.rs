//! Our values in SQLite's columns. SQLite's integers are signed: the numbers of a turn
//! have been checked to fit, and a negative number in the file is damage.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Result, ToSql};

use crate::id::ExecutionId;
use crate::log::Hash;
use crate::model::Status;
use crate::names;

/// A number or time. As a bound, a number that is too great counts as the greatest.
pub(super) struct Number(pub(super) u64);

impl ToSql for Number {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// An execution's id.
pub(super) struct Id(pub(super) ExecutionId);

impl ToSql for Id {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A status, by its name.
pub(super) struct StatusName(pub(super) Status);

impl ToSql for StatusName {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(names::status(self.0).into())
    }
}

impl FromSql for StatusName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        names::parse_status(name)
            .map(Self)
            .ok_or_else(|| FromSqlError::other(Unknown(name.to_owned())))
    }
}

/// A chain hash.
pub(super) struct HashBytes(pub(super) Hash);

impl FromSql for HashBytes {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <Hash as FromSql>::column_result(value).map(Self)
    }
}

/// The error of a name that this program does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a name of one")]
pub(super) struct Unknown(pub(super) String);
