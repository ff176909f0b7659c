//! `cargo renew-golden-logs "REASON"`: write the golden logs of the component
//! that is committed now.
//!
//! It writes on purpose only, which is why it asks for the reason; and never
//! over logs that belong to a release (see `refrain_tests::golden`).

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain_tests::golden::{Log, Set, sets, write_all};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [reason] = arguments else {
        bail!("usage: cargo renew-golden-logs \"why they are written anew\"");
    };
    if reason.split_whitespace().count() < 3 {
        bail!("`{reason}` is no reason; say in a sentence why the logs change");
    }
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let logs = write_all(&mut library)?;
    let component = library.bytes(library.built_in());
    let component = component
        .context("the library has no built-in guest")?
        .to_vec();
    let set = Set {
        guest: library.built_in().to_owned(),
        released: None,
        reason: reason.clone(),
        logs: logs.iter().map(|log| log.entry.clone()).collect(),
    };
    let sets = sets()?;
    if let Some(same) = sets.iter().find(|it| it.guest == set.guest)
        && is_written(same, &logs)?
    {
        println!(
            "{} is what would be written; nothing to do",
            same.folder().display()
        );
        return Ok(());
    }
    for other in sets
        .iter()
        .filter(|it| it.released.is_none() || it.guest == set.guest)
    {
        other.remove()?;
    }
    set.write(&component, &logs)?;
    println!("{} logs are in {}", logs.len(), set.folder().display());
    Ok(())
}

/// Whether these logs stand there already, to the byte.
fn is_written(set: &Set, logs: &[Log]) -> Result<bool> {
    if set.logs.len() != logs.len() {
        return Ok(false);
    }
    for log in logs {
        if !set.logs.contains(&log.entry) || set.text(&log.entry)? != log.text {
            return Ok(false);
        }
    }
    Ok(true)
}
