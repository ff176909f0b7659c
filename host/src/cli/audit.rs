//! `refrain audit`: does every decision come out the same again?

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use refrain::replay::{Audit, SignatureCheck};
use serde::Serialize;

use super::anchoring::{Anchoring, AnchoringArguments};
use super::asked::{Audited, FailedDocument, Logs, Question};
use super::database::Database;
use super::named::Named;
use super::output::{self, Form};
use super::{Answer, exact, guests, keys, typed};

/// Replay executions from their logs, and compare every decision
///
/// Answers 1 if a log is anything but clean or erased, and names the first event that
/// is not what it should be; also if an anchor's signature does not hold. With --trust
/// also if nobody who is trusted has signed what is attested of an erased log; and with
/// anchors besides, if a log is not signed and complete: a trusted key must have signed
/// its last event. Answers 2 if one could not be audited, or is newer than this program.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["executions", "all", "file"]))]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// All executions of the database
    #[arg(long)]
    all: bool,
    /// Logs that `refrain export` wrote, or folders with such (`*.ndjson`). Of several, forks
    /// and children are compared with those that they come from
    #[arg(long, value_name = "LOG.ndjson", num_args = 1..)]
    file: Vec<PathBuf>,
    /// Ask this scheduler component instead of those that the logs name, as `refrain
    /// whatif` does
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    #[command(flatten)]
    anchoring: AnchoringArguments,
    /// The public key of somebody whose word is trusted, about erased logs and in anchors:
    /// a file as `refrain key show` and `openssl pkey -pubout` write it; may be given
    /// several times
    #[arg(long, value_name = "PUBLICKEY.pem")]
    trust: Vec<PathBuf>,
    /// How many logs are replayed at once; as many as there are cores, unless you say
    #[arg(long, value_name = "N", value_parser = typed::from_one)]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

#[derive(Serialize)]
struct Document<'a> {
    executions: &'a [Audited],
    failed: Vec<FailedDocument>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let guest = match &arguments.guest {
        Some(path) => Some(guests::add(&mut library, path)?),
        None => None,
    };
    let anchoring = arguments.anchoring.open()?;
    let trusted = arguments.trust.iter().map(|path| keys::public(path));
    let mut trusted = trusted.collect::<anyhow::Result<Vec<_>>>()?;
    trusted.extend(anchoring.key());
    let question = Question {
        guest,
        anchors: anchoring.anchors().clone(),
        trusted,
        threads: arguments.jobs.map(NonZeroUsize::get),
        is_silent: arguments.form.json,
        ..Question::default()
    };
    let logs = Logs {
        executions: &arguments.executions,
        are_all: arguments.all,
        files: &arguments.file,
    };
    let asked = question.ask(&library, &logs, &arguments.database)?;
    if question.guest.is_some() {
        let each = !arguments.all;
        exact::show(&question, &asked, each, arguments.form.json)?;
    } else if arguments.form.json {
        output::document(&Document {
            executions: &asked.audited,
            failed: asked.failed.iter().map(FailedDocument::of).collect(),
        })?;
    } else {
        let colours = output::colours(&io::stdout());
        output::data(&asked.texts(|_| true, colours));
    }
    anchoring.write(asked.audits())?;
    asked.refuse_unasked("audited")?;
    let is_good = |audit: &Audit| {
        audit.verdict.is_good()
            && anchoring.holds_for(audit)
            && (arguments.trust.is_empty() || is_vouched_for(audit, &anchoring))
    };
    let damaged = asked.damaged();
    Ok(Answer::good_if(damaged == 0 && asked.audits().all(is_good)))
}

/// Whether somebody who is trusted has signed what is attested of a log, and where anchors
/// were given also its head. What a log that is whole says of itself needs nobody's word.
fn is_vouched_for(audit: &Audit, anchoring: &Anchoring) -> bool {
    let attested = matches!(audit.signature, None | Some(SignatureCheck::Trusted { .. }));
    attested && (!anchoring.has_anchors() || audit.is_signed_and_complete())
}
