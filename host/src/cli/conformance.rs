//! `refrain conformance`: the logs of a conformance kit, for auditors in any language.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use refrain::conformance::{Case, Expected, Kit, Together};
use refrain::guest::Library;
use refrain::log::digest::digest;
use refrain::replay::Auditor;
use serde::Serialize;

use super::coded::{OrCoded, refuse};
use super::output::{self, Form};
use super::text::{Text, counted, text};
use super::{Answer, guests};

/// Write out the logs of a conformance kit, or hold this program's own audit against them
///
/// A kit is a folder with a `kit.ndjson`. With -o, the folder OUT gets `logs/NAME.ndjson` for
/// each of its cases, or a folder `logs/NAME` where a case is several logs; `DIGEST.wasm` for
/// each scheduler component that they name; and `expected.json`: a list of each case's name,
/// file, and what an audit of that file has to answer, or the list of its logs. Without -o, this program audits each of them, and answers 1 if it says anything else.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder with the kit
    #[arg(value_name = "DIR")]
    kit: PathBuf,
    /// Write the logs into this folder
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
}

/// The kit's file in its folder.
const FILE: &str = "kit.ndjson";

/// A case for those who audit its log, or logs.
#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    #[serde(flatten)]
    of: WrittenOf<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenOf<'a> {
    One(WrittenLog<'a>),
    Several { logs: Vec<WrittenLog<'a>> },
}

#[derive(Serialize)]
struct WrittenLog<'a> {
    /// From the folder of the list on.
    file: String,
    expected: &'a Expected,
}

#[derive(Serialize)]
struct Document<'a> {
    cases: usize,
    /// `None` where logs were written out.
    #[serde(skip_serializing_if = "Option::is_none")]
    differing: Option<&'a [Differing]>,
}

/// A case of which this program says something else.
#[derive(Serialize)]
struct Differing {
    name: String,
    expected: Expected,
    found: Expected,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let kit = read(&arguments.kit)?;
    let mut library = guests::library()?;
    let (own, named) = (library.built_in(), kit.guest.to_string());
    if own != named {
        refuse!(
            "other_kit",
            "the logs of the kit name the scheduler {named}, and this program has {own}; take the kit of this program's version"
        );
    }
    match &arguments.output {
        Some(folder) => {
            write(&kit, &library, folder)?;
            if arguments.form.json {
                output::document(&Document {
                    cases: kit.len(),
                    differing: None,
                })?;
            } else {
                let cases = counted(kit.len() as u64, "case");
                output::say(&text!("{} and expected.json are in {}", cases, *folder));
            }
            Ok(Answer::Good)
        }
        None => check(&kit, &mut library, arguments.form),
    }
}

fn read(folder: &Path) -> anyhow::Result<Kit> {
    let path = folder.join(FILE);
    let place = path.display().to_string();
    let unreadable = || format!("cannot read the kit {place}");
    let file = File::open(&path).or_coded("kit_unreadable", unreadable)?;
    Kit::read(BufReader::new(file)).or_coded("invalid_kit", unreadable)
}

/// Writes out all logs, and the schedulers that they name.
fn write(kit: &Kit, library: &Library, folder: &Path) -> anyhow::Result<()> {
    let logs = folder.join("logs");
    let unwritable = || format!("cannot write into {}", folder.display());
    fs::create_dir_all(&logs).or_coded("not_written", unwritable)?;
    let own = library.bytes(library.built_in()).unwrap_or_default();
    let brought = kit.components.iter().map(|it| it.bytes.as_slice());
    for component in brought.chain([own]) {
        let file = folder.join(format!("{}.wasm", digest(component)));
        fs::write(file, component).or_coded("not_written", unwritable)?;
    }
    let write_log = |case: &'_ Case, file: String| {
        fs::write(folder.join(&file), log(kit, case)?).or_coded("not_written", unwritable)?;
        Ok::<_, anyhow::Error>(file)
    };
    let mut written = Vec::new();
    for case in &kit.cases {
        let file = write_log(case, format!("logs/{}.ndjson", case.name))?;
        let expected = &case.expected;
        written.push(Written {
            name: &case.name,
            of: WrittenOf::One(WrittenLog { file, expected }),
        });
    }
    for Together { name, logs } in &kit.together {
        let within = format!("logs/{name}");
        fs::create_dir_all(folder.join(&within)).or_coded("not_written", unwritable)?;
        let logs = logs.iter().map(|case| {
            let file = write_log(case, format!("{within}/{}.ndjson", case.name))?;
            let expected = &case.expected;
            Ok(WrittenLog { file, expected })
        });
        let logs = logs.collect::<anyhow::Result<_>>()?;
        let of = WrittenOf::Several { logs };
        written.push(Written { name, of });
    }
    let mut list = serde_json::to_string_pretty(&written)?;
    list.push('\n');
    fs::write(folder.join("expected.json"), list).or_coded("not_written", unwritable)
}

fn log(kit: &Kit, case: &Case) -> anyhow::Result<Vec<u8>> {
    kit.log(case)
        .or_coded("invalid_kit", || "the kit is damaged".to_owned())
}

/// Audits all logs, and compares.
fn check(kit: &Kit, library: &mut Library, form: Form) -> anyhow::Result<Answer> {
    for component in &kit.components {
        library.add(component.bytes.clone())?;
    }
    let mut differing = Vec::new();
    let mut compare = |name: String, expected: &Expected, found: Expected| {
        if found != *expected {
            let expected = expected.clone();
            differing.push(Differing {
                name,
                expected,
                found,
            });
        }
    };
    // A library for each case, so that none knows what another has brought.
    for case in &kit.cases {
        let (log, mut library) = (log(kit, case)?, library.clone());
        let audited = Auditor::new(&mut library).audit_export(log.as_slice(), &case.name);
        compare(case.name.clone(), &case.expected, Expected::of(audited)?);
    }
    for Together { name, logs } in &kit.together {
        let texts = logs.iter().map(|case| log(kit, case));
        let texts: Vec<_> = texts.collect::<anyhow::Result<_>>()?;
        let found = Expected::of_together(&mut library.clone(), &texts)?;
        for (case, found) in logs.iter().zip(found) {
            compare(format!("{name}/{}", case.name), &case.expected, found);
        }
    }
    if form.json {
        output::document(&Document {
            cases: kit.len(),
            differing: Some(&differing),
        })?;
    } else {
        output::data(&told(kit, &differing)?);
    }
    Ok(Answer::good_if(differing.is_empty()))
}

fn told(kit: &Kit, differing: &[Differing]) -> anyhow::Result<Text> {
    let cases = counted(kit.len() as u64, "case");
    let mut told = match differing.len() {
        0 => text!("{}: this program says the same of each\n", cases),
        some => text!("{}: this program says something else of {}\n", cases, some),
    };
    for it in differing {
        let [expected, found] = [&it.expected, &it.found].map(serde_json::to_string);
        told.push(&text!(
            "  {}\n    expected  {}\n    found     {}\n",
            it.name,
            expected?,
            found?
        ));
    }
    Ok(told)
}
