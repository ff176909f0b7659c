//! The page on the log format: its tables are those of the program, and its examples what the
//! program computes.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use refrain::ExecutionId;
use refrain::log::digest::work_item_digest;
use refrain::log::export::FORMAT;
use refrain::log::{
    Anchor, Attestation, AttestedVerdict, CHOICES, CODES, FieldForm, Head, KINDS, KindForm,
    PartForm, RECORDS, StoredEvent, canonical, chain, json,
};
use refrain::model::{
    Digest, Event, EventKind, NodeScheduled, NodeStarted, Origin, WorkItem, WorkflowStarted, hex,
};
use refrain::signing::{Signer as _, SigningKey};
use refrain_tests::component::workspace;
use refrain_tests::key_files::KeyFiles;

fn path() -> PathBuf {
    workspace().join("docs/log-format.md")
}

/// The page with its tables and examples as they are now.
fn made_now(page: &str) -> Result<String> {
    let parts = [
        ("kinds", kinds()),
        ("records", parts(RECORDS)),
        ("codes", codes()),
        ("choices", choices()),
        ("examples", examples()?),
    ];
    let mut page = page.to_owned();
    for (name, made) in parts {
        let [begin, end] = ["begin", "end"].map(|it| format!("<!-- {it}: {name} -->"));
        let (before, rest) = page.split_once(&begin).with_context(|| begin.clone())?;
        let (_, after) = rest.split_once(&end).with_context(|| end.clone())?;
        page = format!("{before}{begin}\n{made}{end}{after}");
    }
    Ok(page)
}

#[test]
fn the_page_says_what_is_written_and_hashed() -> Result<()> {
    let kept = fs::read_to_string(path())?;
    ensure!(
        kept == made_now(&kept)?,
        "docs/log-format.md is not what the tables of events say now; type `cargo renew-reference`"
    );
    Ok(())
}

#[test]
#[ignore = "it writes the page: `cargo renew-reference`"]
fn renew_the_reference_of_logs() -> Result<()> {
    let page = made_now(&fs::read_to_string(path())?)?;
    Ok(fs::write(path(), page)?)
}

/// The format's name and the hash before event 1 stand in the text.
#[test]
fn law4_the_page_begins_the_chain_as_the_program_does() -> Result<()> {
    let page = fs::read_to_string(path())?;
    ensure!(page.contains(&format!("`{FORMAT}`")));
    ensure!(page.contains(&format!("`{}`", hex(&chain::START))));
    Ok(())
}

fn kinds() -> String {
    let mut table = "| kind | field | type | mark |\n|---|---|---|---|\n".to_owned();
    for kind in KINDS {
        if kind.fields.is_empty() {
            let _ = writeln!(table, "| `{}` | | | |", kind.name);
        }
        for (at, field) in kind.fields.iter().enumerate() {
            let kind = match at {
                0 => format!("`{}`", kind.name),
                _ => String::new(),
            };
            let _ = writeln!(table, "| {kind} | {} | {} |", named(field), field.mark);
        }
    }
    table
}

/// A field and its type, as cells. The fields of a record that is none of its own have none.
fn named(field: &FieldForm) -> String {
    let name = match field.form.starts_with("Flattened") {
        true => String::new(),
        false => format!("`{}`", field.name),
    };
    format!("{name} | {}", words(field.form))
}

/// A type of the table in words.
fn words(form: &str) -> String {
    let form: String = form.chars().filter(|c| !c.is_whitespace()).collect();
    let inner = |name: &str| {
        let rest = form.strip_prefix(name)?.strip_prefix('<')?;
        rest.strip_suffix('>')
    };
    match form.as_str() {
        "Text" => "text".to_owned(),
        "Json" => "JSON".to_owned(),
        "Sha" => "digest".to_owned(),
        "Number" => "number".to_owned(),
        "Count" => "count".to_owned(),
        "Time" => "time".to_owned(),
        "Flag" => "flag".to_owned(),
        "Texts" => "list of texts".to_owned(),
        _ => {
            let of = [
                ("Choice", "one of"),
                ("Variant", "code of"),
                ("Record", "record"),
                ("List", "list of"),
                ("Flattened", "fields of"),
            ];
            let known = of
                .into_iter()
                .find_map(|(name, word)| Some((word, inner(name)?)));
            match (known, inner("Maybe"), inner("Late")) {
                (Some((word, name)), ..) => format!("{word} *{name}*"),
                (_, Some(inner), _) => format!("{}, or none", words(inner)),
                (.., Some(inner)) => format!("{}, late", words(inner)),
                (None, None, None) => form.clone(),
            }
        }
    }
}

/// Records and their fields.
fn parts(parts: &[PartForm]) -> String {
    let mut table = "| record | field | type |\n|---|---|---|\n".to_owned();
    for KindForm { name, fields, .. } in parts.iter().flat_map(|part| part.cases) {
        for (at, field) in fields.iter().enumerate() {
            let name = if at == 0 {
                format!("*{name}*")
            } else {
                String::new()
            };
            let _ = writeln!(table, "| {name} | {} |", named(field));
        }
    }
    table
}

fn codes() -> String {
    let mut table = "| of | code | data | type | mark |\n|---|---|---|---|---|\n".to_owned();
    for part in CODES {
        for (at, case) in part.cases.iter().enumerate() {
            let of = if at == 0 {
                format!("*{}*", part.name)
            } else {
                String::new()
            };
            let code = format!("| {of} | `{}` |", case.name);
            if case.fields.is_empty() {
                let _ = writeln!(table, "{code} | | |");
            }
            for (at, field) in case.fields.iter().enumerate() {
                let code = if at == 0 { code.as_str() } else { "| | |" };
                let _ = writeln!(table, "{code} {} | {} |", named(field), field.mark);
            }
        }
    }
    table
}

fn choices() -> String {
    let mut table = "| of | names |\n|---|---|\n".to_owned();
    for part in CHOICES {
        let names = part.cases.iter().map(|case| format!("`{}`", case.name));
        let names: Vec<String> = names.collect();
        let _ = writeln!(table, "| *{}* | {} |", part.name, names.join(", "));
    }
    table
}

// ---- examples ----------------------------------------------------------------------

const WORKFLOW: &str = r#"{"workflow_id":"w","version":"1.0.0","start_node":"a","nodes":{"a":{"kind":{"type":"tool","tool_ref":"t"}}},"edges":[]}"#;

/// A time of the examples.
const AT: u64 = 1_767_225_600_000;

fn id() -> ExecutionId {
    ExecutionId::from_bytes([1; 16])
}

fn item() -> WorkItem {
    let mut item = WorkItem::default();
    item.node_id = "a".to_owned();
    item.attempt = 1;
    item.max_attempts = 3;
    item.queue = "tool".to_owned();
    item.tenant = "default".to_owned();
    item.priority = 5;
    item.not_before = AT;
    item.payload = r#"{"node_id":"a","kind":{"type":"tool","tool_ref":"t"},"input":{}}"#.to_owned();
    item
}

/// The log of the examples.
fn log() -> Vec<StoredEvent> {
    let workflow = ("w", "1.0.0", Digest::of(WORKFLOW.as_bytes()));
    let mut started = WorkflowStarted::new(id().to_string(), workflow, Digest([2; 32]));
    started.initial_input = r#"{"claim": 17.0}"#.to_owned();
    started.seed = 7;
    started.by = Some("ada".to_owned());
    let mut scheduled = NodeScheduled::default();
    scheduled.node_id = "a".to_owned();
    scheduled.queue = "tool".to_owned();
    scheduled.attempt = 1;
    scheduled.item_digest = work_item_digest(&item());
    let kinds = [
        (Origin::Fact, EventKind::WorkflowStarted(Box::new(started))),
        (Origin::Decision, EventKind::NodeScheduled(scheduled)),
        (
            Origin::Fact,
            EventKind::NodeStarted(NodeStarted::new("a", "worker-1", 1)),
        ),
    ];
    let mut head = Head::default();
    let stored = (1_u8..).zip(kinds).map(|(sequence, (origin, kind))| {
        let event = Event {
            sequence: u64::from(sequence),
            at: AT,
            origin,
            kind,
        };
        let stored = chain::follow(&head, event, [sequence; 16]);
        head = stored.head();
        stored
    });
    stored.collect()
}

fn examples() -> Result<String> {
    let mut text = String::new();
    for stored in log() {
        let bytes = canonical::write(&stored.event);
        let commitment = chain::commitment(&stored.salt, &bytes.erasable);
        writeln!(text, "\n```text")?;
        writeln!(text, "line        {}", json::write_stored(&stored))?;
        writeln!(text, "plain       {}", hex(&bytes.plain))?;
        writeln!(text, "erasable    {}", hex(&bytes.erasable))?;
        writeln!(text, "commitment  {}", hex(&commitment))?;
        writeln!(text, "hash        {}\n```", hex(&stored.hash))?;
    }
    let item = item();
    writeln!(
        text,
        "\nThe work item that event 2 orders is of node `{}`, attempt {} of {}, on the queue `{}`, of the tenant `{}`, of priority {}, not before {}, with the payload `{}`; its digest is `{}`.",
        item.node_id,
        item.attempt,
        item.max_attempts,
        item.queue,
        item.tenant,
        item.priority,
        item.not_before,
        item.payload,
        work_item_digest(&item)
    )?;
    let child = ExecutionId::of_child(id(), "s[3]", 2, 1);
    writeln!(
        text,
        "\nThe child of attempt 2 and iteration 1 of the instance `s[3]` of `{}` is `{child}`.",
        id()
    )?;
    signed(&mut text)?;
    Ok(text)
}

/// An attestation and an anchor of the log, signed with the key of 32 bytes 9.
fn signed(text: &mut String) -> Result<()> {
    let key = SigningKey::from_pem(&KeyFiles::of([9; 32]).private)?;
    let head = log().last().map(StoredEvent::head).unwrap_or_default();
    let attestation = Attestation {
        at: AT,
        verdict: AttestedVerdict::Clean,
        guest_digest: Digest([2; 32]),
        head,
        by: "ada".to_owned(),
        signature: None,
    };
    let anchor = Anchor {
        execution_id: id(),
        head,
        at: AT,
        signature: None,
    };
    writeln!(
        text,
        "\nAn attestation and an anchor of it, signed with the private key of 32 bytes `09`:"
    )?;
    for (what, bytes, json) in [
        (
            "attestation",
            attestation.signed_bytes(id()),
            attestation.sign(id(), &key)?.to_json(),
        ),
        (
            "anchor     ",
            anchor.signed_bytes(&key.public_key()),
            anchor.sign(&key)?.to_json(),
        ),
    ] {
        writeln!(text, "\n```text\n{what} {json}")?;
        writeln!(text, "signed      {}\n```", hex(&bytes))?;
    }
    Ok(())
}
