//! Numbers over HTTP alone: what was sent and came back is counted at once, by the app that it went through.

use serde_json::json;

use crate::support::World;

pub async fn what_was_sent_and_came_back_is_in_the_numbers(world: World) {
    let app = world.post("/v1/apps", &json!({"name": "Counted"})).await.expect(201)["id"].clone();
    let app = app.as_str().unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        let number = world.number();
        let body = json!({"to": {"phone": number}, "app_id": app});
        made.push((world.post("/v1/challenges", &body).await.expect(201), number));
    }
    for (challenge, number) in &made[..2] {
        world.answer(challenge, &world.code(number).await).await.expect(200);
    }
    let path = format!("/v1/metrics/messages?by=channel,country,driver,template,app_id&app_id={app}");
    let answer = world.get(&path).await.expect(200);
    let row = &answer["data"][0];
    assert_eq!(
        json!([row["channel"], row["country"], row["driver"], row["template"], row["app_id"]]),
        json!(["sms", "US", "null", "verification_code", app])
    );
    assert_eq!(answer["data"].as_array().unwrap().len(), 1);
    for of in [row, &answer["total"]] {
        assert_eq!(json!([of["sent"], of["codes"], of["verified"], of["failed"]]), json!([3, 3, 2, 0]));
        assert_eq!((of["conversion"].as_f64(), of["delivery_rate"].as_f64()), (Some(0.6667), None));
        assert!(of["time_to_verify"]["p50_ms"].as_i64().is_some(), "{of}");
    }
    let text = world.get("/v1/metrics").await.text;
    let labels =
        format!("channel=\"sms\",country=\"US\",driver=\"null\",template=\"verification_code\",app_id=\"{app}\"");
    for line in
        [format!("postern_messages_sent_total{{{labels}}} 3"), format!("postern_messages_verified_total{{{labels}}} 2")]
    {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}
