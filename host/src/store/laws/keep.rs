//! Laws of what is kept next to the logs: workflows, components, snapshots.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::store::{CommitError, Turn, WorkflowRecord};

use super::Place;
use super::draft::{Draft, Owner, component, snapshot, turn, workflow};

pub fn a_workflow_is_immutable(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let register = |workflows: &[_]| Turn {
        workflows: workflows.to_vec(),
        ..Turn::default()
    };
    let first = workflow("1.0.0", "{ \"id\": \"claims\" }\n");
    owner
        .try_commit(&register(std::slice::from_ref(&first)))
        .unwrap();
    // The same again is no change.
    owner
        .try_commit(&register(&[first.clone(), first.clone()]))
        .unwrap();
    // The same name with another text is a conflict; a space is enough.
    for turn in [
        register(&[workflow("1.0.0", "{\"id\": \"claims\" }\n")]),
        register(&[workflow("3.0.0", "a"), workflow("3.0.0", "b")]),
    ] {
        let outcome = owner.try_commit(&turn);
        assert!(
            matches!(outcome, Err(CommitError::Conflict { .. })),
            "{outcome:?}"
        );
    }
    owner
        .try_commit(&register(&[workflow("2.0.0", "x")]))
        .unwrap();
    assert_eq!(
        owner.store.workflow("default", "claims", "1.0.0").unwrap(),
        Some(first)
    );
    assert_eq!(
        owner.store.workflow("default", "claims", "2.0.0").unwrap(),
        Some(workflow("2.0.0", "x"))
    );
    assert_eq!(
        owner.store.workflow("default", "claims", "3.0.0").unwrap(),
        None
    );
    assert_eq!(
        owner.store.workflow("default", "other", "1.0.0").unwrap(),
        None
    );
}

pub fn each_tenant_has_workflows_of_its_own(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let of = |tenant: &str, text| WorkflowRecord {
        tenant: tenant.to_owned(),
        ..workflow("1.0.0", text)
    };
    // In one turn, and in another one.
    for workflows in [vec![of("a", "1"), of("b", "2")], vec![of("c", "3")]] {
        owner.put(&Turn {
            workflows,
            ..Turn::default()
        });
    }
    for (tenant, text) in [("a", "1"), ("b", "2"), ("c", "3")] {
        let found = owner.store.workflow(tenant, "claims", "1.0.0").unwrap();
        assert_eq!(found, Some(of(tenant, text)));
    }
    let found = owner.store.workflow("default", "claims", "1.0.0").unwrap();
    assert_eq!(found, None);
}

pub fn a_component_is_kept(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let kept = component(b"\0asm");
    let turn = Turn {
        components: vec![kept.clone(), kept.clone()],
        ..Turn::default()
    };
    owner.try_commit(&turn).unwrap();
    owner.try_commit(&turn).unwrap();
    assert_eq!(
        owner.store.component(&kept.digest).unwrap(),
        Some(kept.bytes)
    );
    assert_eq!(
        owner.store.component(&component(b"other").digest).unwrap(),
        None
    );
}

pub fn a_digest_is_checked(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut kept = component(b"\0asm");
    kept.bytes.push(0);
    owner.contradicts(&Turn {
        components: vec![kept.clone()],
        ..Turn::default()
    });
    assert_eq!(owner.store.component(&kept.digest).unwrap(), None);
    let mut edited = workflow("1.0.0", "a");
    edited.text.push('b');
    owner.contradicts(&Turn {
        workflows: vec![edited],
        ..Turn::default()
    });
    assert_eq!(
        owner.store.workflow("default", "claims", "1.0.0").unwrap(),
        None
    );
}

pub fn a_snapshot_replaces_the_former(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let mut one = Draft::new(1);
    for state in [&b"first"[..], b"", b"\0\xffthird"] {
        let mut turn = turn([one.append([])]);
        turn.snapshots.push(snapshot(&one, state));
        owner.try_commit(&turn).unwrap();
        let (_, written) = snapshot(&one, state);
        assert_eq!(owner.store.snapshot(one.id()).unwrap(), Some(written));
    }
    let stray = Draft::new(2);
    let turn = Turn {
        snapshots: vec![snapshot(&stray, b"x")],
        ..Turn::default()
    };
    let outcome = owner.try_commit(&turn);
    assert!(
        matches!(outcome, Err(CommitError::Conflict { .. })),
        "{outcome:?}"
    );
    assert_eq!(owner.store.snapshot(stray.id()).unwrap(), None);
}
