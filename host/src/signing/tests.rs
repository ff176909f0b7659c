use super::*;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first test vector of RFC 8032, 7.1, with its public key, and the signature of
/// the empty message.
const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const SIGNED: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

/// What openssl writes before a private and before a public key.
const PKCS8: &str = "302e020100300506032b657004220420";
const SPKI: &str = "302a300506032b6570032100";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    let bytes = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap());
    bytes.collect()
}

fn pem(label: &str, parts: &[&str]) -> String {
    let text = STANDARD.encode(bytes(&parts.concat()));
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn key() -> SigningKey {
    SigningKey::from_pem(&pem("PRIVATE KEY", &[PKCS8, SECRET])).unwrap()
}

#[test]
fn keys_and_signatures_are_those_of_the_standard() {
    let key = key();
    let public = PublicKey::from_pem(&pem("PUBLIC KEY", &[SPKI, PUBLIC])).unwrap();
    assert_eq!(
        (key.public_key(), public.to_string()),
        (public, PUBLIC.to_owned())
    );
    let signature = sign(&key, b"").unwrap();
    assert_eq!(signature.bytes.to_vec(), bytes(SIGNED));
    assert!(signature.holds(b"") && !signature.holds(b"\0"));
    // `openssl pkey -pubin -in PUBLICKEY.pem -outform DER | sha256sum`
    assert_eq!(
        public.fingerprint(),
        "sha256:06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"
    );
    let shown = format!("{key:?}");
    assert!(shown.contains("SigningKey(PublicKey([215, 90"), "{shown}");
}

#[test]
fn a_new_key_is_another_each_time_and_comes_back_from_its_files() {
    let [one, other] = [(); 2].map(|()| SigningKey::generate_pem().unwrap());
    assert_ne!(one, other);
    let (one, other) = (
        SigningKey::from_pem(&one).unwrap(),
        SigningKey::from_pem(&other).unwrap(),
    );
    assert_ne!(one.public_key(), other.public_key());
    let public = one.public_key();
    assert_eq!(PublicKey::from_pem(&public.to_pem()), Ok(public));
    assert!(sign(&one, b"a message").unwrap().holds(b"a message"));
    // The files are those of openssl, to the letter.
    let openssl = [
        pem("PRIVATE KEY", &[PKCS8, SECRET]),
        pem("PUBLIC KEY", &[SPKI, PUBLIC]),
    ];
    assert_eq!(
        pem::write(&bytes(&[PKCS8, SECRET].concat()), "PRIVATE KEY"),
        openssl[0]
    );
    assert_eq!(key().public_key().to_pem(), openssl[1]);
}

#[test]
fn a_changed_signature_does_not_hold() {
    let signature = sign(&key(), b"a message").unwrap();
    for place in 0..64 {
        let mut changed = signature;
        changed.bytes[place] ^= 1;
        assert!(!changed.holds(b"a message"), "byte {place}");
    }
    for place in 0..32 {
        let mut changed = signature;
        changed.key.0[place] ^= 1;
        assert!(!changed.holds(b"a message"), "byte {place} of the key");
    }
}

/// Line breaks of other systems, text around the block and long lines are no matter.
#[test]
fn a_pem_file_may_have_what_the_standard_lets_it_have() {
    let plain = pem("PRIVATE KEY", &[PKCS8, SECRET]);
    let (head, tail) = plain.split_at(40);
    for text in [
        plain.replace('\n', "\r\n"),
        format!("my key\nof 2026\n{plain}\nand no more"),
        format!("{head}\n{tail}"),
        plain.trim_end().to_owned(),
    ] {
        let read = SigningKey::from_pem(&text).unwrap();
        assert_eq!(read.public_key(), key().public_key(), "{text}");
    }
}

#[test]
fn what_is_no_key_is_named_with_a_remedy() {
    // An X25519 key: the same but for one byte of the identifier.
    let other = |template: &str| template.replace("2b6570", "2b656e");
    let generate = Some("openssl genpkey -algorithm ed25519");
    let publish = Some("openssl pkey -in KEYFILE -pubout");
    let private = pem("PRIVATE KEY", &[PKCS8, SECRET]);
    let public = pem("PUBLIC KEY", &[SPKI, PUBLIC]);
    let cut = |text: &str| text[..text.len() - 20].to_owned();
    for (text, said, remedy) in [
        (
            String::new(),
            "no key in PEM form: no line says `-----BEGIN PRIVATE KEY-----`",
            generate,
        ),
        (
            "ssh-ed25519 AAAA".to_owned(),
            "no key in PEM form",
            generate,
        ),
        (
            public,
            "labelled `PUBLIC KEY`, where `PRIVATE KEY` is needed",
            Some("the private key that belongs to it"),
        ),
        (
            pem("ENCRYPTED PRIVATE KEY", &[SECRET]),
            "labelled `ENCRYPTED PRIVATE KEY`",
            Some("decrypts it"),
        ),
        (
            pem("OPENSSH PRIVATE KEY", &[SECRET]),
            "labelled `OPENSSH PRIVATE KEY`",
            generate,
        ),
        (
            private.repeat(2),
            "it holds 2 PEM blocks",
            Some("a file of its own"),
        ),
        (
            cut(&private),
            "damaged: no line says `-----END PRIVATE KEY-----`",
            None,
        ),
        (
            private.replace("\nMC4", "\nM:4"),
            "damaged: it is no base64",
            None,
        ),
        (
            pem("PRIVATE KEY", &[&other(PKCS8), SECRET]),
            "not one of Ed25519",
            generate,
        ),
        (
            pem("PRIVATE KEY", &[PKCS8, &SECRET[2..]]),
            "no PKCS#8 of an Ed25519 key",
            None,
        ),
        (
            pem("PRIVATE KEY", &[PKCS8, SECRET, "00"]),
            "no PKCS#8 of an Ed25519 key",
            None,
        ),
    ] {
        let error = SigningKey::from_pem(&text).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        told(&error, remedy);
    }
    for (text, said, remedy) in [
        (
            String::new(),
            "no line says `-----BEGIN PUBLIC KEY-----`",
            publish,
        ),
        (
            private,
            "labelled `PRIVATE KEY`, where `PUBLIC KEY` is needed",
            publish,
        ),
        (
            pem("CERTIFICATE", &[PUBLIC]),
            "labelled `CERTIFICATE`",
            Some("openssl x509"),
        ),
        (
            pem("PUBLIC KEY", &[&other(SPKI), PUBLIC]),
            "not one of Ed25519",
            publish,
        ),
        (
            pem("PUBLIC KEY", &[SPKI, &PUBLIC[2..]]),
            "no SubjectPublicKeyInfo of an Ed25519 key",
            None,
        ),
        (
            pem("PUBLIC KEY", &[SPKI, PUBLIC, "00"]),
            "no SubjectPublicKeyInfo of an Ed25519 key",
            None,
        ),
    ] {
        let error = PublicKey::from_pem(&text).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        told(&error, remedy);
    }
}

fn told(error: &KeyError, remedy: Option<&str>) {
    match (error.remedy(), remedy) {
        (Some(found), Some(expected)) => assert!(found.contains(expected), "{error}: {found}"),
        (found, expected) => assert_eq!(found, expected, "{error}"),
    }
}

/// A signer that holds another key than it says.
struct Confused(SigningKey);

impl Signer for Confused {
    fn public_key(&self) -> PublicKey {
        PublicKey([3; 32])
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>> {
        self.0.sign(message)
    }
}

#[test]
fn a_signer_whose_signature_does_not_hold_is_refused() {
    let error = sign(&Confused(key()), b"a message").unwrap_err();
    assert!(
        matches!(&error, SignerError::Wrong { key } if *key == PublicKey([3; 32]).fingerprint()),
        "{error}"
    );
}
