use std::error::Error;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::signing::PublicKey;

fn attestation(verdict: AttestedVerdict) -> Attestation {
    Attestation {
        at: 1_767_225_600_000,
        verdict,
        guest_digest: Digest([1; 32]),
        head: Head {
            sequence: 7,
            hash: [2; 32],
        },
        by: "ada \"the\" countess".to_owned(),
        signature: None,
    }
}

fn execution(n: u8) -> ExecutionId {
    format!("exec_{}", format!("{n:02x}").repeat(16))
        .parse()
        .unwrap()
}

/// A key of these bytes.
struct Key([u8; 32]);

impl Key {
    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.0).unwrap()
    }
}

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.pair().public_key().as_ref().try_into().unwrap())
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn Error + Send + Sync>> {
        Ok(self.pair().sign(message).as_ref().try_into()?)
    }
}

#[test]
fn it_comes_back_and_anything_else_is_named() {
    for (verdict, word) in VERDICTS.into_iter().zip(WORDS) {
        let unsigned = attestation(verdict);
        let signed = unsigned.clone().sign(execution(1), &Key([9; 32])).unwrap();
        for attestation in [unsigned, signed] {
            let text = attestation.to_json();
            assert!(text.contains(&format!(r#""verdict":"{word}","#)), "{text}");
            assert_eq!(Attestation::from_json(&text), Ok(attestation));
            refused(
                &text,
                &[
                    (
                        *word,
                        "splendid",
                        "field `verdict`: splendid should be one of clean",
                    ),
                    (r#""by""#, r#""from""#, "field `by`: it is missing"),
                    (
                        r#""by""#,
                        r#""note":1,"by""#,
                        "field `note`: there is no such field",
                    ),
                ],
            );
        }
    }
}

fn refused(text: &str, edits: &[(&str, &str, &str)]) {
    for (from, to, named) in edits {
        assert!(text.contains(from), "{text}");
        let error = Attestation::from_json(&text.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().starts_with(named), "{error}");
    }
}

#[test]
fn a_signature_that_is_none_is_named() {
    let signed = attestation(AttestedVerdict::Clean).sign(execution(1), &Key([9; 32]));
    refused(
        &signed.unwrap().to_json(),
        &[
            (
                "ed25519",
                "rsa",
                "field `signature.algorithm`: rsa should be one of ed25519",
            ),
            (r#""key":""#, r#""key":"0"#, "field `signature.key`: "),
            (
                r#""bytes":""#,
                r#""bytes":"0"#,
                "field `signature.bytes`: it should be 128",
            ),
            (
                r#""algorithm""#,
                r#""note":1,"algorithm""#,
                "field `signature.note`: there is no such field",
            ),
            (
                r#""algorithm":"ed25519","#,
                "",
                "field `signature.algorithm`: it is missing",
            ),
        ],
    );
}

/// The bytes as a program in another language would put them together.
#[test]
fn what_is_signed_is_what_the_document_says() {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let expected = [
        text("refrain-attestation/1"),
        text(FORMAT),
        text("exec_01010101010101010101010101010101"),
        1_767_225_600_000_u64.to_le_bytes().to_vec(),
        text("divergent"),
        vec![1; 32],
        7_u64.to_le_bytes().to_vec(),
        vec![2; 32],
        text("ada \"the\" countess"),
    ];
    let attestation = attestation(AttestedVerdict::Divergent);
    assert_eq!(attestation.signed_bytes(execution(1)), expected.concat());
}

#[test]
fn a_signature_holds_for_all_that_was_attested_and_for_one_execution() {
    let key = Key([9; 32]);
    let unsigned = attestation(AttestedVerdict::Clean);
    assert!(!unsigned.is_signed_for(execution(1)));
    let signed = unsigned.sign(execution(1), &key).unwrap();
    assert!(signed.is_signed_for(execution(1)));
    assert!(!signed.is_signed_for(execution(2)));
    let other = Key([8; 32]).public_key();
    type Edit = (&'static str, Box<dyn Fn(&mut Attestation)>);
    let edits: [Edit; 8] = [
        ("at", Box::new(|it| it.at += 1)),
        (
            "verdict",
            Box::new(|it| it.verdict = AttestedVerdict::Illegal),
        ),
        ("guest", Box::new(|it| it.guest_digest.0[31] ^= 1)),
        ("events", Box::new(|it| it.head.sequence += 1)),
        ("head", Box::new(|it| it.head.hash[0] ^= 1)),
        ("by", Box::new(|it| it.by.push('s'))),
        (
            "key",
            Box::new(move |it| it.signature.as_mut().unwrap().key = other),
        ),
        (
            "bytes",
            Box::new(|it| it.signature.as_mut().unwrap().bytes[63] ^= 1),
        ),
    ];
    for (what, edit) in edits {
        let mut edited = signed.clone();
        edit(&mut edited);
        assert!(!edited.is_signed_for(execution(1)), "{what}");
    }
}
