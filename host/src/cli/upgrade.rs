//! `refrain upgrade`: executions that live are handed to another scheduler component.

use std::path::PathBuf;

use anyhow::Context;
use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::model::{RefusalCode, Status};
use refrain::replay::{Auditor, Summary, Verdict};
use refrain::store::{
    Damaged, ExecutionRecord, Many, Reader, SqliteStore, ended, is_stalled_by_host,
};
use refrain::{Engine, EngineError, ErrorRemedy, Receipt, names};
use serde::Serialize;

use super::by::By;
use super::coded::refuse;
use super::damage::{self, DamagedDocument};
use super::database::{self, Database, Part};
use super::failure::curable;
use super::named::Named;
use super::output::{self, Form};
use super::text::text;
use super::unended::resume_all;
use super::upgraded::{EachDocument, Upgraded};
use super::{Answer, act, erased, exact, failure, guests, list};

/// Hand executions to another scheduler component: from then on it decides
///
/// Each log is audited with that component first, as `refrain audit --guest` does. An
/// execution of which it would have decided otherwise is named and left with its own,
/// unless --force is given. What is under way goes on; a stall stays until `refrain
/// resume` lifts it.
///
/// The log says who changed the scheduler, and to which. An audit asks each scheduler for
/// its own part of the log.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["executions", "all"]))]
pub(super) struct Arguments {
    /// The executions
    #[arg(value_name = "EXECUTION")]
    executions: Vec<Named>,
    /// All that have not ended
    #[arg(long)]
    all: bool,
    /// The scheduler component; that of this program, unless you say
    #[arg(long, value_name = "FILE.wasm")]
    guest: Option<PathBuf>,
    /// Only audit, and say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Upgrade those too of which it would have decided otherwise
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    database: Database,
}

/// How often an execution that goes on meanwhile is audited anew.
const AUDITS_MAX: usize = 5;

type Each = (ExecutionId, Upgraded);

#[derive(Serialize)]
struct Document<'a> {
    guest: &'a str,
    executions: Vec<EachDocument<'a>>,
    damaged: Vec<DamagedDocument<'a>>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut library = guests::library()?;
    let guest = match &arguments.guest {
        Some(path) => guests::add(&mut library, path)?,
        None => library.built_in().to_owned(),
    };
    let (parts, damaged) = which(arguments, &guest)?;
    let each = act::finish(upgrade_parts(arguments, parts, &library, &guest))??;
    if arguments.form.json {
        output::document(&Document {
            guest: &guest,
            executions: each.iter().map(EachDocument::of).collect(),
            damaged: damaged.iter().map(DamagedDocument::of).collect(),
        })?;
    } else {
        if arguments.dry_run {
            sum_up(&each);
        }
        say_what_is_next(arguments, &each)?;
        name(&damaged);
    }
    answer(arguments, each, damaged.is_empty())
}

/// The executions that are meant, each with its store, and what cannot be read.
fn which(arguments: &Arguments, guest: &str) -> anyhow::Result<(Vec<Part>, Vec<Damaged>)> {
    if !arguments.all {
        let mut ids = Named::find_all(&arguments.executions, &arguments.database)?;
        ids.sort_unstable();
        ids.dedup();
        return Ok((arguments.database.parts(&ids)?, Vec::new()));
    }
    let (mut parts, mut unreadable) = (Vec::new(), Vec::new());
    for mut store in arguments.database.open()? {
        let Many { found, damaged } = list::all(&mut store)?;
        let live = found
            .iter()
            .filter(|it| !ended(it.status) && *it.guest_digest != *guest);
        let found: Vec<_> = live.map(|record| record.id).collect();
        if !found.is_empty() {
            parts.push((store, found));
        }
        unreadable.extend(damaged);
    }
    if parts.is_empty() && unreadable.is_empty() {
        output::say(&text!(
            "nothing to upgrade: all executions that have not ended belong to the scheduler {}",
            guest
        ));
    }
    Ok((parts, unreadable))
}

/// Hands the executions of each store over, as far as each can be.
async fn upgrade_parts(
    arguments: &Arguments,
    parts: Vec<Part>,
    library: &Library,
    guest: &str,
) -> anyhow::Result<Vec<Each>> {
    let mut each = Vec::new();
    for (mut store, ids) in parts {
        let library = library.clone();
        each.extend(upgrade_each(arguments, &mut store, library, guest, ids).await?);
    }
    Ok(each)
}

/// Hands all of these over, as far as each can be, and says of each what came of it. Who
/// stops this knows what was done so far.
async fn upgrade_each(
    arguments: &Arguments,
    store: &mut SqliteStore,
    mut library: Library,
    guest: &str,
    ids: Vec<ExecutionId>,
) -> anyhow::Result<Vec<Each>> {
    let engine = match arguments.dry_run || ids.is_empty() {
        true => None,
        false => {
            let builder = database::engine(SqliteStore::open(store.path())?)
                .library(library.clone())
                // It works on none: what is asked of one is done all the same.
                .only([]);
            Some(builder.start().await?)
        }
    };
    let mut each = Vec::with_capacity(ids.len());
    let mut auditor = Auditor::new(&mut library).with_guest(guest.to_owned());
    let upgrade = Upgrade {
        arguments,
        engine: engine.as_ref(),
        guest,
    };
    let colours = output::colours(&std::io::stdout());
    for id in ids {
        let mut upgraded = Upgraded::default();
        let done = upgrade.one(store, &mut auditor, id, &mut upgraded).await;
        upgraded.error = done.err();
        let one = (id, upgraded);
        if !arguments.form.json {
            output::data(&one.1.text(id, guest, colours));
        }
        each.push(one);
    }
    if let Some(engine) = engine {
        engine.shutdown().await;
    }
    Ok(each)
}

/// How one execution after another is handed over.
struct Upgrade<'a> {
    arguments: &'a Arguments,
    /// `None` if nothing is to be written.
    engine: Option<&'a Engine>,
    guest: &'a str,
}

impl Upgrade<'_> {
    /// Hands one over at the head that was audited. Where the log goes on meanwhile,
    /// it is audited anew.
    async fn one(
        &self,
        store: &mut SqliteStore,
        auditor: &mut Auditor<'_>,
        id: ExecutionId,
        upgraded: &mut Upgraded,
    ) -> anyhow::Result<()> {
        for _ in 0..AUDITS_MAX {
            let record = database::record(store, id)?;
            if self.arguments.all && ended(record.status) {
                // It has come to its end with the scheduler that it had.
                upgraded.has_ended = true;
                return Ok(());
            }
            may_be_upgraded(&record)?;
            upgraded.from = Some(record.guest_digest.to_string());
            if *record.guest_digest == *self.guest {
                return Ok(());
            }
            let audited = auditor.audit_stored(store, id);
            let audited = audited.with_context(|| format!("cannot audit {id}"))?;
            let audited = audited.with_context(|| format!("execution {id} is gone"))?;
            let verdict = audited.verdict;
            upgraded.audit = Some(audited);
            let Some(engine) = self.engine.filter(|_| self.may_follow(verdict)) else {
                return Ok(());
            };
            let execution = engine.execution(id).by(&self.arguments.by.who());
            match execution.upgrade_at(self.guest, record.head).await {
                Ok(receipt) => {
                    upgraded.upgraded = receipt == Receipt::Recorded;
                    return Ok(());
                }
                Err(EngineError::HeadMoved { .. }) => {}
                // The log has gone on to its end: it is looked at anew.
                Err(EngineError::Refused {
                    code: RefusalCode::Ended,
                    ..
                }) if self.arguments.all => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(curable(
            "head_moved",
            format!("{id} goes on while its log is audited, so that it is not handed over"),
            ErrorRemedy::Pause(id),
        ))
    }

    /// Whether an execution is handed over whose audit said this.
    fn may_follow(&self, verdict: Verdict) -> bool {
        verdict == Verdict::Clean || (verdict == Verdict::Divergent && self.arguments.force)
    }
}

fn may_be_upgraded(record: &ExecutionRecord) -> anyhow::Result<()> {
    erased::refuse(record)?;
    if ended(record.status) {
        let (id, status) = (record.id, names::status(record.status));
        refuse!(
            "refused",
            "{id} is {status}, and nothing follows on an end: it keeps its scheduler"
        );
    }
    Ok(())
}

/// What `refrain whatif` says of the same logs.
fn sum_up(each: &[Each]) {
    let audits = each.iter().filter_map(|(_, it)| it.audit.as_ref());
    let summary = Summary::of(audits);
    if summary != Summary::default() {
        let colours = output::colours(&std::io::stdout());
        output::data(&exact::summed_up(&summary, colours));
    }
}

fn name(damaged: &[Damaged]) {
    let _ = damage::named(Many {
        found: Vec::<()>::new(),
        damaged: damaged.to_vec(),
    });
}

/// What somebody has to type so that these executions go on.
fn say_what_is_next(arguments: &Arguments, each: &[Each]) -> anyhow::Result<()> {
    let command = |verb, id: &ExecutionId| arguments.database.command(verb, &[id.to_string()]);
    // Of real and of simulated time.
    let mut is_running = [false; 2];
    for (id, upgraded) in each {
        if upgraded.upgraded {
            let (mut store, record) = arguments.database.holding(*id)?;
            let is_held = record.status == Status::Stalled
                && is_stalled_by_host(&mut store, *id, record.head)?;
            if is_held {
                output::say(&text!(
                    "{} is stalled still; to go on, type: {}",
                    id,
                    command("resume", id)
                ));
            }
            is_running[usize::from(store.is_simulated())] |= record.status == Status::Running;
        } else if upgraded.error.is_none()
            && !upgraded.has_ended
            && upgraded.verdict() == Some(Verdict::Divergent)
        {
            output::say(&text!(
                "{} is left with its scheduler, because the other one would have decided otherwise; to upgrade it all the same, give --force",
                id
            ));
        }
    }
    for simulated in [false, true] {
        if !is_running[usize::from(simulated)] {
            continue;
        }
        let resume = resume_all(simulated);
        let resume = arguments.database.command::<&str>(resume, &[]);
        output::say(&text!(
            "where no `refrain run` works on them, type: {}",
            resume
        ));
    }
    Ok(())
}

/// Bad, if the other scheduler would have decided otherwise; an error, if one could not
/// be upgraded for another reason.
fn answer(arguments: &Arguments, each: Vec<Each>, whole: bool) -> anyhow::Result<Answer> {
    let (all, mut failed) = (each.len(), 0);
    let mut good = whole;
    for (_, upgraded) in each {
        good &= upgraded.is_good(arguments.force);
        let Some(error) = upgraded.error else {
            continue;
        };
        if all == 1 {
            return Err(error);
        }
        failed += 1;
        output::tell(&failure::text(&error));
    }
    if failed > 0 {
        refuse!(
            "not_upgraded",
            "{failed} of {all} executions could not be upgraded"
        );
    }
    Ok(Answer::good_if(good))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::waiting_world::WaitingWorld;

    /// Between the listing and the audit.
    #[tokio::test(flavor = "multi_thread")]
    async fn one_of_all_that_ends_meanwhile_is_no_failure() -> anyhow::Result<()> {
        let WaitingWorld {
            file,
            engine,
            execution,
            ..
        } = &WaitingWorld::begin().await?;
        execution.cancel(None).await?;
        let mut library = guests::library()?;
        let mut auditor = Auditor::new(&mut library);
        let mut store = SqliteStore::open_read_only(file)?;
        for (all, is_good) in [(true, true), (false, false)] {
            let arguments = Arguments {
                executions: Vec::new(),
                all,
                guest: None,
                dry_run: false,
                force: false,
                by: By::default(),
                form: Form::default(),
                database: Database::at(file),
            };
            let upgrade = Upgrade {
                arguments: &arguments,
                engine: Some(engine),
                guest: "another",
            };
            let mut upgraded = Upgraded::default();
            let id = execution.id();
            let done = upgrade
                .one(&mut store, &mut auditor, id, &mut upgraded)
                .await;
            assert_eq!(done.is_ok(), is_good, "{done:?}");
            assert_eq!(upgraded.has_ended, is_good);
            let said = upgraded.text(id, "another", false);
            assert_eq!(said.as_str().contains("has ended meanwhile"), is_good);
        }
        engine.shutdown().await;
        Ok(())
    }
}
