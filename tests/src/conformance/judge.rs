//! What this program's audit says of a case.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use refrain::conformance::{Case, Expected, Kit, Together};
use refrain::guest::Library;
use refrain::log::digest::digest;
use refrain::replay::{Auditor, DivergenceCode};

use super::draft::{Draft, Drafts, TogetherDraft};

/// What the audit of this log answers. The library has the schedulers that the kit brings.
///
/// # Errors
/// The audit was not done, and not for the lack of a scheduler.
pub fn audited(library: &Library, name: &str, log: &[u8]) -> Result<Expected> {
    // A copy, so that no log depends on the schedulers that another one has brought.
    let mut library = library.clone();
    let audited = Auditor::new(&mut library).audit_export(log, name);
    Ok(Expected::of(audited)?)
}

/// Whether a scheduler failed. How one is stopped is another question in each host, so that no
/// case depends on it.
#[must_use]
pub fn failed(said: &Expected) -> bool {
    said.code == Some(DivergenceCode::GuestFailed)
}

/// Makes cases of the drafts. Those that come to a log which another one came to are left out,
/// and so are those in which a scheduler fails, and those of chance that come to no log: a value
/// of another event may be none that the field can have.
pub(super) fn judge(kit: &mut Kit, library: &Library, drafts: Drafts) -> Result<()> {
    let (mut logs, mut names) = (BTreeSet::new(), BTreeSet::new());
    for draft in drafts.all {
        let name = &draft.name;
        ensure!(names.insert(name.clone()), "two cases are called {name}");
        let (is_of_chance, mut case) = (draft.is_of_chance, case_of(draft));
        let log = match kit.log(&case) {
            Err(_) if is_of_chance => continue,
            log => log?,
        };
        if !logs.insert(digest(&log)) {
            continue;
        }
        let said = audited(library, &case.name, &log).with_context(|| case.name.clone())?;
        if failed(&said) {
            continue;
        }
        case.expected = said;
        kit.cases.push(case);
    }
    for TogetherDraft { name, logs } in drafts.together {
        ensure!(names.insert(name.clone()), "two cases are called {name}");
        let mut logs: Vec<Case> = logs.into_iter().map(case_of).collect();
        let texts = logs.iter().map(|case| kit.log(case));
        let texts: Vec<Vec<u8>> = texts
            .collect::<Result<_, _>>()
            .with_context(|| name.clone())?;
        let said = Expected::of_together(&mut library.clone(), &texts)?;
        if said.iter().any(failed) {
            continue;
        }
        for (case, said) in logs.iter_mut().zip(said) {
            case.expected = said;
        }
        kit.together.push(Together { name, logs });
    }
    Ok(())
}

fn case_of(draft: Draft) -> Case {
    Case {
        name: draft.name,
        base: draft.base,
        edits: draft.edits,
        expected: Expected::default(),
    }
}
