//! The anchor in the documents is one, to the byte: what its page says can be programmed
//! in any language.

use std::fs;

use refrain::log::{Anchor, AnchorSignature};
use refrain::model::hex;
use refrain_tests::component::workspace;

#[test]
fn law4_the_anchor_in_the_documents_is_signed_as_they_say() {
    let page = fs::read_to_string(workspace().join("docs/operating.md")).expect("the page");
    let block = |kind: &str| {
        let (_, rest) = page.split_once(&format!("```{kind}\n")).expect("a block");
        rest.split_once("\n```").expect("its end").0
    };
    let line = block("anchor");
    let anchor = Anchor::from_json(line).expect("an anchor");
    assert_eq!(anchor.to_json(), line);
    let Some(AnchorSignature::Ed25519(signature)) = &anchor.signature else {
        panic!("it is not signed: {anchor:?}");
    };
    // The first key of RFC 8032, 7.1.
    assert_eq!(
        signature.key.to_string(),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    let bytes = anchor.signed_bytes(&signature.key);
    assert_eq!(hex(&bytes), block("signed-bytes"));
    assert!(anchor.is_signed_by(signature));
    assert!(page.contains("signature not checked"));
}
