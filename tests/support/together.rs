//! Many requests at once, and one request held in the middle of what it does.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use super::{Request, Response};

/// Sends all requests at once; the answers are in the requests' order.
pub async fn at_once(requests: Vec<Request>) -> Vec<Response> {
    let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
    let mut responses = Vec::with_capacity(sent.len());
    for response in sent {
        responses.push(response.await.unwrap());
    }
    responses
}

/// How many answers have this status and code; an empty code is any.
pub fn count(responses: &[Response], status: u16, code: &str) -> usize {
    responses
        .iter()
        .filter(|response| response.status == status && (code.is_empty() || response.json["code"] == code))
        .count()
}

/// Takes a request so many steps on: each batch and each call of a carrier is one, and the request stands before
/// the next. What is dropped there is a Worker that was ended.
pub async fn steps<F: Future>(request: &mut Pin<Box<F>>, count: u32) {
    for _ in 0..count {
        poll_fn(|context| {
            assert!(request.as_mut().poll(context).is_pending(), "the request has fewer steps");
            Poll::Ready(())
        })
        .await;
    }
}
