//! Exported logs: whatever the file, what is wrong with it is named with its
//! line; and what can be read is the same when it is written and read again.

use refrain::log::KeptEvent;
use refrain::log::export::{Component, ExportError, ExportReader, ExportWriter, Header};

/// Check one file.
///
/// # Panics
/// Where something does not hold.
pub fn check(data: &[u8]) {
    let lines = data.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let mut reader = match ExportReader::new(data) {
        Ok(reader) => reader,
        Err(error) => return is_placed(&error, lines),
    };
    let header = reader.header().clone();
    let components = reader.take_components();
    let mut events = Vec::new();
    for event in reader {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                is_placed(&error, lines);
                break;
            }
        }
    }
    assert!(events.len() as u64 <= lines);
    let header = Header {
        head: refrain::log::Head {
            sequence: events.len() as u64,
            ..header.head
        },
        ..header
    };
    let written = write(&header, &components, &events);
    let mut reader = ExportReader::new(&written[..]).expect("what was written has a header");
    assert_eq!(reader.header(), &header);
    assert_eq!(reader.take_components(), components);
    let again: Result<Vec<KeptEvent>, _> = reader.collect();
    let again = again.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, events);
    assert_eq!(
        write(&header, &components, &again),
        written,
        "the second writing is another"
    );
}

fn write(header: &Header, components: &[Component], events: &[KeptEvent]) -> Vec<u8> {
    let mut writer = ExportWriter::new(Vec::new(), header).expect("a vector takes it");
    for component in components {
        writer.component(component).expect("a vector takes it");
    }
    for event in events {
        let written = match event {
            KeptEvent::Whole(stored) => writer.event(stored),
            KeptEvent::Erased(erased) => writer.erased(erased),
        };
        written.expect("a vector takes it");
    }
    writer.finish().expect("a vector takes it")
}

/// The error names a line that there is, or the one after the last.
fn is_placed(error: &ExportError, lines: u64) {
    let line = error.line();
    assert!(
        (1..=lines + 1).contains(&line),
        "{error}: there are {lines} lines"
    );
    let text = error.to_string();
    assert!(text.contains(&format!("line {line}")), "{text}");
}
