//! `/v1/messages`: what became of each message, found by whom it concerns and read page by page.

use serde_json::{Value, json};

use super::{NOBODY, encoded, pages, text};
use crate::support::{Behaviour, World, vars};

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|message| text(&message["id"])).collect()
}

#[tokio::test]
async fn messages_are_found_by_number_user_challenge_and_status() {
    let world = World::null();
    let (user, _, number) = world.user_with_phone().await;
    let other = world.challenge(&world.number()).await;
    let mine = world.post("/v1/challenges", &json!({"user_id": user})).await.expect(201);
    let find = async |query: String| ids(&world.get(&format!("/v1/messages?{query}")).await.expect(200));

    assert_eq!(find(String::new()).await.len(), 3);
    assert_eq!(find(format!("user_id={user}")).await.len(), 2);
    assert_eq!(find(format!("to={}", encoded(&number))).await.len(), 2);
    assert_eq!(find(format!("to={}", &number[2..])).await.len(), 2);
    assert_eq!(find(format!("challenge_id={}", text(&mine["id"]))).await, [text(&mine["message_id"])]);
    assert_eq!(find(format!("challenge_id={}", text(&other["id"]))).await, [text(&other["message_id"])]);
    assert_eq!(find("status=dropped".to_owned()).await.len(), 3);
    assert_eq!(find("status=sent".to_owned()).await.len(), 0);
    assert_eq!(find(format!("user_id={}", NOBODY[0].1)).await.len(), 0);
    assert_eq!(find(format!("to={}", encoded(&world.number()))).await.len(), 0);
}

#[tokio::test]
async fn messages_are_found_by_one_thing_at_a_time() {
    let world = World::null();
    let user = format!("user_id={}", NOBODY[0].1);
    for query in
        [format!("{user}&status=sent"), format!("to=4155552671&{user}"), format!("{user}&challenge_id={}", NOBODY[2].1)]
    {
        world.get(&format!("/v1/messages?{query}")).await.expect_problem(422, "form_param_invalid");
    }
    let answer = world.get("/v1/messages?to=12").await;
    assert_eq!(answer.fields(), [("to", "phone_number_invalid")]);
}

#[tokio::test]
async fn messages_are_read_page_by_page_whatever_they_are_found_by() {
    let world = World::null();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(text(&world.challenge(&world.number()).await["message_id"]));
        world.here().clock.advance(std::time::Duration::from_millis(3));
    }
    made.reverse();
    for path in ["/v1/messages", "/v1/messages?status=dropped"] {
        let (all, count) = pages(&world, path, 2).await;
        let all: Vec<String> = all.iter().map(|message| text(&message["id"])).collect();
        assert_eq!((all, count), (made.clone(), 3), "{path}");
    }
}

#[tokio::test]
async fn a_message_tells_its_life_and_not_its_text() {
    let world = World::twilio();
    let number = world.number();
    let challenge = world.challenge(&number).await;
    let read = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    let message = &read["message"];
    assert_eq!(message["to"], format!("+1••••••{}", &number[8..]));
    for (field, wanted) in [
        ("channel", "sms"),
        ("driver", "twilio"),
        ("country", "US"),
        ("cost_class", "domestic"),
        ("encoding", "gsm7"),
        ("status", "sent"),
    ] {
        assert_eq!(message[field], wanted, "{field}");
    }
    assert_eq!((&message["redirected"], &message["challenge_id"]), (&json!(false), &challenge["id"]));
    assert_eq!(read["tries"].as_array().unwrap().len(), 1);
    let code = world.carriers.sent_to(&number)[0].code();
    assert!(!read.to_string().contains(&code) && !read.to_string().contains(&number), "{read}");
}

#[tokio::test]
async fn a_refused_message_tells_the_carriers_code() {
    let world = World::twilio();
    let number = world.number();
    world.carriers.behave_for(&number, Behaviour::Answer(400, json!({"code": 21610}).to_string()));
    let problem = world.post("/v1/challenges", &json!({"to": {"phone": number}})).await;
    let problem = problem.expect_problem(422, "message_recipient_refused");
    let read = world.get(&format!("/v1/messages/{}", text(&problem["message_id"]))).await.expect(200);
    assert_eq!(read["message"]["status"], "failed");
    assert_eq!(
        (&read["tries"][0]["outcome"], &read["tries"][0]["error_code"]),
        (&json!("recipient_refused"), &json!("21610"))
    );
    assert_eq!(ids(&world.get("/v1/messages?status=failed").await.expect(200)), [text(&problem["message_id"])]);
}

#[tokio::test]
async fn a_redirected_message_says_so_and_costs_what_the_receiver_costs() {
    let world = World::native(&vars::dev_twilio("http://127.0.0.1:9"));
    world.patch("/v1/instance", &json!({"countries": {"sms": {"allowed": ["*"]}}})).await.expect(200);
    let challenge = world.challenge(&world.british_number()).await;
    let read = world.get(&format!("/v1/messages/{}", text(&challenge["message_id"]))).await.expect(200);
    assert_eq!((&read["message"]["redirected"], &read["message"]["country"]), (&json!(true), &json!("GB")));
    assert_eq!(read["message"]["cost_class"], "domestic");
}
