//! `refrain log`: what happened in an execution, event by event.

use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::log::json::{write_erased, write_event, write_told};
use refrain::log::{Attestation, KeptEvent};
use refrain::model::Origin;
use refrain::store::{Reader, StoreError};
use serde_json::value::RawValue;

use super::damage::{self, TamperedDocument};
use super::database::Database;
use super::named::Named;
use super::output::{self, Form, Paint};
use super::text::{Text, text};
use super::time::stamp;
use super::{Answer, erased};

/// Print an execution's log
///
/// With `--json`: a line about the execution, then a line for each event.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The execution
    #[arg(value_name = "EXECUTION")]
    execution: Named,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// The first line for programs. In the lines that follow, an event stands as it stands in
/// an export, and what went wrong in words besides.
#[derive(serde::Serialize)]
struct Header<'a> {
    execution_id: String,
    events: u64,
    erased: Option<Box<RawValue>>,
    tampered: Option<TamperedDocument<'a>>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    output::one_document_a_line();
    let id = arguments.execution.find(&arguments.database)?;
    let (mut store, record) = damage::checked(&arguments.database, id)?;
    let events = kept(&mut store, id)?;
    if arguments.form.json {
        output::document(&Header {
            execution_id: id.to_string(),
            events: record.head.sequence,
            erased: erased::document(record.erased.as_deref()),
            tampered: record.tampering.as_ref().map(TamperedDocument::of),
        })?;
        for kept in &events {
            let line = match kept {
                KeptEvent::Whole(stored) => write_told(stored),
                KeptEvent::Erased(erased) => write_erased(erased),
            };
            output::data(&Text::json(&format!("{line}\n")));
        }
    } else {
        let colours = output::colours(&std::io::stdout());
        output::data(&text(&events, record.erased.as_deref(), colours)?);
    }
    if let Some(why) = damage::why_set_aside(&record, &arguments.database) {
        output::tell(&text!("error: {}", why));
    }
    Ok(Answer::good_if(record.tampering.is_none()))
}

/// The whole log, also of an erased execution.
pub(super) fn kept(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Vec<KeptEvent>> {
    let mut all: Vec<KeptEvent> = Vec::new();
    loop {
        let first = all.last().map_or(1, |kept| kept.event().sequence + 1);
        let page = store.raw_events(id, first, EVENTS_PAGE_MAX)?;
        if page.is_empty() {
            return Ok(all);
        }
        for raw in page {
            let kept = raw.kept();
            all.push(kept.map_err(|error| StoreError::undecoded(store.place(), id, error))?);
        }
    }
}

/// A line for each event: facts come in, decisions go out.
fn text(events: &[KeptEvent], erased: Option<&Attestation>, colours: bool) -> anyhow::Result<Text> {
    let digits = events
        .last()
        .map_or(1, |kept| kept.event().sequence.to_string().len());
    let mut text = Text::new();
    for kept in events {
        let event = kept.event();
        let (mark, paint) = match event.origin {
            Origin::Fact => ("<", Paint::Blue),
            Origin::Decision => (">", Paint::Green),
        };
        let (kind, fields) = kind_and_fields(&match kept {
            KeptEvent::Whole(stored) => write_event(&stored.event),
            KeptEvent::Erased(erased) => write_erased(erased),
        })?;
        text.push(&text!(
            "{}  {}  {}{}\n",
            text!("{}", event.sequence).aligned_right(digits),
            Paint::Dim.on(&stamp(event.at), colours),
            text!("{} {}", mark, kind).painted(paint, colours),
            fields
        ));
    }
    if let Some(attestation) = erased {
        text.push(&text!("{}\n", erased::sentence(attestation)));
    }
    Ok(text)
}

/// An event's kind and its fields as `name=value`, the node first, digests
/// cut short, and everything else as it is.
fn kind_and_fields(json: &str) -> anyhow::Result<(String, Text)> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
    let mut take = |name: &str| {
        fields
            .remove(name)
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
    };
    let kind = take("type").unwrap_or_default();
    let mut text = take("node_id").map_or(Text::new(), |node| text!(" {}", node));
    for (name, raw) in fields {
        if matches!(
            name.as_str(),
            "sequence" | "at" | "origin" | "commitment" | "hash"
        ) {
            continue;
        }
        let value = match serde_json::from_str::<String>(raw.get()) {
            Ok(digest) if name.ends_with("digest") => {
                Text::word(&digest.chars().take(12).collect::<String>())
            }
            Ok(word) if !word.is_empty() && !word.contains(char::is_whitespace) => {
                Text::word(&word)
            }
            _ => Text::json_line(raw.get()),
        };
        text.push(&text!(" {}={}", name, value));
    }
    Ok((kind, text))
}
