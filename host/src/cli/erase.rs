//! `refrain erase`: what executions have said, removed for good.

use std::path::PathBuf;

use refrain::erase::{Copied, EraseError, Erased, Eraser, copies, erase};
use refrain::id::ExecutionId;
use refrain::log::{Attestation, AttestedVerdict};
use refrain::names;
use refrain::signing::{Signer, SigningKey};
use refrain::store::{Many, Reader, StoreError};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::by::By;
use super::coded::refuse;
use super::damage::{self, DamagedDocument};
use super::database::{self, Database};
use super::named::Named;
use super::output::{self, Form};
use super::text::{Text, text};
use super::{Answer, erased, failure, guests, keys, time};

/// Erase what executions that have ended have said, for good
///
/// Each log is audited first. Then inputs, outputs, states, errors, reasons and names
/// are removed from its events and from the database's files, with the execution's
/// key, dead letters and snapshot. Its chain still verifies, and an attestation says
/// who erased it and what the audit said. Unless it is signed (--sign-with), it proves
/// nothing. Nothing is asked, and nothing can be undone.
///
/// The text of the workflow stays, because other executions share it. So do backups
/// and exports that were made before.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION", required = true)]
    executions: Vec<Named>,
    /// Erase the executions too that hold copies of what these say: forks, and children
    #[arg(long)]
    with_copies: bool,
    /// Sign what is attested with this private key: Ed25519 in PKCS#8, as
    /// `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "KEYFILE")]
    sign_with: Option<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

#[derive(Serialize)]
struct Document<'a> {
    executions: Vec<ErasedDocument>,
    copies: Vec<CopiedDocument>,
    damaged: Vec<DamagedDocument<'a>>,
}

/// What became of an execution.
#[derive(Serialize)]
struct ErasedDocument {
    execution_id: String,
    erased: Option<Box<RawValue>>,
    /// Whether that was done just now.
    now: bool,
    error: Option<Value>,
}

/// An execution that holds copies and was left as it was.
#[derive(Serialize)]
struct CopiedDocument {
    execution_id: String,
    copies: String,
    status: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let key = arguments.sign_with.as_deref().map(keys::private);
    let key: Option<SigningKey> = key.transpose()?;
    let mut library = guests::library()?;
    let by = arguments.by.who();
    let (mut each, mut left, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    let asked = Named::find_all(&arguments.executions, &arguments.database)?;
    for (store, mut ids) in arguments.database.parts(&asked)? {
        let mut store = database::to_write(store)?;
        let mut copies = copies_of(&mut store, &ids)?;
        if arguments.with_copies {
            ids.extend(copies.found.drain(..).map(|copied| copied.record.id));
        }
        ids.sort_unstable();
        ids.dedup();
        let eraser = Eraser {
            by: &by,
            at: time::now(&mut store)?,
            signer: key.as_ref().map(|key| key as &dyn Signer),
        };
        let erased = erase(&mut store, &mut library, &ids, &eraser);
        each.extend(erased.into_iter().map(|(id, it)| (id, it.map_err(named))));
        left.extend(copies.found);
        damaged.extend(copies.damaged);
    }
    if arguments.form.json {
        output::document(&Document {
            executions: each.iter().map(ErasedDocument::of).collect(),
            copies: left.iter().map(CopiedDocument::of).collect(),
            damaged: damaged.iter().map(DamagedDocument::of).collect(),
        })?;
    } else {
        output::data(&each.iter().filter_map(line).collect());
        say_what_is_left(&each, &left, &arguments.database);
        if key.is_some() {
            say_what_stays_unsigned(&each);
        }
        let _ = damage::named(Many {
            found: Vec::<()>::new(),
            damaged,
        });
    }
    answer(each)
}

/// The executions that hold copies, and are not erased.
fn copies_of(
    store: &mut dyn Reader,
    executions: &[ExecutionId],
) -> Result<Many<Copied>, StoreError> {
    let mut copies = copies(store, executions)?;
    copies.found.retain(|copied| copied.record.erased.is_none());
    Ok(copies)
}

/// An execution, and what became of it.
type Each = (ExecutionId, anyhow::Result<Erased>);

/// The error, for who has named the execution.
fn named(error: EraseError) -> anyhow::Error {
    match error {
        EraseError::Unknown(id) => database::missing(id),
        error => error.into(),
    }
}

fn line((id, erased): &Each) -> Option<Text> {
    let (attestation, before) = attested(erased.as_ref().ok()?);
    let before = match before {
        true => text!("it was "),
        false => Text::new(),
    };
    let sentence = erased::sentence(attestation);
    let signer = erased::signer(attestation);
    Some(text!("{}  {}{}{}\n", id, before, sentence, signer))
}

fn attested(erased: &Erased) -> (&Attestation, bool) {
    match erased {
        Erased::Now(attestation) => (attestation, false),
        Erased::Before(attestation) => (attestation, true),
    }
}

/// What still holds what was erased.
fn say_what_is_left(each: &[Each], left: &[Copied], database: &Database) {
    // Where nothing was erased, nothing is left of it.
    if each.iter().all(|(_, erased)| erased.is_err()) {
        return;
    }
    for copied in left {
        let id = copied.record.id;
        output::say(&text!(
            "{} holds copies of what {} said, and is left as it is; to erase it too: {}",
            id,
            copied.of,
            database.command("erase", &[id.to_string()])
        ));
    }
    output::say(&text!(
        "the texts of workflows stay, because other executions share them; so do backups and exports that were made before"
    ));
}

/// What was erased before cannot be audited any more, so nobody can sign what is
/// attested of it.
fn say_what_stays_unsigned(each: &[Each]) {
    for (id, erased) in each {
        if let Ok(Erased::Before(attestation)) = erased
            && attestation.signature.is_none()
        {
            output::say(&text!(
                "{} was erased before, and stays unsigned: nobody can audit any more what a signature would vouch for",
                id
            ));
        }
    }
}

/// Bad, if the audit of one had found something; an error, if one was not erased.
fn answer(each: Vec<Each>) -> anyhow::Result<Answer> {
    let (all, mut failed, mut good) = (each.len(), 0, true);
    let mut only = None;
    for (_, erased) in each {
        match erased {
            Ok(erased) => good &= attested(&erased).0.verdict == AttestedVerdict::Clean,
            Err(error) => {
                failed += 1;
                if all == 1 {
                    only = Some(error);
                } else {
                    output::tell(&failure::text(&error));
                }
            }
        }
    }
    match (only, failed) {
        (Some(error), _) => Err(error),
        (None, 0) => Ok(Answer::good_if(good)),
        (None, failed) => refuse!(
            "not_erased",
            "{failed} of {all} executions could not be erased"
        ),
    }
}

impl ErasedDocument {
    fn of((id, erased): &Each) -> Self {
        let attestation = erased.as_ref().ok().map(attested);
        Self {
            execution_id: id.to_string(),
            erased: erased::document(attestation.map(|(attestation, _)| attestation)),
            now: attestation.is_some_and(|(_, before)| !before),
            error: erased.as_ref().err().map(failure::fields),
        }
    }
}

impl CopiedDocument {
    fn of(copied: &Copied) -> Self {
        Self {
            execution_id: copied.record.id.to_string(),
            copies: copied.of.to_string(),
            status: names::status(copied.record.status),
        }
    }
}
