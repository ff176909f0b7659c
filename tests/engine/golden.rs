//! Logs of earlier versions, and of this one: each audits clean with the guest
//! that it names, for ever. See `refrain_tests::golden`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::export::ExportReader;
use refrain::log::{KIND_NAMES, canonical, chain, json};
use refrain::replay::{Audit, Auditor, Verdict};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::golden::{Entry, Set, folder, sets, write_all};

fn library() -> Result<Library> {
    Ok(Library::new(Sandbox::new(CallLimits::default())?))
}

/// All golden logs, with the sets that they belong to, and their texts.
fn all() -> Result<Vec<(Set, Entry, String)>> {
    let mut all = Vec::new();
    for set in sets()? {
        for entry in &set.logs {
            all.push((set.clone(), entry.clone(), set.text(entry)?));
        }
    }
    ensure!(!all.is_empty(), "there are no golden logs");
    Ok(all)
}

fn is_clean(audit: Audit, set: &Set, entry: &Entry) -> Result<()> {
    ensure!(
        audit.verdict == Verdict::Clean,
        "{} ({}): {:?}: {:?}",
        set.path(entry).display(),
        entry.shows,
        audit.verdict,
        audit.divergence
    );
    Ok(())
}

#[test]
fn law2_every_log_audits_clean_with_the_guest_that_it_names() -> Result<()> {
    let mut library = library()?;
    for set in sets()? {
        library.add(set.component()?)?;
        for entry in &set.logs {
            let text = set.text(entry)?;
            let reader = ExportReader::new(text.as_bytes())?;
            ensure!(reader.header().guest_digest == set.guest);
            let audit = Auditor::new(&mut library).audit_export(text.as_bytes(), &entry.name)?;
            is_clean(audit, &set, entry)?;
        }
    }
    Ok(())
}

#[test]
fn law10_compatible_logs_audit_clean_with_the_newest_guest() -> Result<()> {
    let mut library = library()?;
    let newest = library.built_in().to_owned();
    for (set, entry, text) in all()?.into_iter().filter(|(_, it, _)| it.compatible) {
        let auditor = Auditor::new(&mut library).with_guest(newest.clone());
        let audit = { auditor }.audit_export(text.as_bytes(), &entry.name)?;
        is_clean(audit, &set, &entry).with_context(|| {
            format!("the guest {newest} decides otherwise: if that is meant, the log is not compatible any more")
        })?;
    }
    Ok(())
}

/// The bytecode that a first start runs on decides what stands in the logs.
#[test]
fn law2_the_logs_of_the_newest_guest_audit_clean_with_its_bytecode() -> Result<()> {
    let mut library = Library::new(Sandbox::interpreting(CallLimits::default())?);
    let newest = library.built_in().to_owned();
    let mut audited = 0;
    for (set, entry, text) in all()? {
        if set.guest == newest {
            let audit = Auditor::new(&mut library).audit_export(text.as_bytes(), &entry.name)?;
            is_clean(audit, &set, &entry)?;
            audited += 1;
        }
    }
    ensure!(audited > 5, "only {audited} logs are of the newest guest");
    Ok(())
}

/// The check bites: a guest that dispatches the other way round is found.
#[test]
fn law10_a_guest_that_decides_otherwise_is_found() -> Result<()> {
    let mut library = library()?;
    let other = library.add(DIVERGENT.committed()?)?;
    let mut found = 0;
    for (_, entry, text) in all()? {
        let auditor = Auditor::new(&mut library).with_guest(other.clone());
        let audit = { auditor }.audit_export(text.as_bytes(), &entry.name)?;
        found += u32::from(audit.verdict == Verdict::Divergent);
    }
    ensure!(found > 5, "only {found} logs tell the divergent guest");
    Ok(())
}

#[test]
fn every_event_kind_stands_in_a_golden_log() -> Result<()> {
    let mut missing: BTreeSet<&str> = KIND_NAMES.iter().copied().collect();
    for (_, _, text) in all()? {
        missing.retain(|kind| !text.contains(&format!(r#""type":"{kind}""#)));
    }
    ensure!(
        missing.is_empty(),
        "no golden log has {missing:?}: add a scenario to tests/src/golden/scenarios, and type: \
         cargo renew-golden-logs \"a log for the new kind of event\""
    );
    Ok(())
}

#[test]
fn law4_both_spellings_of_every_event_come_back_to_the_byte() -> Result<()> {
    for (set, entry, text) in all()? {
        let mut previous = chain::START;
        for (line, number) in text.lines().zip(1..).skip(1) {
            let place = || format!("{}, line {number}", set.path(&entry).display());
            let stored = json::read_stored(line).with_context(place)?;
            let bytes = canonical::write(&stored.event);
            let event = canonical::read(&bytes.plain, &bytes.erasable).with_context(place)?;
            ensure!(canonical::write(&event) == bytes, "{}", place());
            ensure!(event == stored.event, "{}", place());
            ensure!(json::write_stored(&stored) == line, "{}", place());
            previous = chain::link_of(&previous, &bytes, &stored.salt);
            ensure!(previous == stored.hash, "{}: the chain breaks", place());
        }
    }
    Ok(())
}

#[test]
fn the_folders_hold_what_the_indexes_say() -> Result<()> {
    for set in sets()? {
        let mut found = Vec::new();
        for file in fs::read_dir(set.folder())? {
            found.push(file?.file_name().to_string_lossy().into_owned());
        }
        found.sort();
        ensure!(
            found == set.files(),
            "{}: {found:?}",
            set.folder().display()
        );
    }
    let loose = fs::read_dir(folder())?.filter_map(Result::ok);
    let loose: Vec<_> = loose.filter(|entry| entry.path().is_file()).collect();
    ensure!(loose.is_empty(), "{loose:?}");
    Ok(())
}

/// What is derived proves its freshness: until a release names the newest
/// guest, its golden logs are what it writes today. And writing them twice
/// gives the same bytes, or this would fail too.
#[test]
fn the_newest_guest_has_golden_logs_and_still_writes_them() -> Result<()> {
    let mut library = library()?;
    let newest = library.built_in().to_owned();
    let renew = "type: cargo renew-golden-logs \"why they are written anew\"";
    let sets = sets()?;
    let set = sets.iter().find(|set| set.guest == newest);
    let set = set.with_context(|| format!("the guest {newest} has no golden logs; {renew}"))?;
    if set.released.is_some() {
        return Ok(());
    }
    for log in write_all(&mut library)? {
        ensure!(
            set.logs.contains(&log.entry) && set.text(&log.entry)? == log.text,
            "the engine writes another log of `{}` today, and no release names it yet; {renew}",
            log.entry.name
        );
    }
    Ok(())
}
