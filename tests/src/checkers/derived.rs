//! Law 2: every decision is what the log's guest decides, and none is missing.
//!
//! Here the product's own means are used, the audit; it has tests of its own.

use refrain::guest::Library;
use refrain::log::export::{ExportWriter, Header};
use refrain::replay::{Audit, Auditor, Verdict, fetch_guest};

use super::guest_for_life::guests;
use super::{Account, Evidence, Law, Violation};

/// Each log by itself, as its export is audited with no store at hand: its
/// guest comes to each of its decisions, and to no other.
///
/// # Errors
/// The first decision that is not the guest's.
pub fn law2_derived(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let broken = |message| Violation::of(Law::Derived, account.record.id, message);
        for (_, guest) in guests(account) {
            fetch_guest(evidence.library, evidence.store, &guest)
                .map_err(|error| broken(error.to_string()))?;
        }
        let audit = audit_export(evidence.library, account).map_err(broken)?;
        // Of an erased log, what is known of it from before.
        judge(Law::Derived, account, audit, Verdict::Clean)?;
    }
    Ok(())
}

/// The whole audit, against what the store says besides the log.
///
/// # Errors
/// The first execution that it finds anything wrong with.
pub fn audit_is_clean(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let id = account.record.id;
        let broken = |message: String| Violation::of(Law::Audit, id, message);
        let audit = Auditor::new(evidence.library).audit_stored(evidence.store, id);
        let audit = audit.map_err(|error| broken(error.to_string()))?;
        let audit = audit.ok_or_else(|| broken("the store does not know it".to_owned()))?;
        let expected = match account.record.erased {
            None => Verdict::Clean,
            Some(_) => Verdict::Erased,
        };
        judge(Law::Audit, account, audit, expected)?;
    }
    Ok(())
}

fn judge(law: Law, account: &Account, audit: Audit, expected: Verdict) -> Result<(), Violation> {
    match audit.divergence {
        None if audit.verdict == expected => Ok(()),
        Some(divergence) => {
            let message = format!("{:?}: {divergence}", audit.verdict);
            Err(Violation::at(
                law,
                account.record.id,
                divergence.sequence,
                message,
            ))
        }
        None => Err(Violation::of(
            law,
            account.record.id,
            format!("{:?}", audit.verdict),
        )),
    }
}

fn audit_export(library: &mut Library, account: &Account) -> Result<Audit, String> {
    let (_, guest) = guests(account).next().ok_or("event 1 names no guest")?;
    let workflow = account
        .workflow
        .as_ref()
        .ok_or("its workflow is not in the store")?;
    let header = Header {
        execution_id: account.record.id.to_string(),
        workflow: workflow.text.clone(),
        guest_digest: guest,
        head: account.record.head,
        owed_a_step: account.record.is_owed_a_step(),
        erased: None,
        components: Vec::new(),
    };
    let export = || {
        let mut export = ExportWriter::new(Vec::new(), &header)?;
        for stored in &account.events {
            export.event(stored)?;
        }
        export.finish()
    };
    let export = export().map_err(|error| error.to_string())?;
    let audit = Auditor::new(library).audit_export(&export[..], "the export");
    audit.map_err(|error| error.to_string())
}
