//! What anybody may ask for in somebody else's name, before a first factor is proven, takes nothing from them: neither
//! their messages nor their second factor (`docs/decisions/0029`).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, page::Page, vars};

const PASSWORD: &str = "seven owls in a barn at dusk";

/// A user with an address, a password and that mailbox as their second factor.
async fn person(world: &World) -> (String, String) {
    let (user, _, address) = world.user_with_email().await;
    let path = format!("/v1/users/{user}");
    world.patch(&path, &json!({"email": address})).await.expect(200);
    let proof = world.proof(&user, &address).await;
    let password = json!({"type": "password", "password": PASSWORD, "proof": proof});
    world.post(&format!("{path}/factors"), &password).await.expect(201);
    (user, address)
}

#[tokio::test]
async fn codes_asked_for_in_somebodys_name_use_up_nothing_of_theirs() {
    let world = World::null();
    let (user, address) = person(&world).await;
    let page = Page::new(&world).await;
    let mut refused = 0;
    for _ in 0..6 {
        for flows in ["sign-ups", "password-resets"] {
            let flow = page.begin(flows, json!({})).await;
            for _ in 0..2 {
                let asked = flow.request("identifier", &json!({"identifier": address}));
                let asked = asked.header("cf-connecting-ip", "198.51.100.66").send().await;
                refused += usize::from(asked.status == 429);
            }
        }
    }
    assert!(refused > 0, "nobody has messages without end sent to somebody else");
    // From another network the owner still gets a reset, their second factor, and what the server sends.
    let own = page.begin("password-resets", json!({})).await;
    let asked = own.request("identifier", &json!({"identifier": address})).header("cf-connecting-ip", "203.0.113.9");
    asked.send().await.expect(200);
    let flow = page.begin("sign-ins", json!({})).await;
    let half = flow.post("password", json!({"identifier": address, "password": PASSWORD})).await.expect(200);
    assert_eq!(half["step"], "needs_second_factor");
    flow.post("challenges", json!({"type": "email"})).await.expect(201);
    world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
}

#[tokio::test]
async fn guesses_in_a_row_count_over_all_networks_and_close_no_second_factor() {
    let world = World::null();
    let (user, address) = person(&world).await;
    let open = json!({"limits": {"second_factor_failures": 100, "second_factor_failures_in_a_row": 12,
        "tries_per_destination_half_hour": 100}});
    world.patch("/v1/instance", &open).await.expect(200);
    let page = Page::new(&world).await;
    let mut told = 0;
    for network in 0..6 {
        let ip = format!("198.51.100.{network}");
        let flow = page.begin("password-resets", json!({})).await;
        let named = flow.request("identifier", &json!({"identifier": address})).header("cf-connecting-ip", &ip);
        let named = named.send().await;
        let Some(id) = named.json["challenge"]["id"].as_str() else { continue };
        for _ in 0..4 {
            let answer = flow.request(&format!("challenges/{id}/answer"), &json!({"code": "00000000"}));
            let answer = answer.header("cf-connecting-ip", &ip).send().await;
            told += usize::from(answer.json["code"] == "form_code_incorrect");
        }
    }
    assert_eq!(told, 12);
    // The second factor is open, for the person and the server.
    let read: Value = world.get(&format!("/v1/users/{user}")).await.expect(200);
    assert_eq!(read["second_factor"]["failures_in_a_row"], 0);
    let challenge = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    world.answer(&challenge, &world.code(&address).await).await.expect(200);
}

#[tokio::test]
async fn a_flow_is_no_well_of_messages() {
    let world = World::null();
    let page = Page::new(&world).await;
    let flow = page.begin("sign-ups", json!({})).await;
    let mut sent = 0;
    for at in 0..20 {
        let asked = flow.post("identifier", json!({"identifier": format!("somebody{at}@example.com")})).await;
        sent += usize::from(asked.status == 200);
        if asked.status != 200 {
            asked.expect_problem(429, "rate_limit_exceeded");
        }
    }
    assert_eq!(sent, 5);
}

#[tokio::test]
async fn a_mailbox_that_the_account_has_left_proves_no_reset() {
    let world = World::null();
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let user = user["id"].as_str().unwrap();
    let password = json!({"type": "password", "password": PASSWORD});
    world.post(&format!("/v1/users/{user}/factors"), &password).await.expect(201);
    let page = Page::new(&world).await;
    let flow = page.begin("password-resets", json!({"identifier": address})).await;
    let id = flow.begun["challenge"]["id"].as_str().unwrap();
    let code = world.code(&address).await;
    world.patch(&format!("/v1/users/{user}"), &json!({"email": world.address()})).await.expect(200);
    let after = flow.post(&format!("challenges/{id}/answer"), json!({"code": code})).await;
    assert_ne!(after.json["step"], "needs_new_password", "{}", after.text);
    flow.post("new-password", json!({"password": "nine herons on a frozen lake"}))
        .await
        .expect_problem(409, "flow_step_mismatch");
}

#[tokio::test]
async fn a_code_lives_as_long_as_the_variable_says_and_a_remembered_device_is_an_event() {
    let mut bindings = vars::null();
    bindings.insert("AUTHORIZATION_CODE_EXPIRES_IN".to_owned(), json!("30"));
    let world = World::native(&bindings);
    let (user, address) = person(&world).await;
    let page = Page::with(&world, json!({"remember_device": true})).await;
    let both = json!({"identifier": address, "password": PASSWORD});
    let mut codes = Vec::new();
    for _ in 0..2 {
        let flow = page.begin("sign-ins", json!({})).await;
        flow.post("password", both.clone()).await.expect(200);
        let challenge = flow.post("challenges", json!({})).await.expect(201);
        let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
        let body = json!({"code": world.code(&address).await, "remember_device": true});
        let done = flow.post(&answer, body).await.expect(200);
        assert!(done["device"].is_string(), "{done}");
        codes.push(done["code"].as_str().unwrap().to_owned());
    }
    let clock = &world.here().clock;
    clock.advance(Duration::from_secs(29));
    page.exchange(&codes[0]).await.expect(200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(page.exchange(&codes[1]).await.expect(400)["error"], "invalid_grant");
    let events = world.get(&format!("/v1/audit-events?user_id={user}&type=device.created")).await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_web_apps_own_server_is_no_page() {
    let world = World::null();
    let app = world.post("/v1/apps", &json!({"name": "Shop", "type": "web"})).await.expect(201);
    let page = Page::new(&world).await;
    let shop = Page {
        world: &world,
        client_id: app["id"].as_str().unwrap().to_owned(),
        verifier: page.verifier.clone(),
        origin: None,
    };
    let begun = shop.call("POST", "/v1/client/sign-ins", None, Some(&shop.beginning())).await;
    begun.expect_problem(403, "origin_not_allowed");
}
