//! `cargo renew-conformance-kit`: make the conformance kit anew, as the committed component,
//! the golden logs and the audit are now (see `refrain_tests::conformance`).

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain_tests::conformance::{file, folder, made};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let built_in = library.built_in().to_owned();
    library.wait_until_compiled(&built_in)?;
    let kit = made(&mut library)?;
    let mut text = Vec::new();
    kit.write(&mut text)?;
    fs::create_dir_all(folder())?;
    let path = file();
    fs::write(&path, &text).with_context(|| path.display().to_string())?;
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for case in &kit.cases {
        let verdict = case.expected.verdict.map_or("none", |it| it.word());
        *verdicts.entry(verdict.to_owned()).or_default() += 1;
    }
    println!(
        "{}: {} bytes, {} logs, {} cases of one log: {verdicts:?}, {} of several",
        path.display(),
        text.len(),
        kit.bases.len(),
        kit.cases.len(),
        kit.together.len()
    );
    Ok(())
}
