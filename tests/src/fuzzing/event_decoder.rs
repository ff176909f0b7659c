//! The canonical bytes of an event, packed and as they are: whatever the bytes, they are refused with
//! a place, or they are the one spelling of an event, whose JSON form is the
//! event too.

use refrain::log::{canonical, json, packed};

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
    let event = match canonical::read(data) {
        Ok(event) => event,
        Err(error) => {
            assert!(error.offset <= data.len(), "{error}: there is no such byte");
            assert!(
                !error.field.is_empty() && !error.problem.is_empty(),
                "{error}"
            );
            return;
        }
    };
    assert_eq!(
        canonical::write(&event),
        data,
        "a second spelling of {event:?}"
    );
    let line = json::write_event(&event);
    assert!(!line.contains(['\n', '\r']), "{line:?} is no line");
    match json::read_event(&line) {
        Ok(read) => assert_eq!(read, event, "{line}"),
        // The bytes may have a digest that is none, and the JSON form has not.
        Err(error) => assert!(error.problem.contains("hexadecimal"), "{line}: {error}"),
    }
}
