//! Erased logs, whole and partly, with attestations that hold and that do not.

use anyhow::{Context, Result};
use refrain::ExecutionId;
use refrain::conformance::Edit;
use refrain::log::{Attestation, AttestedVerdict, Head};
use refrain::model::Digest;
use refrain::signing::SigningKey;
use serde_json::{Value, json};

use super::super::draft::{Drafts, set, text, unset};
use super::super::source::Source;
use crate::key_files::KeyFiles;

/// One of so many logs that have ended is erased.
const ONE_OF: usize = 14;

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) -> Result<()> {
    let key = KeyFiles::of(Digest::of(b"the key of a conformance kit").0);
    let key = SigningKey::from_pem(&key.private)?;
    let ended = sources
        .iter()
        .filter(|it| it.has_ended() && it.events.len() > 4);
    for source in ended.step_by(ONE_OF) {
        lawful(drafts, source, &key)?;
        partly(drafts, source)?;
        attested(drafts, source, &key)?;
        forged(drafts, source)?;
    }
    let running = sources
        .iter()
        .filter(|it| !it.has_ended() && it.events.len() > 4);
    for source in running.take(3) {
        let edits = erased(attestation(source)?);
        drafts.add("erased", source, "before_it_ended", edits);
    }
    Ok(())
}

/// What is attested of a log that audits clean.
fn attestation(source: &Source) -> Result<Attestation> {
    let text = |name: &str| source.header[name].as_str().context("a text");
    Ok(Attestation {
        at: 1_767_225_600_000,
        verdict: AttestedVerdict::Clean,
        guest_digest: text("guest_digest")?.parse()?,
        head: Head {
            sequence: source.header["events"].as_u64().context("a number")?,
            hash: text("head")?.parse::<Digest>()?.0,
        },
        by: "ada".to_owned(),
        signature: None,
    })
}

/// All events are erased, and this is attested.
fn erased(attestation: Attestation) -> Vec<Edit> {
    vec![Edit::Erase { line: None }, attest(&attestation)]
}

fn attest(attestation: &Attestation) -> Edit {
    let json: Value = serde_json::from_str(&attestation.to_json()).unwrap_or_default();
    set(1, "erased", json)
}

fn lawful(drafts: &mut Drafts, source: &Source, key: &SigningKey) -> Result<()> {
    let whole = attestation(source)?;
    drafts.add("erased", source, "unsigned", erased(whole.clone()));
    let id: ExecutionId = source.header["execution_id"]
        .as_str()
        .context("an id")?
        .parse()?;
    let signed = whole.clone().sign(id, key)?;
    drafts.add("erased", source, "signed", erased(signed.clone()));
    let divergent = Attestation {
        verdict: AttestedVerdict::Divergent,
        ..whole
    };
    drafts.add("erased", source, "divergent_before", erased(divergent));
    // Signed, and then changed; or signed for another execution.
    let changed = Attestation {
        by: "eve".to_owned(),
        ..signed
    };
    drafts.add("erased", source, "signed_and_changed", erased(changed));
    let elsewhere = attestation(source)?.sign(ExecutionId::from_bytes([9; 16]), key)?;
    drafts.add("erased", source, "signed_for_another", erased(elsewhere));
    let mut edits = erased(signed);
    edits.push(set(1, "erased/signature/algorithm", "rsa"));
    drafts.add("erased", source, "signed_otherwise", edits);
    Ok(())
}

fn partly(drafts: &mut Drafts, source: &Source) -> Result<()> {
    let (first, middle, last) = (2, source.last_line() / 2 + 1, source.last_line());
    for (what, line) in [("first", first), ("middle", middle), ("last", last)] {
        let erase = Edit::Erase { line: Some(line) };
        drafts.add(
            "erased",
            source,
            &format!("only_the_{what}"),
            vec![erase.clone()],
        );
        let attested = vec![erase, attest(&attestation(source)?)];
        drafts.add(
            "erased",
            source,
            &format!("only_the_{what}_attested"),
            attested,
        );
        let mut all_but = erased(attestation(source)?);
        all_but.extend([
            Edit::Remove { line },
            Edit::Insert {
                before: line,
                text: source.lines[line - 1].clone(),
            },
        ]);
        drafts.add("erased", source, &format!("all_but_the_{what}"), all_but);
    }
    Ok(())
}

fn attested(drafts: &mut Drafts, source: &Source, key: &SigningKey) -> Result<()> {
    let edited = |edits: Vec<Edit>| -> Result<Vec<Edit>> {
        Ok([erased(attestation(source)?), edits].concat())
    };
    let mut of_signed = Vec::new();
    let id: ExecutionId = source.header["execution_id"]
        .as_str()
        .context("an id")?
        .parse()?;
    of_signed.extend(erased(attestation(source)?.sign(id, key)?));
    for (what, edit) in [
        ("none", unset(1, "erased")),
        ("of_another_head", set(1, "erased/head", "0".repeat(64))),
        (
            "of_fewer_events",
            set(1, "erased/events", source.events.len() - 1),
        ),
        (
            "of_a_verdict_that_is_none",
            set(1, "erased/verdict", "splendid"),
        ),
        (
            "of_a_verdict_of_tampering",
            set(1, "erased/verdict", "tampered"),
        ),
        ("without_a_name", unset(1, "erased/by")),
        ("with_more", set(1, "erased/note", 1)),
        ("that_is_null", set(1, "erased", Value::Null)),
        (
            "of_another_guest",
            set(1, "erased/guest_digest", "0".repeat(64)),
        ),
    ] {
        let what = format!("attestation_{what}");
        drafts.add("erased", source, &what, edited(vec![edit])?);
    }
    for (what, edit) in [
        (
            "bytes_of_zeros",
            set(1, "erased/signature/bytes", "0".repeat(128)),
        ),
        ("too_short", set(1, "erased/signature/bytes", "00")),
        (
            "key_of_zeros",
            set(1, "erased/signature/key", "0".repeat(64)),
        ),
        ("without_a_key", unset(1, "erased/signature/key")),
        (
            "of_another_time",
            set(1, "erased/at", "2026-01-01T00:00:00.001Z"),
        ),
    ] {
        let edits = [of_signed.clone(), vec![edit]].concat();
        drafts.add("erased", source, &format!("signature_{what}"), edits);
    }
    let whole = vec![attest(&attestation(source)?)];
    drafts.add("erased", source, "attested_and_whole", whole);
    Ok(())
}

/// What is done to the events of an erased log.
fn forged(drafts: &mut Drafts, source: &Source) -> Result<()> {
    let line = source.last_line() / 2 + 1;
    for (what, edit) in [
        (
            "commitment_changed",
            set(line, "commitment", "0".repeat(64)),
        ),
        ("commitment_missing", unset(line, "commitment")),
        ("commitment_too_short", set(line, "commitment", "00")),
        ("commitment_and_salt", set(line, "salt", "0".repeat(32))),
        ("field_left", set(2, "initial_input", json!({}))),
        ("field_unknown", set(line, "note", 1)),
        (
            "plain_changed",
            set(line, "at", source.event(2)["at"].clone()),
        ),
        ("removed", Edit::Remove { line }),
        (
            "of_a_newer_kind",
            text(line, "\"type\":\"", "\"type\":\"new_"),
        ),
    ] {
        let edits = [erased(attestation(source)?), vec![edit]].concat();
        drafts.add("erased", source, what, edits);
    }
    // The chain is whole, and the attestation of the log as it was.
    for (what, edits) in [
        (
            "forged_time",
            vec![set(source.last_line(), "at", "2030-01-01T00:00:00.000Z")],
        ),
        (
            "forged_time_that_falls",
            vec![set(source.last_line(), "at", "2020-01-01T00:00:00.000Z")],
        ),
        (
            "forged_author",
            vec![set(source.last_line(), "origin", "fact")],
        ),
        (
            "forged_second_end",
            vec![
                Edit::Copy {
                    line: source.last_line(),
                    before: source.last_line() + 1,
                },
                Edit::Renumber {},
            ],
        ),
    ] {
        let all = [erased(attestation(source)?), edits, vec![Edit::Rechain {}]].concat();
        drafts.add("erased", source, what, all);
    }
    Ok(())
}
