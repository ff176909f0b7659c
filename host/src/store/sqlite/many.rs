//! Questions about many rows: those that can be read, and those that cannot.

use std::path::Path;

use rusqlite::{Result, Row, Rows};

use crate::id::ExecutionId;
use crate::store::sqlite::failure;
use crate::store::{Damaged, Many};

/// A row's name: the execution it belongs to, and its place in the database.
pub(super) type Name = (Option<ExecutionId>, String);

/// Read rows until `max` of them could be read. What a row holds that cannot be
/// is that row's damage; an error of the database itself ends the question, and
/// where it is a damaged page, [`one_by_one`] may answer it.
pub(super) fn read<T>(
    path: &Path,
    rows: Rows<'_>,
    max: usize,
    read: impl Fn(&Row<'_>) -> Result<T>,
    name: impl Fn(&Row<'_>) -> Name,
) -> Result<Many<T>> {
    each(
        path,
        rows,
        max,
        |row| read(row).map(Some),
        failure::is_of_a_row,
        |row| Ok(name(row)),
    )
}

/// Read rows one by one, where the page of one stands in the way of the others:
/// `keys` go through an index, which is whole, and each row is asked for by
/// itself. `named` says what a row is called that cannot be read.
pub(super) fn one_by_one<T>(
    path: &Path,
    keys: Rows<'_>,
    max: usize,
    read: impl Fn(&Row<'_>) -> Result<Option<T>>,
    named: impl Fn(&Row<'_>) -> Result<Name>,
) -> Result<Many<T>> {
    each(path, keys, max, read, failure::is_damage, named)
}

/// Read rows until `max` were found. Errors that are of the one row alone make it
/// damaged, under its name; any other ends the question.
fn each<T>(
    path: &Path,
    mut rows: Rows<'_>,
    max: usize,
    read: impl Fn(&Row<'_>) -> Result<Option<T>>,
    is_of_the_one: impl Fn(&rusqlite::Error) -> bool,
    named: impl Fn(&Row<'_>) -> Result<Name>,
) -> Result<Many<T>> {
    let mut many = Many::whole(Vec::new());
    while many.found.len() < max {
        let Some(row) = rows.next()? else {
            break;
        };
        match read(row) {
            Ok(found) => many.found.extend(found),
            Err(error) if is_of_the_one(&error) => {
                let (execution, place) = named(row)?;
                many.damaged.push(Damaged {
                    execution,
                    place: format!("{}, {place}", path.display()),
                    detail: error.to_string(),
                });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(many)
}

/// A text of a row that may be damaged, as far as it can be shown.
pub(super) fn text(row: &Row<'_>, column: usize) -> String {
    use rusqlite::types::ValueRef;
    match row.get_ref(column) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Ok(ValueRef::Integer(number)) => number.to_string(),
        _ => "?".to_owned(),
    }
}
