//! Where people are: what Cloudflare says of whoever connects, and what a server says of its person, stands in the message
//! that the guard counts. Nobody else can say it.

use serde_json::{Value, json};

use crate::support::{
    Request, World,
    account::{Account, PASSWORD},
    page::Page,
};

/// The newest message's origin and network.
fn seen(world: &World) -> (String, Option<i64>) {
    let rows = world
        .here()
        .database
        .query("SELECT origin, asn FROM messages WHERE channel = 'sms' ORDER BY rowid DESC LIMIT 1");
    #[allow(clippy::cast_possible_truncation)]
    let asn = rows[0]["asn"].as_f64().map(|asn| asn as i64);
    (rows[0]["origin"].as_str().unwrap().to_owned(), asn)
}

fn is(origin: &str, asn: Option<i64>) -> (String, Option<i64>) {
    (origin.to_owned(), asn)
}

/// With every header that somebody might take for Cloudflare's word.
fn with_forged_headers(request: Request) -> Request {
    ["cf-ipcountry", "cf-country", "cf-asn", "cf-ipasn", "x-country", "x-asn", "cf", "edge"]
        .into_iter()
        .fold(request, |request, name| request.header(name, if name.contains("asn") { "64666" } else { "US" }))
}

#[tokio::test]
async fn a_servers_word_counts_for_its_person_and_its_own_connection_for_nobody() {
    let world = World::null();
    for (client, origin, asn) in [
        (json!({"country": "US", "asn": 64_500}), "home", Some(64_500)),
        (json!({"country": "us", "asn": 4_294_967_295_i64}), "home", Some(4_294_967_295)),
        (json!({"country": "CA"}), "away", None),
        (json!({"country": "T1", "asn": 1}), "away", Some(1)),
        (json!({"country": "XX"}), "unknown", None),
        (json!({"ip": "203.0.113.7"}), "unknown", None),
        (Value::Null, "unknown", None),
    ] {
        let body = json!({"to": {"phone": world.number()}, "client": client});
        let request = world.request("POST", "/v1/challenges").json(&body);
        with_forged_headers(request).at("US", 64_511).send().await.expect(201);
        assert_eq!(seen(&world), is(origin, asn), "{client}");
    }
}

#[tokio::test]
async fn of_a_person_in_a_flow_and_in_their_account_the_edge_says_it() {
    let world = World::null();
    let page = Page::new(&world).await;
    let ana = Account::new(&page).await;
    let number = world.number();
    let proof = world.post(&format!("/v1/users/{}/verify-password", ana.user), &json!({"password": PASSWORD})).await;
    let phone = json!({"type": "phone", "phone": number, "proof": proof.expect(200)["id"]});
    world.enrol(&ana.user, &phone, &number).await;
    for (country, asn, origin) in [("US", 64_500, "home"), ("FR", 64_501, "away"), ("XX", 64_502, "unknown")] {
        world.here().clock.advance(std::time::Duration::from_mins(31));
        let flow = page.begin("sign-ins", json!({})).await;
        let password = json!({"identifier": ana.address, "password": PASSWORD});
        flow.post("password", password).await.expect(200);
        let send = with_forged_headers(flow.request("challenges", &json!({"type": "phone"})));
        let challenge = send.at(country, asn).send().await.expect(201);
        assert_eq!(seen(&world), is(origin, Some(asn)), "{country}");
        // A further code is asked for from somewhere else.
        world.here().clock.advance(std::time::Duration::from_secs(31));
        let resend = format!("challenges/{}/resend", challenge["id"].as_str().unwrap());
        with_forged_headers(flow.request(&resend, &json!({}))).send().await.expect(200);
        assert_eq!(seen(&world), is("unknown", None), "headers say nothing");
        let answer = format!("challenges/{}/answer", challenge["id"].as_str().unwrap());
        let done = flow.post(&answer, json!({"code": world.code(&number).await})).await.expect(200);
        let set = page.exchange(done["code"].as_str().unwrap()).await.expect(200);
        let token = set["access_token"].as_str();
        world.here().clock.advance(std::time::Duration::from_secs(31));
        let step_up = page.request("POST", "/v1/me/step-up", token, Some(&json!({})));
        with_forged_headers(step_up).at(country, asn).send().await.expect(201);
        assert_eq!(seen(&world), is(origin, Some(asn)), "{country}");
    }
}
