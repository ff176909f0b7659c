//! What callers hear of an erased execution, and what stands in the files.

use refrain::erase::{EraseError, Erased, Eraser, erase};
use refrain::log::AttestedVerdict;
use refrain::replay::Verdict;
use refrain::store::StoreError;
use refrain::{Engine, EngineError, ExecutionId, Start, Workflow};
use refrain_tests::engines::{Place, engine};
use serde_json::json;

use super::{
    KEY, SECRET, audit, begin, begin_with, end, ended, erase_one, export, files_with, library, work,
};

#[tokio::test]
async fn law4_an_erased_log_verifies_and_says_nothing() {
    for place in Place::each() {
        let id = ended(&place).await;
        let mut store = place.store();
        let before = store.execution(id).expect("a store").expect("it is there");
        assert!(export(store.as_mut(), id).contains(SECRET));
        let erased = erase_one(store.as_mut(), id).expect("it has ended");
        let Erased::Now(attestation) = erased else {
            panic!("{erased:?}");
        };
        assert_eq!(
            (
                attestation.head,
                attestation.verdict,
                attestation.by.as_str()
            ),
            (before.head, AttestedVerdict::Clean, "the tests")
        );
        let audited = audit(store.as_mut(), id);
        assert_eq!(
            (audited.verdict, audited.events, audited.decisions),
            (Verdict::Erased, before.head.sequence, 0),
            "{audited:?}"
        );
        assert_eq!(audited.erased, Some(attestation.clone()));
        let export = export(store.as_mut(), id);
        assert!(
            !export.contains(SECRET) && !export.contains("\"salt\""),
            "{export}"
        );
        let record = store.execution(id).expect("a store").expect("it is there");
        assert_eq!((record.head, record.key), (before.head, None));
        // Once more is no harm.
        let again = erase_one(store.as_mut(), id).expect("it has ended");
        assert_eq!(again, Erased::Before(attestation));
    }
}

/// An engine lives in the same file meanwhile, and a second execution in it.
#[tokio::test]
async fn law4_no_file_holds_what_was_erased_while_an_engine_goes_on() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        panic!("it is a file");
    };
    let engine = engine(&place).await;
    work(&engine);
    let execution = begin(&engine).await;
    end(&execution).await;
    assert!(!files_with(folder.path(), SECRET).is_empty());
    let mut store = place.store();
    erase_one(store.as_mut(), execution.id()).expect("it has ended");
    let none: Vec<String> = Vec::new();
    assert_eq!(files_with(folder.path(), SECRET), none);
    // Another one starts, and goes on to its end.
    let again = begin_with(&engine, "another key").await;
    assert_ne!(again.id(), execution.id());
    end(&again).await;
    assert_eq!(audit(store.as_mut(), again.id()).verdict, Verdict::Clean);
    assert_eq!(
        audit(store.as_mut(), execution.id()).verdict,
        Verdict::Erased
    );
    engine.shutdown().await;
    assert!(!files_with(folder.path(), SECRET).is_empty());
}

/// Its id is made of the key, and stays: no second one can begin.
#[tokio::test]
async fn law8_a_key_starts_once_even_when_it_was_erased() {
    for place in Place::each() {
        let id = ended(&place).await;
        assert_eq!(id, ExecutionId::of_key("default", KEY));
        erase_one(place.store().as_mut(), id).expect("it has ended");
        let engine = engine(&place).await;
        let again = Start::new("claims", "1.0.0", json!({ "name": SECRET })).key(KEY);
        for start in [again.clone(), again.clone()] {
            let started = engine.start_with(start).await.map(|it| it.id());
            let error = started.expect_err("it is erased");
            assert!(
                matches!(&error, EngineError::KeyErased { execution, .. } if *execution == id),
                "{error}"
            );
            assert_eq!(error.code(), "key_erased");
        }
        let builder = Engine::builder().boxed_store(place.store());
        let other = builder.tenant("t").start().await.expect("it starts");
        let registered = engine
            .workflow("claims", "1.0.0")
            .await
            .expect("a workflow");
        let workflow = Workflow::from_json(registered.text).expect("it is JSON");
        other.register(workflow).await.expect("it is valid");
        let elsewhere = other.start_with(again).await;
        assert_ne!(elsewhere.expect("another tenant's key").id(), id);
        other.shutdown().await;
        engine.shutdown().await;
        assert_eq!(audit(place.store().as_mut(), id).verdict, Verdict::Erased);
    }
}

#[tokio::test]
async fn an_engine_tells_nobody_what_was_erased() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let execution = begin(&engine).await;
        end(&execution).await;
        // All of it has been asked for before.
        execution.inspect().await.expect("it is whole");
        execution.explain("pay").await.expect("it is whole");
        erase_one(place.store().as_mut(), execution.id()).expect("it has ended");
        let is_erased = |error: EngineError| {
            assert!(
                matches!(&error, EngineError::Store(it) if matches!(**it, StoreError::Erased { .. })),
                "{error}"
            );
        };
        is_erased(execution.finished().await.expect_err("it is erased"));
        is_erased(execution.events(1, 10).await.expect_err("it is erased"));
        is_erased(execution.inspect().await.expect_err("it is erased"));
        is_erased(execution.explain("pay").await.expect_err("it is erased"));
        let mut subscription = execution.subscribe(1);
        is_erased(subscription.next().await.expect_err("it is erased"));
        let record = execution.record().await.expect("it is there");
        assert!(record.erased.is_some() && record.key.is_none());
        for refused in [
            execution.cancel(None).await,
            execution.signal("key", json!({})).await,
            execution.retry("pay", None).await,
            execution.lift_stall(None).await,
        ] {
            match refused {
                Err(EngineError::Refused { reason, .. }) => {
                    assert!(reason.contains("erased"), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(engine.set_aside().await.expect("it lives").is_empty());
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn only_what_has_ended_and_holds_is_erased() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        panic!("it is a file");
    };
    let id = ended(&place).await;
    let going = engine(&place).await;
    let start = Start::new("claims", "1.0.0", json!({}));
    let execution = going.start_with(start).await.expect("it starts");
    going.shutdown().await;
    let mut store = place.store();
    let nobody = ExecutionId::random();
    let all = [nobody, execution.id(), id];
    let eraser = |by| Eraser {
        by,
        at: 1,
        signer: None,
    };
    let each = erase(store.as_mut(), &mut library(), &all, &eraser(""));
    assert!(each.iter().all(|(_, it)| matches!(it, Err(EraseError::By))));
    let db = rusqlite::Connection::open(folder.path().join("refrain.db")).expect("a database");
    let edit = "UPDATE events SET erasable = x'00' WHERE execution = 1 AND sequence = 3";
    assert_eq!(db.execute(edit, []).expect("it is edited"), 1);
    let each = erase(store.as_mut(), &mut library(), &all, &eraser("ada"));
    let errors: Vec<String> = each
        .into_iter()
        .map(|(_, erased)| erased.expect_err("none can be erased").to_string())
        .collect();
    for (error, said) in errors.iter().zip([
        "there is no execution",
        "is running, and only what has ended is erased",
        "says tampered: event 3",
    ]) {
        assert!(error.contains(said), "{error}");
    }
    // A caller who wants it all the same is not in the way of others.
    assert!(!files_with(folder.path(), KEY).is_empty());
}

/// A person who must erase must be able to; that something was wrong stays to be seen.
#[tokio::test]
async fn a_log_whose_audit_finds_something_is_erased_and_that_is_attested() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        panic!("it is a file");
    };
    let id = ended(&place).await;
    let db = rusqlite::Connection::open(folder.path().join("refrain.db")).expect("a database");
    db.execute("UPDATE executions SET tenant = 'another'", [])
        .expect("it is edited");
    let mut store = place.store();
    match erase_one(store.as_mut(), id).expect("it has ended") {
        Erased::Now(attestation) => {
            assert_eq!(attestation.verdict, AttestedVerdict::Divergent);
        }
        other => panic!("{other:?}"),
    }
    // What the store says is still something else than the log.
    assert_eq!(audit(store.as_mut(), id).verdict, Verdict::Divergent);
    db.execute("UPDATE executions SET tenant = 'default'", [])
        .expect("it is mended");
    assert_eq!(audit(store.as_mut(), id).verdict, Verdict::Erased);
}
