//! Who vouches for an attestation, and what is done to a signed one.

use std::error::Error;

use refrain::ExecutionId;
use refrain::erase::{EraseError, Erased};
use refrain::replay::{Audit, Auditor, SignatureCheck, Verdict};
use refrain::signing::{PublicKey, Signer, SignerError, SigningKey};
use refrain_tests::engines::Place;
use refrain_tests::key_files::KeyFiles;
use rusqlite::Connection;

use super::{KEY, ended, ended_with, erase_signed, export, library};

/// A key that was made just now.
fn key() -> SigningKey {
    SigningKey::from_pem(&KeyFiles::generate().private).expect("it is a key")
}

/// What an audit of this export says, if it trusts these keys.
fn audit_export(export: &str, trusted: &[PublicKey]) -> Audit {
    let mut library = library();
    let mut auditor = Auditor::new(&mut library).with_trusted(trusted.iter().copied());
    let audited = auditor.audit_export(export.as_bytes(), "the export");
    audited.expect("it can be audited")
}

/// The same of what is stored.
fn audit_stored(place: &Place, id: ExecutionId, trusted: &[PublicKey]) -> Audit {
    let mut library = library();
    let mut auditor = Auditor::new(&mut library).with_trusted(trusted.iter().copied());
    let audited = auditor.audit_stored(place.store().as_mut(), id);
    audited.expect("it can be audited").expect("it is there")
}

#[tokio::test]
async fn an_erased_log_says_who_vouches_for_it() {
    let (ours, theirs) = (key(), key());
    let trusted = |key: &SigningKey| {
        let key = key.public_key().fingerprint();
        Some(SignatureCheck::Trusted { key })
    };
    let untrusted = |key: &SigningKey| {
        let key = key.public_key().fingerprint();
        Some(SignatureCheck::Untrusted { key })
    };
    let none: &[&SigningKey] = &[];
    for signer in [None, Some(&ours), Some(&theirs)] {
        for place in Place::each() {
            let id = ended(&place).await;
            let whole = audit_stored(&place, id, &[ours.public_key()]);
            assert_eq!((whole.verdict, whole.signature), (Verdict::Clean, None));
            let by = signer.map(|key| key as &dyn Signer);
            erase_signed(place.store().as_mut(), id, by).expect("it has ended");
            let export = export(place.store().as_mut(), id);
            for trust in [none, &[&ours], &[&theirs], &[&ours, &theirs]] {
                let keys: Vec<PublicKey> = trust.iter().map(|key| key.public_key()).collect();
                let expected = match signer {
                    None => Some(SignatureCheck::Unsigned),
                    Some(key) if keys.contains(&key.public_key()) => trusted(key),
                    Some(key) => untrusted(key),
                };
                for audited in [
                    audit_stored(&place, id, &keys),
                    audit_export(&export, &keys),
                ] {
                    let found = (audited.verdict, audited.signature);
                    assert_eq!(found, (Verdict::Erased, expected.clone()));
                }
            }
        }
    }
}

/// An erased execution that was started with this key and is signed for, and its export.
async fn signed(key: &SigningKey, start: &str) -> (Place, ExecutionId, String) {
    let place = Place::file();
    let id = ended_with(&place, start).await;
    erase_signed(place.store().as_mut(), id, Some(key)).expect("it has ended");
    let export = export(place.store().as_mut(), id);
    (place, id, export)
}

/// The attestation of an export, as its header has it.
fn attestation(export: &str) -> &str {
    let header = export.lines().next().expect("a header");
    let begin = header.find("\"erased\":").expect("an attestation") + "\"erased\":".len();
    header[begin..].strip_suffix('}').expect("its end")
}

#[tokio::test]
async fn whatever_is_changed_under_a_signature_is_found() {
    let key = key();
    let trusted = [key.public_key()];
    let (place, id, export) = signed(&key, KEY).await;
    let attested = attestation(&export);
    let (_, _, of_another) = signed(&key, "another").await;
    let last = export.lines().count() - 1;
    let digit = |name: &str| {
        let at = attested
            .find(&format!("\"{name}\":\""))
            .expect("it is there")
            + name.len()
            + 4;
        let mut edited = attested.to_owned();
        let digit = if attested[at..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        edited.replace_range(at..=at, digit);
        edited
    };
    let replaced = |from: &str, to: &str| {
        assert!(attested.contains(from), "{attested}");
        attested.replacen(from, to, 1)
    };
    let bad = "is not what the key sha256:";
    let other_log = "the attestation is of another log";
    for (what, edited, said) in [
        ("the time", replaced("\"at\":\"2027", "\"at\":\"2026"), bad),
        ("the verdict", replaced("clean", "divergent"), bad),
        ("the guest", digit("guest_digest"), bad),
        (
            "the number of events",
            replaced(
                &format!("\"events\":{last}"),
                &format!("\"events\":{}", last - 1),
            ),
            other_log,
        ),
        ("the head", digit("head"), other_log),
        ("who it was", replaced("the tests", "the boss"), bad),
        ("the key", digit("key"), bad),
        ("the signature", digit("bytes"), bad),
        (
            "another execution's attestation",
            attestation(&of_another).to_owned(),
            other_log,
        ),
        (
            "another execution's signature",
            with_signature_of(attested, attestation(&of_another)),
            bad,
        ),
    ] {
        let in_export = audit_export(&export.replacen(attested, &edited, 1), &trusted);
        let Place::File(folder) = &place else {
            panic!("it is a file");
        };
        let db = Connection::open(folder.path().join("refrain.db")).expect("a database");
        let set = |text: &str| {
            let rows = db.execute("UPDATE executions SET erased = ?", [text]);
            assert_eq!(rows.expect("it is edited"), 1);
        };
        set(&edited);
        let in_store = audit_stored(&place, id, &trusted);
        set(attested);
        for (audited, place) in [
            (in_export, "in the header, line 1"),
            (in_store, "in the execution's record"),
        ] {
            let found = audited.divergence.as_ref();
            let found = found.unwrap_or_else(|| panic!("{what}: {audited:?}"));
            assert_eq!(audited.verdict, Verdict::Tampered, "{what}: {found:?}");
            assert!(found.message.contains(said), "{what}: {}", found.message);
            if said == bad {
                assert!(found.message.contains(place), "{what}: {}", found.message);
                assert_eq!(found.sequence, 0, "{what}");
            }
            let is_bad = matches!(audited.signature, Some(SignatureCheck::Bad { .. }));
            assert!(is_bad, "{what}: {:?}", audited.signature);
        }
    }
    let as_it_was = audit_stored(&place, id, &trusted);
    assert_eq!(as_it_was.verdict, Verdict::Erased);
}

/// Where an execution is started with the same key in another database, its id is the same
/// there. What was signed of it there holds, and is of another log.
#[tokio::test]
async fn what_was_signed_of_an_execution_of_the_same_key_elsewhere_is_of_another_log() {
    let key = key();
    let (_, id, export) = signed(&key, KEY).await;
    let (_, same, elsewhere) = signed(&key, KEY).await;
    assert_eq!(id, same);
    let moved = export.replacen(attestation(&export), attestation(&elsewhere), 1);
    let audited = audit_export(&moved, &[key.public_key()]);
    assert_eq!(audited.verdict, Verdict::Tampered);
    let message = audited.divergence.expect("it is of another log").message;
    assert!(message.contains("of another log"), "{message}");
}

/// This attestation with the signature of another one.
fn with_signature_of(attestation: &str, other: &str) -> String {
    let split = |text: &str| text.find(",\"signature\":").expect("it is signed");
    let (begin, end) = (split(attestation), split(other));
    format!("{}{}", &attestation[..begin], &other[end..])
}

/// Without its signature an attestation proves nothing, and with a new one it names another
/// key.
#[tokio::test]
async fn a_signature_that_was_taken_away_or_replaced_is_not_trusted() {
    let (ours, theirs) = (key(), key());
    let (place, id, export) = signed(&ours, KEY).await;
    let attested = attestation(&export);
    let begin = attested.find(",\"signature\":").expect("it is signed");
    let stripped = format!("{}}}", &attested[..begin]);
    let forged = refrain::log::Attestation::from_json(&stripped).expect("an attestation");
    let forged = forged.sign(id, &theirs).expect("it signs").to_json();
    drop(place);
    for (edited, expected) in [
        (stripped, SignatureCheck::Unsigned),
        (
            forged,
            SignatureCheck::Untrusted {
                key: theirs.public_key().fingerprint(),
            },
        ),
    ] {
        let audited = audit_export(&export.replacen(attested, &edited, 1), &[ours.public_key()]);
        let found = (audited.verdict, audited.signature);
        assert_eq!(found, (Verdict::Erased, Some(expected)));
    }
}

/// A device that is not there, and one that holds another key than it says.
struct Device {
    key: SigningKey,
    is_there: bool,
}

impl Signer for Device {
    fn public_key(&self) -> PublicKey {
        PublicKey([3; 32])
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn Error + Send + Sync>> {
        match self.is_there {
            true => self.key.sign(message),
            false => Err("nobody has plugged it in".into()),
        }
    }
}

#[tokio::test]
async fn nothing_is_erased_if_it_cannot_be_signed() {
    for place in Place::each() {
        let id = ended(&place).await;
        let before = export(place.store().as_mut(), id);
        for is_there in [false, true] {
            let device = Device {
                key: key(),
                is_there,
            };
            let refused = erase_signed(place.store().as_mut(), id, Some(&device));
            match refused.expect_err("it cannot sign") {
                EraseError::Unsigned {
                    execution,
                    source: SignerError::Failed(_),
                } if !is_there => assert_eq!(execution, id),
                EraseError::Unsigned {
                    execution,
                    source: SignerError::Wrong { .. },
                } if is_there => assert_eq!(execution, id),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(export(place.store().as_mut(), id), before);
    }
}

/// Nobody can audit it any more, so nobody can vouch for it.
#[tokio::test]
async fn what_was_erased_unsigned_stays_unsigned() {
    for place in Place::each() {
        let id = ended(&place).await;
        let mut store = place.store();
        erase_signed(store.as_mut(), id, None).expect("it has ended");
        let again = erase_signed(store.as_mut(), id, Some(&key())).expect("it has ended");
        let Erased::Before(attestation) = again else {
            panic!("{again:?}");
        };
        assert_eq!(attestation.signature, None);
        let audited = audit_stored(&place, id, &[]);
        assert_eq!(audited.signature, Some(SignatureCheck::Unsigned));
    }
}
