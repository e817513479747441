//! Tokens: a flow's code becomes a session, refresh tokens keep it, and it ends; a machine calls the server API.

use serde_json::{Value, json};

use super::sign_in::{PASSWORD, person};
use crate::support::{
    World, at_once,
    oauth::{basic, exchange, form, refresh, refused, token},
    page::Page,
};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

/// Signs in by the form of a page; gives the code.
async fn code(page: &Page<'_>, address: &str) -> String {
    let flow = page.begin("sign-ins", json!({"identifier": address})).await;
    let done = flow.post("password", json!({"password": PASSWORD})).await.expect(200);
    text(&done["code"]).to_owned()
}

pub async fn a_sign_in_becomes_a_session_that_is_refreshed_and_revoked(world: World) {
    let (user, address) = person(&world).await;
    let page = Page::new(&world).await;
    let code = code(&page, &address).await;
    let set = exchange(&world, &code).send().await.expect(200);
    assert_eq!((&set["token_type"], &set["scope"]), (&json!("Bearer"), &json!("openid email offline_access")));
    let sessions = format!("/v1/users/{user}/sessions");
    let listed = world.get(&sessions).await.expect(200);
    assert_eq!((&listed["data"][0]["app_id"], &listed["data"][0]["amr"]), (&json!(page.client_id), &json!(["pwd"])));
    // Two tabs refresh at once.
    let first = text(&set["refresh_token"]);
    let tabs = at_once((0..20).map(|_| refresh(&world, first)).collect()).await;
    let next = &tabs[0].json["refresh_token"];
    assert!(tabs.iter().all(|tab| tab.status == 200 && tab.json["refresh_token"] == *next), "{:?}", tabs[0].text);
    let last = refresh(&world, text(next)).send().await.expect(200);
    form(&world, "/oauth2/v1/revoke", &[("token", text(&last["refresh_token"]))]).send().await.expect(200);
    refused(&refresh(&world, text(&last["refresh_token"])).send().await, 400, "invalid_grant");
    assert_eq!(world.get(&sessions).await.expect(200)["data"], json!([]));
}

pub async fn sixteen_exchanges_of_one_code_give_one_session_and_end_it(world: World) {
    let (user, address) = person(&world).await;
    let page = Page::new(&world).await;
    let code = code(&page, &address).await;
    let responses = at_once((0..16).map(|_| exchange(&world, &code)).collect()).await;
    let granted: Vec<_> = responses.iter().filter(|response| response.status == 200).collect();
    assert_eq!(granted.len(), 1);
    refused(&refresh(&world, text(&granted[0].json["refresh_token"])).send().await, 400, "invalid_grant");
    assert_eq!(world.get(&format!("/v1/users/{user}/sessions")).await.expect(200)["data"], json!([]));
    let events = world.get(&format!("/v1/audit-events?user_id={user}&type=session.ended")).await.expect(200);
    assert_eq!(events["data"][0]["reason"], "code_reused");
}

pub async fn a_machine_calls_the_server_api(world: World) {
    for algorithm in ["RS256", "ES256"] {
        let app =
            json!({"name": "Backend", "type": "machine", "scopes": ["users:read"], "tokens": {"algorithm": algorithm}});
        let app = world.post("/v1/apps", &app).await.expect(201);
        let header = basic(text(&app["id"]), text(&app["client_secret"]));
        let call = token(&world, &[("grant_type", "client_credentials")]).header("authorization", &header);
        let set = call.send().await.expect(200);
        let get = |key: &str| world.request("GET", "/v1/users").key(key).send();
        get(text(&set["access_token"])).await.expect(200);
        world.delete(&format!("/v1/apps/{}", text(&app["id"]))).await.expect(204);
        get(text(&set["access_token"])).await.expect_problem(401, "access_token_invalid");
    }
}
