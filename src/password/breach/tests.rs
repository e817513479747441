use std::sync::Mutex;

use super::*;
use crate::ports::{OutgoingResponse, PortFuture};

/// The SHA-1 of `password` is 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
const OTHER: &str = "003D68EB55068C33ACE09247EE4C639306B";

struct Service {
    answer: Result<OutgoingResponse, FetchError>,
    asked: Mutex<Vec<OutgoingRequest>>,
}

impl Fetch for Service {
    fn fetch(&self, request: OutgoingRequest) -> PortFuture<'_, Result<OutgoingResponse, FetchError>> {
        self.asked.lock().expect("a lock").push(request);
        let answer = self.answer.clone();
        Box::pin(async move { answer })
    }
}

async fn asked_with(answer: Result<OutgoingResponse, FetchError>) -> (Outcome, OutgoingRequest) {
    let service = Service { answer, asked: Mutex::default() };
    let password = Password::parse("password").expect("a password");
    let outcome = ask(&service, "https://range.example/", &password).await;
    let mut requests = service.asked.into_inner().expect("a lock");
    assert_eq!(requests.len(), 1);
    (outcome, requests.remove(0))
}

async fn outcome(body: String) -> Outcome {
    asked_with(Ok(OutgoingResponse { status: 200, body })).await.0
}

#[tokio::test]
async fn five_characters_go_out_and_nothing_else() {
    let (_, request) = asked_with(Err(FetchError::Network)).await;
    assert_eq!((request.method, request.url.as_str()), ("GET", "https://range.example/range/5BAA6"));
    assert!(request.headers.contains(&("add-padding", "true".to_owned())));
    assert_eq!((request.body.as_str(), request.timeout), ("", TIME_LIMIT));
}

#[tokio::test]
async fn a_password_that_was_seen_is_found() {
    assert_eq!(outcome(format!("{OTHER}:3\r\n{SUFFIX}:52256179\r\n")).await, Outcome::Seen(52_256_179));
    assert_eq!(outcome(format!("{OTHER}:3\n{}:2", SUFFIX.to_lowercase())).await, Outcome::Seen(2));
    assert_eq!(outcome(format!("{OTHER}:3")).await, Outcome::NotSeen);
}

#[tokio::test]
async fn padding_is_not_a_breach() {
    assert_eq!(outcome(format!("{SUFFIX}:0\r\n{OTHER}:3")).await, Outcome::NotSeen);
}

#[tokio::test]
async fn a_service_that_fails_blocks_nobody() {
    let status = |status| Ok(OutgoingResponse { status, body: format!("{SUFFIX}:5") });
    for (answer, why) in [
        (Err(FetchError::Timeout), Why::Timeout),
        (Err(FetchError::Network), Why::Network),
        (status(429), Why::Status(429)),
        (status(503), Why::Status(503)),
    ] {
        assert_eq!(asked_with(answer).await.0, Outcome::Unknown(why));
    }
    for body in ["", "\r\n", "<html>", "1E4C9:5", &format!("{SUFFIX}:many"), &format!("{OTHER}:1\nnonsense")] {
        assert_eq!(outcome(body.to_owned()).await, Outcome::Unknown(Why::Malformed), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_says_nothing_about_what_is_missing() {
    let mut body = format!("{OTHER}:12345\r\n").repeat(RESPONSE_LIMIT / 40);
    body.truncate(RESPONSE_LIMIT);
    assert_eq!(outcome(body.clone()).await, Outcome::Unknown(Why::TooLong));
    body.replace_range(..42, &format!("{SUFFIX}:7\r\n    "));
    assert_eq!(outcome(body).await, Outcome::Seen(7));
}
