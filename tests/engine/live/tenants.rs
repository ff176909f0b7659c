//! Tenants: each has workflows, queues and keys of its own, on one store.

use refrain::model::Status;
use refrain::{Engine, EngineError, ExecutionId, Start, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all};
use refrain_tests::workflows::tools;
use serde_json::json;

async fn engine_for(place: &Place, tenant: &str) -> Engine {
    let builder = Engine::builder().boxed_store(place.store());
    builder.tenant(tenant).start().await.expect("it starts")
}

async fn register(engine: &Engine, nodes: &str) {
    let workflow = Workflow::from_json(tools(nodes).to_string()).expect("it is JSON");
    engine.register(workflow).await.expect("it is valid");
}

fn keyed() -> Start {
    Start::new("w", "1.0.0", json!({})).key("k")
}

#[tokio::test]
async fn each_tenant_has_workflows_and_keys_of_its_own() {
    for place in Place::each() {
        let engines = [engine_for(&place, "a").await, engine_for(&place, "b").await];
        for (engine, tenant) in engines.iter().zip(["a", "b"]) {
            // The same name, and each time another text.
            register(engine, &format!("{tenant} -> then")).await;
            engine.work("tool", |item: WorkItem| async move {
                Ok(json!({ item.node_id: item.tenant }))
            });
        }
        for (engine, tenant) in engines.iter().zip(["a", "b"]) {
            let execution = engine.start_with(keyed()).await.expect("it starts");
            assert_eq!(execution.id(), ExecutionId::of_key(tenant, "k"));
            let end = execution.finished().await.expect("it ends");
            assert_eq!(end.status, Status::Completed);
            let state = json!({ tenant: tenant, "then": tenant });
            assert_eq!(end.final_state.as_str(), state.to_string());
        }
        let nobody = engine_for(&place, "c").await;
        let unknown = nobody.start_with(keyed()).await.map(|it| it.id());
        assert!(
            matches!(unknown, Err(EngineError::UnknownWorkflow { .. })),
            "{unknown:?}"
        );
        nobody.shutdown().await;
        for engine in engines {
            engine.shutdown().await;
        }
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn work_is_claimed_for_the_tenant_whose_it_is() {
    for place in Place::each() {
        let engines = [engine_for(&place, "a").await, engine_for(&place, "b").await];
        let [own, other] = &engines;
        register(own, "n").await;
        own.start_with(keyed()).await.expect("it starts");
        for (engine, claimed) in [(other, 0), (own, 1), (own, 0)] {
            let claims = engine.claim("tool", 9, "worker").await;
            assert_eq!(claims.expect("it is asked for").len(), claimed);
        }
        for engine in engines {
            engine.shutdown().await;
        }
        audit_all(&place, "");
    }
}
