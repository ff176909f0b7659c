//! The examples as text, as they are drawn in 80 columns.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use refrain::picture::{of_workflow, text};
use refrain_tests::component::workspace;

/// The file, and what is in it now.
fn drawn_now() -> Result<(PathBuf, String)> {
    let examples = workspace().join("host/examples");
    let mut files: Vec<PathBuf> = fs::read_dir(&examples)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    ensure!(files.len() > 8, "the examples are there");
    let mut all = String::new();
    for file in files {
        let workflow = fs::read_to_string(&file)?;
        let picture = of_workflow(&workflow).with_context(|| file.display().to_string())?;
        all.push_str(&text(&picture, 80));
        all.push('\n');
    }
    Ok((workspace().join("tests/native/pictures.txt"), all))
}

#[test]
fn the_examples_are_drawn_as_before() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    let kept = fs::read_to_string(&path).unwrap_or_default();
    ensure!(
        kept == drawn,
        "{} is not what is drawn now:\n{drawn}\nif this is as it should be, type `cargo renew-reference`",
        path.display()
    );
    Ok(())
}

#[test]
#[ignore = "it writes the file: `cargo renew-reference`"]
fn renew_the_reference_of_pictures() -> Result<()> {
    let (path, drawn) = drawn_now()?;
    fs::write(&path, drawn).with_context(|| path.display().to_string())
}
