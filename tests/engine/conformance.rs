//! The conformance kit says what this program's audit says, and shows all that a log can be.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use refrain::conformance::{Expected, Kit};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::KIND_NAMES;
use refrain::replay::{DivergenceCode, LinkState, Verdict};
use refrain_tests::conformance::{audited, committed, failed, file};

/// What is to be done where the kit is not what it should be.
const RENEW: &str = "type: cargo renew-conformance-kit";

/// Bytes that a repository can carry, and people download.
const BYTES_MAX: u64 = 3 * 1024 * 1024;

/// Cases that the kit has at least.
const CASES_MIN: usize = 1500;

fn library(kit: &Kit) -> Result<Library> {
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let built_in = library.built_in().to_owned();
    ensure!(
        kit.guest == built_in,
        "the kit's logs are of the scheduler {}, and the committed one is {built_in}; {RENEW}",
        kit.guest
    );
    library.wait_until_compiled(&built_in)?;
    for component in &kit.components {
        library.add(component.bytes.clone())?;
    }
    Ok(library)
}

#[test]
fn law2_law4_the_kit_expects_what_the_audit_says() -> Result<()> {
    let kit = committed()?;
    let library = library(&kit)?;
    let mut differing = Vec::new();
    for case in &kit.cases {
        let said = audited(&library, &case.name, &kit.log(case)?)?;
        if said != case.expected {
            differing.push(format!("{}: {said:?}", case.name));
        }
    }
    for together in &kit.together {
        let logs = together.logs.iter().map(|case| kit.log(case));
        let logs: Vec<Vec<u8>> = logs.collect::<Result<_, _>>()?;
        let said = Expected::of_together(&mut library.clone(), &logs)?;
        for (case, said) in together.logs.iter().zip(said) {
            if said != case.expected {
                differing.push(format!("{}/{}: {said:?}", together.name, case.name));
            }
        }
    }
    ensure!(
        differing.is_empty(),
        "the audit says something else of {} of {} cases than the conformance kit; if that is meant, {RENEW}: {:#?}",
        differing.len(),
        kit.len(),
        &differing[..differing.len().min(10)]
    );
    Ok(())
}

#[test]
fn the_kit_shows_every_kind_of_event_every_verdict_and_every_fault() -> Result<()> {
    let bytes = fs::metadata(file())?.len();
    ensure!(bytes <= BYTES_MAX, "the kit has {bytes} bytes");
    let kit = committed()?;
    ensure!(kit.cases.len() >= CASES_MIN, "{} cases", kit.cases.len());
    let lines = kit.bases.iter().flat_map(|base| &base.lines);
    let lines: Vec<&str> = lines.map(|line| line.get()).collect();
    let is_shown = |kind: &&&str| {
        let named = format!("\"type\":\"{kind}\"");
        lines.iter().any(|line| line.contains(&named))
    };
    let missing: Vec<_> = KIND_NAMES.iter().filter(|kind| !is_shown(kind)).collect();
    ensure!(missing.is_empty(), "no log of the kit has {missing:?}");
    let said = || kit.cases.iter().map(|case| &case.expected);
    let verdicts: BTreeSet<Option<Verdict>> = said().map(|it| it.verdict).collect();
    let all = [
        Verdict::Clean,
        Verdict::Erased,
        Verdict::Divergent,
        Verdict::Tampered,
        Verdict::Illegal,
        Verdict::Unreadable,
        Verdict::Newer,
    ];
    let all: BTreeSet<_> = all.into_iter().map(Some).chain([None]).collect();
    ensure!(verdicts == all, "{verdicts:?}");
    let codes: BTreeSet<DivergenceCode> = said().filter_map(|it| it.code).collect();
    let all = BTreeSet::from([
        DivergenceCode::LogUnsound,
        DivergenceCode::OtherDecision,
        DivergenceCode::NoDecision,
        DivergenceCode::OtherOrder,
    ]);
    ensure!(codes == all, "{codes:?}");
    ensure!(!said().any(failed), "a scheduler fails in a case");
    ensure!(
        said().any(|it| it.owed_a_step),
        "nothing is owed in any case"
    );
    let signatures: BTreeSet<_> = said()
        .filter_map(|it| it.signature)
        .map(|it| format!("{it:?}"))
        .collect();
    ensure!(
        signatures
            .iter()
            .map(String::as_str)
            .eq(["Bad", "Unsigned", "Untrusted"]),
        "{signatures:?}"
    );
    Ok(())
}

/// Logs that are given together show all that can be said of their links (law 11), but for
/// what is not at hand.
#[test]
fn law11_the_kit_shows_every_state_of_a_link() -> Result<()> {
    let kit = committed()?;
    let logs = || kit.together.iter().flat_map(|it| &it.logs);
    for link in [
        LinkState::Linked,
        LinkState::PartlyCompared,
        LinkState::Cut,
        LinkState::Broken,
        LinkState::OriginUnsound,
    ] {
        let count = logs().filter(|it| it.expected.link == Some(link)).count();
        ensure!(count >= 3, "only {count} logs are {link:?}");
    }
    let alone = kit.cases.iter().find(|it| it.expected.link.is_some());
    ensure!(
        alone.is_none(),
        "a log that is alone has no link: {alone:?}"
    );
    // What is cut and nothing else is nobody's fault.
    let missing = logs().filter(|it| !it.expected.missing.is_empty());
    let blamed = missing.filter(|it| it.expected.verdict == Some(Verdict::Tampered));
    let blamed: Vec<_> = blamed.map(|it| &it.name).collect();
    ensure!(blamed.is_empty(), "{blamed:?}");
    Ok(())
}

/// Every verdict is given for many logs, so that no auditor agrees by chance.
#[test]
fn no_verdict_of_the_kit_is_rare() -> Result<()> {
    let kit = committed()?;
    for (verdict, least) in [
        (Verdict::Clean, 100),
        (Verdict::Erased, 10),
        (Verdict::Divergent, 200),
        (Verdict::Tampered, 200),
        (Verdict::Illegal, 200),
        (Verdict::Unreadable, 100),
        (Verdict::Newer, 5),
    ] {
        let cases = kit.cases.iter();
        let count = cases
            .filter(|it| it.expected.verdict == Some(verdict))
            .count();
        ensure!(count >= least, "only {count} cases are {verdict:?}");
    }
    Ok(())
}

#[test]
fn a_kit_is_read_as_it_was_written() -> Result<()> {
    let kept = fs::read(file())?;
    let mut written = Vec::new();
    Kit::read(kept.as_slice())?.write(&mut written)?;
    ensure!(kept == written, "the kit is written otherwise");
    Ok(())
}

#[test]
fn a_damaged_kit_is_refused_with_the_place() -> Result<()> {
    let text = fs::read_to_string(file())?;
    let lines: Vec<&str> = text.lines().collect();
    let base = lines.iter().position(|it| it.starts_with("{\"base\""));
    let base = base.context("a kit has logs")?;
    let case = lines.iter().position(|it| it.starts_with("{\"case\""));
    let case = case.context("a kit has cases")?;
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n")
    };
    let newer = lines[0].replace("conformance/2", "conformance/9");
    let odd_name = lines[case].replace("\"name\":\"", "\"name\":\"../");
    let several = lines.iter().position(|it| it.starts_with("{\"together\""));
    let several = several.context("a kit has logs that are given together")?;
    let same_names = lines[several].replace("\"name\":\"2_", "\"name\":\"1_");
    let same_names = same_names.replace("family_child", "family_parent");
    let no_base = lines[several].replace("\"base\":\"", "\"base\":\"no_");
    for (text, expected) in [
        (String::new(), "line 1 of the kit is missing"),
        (
            lines[1..].join("\n"),
            "line 1 of the kit should say of which format",
        ),
        (
            with(0, &newer),
            "line 1 of the kit says that its format is \"refrain-conformance/9\"",
        ),
        (
            with(1, "{\"component\":{\"component\":\"00\"}}"),
            "line 2 of the kit is no component",
        ),
        (with(1, lines[0]), "line 2 of the kit begins a second kit"),
        (with(base + 1, lines[base]), "names a second log"),
        (with(base, "{}"), "of the kit is no line of one"),
        (with(case + 1, lines[case]), "names a second case"),
        (with(case, &odd_name), "and a file cannot be called so"),
        (with(base, lines[case]), "which is not before it"),
        (with(several + 1, lines[several]), "names a second case"),
        (with(several, &same_names), "names a second case \"1_"),
        (with(several, &no_base), "which is not before it"),
    ] {
        let error = Kit::read(text.as_bytes()).err().context(expected)?;
        ensure!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let mut kit = committed()?;
    let mut case = kit.cases.pop().context("a case")?;
    case.edits = vec![refrain::conformance::Edit::Remove { line: 99_999 }];
    let error = kit.log(&case).err().context("there is no such line")?;
    let expected = format!(
        "the case {} of the kit cannot be made: edit 1: there is no line 99999",
        case.name
    );
    ensure!(error.to_string().contains(&expected), "{error}");
    Ok(())
}
