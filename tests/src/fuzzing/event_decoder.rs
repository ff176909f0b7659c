//! The canonical bytes of an event, packed and as they are: whatever the bytes, they are refused with
//! a place, or they are the one spelling of an event, whose JSON form is the
//! event too.
//!
//! Both parts stand in the data: eight bytes say how long the plain one is, the
//! rest is the erasable one.

use refrain::log::canonical::{self, CanonicalError, Part};
use refrain::log::{json, packed};

/// The plain and the erasable part.
#[must_use]
pub fn parts(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk() else {
        return (data, &[]);
    };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at(length.min(rest.len()))
}

/// Check these bytes.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) {
    let packed = packed::pack(data);
    assert_eq!(packed::unpack(&packed).as_deref(), Some(data));
    if let Some(bytes) = packed::unpack(data) {
        assert_eq!(packed::pack(&bytes), data, "packed in a second way");
    }
    let (plain, erasable) = parts(data);
    let event = match canonical::read(plain, erasable) {
        Ok(event) => event,
        Err(error) => return explains(&error, plain, erasable),
    };
    let written = canonical::write(&event);
    assert_eq!(
        (&written.plain[..], &written.erasable[..]),
        (plain, erasable),
        "a second spelling of {event:?}"
    );
    let line = json::write_event(&event);
    assert!(!line.contains(['\n', '\r']), "{line:?} is no line");
    assert_eq!(json::read_event(&line).as_ref(), Ok(&event), "{line}");
}

fn explains(error: &CanonicalError, plain: &[u8], erasable: &[u8]) {
    match error {
        CanonicalError::Malformed {
            part,
            offset,
            field,
            problem,
        } => {
            let bytes = match part {
                Part::Plain => plain,
                Part::Erasable => erasable,
            };
            assert!(*offset <= bytes.len(), "{error}: there is no such byte");
            assert!(!field.is_empty() && !problem.is_empty(), "{error}");
        }
        CanonicalError::Newer { kind } => assert!(!kind.is_empty(), "{error}"),
        other => panic!("{other}"),
    }
}
