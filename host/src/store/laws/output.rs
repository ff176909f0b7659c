//! Laws of what programs have written.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use std::sync::Arc;

use crate::limits::{OUTPUT_BYTES_MAX, OUTPUT_PIECE_BYTES_MAX, OUTPUT_PIECE_COST};
use crate::model::Status;
use crate::store::{
    CommitError, Erasure, KeptOutput, OutputChange, OutputPiece, OutputStream, Turn,
};

use super::Place;
use super::draft::{Draft, Owner, attestation, turn};

/// What an attempt of a node has written to stderr.
fn said(of: &Draft, node: &str, attempt: u32, pieces: &[(u64, &[u8])]) -> OutputChange {
    let piece = |(start, bytes): &(u64, &[u8])| OutputPiece {
        stream: OutputStream::Stderr,
        start: *start,
        bytes: bytes.to_vec(),
    };
    OutputChange {
        execution: of.id(),
        node_id: node.to_owned(),
        attempt,
        pieces: pieces.iter().map(piece).collect(),
    }
}

fn keeping(outputs: Vec<OutputChange>) -> Turn {
    Turn {
        outputs,
        ..Turn::default()
    }
}

fn texts(kept: &[KeptOutput]) -> Vec<(u32, u64, &[u8])> {
    let each = kept.iter();
    each.map(|it| (it.attempt, it.piece.start, &it.piece.bytes[..]))
        .collect()
}

pub fn output_comes_back_in_its_order(place: &dyn Place) {
    let (mut owner, mut other) = (Owner::new(place), place.open());
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    let mut begins = turn([one.append([]), two.append([])]);
    // With the events of its own turn, and in turns that hold nothing else.
    begins.outputs = vec![said(&one, "a", 1, &[(0, b"first\n"), (6, b"\xff\0")])];
    owner.put(&begins);
    owner.put(&keeping(vec![
        said(&one, "b", 1, &[(0, b"of b")]),
        said(&two, "a", 1, &[(0, b"of two")]),
    ]));
    let stdout = OutputPiece {
        stream: OutputStream::Stdout,
        start: 4,
        bytes: b"out".to_vec(),
    };
    let mut second = said(&one, "a", 2, &[]);
    second.pieces = Arc::from([stdout.clone()]);
    owner.put(&keeping(vec![second]));
    for store in [&mut owner.store, &mut other] {
        let kept = store.output(one.id(), "a", 0).unwrap();
        let expected: [(u32, u64, &[u8]); 3] =
            [(1, 0, b"first\n"), (1, 6, b"\xff\0"), (2, 4, b"out")];
        assert_eq!(texts(&kept), expected);
        assert_eq!(kept[2].piece, stdout);
        assert!(kept.is_sorted_by(|one, next| one.place < next.place));
        // Behind a place there is what came later.
        let behind = store.output(one.id(), "a", kept[1].place).unwrap();
        assert_eq!(behind, kept[2..]);
        assert_eq!(store.output(one.id(), "a", kept[2].place).unwrap(), []);
        let of_b = store.output(one.id(), "b", 0).unwrap();
        assert_eq!(texts(&of_b), [(1, 0, &b"of b"[..])]);
        assert_eq!(store.output(one.id(), "c", 0).unwrap(), []);
        assert_eq!(store.output(Draft::new(3).id(), "a", 0).unwrap(), []);
    }
    // It is no part of the log.
    assert_eq!(owner.store.events(one.id(), 1, 9).unwrap().len(), 1);
}

pub fn output_is_bounded_and_the_oldest_goes(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    owner.commit([one.append([]), two.append([])]);
    owner.put(&keeping(vec![said(&two, "a", 1, &[(0, b"of two")])]));
    let piece = vec![b'x'; OUTPUT_PIECE_BYTES_MAX];
    let cost = piece.len() + OUTPUT_PIECE_COST;
    let written = 2 * OUTPUT_BYTES_MAX / cost;
    for n in 0..written {
        let start = (n * piece.len()) as u64;
        owner.put(&keeping(vec![said(&one, "a", 1, &[(start, &piece)])]));
    }
    let kept = owner.store.output(one.id(), "a", 0).unwrap();
    assert_eq!(kept.len(), OUTPUT_BYTES_MAX / cost);
    let first = (written - kept.len()) * piece.len();
    assert_eq!(kept[0].piece.start, first as u64);
    // One turn may bring more than is kept.
    let short: Vec<(u64, &[u8])> = (0..20_000).map(|n| (n, &b"y"[..])).collect();
    owner.put(&keeping(vec![said(&one, "b", 1, &short)]));
    assert_eq!(owner.store.output(one.id(), "a", 0).unwrap(), []);
    let kept = owner.store.output(one.id(), "b", 0).unwrap();
    assert_eq!(kept.len(), OUTPUT_BYTES_MAX / (OUTPUT_PIECE_COST + 1));
    assert_eq!(kept.last().unwrap().piece.start, 19_999);
    // That of others stays.
    assert_eq!(owner.store.output(two.id(), "a", 0).unwrap().len(), 1);
    let long = vec![b'x'; OUTPUT_PIECE_BYTES_MAX + 1];
    owner.contradicts(&keeping(vec![said(&one, "a", 1, &[(0, &long)])]));
}

pub fn output_is_erased_with_its_execution(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let (mut one, mut two) = (Draft::new(1), Draft::new(2));
    owner.commit([one.append([]), two.append([])]);
    let both = vec![
        said(&one, "a", 1, &[(0, b"of one")]),
        said(&two, "a", 1, &[(0, b"of two")]),
    ];
    owner.put(&keeping(both));
    owner.commit([one.append_as(|record| record.status = Status::Failed)]);
    let erasing = Turn {
        erasures: vec![Erasure {
            execution: one.id(),
            attestation: attestation(&one),
        }],
        ..Turn::default()
    };
    let mut kept_besides = erasing.clone();
    kept_besides.outputs = vec![said(&one, "a", 1, &[(6, b"more")])];
    owner.contradicts(&kept_besides);
    owner.put(&erasing);
    owner.store.purge().unwrap();
    assert_eq!(owner.store.output(one.id(), "a", 0).unwrap(), []);
    assert_eq!(owner.store.output(two.id(), "a", 0).unwrap().len(), 1);
    // Nothing is kept of it any more, nor of one that is not there.
    for none in [one, Draft::new(9)] {
        let outcome = owner.try_commit(&keeping(vec![said(&none, "a", 1, &[(0, b"late")])]));
        assert!(
            matches!(&outcome, Err(CommitError::Conflict { executions, .. }) if *executions == [none.id()]),
            "{outcome:?}"
        );
        assert_eq!(owner.store.output(none.id(), "a", 0).unwrap(), []);
    }
}
