//! Questions about many rows, of which some may be damaged.

use std::path::Path;

use rusqlite::{Result, Row, Rows};

use crate::id::ExecutionId;
use crate::store::sqlite::failure;
use crate::store::sqlite::row::{detail, read_row};
use crate::store::{Damaged, Many};

/// A row's name: the execution it belongs to, and its place in the database.
pub(super) type Name = (Option<ExecutionId>, String);

/// Reads rows until `max` of them could be read. A row with an impossible value is
/// damaged. An error of the database itself ends the question; where it is a damaged
/// page, [`one_by_one`] may answer instead.
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
        |row| read_row(row, &read).map(Some),
        failure::is_of_a_row,
        |row| Ok(name(row)),
    )
}

/// Reads rows one by one, where the damaged page of one hides the others: `keys` go
/// through an index, which is whole, and each row is asked for by itself. `named`
/// names a row that cannot be read.
pub(super) fn one_by_one<T>(
    path: &Path,
    keys: Rows<'_>,
    max: usize,
    read: impl Fn(&Row<'_>) -> Result<Option<T>>,
    named: impl Fn(&Row<'_>) -> Result<Name>,
) -> Result<Many<T>> {
    each(path, keys, max, read, failure::is_damage, named)
}

/// Reads rows until `max` were found. An error that concerns one row alone makes that
/// row damaged, under its name; any other ends the question.
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
                    detail: detail(&error),
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
