//! Executions are listed.
#![expect(missing_docs, reason = "a law's name says what it demands")]

use crate::model::{Label, Status};
use crate::store::{
    ChildChange, ChildRecord, ChildState, ExecutionRecord, LabelFilter, ListFilter, Many, Turn,
};

use super::Place;
use super::draft::{Draft, Owner};

pub fn executions_are_listed_by_their_start(place: &dyn Place) {
    let mut owner = Owner::new(place);
    for (n, started_at, status) in [
        (1, 30, Status::Running),
        (2, 10, Status::Failed),
        (3, 20, Status::Running),
        (4, 20, Status::Failed),
    ] {
        let draft =
            Draft::new(n).with(|record| (record.started_at, record.status) = (started_at, status));
        owner.commit([draft.clone().append([])]);
    }
    let mut list = |status, after: Option<(u64, u8)>, max| -> Vec<u8> {
        let after = after.map(|(at, n)| (at, Draft::new(n).id()));
        let records = owner
            .store
            .list(&ListFilter {
                status,
                after,
                max,
                ..ListFilter::default()
            })
            .and_then(Many::all)
            .unwrap();
        records
            .iter()
            .map(|record| record.id.as_bytes()[15])
            .collect()
    };
    assert_eq!(list(None, None, 10), [2, 3, 4, 1]);
    assert_eq!(list(None, None, 3), [2, 3, 4]);
    assert_eq!(list(None, Some((20, 3)), 10), [4, 1]);
    assert_eq!(list(Some(Status::Failed), None, 10), [2, 4]);
    assert_eq!(list(Some(Status::Failed), Some((10, 2)), 10), [4]);
    assert_eq!(list(Some(Status::Paused), None, 10), [0; 0]);
    let all = owner.store.list(&ListFilter::default());
    assert_eq!(all.and_then(Many::all).unwrap().len(), 4);
}

pub fn the_last_that_came_is_known(place: &dyn Place) {
    let mut owner = Owner::new(place);
    assert_eq!(owner.store.last_begun().unwrap(), None);
    // Its start may be of a former time: that of a fork is.
    for (n, started_at) in [(7, 30), (9, 30), (3, 10)] {
        let draft = Draft::new(n).with(|record| record.started_at = started_at);
        let mut draft = draft.clone();
        owner.commit([draft.append([])]);
        assert_eq!(owner.store.last_begun().unwrap(), Some(draft.id()));
    }
}

pub fn children_are_not_roots(place: &dyn Place) {
    let mut owner = Owner::new(place);
    let [root, child] = [(1, 10), (2, 20)]
        .map(|(n, started_at)| Draft::new(n).with(|record| record.started_at = started_at));
    for draft in [&root, &child] {
        owner.commit([draft.clone().append([])]);
    }
    let kept = ChildChange::Keep(ChildRecord {
        child: child.id(),
        parent: root.id(),
        root: root.id(),
        node_id: "s".to_owned(),
        attempt: 1,
        iteration: 0,
        sequence: 2,
        state: ChildState::Awaited,
    });
    let turn = Turn {
        children: vec![kept],
        ..Turn::default()
    };
    owner.try_commit(&turn).unwrap();
    assert_eq!(owner.store.last_begun().unwrap(), Some(root.id()));
    for (roots, ids) in [
        (false, vec![child.id(), root.id()]),
        (true, vec![root.id()]),
    ] {
        let filter = ListFilter {
            roots,
            newest_first: true,
            ..ListFilter::default()
        };
        let listed = owner.store.list(&filter).and_then(Many::all).unwrap();
        let listed: Vec<_> = listed.iter().map(|record| record.id).collect();
        assert_eq!(listed, ids, "roots alone: {roots}");
    }
}

pub fn executions_are_found_by_what_is_known_of_them(place: &dyn Place) {
    let mut owner = Owner::new(place);
    for (n, started_at, workflow) in [(1, 30, "a"), (2, 10, "b"), (3, 20, "a"), (16, 20, "b")] {
        let draft = Draft::new(n).with(|record| {
            record.started_at = started_at;
            record.workflow_id = workflow.to_owned();
        });
        owner.commit([draft.clone().append([])]);
    }
    let mut list = |filter: ListFilter| -> Vec<u8> {
        let records = owner.store.list(&filter).and_then(Many::all).unwrap();
        let last_byte = |record: &ExecutionRecord| record.id.as_bytes()[15];
        records.iter().map(last_byte).collect()
    };
    let all = || ListFilter::default();
    let newest_first = || ListFilter {
        newest_first: true,
        ..all()
    };
    let of_a = Some("a".to_owned());
    let id = |n| Draft::new(n).id();
    assert_eq!(list(newest_first()), [1, 16, 3, 2]);
    assert_eq!(
        list(ListFilter {
            max: 2,
            ..newest_first()
        }),
        [1, 16]
    );
    let after = Some((20, id(16)));
    assert_eq!(
        list(ListFilter {
            after,
            ..newest_first()
        }),
        [3, 2]
    );
    assert_eq!(
        list(ListFilter {
            since: Some(20),
            ..all()
        }),
        [3, 16, 1]
    );
    assert_eq!(
        list(ListFilter {
            since: Some(21),
            ..newest_first()
        }),
        [1]
    );
    assert_eq!(
        list(ListFilter {
            since: Some(u64::MAX),
            ..all()
        }),
        [0; 0]
    );
    assert_eq!(
        list(ListFilter {
            workflow_id: of_a.clone(),
            ..all()
        }),
        [3, 1]
    );
    let ids = Some((id(2), id(15)));
    assert_eq!(list(ListFilter { ids, ..all() }), [2, 3]);
    assert_eq!(
        list(ListFilter {
            ids,
            ..newest_first()
        }),
        [3, 2]
    );
    let none = Some((id(4), id(15)));
    assert_eq!(list(ListFilter { ids: none, ..all() }), [0; 0]);
    let both = ListFilter {
        ids,
        workflow_id: of_a,
        ..all()
    };
    assert_eq!(list(both), [3]);
}

pub fn executions_are_found_by_their_labels(place: &dyn Place) {
    let mut owner = Owner::new(place);
    type Labels<'a> = &'a [(&'a str, &'a str)];
    let drafts: [(u8, &str, Labels<'_>); 4] = [
        (1, "default", &[("team", "b"), ("region", "eu")]),
        (2, "default", &[("team", "a")]),
        (3, "other", &[("team", "a"), ("region", "")]),
        (4, "default", &[]),
    ];
    for (n, tenant, labels) in drafts {
        let draft = Draft::new(n).with(|record| record.tenant = tenant.to_owned());
        let mut draft = draft.labelled(labels);
        owner.commit([draft.append([])]);
        // What comes later leaves them.
        owner.commit([draft.append([])]);
    }
    let mut labels = |n| {
        let labels = owner.store.labels(Draft::new(n).id()).unwrap();
        let pair = |label: Label| (label.name, label.value);
        labels.into_iter().map(pair).collect::<Vec<_>>()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(labels(1), [pair("region", "eu"), pair("team", "b")]);
    assert_eq!(labels(3), [pair("region", ""), pair("team", "a")]);
    assert_eq!((labels(4), labels(9)), (Vec::new(), Vec::new()));
    let mut list = |labels: &[(&str, Option<&str>)], more: ListFilter| -> Vec<u8> {
        let label = |(name, value): &(&str, Option<&str>)| LabelFilter {
            name: (*name).to_owned(),
            value: value.map(str::to_owned),
        };
        let labels = labels.iter().map(label).collect();
        let records = owner.store.list(&ListFilter { labels, ..more });
        let records = records.and_then(Many::all).unwrap();
        let last_byte = |record: &ExecutionRecord| record.id.as_bytes()[15];
        records.iter().map(last_byte).collect()
    };
    let all = ListFilter::default;
    assert_eq!(list(&[], all()), [1, 2, 3, 4]);
    assert_eq!(list(&[("team", None)], all()), [1, 2, 3]);
    assert_eq!(list(&[("team", Some("a"))], all()), [2, 3]);
    assert_eq!(list(&[("region", Some(""))], all()), [3]);
    assert_eq!(list(&[("region", None), ("team", Some("b"))], all()), [1]);
    assert_eq!(
        list(&[("team", Some("a")), ("team", Some("b"))], all()),
        [0; 0]
    );
    assert_eq!(list(&[("teams", None)], all()), [0; 0]);
    let newest = ListFilter {
        newest_first: true,
        max: 2,
        ..all()
    };
    assert_eq!(list(&[("team", None)], newest), [3, 2]);
    let ids = Some((Draft::new(2).id(), Draft::new(9).id()));
    let among = ListFilter { ids, ..all() };
    assert_eq!(list(&[("region", None)], among), [3]);
    let failed = ListFilter {
        status: Some(Status::Failed),
        ..all()
    };
    assert_eq!(list(&[("team", None)], failed), [0; 0]);
}
