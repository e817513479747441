//! What anybody may ask before the first token: where tokens are had, and the keys that check them.

use crate::support::World;

pub async fn discovery_names_the_keys_and_they_are_there(world: World) {
    let metadata = world.get("/.well-known/openid-configuration").await.expect(200);
    assert_eq!(metadata, world.get("/.well-known/oauth-authorization-server").await.expect(200));
    let issuer = metadata["issuer"].as_str().unwrap();
    let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix(issuer).unwrap();
    let keys = world.get(keys).await.expect(200);
    // Others may have signed meanwhile: whatever is there is public.
    for key in keys["keys"].as_array().unwrap() {
        assert!(key["d"].is_null() && key["p"].is_null(), "{key}");
    }
}
