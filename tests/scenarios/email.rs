//! Codes by e-mail, the mailbox as a factor, a user's own address, and who is told of a changed factor.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Behaviour, SentMail, World, vars};

/// Waits for what comes after the response.
async fn eventually<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    for _ in 0..100 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

/// The notices that an address got.
fn notices(world: &World, address: &str) -> Vec<SentMail> {
    world.carriers.mail.sent_to(address).into_iter().filter(|mail| mail.code().is_empty()).collect()
}

pub async fn a_code_goes_to_an_address_and_is_checked(world: World) {
    let address = world.address();
    let typed = format!("  {} ", address.to_uppercase());
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": typed}})).await.expect(201);
    assert_eq!((&challenge["type"], &challenge["channel"]), (&json!("email"), &json!("email")));
    assert_eq!(challenge["to"], "a•••@e•••.com");
    let id = challenge["message_id"].as_str().unwrap();
    let read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    let message = &read["message"];
    assert_eq!((&message["channel"], &message["template"]), (&json!("email"), &json!("verification_code")));
    for none in ["country", "encoding", "segments"] {
        assert!(message[none].is_null(), "{none}");
    }
    let found = world.get(&format!("/v1/messages?to={}", address.replace('@', "%40"))).await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1);

    let code = world.code(&address).await;
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    // Another address than expected fails and counts, whatever the code.
    let other = json!({"code": code, "expect": {"to": {"email": world.address()}}});
    world.post(&path, &other).await.expect_problem(422, "form_code_incorrect");
    let expect = json!({"to": {"email": address.to_uppercase()}, "purpose": "verification"});
    let verified = world.post(&path, &json!({"code": code, "expect": expect})).await.expect(200);
    assert_eq!((&verified["status"], &verified["attempts_left"]), (&json!("verified"), &json!(4)));
    world.post(&path, &json!({"code": code})).await.expect_problem(409, "verification_already_verified");
}

pub async fn a_mailbox_is_enrolled_challenged_listed_and_removed(world: World) {
    let (user, factor, address) = world.user_with_email().await;
    let factors = format!("/v1/users/{user}/factors");
    let listed = world.get(&factors).await.expect(200);
    let shown = &listed["data"][0];
    assert_eq!((&shown["type"], &shown["email"]), (&json!("email"), &json!("a•••@e•••.com")));
    assert!(shown["phone"].is_null() && shown["activated_at"].is_string());
    assert!(!listed.to_string().contains(&address));
    // The same mailbox, however it is written, is not added twice.
    let same = json!({"type": "email", "email": address.to_uppercase(), "override": {"reason": "x"}});
    world.post(&factors, &same).await.expect_problem(409, "form_identifier_exists");

    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "type": "email"})).await.expect(201);
    assert_eq!(challenge["factor_id"], json!(factor));
    let path = format!("/v1/challenges/{}/answer", challenge["id"].as_str().unwrap());
    let body = json!({"code": world.code(&address).await, "expect": {"user_id": user}});
    world.post(&path, &body).await.expect(200);
    let proof = challenge["id"].as_str().unwrap();
    world.delete(&format!("{factors}/{factor}?proof={proof}")).await.expect(204);
    assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
}

pub async fn a_mailbox_proves_no_change_while_there_is_a_phone(world: World) {
    let (user, factor, address) = world.user_with_email().await;
    let number = world.number();
    let body = json!({"type": "phone", "phone": number, "override": {"reason": "set-up"}});
    world.enrol(&user, &body, &number).await;
    let challenge = world.post("/v1/challenges", &json!({"user_id": user, "factor_id": factor})).await.expect(201);
    world.answer(&challenge, &world.code(&address).await).await.expect(200);
    let body = json!({"type": "phone", "phone": world.number(), "proof": challenge["id"]});
    let factors = format!("/v1/users/{user}/factors");
    world.post(&factors, &body).await.expect_problem(403, "proof_invalid");
}

pub async fn a_users_own_address_is_proven(world: World) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let path = format!("/v1/users/{}", user["id"].as_str().unwrap());
    let verified = async || world.get(&path).await.expect(200)["email_verified_at"].clone();
    assert!(user["email_verified_at"].is_null());
    // Whoever has the mailbox has not thereby the account.
    let to_address = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    world.answer(&to_address, &world.code(&address).await).await.expect(200);
    assert!(verified().await.is_null());

    let body = json!({"user_id": user["id"], "purpose": "verification"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    assert_eq!((&challenge["purpose"], &challenge["to"]), (&json!("verification"), &json!("a•••@e•••.com")));
    assert!(challenge["factor_id"].is_null());
    let code = world.code(&address).await;
    world.answer(&challenge, &world.wrong(&code)).await.expect_problem(422, "form_code_incorrect");
    assert!(verified().await.is_null());
    world.answer(&challenge, &code).await.expect(200);
    let first = verified().await;
    assert!(first.is_string());
    // It proves no factor, and forgives no wrong second-factor answer.
    let second = world.get(&path).await.expect(200)["second_factor"]["failures_in_a_row"].clone();
    assert_eq!(second, json!(1));
    let remove = format!("{path}/factors?proof={}", challenge["id"].as_str().unwrap());
    world.delete(&remove).await.expect_problem(403, "proof_invalid");

    // The same address written otherwise is the same; another one has to be proven again.
    world.patch(&path, &json!({"email": address.to_uppercase()})).await.expect(200);
    assert_eq!(verified().await, first);
    let other = world.address();
    world.patch(&path, &json!({"email": other})).await.expect(200);
    assert!(verified().await.is_null());
    // A factor of the same address counts as well.
    let body = json!({"type": "email", "email": other});
    world.enrol(user["id"].as_str().unwrap(), &body, &other).await;
    assert!(verified().await.is_string());
}

pub async fn a_code_sent_before_the_address_changed_proves_nothing(world: World) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let path = format!("/v1/users/{}", user["id"].as_str().unwrap());
    let body = json!({"user_id": user["id"], "purpose": "verification"});
    let challenge = world.post("/v1/challenges", &body).await.expect(201);
    let code = world.code(&address).await;
    world.patch(&path, &json!({"email": world.address()})).await.expect(200);
    world.answer(&challenge, &code).await.expect(200);
    assert!(world.get(&path).await.expect(200)["email_verified_at"].is_null());
}

pub async fn deleting_a_user_erases_their_addresses(world: World) {
    let (user, _, address) = world.user_with_email().await;
    // Also of messages that went to the address without the user.
    world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    let find = format!("/v1/messages?to={}", address.replace('@', "%40"));
    assert_eq!(world.get(&find).await.expect(200)["data"].as_array().unwrap().len(), 2);
    world.delete(&format!("/v1/users/{user}")).await.expect(204);
    assert_eq!(world.get(&find).await.expect(200)["data"], json!([]));
    let kept = world.get(&format!("/v1/messages?user_id={user}")).await.expect(200);
    assert!(kept["data"][0]["to"].is_null());

    // The address on the user goes with it where it was proven; else it may be somebody else's.
    for (is_proven, left) in [(true, 0), (false, 1)] {
        let address = world.address();
        let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
        if is_proven {
            let body = json!({"user_id": user["id"], "purpose": "verification"});
            let challenge = world.post("/v1/challenges", &body).await.expect(201);
            world.answer(&challenge, &world.code(&address).await).await.expect(200);
        }
        world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
        world.delete(&format!("/v1/users/{}", user["id"].as_str().unwrap())).await.expect(204);
        let find = format!("/v1/messages?to={}", address.replace('@', "%40"));
        assert_eq!(world.get(&find).await.expect(200)["data"].as_array().unwrap().len(), left, "{is_proven}");
    }
}

pub async fn the_switch_of_email_stops_email_alone(world: World) {
    let (address, body) = (world.address(), |address: &str| json!({"to": {"email": address}}));
    world.post("/v1/challenges", &body(&address)).await.expect(201);
    world.patch("/v1/instance", &json!({"email": {"enabled": false}})).await.expect(200);
    let problem = world.post("/v1/challenges", &body(&address)).await.expect_problem(503, "email_disabled");
    assert!(problem["detail"].as_str().unwrap().contains("email.enabled"));
    world.challenge(&world.number()).await;
    world.patch("/v1/instance", &json!({"email": {"enabled": "inherit"}, "sms": {"enabled": false}})).await.expect(200);
    world.post("/v1/challenges", &body(&address)).await.expect(201);
    let phone = json!({"to": {"phone": world.number()}});
    world.post("/v1/challenges", &phone).await.expect_problem(503, "sms_disabled");
}

pub async fn a_provider_gets_what_it_wants(world: World) {
    let address = world.address();
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    let sent = world.carriers.mail.sent_to(&address);
    assert_eq!(sent.len(), 1);
    let code = sent[0].code();
    assert_eq!((sent[0].from.as_str(), sent[0].provider), (vars::MAIL_SENDER, "resend"));
    assert_eq!(sent[0].subject, format!("{code} is your Example code"));
    assert_eq!(json!(sent[0].message_id), challenge["message_id"]);
    let id = challenge["message_id"].as_str().unwrap();
    let read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!((&read["message"]["status"], &read["message"]["driver"]), (&json!("sent"), &json!("resend")));
    assert_eq!(read["tries"][0]["outcome"], "accepted");
    world.answer(&challenge, &code).await.expect(200);
}

pub async fn a_providers_errors_are_told_and_a_failed_enrolment_leaves_nothing(world: World) {
    let error = |status: u16, name: &str, message: &str| {
        Behaviour::Answer(status, json!({"statusCode": status, "name": name, "message": message}).to_string())
    };
    for (behaviour, status, code, remedy) in [
        (error(403, "validation_error", "not verified"), 502, "message_driver_misconfigured", "EMAIL_FROM"),
        (error(401, "missing_api_key", "no"), 502, "message_driver_misconfigured", "RESEND_API_KEY"),
        (error(429, "daily_quota_exceeded", "no"), 502, "message_driver_misconfigured", "quota"),
        (error(429, "rate_limit_exceeded", "no"), 502, "message_failed", "requests a second"),
        (
            error(422, "validation_error", "Invalid `to` field"),
            422,
            "message_recipient_refused",
            "not an e-mail address",
        ),
    ] {
        let address = world.address();
        world.carriers.mail.behave_for(&address, behaviour);
        let user = world.post("/v1/users", &json!({})).await.expect(201)["id"].as_str().unwrap().to_owned();
        let factors = format!("/v1/users/{user}/factors");
        let body = json!({"type": "email", "email": address});
        let problem = world.post(&factors, &body).await.expect_problem(status, code);
        assert!(problem["detail"].as_str().unwrap().contains(remedy), "{problem}");
        assert_eq!(world.get(&factors).await.expect(200)["data"], json!([]));
        let id = problem["message_id"].as_str().unwrap();
        let read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
        assert_eq!(read["message"]["status"], "failed");
        world.carriers.mail.behave_for(&address, Behaviour::Accept);
        world.enrol(&user, &body, &address).await;
    }
}

pub async fn a_silent_provider_leaves_the_mail_unknown_and_the_code_alive(world: World) {
    for behaviour in [Behaviour::Hang, Behaviour::Drop, Behaviour::NotHttp, Behaviour::Answer(500, String::new())] {
        let address = world.address();
        world.carriers.mail.behave_for(&address, behaviour.clone());
        let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
        let sent = world.carriers.mail.sent_to(&address);
        assert_eq!(sent.len(), 1, "{behaviour:?}: a try that may have gone out is not repeated");
        let id = challenge["message_id"].as_str().unwrap();
        let read = world.get(&format!("/v1/messages/{id}")).await.expect(200);
        assert_eq!(read["message"]["status"], "unknown", "{behaviour:?}");
        world.answer(&challenge, &sent[0].code()).await.expect(200);
    }
}

pub async fn outside_prod_every_mail_goes_to_the_receiver(world: World) {
    let address = world.address();
    let challenge = world.post("/v1/challenges", &json!({"to": {"email": address}})).await.expect(201);
    assert!(world.carriers.mail.sent_to(&address).is_empty());
    let inbox = world.get(&format!("/dev/inbox.json?to={}", address.replace('@', "%40"))).await.expect(200);
    assert_eq!((&inbox[0]["to"], &inbox[0]["intended_to"]), (&json!(vars::MAIL_RECEIVER), &json!(address)));
    let code = inbox[0]["code"].as_str().unwrap();
    assert_eq!(inbox[0]["subject"], format!("{code} is your Example code"));
    let sent = world.carriers.mail.sent_to(vars::MAIL_RECEIVER);
    assert!(sent.iter().any(|mail| mail.code() == code && mail.provider == "webhook"));
    world.answer(&challenge, code).await.expect(200);

    // The HTML can be looked at, and can do nothing.
    let page = world.get(&format!("/dev/inbox/{}", inbox[0]["id"].as_str().unwrap())).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!(">{code}</span></p>")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("sandbox; default-src 'none';"), "{policy}");
    // An SMS has no such page.
    let number = world.number();
    let sms = world.challenge(&number).await;
    let path = format!("/dev/inbox/{}", sms["message_id"].as_str().unwrap());
    world.get(&path).await.expect_problem(404, "resource_not_found");
}

pub async fn the_address_on_the_user_hears_of_every_change(world: World) {
    let address = world.address();
    let user = world.post("/v1/users", &json!({"email": address})).await.expect(201);
    let user = user["id"].as_str().unwrap();
    let number = world.number();
    let factor = world.enrol(user, &json!({"type": "phone", "phone": number, "name": "evil.example"}), &number).await;
    let told = eventually(|| async { notices(&world, &address).pop() }).await;
    assert_eq!(told.subject, "A phone number was added to your Example account");
    assert!(told.text.contains("(\u{201c}evil example\u{201d})"), "{}", told.text);
    assert!(!told.text.contains(&number) && !told.html.contains(&number));
    // It is a message like any other.
    let listed = eventually(|| async {
        let listed = world.get(&format!("/v1/messages?user_id={user}")).await.expect(200);
        let notice =
            listed["data"].as_array().unwrap().iter().find(|one| one["template"] == "security_notice").cloned();
        notice.filter(|notice| notice["status"] == "sent")
    })
    .await;
    assert_eq!((&listed["channel"], &listed["challenge_id"]), (&json!("email"), &Value::Null));
    world.delete(&format!("/v1/users/{user}/factors/{factor}?override_reason=lost")).await.expect(204);
    let told = eventually(|| async { notices(&world, &address).into_iter().nth(1) }).await;
    assert_eq!(told.subject, "A phone number was removed from your Example account");
    // The phone itself was told nothing.
    assert_eq!(world.carriers.sent_to(&number).len(), 1);
}
