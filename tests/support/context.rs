//! What a request works with, for tests of what no route reaches by itself.

use std::sync::Arc;

use postern::{
    api_key::Credential,
    context::{Context, Parts, RoundTrips},
    ids::RequestId,
    ports::Clock,
    settings::{Snapshot, load},
};

use super::World;

/// A request of now, under the settings of now, of nobody with a key.
pub async fn context(world: &World) -> Context {
    let here = world.here();
    let app = here.app.clone();
    let answer = RoundTrips::default().batch(&app.ports, load(&app.config.binding_key_hash(), None)).await.unwrap();
    let snapshot = Snapshot::read(&answer, None, &app.config).unwrap();
    let now = here.clock.now();
    Context::new(Parts {
        secrets: app.config.secrets().unwrap().clone(),
        request_id: RequestId::new(now, &here.random),
        now,
        credential: Credential { id: "test".to_owned(), scopes: Vec::new(), is_test: false },
        snapshot: Arc::new(snapshot),
        round_trips: RoundTrips::default(),
        dev_tools: false,
        app,
    })
}
