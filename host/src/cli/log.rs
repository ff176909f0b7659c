//! `refrain log`: what happened in an execution, event by event.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use refrain::EngineError;
use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::log::json::{write_cut, write_erased, write_event, write_stored, write_told};
use refrain::log::{KIND_NAMES, KeptEvent, kind_name};
use refrain::model::{Event, Origin, instance_of, undone_by};
use refrain::replay::node_of;
use refrain::store::{ExecutionRecord, Reader, StoreError, ended};
use serde_json::value::RawValue;

use super::coded::refuse;
use super::damage::{self, TamperedDocument};
use super::log_source::{GuestArguments, LogArguments, OpenLog};
use super::output::{self, Form, Paint};
use super::text::{Text, text};
use super::time::stamp;
use super::{Answer, erased, show};

/// Events that are read and printed at once.
const PAGE: u32 = EVENTS_PAGE_MAX;

/// Bytes of a payload in a line that is not to be broken: as much as any terminal is wide.
const LINE_BYTES_MAX: usize = 4096;

/// How often to look for more while an execution goes on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Print an execution's log
///
/// With `--json`: a line about the execution, then a line for each event.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// Only events about this node, its instances and its compensations
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Only events of this kind; may be given several times
    #[arg(
        long,
        value_name = "KIND",
        value_parser = PossibleValuesParser::new(KIND_NAMES),
        hide_possible_values = true
    )]
    kind: Vec<String>,
    /// Only events from this one on
    #[arg(long, value_name = "SEQUENCE", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
    /// Go on until the execution has ended
    #[arg(long, short, conflicts_with = "file")]
    follow: bool,
    /// Print the events alone, as an export has them: a JSON object a line
    #[arg(long, conflicts_with = "json")]
    ndjson: bool,
    #[command(flatten)]
    form: Form,
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
    let mut open = arguments.log.open(None, &GuestArguments::default())?;
    let record = open.record.clone();
    arguments.check(&mut open)?;
    if arguments.form.json {
        output::document(&Header {
            execution_id: record.id.to_string(),
            events: record.head.sequence,
            erased: erased::document(record.erased.as_deref()),
            tampered: record.tampering.as_ref().map(TamperedDocument::of),
        })?;
    }
    let mut next = arguments.from.unwrap_or(1);
    loop {
        // Whether it has ended is asked first: what is behind that is read then.
        let stored = open.store.execution(record.id)?;
        next = arguments.print(&mut *open.store, &record, next)?;
        let is_tampered = record.tampering.is_some();
        let is_over = stored.is_none_or(|it| ended(it.status) || it.tampering.is_some());
        let is_over = is_over || is_tampered;
        if !arguments.follow || is_over || output::unwritten().is_some() {
            break;
        }
        sleep(LOOK_EVERY);
    }
    if let Some(attestation) = record.erased.as_deref().filter(|_| arguments.is_text()) {
        output::data(&text!("{}\n", erased::sentence(attestation)));
    }
    if let Some(why) = damage::why_set_aside(&record, open.to_act_on()) {
        output::tell(&text!("error: {}", why));
    }
    match open.broken_off {
        Some(error) => Err(error),
        None => Ok(Answer::good_if(record.tampering.is_none())),
    }
}

impl Arguments {
    /// Refuses what no event can be about.
    fn check(&self, open: &mut OpenLog) -> anyhow::Result<()> {
        let record = &open.record;
        let last = record.head.sequence;
        if let Some(from) = self.from.filter(|from| *from > last && !self.follow) {
            refuse!(
                "no_event",
                "the log of {} has {last} events, and {from} is behind them; give one of these",
                record.id
            );
        }
        let Some(node) = &self.node else {
            return Ok(());
        };
        let known = show::node_ids(&mut *open.store, record)?;
        let whole = undone_by(node).unwrap_or(node);
        let own = instance_of(whole).map_or(whole, |(map, _)| map);
        // The workflow of an erased or damaged one may be gone.
        if !known.is_empty() && !known.iter().any(|it| it == own) {
            return Err(EngineError::UnknownNode {
                execution: record.id,
                node_id: node.clone(),
            }
            .into());
        }
        Ok(())
    }

    fn is_text(&self) -> bool {
        !self.form.json && !self.ndjson
    }

    /// Prints what there is from this event on; the event that comes next then.
    fn print(
        &self,
        store: &mut dyn Reader,
        record: &ExecutionRecord,
        first: u64,
    ) -> anyhow::Result<u64> {
        let colours = output::colours(&std::io::stdout());
        let digits = record.head.sequence.to_string().len();
        let mut next = first;
        loop {
            let page = page(store, record.id, next)?;
            let Some(last) = page.last() else {
                return Ok(next);
            };
            next = last.event().sequence + 1;
            let mut text = Text::new();
            for kept in page.iter().filter(|kept| self.wants(kept.event())) {
                text.push(&match kept {
                    _ if self.is_text() => line(kept, digits, colours)?,
                    KeptEvent::Whole(stored) if self.ndjson => json_line(&write_stored(stored)),
                    KeptEvent::Whole(stored) => json_line(&write_told(stored)),
                    KeptEvent::Erased(erased) => json_line(&write_erased(erased)),
                });
            }
            if !text.is_empty() {
                output::data(&text);
            }
            if output::unwritten().is_some() {
                return Ok(next);
            }
        }
    }

    fn wants(&self, event: &Event) -> bool {
        let is_of_kind = || {
            let kind = kind_name(&event.kind);
            self.kind.is_empty() || self.kind.iter().any(|it| it == kind)
        };
        let is_of_node = || match &self.node {
            Some(node) => node_of(&event.kind).is_some_and(|id| is_of(id, node)),
            None => true,
        };
        is_of_kind() && is_of_node()
    }
}

/// Whether this is the id of a node, of an instance of it, or of what undoes either.
pub(super) fn is_of(id: &str, node: &str) -> bool {
    let undone = undone_by(id).unwrap_or(id);
    id == node || undone == node || instance_of(undone).is_some_and(|(map, _)| map == node)
}

fn json_line(json: &str) -> Text {
    Text::json(&format!("{json}\n"))
}

/// The whole log, also of an erased execution.
pub(super) fn kept(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Vec<KeptEvent>> {
    let mut all: Vec<KeptEvent> = Vec::new();
    loop {
        let first = all.last().map_or(1, |kept| kept.event().sequence + 1);
        let page = page(store, id, first)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn page(store: &mut dyn Reader, id: ExecutionId, first: u64) -> Result<Vec<KeptEvent>, StoreError> {
    let raw = store.raw_events(id, first, PAGE)?;
    let kept = raw.iter().map(|raw| {
        raw.kept()
            .map_err(|error| StoreError::undecoded(store.place(), id, error))
    });
    kept.collect()
}

/// A line for an event: facts come in, decisions go out.
fn line(kept: &KeptEvent, digits: usize, colours: bool) -> anyhow::Result<Text> {
    let event = kept.event();
    let (mark, paint) = match event.origin {
        Origin::Fact => ("<", Paint::Blue),
        Origin::Decision => (">", Paint::Green),
    };
    let json = match kept {
        KeptEvent::Whole(stored) => write_event(&stored.event),
        KeptEvent::Erased(erased) => write_erased(erased),
    };
    let (kind, fields) = kind_and_fields(&json, |_| true)?;
    Ok(text!(
        "{}  {}  {}{}\n",
        text!("{}", event.sequence).aligned_right(digits),
        Paint::Dim.on(&stamp(event.at), colours),
        text!("{} {}", mark, kind).painted(paint, colours),
        fields
    ))
}

/// An event in one line, without its number and time.
pub(super) fn in_words(event: &Event) -> Text {
    in_some_words(event, &write_event(event), |_| true)
}

/// The same, with so much of its payloads as a line of a terminal can show.
pub(super) fn in_a_line(event: &Event) -> Text {
    in_some_words(event, &write_cut(event, LINE_BYTES_MAX), |_| true)
}

/// The same, without the digests that hold it together.
pub(super) fn in_short(event: &Event) -> Text {
    in_some_words(event, &write_event(event), |field| {
        !field.ends_with("digest")
    })
}

fn in_some_words(event: &Event, json: &str, is_shown: impl Fn(&str) -> bool) -> Text {
    match kind_and_fields(json, is_shown) {
        Ok((kind, fields)) => text!("{}{}", kind, fields),
        Err(_) => Text::word(kind_name(&event.kind)),
    }
}

/// An event's kind and its fields as `name=value`, the node first, digests
/// cut short, and everything else as it is; but for those that are not shown.
fn kind_and_fields(json: &str, is_shown: impl Fn(&str) -> bool) -> anyhow::Result<(String, Text)> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
    let mut take = |name: &str| {
        fields
            .remove(name)
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
    };
    let kind = take("type").unwrap_or_default();
    let mut text = take("node_id").map_or(Text::new(), |node| text!(" {}", node));
    for (name, raw) in fields {
        let is_of_log = matches!(
            name.as_str(),
            "sequence" | "at" | "origin" | "commitment" | "hash"
        );
        if is_of_log || !is_shown(&name) {
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
