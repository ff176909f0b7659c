//! The one JSON form of events: exports consist of it, and `log --json` prints it
//! with what the codes in it mean.
//!
//! One flat object an event, on one line:
//! `{"sequence":1,"at":"2026-01-01T00:00:00.000Z","origin":"fact","salt":…,"hash":…,"type":"node_started",…}`.
//! An option that is none, and a list that is empty, is left out. Payloads are embedded as they are,
//! character for character; one that cannot stand on one line as JSON (it has
//! line breaks around its tokens, say) is written as a string instead, in a
//! field whose name ends in `_text`. So what is read is what was written, and
//! an event has the same hash before and after.

mod error;
mod write;
mod read;
mod explanation;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::log::digest::hex;
use crate::log::field::Sink;
use crate::log::{ErasedEvent, KeptEvent, StoredEvent, form};
use crate::model::Event;
use crate::render;

pub use error::JsonError;
pub use explanation::explanation_json;
pub(in crate::log) use read::Reader;
pub(in crate::log) use write::Writer;

/// The JSON form of an event.
#[must_use]
pub fn write_event(event: &Event) -> String {
    let mut writer = Writer::new();
    form::write_place(event, &mut writer);
    form::write_kind(&event.kind, &mut writer);
    writer.finish()
}

/// The same for people: each payload of more than so many bytes is cut, and stands there as a
/// string that ends in `…`. This is not what [`read_event`] reads.
#[must_use]
pub fn write_cut(event: &Event, payload_bytes_max: usize) -> String {
    let mut writer = Writer::cutting(payload_bytes_max);
    form::write_place(event, &mut writer);
    form::write_kind(&event.kind, &mut writer);
    writer.finish()
}

/// The JSON form of an event with its salt and its chain hash, which are the
/// fields `salt` and `hash`.
#[must_use]
pub fn write_stored(stored: &StoredEvent) -> String {
    let StoredEvent { event, salt, hash } = stored;
    let mut writer = Writer::new();
    form::write_place(event, &mut writer);
    writer.text("salt", &hex(salt));
    writer.digest("hash", hash);
    form::write_kind(&event.kind, &mut writer);
    writer.finish()
}

/// The same for people and programs that do not know the codes: what went wrong
/// stands in it as `error`, where an event says that something did, as in JamJet's
/// logs. This is not what [`read_event`] reads.
#[must_use]
pub fn write_told(stored: &StoredEvent) -> String {
    let mut json = write_stored(stored);
    let fields: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(&json);
    let has_error = fields.is_ok_and(|fields| fields.contains_key("error"));
    match render::error(&stored.event.kind) {
        Some(error) if !has_error => {
            json.pop();
            let error = serde_json::Value::from(error);
            json.push_str(&format!(",\"error\":{error}}}"));
        }
        _ => {}
    }
    json
}

/// The JSON form of an erased event: its plain fields, its chain hash, and the field
/// `commitment` in the place of `salt`.
#[must_use]
pub fn write_erased(erased: &ErasedEvent) -> String {
    let ErasedEvent {
        event,
        commitment,
        hash,
    } = erased;
    let mut writer = Writer::erased();
    form::write_place(event, &mut writer);
    writer.digest("commitment", commitment);
    writer.digest("hash", hash);
    form::write_kind(&event.kind, &mut writer);
    writer.finish()
}

/// The event that [`write_event`] writes like this.
///
/// # Errors
///
/// Anything else, with the name of the field.
pub fn read_event(text: &str) -> Result<Event, JsonError> {
    let mut reader = Reader::new(text, Vec::new())?;
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(event)
}

/// The event that [`write_stored`] writes like this.
///
/// # Errors
///
/// Anything else, with the name of the field.
pub fn read_stored(text: &str) -> Result<StoredEvent, JsonError> {
    match read_kept(text)? {
        KeptEvent::Whole(stored) => Ok(stored),
        KeptEvent::Erased(_) => Err(JsonError {
            field: "commitment".to_owned(),
            problem: "the event is erased, and a whole one is needed".to_owned(),
            is_newer: false,
        }),
    }
}

/// The event that [`write_stored`] or [`write_erased`] writes like this.
///
/// # Errors
///
/// Anything else, with the name of the field.
pub fn read_kept(text: &str) -> Result<KeptEvent, JsonError> {
    let reader = Reader::new(text, Vec::new())?;
    match (reader.has("salt"), reader.has("commitment")) {
        (true, true) => Err(reader.error(
            "commitment",
            "a salt stands next to it; an event is whole and has a salt, or is erased and has a commitment",
        )),
        (false, true) => read_erased(reader).map(KeptEvent::Erased),
        (false, false) if is_stripped(text) => read_erased(reader).map(KeptEvent::Erased),
        (_, false) => read_whole(reader).map(KeptEvent::Whole),
    }
}

fn read_whole(mut reader: Reader<'_>) -> Result<StoredEvent, JsonError> {
    let salt = reader.salt("salt")?;
    let hash = reader.hash("hash")?;
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(StoredEvent { event, salt, hash })
}

fn read_erased(mut reader: Reader<'_>) -> Result<ErasedEvent, JsonError> {
    reader.is_erased = true;
    let commitment = reader.hash("commitment")?;
    let hash = reader.hash("hash")?;
    let event = form::read_event(&mut reader)?;
    reader.end()?;
    Ok(ErasedEvent {
        event,
        commitment,
        hash,
    })
}

/// Whether an event is readable only as an erased one: its kind has fields that can be
/// erased, and they are not there.
fn is_stripped(text: &str) -> bool {
    let is_readable = |is_erased| {
        let mut reader = Reader::new(text, Vec::new())?;
        reader.is_erased = is_erased;
        reader.hash("hash")?;
        form::read_event(&mut reader)?;
        reader.end()
    };
    is_readable(true).is_ok() && is_readable(false).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{chain, samples};
    use crate::model::EventKind;

    #[test]
    fn every_kind_comes_back() {
        for stored in samples::log() {
            let line = write_stored(&stored);
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(read_stored(&line), Ok(stored.clone()), "{line}");
            assert_eq!(read_event(&write_event(&stored.event)), Ok(stored.event));
        }
    }

    /// Conditions and the log call the cause of a failure alike (rule R26).
    #[test]
    fn r26_causes_have_one_name() {
        for stored in samples::log() {
            if let EventKind::NodeExhausted(it) = &stored.event.kind {
                let line = write_event(&stored.event);
                let code = format!(r#""cause":"{}""#, it.cause.code());
                assert!(line.contains(&code), "{line}");
            }
        }
    }

    #[test]
    fn law4_every_kind_comes_back_erased_and_holds_nothing_else() {
        for stored in samples::log() {
            let erased = chain::erased(&stored);
            let line = write_erased(&erased);
            assert_eq!(read_kept(&line), Ok(KeptEvent::Erased(erased)), "{line}");
            let whole: serde_json::Value = serde_json::from_str(&write_stored(&stored)).unwrap();
            let left: serde_json::Value = serde_json::from_str(&line).unwrap();
            for (field, value) in left.as_object().unwrap() {
                assert!(
                    field == "commitment" || whole.get(field) == Some(value),
                    "{field} of {line}"
                );
            }
        }
    }

    #[test]
    fn what_is_neither_whole_nor_erased_is_named() {
        let log = samples::log();
        let erased = write_erased(&chain::erased(&log[5]));
        let without = erased.find(r#""commitment""#).unwrap();
        let until = without + erased[without..].find(r#""hash""#).unwrap();
        let commitment = erased[without..until].to_owned();
        let salt = r#""salt":"00000000000000000000000000000000","commitment""#;
        for (from, to, expected) in [
            (
                r#""commitment""#,
                salt,
                "field `commitment`: a salt stands next to it",
            ),
            (
                r#""commitment":""#,
                r#""commitment":"x"#,
                "field `commitment`: x",
            ),
            (&commitment, "", "field `commitment`: it is missing; add it"),
            (
                r#""type""#,
                r#""output":1,"type""#,
                "field `output`: an erased event has no such field; remove it",
            ),
        ] {
            let error = read_kept(&erased.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        let error = read_stored(&erased).unwrap_err().to_string();
        assert!(error.contains("the event is erased"), "{error}");
    }

    #[test]
    fn the_form_is_stable() {
        let log = samples::log();
        for (sequence, expected) in [
            (
                4,
                r#""type":"node_started","node_id":"a \"quoted\" node","worker_id":"w","attempt":4294967295}"#,
            ),
            (
                5,
                r#""node_id":"a","attempt":1,"fence":4,"output":null,"state_patch":{},"duration_ms":12}"#,
            ),
            (
                6,
                r#""output_text":"{\n  \"pretty\": true\n}","state_patch_text":" {}","duration_ms":12,"chosen_target":"b","gen_ai_system":"anthropic","gen_ai_model":"m","input_tokens":10,"output_tokens":18446744073709551615,"finish_reason":"stop","telemetry":{"cost_usd":0.0100,"verified":true},"edited_by":"ada"}"#,
            ),
            (
                26,
                r#""payload":{"b":1.50,"a":[1e3, null],"ü\u00fc":"\"x\" \\ \ud83d\ude00","n":123456789012345678901234567890}}"#,
            ),
        ] {
            let line = write_event(&log[sequence - 1].event);
            assert!(line.ends_with(expected), "{line}");
        }
        let line = write_stored(&log[1]);
        assert!(
            line.starts_with(
                r#"{"sequence":2,"at":"2026-01-01T00:00:02.002Z","origin":"decision","salt":"02020202020202020202020202020202","hash":""#
            ),
            "{line}"
        );
        assert!(
            line.contains(
                r#""limits":{"max_concurrent_nodes":16,"max_dispatch_per_tick":8},"seed":1844"#
            ),
            "{line}"
        );
    }

    #[test]
    fn errors_name_the_field_and_the_remedy() {
        let good = r#"{"sequence":1,"at":"2026-01-01T00:00:00.000Z","origin":"fact","type":"node_timed_out","node_id":"a","timeout_ms":9,"attempt":2}"#;
        assert!(read_event(good).is_ok());
        for (from, to, expected) in [
            (
                "{",
                "",
                "field `the whole line`: it should be one JSON object: ",
            ),
            (
                r#""attempt":2"#,
                r#""attempt":2,"attempt":3"#,
                "field `the whole line`: it should be one JSON object: the field `attempt` is there twice at ",
            ),
            (
                r#","attempt":2"#,
                "",
                "field `attempt`: it is missing; add it, or take the line from the original",
            ),
            (
                ":2}",
                ":-2}",
                "field `attempt`: -2 should be a whole number, not negative",
            ),
            (
                ":2}",
                ":4294967296}",
                "field `attempt`: 4294967296 should be at most 4294967295",
            ),
            (
                ":2}",
                r#":2,"colour":"red"}"#,
                "field `colour`: there is no such field here; remove it",
            ),
            (r#""a","#, "17,", "field `node_id`: 17 should be a string"),
            (
                "node_timed_out",
                "node Melted",
                "field `type`: node Melted should be one of workflow_started, ",
            ),
            (
                "node_timed_out",
                "node_melted",
                "field `type`: node_melted is newer than this program; use a newer Refrain for it",
            ),
            (
                r#"fact"#,
                r#"rumour"#,
                "field `origin`: rumour should be one of fact, decision",
            ),
            (
                "00.000Z",
                "00Z",
                r#"field `at`: "2026-01-01T00:00:00Z" should be a time like "2026-01-01T00:00:00.000Z""#,
            ),
        ] {
            let error = read_event(&good.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn errors_name_fields_of_inner_records() {
        let line = write_event(&samples::events()[1]);
        for (from, to, expected) in [
            (
                r#""max_concurrent_nodes":16"#,
                r#""max_concurrent_nodes":"x""#,
                "field `limits.max_concurrent_nodes`: \"x\" should be a whole number",
            ),
            (
                r#"{"max_concurrent_nodes":16"#,
                r#"{"x":1,"max_concurrent_nodes":16"#,
                "field `limits.x`: there is no such field",
            ),
            (
                r#""initial_input":"#,
                r#""initial_input_text":"x","initial_input":"#,
                "field `initial_input`: it is there twice",
            ),
        ] {
            let error = read_event(&line.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
